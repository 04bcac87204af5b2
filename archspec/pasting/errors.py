"""What may be wrong with a text that is imported."""

from typing import ClassVar

from archspec.diagnostics import Diagnostic, Label
from archspec.foreign import kind_of_file
from archspec.source import Span


class NoTable(Diagnostic, frozen=True):
    """A text that was to be imported has no table in it.

    A table has at least two rows and two columns, and one of the forms that `table { … }` takes. The headers are first.
    """

    code: ClassVar[str] = "no-table"

    @property
    def message(self) -> str:
        return "there is no table in this text"

    @property
    def help(self) -> str:
        known = kind_of_file(self.primary.source.name, taken=False)
        return known or "a table begins with its headers; pipes, `&`, tabs, commas or wide blanks separate its columns"


class TooMuch(Diagnostic, frozen=True):
    """A text that was to be imported holds more than recognition takes.

    Every table is tried with every reading that comes with archspec, so that recognition takes texts of at most 100
    tables, and tables of at most 4 000 cells and 100 000 characters. A spec may have larger ones.
    """

    code: ClassVar[str] = "too-much"
    exit_code: ClassVar[int] = 4
    what: str
    found: int
    most: int
    advice: str

    @property
    def message(self) -> str:
        return f"there are {self.found:,} {self.what}, and recognition takes at most {self.most:,}"

    @property
    def help(self) -> str:
        return self.advice


class NoReading(Diagnostic, frozen=True):
    """A table follows none of the conventions that archspec knows.

    Each reading that comes with archspec was tried: its columns and rules have to read every row. The message shows
    what the nearest one cannot read, and the beginning of a rule. Write the rules in the network beside the table, or
    as a `reading` of your own.
    """

    code: ClassVar[str] = "no-reading"
    nearest: str
    """its name; empty where none reads a row"""
    further: tuple[Span, ...]
    reason: str = ""
    rule: str = ""
    advice: str = ""

    @property
    def message(self) -> str:
        why = f": {self.reason}" if self.reason else ""
        near = f"`{self.nearest}` comes nearest" if self.nearest else "none comes near"
        return f"no reading takes the whole table; {near}{why}"

    @property
    def labels(self) -> tuple[Label, ...]:
        rest = tuple(Label(span, "nor this") for span in self.further)
        whose = "it has no rule" if self.nearest else "none has a rule"
        return Label(self.primary, f"{whose} for this" if self.rule else ""), *rest

    @property
    def help(self) -> str:
        if self.advice:
            return self.advice
        if self.rule:
            draft = "`archspec import --draft` writes a spec with such a line for each kind of row"
            return f'say what it means: `read "{self.rule}" = …`; {draft}'
        return 'say what the columns mean: `columns "HEADER": operator, …`, and the rows: `read "PATTERN" = …`'


class NotAsPrinted(Diagnostic, frozen=True):
    """A pasted table prints something that the network of the reading does not have.

    No rule of the reading uses it: a size, a number of channels, or a note that names an operator, an activation, a
    norm, a stride or a count. So it is compared with the finished network. A footnote is compared with the rows that
    have its mark, and a caption with the whole network. A note that says that something is otherwise (`instead of`,
    `without expansion`) cannot be compared and is refused. The table follows other conventions than the reading: write
    its rules beside the table.
    """

    code: ClassVar[str] = "not-as-printed"
    printed: str
    found: str
    """empty where it is not known how a network would show it"""
    where: str = "this row prints"
    advice: str | None = None

    @property
    def message(self) -> str:
        has = f"the network has {self.found}" if self.found else "nothing tells whether the network has that"
        return f"{self.where} {self.printed}, and {has}"

    @property
    def help(self) -> str | None:
        return self.advice
