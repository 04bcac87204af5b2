"""Poolings. Padding is never seen by a maximum (it is −∞); an average says whether it counts it."""

from fractions import Fraction
from typing import ClassVar, Literal

from archspec.ops.base import Extent, Family, Flag, Misfit, Op, Sight, Window, feature_map, pair
from archspec.tensor import Shape


class Pool(Window):
    """A pooling window; its stride is its kernel unless given."""

    positional: ClassVar[tuple[str, ...]] = ("kernel", "stride")
    family: ClassVar[Family] = "pooling"

    stride: Extent | None = None
    """step of the window; its own size where not given"""
    ceil: Flag = False
    """let the last window hang over the bottom and right edge (it must begin inside the map or its left padding)"""

    @property
    def strides(self) -> tuple[int, int]:
        return pair(self.kernel if self.stride is None else self.stride)

    def steps(self, padded: int, reach: int, stride: int, before: int, size: int) -> int:
        if not self.ceil:
            return super().steps(padded, reach, stride, before, size)
        places = -(-(padded - reach) // stride) + 1
        return places - 1 if (places - 1) * stride >= size + before else places

    def infer(self, *inputs: Shape) -> Shape:
        height, width, channels = feature_map(inputs[0])
        pads = self.padding(height, width)
        reach_h, reach_w = self.reach
        high, wide = max(pads.top, pads.bottom), max(pads.left, pads.right)
        if high >= reach_h or wide >= reach_w:
            side, pad, reach = ("height", high, reach_h) if high >= reach_h else ("width", wide, reach_w)
            reason = "its padding is as wide as its window, so that a window would see nothing else"
            raise Misfit(reason, f"{side}: padding {pad} < window {reach} does not hold")
        return (*self.slide(inputs[0]), channels)


class MaxPool(Pool):
    """Largest value of the window: h×w×c to h'×w'×c."""

    kind: Literal["maxpool"] = "maxpool"


class AvgPool(Pool):
    """Mean of the window: h×w×c to h'×w'×c. Pixels that `ceil` adds beyond the padding never count."""

    kind: Literal["avgpool"] = "avgpool"
    dilation: Literal[1] = 1
    """an average has no dilation"""
    include_pad: Flag = True
    """count the padding's zeros (PyTorch's default) or leave them out (TensorFlow's SAME)"""


class GlobalAvgPool(Op):
    """Mean over the whole map: h×w×c to 1×1×c."""

    family: ClassVar[Family] = "pooling"

    kind: Literal["global_avgpool"] = "global_avgpool"

    def infer(self, *inputs: Shape) -> Shape:
        return (1, 1, feature_map(inputs[0])[2])

    def sight(self, *inputs: Shape) -> Sight | None:
        return None


class AdaptiveAvgPool(Op):
    """Mean over windows that part the map into `size`: h×w×c to size×c.

    Window i reaches from `floor(i·h/size)` to `ceil((i+1)·h/size)`: they overlap where size is not a divisor.
    """

    positional: ClassVar[tuple[str, ...]] = ("size",)
    family: ClassVar[Family] = "pooling"

    kind: Literal["adaptive_avgpool"] = "adaptive_avgpool"
    size: Extent
    """height and width of the output"""

    def infer(self, *inputs: Shape) -> Shape:
        return (*pair(self.size), feature_map(inputs[0])[2])

    def sight(self, *inputs: Shape) -> Sight | None:
        """That of its largest window; windows stand at equal steps on average."""
        sides = list(zip(inputs[0][:2], pair(self.size), strict=True))
        down, across = (max(-(-(i + 1) * side // n) - i * side // n for i in range(n)) for side, n in sides)
        return (down, across), (Fraction(*sides[0]), Fraction(*sides[1]))
