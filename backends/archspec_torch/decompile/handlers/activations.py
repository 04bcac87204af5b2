"""What acts on every value by itself, or drops some -> activations, dropout, stochastic depth."""

from typing import Any

from archspec import ops
from archspec.decompile.layouts import No, Value, only
from archspec_torch.decompile.affine import first_value
from archspec_torch.decompile.handlers.registry import HANDLERS, Arguments, Handler, reads
from archspec_torch.decompile.handlers.views import Unsqueezed
from archspec_torch.decompile.walk import TorchPlace
from archspec_torch.program import Constant


@reads("prelu", "_prelu_kernel")
def prelu(site: TorchPlace, a: Arguments) -> Value:
    x, weight = site.any(a["self"]), site.trained(a["weight"])
    only(x.layout != "hwc" or weight.tensor.numel() == 1, "its channels are not the second dimension")
    slopes = Constant(weight.key, weight.tensor.reshape(-1), True)
    shared = slopes.tensor.numel() == 1 < site.channels(x)
    made = ops.PRelu(shared=shared, slope=first_value(slopes.tensor, 0.25))
    return site.add(made, [x], weight=site.tensor(slopes))


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
def gelu(site: TorchPlace, a: Arguments) -> Value:
    return site.add(ops.Gelu(approximate=a["approximate"]), [site.any(a["self"])])


@reads("leaky_relu")
def leaky_relu(site: TorchPlace, a: Arguments) -> Value:
    return site.add(ops.LeakyRelu(slope=float(a["negative_slope"])), [site.any(a["self"])])


@reads("hardtanh", "clamp", "clamp_min")
def clamp(site: TorchPlace, a: Arguments) -> Value:
    bounds = (a.get("min_val", a.get("min")), a.get("max_val", a.get("max")))
    only(all(bound is None or isinstance(bound, (int, float)) for bound in bounds), "its bounds are computed")
    only(bounds in {(0, 6), (0, None)}, f"it cuts at {bounds[0]} and {bounds[1]}; `relu6` cuts at 0 and 6")
    return site.add(ops.Relu() if bounds[1] is None else ops.Relu6(), [site.any(a["self"])])


@reads("softmax", "_softmax")
def softmax(site: TorchPlace, a: Arguments) -> Value:
    x = site.any(a["self"])
    only(site.along(x, a["dim"]), "it is not along the channels")
    return site.add(ops.Softmax(), [x])


@reads("dropout", "native_dropout")
def dropout(site: TorchPlace, a: Arguments) -> Any:
    only(a["train"] is False, "it drops values in evaluation too")
    made = site.add(ops.Dropout(rate=float(a["p"])), [site.any(a["input"])])
    return [made] if site.step.kind == "native_dropout" else made


@reads("feature_dropout")
def feature_dropout(site: TorchPlace, a: Arguments) -> Unsqueezed:
    x = a["input"]
    only(a["train"] is False, "it drops values in evaluation too")
    if not (isinstance(x, Unsqueezed) and x.dimension == 1):
        raise No("it drops whole channels while training, which no operator of archspec does")
    return Unsqueezed(site.add(ops.StochasticDepth(rate=float(a["p"])), [x.base]), 1)
