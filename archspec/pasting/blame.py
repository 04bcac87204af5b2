"""Diagnostics of the spec of a pasted table -> the same, at the cells of the text that was pasted."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import fields, replace

from archspec.diagnostics import Diagnostic, Frame
from archspec.source import Source, Span
from archspec.tables.dialects import rows_of
from archspec.tables.table import Row

Pair = tuple[Span, Span]
"""A place of the spec, and the pasted place that it was made of."""
Places = list[Pair]
"""The narrowest first."""


def blamed(
    errors: Sequence[Diagnostic],
    source: Source,
    rows: Sequence[Row],
    span: Span,
    reading: str,
    more: Iterable[Pair] = (),
) -> list[Diagnostic]:
    """Diagnostics of the text of a spec, moved to the rows that its table was made of, and to `more` places.

    What is wrong with the rest of that text, which nobody has seen, is said at the headers.
    """
    cells = list(pairs(source, rows))
    places = [*cells, *more, (Span(source, 0, len(source.text)), rows[0].span)]
    frame = Frame(f"the table, read as {reading}", span)
    made: list[Diagnostic] = []
    for error in errors:
        inside = [one for one in error.suggestions if all(moved(edit.span, cells) != edit.span for edit in one.edits)]
        there: Diagnostic = mapped(replace(error, suggestions=tuple(inside)), places)
        made.append(replace(there, stack=(frame, *there.stack)))
    return made


def pairs(source: Source, rows: Sequence[Row]) -> Iterator[Pair]:
    """The cells and rows of the table in the text of a spec, with those that they were made of."""
    start = source.text.index("\ntable {") + len("\ntable {")
    end = source.text.index("\n  }", start)
    inner = Span(source, start, end)
    written = [row for row in rows_of(inner.text, inner) if row.cells]
    for made, row in zip(written, rows, strict=False):
        for cell, pasted in zip(made.cells, row.cells, strict=False):
            yield cell.span, pasted.span
    for made, row in zip(written, rows, strict=False):
        yield made.span, row.span


def mapped(value: Any, places: Places) -> Any:
    """A value with its places moved to what was pasted, where they are in the table."""
    if isinstance(value, Span):
        return moved(value, places)
    if isinstance(value, tuple):
        return tuple(mapped(part, places) for part in value)
    if isinstance(value, Struct) and not isinstance(value, Source):
        changed = {f.name: mapped(getattr(value, f.name), places) for f in fields(value)}
        return replace(value, **changed)
    return value


def moved(span: Span, places: Places) -> Span:
    for place, pasted in places:
        if place.source == span.source and place.start <= span.start and span.end <= place.end:
            if place.text == pasted.text:
                return pasted.part(span.start - place.start, span.end - place.start)
            return pasted
    return span
