"""The tables in a text: a bare one, or those of a page, a paper's source or a talk, whatever stands around them."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import takewhile

from msgspec import Struct
from msgspec.structs import replace

from archspec.diagnostics import Diagnostic, SpecError
from archspec.printable import visible
from archspec.source import Source, Span
from archspec.tables import patterns
from archspec.tables.dialects import HEADERS_ALONE, environments, markdown, ragged, rows_of
from archspec.tables.grid import after
from archspec.tables.table import Row, UnreadableTable

ELEMENT = re.compile(r"<table\b", re.IGNORECASE), re.compile(r"</table\s*>", re.IGNORECASE)
CAPTION = re.compile(r"<(?:fig)?caption\b[^>]{0,200}>", re.IGNORECASE), re.compile(r"</(?:fig)?caption>", re.IGNORECASE)
LATEX_CAPTION = re.compile(r"\\caption(?:\[[^\]]{0,200}\])?\{((?:[^{}]|\{[^{}]*\}){0,2000})\}")
WORDS = 3
"""A line of more words is not a row of one cell."""
COLUMNS = 3
"""Lines of fewer columns are not a table if one of them does not fit."""
NEAR = 2000
"""How far from a table its caption may stand, in characters."""


class Found(Struct, frozen=True):
    """A table of a text."""

    span: Span
    rows: tuple[Row, ...]
    """the first are the headers"""
    caption: str
    wrong: tuple[Diagnostic, ...] = ()
    """why it cannot be read as it stands"""
    notes: tuple[str, ...] = ()
    """what was done to read it"""

    @property
    def line(self) -> int:
        return line_of(self.span)


UNPRINTED = patterns.LIGATURES | dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"))
"""What papers and pages hold and do not print: signs where a word may part, marks of direction, letters set as one."""


def tables_in(source: Source) -> list[Found]:
    """The tables of a text, in its order, each with what is wrong in it.

    What is not printed is left out; what else cannot be seen is another sign in them, see `visible`.
    """
    source = Source(source.name, visible(source.text.translate(UNPRINTED)))
    text = source.text
    pages = between(text, *ELEMENT), between(text, *CAPTION)
    papers = environments(text), (match.span(1) for match in LATEX_CAPTION.finditer(text))
    for places, said in (pages, papers):
        captions = Captions(text, list(said))
        found = [one for place in places if (one := table(Span(source, *place), captions.of(*place))) is not None]
        if found:
            return found
    whole = table(Span(source, 0, len(text)))
    if whole is not None and whole.rows and not whole.wrong:
        return [whole]
    stretches = re.finditer(r"(?:[^\n]*\S[^\n]*(?:\n|$))+", text)
    return [found for match in stretches for found in in_stretch(Span(source, *match.span()))]


def table(span: Span, caption: str = "") -> Found | None:
    """A stretch of text as a table; None where it has none of the known forms."""
    try:
        rows = tuple(rows_of(span.text, span))
    except SpecError as error:
        return Found(span, (), caption, error.diagnostics)
    if not rows:
        return None
    if len(rows) == 1:
        said = markdown(span.text) or bool(caption)
        return Found(span, (), caption, (UnreadableTable(rows[0].span, HEADERS_ALONE),)) if said else None
    return Found(span, rows, caption, tuple(ragged(rows)))


def in_stretch(stretch: Span) -> Iterator[Found]:
    """The tables between two blank lines: the whole, or runs of lines of one kind."""
    whole = table(stretch)
    if whole is not None and not (whole.rows and whole.wrong):
        yield whole
        return
    lines = [stretch.part(*match.span()) for match in re.finditer(r"[^\n]+(?:\n|$)", stretch.text)]
    place = 0
    while place < len(lines):
        kind = kind_of(lines[place])
        end = place + 1
        while end < len(lines) and (kind_of(lines[end]) == kind or (end > place + 1 and is_row(lines[end], kind))):
            end += 1
        begin = headers(lines[place:end], kind) + place
        found = table(lines[begin].to(lines[end - 1]))
        if found is not None and (kind != TEXT or not found.wrong or sure(found)):
            rest = list(takewhile(lambda line: kind_of(line) == TEXT, lines[end:]))
            yield filled(found) if not rest else left_out(filled(found), rest)
        place = end


def sure(found: Found) -> bool:
    """Whether lines with a row that does not fit are a table, and not sentences."""
    return not found.rows or len(found.rows[0].cells) >= COLUMNS or "&" in found.rows[0].span.text


TEXT, TABS, PIPES = "text", "tabs", "pipes"


def kind_of(line: Span) -> str:
    """What the cells of a line stand between."""
    text = line.text.strip()
    return TABS if "\t" in text else PIPES if re.search("[|│┃║]", text) or re.fullmatch("[+][-=+]+", text) else TEXT


def is_row(line: Span, kind: str) -> bool:
    """Whether a line below a table is a row of one cell, and not a sentence."""
    words = line.text.split()
    return kind != TEXT and kind_of(line) == TEXT and len(words) <= WORDS and not words[-1].endswith((".", ":"))


def headers(lines: Sequence[Span], kind: str) -> int:
    """Which of some lines has the headers: the one above the dashes, or the first with as many tabs as most have."""
    if kind == PIPES:
        return next((place for place in range(1, len(lines) - 1) if markdown(lines[place].to(lines[-1]).text)), 0)
    if kind == TABS:
        tabs = [line.text.rstrip().count("\t") for line in lines]
        return tabs.index(max(tabs, key=tabs.count))
    return 0


def filled(found: Found) -> Found:
    """A table of Markdown whose short rows are filled with empty cells, as GitHub shows it."""
    if not found.rows or not markdown(found.span.text):
        return found
    wanted = len(found.rows[0].cells)
    short = [row for row in found.rows[1:] if len(row.cells) < wanted]
    rows = [
        replace(row, cells=(*row.cells, *(after(row.cells[-1]) for _ in range(wanted - len(row.cells)))))
        for row in found.rows
    ]
    notes = [f"Line {line_of(row.span)} is short: its last cells are read as empty, as on GitHub." for row in short]
    return replace(found, rows=tuple(rows), wrong=tuple(ragged(rows)), notes=(*found.notes, *notes))


def left_out(found: Found, lines: Sequence[Span]) -> Found:
    """A table with a note about the lines directly below it, which are not read."""
    text = " ".join(" ".join(line.text.split()) for line in lines)
    said = text if len(text) <= 60 else f"{text[:59]}…"
    return replace(found, notes=(*found.notes, f"Line {line_of(lines[0])}, below the table, is not read: {said}"))


def line_of(span: Span) -> int:
    return span.source.position(span.start)[0]


def between(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """The stretches from each opening to the next closing, none within another; in linear time."""
    ends = [match.span() for match in closing.finditer(text)]
    place = 0
    for match in opening.finditer(text):
        if match.start() < place:
            continue
        after = bisect_left(ends, match.end(), key=lambda end: end[0])
        if after == len(ends):
            return
        place = ends[after][1]
        yield match.start(), place


class Captions:
    """The captions of a text, by their places in its order."""

    def __init__(self, text: str, places: list[tuple[int, int]]) -> None:
        self.text = text
        self.places = [place for place in places if place[1] - place[0] <= NEAR]

    def of(self, start: int, end: int) -> str:
        """The caption of a table: one within it, or else the nearest one to it."""
        first = bisect_left(self.places, start - 2 * NEAR, key=lambda place: place[0])
        last = bisect_left(self.places, end + NEAR, key=lambda place: place[0])
        around = self.places[first:last]
        inside = [place for place in around if start <= place[0] and place[1] <= end]
        near = sorted(around, key=lambda place: min(abs(place[0] - end), abs(place[1] - start)))
        near = [place for place in near if min(abs(place[0] - end), abs(place[1] - start)) < NEAR]
        found = (inside or near)[:1]
        return plain(self.text[slice(*found[0])]) if found else ""


def plain(text: str) -> str:
    """A caption in one line, without markup."""
    text = re.sub(r"<[^<>]*>|\\(?:label|cite)\{[^{}]*\}|\\[A-Za-z]+|[{}$~]", " ", text)
    return " ".join(text.replace('"', "'").split())
