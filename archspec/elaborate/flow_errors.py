"""Mistakes of shapes and of what flows from step to step."""

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from archspec.diagnostics import Diagnostic, Label
from archspec.elaborate.plan import Flow, Maker
from archspec.ops import AnyOp, Misfit
from archspec.source import Span
from archspec.tensor import Shape, shape_text


class ShapeMismatch(Diagnostic, frozen=True):
    """The tensors that an operator is given do not suit it.

    `add` wants one shape, `concat` one height and width; a window must fit into its map; channels must be multiples
    of groups. The caret is at the operator, with the arithmetic. Other labels are at the steps that made the shapes of
    what it is given, the last of each that made another shape, and at the row or step that asked for the operator.
    """

    code: ClassVar[str] = "shape-mismatch"
    what: str
    reason: str
    arithmetic: str
    inputs: tuple[Shape, ...]
    """those that do not suit it, or each other"""
    makers: tuple[Maker, ...]
    op: AnyOp
    given: dict[str, Span]
    """where the values of its arguments are written"""
    branches: tuple[Span, ...]
    """of the fork before it, those that the inputs are of"""
    names: tuple[tuple[str, int], ...]
    """what has a number as its value around the operator"""

    @property
    def message(self) -> str:
        return f"`{self.what}`: {self.reason}"

    @property
    def labels(self) -> tuple[Label, ...]:
        before = Maker(self.primary, "the pass before makes")
        makers = [before if maker.span == self.primary else maker for maker in self.makers]
        return Label(self.primary, self.arithmetic), *made(makers, self.inputs), *self.asked


def mismatch(
    op: AnyOp, flow: Flow, misfit: Misfit, span: Span, given: Mapping[str, Span], names: Mapping[str, object]
) -> ShapeMismatch:
    """What is wrong with an operator that is given a flow."""
    about = misfit.about or range(len(flow.shapes))
    inputs, makers = tuple(flow.shapes[i] for i in about), tuple(flow.makers[i] for i in about)
    branches = tuple(flow.branches[i] for i in about) if flow.branches else ()
    numbers = tuple((name, value) for name, value in names.items() if type(value) is int)
    return ShapeMismatch(
        span, op.kind, str(misfit), misfit.arithmetic, inputs, makers, op, dict(given), branches, numbers
    )


def made(makers: Iterable[Maker], shapes: Iterable[Shape]) -> Iterator[Label]:
    """At each maker, what it makes."""
    said: dict[Maker, list[str]] = {}
    for maker, shape in zip(makers, shapes, strict=True):
        text = shape_text(shape) if len(shape) > 1 else f"a vector of {shape_text(shape)}"
        said.setdefault(maker, []).append(text)
    return (Label(maker.span, f"{maker.says} {' and '.join(dict.fromkeys(texts))}") for maker, texts in said.items())


class SignatureMismatch(Diagnostic, frozen=True):
    """A block's input or output is not what its signature states."""

    code: ClassVar[str] = "signature-mismatch"
    block: str
    side: str
    found: Shape
    stated: Shape
    signature: Span
    maker: Maker

    @property
    def message(self) -> str:
        return (
            f"the {self.side} of `{self.block}` is {shape_text(self.found)}, and its signature says "
            f"{shape_text(self.stated)}"
        )

    @property
    def labels(self) -> tuple[Label, ...]:
        stated = Label(self.signature, "stated here")
        return Label(self.primary), stated, *made([self.maker], [self.found]), *self.asked


class UnjoinedFork(Diagnostic, frozen=True):
    """A fork's branches are not joined.

    After a fork comes `add`, `mul` or `concat`, or a block that begins with one; after `split` comes a fork with as
    many branches as parts, or a join.
    """

    code: ClassVar[str] = "unjoined-fork"
    count: int

    @property
    def message(self) -> str:
        return f"{self.count} tensors arrive here, and this takes one" if self.count else "every branch is left out"

    @property
    def help(self) -> str:
        if not self.count:
            return "a fork needs one branch whose condition holds; `id` is one that changes nothing"
        return "join them first: `-> add`, `-> mul` or `-> concat`"


class NothingToJoin(Diagnostic, frozen=True):
    """`add`, `mul` or `concat` is given one tensor where no fork is before it.

    A fork whose conditions leave one branch is joined to that branch; without a fork the join is a slip, most often a
    forgotten `id`: `( conv(3, c) -> bn | id ) -> add`.
    """

    code: ClassVar[str] = "nothing-to-join"
    what: str

    @property
    def message(self) -> str:
        return f"`{self.what}` joins the branches of a fork, and one tensor arrives here"

    @property
    def help(self) -> str:
        return f"give it branches: `( … | id ) -> {self.what}`"


class WrongBranches(Diagnostic, frozen=True):
    """The fork after a `split` has not as many branches as there are parts."""

    code: ClassVar[str] = "wrong-branches"
    parts: int
    branches: int
    split: Maker

    @property
    def message(self) -> str:
        return f"this fork has {self.branches} branches, and the split before it gives {self.parts} parts"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (
            Label(self.primary, f"{self.branches} branches"),
            Label(self.split.span, f"{self.parts} parts"),
            *self.asked,
        )


class DeadStep(Diagnostic, frozen=True):
    """A step computes a tensor that leads to no output of the network.

    `@name` begins anew with the tensor of that name, so what stands before it must have a name of its own that is taken
    up again, or be joined: `( id | @skip ) -> concat`. Steps that only an output of training needs stand in the clause
    of that output: a body and a table are computed in evaluation too.
    """

    code: ClassVar[str] = "dead-step"
    path: str
    training: bool = False
    """whether it leads to outputs of training"""

    @property
    def message(self) -> str:
        return f"what `{self.path}` computes leads to no output" + (
            " except those of training" if self.training else ""
        )

    @property
    def help(self) -> str:
        if self.training:
            return "move it into the clause of the output: `output aux = @name -> … in training`"
        return "join it, `( id | @name ) -> concat`, or name it and take it up again"
