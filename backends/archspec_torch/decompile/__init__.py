"""A PyTorch model -> a flat model of our operators, by `torch.export`.

What torch exports is what a model does in evaluation, operator by operator; what has no equal among ours is noted and
nothing is guessed. In-place operators are followed: whoever holds the tensor that they change sees the change.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from archspec.decompile import Model, Unreadable
from archspec.tensor import Shape
from archspec_torch.archive import program_in
from archspec_torch.decompile.export import exported
from archspec_torch.decompile.factory import call_text, made
from archspec_torch.decompile.reader import TorchReader
from archspec_torch.program import program_of
from archspec_torch.runtime import evaluating

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
    return TorchReader(program_in(path, image), name or path.stem, path.name).read()


def read(model: nn.Module, image: Shape, name: str, origin: str) -> Model:
    """A module on images of this shape, in evaluation; raises `CannotSay`."""
    with evaluating(model):
        return TorchReader(program_of(exported(model, image, origin), origin), name, origin).read()
