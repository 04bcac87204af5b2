"""What all dialects share: stretches of a text, rows of them, cells that reach over several rows or columns."""

from dataclasses import dataclass, field
from itertools import groupby, takewhile

from msgspec.structs import replace

from archspec.diagnostics import SpecError
from archspec.escape import bare
from archspec.source import Span
from archspec.tables.table import Cell, Row, UnreadableTable

MOST_TIMES, FEWEST = 20, 20_000
"""A table may have so many places for each cell that is written, and so many in any case."""


@dataclass(slots=True)
class Text:
    """A stretch of the table's text as a cell, its markup masked: `plain` is as long as the stretch."""

    start: int
    plain: str
    columns: int = 1
    rows: int = 1

    def cell(self, span: Span) -> Cell:
        """The cell, blanks around it left out; an empty one keeps one blank to point at."""
        inner = bare(self.plain.strip())
        begin = self.start + (self.plain.index(inner) if inner else min(1, len(self.plain)))
        whole = span.part(begin, begin + max(len(inner), 1))
        return Cell(Span(span.source, whole.start, min(whole.end, len(span.source.text))), inner)


@dataclass(slots=True)
class Grid:
    """The rows of a table as its dialect has them, and how many of them are headers."""

    rows: list[list[Text]] = field(default_factory=list)
    headers: int = 1
    padded: bool = False
    """whether a row may end early"""
    extents: list[tuple[int, int]] = field(default_factory=list)
    """of each row all that belongs to it, where that is more than its cells"""

    def table(self, span: Span) -> list[Row]:
        """Rows of cells, the headers as one; what reaches over several places stands in each."""
        self.bound(span)
        extents: list[Span | None] = [span.part(*extent) for extent in self.extents]
        extents = extents or [None] * len(self.rows)
        said = [pair for pair in zip(self.filled(span), extents, strict=True) if any(cell.text for cell in pair[0])]
        if not said:
            return []
        titles = len(list(takewhile(lambda pair: is_title(pair[0]), said[:-1])))
        said = said[titles:]
        filled, whole = [list(pair[0]) for pair in said], [pair[1] for pair in said]
        widest = max(map(len, filled))
        if self.padded:
            filled = [[*row, *(after(row[-1]) for _ in range(widest - len(row)))] for row in filled]
        headers = max(1, min(self.headers - titles, len(filled)))
        head = [merged([row[i] for row in filled[:headers] if i < len(row)]) for i in range(len(filled[headers - 1]))]
        rows = [told_apart(head), *filled[headers:]]
        return [row_of(*pair) for pair in zip(rows, whole[headers - 1 :], strict=True)]

    def bound(self, span: Span) -> None:
        """Raise `SpecError` where cells reach over so many places that the table would fill the memory."""
        written = sum(map(len, self.rows))
        places = sum(
            text.columns * min(text.rows, len(self.rows) - position)
            for position, row in enumerate(self.rows)
            for text in row
        )
        if self.padded:
            widest = max((sum(text.columns for text in row) for row in self.rows), default=0)
            places = max(places, widest * len(self.rows))
        if places > max(FEWEST, MOST_TIMES * written):
            reason = f"its {written:,} cells reach over {places:,} places"
            raise SpecError([UnreadableTable(span, reason)])

    def filled(self, span: Span) -> list[list[Cell]]:
        """Every row with the cells that reach into it from above."""
        made: list[list[Cell]] = []
        below: dict[int, tuple[int, Cell]] = {}
        for row in self.rows:
            cells: list[Cell] = []
            for text in row:
                cell = text.cell(span)
                # LaTeX leaves a place for what reaches in from above, HTML does not
                while len(cells) in below and not (self.padded and not cell.text):
                    cells.append(taken(below, len(cells)))
                if len(cells) in below:
                    cell = taken(below, len(cells))
                for _ in range(text.columns):
                    if text.rows > 1:
                        below[len(cells)] = (text.rows - 1, cell)
                    cells.append(cell)
            while len(cells) in below:
                cells.append(taken(below, len(cells)))
            made.append(cells)
        return made


def taken(below: dict[int, tuple[int, Cell]], column: int) -> Cell:
    left, cell = below.pop(column)
    if left > 1:
        below[column] = (left - 1, cell)
    return replace(cell, continued=True)


def after(cell: Cell) -> Cell:
    """An empty cell behind another."""
    return Cell(cell.span.part(len(cell.span.text), len(cell.span.text)), "")


def merged(cells: list[Cell]) -> Cell:
    """A header of several lines: the lowest one that says something, with what stands above it before it."""
    once: dict[Span, Cell] = {}
    for cell in cells:
        if cell.text:
            once.setdefault(cell.span, cell)
    said = list(once.values())
    if len(said) < 2:
        return said[0] if said else cells[-1]
    return Cell(said[-1].span, " ".join(cell.text for cell in said))


def is_title(cells: list[Cell]) -> bool:
    """Whether one cell reaches over the whole row: no header, but what the table is called."""
    return len(cells) > 1 and len({cell.span for cell in cells}) == 1


def told_apart(headers: list[Cell]) -> list[Cell]:
    """Headers as they are shown, of which one that reaches over several columns is numbered: `Layer 1`, `Layer 2`."""
    headers = [Cell(cell.span, cell.shown) for cell in headers]
    made: list[Cell] = []
    for span, group in groupby(headers, key=lambda cell: cell.span):
        alike = list(group)
        several = len(alike) > 1 and len({cell.text for cell in alike}) == 1 and alike[0].text
        made += [Cell(span, f"{cell.text} {i}") for i, cell in enumerate(alike, 1)] if several else alike
    return made


def row_of(cells: list[Cell], whole: Span | None) -> Row:
    if whole is not None:
        return Row(whole, tuple(cells))
    first = min(cells, key=lambda cell: cell.span.start)
    last = max(cells, key=lambda cell: cell.span.end)
    return Row(first.span.to(last.span), tuple(cells))
