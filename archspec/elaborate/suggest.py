"""Suggestions that solve: for an error in a table, the change of one number in a cell, or the exchange of cells or rows
beside each other, with which it is gone and nothing else is wrong. Every suggestion is tried out before it is made.

A change is tried on the rows around it first, which is cheap, and then on the whole network. What a cell might have
said is tried in the order in which it is likely: what the claims ask for, what stands beside it, what the numbers of
parameters and MACs can be solved for, slips of the hand.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from archspec.diagnostics import Diagnostic, Edit, Suggestion
from archspec.elaborate.advice import exact, suggestion
from archspec.elaborate.changes import CHANGED, Change, numbers, overrides, stated, swapped, unrepeated, within
from archspec.elaborate.claims import NumberClaim, RuleCheck, ShapeClaim, interval
from archspec.elaborate.errors import BadArgument
from archspec.elaborate.flow_errors import ShapeMismatch, SignatureMismatch
from archspec.elaborate.folds import Look
from archspec.elaborate.inference import IMAGE_SIDES, USUAL
from archspec.elaborate.instantiate import BODY, Instantiator
from archspec.elaborate.remedies import remedies
from archspec.elaborate.table_errors import UnreadOperator, Unsolved
from archspec.elaborate.table_rows import Overrides, TableRow, overridden
from archspec.source import Span
from archspec.syntax.tree import Number
from archspec.tables import cells
from archspec.tables.table import Cell

MOST_ERRORS, MOST_ROWS = 6, 200
"""With more of them, no repair is searched for."""
PATIENCE = 45_000
"""What the searches of a file may take, in `Instantiator.steps`: about a second where one takes 16 µs.

It is not a clock, so that every machine gives the same advice.
"""
T = TypeVar("T")
MOST_TIMES = 16
"""A number of repetitions is not tried beyond this multiple of itself."""
FEW = 3
"""Exchanges are tried around so many rows."""
SHOWN = 2
"""The most suggestions for one error."""
STRIDES, LARGEST = (1, 2, 3, 4), 1 << 14
REACH = 3
"""A change of channels has an effect on at most so many rows below."""
MISPRINTS = (
    ShapeClaim, NumberClaim, RuleCheck, ShapeMismatch, SignatureMismatch, Unsolved, UnreadOperator, BadArgument,
)  # fmt: skip
"""Mistakes that a misprint makes."""


class Bench(Struct, frozen=True):
    """How changes are tried."""

    make: Instantiator
    """which counts what that costs"""
    trial: Callable[[Overrides], list[Diagnostic]]
    """everything that is wrong with the network when some cells are read otherwise"""
    look: Callable[[int, int, Overrides], Look | None]
    """what the rows from one position to another come to by themselves; None where their input is unknown"""
    others: Callable[[Overrides], list[Diagnostic]]
    """what is wrong with the network where it has other parameters: with what `archspec check` compares besides"""
    edited: Callable[[Edit], list[Diagnostic] | None]
    """what is wrong with the network, and the others of its file, where the text is another; None where it is shared"""
    infers: bool
    """whether claims decide variables of rows, so that a misprint of a claim is likelier than one of the rows"""


def suggested(errors: list[Diagnostic], rows: list[TableRow], bench: Bench) -> list[Diagnostic]:
    """The errors with what would mend them; those that are gone with an earlier one are left out."""
    if len(errors) > MOST_ERRORS or len(rows) > MOST_ROWS:
        return errors
    done: list[Diagnostic] = []
    computed = {identity(error): error for error in errors}
    said: set[tuple[str, str, int]] = set()
    mended: dict[Span, Cell] = {}
    hopeless = False
    while errors:
        first, *errors = sorted(errors, key=lambda error: not isinstance(error, ShapeClaim))
        said.add(identity(first))
        search = Search(first, [first, *errors], overridden(rows, mended), bench, mended)
        skipped = not isinstance(first, MISPRINTS) or (hopeless and first in search.totals)
        found = [] if skipped else search.best()
        hopeless = hopeless or (not found and first in search.totals)
        # with what was mended before, other numbers are found; what is said is what the table as it is comes to
        first = computed.get(identity(first), first)
        if found:
            first = replace(first, suggestions=tuple(suggestion(first, changes) for changes in found))
            mended |= overrides(found[0])
            errors = [error for error in bench.trial(mended) if identity(error) not in said]
        elif isinstance(first, ShapeMismatch) and not mended:
            suggestions = tuple(remedied(first, [*computed.values()], bench))
            first = replace(first, suggestions=suggestions, stopped=search.stopped and not suggestions)
        elif not skipped and search.stopped:
            first = replace(first, stopped=True)
        done.append(replace(first, primary=found[0][0].span) if found and isinstance(first, ShapeClaim) else first)
    return done


def remedied(error: ShapeMismatch, errors: list[Diagnostic], bench: Bench) -> Iterator[Suggestion]:
    """Changes of the text outside of cells, too, with which an error is gone and there is no other."""
    before = Counter((one.code, one.message) for one in errors if identity(one) != identity(error))
    found = 0
    for remedy in remedies(error):
        if found >= SHOWN or bench.make.searched >= PATIENCE:
            return
        left = bench.edited(remedy.edit)
        if left is not None and Counter((one.code, one.message) for one in left) <= before:
            found += 1
            yield Suggestion(remedy.text, (remedy.edit,), (), remedy.text)


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


@dataclass(slots=True)
class Search:
    """The search for what mends one error."""

    error: Diagnostic
    errors: list[Diagnostic]
    """all that is wrong"""
    rows: list[TableRow]
    bench: Bench
    mended: Overrides
    """the cells that are already read otherwise"""
    limit: int = field(init=False)
    """what may be spent, also on the errors before"""
    known: set[tuple[str, str, int]] = field(init=False)
    """all that is wrong, by its identity"""
    totals: list[NumberClaim] = field(init=False)
    """claims of the whole network that do not hold"""
    tried: set[tuple[tuple[Span, str], ...]] = field(default_factory=set)
    before: dict[tuple[int, int], Look | None] = field(default_factory=dict)
    largest: dict[Change, int] = field(default_factory=dict)
    wrong: set[tuple[str, str, int]] | None = None

    def __post_init__(self) -> None:
        # while others follow, a quarter of what is left is for them
        share = 0.75 if len(self.errors) > 1 else 1
        spent = self.bench.make.searched
        self.limit = spent + int((PATIENCE - spent) * share)
        self.known = {identity(error) for error in self.errors}
        claims = [error for error in self.errors if isinstance(error, NumberClaim)]
        self.totals = [claim for claim in claims if not any(within(claim.site, row) for row in self.rows)]

    @property
    def stopped(self) -> bool:
        """Whether the budget is spent."""
        return self.bench.make.searched >= self.limit

    def spending(self, attempt: Callable[[], T]) -> T:
        """What an attempt gives; what it takes is counted."""
        make = self.bench.make
        before = make.steps
        try:
            return attempt()
        finally:
            make.searched += BODY + make.steps - before

    def best(self) -> list[list[Change]]:
        """The changes that mend it, those first after which nothing is wrong."""
        found: list[tuple[int, list[Change]]] = []
        for stage in self.stages():
            for changes in stage:
                if self.stopped:
                    break
                rank = self.rank(changes)
                if rank is not None:
                    found.append((rank, changes))
                if [rank for rank, _ in found].count(0) >= SHOWN:
                    break
            if any(rank == 0 for rank, _ in found) or self.stopped:
                break
        least = min((rank for rank, _ in found), default=0)
        if least and self.error in self.totals:
            return []  # what explains one number of the whole network and not the others, explains nothing
        best = [changes for rank, changes in found if rank == least]
        if len(best) > 1 and not (isinstance(self.error, ShapeClaim) or exact(self.error)):
            return []  # nothing says which of them
        return best[:SHOWN]

    def rank(self, changes: list[Change]) -> int | None:
        """0 where nothing is wrong with these changes, 1 where only what was before is; None where they do not help."""
        key = tuple((change.cell.span, change.text) for change in changes)
        if key in self.tried:
            return None
        self.tried.add(key)
        if not self.worth_a_trial(changes):
            return None
        changed = {**self.mended, **overrides(changes)}
        left = set(map(identity, self.spending(lambda: self.bench.trial(changed))))
        if identity(self.error) in left or not left <= self.known:
            return None
        elsewhere = set(map(identity, self.spending(lambda: self.bench.others(changed))))
        if not elsewhere <= self.known | self.elsewhere:
            return None
        return 1 if left else 0

    @property
    def elsewhere(self) -> set[tuple[str, str, int]]:
        """What is wrong with the network where it has other parameters."""
        if self.wrong is None:
            self.wrong = set(map(identity, self.spending(lambda: self.bench.others(self.mended))))
        return self.wrong

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
        image = self.rows[0].layout.cell(self.rows[0].row, "input")
        if image is not None and any(change.cell.span == image.span for change in changes):
            return None  # it is what the first row is given
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
        changed = {**self.mended, **overrides(changes)}
        if changes:
            return self.spending(lambda: self.bench.look(first, last, changed))
        if (first, last) not in self.before:
            self.before[first, last] = self.spending(lambda: self.bench.look(first, last, changed))
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
        others = [self.exchanges(near), self.restated()]
        yield (changes for position in near for changes in unrepeated(self.rows, position))
        yield chain(self.singles(near, self.asked), self.images(), *(others[::-1] if self.bench.infers else others))
        yield self.singles(near, self.solved)
        yield self.singles(near, self.beside)
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
        least, greatest = interval(claim.claimed)
        last, middle, holds = (int(change.old), claim.found - least), 1, False
        for attempt in count(1):
            if low >= high or (above := more(middle)) is None:
                break
            low, high = (low, middle) if above >= 0 else (middle + 1, high)
            holds = 0 <= above <= greatest - least if high == middle else holds
            # most counts grow in proportion; where they do not, every third attempt halves what is left
            rise = (above - last[1]) / (middle - last[0]) if middle != last[0] else 0.0
            guess = middle - above / rise if rise > 0 and attempt % 3 else (low + high) / 2
            last, middle = (middle, above), min(max(math.ceil(guess - 1e-6), low), high - 1)
        if low < high or not holds:
            return  # with the next larger value there is more than is claimed
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

    def claims(self) -> tuple[int | None, list[Change]]:
        """Which of the claims in its column fails, and all of them."""
        claim = self.error
        found = [
            Change(cell, 0, cell.text, cell.text, column.header.shown, row.number)
            for row in self.rows
            for cell, column in zip(row.row.cells, row.layout.columns, strict=True)
            if isinstance(claim, ShapeClaim) and column.role == claim.side and not cells.missing(cell)
        ]
        at = (i for i, change in enumerate(found) if isinstance(claim, ShapeClaim) and change.cell.span == claim.claim)
        return next(at, None), found

    def images(self) -> Iterator[list[Change]]:
        """Another size of the image, where the first claim below it fails."""
        at, claims = self.claims()
        sides = cells.shape_claim(claims[0].cell) if at == 1 else None
        channels = sides[-1] if sides is not None and len(sides) == 3 else None
        if isinstance(channels, Number):
            sized = (stated(claims[0], (side, side, int(channels.value))) for side in IMAGE_SIDES)
            yield from ([change] for change in sized if change is not None and change.new != change.old)

    def restated(self) -> Iterator[list[Change]]:
        """The claim itself, corrected, or the one above it, which decides what is inferred for this row."""
        claim, (at, claims) = self.error, self.claims()
        if at is None or not isinstance(claim, ShapeClaim):
            return
        height, width = claim.claimed[:2] if len(claim.claimed) == 3 else (1, 1)
        above = [stated(claims[at - 1], (by * height, by * width)) for by in USUAL if at > 0]
        yield from ([change] for change in above if change is not None and change.new != change.old)
        itself = stated(claims[at], claim.found)
        yield from [[itself]] if itself is not None else ()
