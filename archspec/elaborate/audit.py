"""What `archspec check` looks at beyond elaboration: checks with parameters, other columns, errata, how many claims."""

from dataclasses import dataclass, replace

from archspec.diagnostics import Diagnostic
from archspec.elaborate import parameters
from archspec.elaborate.claims import StaleErratum
from archspec.elaborate.evaluate import Binding, Value, evaluate
from archspec.elaborate.instantiate import Instantiator
from archspec.elaborate.modules import Module
from archspec.elaborate.network import COUNTED, Elaboration, compare, picks_column
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.tables import cells

CLAIMED = frozenset({"input", "output", *COUNTED})
"""Roles of columns whose cells are compared."""


def audit(module: Module, network: t.Network, make: Instantiator) -> list[Diagnostic]:
    """All that `archspec check` compares beyond `elaborate`: checks with parameters, and errata."""
    if parameters.required(network):
        return []
    bindings = parameters.bound(module, network, {}, make.budget)
    elaboration = Elaboration(module, network, make, bindings, claims=True, totals=True)
    columns = other_columns(elaboration)
    found = [diagnostic for other in columns for diagnostic in other.run_columns()]
    idle = elaboration.idle_errata().intersection(*(other.idle_errata() for other in columns))
    found += [StaleErratum(span) for span in elaboration.errata if span in idle]
    for check in elaboration.clauses(t.Check):
        if check.arguments:
            found += compare_at(check, elaboration)
    return found


@dataclass(frozen=True, slots=True)
class Audited:
    """An erratum, and what the cell says that it corrects."""

    clause: t.Erratum
    printed: str

    @property
    def span(self) -> Span:
        return self.clause.span

    def __str__(self) -> str:
        clause = self.clause
        return f"{clause.place.value}: {self.printed}, read as {clause.correction.value}: {clause.reason.value}"


def claims(module: Module, network: t.Network, make: Instantiator) -> int:
    """How many claims a network makes: cells of its tables, and what its checks state; raises `SpecError`."""
    if parameters.required(network):
        return 0
    bindings = parameters.bound(module, network, {}, make.budget)
    elaboration = Elaboration(module, network, make, bindings, claims=True, totals=True)
    rows = [row for table in elaboration.tables.values() for row in table]
    printed = sum(
        column.role in CLAIMED and not cells.missing(cell)
        for row in rows
        for column, cell in zip(row.layout.columns, row.row.cells, strict=True)
    )
    return printed + sum(len(check.claims) for check in elaboration.clauses(t.Check))


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
        if parameter.name.id not in picks_column(base.module, base.network):
            continue
        for choice in parameter.choices:
            given = {parameter.name.id: Binding(evaluate(choice, base.env), choice.span)}
            bindings = parameters.bound(base.module, base.network, given, base.make.budget)
            found.append(Elaboration(base.module, base.network, base.make, bindings, claims=True, totals=False))
    return found


def compare_at(check: t.Check, base: Elaboration) -> list[Diagnostic]:
    """A check with parameters of its own."""
    module, network, make = base.module, base.network, base.make
    given = parameters.given(network.name, network.parameters, check.arguments, base.env)
    plan, diagnostics = Elaboration(
        module, network, make, parameters.bound(module, network, given, make.budget), False, False
    ).run()
    if plan is None:
        return [replace(d, stack=d.stack) for d in diagnostics]
    text = ", ".join(f"{name} = {value_text(binding.value)}" for name, binding in given.items())
    return compare(check, f"{network.name.id}({text})", plan.counts)


def value_text(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
