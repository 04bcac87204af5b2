"""The tables in a text: a bare one, or those of a page, a paper's source or a talk, whatever stands around them."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import takewhile

from msgspec import Struct
from msgspec.structs import replace

from archspec.diagnostics import Diagnostic, SpecError
from archspec.pasting.errors import NotAsPrinted, TooMuch
from archspec.pasting.vocabulary import groups_of
from archspec.printable import visible
from archspec.source import Source, Span
from archspec.tables import patterns
from archspec.tables.dialects import HEADERS_ALONE, environments, markdown, ragged, rows_of
from archspec.tables.grid import after
from archspec.tables.table import RaggedRow, Row, UnreadableTable

ELEMENT = re.compile(r"<table\b", re.IGNORECASE), re.compile(r"</table\s*>", re.IGNORECASE)
CAPTION = re.compile(r"<(?:fig)?caption\b[^>]{0,200}>", re.IGNORECASE), re.compile(r"</(?:fig)?caption>", re.IGNORECASE)
LATEX_CAPTION = re.compile(r"\\caption(?:\[[^\]]{0,200}\])?\{((?:[^{}]|\{[^{}]*\}){0,2000})\}")
WORDS = 3
"""A line of more words is not a row of one cell."""
COLUMNS = 3
"""Lines of fewer columns are not a table if one of them does not fit."""
MOST_TABLES, MOST_CELLS, MOST_CHARACTERS = 100, 4_000, 100_000
"""What recognition takes: more would take longer than anybody waits."""
SAMPLE = 50
"""So many rows tell whether a text is a table."""
AROUND = "write the spec around the table: `network N { table { … } read … }`"
NEAR = 2000
"""How far from a table its caption may stand, in characters."""


MARK = r"(?:[*†‡§¶]{1,3}|\\d?dag(?:ger)?(?![a-z]))"
MARKED = re.compile(rf"\\?({MARK})[}}$\s]*$")
"""A footnote's mark at the end of a cell."""
FOOTNOTE = re.compile(
    rf"^[ \t>|]*(?:<[^<>\n]{{0,200}}>[ \t]*){{0,5}}(?:\\(?:small|footnotesize|scriptsize|tiny|item) *)?"
    rf"[$^{{\\\[]{{0,4}}({MARK})[}}$\]]{{0,3}}(?:</sup>)?[ \t:]*([^\s|*†‡§¶}}$][^\n]*)",
    re.MULTILINE,
)
MOST_FOOTNOTES = 20
"""Of one mark; further lines that begin with it are a list of something else."""
TITLED = re.compile(r"\s*[*_>]{0,3}(?:Table|Tab\.|Figure|Fig\.)\s*[0-9IVX]")


class Beside(Struct, frozen=True):
    """A text beside a table, which is not read: its caption, lines around it, a footnote with its mark."""

    span: Span
    text: str
    mark: str = ""

    def wrong(self, printed: str, found: str) -> Diagnostic:
        """The text says what the network does not have."""
        advice = "leave the text out if it is not about this network; a caption is left out with `--title TEXT`"
        return NotAsPrinted(self.span, printed, found, "the text beside the table says", advice)


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
    beside: tuple[Beside, ...] = ()

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
        found = [one for place in places if (one := captioned(Span(source, *place), captions)) is not None]
        if found:
            return found
    whole = table(Span(source, 0, len(text))) if text.count("\n") <= MOST_CELLS else None
    if whole is not None and whole.rows and not whole.wrong:
        return [whole]
    stretches = [Span(source, *match.span()) for match in re.finditer(r"(?:[^\n]*\S[^\n]*(?:\n|$))+", text)]
    return list(titled(stretches, [list(in_stretch(stretch)) for stretch in stretches]))


def captioned(span: Span, captions: "Captions") -> Found | None:
    """A table of a page or a paper with its caption."""
    caption, place = captions.of(span.start, span.end)
    found = sized(span, caption)
    if found is None or place is None:
        return found
    return replace(found, beside=(Beside(Span(span.source, *place), caption),))


def titled(stretches: Sequence[Span], tables: Sequence[Sequence[Found]]) -> Iterator[Found]:
    """The tables of a text, each with the paragraph `Table 2: …` next to it that is next to no other table."""
    has = [False, *map(bool, tables), False]
    for place, found in enumerate(tables):
        near = [(place - 1, place - 2), (place + 1, place + 2)] if len(found) == 1 else []
        said = [
            stretches[one]
            for one, other in near
            if 0 <= one < len(tables) and not has[one + 1] and not has[other + 1] and TITLED.match(stretches[one].text)
        ]
        yield from (noted(found[0], said[0], "beside"),) if len(said) == 1 else found


def with_footnotes(found: Found) -> Found:
    """A table with the lines of its text that begin with a mark that stands in it."""
    marks = {mark for row in found.rows for cell in row.cells for mark in marks_of(cell.text)}
    footnotes = [one for mark in sorted(marks) for one in nearest(footnotes_in(found.span.source).get(mark, ()), found)]
    if not footnotes:
        return found
    said = [f"The footnote at line {line_of(one.span)} is not read: {one.mark} {one.text}" for one in footnotes]
    others = tuple(replace(one, text=without(one, footnotes)) for one in found.beside)
    return replace(found, notes=(*found.notes, *said), beside=(*others, *footnotes))


@lru_cache(maxsize=2)
def footnotes_in(source: Source) -> dict[str, list[Beside]]:
    """The lines of a text that begin with a mark, by their marks."""
    found: dict[str, list[Beside]] = {}
    for match in FOOTNOTE.finditer(source.text):
        span = Span(source, match.start(1), match.end(2))
        found.setdefault(match[1], []).append(Beside(span, plain(match[2])[:NEAR], match[1]))
    return found


def nearest(footnotes: Sequence[Beside], found: Found) -> Sequence[Beside]:
    """Those of one mark that follow a table, as many as a page has, and the last before it if none follows."""
    after = bisect_left(footnotes, found.span.end, key=lambda one: one.span.start)
    before = bisect_left(footnotes, found.span.start, key=lambda one: one.span.start)
    return footnotes[after : after + MOST_FOOTNOTES] or footnotes[max(0, before - 1) : before]


def without(said: Beside, footnotes: Sequence[Beside]) -> str:
    """A text without the footnotes that stand in it."""
    within = [one.span for one in footnotes if said.span.start <= one.span.start < said.span.end]
    if not within:
        return said.text
    ends = [said.span.start, *(end for span in within for end in (span.start, span.end)), said.span.end]
    return " ".join(said.span.source.text[a:b] for a, b in zip(ends[::2], ends[1::2], strict=True))


def marks_of(text: str) -> set[str]:
    """The mark of a footnote that stands behind what a cell says."""
    match = MARKED.search(text[-20:])
    return {match[1]} if match else set()


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
    return Found(span, rows, caption, (*ragged(rows), *repeated(rows)))


def of_lines(lines: Sequence[Span]) -> Found | None:
    """Some lines as a table; one that is too large is not read."""
    span = lines[0].to(lines[-1])
    begin = table(lines[0].to(lines[SAMPLE])) if len(lines) > MOST_CELLS else None
    if begin is None or not begin.rows:
        return table(span)
    wrong = TooMuch(begin.rows[0].span, "rows", len(lines) - 1, MOST_CELLS // len(begin.rows[0].cells), AROUND)
    return Found(span, (), "", (wrong,))


def sized(span: Span, caption: str) -> Found | None:
    """A table between its marks; one that is too large is not read."""
    if span.end - span.start <= MOST_CHARACTERS:
        return table(span, caption)
    wrong = TooMuch(span.part(0, 0), "characters", span.end - span.start, MOST_CHARACTERS, AROUND)
    return Found(span, (), caption, (wrong,))


def repeated(rows: Sequence[Row]) -> Iterator[UnreadableTable]:
    """The first row that is the headers once more: two tables stand below each other, or one table twice."""
    headers = [cell.text for cell in rows[0].cells]
    again = next((row for row in rows[1:] if [cell.text for cell in row.cells] == headers), None)
    if again is not None and any(map(groups_of, headers)):
        advice = "put an empty line between two tables, or leave this row out"
        yield UnreadableTable(again.span, "its headers stand here once more", advice)


def in_stretch(stretch: Span) -> Iterator[Found]:
    """The tables between two blank lines: the whole, or runs of lines of one kind."""
    lines = [stretch.part(*match.span()) for match in re.finditer(r"[^\n]+(?:\n|$)", stretch.text)]
    whole = of_lines(lines)
    if whole is not None and not any(isinstance(one, RaggedRow) for one in whole.wrong):
        yield whole
        return
    place = last = 0
    while place < len(lines):
        kind = kind_of(lines[place])
        end = place + 1
        while end < len(lines) and (kind_of(lines[end]) == kind or (end > place + 1 and is_row(lines[end], kind))):
            end += 1
        begin = headers(lines[place:end], kind) + place
        found = of_lines(lines[begin:end])
        if found is not None and (kind != TEXT or not found.wrong or sure(found)):
            rest = list(takewhile(lambda line: kind_of(line) == TEXT, lines[end:]))
            above = list(takewhile(lambda line: kind_of(line) == TEXT, reversed(lines[last:begin])))
            made = noted(filled(found), above[-1].to(above[0]), "above") if above else filled(found)
            yield noted(made, rest[0].to(rest[-1]), "below") if rest else made
            last = end + len(rest)
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
        return next((place for place in range(len(lines) - 1) if markdown(lines[place].to(lines[-1]).text)), 0)
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
    return replace(found, rows=tuple(rows), wrong=(*ragged(rows), *repeated(rows)), notes=(*found.notes, *notes))


def noted(found: Found, said: Span, where: str) -> Found:
    """A table with a text beside it, which is not read."""
    text = " ".join(said.text.split())
    note = f"Line {line_of(said)}, {where} the table, is not read: {text[:NEAR]}"
    return replace(found, notes=(*found.notes, note), beside=(*found.beside, Beside(said, text[:NEAR])))


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

    def of(self, start: int, end: int) -> tuple[str, tuple[int, int] | None]:
        """The caption of a table: one within it, or else the nearest one to it."""
        first = bisect_left(self.places, start - 2 * NEAR, key=lambda place: place[0])
        last = bisect_left(self.places, end + NEAR, key=lambda place: place[0])
        around = self.places[first:last]
        inside = [place for place in around if start <= place[0] and place[1] <= end]
        near = sorted(around, key=lambda place: min(abs(place[0] - end), abs(place[1] - start)))
        near = [place for place in near if min(abs(place[0] - end), abs(place[1] - start)) < NEAR]
        found = (inside or near)[:1]
        return (plain(self.text[slice(*found[0])]), found[0]) if found else ("", None)


def plain(text: str) -> str:
    """A caption in one line, without markup."""
    text = re.sub(r"<[^<>]*>|\\(?:label|cite)\{[^{}]*\}|\\[A-Za-z]+|[{}$~]", " ", text)
    return " ".join(text.replace('"', "'").split())
