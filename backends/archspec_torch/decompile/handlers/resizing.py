"""What makes a map larger -> `pad` and `upsample`."""

from math import inf
from typing import Any

from archspec import ops
from archspec.decompile.layouts import Groups, InfinitePad, Value, only
from archspec_torch.decompile.handlers.registry import Arguments, reads
from archspec_torch.decompile.handlers.response import Response
from archspec_torch.decompile.walk import TorchPlace


@reads("pad", "constant_pad_nd")
def pad(site: TorchPlace, a: Arguments) -> Any:
    only(a.get("mode", "constant") == "constant", f"it pads by `{a.get('mode')}`, and `pad` by a constant")
    x, amounts = a["self"], list(a["pad"])
    if isinstance(x, Groups) and x.count == 1:
        return Response(x.base, tuple(amounts), float(a["value"] or 0))
    x = site.map(x)
    sides = [*amounts, *[0] * (8 - len(amounts))]
    only(not any(sides[4:]) and min(sides) >= 0, "it pads other dimensions than height and width, or cuts off")
    amount, value = (sides[2], sides[3], sides[0], sides[1]), float(a["value"] or 0)
    # what a maximum never sees
    return InfinitePad(x, amount) if value == -inf else site.add(ops.Pad(amount=amount, value=value), [x])


@reads("upsample_nearest2d", "_upsample_nearest_exact2d", "upsample_bilinear2d")
def upsample(site: TorchPlace, a: Arguments) -> Value:
    x = site.map(a.get("input", a.get("self")))
    only(not a.get("align_corners"), "it aligns the corners")
    height, width, _ = site.shape(x)
    down, across = site.sides[1] // height, site.sides[2] // width
    only(site.sides[1:] == (down * height, across * width), "its factors are not whole numbers")
    stated = a.get("scale_factors") or [a.get("scales_h"), a.get("scales_w")]
    only(all(given in {None, own} for given, own in zip(stated, (down, across), strict=True)), "its factors are others")
    bilinear = "align_corners" in a
    return site.add(ops.Upsample(scale=(down, across), mode="bilinear" if bilinear else "nearest"), [x])
