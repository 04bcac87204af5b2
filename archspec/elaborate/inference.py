"""`infer`: a variable that no cell gives, solved from what a row claims of its output.

A value that is usual goes first, and one that is not is never taken in silence: the row is built with the usual value
that comes nearest, so that the claim fails as every other that does not hold.
"""

from collections.abc import Callable, Collection, Sequence

from msgspec import Struct

from archspec.diagnostics import SpecError
from archspec.elaborate.claims import shape_holds
from archspec.elaborate.evaluate import Value
from archspec.elaborate.table_errors import Unsolved
from archspec.elaborate.table_rows import TableRow, operator_span
from archspec.syntax import tree as t
from archspec.tables import cells
from archspec.tables.table import Cell
from archspec.tensor import Shape

USUAL = (1, 2)
"""Strides that papers leave out of their tables."""
IMAGE_SIDES = (224, 227, 299, 32, 28, 96, 64, 48)
"""Sides of images that papers use, ImageNet's first."""


class Inferred(Struct, frozen=True):
    """What was solved for in a row."""

    row: int
    name: str
    value: Value

    def __str__(self) -> str:
        return f"row {self.row}: {self.name} = {self.value}"


def solutions(
    candidates: Sequence[Value], claimed: tuple[int, ...], given: Callable[[Value], Shape]
) -> list[tuple[Value, Shape]]:
    """The candidates with which a row gives what is claimed, or else the one that comes nearest, and what it gives.

    `given` builds the row with a candidate; raises `SpecError` where it does for all of them.
    """
    found: list[tuple[Value, Shape]] = []
    failed: SpecError | None = None
    for candidate in candidates:
        try:
            found.append((candidate, given(candidate)))
        except SpecError as error:
            failed = failed or error
    if not found and failed is not None:
        raise failed
    whole = [one for one in found if shape_holds(claimed, one[1])]
    sized = [one for one in found if shape_holds(spatial(claimed), one[1])]
    return whole or sized or [min(found, key=lambda one: abs(one[1][0] - spatial(claimed)[0]))]


def spatial(claimed: tuple[int, ...]) -> tuple[int, ...]:
    """Height and width of a claim: what a stride decides."""
    return claimed[:2] if len(claimed) == 3 else claimed


def no_claim(wanted: t.Name, rows: Sequence[TableRow], row: TableRow, used: Collection[str]) -> Unsolved:
    """Nothing says what a row gives. `rows` are those of its table; `used` are the variables that rules use."""
    columns = enumerate(row.layout.columns)
    headers = [
        column.header.shown
        for i, column in columns
        if (column.role == "note" or (column.role == "variable" and column.text not in used))
        and look_like_shapes([other.row.cells[i] for other in rows])
    ]
    likely = " or ".join(f'`columns "{header}": output`' for header in headers)
    advice = (
        f"if it is a claim, say so: {likely}" if likely else "columns with the header `Output` or `Input` are claims"
    )
    reason = f"{row.label} claims no output, and the row after it claims no input"
    return Unsolved(operator_span(row), wanted.id, reason, advice)


def look_like_shapes(column: Sequence[Cell]) -> bool:
    """Whether the cells of a column print heights and widths."""
    said = [cell for cell in column if not cells.missing(cell)]
    try:
        return bool(said) and all(len(cells.shape_claim(cell) or ()) >= 2 for cell in said)
    except SpecError:
        return False
