"""What `archspec check` looks at beyond elaboration: checks with parameters, other columns, errata."""

from collections.abc import Sequence
from functools import cached_property

from msgspec import Struct

from archspec.diagnostics import Diagnostic, Severity, SpecError
from archspec.elaborate import parameters
from archspec.elaborate.claims import StaleErratum
from archspec.elaborate.evaluate import Binding, evaluate, same
from archspec.elaborate.instantiate import Instantiator
from archspec.elaborate.modules import Module
from archspec.elaborate.network import Elaboration
from archspec.elaborate.table_rows import Overrides
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.tables.table import Cell


def audit(module: Module, network: t.Network, make: Instantiator, known: Sequence[Diagnostic] = ()) -> list[Diagnostic]:
    """All that `archspec check` compares beyond `elaborate`: checks with parameters, and errata.

    `known` is what was found already: what is gone with its suggestions is not reported.
    """
    if parameters.required(network):
        return []
    bindings = parameters.bound(module, network, {}, make.budget)
    elaboration = Elaboration(module, network, make, bindings, claims=True, totals=True)
    columns, others = others_of(elaboration)
    found: list[Diagnostic] = []
    for other in (*columns, *others):
        other.mended = mended([*known, *found], elaboration)
        other.advise = all(d.suggestions for d in (*known, *found) if d.severity is Severity.ERROR)
        plan, wrong = other.run()
        if plan is not None and not other.mended:
            make.audited[other.same] = plan, tuple(wrong)  # variants are often networks that a check is of
        found += wrong
    idle = elaboration.idle_errata().intersection(*(other.idle_errata() for other in columns))
    return found + [StaleErratum(span) for span in elaboration.errata if span in idle]


def others_of(base: Elaboration) -> tuple[list[Elaboration], list[Elaboration]]:
    """The network with its other columns, and with the parameters that its other checks state; raises `SpecError`."""
    columns = other_columns(base)
    compared = {check.span for column in columns for check in column.checks}
    with_parameters = [check for check in base.clauses(t.Check) if check.arguments and check.span not in compared]
    return columns, [at(check, base) for check in with_parameters]


class Others:
    """What `audit` compares beyond an elaboration that something is wrong with."""

    def __init__(self, one: Elaboration) -> None:
        self.one = one

    @cached_property
    def all(self) -> list[Elaboration]:
        """The network at its defaults, with other columns, with the parameters of checks; except the one itself."""
        one = self.one
        if parameters.required(one.network):
            return []
        try:
            bindings = parameters.bound(one.module, one.network, {}, one.make.budget)
            base = Elaboration(one.module, one.network, one.make, bindings, claims=True, totals=True)
            columns, others = others_of(base)
        except SpecError:
            return []  # it is reported where it is found
        return [other for other in (base, *columns, *others) if (other.same, other.checks) != (one.same, one.checks)]

    def trial(self, changes: Overrides) -> list[Diagnostic]:
        """What is wrong with them with some cells read otherwise."""
        return [error for other in self.all for error in other.trial(changes)]


def mended(found: Sequence[Diagnostic], elaboration: Elaboration) -> Overrides:
    """The cells that the first suggestions change."""
    edits = [edit for diagnostic in found for edit in diagnostic.edits]
    cells_of_rows = [cell for table in elaboration.tables.values() for row in table for cell in row.row.cells]
    changed: dict[Span, Cell] = {}
    for cell in dict.fromkeys(cells_of_rows if edits else ()):
        for edit in edits:
            if cell.span.source == edit.span.source and cell.span.start <= edit.span.start < cell.span.end:
                start, end = edit.span.start - cell.span.start, edit.span.end - cell.span.start
                changed[cell.span] = Cell(cell.span, cell.text[:start] + edit.text + cell.text[end:])
    return changed


class Audited(Struct, frozen=True):
    """An erratum, and what the cell says that it corrects."""

    clause: t.Erratum
    printed: str

    @property
    def span(self) -> Span:
        return self.clause.span

    def __str__(self) -> str:
        clause = self.clause
        return f"{clause.place.value}: {self.printed}, read as {clause.correction.value}: {clause.reason.value}"


def errata(module: Module, network: t.Network, make: Instantiator) -> list[Audited]:
    """The errata of a network, in their order; raises `SpecError`."""
    if parameters.required(network):
        return []
    bindings = parameters.bound(module, network, {}, make.budget)
    found = Elaboration(module, network, make, bindings, claims=True, totals=True).errata.values()
    return [Audited(clause, next(iter(changes)).text.strip()) for clause, changes in found]


def other_columns(base: Elaboration) -> list[Elaboration]:
    """The network with the columns of its tables that the defaults do not pick."""
    found: list[Elaboration] = []
    for parameter in base.network.parameters:
        if parameter.name.id not in parameters.picks_column(base.module, base.network):
            continue
        for choice in parameter.choices:
            given = {parameter.name.id: Binding(evaluate(choice, base.env), choice.span)}
            bindings = parameters.bound(base.module, base.network, given, base.make.budget)
            other = Elaboration(base.module, base.network, base.make, bindings, claims=True, totals=False)
            other.checks = [c for c in base.clauses(t.Check) if c.arguments and alike(bindings, bound(c, base))]
            found.append(other)
    return found


def at(check: t.Check, base: Elaboration) -> Elaboration:
    """The network of a check with parameters of its own; raises `SpecError`."""
    bindings = bound(check, base)
    return Elaboration(base.module, base.network, base.make, bindings, claims=False, totals=False, checks=[check])


def bound(check: t.Check, base: Elaboration) -> dict[str, Binding]:
    return parameters.bound(base.module, base.network, base.given(check), base.make.budget)


def alike(one: dict[str, Binding], other: dict[str, Binding]) -> bool:
    return all(same(one[name].value, other[name].value) for name in one)
