"""Errata: the cells that a paper misprinted, and what stands for them."""

import re

from archspec.diagnostics import SpecError
from archspec.elaborate.claims import UnknownPlace
from archspec.elaborate.table_rows import Overrides, TableRow
from archspec.syntax import tree as t
from archspec.tables import cells, patterns


def corrections(erratum: t.Erratum, rows: list[TableRow], tables: dict[str, list[TableRow]]) -> Overrides:
    """The cell that an erratum names, with its correction; raises `SpecError` where it names none or several."""
    parts = [part.strip() for part in erratum.place.value.split(",")]
    at = next((i for i, part in enumerate(parts) if part.startswith("row ")), None)
    if at is None or at == len(parts) - 1:
        raise SpecError([UnknownPlace(erratum.place.span, "this place names no row and column")])
    named = [tables[part] for part in parts[:at] if part in tables]
    if tables and at and not named:
        names = ", ".join(tables)
        raise SpecError([UnknownPlace(erratum.place.span, f"no table is called `{parts[0]}`; there is {names}")])
    row = row_of(erratum, parts[at].removeprefix("row ").strip(), named[0] if named else rows)
    header = ", ".join(parts[at + 1 :])
    found = [
        cell
        for column, cell in zip(row.layout.columns, row.row.cells, strict=True)
        if patterns.same_text(column.header.text, header)
    ]
    if len(found) != 1:
        raise SpecError([UnknownPlace(erratum.place.span, f"{row.label} has no column `{header}`")])
    return {found[0].span: cells.corrected(found[0], erratum.correction.value, erratum.correction.span)}


def row_of(erratum: t.Erratum, key: str, rows: list[TableRow]) -> TableRow:
    """The row of that number among these, or the only one with these words in a cell."""
    if re.fullmatch(r"[0-9]{1,6}", key):
        found = rows[int(key) - 1 : int(key)] if int(key) else []
    else:
        words = re.compile(rf"(?<![A-Za-z0-9]){re.escape(key)}(?![A-Za-z0-9])", re.IGNORECASE)
        found = [row for row in rows if any(words.search(cell.text) for cell in row.row.cells)]
    if len(found) != 1:
        count = f"{len(found)} rows" if found else "no row"
        raise SpecError([UnknownPlace(erratum.place.span, f"{count} {'answer' if found else 'answers'} to `{key}`")])
    return found[0]
