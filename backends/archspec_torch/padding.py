"""What torch's windows can pad by themselves, and what must be padded before them; torch is not needed to know it."""

from archspec.ops.base import Window, pair
from archspec.ops.pooling import Pool
from archspec.tensor import Padding, Shape


def sides(pads: Padding) -> tuple[int, int, int, int]:
    """A padding as torch orders it: left, right, top, bottom."""
    return pads.left, pads.right, pads.top, pads.bottom


def follows_size(op: Window) -> bool:
    """Whether the padding depends on the size of the map, so that a model for all sizes must compute it."""
    return op.pad == "same_upper" and max(op.strides) > 1


def native(op: Pool, pads: Padding) -> bool:
    """Whether torch's own pooling takes this padding."""
    half_h, half_w = (side // 2 for side in pair(op.kernel))
    return not follows_size(op) and pads.symmetric and pads.top <= half_h and pads.left <= half_w


def extent(op: Pool, places: Shape, shape: Shape, pads: Padding) -> Padding:
    """The padding with which windows that never hang over take just the operator's places on a map of this shape."""
    ends = []
    for size, before, count, reach, stride in zip(
        shape[:2], (pads.top, pads.left), places[:2], op.reach, op.strides, strict=True
    ):
        ends.append((count - 1) * stride + reach - size - before)
    return Padding(pads.top, ends[0], pads.left, ends[1])
