"""The house: what may import what, how long a module may be, what a run of the core pulls in."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = [*ROOT.glob("archspec/**/*.py"), *ROOT.glob("backends/**/*.py")]
CIRCLES: list[list[str]] = [
    # `Graph.stats` counts, and a notebook draws a Graph by its own methods, when they are called
    [
        "archspec.drawing", "archspec.drawing.chart", "archspec.drawing.columns", "archspec.drawing.dot",
        "archspec.drawing.filters", "archspec.drawing.graphviz", "archspec.drawing.labels", "archspec.drawing.page",
        "archspec.drawing.palette", "archspec.drawing.scene", "archspec.drawing.view", "archspec.graph",
        "archspec.hierarchy", "archspec.receptive", "archspec.stages", "archspec.stats",
    ],
    # `Spec.count` and `Spec.sweep` search, when they are called
    ["archspec.search.counting", "archspec.search.sweep", "archspec.spec"],
]  # fmt: skip
"""Modules that import each other, within functions and for types too. A new circle is a fault of the design."""
HEAVY = ("torch", "tensorflow", "keras", "onnx", "matplotlib", "numpy", "networkx", "scipy")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_longer_than_500_lines(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 500


@pytest.mark.parametrize(
    "arguments",
    [
        ["stats", "mobilenet_v2"],
        ["stats", "mobilenet_v2", "--device", "stm32f746"],
        ["check", "mobilenet_v2"],
        ["graph", "mobilenet_v2", "--json"],
        ["list"],
        ["list", "backends"],
        ["explain", "shape-claim"],
        ["lab", "relu", "--help"],
    ],
)
def test_the_core_imports_no_framework(arguments: list[str]) -> None:
    script = (
        "import sys; from archspec.cli.commands import run; "
        f"code = run({arguments!r}); sys.exit(code or ' '.join(m for m in {HEAVY!r} if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("backend", ["torch", "keras", "onnx"])
def test_every_operator_is_one_class_and_one_case_of_a_backend(backend: str) -> None:
    from archspec.ops import OPERATORS

    lower = import_module(f"archspec_{backend}.lower").lower
    missing = [name for name, op in OPERATORS.items() if lower.dispatch(op) is lower.dispatch(object)]
    assert missing == []


def test_an_operator_stands_in_one_module_of_the_torch_backend_besides_what_reads_models() -> None:
    folder = ROOT / "backends" / "archspec_torch"
    naming = {path.name for path in folder.glob("*.py") if "ops.LeakyRelu" in path.read_text(encoding="utf-8")}
    assert naming == {"lower.py"}


def test_no_modules_import_each_other_in_a_circle_except_those_that_are_listed() -> None:
    assert circles(imported(ROOT / "archspec", ROOT / "backends")) == CIRCLES


@pytest.mark.parametrize(
    "back",
    [
        "from package.a import A",
        "def use():\n    from package import a",
        "if TYPE_CHECKING:\n    import package.a",
        "class B:\n    def use(self):\n        import package.a as a",
    ],
)
def test_a_circle_is_found_wherever_in_a_module_it_is_imported(tmp_path: Path, back: str) -> None:
    package = tmp_path / "package"
    package.mkdir()
    for name, text in {"__init__": "", "a": "from package import b", "b": back, "c": "import package.a"}.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    assert circles(imported(package)) == [["package.a", "package.b"]]


def imported(*folders: Path) -> dict[str, set[str]]:
    """The modules in some folders, each with those that it imports: at once, within a function, or for types alone."""
    known = {}
    for folder in folders:
        base = folder if not (folder / "__init__.py").exists() else folder.parent
        for path in folder.glob("**/*.py"):
            parts = path.relative_to(base).with_suffix("").parts
            known[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    found = {}
    for name, path in known.items():
        asked: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                asked |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.module, f"{path} has a relative import"
                within = {f"{node.module}.{alias.name}" for alias in node.names}
                asked |= within if within <= known.keys() else {node.module, *within}
        found[name] = (asked & known.keys()) - {name}
    return found


def circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """The modules that reach each other by their imports, in groups: strongly connected components (Tarjan)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        open_.append(module)
        for other in sorted(imports[module]):
            if other not in number:
                visit(other)
            if other in open_:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == number[module]:
            place = open_.index(module)
            found.append(sorted(open_[place:]))
            del open_[place:]

    for module in sorted(imports):
        if module not in number:
            visit(module)
    return sorted(group for group in found if len(group) > 1)
