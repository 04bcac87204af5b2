"""What moves values without computing -> archspec's operators, or another layout of the same value."""

from itertools import pairwise
from math import inf
from typing import Any

import numpy as np
from onnx import helper

from archspec import ops
from archspec.decompile.layouts import CHANNELS, InfinitePad, No, Value, only
from archspec_onnx.decompile_affine import together
from archspec_onnx.decompile_constants import Constant, one_number, whole_numbers
from archspec_onnx.decompile_ops import reads
from archspec_onnx.decompile_place import Place
from archspec_onnx.decompile_shapes import new_sides, remade, shape_numbers, stated, turned, whole_sides


@reads("Concat")
def concat(place: Place, *inputs: Any) -> Value:
    found = place.alike(inputs)
    only(place.along(found[0], place.whole("axis", 1)), "it is not along the channels")
    if len(found) == 1:
        return found[0]
    whole = together(place, found)
    return place.add(ops.Concat(), found) if whole is None else whole


@reads("Flatten", "Reshape", "Squeeze", "Unsqueeze")
def reshape(place: Place, x: Any, how: Any = None) -> Any:
    return remade(place, x, new_sides(place, whole_sides(place, x), (x, how)))


@reads("Transpose")
def transpose(place: Place, x: Any) -> Any:
    return turned(place, x, place.wholes("perm", range(len(whole_sides(place, x)))[::-1]))


@reads("Identity")
def same(place: Place, x: Any) -> Any:
    return x


@reads("Cast", "CastLike")
def cast(place: Place, x: Any, other: Any = None) -> Any:
    """A change to the type that the numbers have."""
    own = place.reader.file.inputs[0].type.tensor_type.elem_type
    if isinstance(other, Constant):
        only(other.type == helper.tensor_dtype_to_np_dtype(own).name, "it changes the type of numbers")
    elif place.node.op_type == "Cast":
        only(place.whole("to", 0) == own, "it changes the type of numbers")
    return x


@reads("Expand")
def expand(place: Place, x: Any, shape: Any) -> Any:
    own, wanted = whole_sides(place, x), shape_numbers(place, shape)
    inside = len(wanted) <= len(own) and all(b in {1, a} for a, b in zip(own[::-1], wanted[::-1], strict=False))
    only(inside, "it repeats values")
    return x


@reads("Gather")
def gather(place: Place, x: Any, where: Any) -> Any:
    """All of a dimension in its order, which is the same tensor in another shape; or some of the channels."""
    own, index = whole_sides(place, x), whole_numbers(where, "index")
    axis = place.dimension(place.whole("axis", 0), len(own))
    only(all(-own[axis] <= at < own[axis] for at in index), "it takes an index that is out of range")
    found = [at % own[axis] for at in index]
    whole = (*own[:axis], *where.shape, *own[axis + 1 :])
    if found == list(range(own[axis])):
        return remade(place, x, whole)
    given = place.any(x)
    only(place.along(given, axis) and len(where.shape) < 2, "it is not along the channels")
    only(len(found) > 0, "it takes nothing")
    starts = [0, *(at for at, (a, b) in enumerate(pairwise(found), 1) if b != a + 1), len(found)]
    parts = [place.add(ops.Slice(start=found[a], stop=found[b - 1] + 1), [given]) for a, b in pairwise(starts)]
    taken = parts[0] if len(parts) == 1 else place.add(ops.Concat(), parts)
    return remade(place, taken, whole)


@reads("Pad")
def pad(place: Place, x: Any, pads: Any = None, value: Any = None, axes: Any = None) -> Any:
    given = place.any(x)
    rank = 1 + len(place.laid(given))
    amounts = stated(place, "pads", [x, pads], 1) or []
    chosen = [place.dimension(at, rank) for at in stated(place, "axes", [x, None, None, axes], 3) or range(rank)]
    only(len(amounts) == 2 * len(chosen) and len(set(chosen)) == len(chosen), "its pads do not fit its dimensions")
    sides = {at: (amounts[i], amounts[i + len(chosen)]) for i, at in enumerate(chosen)}
    padded = {at: pair for at, pair in sides.items() if pair != (0, 0)}
    if not padded:
        return given
    mode = place.word("mode", "constant")
    only(mode == "constant", f"it pads by the mode `{mode}`")
    only(given.layout != "flat", "it pads a vector")
    height = 1 if given.layout == "hwc" else 2
    only(padded.keys() <= {height, height + 1}, "it pads channels, or the batch")
    (top, bottom), (left, right) = (padded.get(at, (0, 0)) for at in (height, height + 1))
    only(min(top, bottom, left, right) >= 0, "its padding is negative")
    number = one_number(value, "value") if value is not None else place.real("value", 0)
    if number == -inf:  # what a maximum never sees
        return InfinitePad(place.map(given), (top, bottom, left, right))
    return place.add(ops.Pad(amount=(top, bottom, left, right), value=number), [given])


@reads("Split")
def split(place: Place, x: Any, sizes: Any = None) -> list[Value]:
    given = place.any(x)
    only(place.along(given, place.whole("axis", 0)), "it is not along the channels")
    count, parts = place.channels(given), len(place.node.output)
    found = stated(place, "split", [x, sizes], 1)
    if found is None:
        size = -(-count // place.whole("num_outputs", parts))
        found = [min(size, count - size * at) for at in range(parts)]
    only(len(found) == parts and min(found) > 0 and sum(found) == count, "its parts are not the whole")
    ends = np.cumsum(found).tolist()
    starts = [0, *ends[:-1]]
    return [place.add(ops.Slice(start=a, stop=b), [given]) for a, b in zip(starts, ends, strict=True)]


@reads("Slice")
def slice_(place: Place, x: Any, *given: Any) -> Any:
    starts, stops, axes, steps = (
        stated(place, name, [x, *given], position)
        for position, name in enumerate(("starts", "ends", "axes", "steps"), 1)
    )
    value = place.any(x)
    sides = (place.reader.batch, *place.laid(value))
    if starts is None or stops is None:
        raise No("it does not say what it takes")
    several = {len(found) for found in (starts, stops, axes, steps) if found is not None}
    only(len(several) == 1, "it does not have one number per dimension")
    for at, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        axis = place.dimension(axes[at] if axes else at, len(sides))
        only(not steps or steps[at] == 1, "it takes every other one, or fewer")
        begin, end, _ = slice(start, stop).indices(sides[axis])
        if (begin, end) == (0, sides[axis]):
            continue
        only(axis == CHANNELS[value.layout], "it is not along the channels")
        only(begin < end, "it takes nothing")
        value = place.add(ops.Slice(start=begin, stop=end), [value])
    return value
