"""What a table and its checks claim, and the diagnostics for claims that do not hold."""

from collections.abc import Iterator
from typing import ClassVar

from msgspec.structs import replace

from archspec.diagnostics import Diagnostic, Label, Severity
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.tensor import Shape, shape_text

MOST_TOLERANCE = 100
"""In per cent. A claim that may be off by as much compares nothing."""
MOST_ROWS = 20
"""Rows that one message names."""


class ShapeClaim(Diagnostic, frozen=True):
    """The table says another shape than its rows give.

    Every Input (and Output) cell of a table is a claim, checked at the parameters' defaults. Where a change of one
    number, or an exchange in neighbouring rows, makes all of them hold, the caret is at that cell and the help says
    what it should be; one with which the checks of totals hold too goes first. Else the caret is at the claim.
    """

    code: ClassVar[str] = "shape-claim"
    giver: str
    """`row 5`, or `the input`"""
    claimer: str
    side: str
    found: Shape
    claimed: Shape
    """the whole shape: what the cell leaves out is as it was found"""
    claim: Span
    printed: Shape
    """the sides that the cell has"""

    @property
    def message(self) -> str:
        says = f"{self.claimer} says that its {self.side} is {shape_text(self.printed)}"
        return f"{self.giver} gives {shape_text(self.found)}, and {says}"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.claim, f"claims {shape_text(self.printed)}"),)

    @property
    def help(self) -> str | None:
        """Advice where the cell has its sides in another order."""
        turned = (self.claimed[1:] + self.claimed[:1]) == self.found and self.claimed != self.found
        return "the cell has the channels first; shapes are height × width × channels" if turned else None


class NumberClaim(Diagnostic, frozen=True):
    """A printed number of parameters or MACs is not what the network has.

    A number stands for all that round to it: `3.4M` for 3 350 000 up to 3 450 000; `300M ± 1%` for one per cent on
    either side. `0`, `0M` and `0.00B` stand for none at all. `params` are the trained ones, `macs` the
    multiply-accumulates of convolutions and linear layers.
    """

    code: ClassVar[str] = "number-claim"
    what: str
    of: str
    found: int
    claimed: t.Quantity

    @property
    def message(self) -> str:
        return f"{self.of} has {self.found:,} {self.what}, and this says {self.claimed.text}"

    @property
    def labels(self) -> tuple[Label, ...]:
        if not self.claimed.value:
            return (Label(self.primary, "none at all"),)
        low, high = interval(self.claimed)
        off = (self.found - self.claimed.value) / self.claimed.value
        return (Label(self.primary, f"from {low:,.0f} to {high:,.0f}; off by {off:+.2%}"),)

    @property
    def help(self) -> str | None:
        """Advice where so little was left of a number that nothing is compared."""
        return (
            None if self.claimed.value else "a number that was rounded to 0 claims nothing: leave it out, or write `-`"
        )


class VagueClaim(Diagnostic, frozen=True):
    """A claim that allows a number to be off by all of itself: nothing is compared.

    `± 100%` stands for everything from 0 to twice the number. A claim may be off by less than that.
    """

    code: ClassVar[str] = "vague-claim"
    claimed: t.Quantity

    @property
    def message(self) -> str:
        return f"`{self.claimed.text}` allows almost any number"

    @property
    def help(self) -> str:
        return "a claim may be off by less than 100 %, as in `300M ± 1%`"


class RuleCheck(Diagnostic, frozen=True):
    """The `check` of a `read` rule does not hold for a row that it reads."""

    code: ClassVar[str] = "rule-check"
    text: str
    rule: Span

    @property
    def message(self) -> str:
        return f"`{self.text}` does not hold for this row"

    @property
    def labels(self) -> tuple[Label, ...]:
        return Label(self.primary), Label(self.rule, "checked here")


class UnreadCell(Diagnostic, frozen=True):
    """A printed number that the rule of its row does not use, though other rules use its column.

    It may be a slip in the table, or the rule may forget it. Use it in the rule, state it with `check`, or give the
    column the role `note`. A column that a rule leaves unused is reported once, for all rows that the rule reads.
    """

    code: ClassVar[str] = "unread-cell"
    severity: ClassVar[Severity] = Severity.WARNING
    column: str
    rule: Span
    rows: tuple[int, ...]
    """the first of them"""
    others: int = 0
    """how many there are besides"""

    @property
    def message(self) -> str:
        if len(self.rows) == 1:
            return f"nothing reads `{self.column}` of row {self.rows[0]}"
        *most, last = (*self.rows, f"{self.others:,} more") if self.others else self.rows
        return f"nothing reads `{self.column}` of rows {', '.join(map(str, most))} and {last}"

    def of_another(self, row: int) -> "UnreadCell":
        """The same, and of one more row."""
        if len(self.rows) < MOST_ROWS:
            return replace(self, rows=(*self.rows, row))
        return replace(self, others=self.others + 1)

    @property
    def labels(self) -> tuple[Label, ...]:
        rule = "the rule that reads the row" if len(self.rows) == 1 else "the rule that reads these rows"
        return Label(self.primary), Label(self.rule, rule)


class NoClaims(Diagnostic, frozen=True):
    """`archspec check` has nothing to compare in a network.

    Its table has no column of shapes or numbers that can be compared, and there is no `check`. Compiling does not prove
    that it is the network of the paper.
    """

    code: ClassVar[str] = "no-claims"
    severity: ClassVar[Severity] = Severity.WARNING
    name: str

    @property
    def message(self) -> str:
        return f"nothing is compared: `{self.name}` makes no claim"

    @property
    def help(self) -> str:
        return "state what the paper prints: `check params = 3.5M`, or a column of shapes"


class StaleErratum(Diagnostic, frozen=True):
    """An erratum that mends nothing: the table holds as it is printed.

    An erratum is audited: without it some claim must fail.
    """

    code: ClassVar[str] = "stale-erratum"

    @property
    def message(self) -> str:
        return "without this erratum every claim holds as well"

    @property
    def help(self) -> str:
        return "delete it"


class UnknownPlace(Diagnostic, frozen=True):
    """An erratum names no cell, or several.

    A place is `"Table 1, row 4a, params"`: the table's name where there are several, then `row` with a number (from 1)
    or a word of its cells, then the column's header.
    """

    code: ClassVar[str] = "unknown-place"
    reason: str

    @property
    def message(self) -> str:
        return self.reason

    @property
    def help(self) -> str:
        return 'write it as "row 4, params", or "row inception (4a), params"'


def interval(quantity: t.Quantity) -> tuple[float, float]:
    """The numbers that a printed one stands for; 0 stands for itself, in whatever unit."""
    if quantity.tolerance is not None:
        margin = quantity.value * quantity.tolerance / 100
        return quantity.value - margin, quantity.value + margin
    half = quantity.resolution / 2 if quantity.resolution > 1 and quantity.value else 0.0
    return quantity.value - half, quantity.value + half


def compared(place: Span, what: str, of: str, found: int, claimed: t.Quantity) -> Iterator[Diagnostic]:
    """What is wrong with a claim of a number."""
    if claimed.tolerance is not None and claimed.tolerance >= MOST_TOLERANCE:
        yield VagueClaim(place, claimed)
    elif not number_holds(claimed, found):
        yield NumberClaim(place, what, of, found, claimed)


def number_holds(quantity: t.Quantity, found: int) -> bool:
    low, high = interval(quantity)
    rounding = (high - low) * 1e-9  # 32.7 · 1000 - 50 is not quite 32650
    return low - rounding <= found <= high + rounding


def shape_holds(claimed: tuple[int, ...], found: Shape) -> bool:
    """Three sides claim all, two height and width, one the length of a vector or both sides of a square map.

    A map of one pixel is a vector to those who print tables.
    """
    return full_shape(claimed, found) == (found if len(found) == 3 else (1, 1, *found))


def full_shape(claimed: tuple[int, ...], found: Shape) -> Shape:
    """The claimed shape with what it leaves out taken from the found one."""
    channels = found[-1]
    match claimed:
        case (_, _, _):
            return claimed
        case (height, width):
            return (height, width, channels)
        case (length,) if found == (1, 1, length):
            return found
        case (side,) if len(found) == 3:
            return (side, side, channels)
        case _:
            return (1, 1, *claimed)
