"""Diagnostics of the spec of a pasted table -> the same, at the cells of the text that was pasted."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import fields, replace

from archspec.diagnostics import Diagnostic, Frame
from archspec.source import Source, Span
from archspec.tables.dialects import rows_of
from archspec.tables.table import Row

Places = list[tuple[Span, Span]]
"""Each place of the spec, and the pasted place that it was made of; the narrowest first."""


def blamed(
    errors: Sequence[Diagnostic], source: Source, rows: Sequence[Row], span: Span, reading: str
) -> list[Diagnostic]:
    """Diagnostics of the text of a spec, moved to the rows that its table was made of."""
    places = list(pairs(source, rows))
    made: list[Diagnostic] = []
    for error in errors:
        moved: Diagnostic = mapped(error, places)
        frame = Frame(f"the table, read as {reading}", span)
        made.append(replace(moved, stack=(frame, *moved.stack)) if moved.primary.source is span.source else error)
    return made


def pairs(source: Source, rows: Sequence[Row]) -> Iterator[tuple[Span, Span]]:
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
        if place.source is span.source and place.start <= span.start and span.end <= place.end:
            if place.text == pasted.text:
                return pasted.part(span.start - place.start, span.end - place.start)
            return pasted
    return span
