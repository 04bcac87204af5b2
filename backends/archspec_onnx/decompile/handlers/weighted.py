"""Convolutions and linear layers of ONNX -> those of the language."""

from typing import Any

from archspec import ops
from archspec.decompile.layouts import No, Value, only
from archspec_onnx.constants import Constant
from archspec_onnx.decompile.handlers.registry import reads
from archspec_onnx.decompile.handlers.windows import window
from archspec_onnx.decompile.walk import OnnxPlace


@reads("Conv")
def conv(place: OnnxPlace, x: Any, weight: Any, bias: Any = None) -> Value:
    given = place.map(x)
    tensor = place.tensor(weight)
    only(len(tensor.shape) == 4, f"its weight has {len(tensor.shape)} dimensions")
    out, _, *kernel = tensor.shape
    groups, channels = place.whole("group", 1), place.channels(given)
    made: ops.AnyOp
    if groups == channels > 1:
        attributes = window(place, ops.DwConv, place.shape(given), kernel)
        made = ops.DwConv(multiplier=out // channels, bias=bias is not None, **attributes)
    else:
        attributes = window(place, ops.Conv, place.shape(given), kernel)
        made = ops.Conv(channels=out, groups=groups, bias=bias is not None, **attributes)
    return place.add(made, [given], weight=tensor, bias=None if bias is None else place.tensor(bias))


@reads("Gemm")
def gemm(place: OnnxPlace, x: Any, weight: Any, bias: Any = None) -> Value:
    only(place.real("alpha", 1) == 1 and (bias is None or place.real("beta", 1) == 1), "its factors are not 1")
    only(not place.whole("transA", 0), "it turns its input")
    only(place.any(x).layout == "flat", "what it is given is not a vector")
    return dense(place, x, weight, bias, turned=not place.whole("transB", 0))


@reads("MatMul")
def matmul(place: OnnxPlace, x: Any, weight: Any) -> Value:
    return dense(place, x, weight, None, turned=True)


def dense(place: OnnxPlace, x: Any, weight: Any, bias: Any, turned: bool) -> Value:
    """A linear layer; `turned` where the weight is (in, out)."""
    if not isinstance(weight, Constant) or len(weight.shape) != 2:
        raise No("its second factor is not a matrix of weights")
    matrix = weight.turned((1, 0)) if turned else weight
    given = place.last(x)
    made = ops.Linear(channels=matrix.shape[0], bias=bias is not None)
    shift = None if bias is None else place.tensor(bias_of(bias, made.channels))
    return place.add(made, [given], weight=place.tensor(matrix), bias=shift)


def bias_of(bias: Any, channels: int) -> Constant:
    """A bias as one number for each channel; raises `No`."""
    if not isinstance(bias, Constant) or bias.size != channels or bias.shape[-1:] != (channels,):
        raise No("its bias does not have one number for each channel")
    return bias.reshaped((channels,))
