"""Poolings of torch -> those of the language."""

from typing import Any

from archspec import ops
from archspec.decompile.layouts import CHANNELS, InfinitePad, Value, only
from archspec_torch.decompile.handlers.arguments import pair
from archspec_torch.decompile.handlers.registry import Arguments, reads
from archspec_torch.decompile.walk import TorchPlace


@reads("max_pool2d_with_indices")
def max_pool_with_indices(site: TorchPlace, a: Arguments) -> list[Value]:
    return [max_pool(site, a)]


@reads("max_pool2d")
def max_pool(site: TorchPlace, a: Arguments) -> Value:
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
def avg_pool(site: TorchPlace, a: Arguments) -> Value:
    kernel = pair(a["kernel_size"])
    only(a["divisor_override"] is None, "it divides by another number than that of its pixels")
    made = ops.AvgPool(
        kernel=kernel, stride=pair(a["stride"] or kernel), pad=pair(a["padding"]), ceil=a["ceil_mode"],
        include_pad=a["count_include_pad"],
    )  # fmt: skip
    return site.add(made, [site.map(a["self"])])


@reads("adaptive_avg_pool2d", "_adaptive_avg_pool2d")
def adaptive(site: TorchPlace, a: Arguments) -> Value:
    x = site.map(a["self"])
    sides = a["output_size"] if isinstance(a["output_size"], (list, tuple)) else [a["output_size"]] * 2
    size = tuple(own if side is None else side for side, own in zip(sides, site.shape(x), strict=False))
    return site.add(ops.GlobalAvgPool() if size == (1, 1) else ops.AdaptiveAvgPool(size=size), [x])


@reads("mean")
def mean(site: TorchPlace, a: Arguments) -> Value:
    x = site.any(a["self"])
    dimensions = {dimension % 4 for dimension in a.get("dim") or ()}
    only(x.layout != "flat" and dimensions == {1, 2, 3} - {CHANNELS[x.layout]}, "it is not a mean over the whole map")
    pooled = site.add(ops.GlobalAvgPool(), [x])
    return pooled if a["keepdim"] else site.pixel(pooled)
