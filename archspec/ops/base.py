"""What every operator answers: its attributes, its shape rule, its weights, its cost.

An operator is a frozen pydantic model: the attributes are its fields, and the rules stand beside them. It knows
shapes (`h × w × c`, without the batch) and nothing of nodes, files or frameworks. A field that a spec may give
by place stands in `positional`, in that order.
"""

from collections.abc import Iterable
from fractions import Fraction
from math import prod
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from archspec.tensor import Padding, Shape, shape_text


class Says(Struct, frozen=True):
    """What an attribute's type allows, as a diagnostic says it."""

    text: str


Count = Annotated[int, Field(gt=0, le=2**31, strict=True), Says("a whole number from 1")]
Amount = Annotated[int, Field(ge=0, le=2**31, strict=True), Says("a whole number from 0")]
Real = Annotated[float, Field(allow_inf_nan=False, strict=True), Says("a number")]
Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True), Says("a number from 0 to 1")]
Flag = Annotated[bool, Field(strict=True), Says("true or false")]
Pair = tuple[Count, Count]
Extent = Count | Pair
"""A size in both directions, or `(height, width)`."""
Sides = tuple[Amount, Amount, Amount, Amount]
PadRule = Literal["same", "same_upper", "valid"] | Amount | tuple[Amount, Amount] | Sides
"""
`same`: `dilation·(k-1)//2` pixels on every side (PyTorch's habit); `same_upper`: as many as keep `ceil(size/stride)`,
the odd one at the bottom and right (TensorFlow's SAME); `valid`: none; a number: on every side; a pair: at top and
bottom, at left and right; four: top, bottom, left, right.
"""

Family = Literal[
    "convolution", "depthwise", "linear", "pooling", "normalisation", "activation", "join", "regularisation", "layout",
]  # fmt: skip
"""What kind of thing an operator is: what a picture colours it by."""
Sight = tuple[tuple[int, int], tuple[Fraction, Fraction]]
"""How much of its input one output pixel sees, in pixels down and across, and how far the next one is from it."""

Placement = Literal["own", "over", "view"]
"""
Where the output of an operator lies at inference: in memory of its `own`; it can be written `over` an input of its
shape, since each value depends on those at its own place alone; or it is a `view`: values of the input as they lie.
"""

Weights = dict[str, Shape]
"""Name of a tensor to its shape in the canonical layout."""


class Misfit(ValueError):
    """The inputs of an operator do not suit it; the text says how, lower case, without a full stop."""

    def __init__(self, reason: str, arithmetic: str = "", about: tuple[int, ...] = ()) -> None:
        super().__init__(reason)
        self.arithmetic = arithmetic
        """the sum that does not come out, with its numbers"""
        self.about = about
        """the inputs that it is about; all where none is said"""


class Op(BaseModel):
    """One operator with its attributes."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    positional: ClassVar[tuple[str, ...]] = ()
    arity: ClassVar[int | None] = 1
    """How many inputs it takes; None for a join, which takes one or more."""
    family: ClassVar[Family] = "layout"

    kind: str

    def infer(self, *inputs: Shape) -> Shape:
        """Output shape; raises `Misfit` when the inputs do not suit."""
        return inputs[0]

    def weights(self, *inputs: Shape) -> Weights:
        """Trainable tensors."""
        return {}

    def buffers(self, *inputs: Shape) -> Weights:
        """Tensors that are kept but not trained (running statistics)."""
        return {}

    def params(self, *inputs: Shape) -> int:
        """Number of trainable parameters."""
        return sum(map(prod, self.weights(*inputs).values()))

    def macs(self, *inputs: Shape) -> int:
        """Multiply-accumulates of one forward pass of one image."""
        return 0

    def sight(self, *inputs: Shape) -> Sight | None:
        """What an output pixel sees of the input; None where that is the whole map."""
        return (1, 1), (Fraction(1), Fraction(1))

    def placement(self, *inputs: Shape) -> Placement:
        """Where the output lies."""
        return "own"

    def attributes(self) -> dict[str, Any]:
        """The attributes that differ from their defaults."""
        return self.model_dump(exclude={"kind"}, exclude_defaults=True)


def feature_map(shape: Shape) -> tuple[int, int, int]:
    """The shape as `h, w, c`; raises `Misfit` for a vector."""
    if len(shape) != 3:
        raise Misfit(f"needs a feature map h×w×c, and its input is a vector of {shape_text(shape)}")
    height, width, channels = shape
    return height, width, channels


def refuse_remainder(number: int, what: str, parts: int, of: str) -> None:
    """Raise `Misfit` where a number of channels is not a multiple of a number of parts."""
    if number % parts:
        reason = f"the {number} {what} channels are not a multiple of {parts} {of}"
        raise Misfit(reason, f"{number} = {parts}·{number // parts} + {number % parts}")


def pair(extent: int | tuple[int, int]) -> tuple[int, int]:
    """An `Extent` as (height, width)."""
    return (extent, extent) if isinstance(extent, int) else extent


class Window(Op):
    """What convolutions and poolings share: a window that slides over the map."""

    kernel: Extent
    """height and width of the window"""
    pad: PadRule = "same"
    """rows and columns added around the map"""
    dilation: Extent = 1
    """step between the window's taps"""

    @property
    def reach(self) -> tuple[int, int]:
        """Pixels from the first tap of the window to the last, inclusive."""
        (kh, kw), (dh, dw) = pair(self.kernel), pair(self.dilation)
        return dh * (kh - 1) + 1, dw * (kw - 1) + 1

    @property
    def strides(self) -> tuple[int, int]:
        """Steps of the window, down and across."""
        raise NotImplementedError

    def sight(self, *inputs: Shape) -> Sight | None:
        down, across = self.strides
        return self.reach, (Fraction(down), Fraction(across))

    def padding(self, height: int, width: int) -> Padding:
        """The padding that `pad` means on a map of this size."""
        match self.pad:
            case "valid":
                return Padding(0, 0, 0, 0)
            case "same":
                (rh, rw) = self.reach
                return Padding((rh - 1) // 2, (rh - 1) // 2, (rw - 1) // 2, (rw - 1) // 2)
            case "same_upper":
                total = [
                    max(0, (-(-size // stride) - 1) * stride + reach - size)
                    for size, stride, reach in zip((height, width), self.strides, self.reach, strict=True)
                ]
                return Padding(total[0] // 2, -(-total[0] // 2), total[1] // 2, -(-total[1] // 2))
            case _:
                return explicit_padding(self.pad)

    def steps(self, padded: int, reach: int, stride: int, before: int, size: int) -> int:
        """How many places the window takes along one side."""
        return (padded - reach) // stride + 1

    def slide(self, shape: Shape) -> tuple[int, int]:
        """Height and width of the output."""
        height, width, _ = feature_map(shape)
        pads = self.padding(height, width)
        sides: list[int] = []
        down, across = (height, pads.top, pads.bottom), (width, pads.left, pads.right)
        for (size, before, after), reach, stride in zip((down, across), self.reach, self.strides, strict=True):
            total = size + before + after
            if reach > total:
                reason = f"its window of {reach} pixels does not fit into {total} (the map with its padding)"
                raise Misfit(reason, self.places(len(sides), size, before, after))
            sides.append(self.steps(total, reach, stride, before, size))
        return sides[0], sides[1]

    def places(self, axis: int, size: int, before: int, after: int) -> str:
        """How many places the window has along one side, where that is none."""
        kernel, dilation, stride = (pair(extent)[axis] for extent in (self.kernel, self.dilation, self.strides))
        pads = f"2·{before}" if before == after else f"{before} + {after}"
        reach = f"({dilation}·{kernel - 1} + 1)" if dilation > 1 else str(kernel)
        side = ("height", "width")[axis]
        return f"{side}: (map {size} + padding {pads} − window {reach}) / stride {stride} + 1 < 1"


def explicit_padding(amount: int | tuple[int, ...]) -> Padding:
    """A padding given in numbers: one, (vertical, horizontal), or (top, bottom, left, right)."""
    if isinstance(amount, int):
        return Padding(amount, amount, amount, amount)
    if len(amount) == 2:
        return Padding(amount[0], amount[0], amount[1], amount[1])
    return Padding(*amount)


def words(annotation: Any) -> set[str]:
    """The words that an annotation allows as values (`same`, `valid`, `nearest`)."""
    if get_origin(annotation) is Literal:
        return {word for word in get_args(annotation) if isinstance(word, str)}
    return set().union(*map(words, get_args(annotation)))


def allowed(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """What an annotation allows, in words: `a whole number from 1, or 2 of them joined by `x``."""
    for item in metadata:
        if isinstance(item, Says):
            return item.text
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return allowed(arguments[0], arguments[1:])
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in arguments)
    if get_origin(annotation) is tuple:
        return f"{len(arguments)} of them joined by `x`"
    return ", or ".join(allowed(choice) for choice in arguments if choice is not type(None))
