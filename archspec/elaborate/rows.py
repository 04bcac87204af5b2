"""The rows of a network's tables -> plans, each claim compared on the way."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from msgspec.structs import replace

from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate.bodies import Body, Later
from archspec.elaborate.claims import (
    RuleCheck,
    ShapeClaim,
    UnreadCell,
    compared,
    full_shape,
    shape_holds,
)
from archspec.elaborate.errors import BadArithmetic, Clause
from archspec.elaborate.evaluate import Binding, Environment, Value, blame, describe, evaluate, numeric, plain, truth
from archspec.elaborate.folds import Fold, independent
from archspec.elaborate.inference import USUAL, Inferred, no_claim, solutions
from archspec.elaborate.instantiate import Instantiator
from archspec.elaborate.layout import Conventions, Owner, Role
from archspec.elaborate.plan import NOTHING, Flow, Maker, Plan, ScopePlan
from archspec.elaborate.rules import Chosen, Rules, used_names
from archspec.elaborate.table_errors import BadCell, NothingAbove, Unsolved, refuse_ditto
from archspec.elaborate.table_rows import TableRow, is_of_another, operator_span, printed_cells
from archspec.elaborate.variables import cell_value
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.syntax.errors import LimitReached
from archspec.tables import cells
from archspec.tables.table import Cell
from archspec.tensor import Shape

CLAIMED = "claims"
COUNT = "n"
"""The column of the canonical table that repeats a row where no clause says which."""
MOST_REFUTED = 100
"""Claims that fail, after which no more of them are supposed to be right: it is another table."""
Claim = tuple[tuple[int, ...], Span]


class RowReader:
    """Reads the rows of one network, elaborated with one set of parameters."""

    def __init__(self, make: Instantiator, how: Conventions, env: Environment, claims: bool) -> None:
        self.make = make
        self.how = how
        self.env = env
        self.claims = claims
        self.rules = Rules(how, env)

    # ---- the fold ----

    def read(self, rows: list[TableRow], fold: Fold, positions: Iterable[int] | None = None) -> None:
        """Add the rows' plans and diagnostics to the fold; stops at a row that has no output.

        With `positions` only those rows are read, which the others still follow.
        """
        for position in range(len(rows)) if positions is None else positions:
            if not self.row(rows, position, fold):
                return

    def row(self, rows: list[TableRow], position: int, fold: Fold) -> bool:
        """Add one row to the fold; false where nothing can follow it."""
        row = rows[position]
        found = self.chosen(row, fold)
        if found is None:
            return True
        fold.read.add(row.number)
        if self.claims:
            self.compare(rows, position, "input", fold)
        likely = fold.likely
        fold.before[row.number] = likely.flow, likely.tensors, len(likely.tensors)
        wrong, built = self.attempt(rows, position, fold, found)
        if fold.supposed is not None:
            also, supposed = self.attempt(rows, position, fold.supposed, self.chosen(row, fold.supposed))
            wrong = independent(wrong, also)
            if not supposed:
                fold.suppose(None)
            elif not built:
                fold.take_over()
                built = True
        fold.diagnostics += wrong
        if built and self.claims:
            self.compare(rows, position, "output", fold)
        elif not built and not self.resumed(rows, position, wrong, fold):
            return False
        fold.giver = row.label
        return True

    def attempt(
        self, rows: list[TableRow], position: int, fold: Fold, found: Chosen | SpecError | None
    ) -> tuple[list[Diagnostic], bool]:
        """What is wrong with a row, and whether it could be built all the same."""
        row = rows[position]
        try:
            if found is None:
                return [], True
            if isinstance(found, SpecError):
                raise found
            with self.make.inside(row.label, operator_span(row)):
                return list(self.read_row(rows, position, found, fold)), True
        except SpecError as error:
            return list(error.diagnostics), False

    def resumed(self, rows: list[TableRow], position: int, wrong: list[Diagnostic], fold: Fold) -> bool:
        """After a row that failed, go on with what the next one claims to be given."""
        if any(d.exit_code == LimitReached.exit_code for d in wrong) or not self.claims:
            return False
        claim = self.shape_claim(rows[position + 1], "input") if position + 1 < len(rows) else None
        if claim is None or len(claim[0]) != 3:
            return False
        fold.flow = Flow((claim[0],), makers=(Maker(claim[1], CLAIMED),))
        return True

    def chosen(self, row: TableRow, fold: Fold) -> Chosen | SpecError | None:
        """The rule that reads a row, or why none does; None where the row is left out."""
        cell = row.layout.cell(row.row, "operator")
        assert cell is not None
        if row.layout.chosen and cells.missing(cell):
            return None
        try:
            with self.make.inside(row.label, operator_span(row)):
                chosen = self.rules.choose(row, cell, self.make.one(fold.flow, cell.span))
                return None if self.count(row, chosen) == 0 else chosen
        except SpecError as error:
            return error

    # ---- claims of shapes ----

    def compare(self, rows: list[TableRow], position: int, role: Role, fold: Fold) -> None:
        """Compare what a row claims of its input or output; where it fails, suppose what explains more of the rest."""
        row = rows[position]
        try:
            claim = None if is_of_another(rows, position, role) else self.shape_claim(row, role)
        except SpecError as error:
            fold.diagnostics += error.diagnostics
            return
        if claim is None or fold.flow.kind != "one":
            return
        fold.claims += 1
        found, other = fold.flow.shapes[0], fold.supposed
        if shape_holds(claim[0], found):
            fold.suppose(None)
            return
        if other is not None and other.flow.kind == "one" and shape_holds(claim[0], other.flow.shapes[0]):
            return
        claimed = full_shape(claim[0], found)
        names = (fold.giver, row.label) if role == "input" else (row.label, "its cell")
        fold.diagnostics.append(ShapeClaim(claim[1], *names, role, found, claimed, claim[1], claim[0]))
        fold.refuted += 1
        if fold.refuted > MOST_REFUTED:
            fold.suppose(None)
            return
        after = position if role == "input" else position + 1
        if other is not None and self.explains(other.flow, rows, after, fold):
            return
        alike = role == "input" or (after < len(rows) and len(claimed) == len(found))
        flow = Flow((claimed,), makers=(Maker(claim[1], CLAIMED),))
        fold.suppose(flow if alike and not self.explains(fold.flow, rows, after, fold) else None)

    def explains(self, flow: Flow, rows: list[TableRow], position: int, fold: Fold) -> bool:
        """Whether the row at a position that is given this flow gives what is claimed of it."""
        claim = self.claim_of_output(rows, position)
        if claim is None:
            return True
        trial = fold.trial(flow)
        chosen = self.chosen(rows[position], trial)
        built = self.attempt(rows, position, trial, chosen)[1]
        return built and trial.flow.kind == "one" and shape_holds(claim[0], trial.flow.shapes[0])

    def claim_of_output(self, rows: list[TableRow], position: int) -> Claim | None:
        """What a row claims of its output, or else the next row of its input; raises `SpecError`."""
        if position >= len(rows):
            return None
        own = self.shape_claim(rows[position], "output")
        return own or (self.shape_claim(rows[position + 1], "input") if position + 1 < len(rows) else None)

    def shape_claim(self, row: TableRow, role: Role) -> Claim | None:
        """What a row claims of its input or output, and where; raises `SpecError` where the cell is not a shape."""
        cell = row.layout.cell(row.row, role)
        if cell is None:
            return None
        refuse_ditto(cell)
        try:
            sides = cells.shape_claim(cell)
        except SpecError:
            raise SpecError([BadCell(cell.span, cell.shown, "shape")]) from None
        if sides is None:
            return None
        if len(sides) > 3:
            raise SpecError([BadCell(cell.span, cell.shown, "shape")])
        return tuple(self.make.side(side, self.env) for side in sides), cell.span

    # ---- one row ----

    def read_row(self, rows: list[TableRow], position: int, chosen: Chosen, fold: Fold) -> Iterator[Diagnostic]:
        """Add one row, and give what is wrong with it as it stands; raises `SpecError` where it cannot be built."""
        row, rule = rows[position], chosen.rule.rule
        env = chosen.env
        if rule.check is not None and self.claims:
            fold.claims += 1
            if not truth(rule.check, env):
                bindings = [env.bindings[name.id] for name in t.names(rule.check) if name.id in env.bindings]
                at = next((binding.span for binding in bindings if binding.printed), operator_span(row))
                yield RuleCheck(at, rule.check.span.text, rule.check.span)
        chosen = self.inferred(rows, position, chosen, fold)
        plan, flow = self.instantiate(row, chosen, fold)
        self.make.one(flow, operator_span(row))
        if self.claims:
            self.warn(row, chosen, fold)
            for role, number in (("params", plan.counts.params), ("macs", plan.counts.macs)):
                cell = row.layout.cell(row.row, role)  # type: ignore[arg-type]
                if cell is not None and not cells.missing(cell):
                    fold.claims += 1
                    yield from number_claims(cell, role, row.label, number)
        if flow.makers is not fold.flow.makers:
            flow = replace(flow, makers=(Maker(operator_span(row), f"{row.label} makes"),))
        fold.flow = flow
        if plan is not NOTHING:
            text = operator_text(row)
            name, said = f"row_{row.number}", printed_cells(row)
            fold.plans.append(ScopePlan(name, "row", text, text, row.row.span, False, plan, plan.counts, said))
            fold.nodes += plan.counts.nodes
            self.make.check_nodes(fold.nodes, operator_span(row))

    def instantiate(self, row: TableRow, chosen: Chosen, fold: Fold) -> tuple[Plan, Flow]:
        """The row's plan: what its rule says, as often as the row is repeated."""
        net, env, numbering = chosen.rule.rule.net, chosen.env, fold.numbering
        count = self.count(row, chosen)
        numbered = numbering is not None and numbering.counts(self.rules.mentioned[id(chosen.rule)])

        def place(further: int = 0) -> dict[str, Binding]:
            return numbering.bindings(further) if numbering is not None and numbered else {}

        body = self.make.body(net, env.with_bindings(place()))
        body.tensors = fold.tensors
        if count is None or count == 1:
            plan, out = self.make.net(net, body, fold.flow)
            name = body.names.get(id(net), "repeat")
            plan = self.make.one_pass(plan, net, name, 1, 1) if count else plan
        else:
            after = env.with_bindings(self.later(row, chosen))

            def later(number: int) -> Body:
                return Body(after.with_bindings(place(number)), body.names)

            alike = Later(later, alike=not numbered)
            plan, out = self.make.repeat(net, count, operator_span(row), body, fold.flow, alike)
        if numbering is not None and numbered:
            numbering.passed += 1 if count is None else count
        return plan, out

    def count(self, row: TableRow, chosen: Chosen) -> int | None:
        """How often a row is repeated; None where nothing says so, or its cell is empty."""
        found = self.stated_count(row, chosen)
        if found is None or found.value is None:
            return None
        value, span = found.value, found.span
        number = plain(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        if not isinstance(number, int) or number < 0:
            reason = f"a repeat wants a whole number from 0, and this is {describe(value)}"
            raise self.make.fail(BadArithmetic(span, reason))
        return number

    def stated_count(self, row: TableRow, chosen: Chosen) -> Binding | None:
        """What the column with the role `repeat`, the `repeat` clause, or else the canonical column `n` says."""
        cell = row.layout.cell(row.row, "repeat")
        if cell is not None:
            refuse_ditto(cell)
            return Binding(cell_value(cell.span, cell.text, self.env), cell.span)
        if self.how.repeat is None:
            canonical = any(column.role == "variable" and column.text == COUNT for column in row.layout.columns)
            if not canonical:
                return None
            chosen.variables.need({COUNT})
            return chosen.variables.values[COUNT]
        clause, owner = self.how.repeat
        seen = self.rules.seen(clause.count, owner, chosen, row.layout)
        if isinstance(clause.count, t.Name):
            if clause.count.id in seen.bindings:
                return seen.bindings[clause.count.id]
            if clause.count.id in self.rules.holes:
                return None
        return Binding(numeric(clause.count, seen), blame(clause.count, seen))

    def later(self, row: TableRow, chosen: Chosen) -> dict[str, Binding]:
        """The variables that all passes but the first have otherwise."""
        found: dict[str, Binding] = {}
        if self.how.repeat is None:
            return found
        clause, owner = self.how.repeat
        for assignment in clause.then:
            seen = self.rules.seen(assignment.value, owner, chosen, row.layout)
            found[assignment.name.id] = Binding(plain(numeric(assignment.value, seen)), assignment.value.span)
        return found

    # ---- infer ----

    def inferred(self, rows: list[TableRow], position: int, chosen: Chosen, fold: Fold) -> Chosen:
        """What a row sees, with the variable that its claims decide; raises `SpecError` where there is no claim.

        Other parameters than the defaults take over what was solved at the defaults, where the claims are about.
        """
        mentioned = self.rules.mentioned[id(chosen.rule)]
        wanted: dict[str, tuple[t.Infer, Owner]] = {}
        for infer, owner in self.how.infer:
            name = infer.name.id
            if name in mentioned and missing(chosen.variables.values.get(name)):
                wanted.setdefault(name, (infer, owner))
        if not wanted:
            return chosen
        (infer, owner), *others = wanted.values()
        if others:
            reason = f"`{infer.name.id}` and `{others[0][0].name.id}` cannot both be inferred in one row"
            raise self.make.fail(Clause(others[0][0].span, reason, first=infer.span))
        row = rows[position]
        claim, candidates = self.claim_of_output(rows, position), self.usual(infer, owner, row, chosen)
        if claim is None and len(candidates) > 1:
            raise self.make.fail(no_claim(infer.name, rows, row, self.rules.anywhere))
        place = claim[1] if claim else infer.name.span
        key = id(place.source), operator_span(row).start, place.start
        value: Value = None if self.claims else self.make.solved.get(key)
        if value is None:
            value = self.solve(infer.name.id, candidates, row, claim, chosen, fold) if claim else candidates[0]
            if self.claims:  # else what is solved for some parameters would depend on those asked for before
                self.make.solved.setdefault(key, value)
        fold.inferred.append(Inferred(row.number, infer.name.id, value))
        return with_value(chosen, infer.name.id, value, place)

    def usual(self, infer: t.Infer, owner: Owner, row: TableRow, chosen: Chosen) -> list[Value]:
        """The values that a variable may have in a row; raises `SpecError`."""
        if not infer.usual:
            return [*USUAL]
        seen = self.rules.seen(infer, owner, chosen, row.layout)
        return [evaluate(usual, seen) for usual in infer.usual]

    def solve(
        self, name: str, candidates: list[Value], row: TableRow, claim: Claim, chosen: Chosen, fold: Fold
    ) -> Value:
        """The usual value with which the row gives what is claimed, or else the nearest; raises `SpecError`."""

        def given(candidate: Value) -> Shape:
            trial = fold.trial(fold.flow)
            return self.instantiate(row, with_value(chosen, name, candidate, claim[1]), trial)[1].shapes[0]

        found = solutions(candidates, claim[0], given)
        if len(dict.fromkeys(shape for _, shape in found)) > 1:
            reason = f"the claim holds for {found[0][0]} and for {found[1][0]}"
            raise self.make.fail(Unsolved(claim[1], name, reason, "claim the channels, too, or give it a column"))
        return found[0][0]

    # ---- warnings ----

    def warn(self, row: TableRow, chosen: Chosen, fold: Fold) -> None:
        """Printed numbers that the row's rule leaves alone though other rules read their column."""
        rule = chosen.rule
        repeated = self.repeat_names["repeat" in row.layout.places]
        used = self.rules.mentioned[id(rule)] | repeated
        anywhere = self.rules.anywhere | repeated
        given = chosen.variables
        for column, cell in zip(row.layout.columns, row.row.cells, strict=True):
            ignored = column.variables & anywhere - used
            # a cell that names what the rule names is read all the same: `k` by `conv(1, k)`
            if not ignored or cell.text in used:
                continue
            # what has no value has numbers, too: `k5` below `"{f}x{f}"`
            numbered = any(is_number(given.values.get(name)) for name in ignored)
            if numbered or (ignored & given.wrong.keys() and re.search("[0-9]", cell.text)):
                note(UnreadCell(cell.span, column.header.shown, rule.rule.pattern.span, (row.number,)), fold)

    @cached_property
    def repeat_names(self) -> dict[bool, frozenset[str]]:
        """The names that `repeat` computes with, not those that it sets, by whether a column has that role.

        That column goes before the clause.
        """
        clause = self.how.repeat[0] if self.how.repeat else None
        if clause is None:
            return {True: frozenset(), False: frozenset({COUNT})}
        then = [assignment.value for assignment in clause.then]
        return {True: used_names(*then), False: used_names(clause.count, *then)}


def with_value(chosen: Chosen, name: str, value: Value, place: Span) -> Chosen:
    values = {**chosen.variables.values, name: Binding(value, place)}
    return replace(chosen, variables=replace(chosen.variables, values=values))


def operator_text(row: TableRow) -> str:
    cell = row.layout.cell(row.row, "operator")
    assert cell is not None
    return cell.shown if len(cell.shown) <= 80 else f"{cell.shown[:79]}…"


def missing(found: Binding | None) -> bool:
    return found is None or found.value is None


def is_number(found: Binding | None) -> bool:
    return found is not None and not isinstance(found.value, bool) and isinstance(found.value, (int, float, tuple))


def note(warning: UnreadCell, fold: Fold) -> None:
    """Add a warning to the one of the same cause and column, if there is one."""
    at = fold.unread.setdefault((warning.rule, warning.column), len(fold.diagnostics))
    if at == len(fold.diagnostics):
        fold.diagnostics.append(warning)
        return
    other = fold.diagnostics[at]
    assert isinstance(other, UnreadCell)
    fold.diagnostics[at] = other.of_another(*warning.rows)


def number_claims(cell: Cell, what: str, label: str, found: int) -> Iterator[Diagnostic]:
    if cells.ditto(cell.text):
        yield NothingAbove(cell.span, cell.shown)
        return
    try:
        quantity = cells.number_claim(cell)
    except SpecError:
        yield BadCell(cell.span, cell.shown, "number")
        return
    if quantity is not None:
        yield from compared(cell.span, what, label, found, quantity)
