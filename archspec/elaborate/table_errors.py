"""Mistakes of tables and of the rules that read them."""

from typing import ClassVar

from archspec.diagnostics import Diagnostic, Label, did_you_mean, nearest
from archspec.source import Span


class UnknownColumn(Diagnostic, frozen=True):
    """A header that the table does not have."""

    code: ClassVar[str] = "unknown-column"
    name: str
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"the table has no column `{self.name}`"

    @property
    def help(self) -> str | None:
        return did_you_mean(self.name, self.known)


class UnreadOperator(Diagnostic, frozen=True):
    """No `read` rule matches an operator cell.

    A rule's pattern is matched against the whole cell; `{name}` is a hole that takes one number, word or mark. A rule
    with a guard matches only where its `when` holds.
    """

    code: ClassVar[str] = "unread-operator"
    text: str
    patterns: tuple[str, ...]
    guarded: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        return f"no rule reads `{self.text}`"

    @property
    def help(self) -> str | None:
        if self.guarded:
            return "its guard does not hold: " + ", ".join(f'`"{pattern}"`' for pattern in self.guarded)
        near = nearest(self.text, self.patterns)
        if near is None:
            return f'say what it means: `read "{self.text}" = …`'
        hole = "; a hole takes one number, one word or one mark" if "{" in near else ""
        return f'the nearest rule reads "{near}"{hole}'


class AmbiguousOperator(Diagnostic, frozen=True):
    """Two `read` rules match an operator cell, and neither is more specific.

    The rule with more letters of its own wins; of the same number, the one with a guard.
    """

    code: ClassVar[str] = "ambiguous-operator"
    text: str
    rules: tuple[Span, ...]

    @property
    def message(self) -> str:
        return f"{len(self.rules)} rules read `{self.text}`, and none is more specific"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.primary), *(Label(rule, "matches") for rule in self.rules))


class Unsolved(Diagnostic, frozen=True):
    """`infer` finds no value that gives the row's output."""

    code: ClassVar[str] = "unsolved"
    name: str
    reason: str

    @property
    def message(self) -> str:
        return f"cannot infer `{self.name}`: {self.reason}"


class BadCell(Diagnostic, frozen=True):
    """A cell of a role that wants a shape or a number holds something else."""

    code: ClassVar[str] = "bad-cell"
    text: str
    wanted: str

    @property
    def message(self) -> str:
        return f"`{self.text}` is no {self.wanted}"

    @property
    def help(self) -> str:
        return (
            "shapes: `224²×3`, `56×56`, `1×1×k`"
            if self.wanted == "shape"
            else "numbers: `3_504_872`, `3.4M`, `1.8×10^9`"
        )


class WeightKey(Diagnostic, frozen=True):
    """A `weights` clause does not give every tensor a name of its own.

    Each tensor needs a rule that matches the path of its node; of several that do, the one with more letters of its own
    wins. Two tensors cannot have one key.
    """

    code: ClassVar[str] = "weight-key"
    reason: str

    @property
    def message(self) -> str:
        return self.reason
