"""What takes channels apart, joins them or gives them another order."""

from collections.abc import Sequence
from typing import Any

from archspec import ops
from archspec.decompile.layouts import No, Value, only
from archspec_torch.decompile.affine import together
from archspec_torch.decompile.handlers.registry import Arguments, reads
from archspec_torch.decompile.handlers.views import full_slice
from archspec_torch.decompile.walk import TorchPlace


@reads("cat")
def cat(site: TorchPlace, a: Arguments) -> Value:
    inputs = site.alike(a["tensors"])
    only(site.along(inputs[0], a["dim"]), "it is not along the channels")
    return together(site, inputs) or site.add(ops.Concat(), inputs)


@reads("channel_shuffle", "native_channel_shuffle")
def shuffle(site: TorchPlace, a: Arguments) -> Value:
    return site.add(ops.Shuffle(groups=a["groups"]), [site.map(a["self"])])


def parts(site: TorchPlace, x: Any, dimension: int, sizes: Sequence[int]) -> list[Value]:
    """Slices of so many channels, one after the other."""
    given = site.any(x)
    only(site.along(given, dimension), "it is not along the channels")
    ends = [sum(sizes[: place + 1]) for place in range(len(sizes))]
    return [site.add(ops.Slice(start=end - n, stop=end), [given]) for end, n in zip(ends, sizes, strict=True)]


@reads("chunk", "split", "split_with_sizes")
def split(site: TorchPlace, a: Arguments) -> list[Value]:
    stated = a.get("split_size", a.get("split_sizes"))
    count = site.channels(site.any(a["self"]))
    if isinstance(stated, list):
        return parts(site, a["self"], a["dim"], stated)
    size = stated if isinstance(stated, int) else -(-count // a["chunks"])
    return parts(site, a["self"], a["dim"], [min(size, count - start) for start in range(0, count, size)])


@reads("slice")
def slice_(site: TorchPlace, a: Arguments) -> Any:
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
def narrow(site: TorchPlace, a: Arguments) -> Any:
    only(isinstance(a["start"], int), "its start is computed")
    stop = a["start"] + a["length"]
    return slice_(site, {**a, "end": stop or None if a["start"] < 0 else stop, "step": 1})


@reads("getitem")
def getitem(site: TorchPlace, a: Arguments) -> Any:
    whole, place = a["0"], a["1"]
    if isinstance(whole, Value) and place == 0:
        return whole
    if not isinstance(whole, list):
        raise No("it takes a part of what has none")
    # programs name what a layer gives besides its result, though nobody takes it up
    only(place < len(whole) or not site.used, "it takes a further output of a layer: statistics, or places of maxima")
    return whole[place] if place < len(whole) else None
