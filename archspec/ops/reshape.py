"""What moves values without computing: flattening, padding, slicing, shuffling, scaling up. And the input."""

from fractions import Fraction
from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from archspec.ops.base import (
    Amount,
    Count,
    Extent,
    Misfit,
    Op,
    Placement,
    Real,
    Sides,
    Sight,
    explicit_padding,
    feature_map,
    pair,
    refuse_remainder,
)
from archspec.tensor import AnyShape, Shape


class Input(Op):
    """The image that the network is given."""

    arity: ClassVar[int | None] = 0

    kind: Literal["input"] = "input"
    shape: AnyShape
    """h×w×c"""

    def infer(self, *inputs: Shape) -> Shape:
        return self.shape


class Flatten(Op):
    """A map h×w×c as one vector."""

    positional: ClassVar[tuple[str, ...]] = ("order",)

    kind: Literal["flatten"] = "flatten"
    order: Literal["chw", "hwc"] = "chw"
    """what varies slowest, and then the others: `chw` counts by channels, rows, columns (PyTorch), `hwc` by rows,
    columns, channels (TensorFlow)"""

    def infer(self, *inputs: Shape) -> Shape:
        return (prod(inputs[0]),)

    def placement(self, *inputs: Shape) -> Placement:
        # maps lie channel by channel; counted by pixels, only a single channel or a single pixel lies as it should
        moves = self.order == "hwc" and inputs[0][-1] > 1 and prod(inputs[0][:-1]) > 1
        return "own" if moves else "view"

    def sight(self, *inputs: Shape) -> Sight | None:
        return None


class Pad(Op):
    """Constant rows and columns around the map."""

    positional: ClassVar[tuple[str, ...]] = ("amount",)

    kind: Literal["pad"] = "pad"
    amount: Amount | tuple[Amount, Amount] | Sides
    """pixels on every side, (vertical, horizontal), or (top, bottom, left, right)"""
    value: Real = 0.0
    """what they hold"""

    def infer(self, *inputs: Shape) -> Shape:
        height, width, channels = feature_map(inputs[0])
        pads = explicit_padding(self.amount)
        return (height + pads.top + pads.bottom, width + pads.left + pads.right, channels)


class Split(Op):
    """One of `parts` equal parts of the channels; the fork after a `split` gives each branch its own."""

    positional: ClassVar[tuple[str, ...]] = ("parts",)

    kind: Literal["split"] = "split"
    parts: Count = 2
    """how many parts"""
    index: Amount = 0
    """which part this is; set by the branch"""

    def infer(self, *inputs: Shape) -> Shape:
        refuse_remainder(inputs[0][-1], "input", self.parts, "parts")
        if self.index >= self.parts:
            raise Misfit(f"there is no part {self.index} of {self.parts}", f"{self.index} < {self.parts} does not hold")
        return (*inputs[0][:-1], inputs[0][-1] // self.parts)

    def placement(self, *inputs: Shape) -> Placement:
        return "view"


class Slice(Op):
    """The channels from `start` up to, and without, `stop`."""

    positional: ClassVar[tuple[str, ...]] = ("start", "stop")

    kind: Literal["slice"] = "slice"
    start: Amount
    """first channel, from 0"""
    stop: Count
    """the channel after the last"""

    def infer(self, *inputs: Shape) -> Shape:
        if not self.start < self.stop <= inputs[0][-1]:
            reason = f"there are no channels {self.start} to {self.stop} among {inputs[0][-1]}"
            raise Misfit(reason, f"{self.start} < {self.stop} ≤ {inputs[0][-1]} does not hold")
        return (*inputs[0][:-1], self.stop - self.start)

    def placement(self, *inputs: Shape) -> Placement:
        return "view"


class Shuffle(Op):
    """Channel shuffle: channel `g·n + i` of n in each group goes to `i·groups + g` (ShuffleNet, arXiv:1707.01083)."""

    positional: ClassVar[tuple[str, ...]] = ("groups",)

    kind: Literal["shuffle"] = "shuffle"
    groups: Count = 2
    """how many groups are dealt out"""

    def infer(self, *inputs: Shape) -> Shape:
        refuse_remainder(feature_map(inputs[0])[2], "input", self.groups, "groups")
        return inputs[0]


class Upsample(Op):
    """The map enlarged by a whole factor: h×w×c to (scale·h)×(scale·w)×c."""

    positional: ClassVar[tuple[str, ...]] = ("scale",)

    kind: Literal["upsample"] = "upsample"
    scale: Annotated[Extent, Field(default=2)]
    """factor of height and width"""
    mode: Literal["nearest", "bilinear"] = "nearest"
    """`bilinear` takes pixel centres at half positions and repeats the edge (PyTorch's align_corners=False)"""

    def infer(self, *inputs: Shape) -> Shape:
        height, width, channels = feature_map(inputs[0])
        vertical, horizontal = pair(self.scale)
        return (height * vertical, width * horizontal, channels)

    def sight(self, *inputs: Shape) -> Sight | None:
        vertical, horizontal = pair(self.scale)
        taps = 2 if self.mode == "bilinear" else 1
        return (min(taps, vertical), min(taps, horizontal)), (Fraction(1, vertical), Fraction(1, horizontal))
