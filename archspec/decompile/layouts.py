"""Tensors of a framework as values of a flat Graph: how each lays out its dimensions, and what reshapes do to that.

Frameworks that put channels first turn and reshape tensors where the language needs nothing: channels moved last for a
linear layer, a map of one pixel as a vector and back. Such steps are not operators: they only lay a value out anew.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, TypeVar

from msgspec import Struct
from pydantic import ValidationError

from archspec import ops
from archspec.decompile.model import Builder, Module, Tensor
from archspec.ops import AnyOp
from archspec.tensor import Shape, shape_text

T = TypeVar("T")
Layout = Literal["chw", "hwc", "flat"]
CHANNELS: dict[Layout, int] = {"chw": 1, "hwc": 3, "flat": 1}
"""The dimension of the channels; the batch is dimension 0."""
TURNS: dict[tuple[Layout, tuple[int, ...]], Layout] = {("chw", (0, 2, 3, 1)): "hwc", ("hwc", (0, 3, 1, 2)): "chw"}


class No(Exception):
    """An operator has no exact form in the language; the text says why."""


def refused(error: "No | ValidationError") -> str:
    """Why an operator cannot be written; pydantic refuses attributes that the language's operator cannot have."""
    return str(error) if isinstance(error, No) else f"no operator supports its attributes ({message(error)})"


def message(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'][:1]))}: {first['msg']}".lower()


class Restart(Exception):
    """The model is read anew, with more that is known."""


def settled(attempt: Callable[[], T]) -> T:
    """What an attempt to read a model gives that needs no further one."""
    while True:
        with suppress(Restart):
            return attempt()


def only(holds: bool, why: str) -> None:
    """Raise `No` unless something holds."""
    if not holds:
        raise No(why)


class Value(Struct, frozen=True):
    """The value of a node, and how a tensor lays it out: N×c×h×w, N×h×w×c or N×c."""

    path: str
    layout: Layout
    flattened: frozenset[str] = frozenset()
    """of a vector, the flattenings of one pixel that it came through"""


class Pending(Struct, frozen=True):
    """A tensor that is not yet a value of the language, on its way to one."""

    base: Value

    @property
    def refusal(self) -> No:
        """Why it is not a value."""
        return No("its input is not a tensor of the language")

    def sides(self, site: "Site") -> tuple[int, ...]:
        """Its sides, without the batch; raises `No`."""
        raise No("what it is given is not a tensor of the language")

    def reshaped(self, site: "Site", out: tuple[int, ...]) -> Any:
        """What it is in another shape, without the batch; raises `No`."""
        raise No(f"it makes {shape_text(out)} of a tensor that is not in the language")

    def turned(self, order: tuple[int, ...]) -> "Pending":
        """What it is with its dimensions in another order; raises `No`."""
        raise self.refusal


class InfinitePad(Pending, frozen=True):
    """A map with minus infinity around it, which a maximum never sees."""

    pads: tuple[int, int, int, int]


class Groups(Pending, frozen=True):
    """A map whose channels lie in groups; one group is a volume as deep as the map has channels."""

    count: int

    def sides(self, site: "Site") -> tuple[int, ...]:
        channels, *others = site.laid(self.base)
        return (self.count, channels // self.count, *others)

    def turned(self, order: tuple[int, ...]) -> Pending:
        return DealtGroups(self.base, self.count) if order == (0, 2, 1, 3, 4) else super().turned(order)


class DealtGroups(Pending, frozen=True):
    """Groups of channels, the first of each group before the second ones."""

    count: int

    def sides(self, site: "Site") -> tuple[int, ...]:
        channels, *others = site.laid(self.base)
        return (channels // self.count, self.count, *others)

    def reshaped(self, site: "Site", out: tuple[int, ...]) -> Any:
        if out == site.laid(self.base):
            return site.add(ops.Shuffle(groups=self.count), [self.base])
        return super().reshaped(site, out)


class Bands(Pending, frozen=True):
    """Groups of channels, each with all its numbers in a row."""

    count: int

    def sides(self, site: "Site") -> tuple[int, ...]:
        return (self.count, prod(site.laid(self.base)) // self.count)


class PixelColumn(Bands, frozen=True):
    """The channels of a map of one pixel, one below the other."""

    def reshaped(self, site: "Site", out: tuple[int, ...]) -> Any:
        own = site.laid(self.base)
        return self.base if out == own else site.pixel(self.base) if out == own[:1] else super().reshaped(site, out)


class NormalBands(Bands, frozen=True):
    """Groups of channels, each brought to mean 0 and variance 1."""

    eps: float

    def reshaped(self, site: "Site", out: tuple[int, ...]) -> Any:
        if out == site.laid(self.base):
            made = ops.GroupNorm(groups=self.count, eps=self.eps, scale=False, shift=False)
            return site.add(made, [self.base])
        return super().reshaped(site, out)


class Lost(Struct, frozen=True):
    """A tensor that is computed by something that cannot be written."""


@dataclass(slots=True)
class Reading:
    """What is known while a model is read."""

    builder: Builder
    undone: set[str]
    """flattenings of one pixel that are undone later: they change nothing"""


class Site(Struct, frozen=True):
    """Where one operator of a source is read."""

    reading: Reading
    key: str
    """its name, unlike all others"""
    modules: Sequence[Module]

    def shape(self, x: Value) -> Shape:
        return self.reading.builder.shapes[x.path]

    def channels(self, x: Value) -> int:
        return self.shape(x)[-1]

    def laid(self, x: Value) -> tuple[int, ...]:
        """The sides of a value's tensor, without the batch."""
        shape = self.shape(x)
        if x.layout == "flat":
            return (shape[-1],)
        return (shape[-1], *shape[:-1]) if x.layout == "chw" else shape

    # ---- what an operator is given ----

    def any(self, x: Any) -> Value:
        """A value of the language; raises `No`."""
        if isinstance(x, Value):
            return x
        if isinstance(x, Pending):
            raise x.refusal
        raise No("its input is not a tensor of the language")

    def map(self, x: Any) -> Value:
        """A map N×c×h×w; raises `No`."""
        found = self.any(x)
        only(found.layout == "chw", "its input is not a map N×c×h×w")
        return found

    def first(self, x: Any) -> Value:
        """A value whose channels are dimension 1; raises `No`."""
        found = self.any(x)
        only(found.layout != "hwc", "its channels are not dimension 1")
        return found

    def last(self, x: Any) -> Value:
        """A value whose channels are its last dimension; raises `No`."""
        found = self.any(x)
        only(found.layout != "chw", "it works on the last dimension, which is the width")
        return found

    def alike(self, several: Sequence[Any]) -> list[Value]:
        """Values of one layout; raises `No`."""
        found = [self.any(x) for x in several]
        only(len({x.layout for x in found}) == 1, "its inputs have their dimensions in different orders")
        return found

    def along(self, x: Value, dimension: int) -> bool:
        """Whether a dimension is that of the channels."""
        return dimension % (2 if x.layout == "flat" else 4) == CHANNELS[x.layout]

    # ---- what it becomes ----

    def add(self, op: AnyOp, inputs: Sequence[Value], layout: Layout | None = None, **tensors: Tensor | None) -> Value:
        """An operator of the language on values, with its tensors."""
        builder = self.reading.builder
        held: Mapping[str, Tensor] = {name: tensor for name, tensor in tensors.items() if tensor is not None}
        try:
            path = builder.add(op, [x.path for x in inputs], op.kind, self.modules, held)
        except ops.Misfit as misfit:
            raise No(f"as `{op.kind}`: {misfit}") from None
        laid: Layout = layout or inputs[0].layout
        if len(builder.shapes[path]) == 1:
            laid = "flat"
        came = frozenset[str]().union(*(x.flattened for x in inputs)) if laid == "flat" else frozenset[str]()
        return Value(path, laid, came)

    def amended(self, x: Value, attribute: str, tensor: str, held: Tensor) -> Value:
        """The operator of a value once more, with one tensor more; nothing takes the first one any more."""
        builder = self.reading.builder
        node = next(node for node in reversed(builder.nodes) if node.path == x.path)
        op = node.op.model_copy(update={attribute: True})
        tensors = {name: t for key, t in builder.tensors.items() if (name := own_name(key, node.path))} | {tensor: held}
        path = builder.add(op, node.inputs, op.kind, self.modules, tensors)
        return Value(path, x.layout, x.flattened)

    def pixel(self, x: Value) -> Value:
        """A map of one pixel as a vector; where that is undone later, nothing happens."""
        if self.key in self.reading.undone:
            return Value(x.path, "flat", frozenset({self.key}))
        made = self.add(ops.Flatten(), [x], "flat")
        return Value(made.path, "flat", frozenset({self.key}))

    def unpixel(self, x: Value) -> Value:
        """A vector as a map of one pixel: the step that flattened it is left out."""
        if len(self.shape(x)) == 3:
            return Value(x.path, "chw")
        only(bool(x.flattened - self.reading.undone), "it makes a map of a vector")
        self.reading.undone |= x.flattened
        raise Restart

    def reshaped(self, x: Any, out: tuple[int, ...]) -> Any:
        """A tensor in another shape, without the batch; raises `No` where that is not a value of the language."""
        if isinstance(x, Pending):
            return x.reshaped(self, out)
        given = self.any(x)
        own = self.laid(given)
        if out == own:
            return given
        match given.layout, len(out):
            case "flat", 3 if out[1:] == (1, 1):
                return self.unpixel(given)
            case "chw", 1 if own[1:] == (1, 1):
                return self.pixel(given)
            case "chw", 1:
                return self.add(ops.Flatten(), [given], "flat")
            case "hwc", 1:
                return self.add(ops.Flatten(order="hwc"), [given], "flat")
            case "chw", 4 if out[0] * out[1] == own[0] and out[2:] == own[1:]:
                # the groups of a shuffle, or the channels as depth of a volume
                return Groups(given, out[0])
            case "chw", 2 if own[1:] == (1, 1) and out == (own[0], 1):
                return PixelColumn(given, own[0])
            case "chw" | "flat", 2 if out[0] * out[1] == prod(own) and own[0] % out[0] == 0:
                return Bands(given, out[0])
        raise No(f"it makes {shape_text(out)} of {shape_text(own)}")

    def turned(self, x: Any, order: tuple[int, ...]) -> Any:
        """A tensor with its dimensions in another order; raises `No`."""
        if order == tuple(range(len(order))):
            return x
        if isinstance(x, Pending):
            return x.turned(order)
        given = self.any(x)
        layout = TURNS.get((given.layout, order))
        if layout is None:
            raise No(f"it turns the dimensions to {order}")
        return Value(given.path, layout)


def own_name(tensor: str, path: str) -> str:
    """What a tensor is called within its node; empty where it is of another."""
    node, _, name = tensor.rpartition(".")
    return name if node == path else ""


def output_path(builder: Builder, x: Value) -> str:
    """The path of an output: a map, or a vector that is one; raises `No`."""
    only(x.layout != "hwc", "it is neither N×c×h×w nor N×c")
    if x.layout == "flat" and len(builder.shapes[x.path]) == 3:
        return builder.add(ops.Flatten(), [x.path], "flatten")
    return x.path
