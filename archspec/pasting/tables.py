"""The tables in a text: a bare one, or those of a page, a paper's source or a talk, whatever stands around them."""

import re
from collections.abc import Iterator

from msgspec import Struct

from archspec.diagnostics import SpecError
from archspec.source import Source, Span
from archspec.tables.dialects import rows_of
from archspec.tables.table import Row

WHOLE = (
    re.compile(r"<table\b.*?</table\s*>", re.DOTALL | re.IGNORECASE),
    re.compile(r"\\begin\{(tabular[xy*]?|longtable|supertabular)\}.*?\\end\{\1\}", re.DOTALL),
)
"""Tables that say where they begin and end."""
CAPTIONS = (
    re.compile(r"<(?:fig)?caption\b[^>]*>(.*?)</(?:fig)?caption>", re.DOTALL | re.IGNORECASE),
    re.compile(r"\\caption(?:\[[^\]]*\])?\{((?:[^{}]|\{[^{}]*\})*)\}"),
)
NEAR = 2000
"""How far from a table its caption may stand, in characters."""


class Found(Struct, frozen=True):
    """A table of a text."""

    span: Span
    rows: tuple[Row, ...]
    """the first are the headers"""
    caption: str

    @property
    def line(self) -> int:
        return self.span.source.position(self.span.start)[0]


def tables_in(source: Source) -> list[Found]:
    """The tables of a text, in its order."""
    text = source.text
    for number, pattern in enumerate(WHOLE):
        spans = [Span(source, *match.span()) for match in pattern.finditer(text)]
        found = [Found(span, rows, caption(span, number)) for span in spans if (rows := read(span))]
        if found:
            return found
    whole = Span(source, 0, len(text))
    rows = read(whole)
    if rows and even(rows):
        return [Found(whole, rows, "")]
    return [Found(span, rows, "") for span in runs(source) if (rows := read(span)) and even(rows)]


def read(span: Span) -> tuple[Row, ...]:
    """The rows of a stretch of text; none where it is no table of two rows and two columns."""
    try:
        rows = rows_of(span.text, span)
    except SpecError:
        return ()
    return tuple(rows) if len(rows) > 1 and len(rows[0].cells) > 1 else ()


def even(rows: tuple[Row, ...]) -> bool:
    return len({len(row.cells) for row in rows}) == 1


def runs(source: Source) -> Iterator[Span]:
    """Stretches between blank lines, each whole where it is a table, else its lines of one kind."""
    for match in re.finditer(r"(?:[^\n]*\S[^\n]*(?:\n|$))+", source.text):
        stretch = Span(source, *match.span())
        rows = read(stretch)
        if rows and even(rows):
            yield stretch
        else:
            yield from alike(stretch)


def alike(stretch: Span) -> Iterator[Span]:
    """The runs of lines of one kind: with so many tabs, with pipes, or plain."""
    start, end, last = 0, 0, ""
    for match in re.finditer(r"[^\n]+(?:\n|$)", stretch.text):
        tabs = match[0].rstrip().count("\t")
        kind = f"{tabs} tabs" if tabs else "pipes" if "|" in match[0] or "│" in match[0] else "text"
        if kind != last:
            if last:
                yield stretch.part(start, end)
            start, last = match.start(), kind
        end = match.end()
    if last:
        yield stretch.part(start, end)


def caption(span: Span, kind: int) -> str:
    """The caption of a table: the nearest one to it."""
    text = span.source.text
    found = [
        (min(abs(match.start() - span.end), abs(match.end() - span.start)), match[1])
        for match in CAPTIONS[kind].finditer(text)
    ]
    inside = [words for match in CAPTIONS[kind].finditer(span.text) for words in [match[1]]]
    near = [words for distance, words in sorted(found) if distance < NEAR]
    return plain((inside or near or [""])[0])


def plain(text: str) -> str:
    """A caption in one line, without markup."""
    text = re.sub(r"<[^<>]*>|\\(?:label|cite)\{[^{}]*\}|\\[A-Za-z]+|[{}$~]", " ", text)
    return " ".join(text.replace('"', "'").split())


def one_line(text: str) -> str:
    """A cell's text in one line; what LaTeX writes as `\\_` within a word belongs to it."""
    return re.sub(r"(?<=[A-Za-z0-9]) _(?=[A-Za-z0-9])", "_", " ".join(text.split()))
