"""What is not a spec's, but stands in a text: marks of a merge, marks of direction, characters that look like ASCII.

A change is suggested only where the text was read with it, and further than before.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from archspec.diagnostics import Diagnostic, Edit, Label, Suggestion
from archspec.foreign import meaning
from archspec.kinds import declares, of_text
from archspec.lookalikes import lookalike
from archspec.source import LINE_END, Source, Span
from archspec.syntax.errors import LINE_ENDS, STEERING, AnotherKind, UnfinishedMerge, UnknownCharacter

SIDE = re.compile(r"^(?:<{7}|>{7})(?=[ \r\n]|\Z)[^\r\n]*", re.MULTILINE)
"""A line that no spec and no table has: the other marks alone may be a table's."""
MARK = re.compile(r"(?:^|(?<=\r))(?:<{7}|\|{7}|={7}|>{7})(?=[ \r\n]|\Z)[^\r\n]*", re.MULTILINE)
BEGINS = re.compile(r"\s*(?:#[^\r\n]*[\r\n]\s*)*arch\b")
KEPT = frozenset("×±")
"""What is not ASCII and has a meaning outside of strings, tables and comments."""
ENDS = frozenset(" \t\f\r\n\"'#")
BEFORE, AFTER = re.compile(r"[A-Za-z0-9_]+\Z"), re.compile("[A-Za-z0-9_]+")
FARTHEST = 100
MOST = 50


def strangers(source: Source) -> list[Diagnostic]:
    """Why a text is not read at all: an unfinished merge, or else its marks of direction."""
    text = source.text
    if ("<<<<<<<" in text or ">>>>>>>" in text) and (merge := unfinished(source)):
        return [merge]
    if text.isascii():
        return []
    marks = [match for _, match in zip(range(MOST), STEERING.finditer(text), strict=False)]
    return [UnknownCharacter(Span(source, *match.span()), match[0]) for match in marks]


def another_kind(source: Source, start: int) -> Diagnostic | None:
    """What a text looks like that begins at a place, and not as a spec does: by what it holds, else by its suffix."""
    suffix = Path(source.name).suffix
    kind = of_text(source.text)
    if kind is None and not declares(source.text) and meaning("file", suffix):
        kind = suffix
    return AnotherKind(Span(source, start, start), kind) if kind else None


def unfinished(source: Source) -> Diagnostic | None:
    """The first conflict of a merge that stands in a text."""
    first = SIDE.search(source.text)
    if first is None:
        return None
    places = list(conflict(source.text, first.start()))
    count = sum(match[0].startswith("<") for match in SIDE.finditer(source.text))
    spans = tuple(Span(source, match.start(), match.end()) for match in places)
    return UnfinishedMerge(spans[0], spans, count)


def conflict(text: str, start: int) -> Iterator[re.Match[str]]:
    """The marks from a place to the end of its conflict."""
    for number, match in enumerate(MARK.finditer(text, start)):
        if number and match[0].startswith("<"):
            return
        yield match
        if match[0].startswith(">"):
            return


def in_ascii(span: Span, offset: int, end: int, stops: Callable[[str], int | None]) -> tuple[Suggestion, ...]:
    """The characters around a place in ASCII, where the text from `offset` to `end` is read further with it.

    `stops` says where the reading of a text ends too early, and None where it does not.
    """
    source = span.source
    edits = quotes(span, end) if lookalike(span.text) in {'"', "'"} else word(span, offset, end)
    if not edits:
        return ()
    begin, last = edits[0].span.start, edits[-1].span.end
    before, after, mended = source.text[offset:begin], source.text[last:end], changed(source, edits)
    stop = stops(before + mended + after)
    if stop is not None and stop < len(before) + len(mended):
        return ()
    text = said(source, edits)
    return (Suggestion(text, edits, (Label(span),), text),)


def said(source: Source, edits: tuple[Edit, ...]) -> str:
    """The edits in words, with the letters around them."""
    begin, last, mended = edits[0].span.start, edits[-1].span.end, changed(source, edits)
    if not mended.strip():
        return "write a blank" if mended else "delete it"
    before, after = BEFORE.search(source.text[max(0, begin - FARTHEST) : begin]), AFTER.match(source.text, last)
    return f"write `{before[0] if before else ''}{mended}{after[0][:FARTHEST] if after else ''}`"


def word(span: Span, offset: int, end: int) -> tuple[Edit, ...]:
    """What looks like ASCII in the stretch without blanks around a place."""
    source = span.source
    first, final = edge(source.text, span.start, offset, -1), edge(source.text, span.end, end, 1)
    return tuple(
        Edit(Span(source, at, at + 1), meant)
        for at in range(first, final)
        if (character := source.text[at]) not in KEPT and character not in LINE_ENDS
        and (meant := lookalike(character)) is not None
    )  # fmt: skip


def quotes(span: Span, end: int) -> tuple[Edit, ...]:
    """A quote that a word processor made, and the next one of its line."""
    source, meant = span.source, lookalike(span.text) or ""
    stop = LINE_END.search(source.text, span.end)
    for at in range(span.end, min(end, stop.start() if stop else end)):
        if lookalike(source.text[at]) == meant:
            return Edit(span, meant), Edit(Span(source, at, at + 1), meant)
    return ()


def edge(text: str, place: int, limit: int, step: int) -> int:
    """The end of the stretch without blanks, quotes and comments around a place, in one direction."""
    for _ in range(FARTHEST):
        at = place - 1 if step < 0 else place
        if place == limit or text[at] in ENDS:
            break
        place += step
    return place


def changed(source: Source, edits: tuple[Edit, ...]) -> str:
    """The text from the first edit to the end of the last, with all of them."""
    made, place = "", edits[0].span.start
    for edit in edits:
        made += source.text[place : edit.span.start] + edit.text
        place = edit.span.end
    return made
