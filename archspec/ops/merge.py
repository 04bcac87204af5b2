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
        for other in inputs[1:]:
            if other != inputs[0]:
                raise Misfit(f"cannot add {shape_text(inputs[0])} and {shape_text(other)}")
        return inputs[0]

    def placement(self, *inputs: Shape) -> Placement:
        return "over"


class Mul(Join):
    """Product; a side or a channel count of 1 is spread over the others' (squeeze-and-excitation: 1×1×c)."""

    kind: Literal["mul"] = "mul"

    def infer(self, *inputs: Shape) -> Shape:
        out = inputs[0]
        for other in inputs[1:]:
            if len(out) != len(other) or any(a != b and 1 not in (a, b) for a, b in zip(out, other, strict=True)):
                raise Misfit(f"cannot multiply {shape_text(out)} and {shape_text(other)}")
            out = tuple(map(max, out, other))
        return out

    def placement(self, *inputs: Shape) -> Placement:
        return "over"


class Concat(Join):
    """The channels of all branches, one after the other."""

    kind: Literal["concat"] = "concat"

    def infer(self, *inputs: Shape) -> Shape:
        for other in inputs[1:]:
            if other[:-1] != inputs[0][:-1]:
                raise Misfit(f"cannot concatenate {shape_text(inputs[0])} and {shape_text(other)}: their sides differ")
        return (*inputs[0][:-1], sum(shape[-1] for shape in inputs))
