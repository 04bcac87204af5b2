"""Shapes as papers write them: `h × w × c`, or `c` alone for a vector. The batch is never part of a shape."""

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

Shape = tuple[int, ...]
"""(h, w, c) of a feature map, or (c,) of a vector."""

AnyShape = Annotated[Shape, Field(min_length=1, max_length=3)]

NumberType = Literal["fp32", "fp16", "int8"]
"""How a number is stored while a network runs."""
BYTES: dict[NumberType, int] = {"fp32": 4, "fp16": 2, "int8": 1}
"""of one number"""


class Padding(NamedTuple):
    """Rows and columns added on each side, in pixels."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def symmetric(self) -> bool:
        return self.top == self.bottom and self.left == self.right


COLOURS, SIDE = 4, 16
"""An image has few channels, and no side of it is as short."""


def channels_first(shape: Shape) -> bool:
    """Whether an input reads like one with its channels before its sides: 3×224×224, 64×32×32, 3×224×320."""
    if len(shape) != 3:
        return False
    first, *sides = shape
    return first not in sides and (sides[0] == sides[1] or (first <= COLOURS and min(sides) >= SIDE))


def channels_last(shape: Shape) -> Shape:
    """The same with its first side last: 3×224×224 as 224×224×3."""
    return (*shape[1:], shape[0])


def shape_text(shape: Shape) -> str:
    """`(14, 14, 96)` as `14×14×96`."""
    return "×".join(map(str, shape))
