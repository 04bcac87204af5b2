"""torch's reshapes, transpositions and their kin: most are only another way to lay out a value."""

from collections.abc import Callable
from math import prod
from typing import Any

import torch

from archspec import ops
from archspec.decompile.layouts import Pending, Value, only
from archspec_torch.decompile.handlers.registry import Arguments, Handler, reads
from archspec_torch.decompile.walk import TorchPlace, known_shape
from archspec_torch.program import Constant, strides


class Unsqueezed(Pending, frozen=True):
    """A value with one more dimension, of one entry."""

    dimension: int


class Channel(Pending, frozen=True):
    """One channel of a map, without the dimension of channels."""


class Expanded(Pending, frozen=True):
    """A value that is spread over more pixels or channels."""


VIEWS: set[str] = set()
"""Operators that only lay a tensor out anew."""


def views(*names: str) -> Callable[[Handler], Handler]:
    """Register what reads the operators of these names, each of which gives a view of a weight, too."""

    def register(handler: Handler) -> Handler:
        def handle(place: TorchPlace, a: Arguments) -> Any:
            return constant_view(place, a["self"]) if isinstance(a["self"], Constant) else handler(place, a)

        VIEWS.update(names)
        reads(*names)(handle)
        return handler

    return register


def full_slice(place: TorchPlace, a: Arguments) -> bool:
    """Whether a slice takes everything."""
    return given_shape(place) == place.shape_told and a["step"] == 1


def given_shape(place: TorchPlace) -> tuple[int, ...]:
    """The shape of the first tensor that an operator is given."""
    return known_shape(place.step.sources[0])


def constant_view(place: TorchPlace, x: Constant) -> Constant:
    """A weight in the shape that torch's own operator gives it."""
    _, *others = place.step.arguments
    made: torch.Tensor = place.step.overload(
        x.tensor, **{name: place.reading.values(place.step.arguments[name]) for name in others}
    )
    only(made.numel() == x.tensor.numel(), "it broadcasts a weight, or takes a part of it")
    turned = x.turned or place.step.kind in {"permute", "transpose", "t"}
    return Constant(x.key, made, x.trained, turned)


@views("view", "reshape", "_unsafe_view", "flatten")
def view(place: TorchPlace, a: Arguments) -> Any:
    return place.reshaped(a["self"], place.sides)


@views("as_strided")
def as_strided(place: TorchPlace, a: Arguments) -> Any:
    """A tensor in another shape, where it is one piece of memory that stays one."""
    source = place.step.sources[0]
    straight = source.whole and source.kind not in SHARING_VIEWS and not a["storage_offset"]
    only(straight and list(a["stride"]) == strides(list(a["size"])), "it takes numbers by their places in memory")
    only(prod(a["size"]) == prod(known_shape(source)), "it takes a part")
    return place.reshaped(a["self"], place.sides)


@views("permute")
def permute(place: TorchPlace, a: Arguments) -> Any:
    count = len(a["dims"])
    return place.turned(a["self"], tuple(dimension % count for dimension in a["dims"]))


@views("transpose", "t")
def transpose(place: TorchPlace, a: Arguments) -> Any:
    count = len(place.shape_told)
    order = list(range(count))
    one, other = a.get("dim0", 0) % count, a.get("dim1", 1) % count
    order[one], order[other] = order[other], order[one]
    return place.turned(a["self"], tuple(order))


@views("unsqueeze")
def unsqueeze(place: TorchPlace, a: Arguments) -> Any:
    x = a["self"]
    dimension = a["dim"] % len(place.shape_told)
    if isinstance(x, Unsqueezed) and x.dimension == 2 and dimension >= 2:
        return place.unpixel(x.base)
    if isinstance(x, Channel) and dimension == 1:
        return x.base
    return Unsqueezed(place.any(x), dimension)


@views("squeeze")
def squeeze(place: TorchPlace, a: Arguments) -> Any:
    x = a["self"]
    if isinstance(x, Unsqueezed):
        only(place.sides == place.laid(x.base), "it takes off another dimension than was added")
        return x.base
    return place.reshaped(x, place.sides)


@views("expand", "expand_as")
def expand(place: TorchPlace, a: Arguments) -> Any:
    x = place.any(a["self"])
    return x if place.sides == place.laid(x) else Expanded(x)


@views("select")
def select(place: TorchPlace, a: Arguments) -> Any:
    """`x[:, :, 0, 0]` of a map of one pixel; or one channel, which becomes a map again."""
    shape, x = given_shape(place), a["self"]
    count = shape[a["dim"] % len(shape)]
    if isinstance(x, Value) and x.layout == "chw" and a["dim"] % len(shape) == 1 and count > 1:
        start = a["index"] % count
        return Channel(place.add(ops.Slice(start=start, stop=start + 1), [x]))
    only(count == 1, "it takes one of several")
    return squeeze(place, a)


SHARING_VIEWS = frozenset({*VIEWS, "chunk", "split", "split_with_sizes", "slice", "narrow", "getitem"})
"""What may give a view of the tensor that it is given."""
SHARING = SHARING_VIEWS | {"contiguous", "alias", "detach", "dropout", "to", "lift_fresh_copy"}
"""What may give the tensor that it is given, or a view of it."""
