"""What ONNX does to the shape of a tensor: of a constant, of a value of the network, or of one on its way to another.

A tensor that the language lacks is kept as what it was made of: a reshape of a reshape is a reshape of the first.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

from archspec.decompile.layouts import No, Pending, only
from archspec.tensor import shape_text
from archspec_onnx.constants import Constant, whole_numbers
from archspec_onnx.decompile.walk import Blamed, OnnxPlace


class Blaming(Pending, frozen=True):
    """A tensor that the language does not have, and the node that is to blame where no later one makes it a value."""

    whole: tuple[int, ...]
    """its sides, the batch too"""
    blamed: Blamed

    @property
    def refusal(self) -> Blamed:
        return self.blamed


class Reshaped(Blaming, frozen=True):
    """A value in another shape."""


class Turned(Blaming, frozen=True):
    """A value with its dimensions in another order."""

    order: tuple[int, ...]


def stated(place: OnnxPlace, name: str, inputs: Sequence[Any], position: int) -> list[int] | None:
    """Whole numbers that are an attribute or an input; None where they are neither."""
    if name in place.attributes:
        return list(place.wholes(name, ()))
    given = inputs[position] if position < len(inputs) else None
    return None if given is None else whole_numbers(given, f"`{name}`")


def whole_sides(place: OnnxPlace, x: Any) -> tuple[int, ...]:
    """The sides of a tensor, the batch too; raises `No`."""
    batch = place.reading.batch
    if isinstance(x, Blaming):
        return x.whole
    return (batch, *(x.sides(place) if isinstance(x, Pending) else place.laid(place.any(x))))


def new_sides(place: OnnxPlace, own: tuple[int, ...], inputs: Sequence[Any]) -> tuple[int, ...]:
    """The shape that a reshaping node gives to a tensor of these sides; raises `No`."""
    match place.node.op_type:
        case "Flatten":
            axis = place.whole("axis", 1)
            only(-len(own) <= axis <= len(own), f"it names dimension {axis} of {len(own)}")
            axis += len(own) if axis < 0 else 0
            found: list[int] = [prod(own[:axis]), prod(own[axis:])]
        case "Reshape":
            found = wanted_sides(place, own, inputs[1] if len(inputs) > 1 else None)
        case "Squeeze":
            axes = stated(place, "axes", inputs, 1)
            ones = [at for at, side in enumerate(own) if side == 1]
            # without axes it would also drop a batch that is 1 when the network runs
            only(axes is not None or place.reading.batch == place.reading.twin, "it drops all dimensions of 1")
            taken = {place.dimension(at, len(own)) for at in axes} if axes is not None else set(ones)
            only(taken <= set(ones), "it drops a dimension that is not 1")
            found = [side for at, side in enumerate(own) if at not in taken]
        case "Unsqueeze":
            axes = stated(place, "axes", inputs, 1) or []
            rank = len(own) + len(axes)
            places = {place.dimension(at, rank) for at in axes}
            only(len(places) == len(axes), "it names a dimension twice")
            left = iter(own)
            found = [1 if at in places else next(left) for at in range(rank)]
        case _:
            found = list(own)
    only(prod(found) == prod(own), f"it makes {shape_text(tuple(found))} of {shape_text(own)}")
    return tuple(found)


def wanted_sides(place: OnnxPlace, own: tuple[int, ...], how: Any) -> list[int]:
    """The shape that a `Reshape` states."""
    wanted = shape_numbers(place, how)
    if not place.whole("allowzero", 0):
        only(all(side != 0 or at < len(own) for at, side in enumerate(wanted)), "its shape does not fit")
        wanted = [own[at] if side == 0 else side for at, side in enumerate(wanted)]
    rest = prod(side for side in wanted if side != -1)
    only(min(wanted, default=0) >= -1 and wanted.count(-1) < 2, "its shape does not fit")
    if -1 in wanted:
        only(rest > 0 and prod(own) % rest == 0, "its shape does not fit")
    return [prod(own) // rest if side == -1 else side for side in wanted]


def shape_numbers(place: OnnxPlace, how: Any) -> list[int]:
    """The shape that an input states, which may begin with the batch; raises `No`."""
    if isinstance(how, Constant) and how.twin is not None:
        one, other = how.array.reshape(-1).tolist(), how.twin.reshape(-1).tolist()
        batches = [place.reading.batch, place.reading.twin]
        only(
            len(one) == len(other) and one[1:] == other[1:] and [one[0], other[0]] == batches,
            "its shape depends on how many images there are",
        )
        return [int(side) for side in one]
    return whole_numbers(how, "shape")


def viewed(place: OnnxPlace, x: Any, *inputs: Any) -> Constant:
    """A constant in another shape; raises `No`."""
    if not isinstance(x, Constant):
        raise No("one of its inputs is missing")
    if place.node.op_type == "Transpose":
        return x.turned(place.wholes("perm", range(len(x.shape))[::-1]))
    if x.twin is not None and x.twin.shape != x.shape:
        raise No("its shape depends on how many images there are")
    return x.reshaped(new_sides(place, x.shape, (x, *inputs)))


def remade(place: OnnxPlace, x: Any, whole: tuple[int, ...]) -> Any:
    """A tensor of the network in another shape, the batch too."""
    if isinstance(x, Turned):
        only(whole == whole_sides(place, x), "it reshapes a value whose dimensions were reordered")
        return x
    unknown = isinstance(x, Pending) and not isinstance(x, Reshaped)
    base = x.base if isinstance(x, Pending) else place.any(x)
    first = whole[:1] == (place.reading.batch,)
    only(first or not unknown, "the batch is not its first dimension")
    try:
        only(first, "the batch is not its first dimension")
        return place.reshaped(x if unknown else base, whole[1:])
    except No as error:
        if unknown:
            raise
        return Reshaped(base, whole, place.blame(str(error)))


def turned(place: OnnxPlace, x: Any, order: tuple[int, ...]) -> Any:
    """A tensor of the network with its dimensions in another order, the batch too."""
    own = whole_sides(place, x)
    only(sorted(order) == list(range(len(own))), "its order does not name each dimension once")
    if isinstance(x, Pending) and not isinstance(x, Blaming):
        return place.turned(x, order)
    sides = tuple(own[at] for at in order)
    if isinstance(x, Reshaped):
        # dimensions of 1 may stand anywhere
        return remade(place, x, sides) if unmoved(own, order) else place.any(x)
    base = x.base if isinstance(x, Turned) else place.any(x)
    whole = tuple(x.order[at] for at in order) if isinstance(x, Turned) else order
    try:
        return place.turned(base, whole)
    except No as error:
        if unmoved(whole_sides(place, base), whole):
            return remade(place, base, sides)
        return Turned(base, sides, place.blame(str(error)), whole)


def unmoved(own: tuple[int, ...], order: tuple[int, ...]) -> bool:
    """Whether an order of dimensions leaves the numbers as they lie."""
    return [at for at in order if own[at] != 1] == [at for at in range(len(own)) if own[at] != 1]
