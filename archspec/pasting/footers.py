"""The last rows of a pasted table, which print totals and are not layers -> claims about the whole network."""

import re
from collections.abc import Sequence

from msgspec import Struct

from archspec.elaborate.claims import number_holds
from archspec.pasting.corrections import unit_of
from archspec.pasting.vocabulary import footers, groups_of, words
from archspec.syntax import tree
from archspec.tables.cells import MISSING, SEPARATOR, normalize, number_claim
from archspec.tables.table import Cell, Row

AMOUNT = re.compile(r"\s*([0-9][0-9.,_]*)\s*(K|k|M|G|B|T)?\s*(?:FLOPs|FLOPS|MACs|MAdds|params)?\s*", re.IGNORECASE)


class Total(Struct, frozen=True):
    """A number that a table prints of the whole network."""

    cell: Cell
    column: int
    what: str
    """`params` or `macs`"""
    quantity: tree.Quantity
    text: str
    """the number, as the language writes it"""
    flops: bool
    """whether it is called FLOPs: some papers count two for a multiply-add, and some cut the last digit"""

    def holds_otherwise(self, found: int) -> str:
        """Why the number holds although rounding does not give it; empty where it does not hold."""
        quantity = self.quantity
        if self.flops and quantity.value <= found < quantity.value + quantity.resolution:
            return "its last digit is cut"
        if self.flops and number_holds(quantity, 2 * found):
            return "it counts two for each multiply-accumulate"
        return ""


class Parted(Struct, frozen=True):
    """The rows of layers, and what stands below them."""

    rows: tuple[Row, ...]
    totals: tuple[Total, ...]
    notes: tuple[str, ...]


def parted(rows: Sequence[Row]) -> Parted:
    """The rows of layers, and the totals below them; raises `SpecError` where a total is not a number."""
    end = len(rows)
    while end > 2 and summing(rows[end - 1]) is not None:
        end -= 1
    totals = [total for row in rows[end:] for total in totals_of(row, rows[0])]
    notes = tuple(
        "The last row prints totals and is not a layer: "
        + ", ".join(dict.fromkeys(cell.shown for cell in row.cells if cell.shown not in MISSING))
        for row in rows[end:]
    )
    return Parted(tuple(rows[:end]), tuple(totals), notes)


def summing(row: Row) -> str | None:
    """What a row of totals counts; None where the row is a layer."""
    said = list(dict.fromkeys(cell.shown for cell in row.cells if cell.shown not in MISSING))
    labels = [what for text in said if (what := footers().get(words(text))) is not None]
    rest = [text for text in said if words(text) not in footers()]
    return labels[0] if len(labels) == 1 and all(re.search("[0-9]", text) for text in rest) else None


def totals_of(row: Row, head: Row) -> list[Total]:
    """The claims of a row of totals."""
    label = summing(row)
    found: list[Total] = []
    for column, (cell, header) in enumerate(zip(row.cells, head.cells, strict=True)):
        if cell.shown in MISSING or words(cell.shown) in footers():
            continue
        named = next((role for role in ("params", "macs") if role in groups_of(header.text)), None)
        what = label if label in {"params", "macs"} else named
        if what is not None:
            said = " ".join(c.shown for c in row.cells) if what == label else header.text
            text = amount(cell.shown, unit_of(said))
            quantity = number_claim(Cell(cell.span, text))
            assert quantity is not None
            found.append(Total(cell, column, what, quantity, text, "flops" in said.casefold()))
    return found


def amount(text: str, unit: str) -> str:
    """A number in the unit that stands with it."""
    match = AMOUNT.fullmatch(text)
    plain = f"{match[1]}{(match[2] or unit).replace('k', 'K')}" if match else text
    return SEPARATOR.sub("_", normalize(plain))
