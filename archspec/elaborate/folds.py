"""What the rows of a network came to so far, and what their claims say that it should be.

A claim that fails does not stop a fold. It goes on with the computed shape, and beside it with the claimed one. What
follows from one slip holds in the second, so that the slip is reported once, and an independent one too.
"""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from itertools import islice

from msgspec import Struct

from archspec.diagnostics import Diagnostic, is_error
from archspec.elaborate.bodies import Tensors
from archspec.elaborate.inference import Inferred
from archspec.elaborate.numbering import Numbering
from archspec.elaborate.plan import Flow, Plan
from archspec.source import Span
from archspec.tensor import Shape


@dataclass(slots=True)
class Fold:
    """What the rows so far came to."""

    flow: Flow
    tensors: Tensors = field(default_factory=dict)
    numbering: Numbering | None = None
    plans: list[Plan] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    unread: dict[tuple[Span, str], int] = field(default_factory=dict)
    """by rule and column, where the diagnostics say that nothing reads cells of it"""
    giver: str = "the input"
    nodes: int = 0
    claims: int = 0
    """how many claims of the rows were compared"""
    refuted: int = 0
    """how many of shapes do not hold"""
    inferred: list[Inferred] = field(default_factory=list)
    read: set[int] = field(default_factory=set)
    """the numbers of the rows that are not left out"""
    before: dict[int, tuple[Flow, Tensors, int]] = field(default_factory=dict)
    """by the number of a row, what it was given as far as claims say; of the tensors, so many had names by then"""
    after: dict[int, Flow] = field(default_factory=dict)
    """by the identity of a table, what its last row gives"""
    supposed: "Fold | None" = None
    """the same fold, as if a claim that failed were right"""

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.diagnostics if is_error(d)]

    @property
    def likely(self) -> "Fold":
        """The fold that goes on as if the claims were right."""
        return self.supposed or self

    def trial(self, flow: Flow) -> "Fold":
        """One that goes on from another flow, and changes nothing here."""
        return Fold(flow, dict(self.tensors), copy(self.numbering), giver=self.giver)

    def given(self, number: int) -> tuple[Flow, Tensors] | None:
        """What a row was given, and the tensors that had names; None where the row was not read."""
        if number not in self.before:
            return None
        flow, tensors, count = self.before[number]
        return flow, dict(islice(tensors.items(), count))

    def suppose(self, flow: Flow | None) -> None:
        """Go on with the flow that a claim states, besides the computed one; with None, only with the computed one."""
        self.supposed = None if flow is None or flow.shapes == self.flow.shapes else self.trial(flow)

    def take_over(self) -> None:
        """Go on only with what is supposed, because what is computed fails."""
        assert self.supposed is not None
        self.flow, self.tensors, self.numbering = self.supposed.flow, self.supposed.tensors, self.supposed.numbering
        self.supposed = None


class Look(Struct, frozen=True):
    """What some rows by themselves come to."""

    errors: tuple[Diagnostic, ...]
    output: Shape
    params: int
    macs: int
    nodes: int

    def count(self, what: str) -> int:
        return self.params if what == "params" else self.macs


def independent(found: Iterable[Diagnostic], supposed: Iterable[Diagnostic]) -> list[Diagnostic]:
    """What is wrong whether or not the claims before it hold; warnings stay."""
    both = {(d.code, d.site) for d in supposed}
    return [d for d in found if not is_error(d) or (d.code, d.site) in both]
