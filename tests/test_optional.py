"""Packages that not every installation has: missing, broken, of another version; one sentence and exit code 3."""

import ast
import json
import os
import pickle
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from archspec.ending import Ended
from archspec.errors import Refusal
from archspec.optional import DISTRIBUTIONS, EXTRAS, BrokenFramework, MissingFramework, needing

ROOT = Path(__file__).parent.parent
SOURCES = [*ROOT.glob("archspec/**/*.py"), *ROOT.glob("backends/**/*.py")]
SPEC = "arch 1 network N { input 8 x 8 x 3 body conv(4, 3) -> relu -> global_avgpool -> linear(10) }"
SAYS = {
    "empty": ("", "(Import|ModuleNotFound|Attribute)Error: "),
    "library": ("raise ImportError('libx.so.1: cannot open shared object file')", "ImportError: libx.so.1: cannot"),
    "system": ("raise OSError('libx.so.1: cannot open')", "OSError: libx.so.1: cannot open"),
    "syntax": ("def (", "SyntaxError: invalid syntax"),
    "no text": ("\0", "SyntaxError: source code string cannot contain null bytes"),
    "error": ("raise RuntimeError('one\\ntwo')", "RuntimeError: one\n"),
    "cause": ("try:\n    1 / 0\nexcept ArithmeticError as error:\n    raise ImportError('see') from error",
              "ZeroDivisionError: division by zero"),
    "traceback": ("import traceback\ntry:\n    1 / 0\nexcept ArithmeticError:\n    "
                  "raise ImportError(traceback.format_exc() + '\\nno runtime')", "ZeroDivisionError: division by zero"),
    "exit": ("raise SystemExit(5)", "SystemExit: 5"),
    "needs another": ("import not_here", "ModuleNotFoundError: No module named 'not_here'"),
}  # fmt: skip
"""Kinds of breakage: what stands in a package, and what is said of it."""
QUICK = {"empty", "system", "syntax", "traceback", "exit"}
SWEEP = ["sweep", "mobilenet_v2", "-p", "input=32:6000:1"]
TRAIN = ["train", "n.arch", "--steps", "1", "--input", "8x8x3"]
COMMANDS = {
    "torch": ["build", "n.arch"],
    "keras": ["build", "n.arch", "--backend", "keras"],
    "onnx": ["build", "n.arch", "--backend", "onnx"],
    "numpy": ["lab", "relu"],
    "graphviz": ["render", "n.arch", "-o", "x.svg"],
    "matplotlib": ["chart", "mobilenet_v2=71.9", "-o", "x.svg"],
    "lsprotocol": ["lsp"],
    "uvicorn": ["serve", "n.arch", "--no-open", "--port", "0"],
    "joblib": [*SWEEP, "-j", "2"],
    "pyarrow": [*SWEEP, "-o", "x.parquet"],
    "ruff": ["build", "n.arch", "--emit", "source"],
}
"""What needs each package, before any other that may be missing."""
REST = {
    "tensorflow": COMMANDS["keras"],
    "h5py": ["weights", "import", "--from", "keras", "x.h5", "n.arch", "-o", "x.safetensors"],
    "onnxruntime": ["verify", "n.arch", "--backend", "onnx", "--optimize"],
    "safetensors": ["build", "n.arch", "-o", "x.safetensors"],
    "PIL": ["render", "n.arch", "-o", "x.png"],
    "pygls": COMMANDS["lsprotocol"],
    "starlette": COMMANDS["uvicorn"],
    "lightning": TRAIN,
    "tensorboard": TRAIN,
    "sklearn": TRAIN,
    "scipy": ["lab", "relu", "--draws", "10"],
    "distributed": [*SWEEP, "--cluster", "dask://"],
    "ray": [*SWEEP, "--cluster", "ray://"],
}
"""The same, where others are needed before."""
RUN = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from archspec.cli.commands import run
said = []
for arguments in json.loads(sys.argv[1]):
    with redirect_stderr(io.StringIO()) as err, redirect_stdout(io.StringIO()):
        code = run(arguments)
    said.append((code, err.getvalue()))
print(json.dumps(said))
"""


def broken(folder: Path, text: str, *packages: str) -> dict[str, str]:
    """An environment in which packages consist of a text."""
    for package in packages:
        (folder / "path" / package).mkdir(parents=True)
        (folder / "path" / package / "__init__.py").write_text(text, encoding="utf-8")
    (folder / "n.arch").write_text(SPEC, encoding="utf-8")
    path = os.pathsep.join(map(str, (folder / "path", ROOT, ROOT / "backends")))
    return {**os.environ, "PYTHONPATH": path, "KERAS_BACKEND": "tensorflow"}


def check(folder: Path, package: str, kind: str, code: int, said: str) -> None:
    """One sentence, and what to do."""
    assert code == 3, said
    *_, error, advice, end = said.split("\n")
    assert end == ""
    found = re.fullmatch(r"error: (.+) needs `(\w+)`, which does not work here: (.+)", error)
    assert found, said
    assert found[2] == package
    assert re.match(SAYS[kind][1], f"{found[3]}\n"), said
    extras = "|".join(EXTRAS[package])
    place = re.escape(str(folder / "path" / package / "__init__.py"))
    assert re.fullmatch(
        rf" = help: `{package}` is {place}; pip install --force-reinstall 'archspec-compiler\[({extras})\]'", advice
    ), advice


@pytest.mark.parametrize(
    "kind", [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.slow) for kind in SAYS]
)
def test_a_package_that_is_broken_is_one_sentence(kind: str, tmp_path: Path) -> None:
    environment = broken(tmp_path, SAYS[kind][0], *EXTRAS)
    # ruff runs as a program, and the way is the same for all kinds
    asked = {package: command for package, command in COMMANDS.items() if package != "ruff" or kind == "system"}
    command = [sys.executable, "-c", RUN, json.dumps(list(asked.values()))]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    for package, (code, said) in zip(asked, json.loads(done.stdout), strict=True):
        assert said.count("\n") == 2, said
        # any of those that a command needs may come first
        named = re.search("needs `([a-zA-Z]+)`", said)
        check(tmp_path, named[1] if named and package in NEED_MORE else package, kind, code, said)


NEED_MORE = {"uvicorn", "torch", "onnx", "keras", "lsprotocol"}
"""Their modules import another optional package before."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["empty", "syntax", "exit"])
@pytest.mark.parametrize("package", [*COMMANDS, *REST])
def test_each_package_alone_is_named_where_it_is_broken(package: str, kind: str, tmp_path: Path) -> None:
    environment = broken(tmp_path, SAYS[kind][0], package)
    (tmp_path / "x.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    command = [sys.executable, "-m", "archspec", *{**COMMANDS, **REST}[package]]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert "Traceback" not in done.stderr
    if (package, kind) == ("tensorboard", "empty"):  # torch, which imports it, says so of itself
        assert (done.returncode, "TensorBoard" in done.stderr) == (3, True)
        return
    check(tmp_path, package, kind, done.returncode, done.stderr)


# ---- what is a package's, and what is ours ----


def test_every_package_that_is_imported_is_a_dependency_or_known_as_optional() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = {re.split("[<>=]", one)[0] for one in project["dependencies"]} | {"annotated_types"}  # which pydantic needs
    imported = {name.partition(".")[0] for source in SOURCES for name in names(source)}
    own = {"archspec", "archspec_torch", "archspec_keras", "archspec_onnx"}
    assert imported - own - core - sys.stdlib_module_names <= set(EXTRAS)


def names(source: Path) -> list[str]:
    """What a module imports, anywhere in it."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        match node:
            case ast.Import(names=aliases):
                found += [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(name), level=0):
                found.append(name)
            case ast.Call(func=ast.Name(id="import_module"), args=[ast.Constant(value=str(name))]):
                found.append(name)
    return found


def test_nobody_else_decides_what_a_missing_package_means() -> None:
    user = ROOT / "backends" / "archspec_torch" / "decompile" / "factory.py"  # imports a module of the user's
    deciding = {
        source
        for source in SOURCES
        if "ImportError" in source.read_text("utf-8") or "ModuleNotFoundError" in source.read_text("utf-8")
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler) and node.type
        if {"ImportError", "ModuleNotFoundError"} & {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)}
    }
    assert deciding <= {user, ROOT / "archspec" / "optional.py"}


def test_the_extras_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, set[str]] = {}
    for extra, requirements in project["optional-dependencies"].items():
        for requirement in requirements if extra not in {"dev", "fuzz"} else ():
            name = re.split("[<>=]", requirement)[0]
            found.setdefault(DISTRIBUTIONS.get(name, name), set()).add(extra)
    # matplotlib needs Pillow, pygls lsprotocol, and Keras can compute with jax
    found["PIL"].add("draw")
    assert {**found, "lsprotocol": {"lsp"}, "jax": {"keras"}} == {name: set(extras) for name, extras in EXTRAS.items()}


@pytest.mark.parametrize("mistake", [KeyError, RuntimeError, OSError, MemoryError, KeyboardInterrupt, Ended])
def test_a_mistake_that_is_no_package_s_stays_what_it_is(mistake: type[BaseException]) -> None:
    with pytest.raises(mistake), needing("this"):
        raise mistake


def test_a_module_of_ours_that_is_missing_is_not_taken_for_a_package() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"archspec\.not_here"), needing("this"):
        import archspec.not_here  # type: ignore[import-not-found]  # noqa: F401


def test_a_name_that_we_lack_ourselves_is_not_taken_for_a_package_s() -> None:
    import archspec.graph

    with pytest.raises(AttributeError, match="no_such"), needing("this"):
        archspec.graph.no_such  # type: ignore[attr-defined]  # noqa: B018


def test_a_mistake_in_code_of_ours_that_a_package_calls_while_it_is_imported_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ray.py").write_text("from archspec.printable import printable; printable(None)", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    with pytest.raises(AttributeError), needing("this"):
        import ray  # noqa: F401


def test_a_name_that_a_version_lacks_is_found_when_it_is_used() -> None:
    keras: Any = ModuleType("keras")
    with pytest.raises(BrokenFramework, match=r"this needs `keras`, .* has no attribute 'ops'"), needing("this"):
        keras.ops.multiply(1, 2)


def test_a_distribution_without_its_record_is_a_missing_package() -> None:
    from importlib.metadata import PackageNotFoundError

    with (
        pytest.raises(MissingFramework, match="training needs `sklearn`, which is not installed"),
        needing("training", "train"),
    ):
        raise PackageNotFoundError("scikit-learn")


@pytest.mark.parametrize(
    "error",
    [
        Refusal("what", "help"),
        MissingFramework("this", "torch", "torch"),
        BrokenFramework("this", "torch", "torch", RuntimeError("why")),
    ],
)
def test_an_error_comes_from_a_worker_as_it_is(error: Refusal) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_backends_that_are_broken_are_left_out_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    import archspec_keras
    import archspec_onnx
    import archspec_torch

    from archspec.verify import Alone, usable

    def unready(self: object) -> None:
        raise BrokenFramework("the keras backend", "keras", "keras", RuntimeError("why"))

    monkeypatch.setattr(archspec_keras.Backend, "ready", unready)
    for backend in (archspec_onnx.Backend, archspec_torch.Backend):
        monkeypatch.setattr(backend, "ready", lambda self: None)
    backends, left_out = usable(())
    assert {backend.name for backend in backends} == {"torch", "onnx"}
    assert left_out == [("keras", "`keras` does not work here: RuntimeError: why")]
    with pytest.raises(BrokenFramework):
        usable(("keras", "torch"))
    with pytest.raises(Alone) as error:
        usable((), 3)
    assert error.value.help == "installed: onnx, torch; keras: `keras` does not work here: RuntimeError: why"
