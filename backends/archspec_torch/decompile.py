"""A PyTorch model -> a flat model of our operators, by `torch.export`.

What torch exports is what a model does in evaluation, operator by operator; what has no equal among ours is noted and
nothing is guessed. In-place operators are followed: whoever holds the tensor that they change sees the change.
"""

import importlib
import io
import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram

from archspec.backend import BackendError
from archspec.decompile import CannotSay, Model, Unreadable
from archspec.ending import Ended, unwrapped
from archspec.errors import Refusal
from archspec.printable import printable
from archspec.tensor import Shape, shape_text
from archspec_torch.archive import program_in
from archspec_torch.decompile_values import Reader
from archspec_torch.program import program_of
from archspec_torch.runtime import evaluating
from archspec_torch.vision import operators_missing

BATCH = 7
"""Images in the example that a model is exported with: a number that no model asks for."""
SCHEME = "torch:"
SUFFIX = ".pt2"


def decompile(
    source: str, *, image: Shape | None = None, arguments: Mapping[str, Any] | None = None, name: str | None = None
) -> Model:
    """The model of `torch:package.module:factory` or of a file that `torch.export` saved.

    `image` is the shape of the input, h×w×c or c; of a file, where it leaves it open. `arguments` are the factory's.
    Raises `Refusal` or `OSError`.
    """
    if source.startswith(SCHEME):
        place = source.removeprefix(SCHEME)
        model = made(place, arguments or {})
        stem = place.rpartition(":")[2].rpartition(".")[2]
        return read(model, image or (224, 224, 3), name or stem, call_text(place, arguments or {}))
    if arguments:
        raise Unreadable(f"{source}: a file takes no arguments")
    path = Path(source)
    if path.suffix != SUFFIX:
        raise Unreadable(f"{source}: this file does not say what its weights are for", "torch:package.module:factory")
    return Reader(program_in(path, image), name or path.stem, path.name).read()


def read(model: nn.Module, image: Shape, name: str, origin: str) -> Model:
    """A module on images of this shape, in evaluation; raises `CannotSay`."""
    with evaluating(model):
        return Reader(program_of(exported(model, image, origin), origin), name, origin).read()


def call_text(place: str, arguments: Mapping[str, Any]) -> str:
    given = ", ".join(f"{name} = {value!r}" for name, value in arguments.items())
    return f"{place.replace(':', '.')}({given})"


# ---- factories ----


def made(place: str, arguments: Mapping[str, Any]) -> nn.Module:
    """What a factory makes; raises `BackendError`."""
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
    """A module, of the current folder too; raises `BackendError`."""
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


# ---- programs ----


def exported(model: nn.Module, image: Shape, place: str) -> ExportedProgram:
    """The program of a model on images of this shape; raises `CannotSay`."""
    channels = image[-1]
    some = next((p for p in model.parameters() if p.is_floating_point()), torch.zeros(()))
    try:
        example = torch.zeros(BATCH, channels, *image[:-1], dtype=some.dtype, device=some.device)
        with quiet(), dropping_shown(model):
            return torch.export.export(model, (example,), strict=False)
    except Exception as error:  # the model's own code runs, and torch refuses what it cannot follow
        first = str(error).strip().partition("\n")[0][:300]
        raise CannotSay(
            printable(f"{place} cannot be exported on {shape_text(image)}: {type(error).__name__}: {first}")
        ) from None


@contextmanager
def dropping_shown(model: nn.Module) -> Iterator[None]:
    """Stochastic depth leaves no trace in evaluation; while this lasts it leaves one that the reader knows."""
    found = [(module, rate) for module in model.modules() if (rate := drop_rate(module)) is not None]
    for module, rate in found:
        module.forward = showing(rate)
    try:
        yield
    finally:
        for module, _ in found:
            del module.forward


def showing(rate: float) -> Callable[[torch.Tensor], torch.Tensor]:
    # an image as the only channel of its map
    return lambda x: torch.feature_dropout(x.unsqueeze(1), rate, False).squeeze(1)


def drop_rate(module: nn.Module) -> float | None:
    """The rate of a module that drops whole images; None where it is none that is known to."""
    kind, home = type(module).__name__, type(module).__module__.partition(".")[0]
    if (home, kind) == ("torchvision", "StochasticDepth") and module.mode == "row":
        return float(module.p)  # type: ignore[arg-type]
    if (home, kind) == ("timm", "DropPath") and module.scale_by_keep:
        return float(module.drop_prob or 0.0)  # type: ignore[arg-type]
    return None


@contextmanager
def quiet() -> Iterator[None]:
    """What torch warns of, logs and prints before it raises, is said by our own errors."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    nowhere = io.StringIO()
    try:
        with warnings.catch_warnings(), redirect_stdout(nowhere), redirect_stderr(nowhere):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
