"""The cells of a row, and what the holes of patterns took of them -> the variables of the row.

A cell that has no value is an error only where something needs it, so that a column of remarks stops nobody.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate.errors import UnknownName
from archspec.elaborate.evaluate import Binding, Environment, Value, evaluate
from archspec.elaborate.layout import ColumnMeaning, Layout
from archspec.elaborate.table_errors import NoPattern, NothingAbove, TwoMeanings, UnclearCell, refuse_ditto
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.tables import cells, patterns
from archspec.tables.table import Cell, Row


class Variables(Struct, frozen=True):
    """What a rule sees of its row."""

    values: Mapping[str, Binding]
    wrong: Mapping[str, tuple[Diagnostic, ...]]
    """why a variable has no value"""

    def need(self, names: Iterable[str]) -> None:
        """Raise `SpecError` where one of these has no value."""
        found = [diagnostic for name in names for diagnostic in self.wrong.get(name, ())] if self.wrong else []
        if found:
            raise SpecError(dict.fromkeys(found))

    def before(self, other: "Variables") -> "Variables":
        """Both; these go first."""
        wrong = {name: why for name, why in other.wrong.items() if name not in self.values}
        return Variables({**other.values, **self.values}, {**wrong, **self.wrong})


def row_variables(row: Row, how: Layout, env: Environment) -> Variables:
    """The variables that a row's cells give; those of `env` may stand in the cells."""
    values: dict[str, Binding] = {}
    wrong: dict[str, tuple[Diagnostic, ...]] = {}
    for column, cell in zip(how.columns, row.cells, strict=True):
        if column.role == "pattern":
            found = pattern_variables(column, cell, env)
            values |= found.values
            wrong |= found.wrong
        elif column.role == "variable" and column.text:
            try:
                refuse_ditto(cell)
                value = cell_value(cell.span, cell.text, env, how.named)
                values[column.text] = Binding(value, cell.span, printed=True)
            except SpecError as error:
                wrong[column.text] = tuple(under(d, column.header.shown) for d in error.diagnostics)
    return Variables(values, wrong)


def under(found: Diagnostic, header: str) -> Diagnostic:
    return replace(found, header=header) if isinstance(found, UnclearCell) else found


def pattern_variables(column: ColumnMeaning, cell: Cell, env: Environment) -> Variables:
    """What the first pattern that fits takes from a cell; the holes of the others are missing."""
    nothing = {hole: Binding(None, cell.span, printed=True) for p in column.patterns for hole in patterns.holes(p)}
    if cells.missing(cell):
        return Variables(nothing, {})
    if cells.ditto(cell.text):
        return Variables({}, dict.fromkeys(nothing, (NothingAbove(cell.span, cell.shown),)))
    for pattern in column.patterns:
        match = patterns.match(pattern, cell.text)
        if match is not None:
            return hole_variables(match, cell, env).before(Variables(nothing, {}))
    fault = NoPattern(cell.span, cell.shown, column.patterns)
    return Variables({}, dict.fromkeys(nothing, (fault,)))


def hole_variables(match: patterns.Match, cell: Cell, env: Environment) -> Variables:
    """What the holes of a pattern took from a cell."""
    values: dict[str, Binding] = {}
    wrong: dict[str, tuple[Diagnostic, ...]] = {}
    for hole, token in match.holes.items():
        span = cell.span.part(token.start, token.end)
        try:
            values[hole] = Binding(cell_value(span, token.text, env), span, printed=True)
        except SpecError as error:
            wrong[hole] = error.diagnostics
    return Variables(values, wrong)


def cell_value(span: Span, text: str, env: Environment, headers: Mapping[str, Cell] | None = None) -> Value:
    """The value of a cell: of the expression that it is, or its text where it names what nobody knows.

    Raises `SpecError` where its reader may take it otherwise, also for a name that a column and a parameter have.
    """
    try:
        expression = cells.value(span, text, env.bindings)
    except cells.Unclear as unclear:
        shown = " ".join(text.split())
        raise SpecError([UnclearCell(span, shown, unclear.meanings, unclear.advice, unclear.pattern)]) from None
    if isinstance(expression, t.Number):
        return expression.value
    for name in t.names(expression) if headers else ():
        if headers and name.id in headers and name.id in env.bindings:
            column, parameter = ("a column of this table", headers[name.id].span), env.bindings[name.id].span
            raise SpecError([TwoMeanings(name.span, name.id, (column, ("a parameter", parameter)))])
    try:
        return evaluate(expression, env)
    except SpecError as error:
        if all(isinstance(diagnostic, UnknownName) for diagnostic in error.diagnostics):
            return text
        raise
