"""The same network with its other columns, and with the parameters that its checks state."""

from functools import cached_property

from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate import parameters
from archspec.elaborate.evaluate import Binding, evaluate, same
from archspec.elaborate.network import Elaboration
from archspec.elaborate.table_rows import Overrides
from archspec.syntax import tree as t


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
