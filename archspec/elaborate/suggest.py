"""Suggestions that solve: for shape claims that fail, the change of one cell, or the exchange of two, that makes all
claims and checks hold. Every suggestion is tried out before it is made.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from archspec.diagnostics import Diagnostic
from archspec.elaborate.claims import Change, NumberClaim, ShapeClaim
from archspec.elaborate.rows import Fold
from archspec.elaborate.table_rows import Overrides, TableRow, variable_columns
from archspec.tables import cells
from archspec.tables.table import Cell
from archspec.tensor import shape_text

Trial = Callable[[Overrides], Fold]
"""The whole network elaborated with some cells read otherwise."""
MOST_CLAIMS, MOST_ROWS = 6, 200
"""Beyond these the search would take longer than a reader waits, and find nothing that explains so much."""
SMALL = ("1", "2", "3", "4")


def suggest(claims: list[ShapeClaim], rows: list[TableRow], trial: Trial) -> tuple[list[ShapeClaim], list[Diagnostic]]:
    """The claims with what would mend them: one claim where a change mends every shape, else each with a hint.

    With them what such a change leaves wrong: totals that no shape explains.
    """
    if len(claims) > MOST_CLAIMS or len(rows) > MOST_ROWS:
        return claims, []
    first = claims[0]
    position = next(i for i, row in enumerate(rows) if first.claim in {cell.span for cell in row.row.cells})
    singles = [[change] for change in single_changes(first, rows, position)]
    second: tuple[list[Change], list[Diagnostic]] | None = None
    for changes in (*singles, *exchanges(rows, position), [restated(first, rows[position])]):
        errors = trial(overrides(changes)).errors
        if not errors:
            return [mended_by(first, changes)], []
        if second is None and all(isinstance(error, NumberClaim) for error in errors):
            second = changes, errors
    if second is not None:
        return [mended_by(first, second[0])], second[1]
    return [with_hint(claim, rows, trial) for claim in claims], []


def mended_by(claim: ShapeClaim, changes: list[Change]) -> ShapeClaim:
    return replace(claim, primary=changes[0].span, changes=tuple(changes))


def overrides(changes: list[Change]) -> Overrides:
    return {change.span: Cell(change.span, change.new) for change in changes}


def with_hint(claim: ShapeClaim, rows: list[TableRow], trial: Trial) -> ShapeClaim:
    """The claim with a change of one cell that would make this one hold, whatever becomes of the others."""
    position = next(i for i, row in enumerate(rows) if claim.claim in {cell.span for cell in row.row.cells})
    for change in single_changes(claim, rows, position):
        remaining = trial(overrides([change])).errors
        failed = {d.claim for d in remaining if isinstance(d, ShapeClaim)}
        if claim.claim not in failed and all(isinstance(d, ShapeClaim) for d in remaining):
            return replace(claim, hint=change)
    return claim


def single_changes(claim: ShapeClaim, rows: list[TableRow], position: int) -> Iterator[Change]:
    """Other numbers for the variables of the row that gave the shape."""
    giver = rows[position if claim.side == "output" else max(position - 1, 0)]
    numbers = tuple(dict.fromkeys((*SMALL, *(str(side) for side in claim.claimed))))
    for index, column in reversed(variable_columns(giver.layout)):
        cell = giver.row.cells[index]
        for number in numbers:
            if number != cell.text and not cells.missing(cell):
                yield Change(cell.span, column.header.text, giver.number, cell.text, number)


def exchanges(rows: list[TableRow], position: int) -> Iterator[list[Change]]:
    """The same column of neighbouring rows, exchanged."""
    for upper in (position - 1, position, position - 2):
        if not 0 <= upper < len(rows) - 1:
            continue
        one, two = rows[upper], rows[upper + 1]
        for index, column in reversed(variable_columns(one.layout)):
            if len(two.row.cells) != len(one.row.cells):
                continue
            a, b = one.row.cells[index], two.row.cells[index]
            if a.text != b.text:
                yield [
                    Change(a.span, column.header.text, one.number, a.text, b.text),
                    Change(b.span, column.header.text, two.number, b.text, a.text),
                ]


def restated(claim: ShapeClaim, row: TableRow) -> Change:
    """The claim itself, corrected."""
    return Change(claim.claim, claim.side.capitalize(), row.number, claim.claim.text, shape_text(claim.found))
