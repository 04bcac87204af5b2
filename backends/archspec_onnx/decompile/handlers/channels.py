"""What takes channels apart, joins them or gives them another order."""

from itertools import pairwise
from typing import Any

import numpy as np

from archspec import ops
from archspec.decompile.layouts import CHANNELS, No, Value, only
from archspec_onnx.constants import whole_numbers
from archspec_onnx.decompile.affine import together
from archspec_onnx.decompile.handlers.registry import reads
from archspec_onnx.decompile.shapes import remade, stated, whole_sides
from archspec_onnx.decompile.walk import OnnxPlace


@reads("Concat")
def concat(place: OnnxPlace, *inputs: Any) -> Value:
    found = place.alike(inputs)
    only(place.along(found[0], place.whole("axis", 1)), "it is not along the channels")
    if len(found) == 1:
        return found[0]
    whole = together(place, found)
    return place.add(ops.Concat(), found) if whole is None else whole


@reads("Gather")
def gather(place: OnnxPlace, x: Any, where: Any) -> Any:
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


@reads("Split")
def split(place: OnnxPlace, x: Any, sizes: Any = None) -> list[Value]:
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
def slice_(place: OnnxPlace, x: Any, *given: Any) -> Any:
    starts, stops, axes, steps = (
        stated(place, name, [x, *given], position)
        for position, name in enumerate(("starts", "ends", "axes", "steps"), 1)
    )
    value = place.any(x)
    sides = (place.reading.batch, *place.laid(value))
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
