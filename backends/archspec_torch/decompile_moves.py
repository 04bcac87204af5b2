"""torch's joins and what moves values -> ours; and the steps on the way to a local response normalisation."""

from collections.abc import Sequence
from math import inf
from typing import Any

from msgspec.structs import replace

from archspec import ops
from archspec.decompile.layouts import Groups, InfinitePad, No, Pending, Site, Value, only
from archspec_torch.decompile_affine import divided, scaled, shifted, together
from archspec_torch.decompile_aten import HANDLERS, Arguments, reads
from archspec_torch.decompile_shapes import Expanded, full_slice
from archspec_torch.decompile_values import Place
from archspec_torch.program import Constant, Told

__all__ = ["HANDLERS"]


def scalar(x: Any) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, bool)


# ---- joins ----


def unchanged(a: Arguments, neutral: int) -> Value | None:
    """The one value of a sum or product whose other side is a number that changes nothing."""
    for x, number in ((a["self"], a["other"]), (a["other"], a["self"])):
        if isinstance(x, Value) and scalar(number) and number == neutral:
            return x
    return None


@reads("add")
def add(site: Place, a: Arguments) -> Any:
    only(a.get("alpha", 1) == 1, "its factor is not 1")
    kept = unchanged(a, 0)
    if kept is not None:
        return kept
    if isinstance(a["self"], Response) and scalar(a["other"]):
        return a["self"].then(1, a["other"])
    for x, other in ((a["self"], a["other"]), (a["other"], a["self"])):
        if isinstance(other, Constant) or scalar(other):
            return shifted(site, site.any(x), other)
    return join(site, ops.Add(), a)


@reads("mul")
def mul(site: Place, a: Arguments) -> Any:
    one, other = a["self"], a["other"]
    kept = unchanged(a, 1)
    if kept is not None:
        return kept
    if isinstance(one, Response) and scalar(other):
        return one.then(0, other)
    for x, factor in ((one, other), (other, one)):
        if isinstance(factor, Constant) or scalar(factor):
            return scaled(site, site.any(x), factor)
    unspread = {key: given.base if isinstance(given, Expanded) else given for key, given in a.items()}
    return join(site, ops.Mul(), unspread)


def join(site: Place, made: ops.AnyOp, a: Arguments) -> Value:
    return site.add(made, site.alike([a["self"], a["other"]]))


@reads("cat")
def cat(site: Place, a: Arguments) -> Value:
    inputs = site.alike(a["tensors"])
    only(site.along(inputs[0], a["dim"]), "it is not along the channels")
    return together(site, inputs) or site.add(ops.Concat(), inputs)


# ---- moving values ----


@reads("pad", "constant_pad_nd")
def pad(site: Place, a: Arguments) -> Any:
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
def upsample(site: Place, a: Arguments) -> Value:
    x = site.map(a.get("input", a.get("self")))
    only(not a.get("align_corners"), "it aligns the corners")
    height, width, _ = site.shape(x)
    down, across = site.sides[1] // height, site.sides[2] // width
    only(site.sides[1:] == (down * height, across * width), "its factors are not whole numbers")
    stated = a.get("scale_factors") or [a.get("scales_h"), a.get("scales_w")]
    only(all(given in {None, own} for given, own in zip(stated, (down, across), strict=True)), "its factors are others")
    bilinear = "align_corners" in a
    return site.add(ops.Upsample(scale=(down, across), mode="bilinear" if bilinear else "nearest"), [x])


@reads("channel_shuffle", "native_channel_shuffle")
def shuffle(site: Place, a: Arguments) -> Value:
    return site.add(ops.Shuffle(groups=a["groups"]), [site.map(a["self"])])


def parts(site: Place, x: Any, dimension: int, sizes: Sequence[int]) -> list[Value]:
    """Slices of so many channels, one after the other."""
    given = site.any(x)
    only(site.along(given, dimension), "it is not along the channels")
    ends = [sum(sizes[: place + 1]) for place in range(len(sizes))]
    return [site.add(ops.Slice(start=end - n, stop=end), [given]) for end, n in zip(ends, sizes, strict=True)]


@reads("chunk", "split", "split_with_sizes")
def split(site: Place, a: Arguments) -> list[Value]:
    stated = a.get("split_size", a.get("split_sizes"))
    count = site.channels(site.any(a["self"]))
    if isinstance(stated, list):
        return parts(site, a["self"], a["dim"], stated)
    size = stated if isinstance(stated, int) else -(-count // a["chunks"])
    return parts(site, a["self"], a["dim"], [min(size, count - start) for start in range(0, count, size)])


@reads("slice")
def slice_(site: Place, a: Arguments) -> Any:
    x, dimension = a["self"], a["dim"]
    if full_slice(site, a):
        return x
    only(a["step"] == 1, "it takes every other channel, or fewer")
    given = site.any(x)
    only(site.along(given, dimension), "it is not along the channels")
    start, stop, _ = slice(a["start"], a["end"]).indices(site.channels(given))
    only(start < stop, "it takes nothing")
    return site.add(ops.Slice(start=start, stop=stop), [given])


@reads("narrow")
def narrow(site: Place, a: Arguments) -> Any:
    only(isinstance(a["start"], int), "its start is computed")
    stop = a["start"] + a["length"]
    return slice_(site, {**a, "end": stop or None if a["start"] < 0 else stop, "step": 1})


@reads("getitem")
def getitem(site: Place, a: Arguments) -> Any:
    whole, place = a["0"], a["1"]
    if isinstance(whole, Value) and place == 0:
        return whole
    if not isinstance(whole, list):
        raise No("it takes a part of what has none")
    # programs name what a layer gives besides its result, though nobody takes it up
    only(place < len(whole) or not site.used, "it takes a further output of a layer: statistics, or places of maxima")
    return whole[place] if place < len(whole) else None


@reads("contiguous", "alias", "detach", "clone")
def same(site: Place, a: Arguments) -> Any:
    return a["self"]


@reads("to", "_to_copy", "type_as", "lift_fresh_copy")
def to(site: Place, a: Arguments) -> Any:
    given, made = site.step.sources[0].told, site.step.told
    if not (isinstance(given, Told) and isinstance(made, Told)):
        raise No("what it gives is not known")
    only(given.dtype == made.dtype, f"it changes the type of numbers to {made.dtype}")
    return a["self"]


# ---- on the way to a local response normalisation ----

NO_RESPONSE = "it is not a local response normalisation"


class Response(Pending, frozen=True):
    """The denominator of one, as far as it is computed: (k + alpha · the mean of squares of near channels)^beta."""

    pads: tuple[int, ...]
    """around the channels of the squares as depth: left, right, top, bottom, before, after"""
    value: float
    """that they are padded with"""
    size: int = 0
    """channels of a mean; 0 before there is one"""
    whole: bool = False
    """whether the means lie as the map does"""
    numbers: tuple[float, ...] = ()
    """alpha, k, beta"""

    def reshaped(self, site: Site, out: tuple[int, ...]) -> Any:
        own = site.laid(self.base)
        if self.size and out in {own, (1, *own)}:
            return replace(self, whole=out == own)
        return super().reshaped(site, out)

    def then(self, position: int, number: float) -> "Response":
        """With the next one of its numbers; raises `No` where another is due."""
        only(self.whole and len(self.numbers) == position, NO_RESPONSE)
        return replace(self, numbers=(*self.numbers, number))


@reads("avg_pool3d")
def avg_pool3d(site: Place, a: Arguments) -> Response:
    x = a["self"]
    if not isinstance(x, Response) or x.size or a["divisor_override"] is not None:
        raise No("it is not a part of a local response normalisation")
    steps = list(a["stride"] or a["kernel_size"])
    steps = steps if len(steps) == 3 else steps * 3
    only({*steps, *a["kernel_size"][1:]} == {1} and not any(a["padding"]), NO_RESPONSE)
    return replace(x, size=a["kernel_size"][0])


@reads("pow")
def power(site: Place, a: Arguments) -> Any:
    if isinstance(a["self"], Response) and scalar(a["exponent"]):
        return a["self"].then(2, a["exponent"])
    raise No("it is not a part of a local response normalisation")


@reads("sub")
def sub(site: Place, a: Arguments) -> Value:
    one, other = a["self"], a["other"]
    only(a.get("alpha", 1) == 1, "its factor is not 1")
    if isinstance(other, Constant) or scalar(other):
        return shifted(site, site.any(one), other, -1)
    only(isinstance(one, Constant) or scalar(one), "it subtracts one value from another")
    return shifted(site, scaled(site, site.any(other), -1), one)


@reads("rsub")
def rsub(site: Place, a: Arguments) -> Any:
    return sub(site, {**a, "self": a["other"], "other": a["self"]})


@reads("neg")
def neg(site: Place, a: Arguments) -> Value:
    return scaled(site, site.any(a["self"]), -1)


@reads("div")
def div(site: Place, a: Arguments) -> Value:
    x: Value = site.any(a["self"])
    base = a["other"]
    only(a.get("rounding_mode") is None, "it rounds the quotient")
    if isinstance(base, Constant) or scalar(base):
        return divided(site, x, base)
    if not (isinstance(base, Response) and len(base.numbers) == 3):
        raise No("it divides, and is not a local response normalisation")
    *around, before, after = base.pads
    squared = next(node for node in site.reader.builder.nodes if node.path == base.base.path)
    own = isinstance(squared.op, ops.Mul) and squared.inputs == (x.path, x.path)
    only(own and around == [0] * 4 and not base.value, NO_RESPONSE)
    size, (alpha, k, beta) = base.size, base.numbers
    only((before, after) == (size // 2, (size - 1) // 2) and size % 2 == 1, "no channel is in the middle of its window")
    made = ops.LocalResponseNorm(size=size, alpha=alpha / size, beta=float(beta), k=float(k))
    return site.add(made, [x])
