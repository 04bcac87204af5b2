"""Errata: the cells that a paper misprinted, and what stands for them."""

import re
from functools import cached_property

from archspec.diagnostics import SpecError
from archspec.elaborate.claims import UnknownPlace
from archspec.elaborate.table_rows import Overrides, TableRow
from archspec.syntax import tree as t
from archspec.tables import cells, patterns

WORD = re.compile("[a-z0-9]+")


class Places:
    """The rows of a network's tables, all of them and those of each table that has a name."""

    def __init__(self, rows: list[TableRow], named: dict[str, list[TableRow]]) -> None:
        self.rows = rows
        self.named = named

    @cached_property
    def words(self) -> dict[str, list[TableRow]]:
        """Every word of a cell to the rows that have it."""
        found: dict[str, list[TableRow]] = {}
        for row in self.rows:
            for word in {word for cell in row.row.cells for word in WORD.findall(cell.text.lower())}:
                found.setdefault(word, []).append(row)
        return found

    def saying(self, key: str) -> list[TableRow]:
        """The rows that may have these words in a cell."""
        words = WORD.findall(key.lower())
        return min((self.words.get(word, []) for word in words), key=len) if words else self.rows


def corrections(erratum: t.Erratum, places: Places) -> Overrides:
    """The cell that an erratum names, with its correction; raises `SpecError` where it names none or several."""
    parts = [part.strip() for part in erratum.place.value.split(",")]
    at = next((i for i, part in enumerate(parts) if part.startswith("row ")), None)
    if at is None or at == len(parts) - 1:
        raise SpecError([UnknownPlace(erratum.place.span, "this place names no row and column")])
    table = next((part for part in parts[:at] if part in places.named), None)
    if places.named and at and table is None:
        names = ", ".join(places.named)
        raise SpecError([UnknownPlace(erratum.place.span, f"no table is called `{parts[0]}`; there is {names}")])
    row = row_of(erratum, parts[at].removeprefix("row ").strip(), places, table)
    header = ", ".join(parts[at + 1 :])
    found = row.layout.by_header.get(patterns.key(header), [])
    if len(found) != 1:
        raise SpecError([UnknownPlace(erratum.place.span, f"{row.label} has no column `{header}`")])
    cell = row.row.cells[found[0]]
    return {cell.span: cells.corrected(cell, erratum.correction.value, erratum.correction.span)}


def row_of(erratum: t.Erratum, key: str, places: Places, table: str | None) -> TableRow:
    """The row of that number in a table, or in all of them; or else the only one with these words in a cell."""
    rows = places.rows if table is None else places.named[table]
    if re.fullmatch(r"[0-9]{1,6}", key):
        found = rows[int(key) - 1 : int(key)] if int(key) else []
    else:
        words = re.compile(rf"(?<![A-Za-z0-9]){re.escape(key)}(?![A-Za-z0-9])", re.IGNORECASE)
        numbers = range(rows[0].number, rows[-1].number + 1) if rows else ()
        likely = [row for row in places.saying(key) if row.number in numbers]
        found = [row for row in likely if any(words.search(cell.text) for cell in row.row.cells)]
    if len(found) != 1:
        count = f"{len(found)} rows" if found else "no row"
        raise SpecError([UnknownPlace(erratum.place.span, f"{count} {'answer' if found else 'answers'} to `{key}`")])
    return found[0]
