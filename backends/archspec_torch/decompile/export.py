"""A module -> the program that `torch.export` makes of it in evaluation."""

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import torch
from torch import nn
from torch.export import ExportedProgram

from archspec.decompile import CannotSay
from archspec.printable import printable
from archspec.tensor import Shape, shape_text

BATCH = 7
"""Images in the example that a model is exported with: a number that no model asks for."""


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
