"""A table as printed: headers and rows of cells, each with the span that its text has in the file."""

from dataclasses import dataclass
from typing import ClassVar

from archspec.diagnostics import Diagnostic, Label
from archspec.source import Span


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; its span is that of its text without the blanks around it. The text is as long, markup being blank."""

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

    A table has its headers first and then its rows: with pipes, as in Markdown; in LaTeX (`&` and `\\\\`); in HTML;
    separated by tabs, commas or semicolons; or in columns that two blanks or more keep apart.
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
class UnknownMarkup(Diagnostic):
    """A cell has a command of LaTeX that archspec does not know: it may change what the cell means."""

    code: ClassVar[str] = "unknown-markup"
    name: str

    @property
    def message(self) -> str:
        return f"the command `{self.name}` may mean anything here"

    @property
    def help(self) -> str:
        return "write out what it stands for"


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
