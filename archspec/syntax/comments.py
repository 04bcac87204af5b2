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

from msgspec import Struct

from archspec.source import LINE_END, Source, Span

SCAN = re.compile(r"\"[^\"\r\n]*\"|'[^'\r\n]*'|#[^\r\n]*")
BLANK_LINE = re.compile(r"(?>\r\n|\n|\r)[ \t\f]*[\r\n]")
BLANKS = " \t\f"
COLUMN = 80
"""comments at the ends of neighbouring lines are aligned where none of the lines is longer and none ends in a brace"""


class Space(Enum):
    """Whether a blank line stands before a line."""

    NEVER = "never"
    KEEP = "where the source has one"
    ALWAYS = "always"


@dataclass(slots=True)
class Line:
    """A printed line, or a table, and the part of the source that it stands for."""

    text: str
    margin: int
    """indent of the comments before it"""
    space: Space
    start: int = -1
    end: int = -1
    opens: bool = False
    """whether it begins what stands in braces: no blank line follows"""


class Comment(Struct, frozen=True):
    """A comment, from its `#`."""

    start: int
    text: str
    alone: bool
    """whether it has a line of its own"""


@dataclass(slots=True)
class Place:
    """The comments of a line: on lines of their own before it, from within it, and the one at its end."""

    before: list[Comment] = field(default_factory=list)
    within: list[Comment] = field(default_factory=list)
    after: Comment | None = None


Row = tuple[str, Comment | None]
"""A line of the output and the comment at its end."""


def comments(source: Source, tables: Iterable[Span]) -> Iterator[Comment]:
    """The comments of a source, in order; what looks like one in a string or a table is not a comment."""
    begin = 0
    for start, end in [*((table.start, table.end) for table in tables), (len(source.text), 0)]:
        for match in SCAN.finditer(source.text, begin, start):
            if match[0].startswith("#"):
                _, column = source.position(match.start())
                before = source.text[match.start() - column + 1 : match.start()]
                yield Comment(match.start(), match[0].rstrip(BLANKS), not before.strip(BLANKS))
        begin = end


def weave(source: Source, lines: Iterable[Line], found: Iterable[Comment]) -> str:
    """The lines with their comments and blank lines."""
    size = len(source.text)
    every = [*lines, Line("", 0, Space.NEVER, size, size)]
    rows: list[Row] = []
    for previous, line, place in zip([None, *every], every, placed(every, found), strict=False):
        own = [" " * line.margin + comment.text for comment in (*place.before, *place.within)]
        blanks = blank_lines(source, previous, line, place)
        for text, blank in zip(own, blanks, strict=False):
            rows += [("", None)] * blank + [(text, None)]
        rows += [("", None)] * blanks[-1] + [(line.text, place.after)]
    return "".join(f"{text}\n" for text in aligned(rows[:-1]))


def placed(lines: list[Line], found: Iterable[Comment]) -> list[Place]:
    """Where the comments go: one place for each line."""
    starts = [line.start for line in lines]
    places = [Place() for _ in lines]
    for comment in found:
        at = bisect_right(starts, comment.start) - 1
        if at < 0 or (comment.alone and lines[at].end <= comment.start):
            places[at + 1].before.append(comment)
        elif comment.alone:
            places[at].within.append(comment)
        else:
            taken = places[at].after
            places[at].within += [taken] if taken else []
            places[at].after = comment
    return places


def blank_lines(source: Source, previous: Line | None, line: Line, place: Place) -> list[bool]:
    """Whether a blank line stands before each comment of a line's place, and before the line itself."""
    inside = [line.start for _ in place.within]
    ends = [previous.end if previous else 0, *(c.start + len(c.text) for c in place.before), *inside]
    starts = [*(comment.start for comment in place.before), *inside, line.start]
    blanks = [bool(BLANK_LINE.search(source.text, *gap)) for gap in zip(ends, starts, strict=True)]
    if line.space is Space.NEVER:
        blanks[-1] = False
    if previous is None or previous.opens:
        blanks[0] = False
    if line.space is Space.ALWAYS and not any(blanks):
        blanks[0] = True
    return blanks


def aligned(rows: Iterable[Row]) -> Iterator[str]:
    """The rows as text, the comments of neighbours below each other."""
    for together, group in itertools.groupby(rows, key=lambda row: row[1] is not None and row[0][-1] not in "{}"):
        members = list(group)
        widths = [len(LINE_END.split(text)[-1]) for text, _ in members]
        column = max(widths) if together and max(widths) <= COLUMN else 0
        for (text, comment), width in zip(members, widths, strict=True):
            yield f"{text}{' ' * max(column - width, 0)}  {comment.text}" if comment else text
