"""Joins: what makes one tensor of the branches of a fork."""

from typing import ClassVar, Literal

from archspec.ops.base import Family, Misfit, Op, Placement
from archspec.tensor import Shape, shape_text


class Join(Op):
    """Takes all branches of the fork before it."""

    arity: ClassVar[int | None] = None
    family: ClassVar[Family] = "join"


class Add(Join):
    """Sum of tensors of one shape."""

    kind: Literal["add"] = "add"

    def infer(self, *inputs: Shape) -> Shape:
        for position, other in enumerate(inputs[1:], 1):
            if other != inputs[0]:
                reason = f"cannot add {shape_text(inputs[0])} and {shape_text(other)}"
                raise Misfit(reason, differing(inputs[0], other), (0, position))
        return inputs[0]

    def placement(self, *inputs: Shape) -> Placement:
        return "over"


class Mul(Join):
    """Product; a side or a channel count of 1 is spread over the others' (squeeze-and-excitation: 1×1×c)."""

    kind: Literal["mul"] = "mul"

    def infer(self, *inputs: Shape) -> Shape:
        out = inputs[0]
        for position, other in enumerate(inputs[1:], 1):
            if not spreads(out, other):
                first = next(i for i, one in enumerate(inputs) if not spreads(one, other))
                reason = f"cannot multiply {shape_text(inputs[first])} and {shape_text(other)}"
                raise Misfit(reason, differing(inputs[first], other, spread=True), (first, position))
            out = tuple(map(max, out, other))
        return out

    def placement(self, *inputs: Shape) -> Placement:
        return "over"


class Concat(Join):
    """The channels of all branches, one after the other."""

    kind: Literal["concat"] = "concat"

    def infer(self, *inputs: Shape) -> Shape:
        for position, other in enumerate(inputs[1:], 1):
            if other[:-1] != inputs[0][:-1]:
                reason = f"cannot concatenate {shape_text(inputs[0])} and {shape_text(other)}: their sides differ"
                raise Misfit(reason, differing(inputs[0][:-1], other[:-1]), (0, position))
        return (*inputs[0][:-1], sum(shape[-1] for shape in inputs))


def spreads(one: Shape, other: Shape) -> bool:
    """Whether two shapes are the same except for sides of 1."""
    return len(one) == len(other) and not any(a != b and 1 not in (a, b) for a, b in zip(one, other, strict=True))


def differing(one: Shape, other: Shape, spread: bool = False) -> str:
    """The sides in which two shapes differ, `height 14 ≠ 7`; those of 1 are not among them where they are spread."""
    if len(one) != len(other):
        return "one is a map, the other a vector"
    names = ("height", "width", "channels")[: len(one)] if len(one) > 1 else ("length",)
    sides = [(name, a, b) for name, a, b in zip(names, one, other, strict=True) if a != b]
    return ", ".join(f"{name} {a} ≠ {b}" for name, a, b in sides if not (spread and 1 in (a, b)))
