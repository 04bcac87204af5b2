"""The numbers of a table, and other texts for its cells: what a suggestion is made of."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from archspec.elaborate.table_rows import TableRow
from archspec.source import Span
from archspec.tables import cells
from archspec.tables.table import Cell
from archspec.tensor import Shape, shape_text

NUMBER = re.compile(r"(?<![0-9._])[0-9]{1,6}(?![0-9._])")
CHANGED = frozenset({"variable", "pattern", "operator", "repeat"})
"""Roles of columns whose numbers may be wrong."""
MOST = 32
"""Numbers of one cell that are tried."""


class Change(Struct, frozen=True):
    """Another text for one cell, and what it is called."""

    cell: Cell
    start: int
    """where the number begins in the cell"""
    old: str
    new: str
    column: str
    row: int

    @property
    def span(self) -> Span:
        return self.cell.span.part(self.start, self.start + len(self.old))

    @property
    def text(self) -> str:
        """The cell with the change."""
        return self.cell.text[: self.start] + self.new + self.cell.text[self.start + len(self.old) :]

    @property
    def whole(self) -> bool:
        """Whether all of the cell is another."""
        return self.old == self.cell.text


def overrides(changes: Iterable[Change]) -> dict[Span, Cell]:
    return {change.cell.span: Cell(change.cell.span, change.text) for change in changes}


def numbers(row: TableRow) -> Iterator[Change]:
    """Every number of a row that may be wrong, the last columns first, as a change into itself."""
    for index, column in reversed(list(enumerate(row.layout.columns))):
        cell = row.row.cells[index]
        if column.role in CHANGED and not cells.missing(cell):
            for match in islice(NUMBER.finditer(cell.text), MOST):
                yield Change(cell, match.start(), match[0], match[0], column.header.text, row.number)


def swapped(one: TableRow, two: TableRow, columns: Sequence[int]) -> Iterator[list[Change]]:
    """Some columns of two rows, exchanged."""
    changes: list[Change] = []
    for i in columns:
        a, b = one.row.cells[i], two.row.cells[i]
        if cells.ditto(a.span.text) or cells.ditto(b.span.text):
            return
        if a.text != b.text:
            header = one.layout.columns[i].header.text
            changes += [
                Change(a, 0, a.text, b.text, header, one.number),
                Change(b, 0, b.text, a.text, header, two.number),
            ]
    if changes:
        yield changes


def unrepeated(rows: Sequence[TableRow], place: int) -> Iterator[list[Change]]:
    """The nearest cell above that says something, in place of each mark of a row that repeats a `-`."""
    row = rows[place]
    for i, cell in enumerate(row.row.cells):
        if cells.ditto(cell.span.text) and cells.missing(cell):
            above = (r.row.cells[i].text for r in reversed(rows[:place]) if r.layout is row.layout)
            said = next((text for text in above if text not in cells.MISSING), None)
            mark, header = Cell(cell.span, cell.span.text), row.layout.columns[i].header.text
            yield from [[Change(mark, 0, mark.text, said, header, row.number)]] if said else []


def stated(claim: Change, sides: Shape) -> Change | None:
    """A claim of other sides, of as many as are printed; None where that is not known of all of them."""
    printed = len(cells.shape_claim(claim.cell) or ())
    return replace(claim, new=shape_text(sides[:printed])) if printed <= len(sides) else None


def within(span: Span, row: TableRow) -> bool:
    around = row.row.span
    return span.source == around.source and around.start <= span.start and span.end <= around.end
