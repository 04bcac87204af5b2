"""Comments: out of a source's text, and in between the lines that are printed of its tree.

The tree holds no comments. A printed line knows which part of the source it stands for, and so where the comments
of that part go: one that ends a line stays at the end of that line, one on a line of its own before the next. One
from within what is now a single line stands at its end, or, where that place is taken or it had a line of its own,
before it.
"""

import itertools
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from archspec.source import Source, Span

SCAN = re.compile(r"\"[^\"\r\n]*\"|'[^'\r\n]*'|#[^\r\n]*")
BLANK_LINE = re.compile(r"(\r\n|\n|\r)[ \t\f]*[\r\n]")
LINE_END = re.compile(r"[\r\n]")
BLANKS = " \t\f"
COLUMN = 80
"""comments at the ends of neighbouring lines are aligned where none of the lines is longer"""


class Space(Enum):
    """Whether a blank line stands before a line."""

    NEVER = "never"
    KEEP = "where the source has one"
    ALWAYS = "always"


@dataclass(slots=True)
class Line:
    """A printed line, or a table, and the part of the source that it stands for."""

    text: str
    indent: int
    space: Space
    start: int
    end: int = -1
    opens: bool = False
    """whether it begins what stands in braces: no blank line follows"""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, from its `#`."""

    start: int
    text: str
    alone: bool
    """whether it has a line of its own"""


@dataclass(slots=True)
class Place:
    """The comments of a line: those on lines of their own before it, those from within it, the one at its end."""

    before: list[Comment] = field(default_factory=list)
    within: list[Comment] = field(default_factory=list)
    after: str = ""


def comments(source: Source, tables: Iterable[Span]) -> Iterator[Comment]:
    """The comments of a source, in order; what looks like one in a string or a table is none."""
    begin = 0
    for start, end in [*((table.start, table.end) for table in tables), (len(source.text), 0)]:
        for match in SCAN.finditer(source.text, begin, start):
            if match[0].startswith("#"):
                _, column = source.position(match.start())
                before = source.text[match.start() - column + 1 : match.start()]
                yield Comment(match.start(), match[0].rstrip(BLANKS), not before.strip(BLANKS))
        begin = end


def weave(source: Source, lines: list[Line], found: Iterable[Comment]) -> str:
    """The lines with their comments and blank lines."""
    places = placed(lines, found)
    out: list[tuple[str, str]] = []
    for number, place in enumerate(places):
        line = lines[number] if number < len(lines) else None
        blanks = blank_lines(source, lines, number, place)
        indent = " " * (lines[number - 1 if line is None else number].indent)
        indent = (" " * line.indent) if line else ""
        if line and line.text.strip() == "}":
            indent += "  "
        for comment, blank in zip([*place.before, *place.within], blanks, strict=False):
            out += [("", "")] * blank + [(indent + comment.text, "")]
        if line:
            out += [("", "")] * blanks[-1] + [(line.text, place.after)]
    return "".join(f"{text}\n" for text in aligned(out))
