"""The steps on the way to a local response normalisation, which torch computes by an average over a volume."""

from typing import Any

from msgspec.structs import replace

from archspec import ops
from archspec.decompile.layouts import No, Pending, Site, Value, only
from archspec_torch.decompile.handlers.arguments import scalar
from archspec_torch.decompile.handlers.registry import Arguments, reads
from archspec_torch.decompile.walk import TorchPlace

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
        if self.size and not self.numbers and out in {own, (1, *own)}:
            return replace(self, whole=out == own)
        return super().reshaped(site, out)

    def then(self, position: int, number: float) -> "Response":
        """With the next one of its numbers; raises `No` where another is due."""
        only(self.whole and len(self.numbers) == position, NO_RESPONSE)
        return replace(self, numbers=(*self.numbers, number))


@reads("avg_pool3d")
def avg_pool3d(site: TorchPlace, a: Arguments) -> Response:
    x = a["self"]
    if not isinstance(x, Response) or x.size or a["divisor_override"] is not None:
        raise No("it is not a part of a local response normalisation")
    steps = list(a["stride"] or a["kernel_size"])
    steps = steps if len(steps) == 3 else steps * 3
    only({*steps, *a["kernel_size"][1:]} == {1} and not any(a["padding"]), NO_RESPONSE)
    return replace(x, size=a["kernel_size"][0])


@reads("pow")
def power(site: TorchPlace, a: Arguments) -> Any:
    if isinstance(a["self"], Response) and scalar(a["exponent"]):
        return a["self"].then(2, a["exponent"])
    raise No("it is not a part of a local response normalisation")


def normalized(site: TorchPlace, x: Value, base: Response) -> Value:
    """A value by the denominator, where that is of its own squares; raises `No`."""
    only(len(base.numbers) == 3, NO_RESPONSE)
    *around, before, after = base.pads
    squared = next(node for node in site.reading.builder.nodes if node.path == base.base.path)
    own = isinstance(squared.op, ops.Mul) and squared.inputs == (x.path, x.path)
    only(own and around == [0] * 4 and not base.value, NO_RESPONSE)
    size, (alpha, k, beta) = base.size, base.numbers
    only((before, after) == (size // 2, (size - 1) // 2) and size % 2 == 1, "no channel is in the middle of its window")
    made = ops.LocalResponseNorm(size=size, alpha=alpha / size, beta=float(beta), k=float(k))
    return site.add(made, [x])
