"""Convolutions and linear layers of torch -> those of the language."""

from typing import Any

from archspec import ops
from archspec.decompile.layouts import No, Value, only
from archspec_torch.decompile.handlers.arguments import pair, trained
from archspec_torch.decompile.handlers.registry import Arguments, reads
from archspec_torch.decompile.walk import TorchPlace
from archspec_torch.program import Constant


@reads("conv2d", "convolution")
def conv(site: TorchPlace, a: Arguments) -> Value:
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


def padding(stated: Any, kernel: tuple[int, ...], dilation: tuple[int, int]) -> tuple[int, ...]:
    """Pixels at top and bottom, left and right; or on each of the four sides."""
    if stated == "valid":
        return (0, 0)
    if stated == "same":
        totals = [step * (size - 1) for size, step in zip(kernel, dilation, strict=True)]
        return (totals[0] // 2, totals[0] - totals[0] // 2, totals[1] // 2, totals[1] - totals[1] // 2)
    return pair(stated)


@reads("linear")
def linear(site: TorchPlace, a: Arguments) -> Value:
    return dense(site, a["input"], site.trained(a["weight"]), a["bias"])


@reads("addmm")
def addmm(site: TorchPlace, a: Arguments) -> Value:
    only(a["beta"] == 1 and a["alpha"] == 1, "its factors are not 1")
    return dense(site, a["mat1"], turned(site, a["mat2"]), a["self"])


@reads("mm", "matmul")
def mm(site: TorchPlace, a: Arguments) -> Value:
    return dense(site, a["self"], turned(site, a.get("mat2", a.get("other"))), None)


def turned(site: TorchPlace, x: Any) -> Constant:
    weight = site.trained(x)
    only(weight.tensor.dim() == 2, "its second factor is not a matrix")
    return Constant(weight.key, weight.tensor.t(), True, not weight.turned)


def dense(site: TorchPlace, x: Any, weight: Constant, bias: Any) -> Value:
    only(weight.tensor.dim() == 2, "its weight is not a matrix")
    made = ops.Linear(channels=weight.tensor.shape[0], bias=bias is not None)
    return site.add(made, [site.last(x)], weight=site.tensor(weight), bias=trained(site, bias))
