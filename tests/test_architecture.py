"""The house: what may import what, how long a module may be, what a run of the core pulls in."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = [*ROOT.glob("archspec/**/*.py"), *ROOT.glob("backends/**/*.py")]
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


def test_every_operator_is_one_class_and_one_case_of_the_torch_backend() -> None:
    from archspec_torch.lower import lower

    from archspec.ops import OPERATORS

    missing = [name for name, op in OPERATORS.items() if lower.dispatch(op) is lower.dispatch(object)]
    assert missing == []


def test_no_stage_of_elaboration_imports_one_after_it_even_within_a_function() -> None:
    folder = ROOT / "archspec" / "elaborate"
    imported = {path.stem: imports_within(path, "archspec.elaborate") for path in folder.glob("[!_]*.py")}
    try:
        order = [*TopologicalSorter(imported).static_order()]
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
    assert order.index("network") < order.index("audit")


def imports_within(path: Path, package: str) -> set[str]:
    """The modules of a package that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
            found.add((node.module or "").removeprefix(f"{package}."))
    return found
