"""Poolings of ONNX -> those of the language."""

from typing import Any

from archspec import ops
from archspec.decompile.layouts import CHANNELS, InfinitePad, No, Value, only
from archspec.tensor import Shape
from archspec_onnx.decompile.handlers.registry import reads
from archspec_onnx.decompile.handlers.windows import window
from archspec_onnx.decompile.shapes import stated
from archspec_onnx.decompile.walk import OnnxPlace


@reads("MaxPool", "AveragePool")
def pool(place: OnnxPlace, x: Any) -> list[Value]:
    around = x.pads if isinstance(x, InfinitePad) else None
    given = place.map(x.base if isinstance(x, InfinitePad) else x)
    kind: Any = ops.MaxPool if place.node.op_type == "MaxPool" else ops.AvgPool
    attributes = window(place, kind, place.shape(given), place.wholes("kernel_shape", ()))
    unpadded = attributes["pad"] in {"valid", (0,) * 4}
    if kind is ops.AvgPool:
        attributes["include_pad"] = bool(place.whole("count_include_pad", 0)) or unpadded
    if around is not None:
        only(kind is ops.MaxPool and unpadded, "it averages infinity, or pads a second time")
        attributes["pad"] = around
    made = kind(ceil=bool(place.whole("ceil_mode", 0)), **attributes)
    if made.ceil:
        check_overhang(made, place.shape(given), counted=bool(place.whole("count_include_pad", 0)))
    nothing = kind is ops.AvgPool and made.strides == made.reach == (1, 1) and unpadded
    return [given if nothing else place.add(made, [given])]


def check_overhang(op: Any, shape: Shape, counted: bool) -> None:
    """Raise `No` where ONNX and archspec differ in what hangs over the edge."""
    pads = op.padding(shape[0], shape[1])
    whole = [shape[0] + pads.top + pads.bottom, shape[1] + pads.left + pads.right]
    try:
        sides = op.infer(shape)
    except ops.Misfit as misfit:
        raise No(f"as `{op.kind}`: {misfit}") from None
    for size, reach, stride, places in zip(whole, op.reach, op.strides, sides, strict=False):
        over = (places - 1) * stride + reach > size
        only(places == -(-(size - reach) // stride) + 1, "its last window begins beyond the map")
        only(not (over and counted), "its windows hang over the edge and count it")


@reads("GlobalAveragePool")
def global_pool(place: OnnxPlace, x: Any) -> Value:
    return place.add(ops.GlobalAvgPool(), [place.map(x)])


@reads("ReduceMean")
def reduce_mean(place: OnnxPlace, x: Any, axes: Any = None) -> Value:
    given = place.any(x)
    found = stated(place, "axes", [x, axes], 1)
    if not found and place.whole("noop_with_empty_axes", 0):
        return given
    rank = 1 + len(place.laid(given))
    dimensions = {place.dimension(axis, rank) for axis in found or range(rank)}
    over = given.layout != "flat" and dimensions == {1, 2, 3} - {CHANNELS[given.layout]}
    only(over, "it is not a mean over the whole map")
    pooled = place.add(ops.GlobalAvgPool(), [given])
    return pooled if place.whole("keepdims", 1) else place.pixel(pooled)
