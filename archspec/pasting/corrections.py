"""Cells of a pasted table that are printed in another way than cells are read -> errata.

The table stays as it was printed. The cells have a footnote's mark behind a number, a shape with the channels first, or
a number in the unit of their header.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from archspec.pasting.columns import CLAIMS
from archspec.pasting.vocabulary import UNIT, words
from archspec.tables.cells import MISSING, without_brackets
from archspec.tables.table import Cell, Row

MARKED = re.compile(r"(.*[0-9²)kKMGBT])\s*(?:[*†‡§¶]|\\dag)+")
CHANNELS_LAST = re.compile(r"\s*([0-9]+)(?:\s*([²])\s*|\s*[×xX*]\s*([0-9]+)\s*)[×xX*]\s*([0-9]+)\s*")
CHANNELS_FIRST = re.compile(r"\s*([0-9]+)\s*[×xX*]\s*([0-9]+)\s*(?:(²)|[×xX*]\s*([0-9]+))\s*")
TIMES = re.compile(r"[×xX*]\s*([0-9]+)|([0-9]+)\s*[×xX*]")
POWERS = {"3": "K", "³": "K", "6": "M", "⁶": "M", "9": "G", "⁹": "G"}
SHAPES, NUMBERS = CLAIMS[:2], CLAIMS[2:]


class Correction(Struct, frozen=True):
    """What a cell is read as."""

    row: int
    column: int
    text: str
    because: str


def corrections(rows: Sequence[Row], meanings: Mapping[int, str]) -> list[Correction]:
    """Corrections of the cells that need one; `meanings` are the columns' roles and variables."""
    found: list[Correction] = []
    for column, meaning in meanings.items():
        cells = [row.cells[column] for row in rows]
        first = meaning in SHAPES and channels_first(cells)
        unit = unit_of(cells[0].text) if meaning in NUMBERS else ""
        for number, cell in enumerate(cells[1:], 1):
            found += corrected(cell, meaning, number, column, first, unit)
    return found


def corrected(cell: Cell, meaning: str, row: int, column: int, first: bool, unit: str) -> Iterator[Correction]:
    """The correction of one cell, if it needs one."""
    text, reasons = cell.shown, []
    marked = MARKED.fullmatch(text)
    if marked and meaning not in {"operator", "note"}:
        text, reasons = marked[1], ["the mark is a footnote's"]
    times = TIMES.fullmatch(text)
    if times and meaning in {"n", "repeat"}:
        text, reasons = times[1] or times[2], ["the sign says times"]
    sides = CHANNELS_FIRST.fullmatch(without_brackets(text)) if first else None
    if sides:
        height, width = sides[2], sides[2] if sides[3] else sides[4]
        if (sides[1], height) != (height, width):
            text = f"{height}×{width}×{sides[1]}"
            reasons.append("the table prints channels first")
    if unit and text not in MISSING and re.fullmatch(r"[0-9][0-9.,_]*", text):
        text = f"{text}{unit}"
        reasons.append(f"its header says {unit}")
    if reasons:
        yield Correction(row, column, text, " and ".join(reasons))


def channels_first(cells: Sequence[Cell]) -> bool:
    """Whether shapes have their channels first: the header says so, or all maps are square in that order alone."""
    said = words(cells[0].text)
    if "chw" in said or said[-3:] == ("c", "h", "w") or "cxhxw" in said:
        return True
    shapes = [match for cell in cells[1:] if (match := CHANNELS_FIRST.fullmatch(without_brackets(cell.shown)))]
    last = [match[3] is not None or match[2] == match[4] for match in shapes]
    leading = [CHANNELS_LAST.fullmatch(without_brackets(cell.shown)) for cell in cells[1:]]
    ordered = [match[2] is not None or match[1] == match[3] for match in leading if match]
    return bool(shapes) and all(last) and not all(ordered)


def unit_of(header: str) -> str:
    """The unit of a header: `Params (M)`, `FLOPs / 10^6`."""
    match = UNIT.search(header)
    if match is None:
        return ""
    return match[2] or POWERS.get((match[1] or match[3])[-1], "")
