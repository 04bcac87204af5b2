"""The window of a convolution or pooling, as a node of ONNX states it."""

from collections.abc import Sequence
from typing import Any

from archspec import ops
from archspec.decompile.layouts import No, only
from archspec.ops.base import Window
from archspec.tensor import Shape
from archspec_onnx.decompile.walk import OnnxPlace


def window(place: OnnxPlace, kind: type[Window], shape: Shape, kernel: Sequence[int]) -> dict[str, Any]:
    """The attributes of a window on a map; padding as it is stated."""
    only(len(kernel) == 2, f"its window has {len(kernel)} dimensions")
    only(tuple(place.wholes("kernel_shape", kernel)) == tuple(kernel), "its `kernel_shape` is not that of its weight")
    stride, dilation = place.wholes("strides", (1, 1), 2), place.wholes("dilations", (1, 1), 2)
    only(min(*kernel, *stride, *dilation) > 0, "its window does not move, or has no size")
    found: dict[str, Any] = {"kernel": tuple(kernel), "stride": stride}
    if kind is not ops.AvgPool:
        found["dilation"] = dilation
    else:
        only(dilation == (1, 1), "its window is dilated")
    top, left, bottom, right = place.wholes("pads", (0, 0, 0, 0), 4)
    auto = place.word("auto_pad", "NOTSET")
    only(auto == "NOTSET" or not any((top, left, bottom, right)), f"it pads by numbers, and {auto} too")
    match auto:
        case "NOTSET":
            found["pad"] = (top, bottom, left, right)
        case "VALID":
            found["pad"] = "valid"
        case "SAME_UPPER":
            found["pad"] = "same_upper"
        case "SAME_LOWER":
            found["pad"] = lower_pads(shape, kernel, stride, dilation)
        case _:
            raise No(f"its padding is {auto}")
    return found


def lower_pads(
    shape: Shape, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[int, int, int, int]:
    """What keeps `ceil(size / stride)` on a map of this size, the odd pixel at the top and left."""
    totals = [
        max(0, (-(-size // s) - 1) * s + (k - 1) * d + 1 - size)
        for size, k, s, d in zip(shape, kernel, stride, dilation, strict=False)
    ]
    return (-(-totals[0] // 2), totals[0] // 2, -(-totals[1] // 2), totals[1] // 2)
