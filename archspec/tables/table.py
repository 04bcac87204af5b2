"""A table as printed: headers and rows of cells, each with the span that its text has in the file."""

import re
from typing import ClassVar

from msgspec import Struct

from archspec.diagnostics import Diagnostic, Label
from archspec.source import Span


class Cell(Struct, frozen=True, gc=False):
    """One cell; its span is that of its text without the blanks around it. The text is as long, markup being blank."""

    span: Span
    text: str
    continued: bool = False
    """whether it reaches into this row from the one above"""

    @property
    def shown(self) -> str:
        """Its text as a message shows it, without the blanks that stand for markup."""
        return shown(self.text)


class Row(Struct, frozen=True, gc=False):
    """The cells of a line, as many as there are headers."""

    span: Span
    cells: tuple[Cell, ...]


WORD = re.compile(r"(?<=[A-Za-z0-9]) _(?=[A-Za-z0-9])")
JOINED = re.compile(r"(?<=[0-9²³]) ?× ?(?=[0-9])|(?<=\w) ?_ ?(?=\w)| (?=[²³,;])")


def shown(text: str) -> str:
    """A cell's text as a person reads it: without the blanks that stand for markup."""
    plain = WORD.sub("_", " ".join(text.split()))
    return plain if plain == text else JOINED.sub(lambda sign: sign[0].strip(), plain)


class Table(Struct, frozen=True):
    """A table as printed."""

    name: str | None
    headers: tuple[Cell, ...]
    rows: tuple[Row, ...]


class UnreadableTable(Diagnostic, frozen=True):
    """The text between the braces of a table is in no dialect that archspec reads.

    A table has its headers first and then its rows: with pipes, as in Markdown; in LaTeX (`&` and `\\\\`); in HTML;
    separated by tabs, commas or semicolons; or in columns that two blanks or more keep apart.
    """

    code: ClassVar[str] = "unreadable-table"
    reason: str
    advice: str = "write it with pipes: `| Input | Operator | c |`, one row on each line"

    @property
    def message(self) -> str:
        return f"cannot read this table: {self.reason}"

    @property
    def help(self) -> str:
        return self.advice


class UnknownMarkup(Diagnostic, frozen=True):
    """A cell has a command of LaTeX that archspec does not know: it may change what the cell means."""

    code: ClassVar[str] = "unknown-markup"
    name: str

    @property
    def message(self) -> str:
        return f"the command `{self.name}` may mean anything here"

    @property
    def help(self) -> str:
        return "write out what it stands for"


class RaggedRow(Diagnostic, frozen=True):
    """A row of a table has more or fewer cells than the table has headers."""

    code: ClassVar[str] = "ragged-row"
    found: int
    headers: Span
    expected: int

    @property
    def message(self) -> str:
        return f"this row has {counted(self.found, 'cell')}, and the table has {counted(self.expected, 'column')}"

    @property
    def labels(self) -> tuple[Label, ...]:
        found, expected = counted(self.found, "cell"), counted(self.expected, "column")
        return Label(self.primary, found), Label(self.headers, expected)

    @property
    def help(self) -> str | None:
        return "a cell that says nothing is written as `-`" if self.found < self.expected else None


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
