"""Errata -> those without which every claim holds as well.

Without one, only the rows around its cell are read again, up to where they give what they gave with it. Where they do
not, the whole network is, and so often there is a limit.
"""

from archspec.diagnostics import SpecError
from archspec.elaborate.folds import Fold
from archspec.elaborate.network import Elaboration
from archspec.elaborate.plan import Counts, NetworkPlan, ScopePlan, total
from archspec.elaborate.table_rows import Overrides, TableRow, overridden
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.syntax.errors import LimitReached


def idle_errata(elaboration: Elaboration) -> set[Span]:
    """The clauses of errata that mend nothing; none where something else is wrong. Raises `SpecError`."""
    if not elaboration.errata:
        return set()
    fold, plan = elaboration.fold(elaboration.corrected)
    if plan is None:
        return set()
    without = Without(elaboration, fold, plan)
    return {span for span, (_, changes) in elaboration.errata.items() if without.holds(span, changes)}


class Without:
    """A network in which everything holds, with one erratum left out."""

    def __init__(self, elaboration: Elaboration, fold: Fold, plan: NetworkPlan) -> None:
        self.elaboration = elaboration
        self.fold = fold
        self.total = plan.counts
        self.counts = {
            part.name: part.counts for part in plan.plans if isinstance(part, ScopePlan) and part.kind == "row"
        }
        self.tables = {key: [*overridden(rows, elaboration.corrected)] for key, rows in elaboration.tables.items()}
        self.corrected = elaboration.corrected
        self.places: dict[Span, list[tuple[int, int]]] = {}
        """of a cell that an erratum corrects its table and its rows"""
        for key, rows in elaboration.tables.items():
            for position, row in enumerate(rows):
                for cell in row.row.cells:
                    if cell.span in self.corrected:
                        self.places.setdefault(cell.span, []).append((key, position))
        self.stated = bool(elaboration.clauses(t.InputClause))
        """whether a clause says what the input is"""
        self.read = 0
        """rows that were read again"""

    def holds(self, clause: Span, changes: Overrides) -> bool:
        """Whether every claim holds where these cells are read as printed; raises `SpecError` at a limit."""
        found = self.nearby(changes)
        if found is None:
            self.spend(clause, sum(map(len, self.tables.values())))
            others = {span: cell for span, cell in self.corrected.items() if span not in changes}
            found = not self.elaboration.fold(others)[0].errors
        return found

    def spend(self, clause: Span, rows: int) -> None:
        limit = self.elaboration.make.limits.nodes
        self.read += rows
        if self.read > limit:
            what = "this erratum changes too much of what follows"
            raise SpecError([LimitReached(clause, what, f"{self.read} rows to read again", limit, "--max-nodes")])

    def nearby(self, changes: Overrides) -> bool | None:
        """The same, of the rows around them alone; None where that does not decide it."""
        found = [place for span in changes for place in self.places[span]]
        key, positions = found[0][0], [position for _, position in found]
        rows, first = self.tables[key], max(0, min(positions) - 1)  # the row above claims what this one is given
        while first and self.fold.given(rows[first].number) is None:
            first -= 1
        given = self.fold.given(rows[first].number)
        begins = first == min(positions) and not self.stated
        if given is None or begins or self.elaboration.how.numbering is not None:
            return None
        corrected = {position: rows[position] for position in positions}
        for position in positions:
            rows[position] = self.as_printed(self.elaboration.tables[key][position], changes)
        try:
            return self.again(rows, first, max(positions), Fold(*given), key)
        finally:
            for position, row in corrected.items():
                rows[position] = row

    def as_printed(self, row: TableRow, changes: Overrides) -> TableRow:
        """A row with its corrections except these."""
        spans = {cell.span for cell in row.row.cells} - changes.keys()
        return overridden([row], {span: self.corrected[span] for span in spans if span in self.corrected})[0]

    def again(self, rows: list[TableRow], first: int, last: int, fold: Fold, key: int) -> bool | None:
        """Read rows from one on, until they give what they gave."""
        self.elaboration.make.budget.spent = 0
        for position in range(first, len(rows)):
            self.elaboration.reader.row(rows, position, fold)
            if fold.errors:
                return False
            if position < last:
                continue
            follows = rows[position + 1].number if position + 1 < len(rows) else None
            was = (self.fold.after[key], None) if follows is None else self.fold.given(follows)
            if was is not None and was[0] == fold.flow and was[1] in (None, fold.tensors):
                return self.counted(rows[first : position + 1], fold)
        return None

    def counted(self, rows: list[TableRow], fold: Fold) -> bool | None:
        """Whether the totals hold where these rows come to what the fold has; None where others of them are read."""
        if fold.read != self.fold.read.intersection(row.number for row in rows):
            return None
        was = [self.counts.get(f"row_{row.number}", Counts()) for row in rows]
        now = total(tuple(fold.plans))
        counts = Counts(
            *(
                getattr(self.total, name) + getattr(now, name) - sum(getattr(count, name) for count in was)
                for name in Counts.__struct_fields__
            )
        )
        return not self.elaboration.compared(counts)
