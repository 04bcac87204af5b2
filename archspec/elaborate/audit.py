"""What `archspec check` looks at beyond elaboration: checks with parameters, other columns, errata."""

from collections.abc import Sequence

from msgspec import Struct

from archspec.diagnostics import Diagnostic, is_error
from archspec.elaborate import parameters
from archspec.elaborate.claims import NumberClaim, StaleErratum
from archspec.elaborate.idle import idle_errata
from archspec.elaborate.instantiate import Instantiator
from archspec.elaborate.modules import Module
from archspec.elaborate.network import Elaboration
from archspec.elaborate.others import others_of
from archspec.elaborate.run import run, with_given
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
        other.advise = all(d.suggestions for d in (*known, *found) if is_error(d))
        plan, wrong = run(other)
        if plan is not None and not other.mended:
            make.audited[other.same] = plan, tuple(wrong)  # variants are often networks that a check is of
        found += wrong if other.claims else as_checked(wrong, elaboration, other.checks[0])
    idle = idle_errata(elaboration).intersection(*map(idle_errata, columns))
    return found + [StaleErratum(span) for span in elaboration.errata if span in idle]


def as_checked(wrong: list[Diagnostic], base: Elaboration, check: t.Check) -> list[Diagnostic]:
    """What is wrong with the network of a check, with its parameters; a claim that does not hold says them itself."""
    claims = [one for one in wrong if isinstance(one, NumberClaim)]
    others = [one for one in wrong if not isinstance(one, NumberClaim)]
    return [*claims, *with_given(others, base.network, base.given(check))]


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
