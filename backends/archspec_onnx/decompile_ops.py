"""ONNX's operators -> ours: one function for each kind, which adds operators to the flat Graph.

What is not exactly an operator of the language raises `No`. The versions of an operator differ in where its numbers
stand, as attributes or as inputs; both are read.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from archspec import ops
from archspec.decompile.layouts import CHANNELS, Bands, InfinitePad, No, NormalBands, Value, only
from archspec.ops.base import Window
from archspec.tensor import Shape
from archspec_onnx.decompile_constants import Computed, Constant, numbers, one_number
from archspec_onnx.decompile_place import Held, Place
from archspec_onnx.decompile_shapes import stated

Handler = Callable[..., Any]
HANDLERS: dict[str, Handler] = {}
BOUNDLESS = float(np.finfo(np.float32).max)
"""What a bound is that nothing is beyond."""


def reads(*names: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return register


# ---- what holds weights ----


def window(place: Place, kind: type[Window], shape: Shape, kernel: Sequence[int]) -> dict[str, Any]:
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


@reads("Conv")
def conv(place: Place, x: Any, weight: Any, bias: Any = None) -> Value:
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
def gemm(place: Place, x: Any, weight: Any, bias: Any = None) -> Value:
    only(place.real("alpha", 1) == 1 and (bias is None or place.real("beta", 1) == 1), "its factors are not 1")
    only(not place.whole("transA", 0), "it turns its input")
    only(place.any(x).layout == "flat", "what it is given is not a vector")
    return dense(place, x, weight, bias, turned=not place.whole("transB", 0))


@reads("MatMul")
def matmul(place: Place, x: Any, weight: Any) -> Value:
    return dense(place, x, weight, None, turned=True)


def dense(place: Place, x: Any, weight: Any, bias: Any, turned: bool) -> Value:
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


def unused(x: Any, value: float) -> bool:
    """Whether a factor or constant of a normalisation is there only because ONNX wants one."""
    return isinstance(x, Constant) and not x.key and x.real and bool((x.array == value).all())


def affine(place: Place, scale: Any, shift: Any) -> tuple[dict[str, bool], dict[str, Held]]:
    """What a normalisation trains: its attributes and tensors."""
    has = {"scale": not unused(scale, 1), "shift": shift is not None and not unused(shift, 0)}
    tensors = {}
    for name, used, x in (("weight", has["scale"], scale), ("bias", has["shift"], shift)):
        if used:
            tensors[name] = place.tensor(x.reshaped((x.size,)) if isinstance(x, Constant) else x)
    return has, tensors


@reads("BatchNormalization")
def batch_norm(place: Place, x: Any, scale: Any, shift: Any, mean: Any, variance: Any) -> list[Value]:
    # before opset 14 a node with more outputs than one was for training
    training = place.whole("training_mode", 0) or any(place.node.output[1:])
    only(not training, "it normalises by the batch, not by running statistics")
    only(place.whole("spatial", 1) == 1, "it normalises each value by itself")
    eps = place.real("epsilon", 1e-5)
    if isinstance(variance, Computed):
        more, variance = place.rounded_off(variance.node)
        eps += more
    has, tensors = affine(place, scale, shift)
    momentum = place.real("momentum", 0.9)
    only(0 <= momentum <= 1, f"its momentum is {momentum}")
    made = ops.BatchNorm(eps=eps, momentum=float(Decimal(1) - Decimal(str(np.float32(momentum)))), **has)
    statistics = {"running_mean": place.tensor(mean), "running_var": place.tensor(variance)}
    return [place.add(made, [place.first(x)], None, **tensors, **statistics)]


@reads("LayerNormalization")
def layer_norm(place: Place, x: Any, scale: Any, shift: Any = None) -> list[Value]:
    given = place.last(x)
    rank = 1 + len(place.laid(given))
    axis = place.dimension(place.whole("axis", -1), rank)
    only(axis == rank - 1, "it normalises over more than the channels")
    has, tensors = affine(place, scale, shift)
    return [place.add(ops.LayerNorm(eps=place.real("epsilon", 1e-5), **has), [given], None, **tensors)]


@reads("GroupNormalization", "InstanceNormalization")
def group_norm(place: Place, x: Any, scale: Any, shift: Any) -> Any:
    if isinstance(x, Bands) and not isinstance(x, NormalBands):
        only(unused(scale, 1) and unused(shift, 0), "it scales groups of channels")
        return NormalBands(x.base, x.count, place.real("epsilon", 1e-5))
    given = place.first(x)
    groups = place.whole("num_groups", place.channels(given))
    by_channel = isinstance(scale, Constant) and scale.size == place.channels(given)
    only(by_channel, "its factors are one for each group")
    has, tensors = affine(place, scale, shift)
    return place.add(ops.GroupNorm(groups=groups, eps=place.real("epsilon", 1e-5), **has), [given], None, **tensors)


@reads("PRelu")
def prelu(place: Place, x: Any, slope: Any) -> Value:
    given = place.any(x)
    if not isinstance(slope, Constant):
        raise No("its slope is computed")
    factor = per_channel(place, given, slope)
    if not slope.key and slope.size == 1:
        return place.add(ops.LeakyRelu(slope=one_number(slope, "slope")), [given])
    shared = slope.size == 1 < place.channels(given)
    made = ops.PRelu(shared=shared, slope=first_value(factor, 0.25))
    return place.add(made, [given], weight=place.tensor(factor))


def per_channel(place: Place, x: Value, factor: Constant) -> Constant:
    """Numbers as they are spread over a value's channels, or one for all; raises `No`."""
    sides = [1] * (1 + len(place.laid(x)))
    sides[CHANNELS[x.layout]] = place.channels(x)
    whole = [1] * (len(sides) - len(factor.shape)) + list(factor.shape)
    known = len(whole) == len(sides) and (factor.size == 1 or whole == sides)
    only(known, "its factor does not have one number per channel")
    return factor.reshaped((factor.size,))


def first_value(factor: Constant, otherwise: float) -> float:
    """What a tensor began with, if it is still that: one number throughout; numbers of other files are not read."""
    if factor.outside or not factor.real or not factor.size:
        return otherwise
    flat = factor.array.reshape(-1)
    return float(str(flat[0])) if np.isfinite(flat[0]) and bool((flat == flat[0]).all()) else otherwise


@reads("LRN")
def lrn(place: Place, x: Any) -> Value:
    size = place.whole("size", 0)
    only(size > 0, "its `size` is not a number of channels")
    # ONNX divides alpha by the size, the paper's formula does not
    made = ops.LocalResponseNorm(
        size=size, alpha=place.real("alpha", 1e-4) / size, beta=place.real("beta", 0.75), k=place.real("bias", 1)
    )
    return place.add(made, [place.map(x)])


# ---- what acts on every value by itself ----

PLAIN: dict[str, ops.AnyOp] = {"Relu": ops.Relu(), "Sigmoid": ops.Sigmoid(), "Tanh": ops.Tanh()}


def plain(made: ops.AnyOp) -> Handler:
    return lambda place, x: place.add(made, [place.any(x)])


for kind, found in PLAIN.items():
    HANDLERS[kind] = plain(found)


@reads("HardSwish")
def hard_swish(place: Place, x: Any) -> Value:
    return place.add(ops.HardSwish(), [place.any(x)])


@reads("HardSigmoid")
def hard_sigmoid(place: Place, x: Any) -> Value:
    slope, offset = place.real("alpha", 0.2), place.real("beta", 0.5)
    same = np.float32(slope) == np.float32(1 / 6) and offset == 0.5
    only(same, f"it is {slope:.7g}·x + {offset:.7g}; `hardsigmoid` is x/6 + 1/2")
    return place.add(ops.HardSigmoid(), [place.any(x)])


@reads("Gelu")
def gelu(place: Place, x: Any) -> Value:
    return place.add(ops.Gelu(approximate=place.word("approximate", "none")), [place.any(x)])


@reads("LeakyRelu")
def leaky_relu(place: Place, x: Any) -> Value:
    return place.add(ops.LeakyRelu(slope=place.real("alpha", 0.01)), [place.any(x)])


@reads("Clip")
def clip(place: Place, x: Any, least: Any = None, most: Any = None) -> Value:
    bounds = [
        place.real(name, 0) if name in place.attributes else None if given is None else one_number(given, name)
        for name, given in (("min", least), ("max", most))
    ]
    low = None if bounds[0] is not None and bounds[0] <= -BOUNDLESS else bounds[0]
    high = None if bounds[1] is not None and bounds[1] >= BOUNDLESS else bounds[1]
    given = place.any(x)
    if low is None and high is None:
        return given
    only((low, high) in {(0, 6), (0, None)}, f"it cuts at {low} and {high}; `relu6` cuts at 0 and 6")
    return place.add(ops.Relu() if high is None else ops.Relu6(), [given])


@reads("Softmax")
def softmax(place: Place, x: Any) -> Value:
    given = place.any(x)
    sides, channels = place.laid(given), CHANNELS[given.layout]
    axis = place.dimension(place.whole("axis", -1 if place.version >= 13 else 1), 1 + len(sides))
    if place.version >= 13:
        only(axis == channels, "it is not along the channels")
    else:  # it took all dimensions from the axis on for one
        others = [side for at, side in enumerate(sides, 1) if at >= axis and at != channels]
        only(0 < axis <= channels and set(others) <= {1}, "it runs over all dimensions of a map")
    return place.add(ops.Softmax(), [given])


@reads("Dropout")
def dropout(place: Place, x: Any, ratio: Any = None, training: Any = None) -> list[Value]:
    rate = one_number(ratio, "ratio") if ratio is not None else place.real("ratio", 0.5)
    only(training is None or not numbers(training, "training_mode")[0], "it drops values while evaluating")
    return [place.add(ops.Dropout(rate=float(str(np.float32(rate)))), [place.any(x)])]


# ---- poolings ----


@reads("MaxPool", "AveragePool")
def pool(place: Place, x: Any) -> list[Value]:
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
def global_pool(place: Place, x: Any) -> Value:
    return place.add(ops.GlobalAvgPool(), [place.map(x)])


@reads("ReduceMean")
def reduce_mean(place: Place, x: Any, axes: Any = None) -> Value:
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
