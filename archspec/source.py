"""Where text comes from: `Source` (one file's text), `Span` (a range of its characters).

Offsets are stored, lines and columns computed when somebody asks. A line ends at LF, CRLF or CR and nowhere
else (`str.splitlines` would also break at U+2028, U+0085 and form feeds, and then no editor would agree with
our line numbers); a column counts characters from 1, a tab being one; a byte-order mark is not a character.
"""

import re
from bisect import bisect_right
from functools import cached_property

from msgspec import Struct

LINE_END = re.compile(r"\r\n|\n|\r")


class Source(Struct, frozen=True, dict=True):
    """The text of one spec and the name that diagnostics call it by."""

    name: str
    text: str
    bundled: bool = False
    """part of archspec, so that a mistake is rather its user's"""

    def __repr__(self) -> str:
        return f"Source({self.name!r})"

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset of the first character of every line."""
        return [0, *(end.end() for end in LINE_END.finditer(self.text))]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Text of a line (from 1), without its end."""
        start = self.line_starts[number - 1]
        end = LINE_END.search(self.text, start)
        return self.text[start : end.start() if end else len(self.text)]


class Span(Struct, frozen=True):
    """The characters `start` to `end` (exclusive) of a source."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def to(self, other: "Span") -> "Span":
        """From the start of this span to the end of the other."""
        return Span(self.source, self.start, other.end)

    def part(self, start: int, end: int) -> "Span":
        """A range within this span, counted from its start."""
        return Span(self.source, self.start + start, self.start + end)

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"
