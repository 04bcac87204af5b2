"""Packages that not every installation has: an error of one, missing, broken or of another version -> its sentence.

`needing` stands around what imports them, and around every command. A mistake of archspec itself stays what it is: what
is asked of an exception is through which imports it came.
"""

import dis
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType, TracebackType
from typing import ClassVar

from archspec.ending import Ended, unwrapped
from archspec.errors import Refusal
from archspec.printable import printable

EXTRAS = {
    "PIL": ("draw", "train"), "distributed": ("dask",), "graphviz": ("draw",), "h5py": ("keras",), "jax": ("keras",),
    "joblib": ("sweep", "train"), "keras": ("keras",), "lightning": ("train",), "lsprotocol": ("lsp",),
    "matplotlib": ("draw", "train"), "numpy": ("weights", "torch", "onnx", "keras", "train"), "onnx": ("onnx",),
    "onnxruntime": ("onnx",), "pyarrow": ("sweep",), "pygls": ("lsp",), "ray": ("ray",), "ruff": ("torch", "keras"),
    "safetensors": ("weights", "torch", "keras"), "scipy": ("train",), "sklearn": ("train",), "starlette": ("serve",),
    "tensorboard": ("train",), "tensorflow": ("keras",), "torch": ("torch",), "uvicorn": ("serve",),
}  # fmt: skip
"""Package to the extras of archspec-compiler that install it."""
DISTRIBUTIONS = {"pillow": "PIL", "scikit-learn": "sklearn", "tensorflow-cpu": "tensorflow"}
"""Their names where they are not those of the packages."""
LONGEST = 300
"""Characters of what another's exception says."""


class MissingFramework(Refusal):
    """A library that something needs is not installed."""

    exit_code: ClassVar[int] = 3

    why: str
    """The same in a few words."""

    def __init__(self, what: str, module: str, extra: str) -> None:
        super().__init__(f"{what} needs `{module}`, which is not installed", extra_help(extra))
        self.why = f"`{module}` is not installed"


class BrokenFramework(MissingFramework):
    """A library that something needs is installed, and cannot be imported or lacks what is used of it."""

    def __init__(self, what: str, module: str, extra: str, error: BaseException) -> None:
        said, where = first_line(error), place(module)
        Refusal.__init__(
            self,
            f"{what} needs `{module}`, which does not work here: {said}",
            (f"`{module}` is {where}; " if where else "") + extra_help(extra, "install --force-reinstall"),
        )
        self.why = f"`{module}` does not work here: {said}"


@contextmanager
def needing(what: str, extra: str = "") -> Iterator[None]:
    """Raise `MissingFramework` or `BrokenFramework` for what goes wrong meanwhile in an optional package.

    `what` needs it, and `extra` is named if it installs the package.
    """
    try:
        with unwrapped():
            yield
    except (MemoryError, Ended):
        raise
    except (Exception, SystemExit) as error:  # nobody knows what a broken package raises
        package = culprit(error)
        if package is None:
            raise
        extra = extra if extra in EXTRAS[package] else EXTRAS[package][0]
        if isinstance(error, ModuleNotFoundError) and error.name in {package, *DISTRIBUTIONS}:
            raise MissingFramework(what, package, extra) from None
        raise BrokenFramework(what, package, extra, error) from error


def culprit(error: BaseException) -> str | None:
    """The package that could not be imported or lacks a name; None where the error is another."""
    named: str | None = None
    if isinstance(error, ImportError):
        named = error.name
    elif isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        named = error.obj.__name__
    if package := known(named):
        return package
    found: str | None = None
    step = error.__traceback__
    while step is not None:
        inside = [package for module in importing(step) if (package := known(module))]
        found = inside[-1] if inside else None if ours(step) else found
        step = step.tb_next
    return found


def known(module: str | None) -> str | None:
    """The optional package that a module is of."""
    top = (module or "").partition(".")[0]
    package = DISTRIBUTIONS.get(top, top)
    return package if package in EXTRAS else None


def importing(step: TracebackType) -> Iterator[str | None]:
    """The modules that were being imported where an exception passed: the one that ran, the one that it asked for."""
    frame = step.tb_frame
    if frame.f_code.co_name == "<module>":
        yield frame.f_globals.get("__name__")
    if frame.f_code is import_module.__code__:
        yield str(frame.f_locals["name"])
    if frame.f_code.co_code[step.tb_lasti] == dis.opmap["IMPORT_NAME"]:
        code = [one for one in dis.get_instructions(frame.f_code) if one.opname != "EXTENDED_ARG"]
        # the level, 0 of a name that is not relative, and the names are pushed before
        yield from (one.argval for level, one in zip(code, code[2:], strict=False)
                    if one.offset == step.tb_lasti and level.argval == 0)  # fmt: skip


def ours(step: TracebackType) -> bool:
    """Whether an exception passed code of archspec's."""
    return str(step.tb_frame.f_globals.get("__name__")).startswith("archspec")


def first_line(error: BaseException) -> str:
    """What an exception says first; of one that another was made of, or that quotes its traceback, the origin."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line for line in str(error).strip().split("\n") if line[:1].strip()]
    if lines and lines[0].startswith("Traceback "):
        return printable("".join(lines[1:2])[:LONGEST])
    said = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return printable(said[:LONGEST])


def place(package: str) -> str | None:
    """Where a package lies: another one, or a folder, may stand in its place."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None:
        return None
    return printable(spec.origin or next(iter(spec.submodule_search_locations or ()), "")) or None


def extra_help(extra: str, verb: str = "install") -> str:
    return f"pip {verb} 'archspec-compiler[{extra}]'"
