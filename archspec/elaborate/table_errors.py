"""Mistakes of tables and of the rules that read them."""

import re
from typing import ClassVar

from archspec.diagnostics import Diagnostic, Label, Severity, SpecError, did_you_mean, first_here, similar
from archspec.elaborate.errors import DuplicateName
from archspec.lookalikes import notes
from archspec.source import Source, Span
from archspec.syntax import parse_cell
from archspec.tables import cells
from archspec.tables.table import Cell, shown
from archspec.tensor import Shape, channels_last, shape_text

TIMES = re.compile(r"[×xX](?![A-Za-z])")
COMPUTED = re.compile(r"[/+%]|\w\s*-|\*\*")


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
        parts = [header for header in self.known if re.fullmatch(rf"{re.escape(self.name)} [0-9]+", header)]
        if parts:
            return "the header spans several columns: " + ", ".join(f"`{header}`" for header in parts)
        return did_you_mean(self.name, self.known)


class SameColumns(DuplicateName, frozen=True):
    """Two columns of a table have one role, or give a variable of one name."""

    @property
    def message(self) -> str:
        return f"two columns are called `{self.name}`"

    @property
    def help(self) -> str:
        header = shown(self.primary.text)
        return f'rename one of them, or ignore it: `columns "{header}": note`'


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
        near = similar(self.text, self.patterns)
        if near is None:
            return f'say what it means: `read "{self.text}" = …`'
        more = ["a hole takes one number, one word or one mark"] if "{" in near else []
        return "; ".join([f'the nearest rule reads "{near}"', *more, *notes(near)])


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
    """`infer` finds no claim to solve from.

    A claim decides what `infer s` gives: the row's cell in a column with the role `output`, or the next row's cell in a
    column with the role `input`.
    """

    code: ClassVar[str] = "unsolved"
    name: str
    reason: str
    advice: str

    @property
    def message(self) -> str:
        return f"cannot infer `{self.name}`: {self.reason}"

    @property
    def help(self) -> str:
        return self.advice


class NoPattern(Diagnostic, frozen=True):
    """A cell fits none of the patterns of its column, and the rule of its row needs what they take.

    `columns "size": "{k}x{k}/{s}" or "{k}x{k}"` gives a column several patterns: the first that fits is taken, and the
    holes of the others are missing. A cell of a row that uses none of the holes may say anything.
    """

    code: ClassVar[str] = "no-pattern"
    text: str
    patterns: tuple[str, ...]

    @property
    def message(self) -> str:
        patterns = " nor ".join(f'`"{pattern}"`' for pattern in self.patterns)
        return f"`{self.text}` does not fit {patterns}"

    @property
    def help(self) -> str:
        return f'give the column another pattern: `"{self.patterns[-1]}" or "…"`'


class UnclearCell(Diagnostic, frozen=True):
    """A cell has two meanings, and archspec does not choose between them.

    `4k` is four times a parameter `k`, or four thousand; `7/2` is a quotient, or a kernel and a stride; `64-32` is a
    difference, or two widths; `256,512` is one number, or two. `3*3` is a size, as `3×3` is, and `1,024` a number.
    """

    code: ClassVar[str] = "unclear-cell"
    text: str
    meanings: tuple[str, str]
    advice: str | None
    pattern: str | None
    header: str = "HEADER"

    @property
    def message(self) -> str:
        return f"`{self.text}` may be {self.meanings[0]} or {self.meanings[1]}"

    @property
    def help(self) -> str:
        return self.advice or f'give its column a pattern, as in `columns "{self.header}": "{self.pattern}"`'


class TwoMeanings(Diagnostic, frozen=True):
    """One name means two things where it is used.

    A rule sees the holes of its pattern, the columns of its table, the parameters of its network or reading, and `h`
    and `w` of the row's input. None of them takes precedence: rename one of the two. `columns` renames a column.
    """

    code: ClassVar[str] = "two-meanings"
    name: str
    meanings: tuple[tuple[str, Span | None], ...]

    @property
    def message(self) -> str:
        return f"`{self.name}` is " + " and ".join(what for what, _ in self.meanings)

    @property
    def labels(self) -> tuple[Label, ...]:
        places = [Label(span, what) for what, span in self.meanings if span is not None and span != self.primary]
        used = "used here" if all(span != self.primary for _, span in self.meanings) else ""
        return Label(self.primary, used), *places

    @property
    def help(self) -> str:
        return "rename one of them"


class BadCell(Diagnostic, frozen=True):
    """A cell of a role that wants a shape or a number holds something else."""

    code: ClassVar[str] = "bad-cell"
    text: str
    wanted: str

    @property
    def message(self) -> str:
        return f"`{self.text}` is not a {self.wanted}"

    @property
    def help(self) -> str:
        if self.wanted != "shape":
            return "numbers: `3_504_872`, `3.4M`, `1.8×10^9`"
        return self.in_parentheses or "shapes: `224²×3`, `56×56`, `1×1×k`"

    @property
    def in_parentheses(self) -> str | None:
        """Advice where the cell is a shape once its computed sides stand in parentheses."""
        sides = [side.strip() for side in TIMES.split(cells.normalize(self.text))]
        text = " × ".join(f"({side})" if COMPUTED.search(side) else side for side in sides)
        try:
            found = parse_cell("shape_cell", Source("", text), 0, text)
        except SpecError:
            return None
        return f"a computed side needs parentheses: `{text}`" if len(found) <= 3 else None


class ChannelsFirst(Diagnostic, frozen=True):
    """The first Input cell has the channels first, and shapes are height × width × channels.

    A table that states its input so would be built 3 pixels high. Write the channels last, in the whole column;
    `archspec import` does that with errata. An `input` clause says that the first side really is the height; it is a
    warning there.
    """

    code: ClassVar[str] = "channels-first"
    claimed: Shape
    holds: bool = False
    """whether every claim of the tables holds with the channels last"""

    @property
    def message(self) -> str:
        height, _, channels = self.claimed
        return f"`{shape_text(self.claimed)}` is an input with a height of {height} and {channels} channels"

    @property
    def help(self) -> str:
        tried = "; with the channels last in every cell, all claims hold" if self.holds else ""
        meant = "`input " + " x ".join(map(str, self.claimed)) + f"` says that the height is {self.claimed[0]}"
        return f"shapes are height × width × channels: `{shape_text(channels_last(self.claimed))}`{tried}; {meant}"


class UnusualInput(ChannelsFirst, frozen=True):
    """An `input` clause that seems to have the channels first: it is taken at its word."""

    severity: ClassVar[Severity] = Severity.WARNING

    @property
    def help(self) -> str:
        return f"if that is the number of channels: `input {' x '.join(map(str, channels_last(self.claimed)))}`"


class NothingAbove(Diagnostic, frozen=True):
    """A mark stands for the cell above, and there is none, or it is empty.

    `"`, `〃`, `ditto` and their kin repeat the cell above, in any column. A mark below a `-` says `-`.
    """

    code: ClassVar[str] = "nothing-above"
    text: str

    @property
    def message(self) -> str:
        return f"`{self.text}` stands for the cell above, and nothing is written there"

    @property
    def help(self) -> str:
        return "write out what the cell says; one that says nothing is `-`"


def refuse_ditto(cell: Cell) -> None:
    """Raise `SpecError` for a mark that no cell above gives a meaning."""
    if cells.ditto(cell.text):
        raise SpecError([NothingAbove(cell.span, cell.shown)])


class WeightKey(Diagnostic, frozen=True):
    """A `weights` clause does not give every tensor a name of its own.

    Each tensor needs a rule that matches the path of its node; of several that do, the one with more letters of its own
    wins. Two tensors cannot have one key.
    """

    code: ClassVar[str] = "weight-key"
    reason: str
    first: Span | None = None
    """the other rule that gives the same"""

    @property
    def message(self) -> str:
        return self.reason

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.primary), *first_here(self.first))
