"""torch's operators -> ours: one function for each kind, which adds operators to the flat Graph.

Each is given its arguments by their names, values instead of nodes, defaults filled in. What is not exactly an
operator of the language raises `No`. The names are those of ATen without their overload; `relu_` is `relu` in place.
"""

from collections.abc import Callable
from typing import Any

import torch

from archspec import ops
from archspec.decompile import Tensor
from archspec.decompile.layouts import CHANNELS, InfinitePad, No, Value, only
from archspec_torch.decompile_shapes import SHARING_VIEWS, VIEWS, Unsqueezed
from archspec_torch.decompile_values import Handler, Place
from archspec_torch.program import Constant

Arguments = dict[str, Any]
HANDLERS: dict[str, Handler] = dict(VIEWS)
SHARING = SHARING_VIEWS | {"contiguous", "alias", "detach", "dropout", "to", "lift_fresh_copy"}
"""What may give the tensor that it is given, or a view of it."""


def reads(*names: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return register


def pair(values: Any) -> tuple[int, int]:
    """One or two numbers as two."""
    sides = [values] if isinstance(values, int) else list(values)
    if not all(type(side) is int for side in sides):
        raise No("its attributes are not plain numbers")
    return (sides[0], sides[0]) if len(sides) == 1 else (sides[0], sides[1])


# ---- what holds weights ----


@reads("conv2d", "convolution")
def conv(site: Place, a: Arguments) -> Value:
    x = site.map(a["input"])
    if a.get("transposed"):
        raise No("it is a transposed convolution")
    weight = site.trained(a["weight"])
    out, _, *kernel = weight.tensor.shape
    groups, channels, dilation = a["groups"], site.channels(x), pair(a["dilation"])
    window: dict[str, Any] = {
        "kernel": tuple(kernel), "stride": pair(a["stride"]), "dilation": dilation, "bias": a["bias"] is not None,
        "pad": padding(a["padding"], tuple(kernel), dilation),
    }  # fmt: skip
    made: ops.AnyOp
    if groups == channels > 1:
        made = ops.DwConv(multiplier=out // channels, **window)
    else:
        made = ops.Conv(channels=out, groups=groups, **window)
    return site.add(made, [x], weight=site.tensor(weight), bias=trained(site, a["bias"]))


def trained(site: Place, x: Any) -> Tensor | None:
    """A trained tensor, if there is one; raises `No`."""
    return None if x is None else site.tensor(site.trained(x))


def padding(stated: Any, kernel: tuple[int, ...], dilation: tuple[int, int]) -> tuple[int, ...]:
    """Pixels at top and bottom, left and right; or on each of the four sides."""
    if stated == "valid":
        return (0, 0)
    if stated == "same":
        totals = [step * (size - 1) for size, step in zip(kernel, dilation, strict=True)]
        return (totals[0] // 2, totals[0] - totals[0] // 2, totals[1] // 2, totals[1] - totals[1] // 2)
    return pair(stated)


@reads("linear")
def linear(site: Place, a: Arguments) -> Value:
    return dense(site, a["input"], site.trained(a["weight"]), a["bias"])


@reads("addmm")
def addmm(site: Place, a: Arguments) -> Value:
    only(a["beta"] == 1 and a["alpha"] == 1, "its factors are not 1")
    return dense(site, a["mat1"], turned(site, a["mat2"]), a["self"])


@reads("mm", "matmul")
def mm(site: Place, a: Arguments) -> Value:
    return dense(site, a["self"], turned(site, a.get("mat2", a.get("other"))), None)


def turned(site: Place, x: Any) -> Constant:
    weight = site.trained(x)
    only(weight.tensor.dim() == 2, "its second factor is not a matrix")
    return Constant(weight.key, weight.tensor.t(), True, not weight.turned)


def dense(site: Place, x: Any, weight: Constant, bias: Any) -> Value:
    only(weight.tensor.dim() == 2, "its weight is not a matrix")
    made = ops.Linear(channels=weight.tensor.shape[0], bias=bias is not None)
    return site.add(made, [site.last(x)], weight=site.tensor(weight), bias=trained(site, bias))


@reads("batch_norm", "_native_batch_norm_legit_no_training")
def batch_norm(site: Place, a: Arguments) -> Any:
    only(not a.get("training"), "it normalises by the batch, not by running statistics")
    mean, variance = a["running_mean"], a["running_var"]
    if not (isinstance(mean, Constant) and isinstance(variance, Constant)):
        raise No("it has no running statistics")
    x, affine = site.first(a["input"]), scaled(a)
    # torch writes 0 for `momentum=None`, which means a cumulative average
    only(bool(a["momentum"]), "its momentum is 0 or None: its statistics never change, or average all batches")
    made = ops.BatchNorm(eps=a["eps"], momentum=a["momentum"], **affine)
    statistics = {"running_mean": site.tensor(mean), "running_var": site.tensor(variance)}
    found = site.add(made, [x], None, **weights(site, a), **statistics)
    return found if "training" in a else [found]


def scaled(a: Arguments) -> dict[str, bool]:
    """Whether a normalisation has a trained factor and constant."""
    return {"scale": a["weight"] is not None, "shift": a["bias"] is not None}


def weights(site: Place, a: Arguments) -> dict[str, Tensor | None]:
    return {name: trained(site, a[name]) for name in ("weight", "bias")}


@reads("layer_norm", "native_layer_norm")
def layer_norm(site: Place, a: Arguments) -> Any:
    x = site.last(a["input"])
    only(list(a["normalized_shape"]) == [site.channels(x)], "it normalises over more than the channels")
    found = site.add(ops.LayerNorm(eps=a["eps"], **scaled(a)), [x], None, **weights(site, a))
    return found if "cudnn_enable" in a else [found]


@reads("group_norm", "native_group_norm", "instance_norm")
def group_norm(site: Place, a: Arguments) -> Any:
    x = site.first(a["input"])
    if "use_input_stats" in a:
        only(a["use_input_stats"] and a["running_mean"] is None, "it normalises by running statistics")
    groups = a.get("num_groups", a.get("group", site.channels(x)))
    found = site.add(ops.GroupNorm(groups=groups, eps=a["eps"], **scaled(a)), [x], None, **weights(site, a))
    return [found] if "group" in a else found


@reads("prelu", "_prelu_kernel")
def prelu(site: Place, a: Arguments) -> Value:
    x, weight = site.any(a["self"]), site.trained(a["weight"])
    only(x.layout != "hwc" or weight.tensor.numel() == 1, "its channels are not the second dimension")
    slopes = Constant(weight.key, weight.tensor.reshape(-1), True)
    shared = slopes.tensor.numel() == 1 < site.channels(x)
    made = ops.PRelu(shared=shared, slope=first_value(slopes.tensor, 0.25))
    return site.add(made, [x], weight=site.tensor(slopes))


def first_value(tensor: torch.Tensor, otherwise: float) -> float:
    """What a tensor began with, if it is still that: one number throughout."""
    if tensor.numel() and bool((tensor == tensor.flatten()[0]).all()):
        return float(str(tensor.flatten()[0].numpy()))
    return otherwise


# ---- what acts on every value by itself ----

PLAIN: dict[str, ops.AnyOp] = {
    "relu": ops.Relu(),
    "relu6": ops.Relu6(),
    "silu": ops.Silu(),
    "sigmoid": ops.Sigmoid(),
    "hardswish": ops.HardSwish(),
    "hardsigmoid": ops.HardSigmoid(),
    "tanh": ops.Tanh(),
}


def plain(made: ops.AnyOp) -> Handler:
    return lambda site, a: site.add(made, [site.any(a["self"])])


for kind, found in PLAIN.items():
    HANDLERS[kind] = plain(found)


@reads("gelu")
def gelu(site: Place, a: Arguments) -> Value:
    return site.add(ops.Gelu(approximate=a["approximate"]), [site.any(a["self"])])


@reads("leaky_relu")
def leaky_relu(site: Place, a: Arguments) -> Value:
    return site.add(ops.LeakyRelu(slope=float(a["negative_slope"])), [site.any(a["self"])])


@reads("hardtanh", "clamp", "clamp_min")
def clamp(site: Place, a: Arguments) -> Value:
    bounds = (a.get("min_val", a.get("min")), a.get("max_val", a.get("max")))
    only(all(bound is None or isinstance(bound, (int, float)) for bound in bounds), "its bounds are computed")
    only(bounds in {(0, 6), (0, None)}, f"it cuts at {bounds[0]} and {bounds[1]}; `relu6` cuts at 0 and 6")
    return site.add(ops.Relu() if bounds[1] is None else ops.Relu6(), [site.any(a["self"])])


@reads("softmax", "_softmax")
def softmax(site: Place, a: Arguments) -> Value:
    x = site.any(a["self"])
    only(site.along(x, a["dim"]), "it is not along the channels")
    return site.add(ops.Softmax(), [x])


@reads("dropout", "native_dropout")
def dropout(site: Place, a: Arguments) -> Any:
    only(a["train"] is False, "it drops values in evaluation too")
    made = site.add(ops.Dropout(rate=float(a["p"])), [site.any(a["input"])])
    return [made] if site.step.kind == "native_dropout" else made


@reads("feature_dropout")
def feature_dropout(site: Place, a: Arguments) -> Unsqueezed:
    x = a["input"]
    only(a["train"] is False, "it drops values in evaluation too")
    if not (isinstance(x, Unsqueezed) and x.dimension == 1):
        raise No("it drops whole channels while training, which no operator of archspec does")
    return Unsqueezed(site.add(ops.StochasticDepth(rate=float(a["p"])), [x.base]), 1)


# ---- poolings ----


@reads("max_pool2d_with_indices")
def max_pool_with_indices(site: Place, a: Arguments) -> list[Value]:
    return [max_pool(site, a)]


@reads("max_pool2d")
def max_pool(site: Place, a: Arguments) -> Value:
    kernel, x, pads = pair(a["kernel_size"]), a["self"], pair(a["padding"])
    window: dict[str, Any] = {
        "kernel": kernel, "stride": pair(a["stride"] or kernel), "dilation": pair(a["dilation"]),
        "ceil": a["ceil_mode"],
    }  # fmt: skip
    if isinstance(x, InfinitePad):
        only(pads == (0, 0) and not a["ceil_mode"], "it pads once more what was padded with infinity")
        return site.add(ops.MaxPool(pad=x.pads, **window), [x.base])
    return site.add(ops.MaxPool(pad=pads, **window), [site.map(x)])


@reads("avg_pool2d")
def avg_pool(site: Place, a: Arguments) -> Value:
    kernel = pair(a["kernel_size"])
    only(a["divisor_override"] is None, "it divides by another number than that of its pixels")
    made = ops.AvgPool(
        kernel=kernel, stride=pair(a["stride"] or kernel), pad=pair(a["padding"]), ceil=a["ceil_mode"],
        include_pad=a["count_include_pad"],
    )  # fmt: skip
    return site.add(made, [site.map(a["self"])])


@reads("adaptive_avg_pool2d", "_adaptive_avg_pool2d")
def adaptive(site: Place, a: Arguments) -> Value:
    x = site.map(a["self"])
    sides = a["output_size"] if isinstance(a["output_size"], (list, tuple)) else [a["output_size"]] * 2
    size = tuple(own if side is None else side for side, own in zip(sides, site.shape(x), strict=False))
    return site.add(ops.GlobalAvgPool() if size == (1, 1) else ops.AdaptiveAvgPool(size=size), [x])


@reads("mean")
def mean(site: Place, a: Arguments) -> Value:
    x = site.any(a["self"])
    dimensions = {dimension % 4 for dimension in a.get("dim") or ()}
    only(x.layout != "flat" and dimensions == {1, 2, 3} - {CHANNELS[x.layout]}, "it is not a mean over the whole map")
    pooled = site.add(ops.GlobalAvgPool(), [x])
    return pooled if a["keepdim"] else site.pixel(pooled)
