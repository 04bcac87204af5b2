"""Suggestions that solve: for an error in a table, the change of one number in a cell, or the exchange of cells or rows
beside each other, with which it is gone and nothing else is wrong. Every suggestion is tried out before it is made.

A change is tried on the rows around it first, which is cheap, and then on the whole network. What a cell might have
said is tried in the order in which it is likely: what the claims ask for, what stands beside it, what the numbers of
parameters and MACs can be solved for, slips of the hand.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from archspec.diagnostics import Diagnostic, Edit, Label, Suggestion
from archspec.elaborate.changes import CHANGED, Change, numbers, overrides, swapped
from archspec.elaborate.claims import NumberClaim, RuleCheck, ShapeClaim, interval
from archspec.elaborate.errors import BadArgument
from archspec.elaborate.flow_errors import ShapeMismatch, SignatureMismatch
from archspec.elaborate.inference import USUAL
from archspec.elaborate.table_errors import UnreadOperator, Unsolved
from archspec.elaborate.table_rows import Overrides, TableRow, overridden
from archspec.source import Span
from archspec.tables import cells
from archspec.tables.table import Cell
from archspec.tensor import Shape, shape_text

MOST_ERRORS, MOST_ROWS, MOST_TRIALS, MOST_LOOKS = 6, 200, 160, 5000
"""Beyond these the search would take longer than a reader waits: trials are of the network, looks of two rows."""
MOST_TIMES = 16
"""What is repeated is not tried so many times more often."""
FEW = 3
"""Exchanges are tried around so many rows."""
SHOWN = 2
"""Suggestions that are made of one error."""
STRIDES, LARGEST = (1, 2, 3, 4), 1 << 14
REACH = 3
"""A change of channels is felt so many rows below at most."""
MISPRINTS = (
    ShapeClaim, NumberClaim, RuleCheck, ShapeMismatch, SignatureMismatch, Unsolved, UnreadOperator, BadArgument,
)  # fmt: skip
"""Mistakes that a misprint makes."""
EXACT = 1e-4
"""Of a printed number, how far its bounds may be apart for others to be solved for."""


class Look(Struct, frozen=True):
    """What some rows by themselves come to."""

    errors: tuple[Diagnostic, ...]
    output: Shape
    params: int
    macs: int
    nodes: int

    def count(self, what: str) -> int:
        return self.params if what == "params" else self.macs


class Bench(Struct, frozen=True):
    """How changes are tried."""

    trial: Callable[[Overrides], list[Diagnostic]]
    """everything that is wrong with the network when some cells are read otherwise"""
    look: Callable[[int, int, Overrides], Look | None]
    """what the rows from one position to another come to by themselves; None where nobody knows what they are given"""


def suggested(errors: list[Diagnostic], rows: list[TableRow], bench: Bench) -> list[Diagnostic]:
    """The errors with what would mend them; those that are gone with an earlier one are left out."""
    if len(errors) > MOST_ERRORS or len(rows) > MOST_ROWS:
        return errors
    done: list[Diagnostic] = []
    computed = {identity(error): error for error in errors}
    said: set[tuple[str, str, int]] = set()
    mended: dict[Span, Cell] = {}
    hopeless, looks, trials = False, 0, 0
    while errors:
        first, *errors = sorted(errors, key=lambda error: not isinstance(error, ShapeClaim))
        said.add(identity(first))
        search = Search(first, [first, *errors], overridden(rows, mended), bench, mended, looks, trials)
        skipped = not isinstance(first, MISPRINTS) or (hopeless and first in search.totals)
        found = [] if skipped else search.best()
        hopeless = hopeless or (not found and first in search.totals)
        looks, trials = search.looks, search.trials
        # with what was mended before, other numbers are found; what is said is what the table as it is comes to
        first = computed.get(identity(first), first)
        if found:
            first = replace(first, suggestions=tuple(map(search.suggestion, found)))
            mended |= overrides(found[0])
            errors = [error for error in bench.trial(mended) if identity(error) not in said]
        done.append(replace(first, primary=found[0][0].span) if found and isinstance(first, ShapeClaim) else first)
    return done


def identity(error: Diagnostic) -> tuple[str, str, int]:
    return error.code, error.site.source.name, error.site.start


def positions(error: Diagnostic, rows: Sequence[TableRow]) -> list[int]:
    """The rows that an error is about, the likeliest culprit first; all where it is about the whole network."""
    spans = [error.site, *(frame.span for frame in error.stack)]
    at = next((i for i, row in enumerate(rows) for span in spans if within(span, row)), None)
    if at is None:
        return list(range(len(rows))) if isinstance(error, NumberClaim) else []
    given = isinstance(error, ShapeClaim) and error.side == "input"
    order = (at - 1, at, at - 2) if given else (at, at - 1, at + 1)
    return [i for i in order if 0 <= i < len(rows)]


def within(span: Span, row: TableRow) -> bool:
    around = row.row.span
    return span.source == around.source and around.start <= span.start and span.end <= around.end


@dataclass(slots=True)
class Search:
    """The search for what mends one error."""

    error: Diagnostic
    errors: list[Diagnostic]
    """all that is wrong"""
    rows: list[TableRow]
    bench: Bench
    mended: Overrides
    """what is read otherwise already"""
    looks: int = 0
    trials: int = 0
    """what was spent, also on the errors before"""
    most_looks: int = field(init=False)
    most_trials: int = field(init=False)
    known: set[tuple[str, str, int]] = field(init=False)
    totals: list[NumberClaim] = field(init=False)
    """claims of the whole network that do not hold"""
    tried: set[tuple[tuple[Span, str], ...]] = field(default_factory=set)
    before: dict[tuple[int, int], Look | None] = field(default_factory=dict)
    largest: dict[Change, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # while others follow, half of what is left is for them
        share = 2 if len(self.errors) > 1 else 1
        self.most_looks = self.looks + (MOST_LOOKS - self.looks) // share
        self.most_trials = self.trials + (MOST_TRIALS - self.trials) // share
        self.known = {identity(error) for error in self.errors}
        claims = [error for error in self.errors if isinstance(error, NumberClaim)]
        self.totals = [claim for claim in claims if not any(within(claim.site, row) for row in self.rows)]

    def best(self) -> list[list[Change]]:
        """The changes that mend it, those first after which nothing is wrong."""
        found: list[tuple[int, list[Change]]] = []
        for stage in self.stages():
            for changes in stage if self.trials < self.most_trials else ():
                rank = self.rank(changes)
                if rank is not None:
                    found.append((rank, changes))
                if [rank for rank, _ in found].count(0) >= SHOWN or self.trials >= self.most_trials:
                    break
            if any(rank == 0 for rank, _ in found) or self.trials >= self.most_trials:
                break
        least = min((rank for rank, _ in found), default=0)
        if least and self.error in self.totals:
            return []  # what explains one number of the whole network and not the others, explains nothing
        best = [changes for rank, changes in found if rank == least]
        if len(best) > 1 and not (isinstance(self.error, ShapeClaim) or exact(self.error)):
            return []  # nothing says which of them
        return best[:SHOWN]

    def rank(self, changes: list[Change]) -> int | None:
        """0 where nothing is wrong with these changes, 1 where no more is than before; None where they do not help."""
        key = tuple((change.cell.span, change.text) for change in changes)
        if key in self.tried or self.looks >= self.most_looks:
            return None
        self.tried.add(key)
        if not self.worth_a_trial(changes):
            return None
        self.trials += 1
        left = self.bench.trial({**self.mended, **overrides(changes)})
        if not left:
            return 0
        helps = identity(self.error) not in map(identity, left)
        alike = all(identity(error) in self.known or self.is_total(error) for error in left)
        return 1 if helps and alike else None

    def is_total(self, error: Diagnostic) -> bool:
        """Whether an error is a claim of the whole network, which nobody compares while a shape is wrong."""
        return isinstance(error, NumberClaim) and not any(within(error.site, row) for row in self.rows)

    # ---- a look at the rows around ----

    def worth_a_trial(self, changes: list[Change]) -> bool:
        """Whether the rows around some changes are right with them, as far as these rows can say."""
        looks = self.compared(changes)
        if looks is None:
            return True
        now, was = looks
        there = set(map(identity, now.errors))
        if identity(self.error) in there or not there <= self.known:
            return False
        if now.output != was.output and self.error in self.totals:
            return False
        if now.errors or was.errors or now.output != was.output:
            return True
        return all(self.holds(claim, now.count(claim.what) - was.count(claim.what)) for claim in self.totals)

    def compared(self, changes: list[Change]) -> tuple[Look, Look] | None:
        """The rows around some changes with and without them, up to where they come to the same if that is near."""
        places = [i for i, row in enumerate(self.rows) for change in changes if change.row == row.number]
        first, found = min(places), None
        for last in range(max(places) + 1, max(places) + 1 + REACH):
            now, was = (self.look(first, min(last, len(self.rows) - 1), part) for part in (changes, ()))
            if now is None or was is None:
                return None
            found = now, was
            if now.output == was.output or now.errors or last >= len(self.rows) - 1:
                break
        return found

    def holds(self, claim: NumberClaim, more: int) -> bool:
        low, high = interval(claim.claimed)
        return low <= claim.found + more <= high

    def look(self, first: int, last: int, changes: Sequence[Change]) -> Look | None:
        """What some rows come to by themselves; as they stand, they are looked at once."""
        if changes:
            self.looks += 1
            return self.bench.look(first, last, {**self.mended, **overrides(changes)})
        if (first, last) not in self.before:
            self.before[first, last] = self.bench.look(first, last, self.mended)
        return self.before[first, last]

    def most(self, position: int, change: Change) -> int:
        """The largest number that is tried instead of one; those that repeat something cost their time."""
        if change not in self.largest:
            more = self.look(position, position, [replace(change, new=str(int(change.old) + 1))])
            was = self.look(position, position, ())
            repeats = more is None or was is None or more.nodes > was.nodes
            self.largest[change] = MOST_TIMES * (int(change.old) + 1) if repeats else LARGEST
        return self.largest[change]

    # ---- what might have been meant ----

    def stages(self) -> Iterator[Iterator[list[Change]]]:
        """What is tried, the likeliest first: a stage is tried whole, and no other where it has found something."""
        near = positions(self.error, self.rows)
        yield chain(self.singles(near, self.asked), self.exchanges(near), self.restated())
        yield self.singles(near, self.beside)
        yield self.singles(near, self.solved)
        yield self.singles(near, self.slips)
        yield self.singles(near, self.anywhere)
        far = [i for i in range(len(self.rows)) if i not in near]
        yield self.singles(far, self.asked)
        yield self.singles(far, self.beside)
        yield self.singles(far, self.slips)

    Values = Callable[[int, Change], Iterable[int]]
    """At a position, what the number that a change is of may be instead."""

    def singles(self, positions: Sequence[int], values: Values) -> Iterator[list[Change]]:
        """Other numbers in the rows at these positions."""
        for position in positions:
            for change in numbers(self.rows[position]):
                for value in dict.fromkeys(values(position, change)):
                    if 0 < value != int(change.old) and (values == self.asked or value <= self.most(position, change)):
                        yield [replace(change, new=str(value))]

    def asked(self, position: int, change: Change) -> Iterator[int]:
        """What the claims that fail ask for."""
        now = int(change.old)
        if now <= 2 * max(STRIDES):
            yield from STRIDES
        for error in self.errors:
            if isinstance(error, ShapeClaim):
                found, claimed = error.found[-1], error.claimed[-1]
                yield from reversed(error.claimed)
                yield from (now + claimed - found, now * claimed // found)

    def beside(self, position: int, change: Change) -> Iterator[int]:
        """The numbers of its cell and its row, those above and below it, itself with its digits in another order."""
        row = self.rows[position]
        same = [other for other in numbers(row) if other.cell.span == change.cell.span]
        yield from (int(other.old) for other in same)
        for other in (position - 1, position + 1, position - 2, position + 2):
            if 0 <= other < len(self.rows):
                yield from (int(n.old) for n in numbers(self.rows[other]) if n.column == change.column)
        yield from (int(other.old) for other in numbers(row))
        digits = change.old
        yield from (int(digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :]) for i in range(len(digits) - 1))
        yield from (2 * int(digits), int(digits) // 2)

    def slips(self, position: int, change: Change) -> Iterator[int]:
        """Itself with a digit more, less, or another; one more or less."""
        digits = change.old
        yield from (int(digits) - 1, int(digits) + 1)
        yield from (int(digits[:i] + digits[i + 1 :]) for i in range(len(digits)) if len(digits) > 1)
        yield from (int(digits[:i] + d + digits[i:]) for i in range(len(digits) + 1) for d in "0123456789")
        yield from (int(digits[:i] + d + digits[i + 1 :]) for i in range(len(digits)) for d in "0123456789")

    def anywhere(self, position: int, change: Change) -> Iterator[int]:
        """Every number of the table."""
        return (int(other.old) for row in self.rows for other in numbers(row))

    def solved(self, position: int, change: Change) -> Iterator[int]:
        """The values with which a row has the params or MACs that it, or the whole network, should have."""
        claim = next((e for e in self.errors if isinstance(e, NumberClaim) and exact(e)), None)
        if claim is None:
            return

        def more(value: int) -> float | None:
            """How far above what is claimed it is with a value; nothing where it cannot be built."""
            looks = self.compared([replace(change, new=str(value))])
            if looks is None or not looks[0].params:
                return None
            return claim.found + looks[0].count(claim.what) - looks[1].count(claim.what) - interval(claim.claimed)[0]

        low, high = 1, self.most(position, change)
        while low < high:
            middle = (low + high) // 2
            above = more(middle)
            if above is None:
                return
            low, high = (low, middle) if above >= 0 else (middle + 1, high)
        yield from range(low, low + 8)
        yield from (-(-low // 8) * 8, -(-low // 16) * 16)

    def exchanges(self, near: Sequence[int]) -> Iterator[list[Change]]:
        """The same column of neighbouring rows, exchanged; and the rows whole."""
        if len(near) > FEW:
            return
        uppers = dict.fromkeys(i for at in near for i in (at - 1, at))
        pairs = [
            (self.rows[i], self.rows[i + 1])
            for i in uppers
            if 0 <= i < len(self.rows) - 1 and self.rows[i].layout is self.rows[i + 1].layout
        ]
        for one, two in pairs:
            for i, column in reversed(list(enumerate(one.layout.columns))):
                if column.role in CHANGED:
                    yield from swapped(one, two, [i])
        for one, two in pairs:
            yield from swapped(one, two, [i for i, c in enumerate(one.layout.columns) if c.role in CHANGED])

    def restated(self) -> Iterator[list[Change]]:
        """The claim itself, corrected, or the one above it, which decides what is inferred for this row."""
        claim = self.error
        if not isinstance(claim, ShapeClaim):
            return
        claims = [
            Change(cell, 0, cell.text, cell.text, column.header.shown, row.number)
            for row in self.rows
            for cell, column in zip(row.row.cells, row.layout.columns, strict=True)
            if column.role == claim.side and not cells.missing(cell)
        ]
        at = next((i for i, change in enumerate(claims) if change.cell.span == claim.claim), None)
        if at is None:
            return
        height, width = claim.claimed[:2] if len(claim.claimed) == 3 else (1, 1)
        above = [stated(claims[at - 1], (by * height, by * width)) for by in USUAL if at > 0]
        yield from ([change] for change in above if change is not None and change.new != change.old)
        itself = stated(claims[at], claim.found)
        yield from [[itself]] if itself is not None else ()

    # ---- what is said of it ----

    def suggestion(self, changes: list[Change]) -> Suggestion:
        """A change in words."""
        first, *others = changes
        edits = tuple(Edit(change.span, change.new) for change in changes)
        labels = tuple(Label(change.span, self.should(change)) for change in changes)
        shapes = isinstance(self.error, ShapeClaim)
        holds = "makes every shape hold" if shapes else "makes it hold"
        columns = {change.column for change in changes}
        if not others:
            text = f"{first.new} here instead of {first.old} {holds}"
            elsewhere = f"{first.new} instead of {first.old} in `{first.column}` of row {first.row} {holds}"
            return Suggestion(text, edits, labels, elsewhere)
        rows = sorted({change.row for change in changes})
        what = f"`{first.column}` of rows" if len(columns) == 1 else "rows"
        text = f"exchange {what} {rows[0]} and {rows[1]}: then {'every shape' if shapes else 'it'} holds"
        return Suggestion(text, edits, labels, text)

    def should(self, change: Change) -> str:
        """What is said at the place of a change."""
        claim = self.error
        what = f"`{change.column}`" if change.whole else f"`{change.old}`"
        text = f"{what} should be {change.new or 'empty'}"
        if isinstance(claim, ShapeClaim) and claim.giver == f"row {change.row}" and change.cell.span != claim.claim:
            return f"{text}: that gives {shape_text(claim.claimed)}, as {claim.claimer} says"
        return text


def stated(claim: Change, sides: Shape) -> Change | None:
    """A claim of other sides, of as many as are printed; None where that is not known of all of them."""
    printed = len(cells.shape_claim(claim.cell) or ())
    return replace(claim, new=shape_text(sides[:printed])) if printed <= len(sides) else None


def exact(error: Diagnostic) -> bool:
    """Whether it is about a printed number that is so exact that another can be computed of it."""
    low, high = interval(error.claimed) if isinstance(error, NumberClaim) else (0.0, 1.0)
    return high - low <= EXACT * high
