"""The rows of a table, and the names that its rules and clauses compute with -> its columns that nothing reads.

A column of words says nothing about the network, and neither does an index of the rows.
"""

from collections.abc import Collection, Iterator, Sequence

from archspec.elaborate.claims import UnreadColumn
from archspec.elaborate.evaluate import Environment, Value
from archspec.elaborate.table_rows import TableRow
from archspec.elaborate.variables import row_variables


def unread_columns(rows: Sequence[TableRow], used: Collection[str], env: Environment) -> Iterator[UnreadColumn]:
    """The columns of one table whose numbers nothing reads."""
    columns = rows[0].layout.columns if rows else ()
    idle = [column for column in columns if column.variables and column.variables.isdisjoint(used)]
    given = [row_variables(row.row, row.layout, env).values for row in rows] if idle else []
    for column in idle:
        found = [row[name].value for row in given for name in sorted(column.variables) if name in row]
        if any(map(says_something, found)) and not is_index(found):
            yield UnreadColumn(column.header.span, column.header.shown)


def says_something(value: Value) -> bool:
    """Whether a value is a number, a size, or yes or no."""
    return isinstance(value, (bool, int, float, tuple))


def is_index(values: Sequence[Value]) -> bool:
    """Whether the values count the rows from 0 or 1."""
    return len(values) > 1 and any(list(values) == list(range(first, first + len(values))) for first in (0, 1))
