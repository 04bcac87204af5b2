"""Packages that not every installation has: an error of one, missing, broken or of another version -> its sentence.

`needing` stands around what imports them, and around every command. A mistake of archspec itself stays what it is: what
is asked of an exception is through which imports it came.
"""

import dis
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType, TracebackType

from archspec.backend import BrokenFramework, MissingFramework
from archspec.ending import Ended, unwrapped

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
