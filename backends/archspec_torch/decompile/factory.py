"""`package.module:factory` -> the module that it makes. A factory is code of its package, and is run."""

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import nn

from archspec.backend import BackendError
from archspec.decompile import Unreadable
from archspec.ending import Ended, unwrapped
from archspec.errors import Refusal
from archspec.printable import printable
from archspec_torch.vision import operators_missing


def made(place: str, arguments: Mapping[str, Any]) -> nn.Module:
    """What a factory makes; raises `Refusal`."""
    module_name, colon, attribute = place.partition(":")
    if not colon or not module_name or not attribute:
        raise Usage(f"`{printable(place)}` names no factory", "torch:package.module:factory")
    module = imported(module_name)
    factory: Any = module
    for part in attribute.split("."):
        factory = getattr(factory, part, None)
    if not callable(factory):
        raise Usage(f"`{printable(module_name)}` has no function or class `{printable(attribute)}`")
    with running(f"{place} raised"), torch.random.fork_rng(devices=[]):
        model = factory(**arguments)
    if not isinstance(model, nn.Module):
        raise Usage(f"`{printable(place)}` gives {type(model).__name__}, and no torch.nn.Module")
    return model


class MissingModule(BackendError):
    """What the module of a factory imports is not installed."""

    exit_code = 3


class Usage(BackendError):
    """The command line names no factory of a model."""

    exit_code = 2


def imported(name: str) -> Any:
    """A module, of the current folder too; raises `Refusal`."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        with running(f"importing {name} raised"), operators_missing():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise Usage(f"there is no module `{printable(error.name)}`") from None
        raise MissingModule(
            f"`{printable(name)}` needs `{printable(str(error.name))}`, which is not installed"
        ) from None
    finally:
        sys.path.remove(str(Path.cwd()))


@contextmanager
def running(what: str) -> Iterator[None]:
    """Code of somebody else: whatever it raises becomes one line, and what it prints does not get into the spec."""
    try:
        with unwrapped(), redirect_stdout(sys.stderr):
            yield
    except (Refusal, ModuleNotFoundError, Ended):
        raise
    except (Exception, SystemExit) as error:  # nobody knows what it may raise
        first = str(error).strip().partition("\n")[0][:300]
        raise Unreadable(printable(f"{what} {type(error).__name__}: {first}")) from None


def call_text(place: str, arguments: Mapping[str, Any]) -> str:
    given = ", ".join(f"{name} = {value!r}" for name, value in arguments.items())
    return f"{place.replace(':', '.')}({given})"
