"""The rows of a network's tables, with what stands in their cells instead of what is printed."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from archspec.elaborate.layout import Layout, Role
from archspec.graph import PrintedCell
from archspec.source import Span
from archspec.tables import cells
from archspec.tables.table import Cell, Row

Overrides = Mapping[Span, Cell]
"""The span of a printed cell to what to read instead: an erratum's correction, or a change that is tried out."""


class TableRow(Struct, frozen=True):
    """A row with what it needs to be read."""

    number: int
    row: Row
    layout: Layout

    @property
    def label(self) -> str:
        return f"row {self.number}"


def is_of_another(rows: list[TableRow], position: int, role: Role) -> bool:
    """Whether a cell over several rows claims what another one of them is given or gives: the first, or the last."""
    at = position if role == "input" else position + 1
    cell = rows[at].layout.cell(rows[at].row, role) if at < len(rows) else None
    return cell is not None and cell.continued


def operator_span(row: TableRow) -> Span:
    cell = row.layout.cell(row.row, "operator")
    return cell.span if cell else row.row.span


def overridden(rows: list[TableRow], overrides: Overrides) -> list[TableRow]:
    """The rows with some cells read otherwise."""
    if not overrides:
        return rows
    return [
        replace(row, row=replace(row.row, cells=tuple(overrides.get(cell.span, cell) for cell in row.row.cells)))
        for row in rows
    ]


def printed_cells(row: TableRow) -> tuple[PrintedCell, ...]:
    """What a row prints, as a Graph has it."""
    columns = zip(row.layout.columns, row.row.cells, strict=True)
    return tuple(
        PrintedCell.valid(header=column.header.text, text=cell.shown, role=column.role)
        for column, cell in columns
        if column.role != "note"
    )


def repeated(up: Cell, mark: Cell) -> Cell:
    return Cell(mark.span, up.text) if cells.missing(up) else replace(up, continued=False)


def without_dittos(rows: tuple[Row, ...]) -> list[Row]:
    """A ditto mark stands for the cell above; one below an empty cell, or in the first row, stays what it is.

    One below a `-` says so itself, so that what is wrong with that is said at the mark.
    """
    done: list[Row] = []
    for row in rows:
        above = done[-1].cells if done else row.cells
        if any(cells.ditto(cell.text) for cell in row.cells):
            taken = tuple(
                repeated(up, cell) if cells.ditto(cell.text) and up.text else cell
                for cell, up in zip(row.cells, above, strict=True)
            )
            done.append(replace(row, cells=taken))
        else:
            done.append(row)
    return done
