"""ONNX's operators -> ours: one function for each kind, which adds operators to the flat Graph.

What is not exactly an operator of ours raises `No`. The versions of an operator differ in where its numbers stand, as
attributes or as inputs; both are read.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from archspec import ops
from archspec.decompile import Tensor
from archspec.decompile.layouts import CHANNELS, No, Partial, Value, only
from archspec.ops.base import Window
from archspec.tensor import Shape
from archspec_onnx.decompile import Place
from archspec_onnx.decompile_constants import Computed, Constant

Handler = Callable[..., Any]
HANDLERS: dict[str, Handler] = {}


def reads(*names: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return register


def numbers(x: Any, what: str) -> list[Any]:
    """The numbers of a constant; raises `No`."""
    if not isinstance(x, Constant):
        raise No(f"its {what} is computed")
    return list(x.array.reshape(-1).tolist())


def one_number(x: Any, what: str) -> float:
    found = numbers(x, what)
    only(len(found) == 1, f"its {what} is not one number")
    return float(found[0])


def stated(place: Place, name: str, inputs: Sequence[Any], position: int) -> list[Any] | None:
    """Whole numbers that are an attribute or an input; None where they are neither."""
    if name in place.attributes:
        return list(place.attributes[name])
    given = inputs[position] if position < len(inputs) else None
    return None if given is None else numbers(given, name)


# ---- what holds weights ----


def window(place: Place, kind: type[Window], shape: Shape, kernel: Sequence[int]) -> dict[str, Any]:
    """The attributes of a window; padding as it is stated."""
    only(len(kernel) == 2, f"its window has {len(kernel)} dimensions")
    auto = place.given("auto_pad", b"NOTSET").decode()
    stride = tuple(place.given("strides", [1, 1]))
    found: dict[str, Any] = {"kernel": tuple(kernel), "stride": stride}
    dilation = tuple(place.given("dilations", [1, 1]))
    if kind is not ops.AvgPool:
        found["dilation"] = dilation
    else:
        only(dilation == (1, 1), "its window is dilated")
    top, left, bottom, right = place.given("pads", [0, 0, 0, 0])
    match auto:
        case "NOTSET":
            found["pad"] = (top, bottom, left, right)
        case "VALID":
            found["pad"] = "valid"
        case "SAME_UPPER":
            found["pad"] = "same_upper"
        case _:
            raise No(f"its padding is {auto}")
    return found


@reads("Conv")
def conv(place: Place, x: Any, weight: Any, bias: Any = None) -> Value:
    given = place.map(x)
    tensor = place.tensor(weight)
    out, _, *kernel = weight.array.shape
    groups, channels = place.given("group", 1), place.channels(given)
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
    only(not place.given("transA", 0), "it turns its input")
    return dense(place, x, weight, bias, turned=not place.given("transB", 0))


@reads("MatMul")
def matmul(place: Place, x: Any, weight: Any) -> Value:
    return dense(place, x, weight, None, turned=True)


def dense(place: Place, x: Any, weight: Any, bias: Any, turned: bool) -> Value:
    """A linear layer; `turned` where the weight is (in, out)."""
    if not isinstance(weight, Constant) or weight.array.ndim != 2:
        raise No("its second factor is no matrix of weights")
    matrix = Constant(weight.array.T if turned else weight.array, weight.key)
    given = place.last(x)
    made = ops.Linear(channels=matrix.array.shape[0], bias=bias is not None)
    shift = None if bias is None else place.tensor(Constant(bias_of(bias, made.channels), bias.key))
    return place.add(made, [given], weight=place.tensor(matrix), bias=shift)


def bias_of(bias: Any, channels: int) -> Any:
    """A bias as one number for each channel; raises `No`."""
    only(isinstance(bias, Constant) and bias.array.size == channels, "its bias is none for each channel")
    return bias.array.reshape(-1)


def unused(x: Any, value: float) -> bool:
    """Whether a factor or constant of a normalisation is there only because ONNX wants one."""
    return isinstance(x, Constant) and not x.key and bool((x.array == value).all())


def affine(place: Place, scale: Any, shift: Any) -> tuple[dict[str, bool], dict[str, Tensor]]:
    """What a normalisation trains: its attributes and tensors."""
    has = {"scale": not unused(scale, 1), "shift": shift is not None and not unused(shift, 0)}
    tensors = {}
    for name, used, x in (("weight", has["scale"], scale), ("bias", has["shift"], shift)):
        if used:
            tensors[name] = place.tensor(Constant(x.array.reshape(-1), x.key) if isinstance(x, Constant) else x)
    return has, tensors


@reads("BatchNormalization")
def batch_norm(place: Place, x: Any, scale: Any, shift: Any, mean: Any, variance: Any) -> list[Value]:
    only(not place.given("training_mode", 0), "it normalises by the batch, not by running statistics")
    eps = place.real("epsilon", 1e-5)
    if isinstance(variance, Computed):
        more, variance = place.rounded_off(variance.node)
        eps += more
    has, tensors = affine(place, scale, shift)
    momentum = float(Decimal(1) - Decimal(str(np.float32(place.given("momentum", 0.9)))))
    made = ops.BatchNorm(eps=eps, momentum=momentum, **has)
    statistics = {"running_mean": place.tensor(mean), "running_var": place.tensor(variance)}
    return [place.add(made, [place.first(x)], None, **tensors, **statistics)]


@reads("LayerNormalization")
def layer_norm(place: Place, x: Any, scale: Any, shift: Any = None) -> list[Value]:
    given = place.last(x)
    only(place.given("axis", -1) in {-1, len(place.laid(given))}, "it normalises over more than the channels")
    has, tensors = affine(place, scale, shift)
    return [place.add(ops.LayerNorm(eps=place.real("epsilon", 1e-5), **has), [given], None, **tensors)]


@reads("GroupNormalization", "InstanceNormalization")
def group_norm(place: Place, x: Any, scale: Any, shift: Any) -> Any:
    if isinstance(x, Partial) and x.what in {"bands", "column"}:
        only(unused(scale, 1) and unused(shift, 0), "it scales groups of channels")
        return x.then("normal", place.real("epsilon", 1e-5))
    given = place.first(x)
    groups = place.given("num_groups", place.channels(given))
    by_channel = isinstance(scale, Constant) and scale.array.size == place.channels(given)
    only(by_channel, "its factors are one for each group")
    has, tensors = affine(place, scale, shift)
    return place.add(ops.GroupNorm(groups=groups, eps=place.real("epsilon", 1e-5), **has), [given], None, **tensors)


@reads("PRelu")
def prelu(place: Place, x: Any, slope: Any) -> Value:
    given = place.any(x)
    if not isinstance(slope, Constant):
        raise No("its slope is computed")
    if not slope.key and slope.array.size == 1:
        return place.add(ops.LeakyRelu(slope=float(slope.array.item())), [given])
    factor = per_channel(place, given, slope)
    shared = slope.array.size == 1 < place.channels(given)
    made = ops.PRelu(shared=shared, slope=first_value(slope.array, 0.25))
    return place.add(made, [given], weight=place.tensor(factor))


def per_channel(place: Place, x: Value, factor: Constant) -> Constant:
    """Numbers as they are spread over a value's channels, or one for all; raises `No`."""
    shape = factor.array.shape
    sides = [1] * (1 + len(place.laid(x)))
    sides[CHANNELS[x.layout]] = place.channels(x)
    whole = [1] * (len(sides) - len(shape)) + list(shape)
    only(factor.array.size == 1 or whole == sides, "its numbers are none for each channel")
    return Constant(factor.array.reshape(-1), factor.key)


def first_value(values: Any, otherwise: float) -> float:
    """What a tensor began with, if it is still that: one number throughout."""
    flat = values.reshape(-1)
    return float(str(flat[0])) if flat.size and bool((flat == flat[0]).all()) else otherwise


@reads("LRN")
def lrn(place: Place, x: Any) -> Value:
    size = place.given("size")
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
    slope, offset = np.float32(place.given("alpha", 0.2)), np.float32(place.given("beta", 0.5))
    only((slope, offset) == (np.float32(1 / 6), np.float32(0.5)), f"it is {slope}·x + {offset}, and ours x/6 + 1/2")
    return place.add(ops.HardSigmoid(), [place.any(x)])


@reads("Gelu")
def gelu(place: Place, x: Any) -> Value:
    return place.add(ops.Gelu(approximate=place.given("approximate", b"none").decode()), [place.any(x)])


@reads("LeakyRelu")
def leaky_relu(place: Place, x: Any) -> Value:
    return place.add(ops.LeakyRelu(slope=place.real("alpha", 0.01)), [place.any(x)])


@reads("Clip")
def clip(place: Place, x: Any, least: Any = None, most: Any = None) -> Value:
    bounds = [
        place.real(name, 0) if name in place.attributes else None if given is None else one_number(given, name)
        for name, given in (("min", least), ("max", most))
    ]
    only(bounds in ([0, 6], [0, None]), f"it cuts at {bounds[0]} and {bounds[1]}; `relu6` cuts at 0 and 6")
    return place.add(ops.Relu() if bounds[1] is None else ops.Relu6(), [place.any(x)])


@reads("Softmax")
def softmax(place: Place, x: Any) -> Value:
    given = place.any(x)
    # before opset 13 it took all dimensions from the axis on for one
    only(place.version >= 13 or given.layout == "flat", "it is over all dimensions of a map")
    only(place.along(given, place.given("axis", -1 if place.version >= 13 else 1)), "it is not along the channels")
    return place.add(ops.Softmax(), [given])


@reads("Dropout")
def dropout(place: Place, x: Any, ratio: Any = None, training: Any = None) -> list[Value]:
    rate = one_number(ratio, "ratio") if ratio is not None else place.given("ratio", 0.5)
    only(training is None or not numbers(training, "training_mode")[0], "it drops values while evaluating")
    return [place.add(ops.Dropout(rate=float(str(np.float32(rate)))), [place.any(x)])]


@reads("Identity", "Cast")
def same(place: Place, x: Any) -> Any:
    if place.node.op_type == "Cast":
        raise No("it changes the type of numbers")
    return x


# ---- poolings ----


@reads("MaxPool", "AveragePool")
def pool(place: Place, x: Any) -> list[Value]:
    around = x.numbers if isinstance(x, Partial) and x.what == "infinite" else None
    given = place.map(x.base if around else x)
    kind: Any = ops.MaxPool if place.node.op_type == "MaxPool" else ops.AvgPool
    attributes = window(place, kind, place.shape(given), place.given("kernel_shape"))
    if kind is ops.AvgPool:
        attributes["include_pad"] = bool(place.given("count_include_pad", 0))
        attributes["include_pad"] |= attributes["pad"] in {"valid", (0,) * 4}
    if around is not None:
        only(kind is ops.MaxPool and attributes["pad"] in {"valid", (0,) * 4}, "it sees infinity, or pads once more")
        attributes["pad"] = around
    made = kind(ceil=bool(place.given("ceil_mode", 0)), **attributes)
    if made.ceil:
        check_overhang(made, place.shape(given))
    nothing = kind is ops.AvgPool and made.strides == made.reach == (1, 1) and attributes["pad"] in {"valid", (0,) * 4}
    return [given if nothing else place.add(made, [given])]


def check_overhang(op: Any, shape: Shape) -> None:
    """Raise `No` where ONNX and ours differ in what hangs over the edge."""
    pads = op.padding(shape[0], shape[1])
    whole = [shape[0] + pads.top + pads.bottom, shape[1] + pads.left + pads.right]
    for size, reach, stride, places in zip(whole, op.reach, op.strides, op.infer(shape), strict=False):
        over = (places - 1) * stride + reach > size
        only(places == -(-(size - reach) // stride) + 1, "its last window begins beyond the map")
        only(
            not over or isinstance(op, ops.MaxPool) or not op.include_pad, "its windows hang over the edge and count it"
        )


@reads("GlobalAveragePool")
def global_pool(place: Place, x: Any) -> Value:
    return place.add(ops.GlobalAvgPool(), [place.map(x)])


@reads("ReduceMean")
def reduce_mean(place: Place, x: Any, axes: Any = None) -> Value:
    given = place.any(x)
    found = stated(place, "axes", [x, axes], 1)
    dimensions = {axis % 4 for axis in found or ()}
    over = given.layout != "flat" and dimensions == {1, 2, 3} - {CHANNELS[given.layout]}
    only(over, "it is no mean over the whole map")
    pooled = place.add(ops.GlobalAvgPool(), [given])
    return pooled if place.given("keepdims", 1) else place.pixel(pooled)
