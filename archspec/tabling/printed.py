"""A network's own table as its text prints it, errata corrected, with the columns that belong to the network."""

import re

from msgspec import Struct

from archspec.elaborate import parameters
from archspec.elaborate.layout import Role
from archspec.elaborate.network import Elaboration
from archspec.elaborate.others import other_columns
from archspec.elaborate.table_rows import TableRow, overridden
from archspec.graph import Graph
from archspec.spec import Spec
from archspec.syntax import tree as t
from archspec.tables import cells

DIGITS = re.compile(r"(?<=[0-9])_(?=[0-9])")


class PrintedColumn(Struct, frozen=True):
    """A column of the paper's table."""

    header: str
    role: Role
    name: str
    """of the variable that it gives"""


class PrintedTable(Struct, frozen=True):
    """A table of the paper, as this network reads it."""

    columns: tuple[PrintedColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    paths: tuple[str, ...]
    """of each row's scope in the Graph"""


def printed_tables(spec: Spec, graph: Graph) -> tuple[PrintedTable, ...]:
    """The tables that a network is made of; none where what they claim is not so with its parameters.

    Raises `SpecError`.
    """
    network, _ = spec.choice
    bindings = parameters.bound(spec.module, network, parameters.from_values(graph.parameters), spec.make.budget)
    elaboration = Elaboration(spec.module, network, spec.make, bindings, claims=True, totals=False)
    if elaboration.fold(elaboration.corrections)[0].errors:
        return ()
    tables = (elaboration.tables[id(clause)] for clause in elaboration.clauses(t.TableClause))
    return tuple(table_of(overridden(rows, elaboration.corrections), elaboration) for rows in tables if rows)


def table_of(rows: list[TableRow], elaboration: Elaboration) -> PrintedTable:
    """One table, without the columns and rows of the networks beside this one."""
    layout = rows[0].layout
    others = beside(rows, elaboration)
    shown = [i for i, column in enumerate(layout.columns) if column.header.text not in others]
    columns = tuple(
        PrintedColumn(column.header.text, column.role, column.text) for column in (layout.columns[i] for i in shown)
    )
    here = [row for row in rows if not (layout.chosen and left_out(row))]
    return PrintedTable(
        columns,
        tuple(tuple(printed(row.row.cells[i].text, layout.columns[i].role) for i in shown) for row in here),
        tuple(f"row_{row.number}" for row in here),
    )


def printed(text: str, role: Role) -> str:
    """A cell as a paper prints it: an erratum may have `9_472`."""
    return DIGITS.sub(",", text) if role in {"params", "macs"} else text


def left_out(row: TableRow) -> bool:
    """Whether a row is not of this network."""
    cell = row.layout.cell(row.row, "operator")
    return cell is None or cells.missing(cell)


def beside(rows: list[TableRow], elaboration: Elaboration) -> set[str]:
    """The headers of columns that a parameter could have picked, and did not."""
    elsewhere = (roles(found) for other in other_columns(elaboration) for found in other.tables.values() if found)
    return set[str]().union(*elsewhere) - roles(rows)


def roles(rows: list[TableRow]) -> set[str]:
    """The headers of columns that mean something here."""
    return {column.header.text for column in rows[0].layout.columns if column.role != "note"}
