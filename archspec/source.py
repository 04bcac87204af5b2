"""Where text comes from: `Source` (one file's text), `Span` (a range of its characters).

Offsets are stored, lines and columns computed when somebody asks. A line ends at LF, CRLF or CR and nowhere
else (`str.splitlines` would also break at U+2028, U+0085 and form feeds, and then no editor would agree with
our line numbers); a column counts characters (code points) from 1, a tab being one; a byte-order mark is not a
character. A byte counts from 0 in the file as it is stored, in UTF-8, the byte-order mark included.
"""

import re
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

from msgspec import Struct

LINE_END = re.compile(r"\r\n|\n|\r")
BOM = "\ufeff"
STRETCH = 4096
"""Characters after which bytes are counted anew: no place is far from a known one, however long its line is."""


class Source(Struct, frozen=True, dict=True):
    """The text of one spec and the name that diagnostics call it by."""

    name: str
    text: str
    bundled: bool = False
    """part of archspec, so that a mistake is rather its user's"""
    marked: bool = False
    """whether the file begins with a byte-order mark, which `text` does not have"""

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

    @cached_property
    def bytes_before(self) -> list[int]:
        """Bytes of the file before every `STRETCH`th character."""
        sizes = (size(self.text[i : i + STRETCH]) for i in range(0, len(self.text), STRETCH))
        return list(accumulate(sizes, initial=size(BOM) if self.marked else 0))

    def byte(self, offset: int) -> int:
        """Bytes of the file before an offset."""
        stretch, rest = divmod(offset, STRETCH)
        return self.bytes_before[stretch] + size(self.text[offset - rest : offset])

    def line(self, number: int) -> str:
        """Text of a line (from 1), without its end."""
        start = self.line_starts[number - 1]
        end = LINE_END.search(self.text, start)
        return self.text[start : end.start() if end else len(self.text)]


def size(text: str) -> int:
    """Bytes of a text in UTF-8; half of a pair, which only a program can hand over, has three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


class Span(Struct, frozen=True, gc=False):
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
