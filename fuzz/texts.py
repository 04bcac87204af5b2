"""Targets of texts: specs, tables in each form, whatever is pasted."""

import html as pages
import re
from collections.abc import Callable

from archspec import driver, syntax
from archspec.diagnostics import SpecError
from archspec.graph import Graph
from archspec.limits import Limits
from archspec.pasting import pasted, tables_in
from archspec.source import Source, Span
from archspec.syntax.printer import print_tree
from archspec.tables import dialects
from archspec.tables.grid import FEWEST, MOST_TIMES, Grid
from archspec.tables.table import Row
from fuzz.mutate import mutated
from fuzz.targets import Target, told

LIMITS = Limits(nodes=3000, size=1 << 16, nesting=40, source=1 << 16, tokens=6000)


def parse(text: str) -> None:
    """A text that parses is printed to one that has the same tree, and that is printed to itself."""
    source = Source("<fuzz>", text)
    with driver.deep(LIMITS, source):
        tree = syntax.parse(source, LIMITS)
        printed = print_tree(tree)
        again = syntax.parse(Source("<fuzz>", printed), LIMITS)
        assert again == tree, "the printed text has another tree"
        assert print_tree(again) == printed, "printing twice gives another text"


def tables(text: str) -> None:
    """The cells of a table stand in it, as long as what they say."""
    for found in tables_in(Source("<fuzz>", text)):
        stand(found.rows, text)
        assert dialects.rows_of(found.span.text, found.span), "a table that is found and cannot be read"


def stand(rows: tuple[Row, ...], text: str) -> None:
    """Cells stand in their text, and are not many more than it has characters."""
    for number, row in enumerate(rows):
        for cell in row.cells:
            assert 0 <= cell.span.start <= cell.span.end <= len(text), "a cell outside of the text"
            # headers of several lines are one
            assert not cell.text or not number or len(cell.text) == len(cell.span.text), "a cell of another length"
    assert sum(len(row.cells) for row in rows) <= max(FEWEST, MOST_TIMES * len(text)), "more cells than were written"


def dialect(read: Callable[[str, Span], Grid | None]) -> Callable[[str], None]:
    """The target of one form: what it reads is read again, the same, where it is written as HTML."""

    def attempt(text: str) -> None:
        span = Span(Source("<fuzz>", text), 0, len(text))
        grid = read(text, span)
        rows = tuple(grid.table(span)) if grid is not None else ()
        stand(rows, text)
        said = [[plain(cell.text) for cell in row.cells] for row in rows]
        if said and all(map(any, said)) and len(said[0]) > 1:
            written = as_html(said)
            whole = Span(Source("<again>", written), 0, len(written))
            again = dialects.html(written, whole)
            found = again.table(whole) if again is not None else []
            same = [[plain(cell.text) for cell in row.cells] for row in found]
            assert same == said, f"{said} is read as {same}"

    return attempt


def plain(text: str) -> str:
    """A cell's text without blanks, which may stand for markup, and without what means something in formulas."""
    return re.sub(r"[\s\\${}^_]", "", text)


def as_html(rows: list[list[str]]) -> str:
    lines = ["".join(f"<td>{pages.escape(cell)}</td>" for cell in row) for row in rows]
    return "".join(f"<tr>{line}</tr>" for line in lines)


def cells(text: str, span: Span) -> Grid | None:
    """The forms without commands: pipes, tabs, commas, columns."""
    known = [read for read in dialects.DIALECTS if read not in {dialects.html, dialects.latex}]
    return next((grid for read in known if (grid := read(text, span)) is not None), None)


def elaborate(text: str) -> None:
    """A network that is elaborated is a Graph, also when it is read from JSON; every diagnostic can be shown."""
    spec = driver.parse(text, "<fuzz>", limits=LIMITS)
    spec.make.advise = len(text) % 4 == 0
    told(spec.check_all())
    for member in map(spec.member, spec.members):
        try:
            graph = member.elaborate()
        except SpecError as error:
            told(error.diagnostics)
            continue
        assert Graph.model_validate_json(graph.model_dump_json()) == graph, "a Graph that is not what its JSON says"
        assert graph.stats("row").params == graph.stats("layer").params, "rows and layers count otherwise"


def import_(text: str) -> None:
    """A table that is imported is a spec without errors."""
    found = [table for table in tables_in(Source("<fuzz>", text)) if len(table.rows) <= 12][:1]
    if found:
        made = pasted(found)
        assert not [d for d in driver.parse(made.text).check_all() if d.severity.value == "error"], made.text


def of(attempt: Callable[[str], None]) -> Target:
    return Target(lambda data: attempt(data.decode("utf-8", "replace")), mutated)


TARGETS = {
    "parse": of(parse), "tables": of(tables), "elaborate": of(elaborate), "import": of(import_),
    "html": of(dialect(dialects.html)), "latex": of(dialect(dialects.latex)), "cells": of(dialect(cells)),
}  # fmt: skip
