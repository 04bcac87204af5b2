"""A table's text -> `Table`: headers and rows of cells, each with the span that its text has in the file.

Every dialect is one function that takes the lines of a table and gives its rows, or None where the text is not
in its dialect; `DIALECTS` is the door through which a new one comes in.
"""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from archspec.diagnostics import Diagnostic, Label, SpecError
from archspec.source import Span
from archspec.syntax import tree


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; its span is that of its text without the blanks around it."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a line, as many as there are headers."""

    span: Span
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as printed."""

    name: str | None
    headers: tuple[Cell, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class UnreadableTable(Diagnostic):
    """The text between the braces of a table is in no dialect that archspec reads.

    A table is written with pipes, as in Markdown: the headers in the first line, an optional line of dashes, then
    the rows.
    """

    code: ClassVar[str] = "unreadable-table"
    reason: str

    @property
    def message(self) -> str:
        return f"cannot read this table: {self.reason}"

    @property
    def help(self) -> str:
        return "write it with pipes: `| Input | Operator | c |`, one row on each line"


@dataclass(frozen=True)
class RaggedRow(Diagnostic):
    """A row of a table has more or fewer cells than the table has headers."""

    code: ClassVar[str] = "ragged-row"
    found: int
    headers: Span
    expected: int

    @property
    def message(self) -> str:
        return f"this row has {self.found} cells, and the table has {self.expected} columns"

    @property
    def labels(self) -> tuple[Label, ...]:
        return Label(self.primary, f"{self.found} cells"), Label(self.headers, f"{self.expected} columns")


Lines = list[tuple[int, str]]
"""Offset and text of every line that is not blank."""
SEPARATOR = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?")
PIPE = re.compile(r"(?<!\\)\|")
LINE = re.compile(r"[^\r\n]+")


def read_table(clause: tree.TableClause) -> Table:
    """Headers and rows of a table; raises `SpecError` with every line that does not fit."""
    lines = [(m.start(), m[0]) for m in LINE.finditer(clause.body, 1, len(clause.body) - 1) if m[0].strip()]
    for dialect in DIALECTS:
        rows = dialect(lines, clause.body_span)
        if rows:
            return rectangular(clause, rows)
    reason = "it is empty" if not lines else "its lines do not begin with `|`"
    raise SpecError([UnreadableTable(clause.span, reason)])


def rectangular(clause: tree.TableClause, rows: list[Row]) -> Table:
    head, *body = rows
    ragged = [
        RaggedRow(row.span, len(row.cells), head.span, len(head.cells))
        for row in body
        if len(row.cells) != len(head.cells)
    ]
    if ragged:
        raise SpecError(ragged)
    if not body:
        raise SpecError([UnreadableTable(clause.span, "it has headers and no rows")])
    return Table(clause.name.value if clause.name else None, head.cells, tuple(body))


def pipes(lines: Lines, span: Span) -> list[Row] | None:
    """Markdown: cells between `|`, the line of dashes left out."""
    if not all(line.lstrip().startswith("|") for _, line in lines):
        return None
    return [pipe_row(offset, line, span) for offset, line in lines if not SEPARATOR.fullmatch(line.strip())]


def pipe_row(offset: int, line: str, span: Span) -> Row:
    text = line.strip()
    start = offset + line.index(text)
    cuts = [cut.start() for cut in PIPE.finditer(text)]
    if cuts[-1] != len(text) - 1:
        cuts.append(len(text))
    cells = tuple(cell(text[a + 1 : b], span, start + a + 1) for a, b in itertools.pairwise(cuts))
    return Row(span.part(start, start + len(text)), cells)


def cell(text: str, span: Span, start: int) -> Cell:
    """The cell of a stretch of text, blanks around it left out; an empty one keeps one blank to point at."""
    inner = text.strip()
    begin = start + (text.index(inner) if inner else min(1, len(text)))
    return Cell(span.part(begin, begin + max(len(inner), 1)), inner)


DIALECTS: tuple[Callable[[Lines, Span], list[Row] | None], ...] = (pipes,)
