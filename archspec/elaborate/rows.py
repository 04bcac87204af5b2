"""The rows of a network's tables -> plans, each claim compared on the way.

A claim that fails does not stop the fold: it goes on with the shape that explains more of what follows, so that one
slip is reported once and independent slips all at once.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field

from archspec.diagnostics import Diagnostic, Severity, SpecError
from archspec.elaborate.bodies import Body, Later
from archspec.elaborate.claims import (
    NumberClaim,
    RuleCheck,
    ShapeClaim,
    UnreadCell,
    full_shape,
    number_holds,
    shape_holds,
)
from archspec.elaborate.errors import BadArithmetic
from archspec.elaborate.evaluate import Binding, Environment, blame, names_of, numeric, plain, truth
from archspec.elaborate.instantiate import Instantiator
from archspec.elaborate.layout import (
    Conventions,
    ReadRule,
    Role,
    cell_value,
    hole_bindings,
    row_variables,
)
from archspec.elaborate.numbering import Numbering
from archspec.elaborate.plan import NOTHING, Flow, Plan, ScopePlan
from archspec.elaborate.resolve import walk
from archspec.elaborate.table_errors import AmbiguousOperator, BadCell, UnreadOperator, Unsolved
from archspec.elaborate.table_rows import TableRow, operator_span, printed_cells
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.syntax.errors import LimitReached
from archspec.tables import cells, patterns
from archspec.tables.table import Cell
from archspec.tensor import Shape

COUNT = "n"
"""The column of the canonical table that repeats a row where no clause says which."""
LARGEST_INFERRED = 8


@dataclass(slots=True)
class Fold:
    """What the rows so far came to."""

    flow: Flow
    plans: list[Plan] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    giver: str = "the input"
    nodes: int = 0
    before: dict[int, tuple[Flow, dict[str, tuple[Shape, Span]]]] = field(default_factory=dict)
    """by the number of a row, what it was given, and the tensors that had names"""

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.diagnostics if d.severity is Severity.ERROR]


class RowReader:
    """Reads the rows of one network, elaborated with one set of parameters."""

    def __init__(
        self,
        make: Instantiator,
        how: Conventions,
        env: Environment,
        tensors: dict[str, tuple[Shape, Span]],
        claims: bool,
        numbering: Numbering | None = None,
    ) -> None:
        self.make = make
        self.how = how
        self.env = env
        self.tensors = tensors
        self.claims = claims
        self.numbering = numbering
        self.mentioned = {id(rule): names_in(rule.rule) for rule in how.rules}
        self.holes = set().union(*(patterns.holes(rule.rule.pattern.value) for rule in how.rules))

    def again(self, tensors: dict[str, tuple[Shape, Span]], numbering: Numbering | None, claims: bool) -> "RowReader":
        """The same for another fold."""
        other = copy(self)
        other.tensors, other.numbering, other.claims = tensors, numbering, claims
        return other

    # ---- the fold ----

    def read(self, rows: list[TableRow], fold: Fold) -> None:
        """Add the rows' plans and diagnostics to the fold; stops at a row that has no output."""
        for position, row in enumerate(rows):
            following = rows[position + 1] if position + 1 < len(rows) else None
            if self.claims:
                self.check_input(row, following, fold)
            fold.before[row.number] = fold.flow, dict(self.tensors)
            try:
                with self.make.inside(row.label, operator_span(row)):
                    self.read_row(row, following, fold)
            except SpecError as error:
                fold.diagnostics += error.diagnostics
                if error.exit_code == LimitReached.exit_code or not self.resume(following, fold):
                    return
            fold.giver = row.label

    def resume(self, following: TableRow | None, fold: Fold) -> bool:
        """After a row that failed, go on with what the next one claims to be given."""
        claim = self.shape_claim(following, "input") if following else None
        if claim is None or len(claim[0]) != 3 or not self.claims:
            return False
        fold.flow = Flow((claim[0],))
        return True

    def check_input(self, row: TableRow, following: TableRow | None, fold: Fold) -> None:
        """Compare the Input cell; where it fails, choose the shape to go on with."""
        try:
            claim = self.shape_claim(row, "input")
        except SpecError as error:
            fold.diagnostics += error.diagnostics
            return
        found = fold.flow.shapes[0]
        if claim is None or fold.flow.kind != "one" or shape_holds(claim[0], found):
            return
        claimed = full_shape(claim[0], found)
        fold.diagnostics.append(ShapeClaim(claim[1], fold.giver, row.label, "input", found, claimed, claim[1]))
        if not self.explains(found, row, following):
            fold.flow = Flow((claimed,))

    def explains(self, shape: Shape, row: TableRow, following: TableRow | None) -> bool:
        """Whether a row that is given this shape gives what the next row says."""
        claim = self.shape_claim(row, "output") or (self.shape_claim(following, "input") if following else None)
        if claim is None:
            return True
        numbering = copy(self.numbering) if self.numbering else None
        trial = self.again(dict(self.tensors), numbering, claims=False)
        fold = Fold(Flow((shape,)))
        try:
            trial.read_row(row, following, fold)
        except SpecError:
            return False
        return shape_holds(claim[0], fold.flow.shapes[0])

    def shape_claim(self, row: TableRow, role: Role) -> tuple[tuple[int, ...], Span] | None:
        """What a row claims of its input or output, and where; raises `SpecError` where the cell is no shape."""
        cell = row.layout.cell(row.row, role)
        if cell is None:
            return None
        try:
            sides = cells.shape_claim(cell)
        except SpecError:
            raise SpecError([BadCell(cell.span, cell.text, "shape")]) from None
        if sides is None:
            return None
        if len(sides) > 3:
            raise SpecError([BadCell(cell.span, cell.text, "shape")])
        return tuple(self.make.side(side, self.env) for side in sides), cell.span

    # ---- one row ----

    def read_row(self, row: TableRow, following: TableRow | None, fold: Fold) -> None:
        """Add one row; raises `SpecError`."""
        cell = row.layout.cell(row.row, "operator")
        assert cell is not None
        if row.layout.chosen and cells.missing(cell):
            return
        shape = self.make.one(fold.flow, cell.span)
        height, width = shape[:2] if len(shape) == 3 else (1, 1)
        sides = {"h": Binding(height, cell.span), "w": Binding(width, cell.span)}
        variables = sides | row_variables(row.row, row.layout, self.env)
        rule, holes = self.rule(cell, variables)
        env = rule.env.with_bindings(variables | holes)
        if rule.rule.check is not None and self.claims and not truth(rule.rule.check, env):
            printed = [env.bindings[name].span for name in names_of(rule.rule.check) if env.bindings[name].printed]
            at = printed[0] if printed else cell.span
            fold.diagnostics.append(RuleCheck(at, rule.rule.check.span.text, rule.rule.check.span))
        wanted = self.to_infer(env)
        if wanted and wanted.name.id in self.mentioned[id(rule)]:
            env = self.solved(wanted.name, row, following, rule, env, fold)
        plan, flow = self.instantiate(row, rule, env, fold.flow)
        self.warn(row, rule, fold)
        fold.flow = self.check_row(row, following, fold, plan, flow)
        if plan is not NOTHING:
            text = cell.text if len(cell.text) <= 80 else f"{cell.text[:79]}…"
            name, said = f"row_{row.number}", printed_cells(row)
            fold.plans.append(ScopePlan(name, "row", text, text, row.row.span, False, plan, plan.counts, said))
            fold.nodes += plan.counts.nodes
            self.make.check_nodes(fold.nodes, cell.span)

    def rule(self, cell: Cell, variables: dict[str, Binding]) -> tuple[ReadRule, dict[str, Binding]]:
        """The most specific rule that reads an operator cell, and its holes; raises `SpecError`."""
        found: list[tuple[tuple[int, bool, bool], ReadRule, dict[str, Binding]]] = []
        guarded: list[str] = []
        for rule in self.how.rules:
            match = patterns.match(rule.rule.pattern.value, cell.text)
            if match is None:
                continue
            holes = hole_bindings(match, cell, self.env)
            when = rule.rule.when
            if when is None or truth(when, rule.env.with_bindings(variables | holes)):
                found.append(((match.specificity, when is not None, rule.own), rule, holes))
            else:
                guarded.append(rule.rule.pattern.value)
        if not found:
            known = tuple(rule.rule.pattern.value for rule in self.how.rules)
            raise SpecError([UnreadOperator(cell.span, cell.text, known, tuple(guarded))])
        best = max(rank for rank, _, _ in found)
        first, *others = [(rule, holes) for rank, rule, holes in found if rank == best]
        if others:
            spans = tuple(rule.rule.pattern.span for rule, _ in (first, *others))
            raise SpecError([AmbiguousOperator(cell.span, cell.text, spans)])
        return first

    def instantiate(self, row: TableRow, rule: ReadRule, env: Environment, flow: Flow) -> tuple[Plan, Flow]:
        """The row's plan: what its rule says, as often as the row is repeated."""
        net = rule.rule.net
        count = self.count(row, env)
        numbered = self.numbering is not None and self.numbering.counts(self.mentioned[id(rule)])
        body = self.make.body(net, env.with_bindings(self.place(numbered)))
        body.tensors = self.tensors
        if count is None or count == 1:
            plan, out = self.make.net(net, body, flow)
            name = body.names.get(id(net), "repeat")
            plan = self.make.one_pass(plan, net, name, 1, 1) if count else plan
        else:
            after = self.later(env)

            def later(number: int) -> Body:
                return Body(after.with_bindings(self.place(numbered, number)), body.names)

            alike = Later(later, alike=not numbered)
            plan, out = self.make.repeat(net, count, operator_span(row), body, flow, alike)
        if self.numbering is not None and numbered:
            self.numbering.passed += 1 if count is None else count
        return plan, out

    def place(self, numbered: bool, further: int = 0) -> dict[str, Binding]:
        """The names of `number`, for a rule that takes part."""
        return self.numbering.bindings(further) if self.numbering is not None and numbered else {}

    def count(self, row: TableRow, env: Environment) -> int | None:
        """How often a row is repeated; None where nothing says so, or its cell is empty."""
        found = self.stated_count(row, env)
        if found is None or found.value is None:
            return None
        value, span = found.value, found.span
        number = plain(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
        if not isinstance(number, int) or number < 0:
            raise self.make.fail(BadArithmetic(span, f"a repeat wants a whole number from 0, and this is {number}"))
        return number

    def stated_count(self, row: TableRow, env: Environment) -> Binding | None:
        """What the column with the role `repeat`, the `repeat` clause, or else the canonical column `n` says."""
        cell = row.layout.cell(row.row, "repeat")
        if cell is not None:
            return Binding(cell_value(cell.span, cell.text, self.env), cell.span)
        if self.how.repeat is None:
            canonical = any(column.role == "variable" and column.text == COUNT for column in row.layout.columns)
            return env.bindings[COUNT] if canonical else None
        clause, outside = self.how.repeat
        inside = outside.with_bindings({**env.bindings})
        if isinstance(clause.count, t.Name):
            if clause.count.id in inside.bindings:
                return inside.bindings[clause.count.id]
            if clause.count.id in self.holes:
                return None
        return Binding(numeric(clause.count, inside), blame(clause.count, inside))

    def later(self, env: Environment) -> Environment:
        """The variables of all passes but the first."""
        more = {}
        for assignment in self.how.repeat[0].then if self.how.repeat else ():
            more[assignment.name.id] = Binding(plain(numeric(assignment.value, env)), assignment.value.span)
        return env.with_bindings(more)

    # ---- infer ----

    def to_infer(self, env: Environment) -> t.Infer | None:
        """The variable that is to be solved for in this row: one that no column or hole gives."""
        for infer in self.how.infer:
            binding = env.bindings.get(infer.name.id)
            if binding is None or binding.value is None:
                return infer
        return None

    def solved(
        self, wanted: t.Name, row: TableRow, following: TableRow | None, rule: ReadRule, env: Environment, fold: Fold
    ) -> Environment:
        """The row's variables with the smallest value that gives what it claims; raises `SpecError`.

        What it claims of its output, or else the next row of its input. Other parameters than the defaults take over
        what was solved at the defaults, where the claims are about.
        """
        claim = self.shape_claim(row, "output") or (self.shape_claim(following, "input") if following else None)
        if claim is None:
            return env.with_bindings({wanted.id: Binding(1, wanted.span)})
        key = id(claim[1].source), operator_span(row).start, claim[1].start
        value = None if self.claims else self.make.solved.get(key)
        if value is None:
            value = self.solve(wanted, claim, row, rule, env, fold)
            if self.claims:  # else what is solved for some parameters would depend on those that were asked for before
                self.make.solved.setdefault(key, value)
        return env.with_bindings({wanted.id: Binding(value, claim[1])})

    def solve(
        self,
        wanted: t.Name,
        claim: tuple[tuple[int, ...], Span],
        row: TableRow,
        rule: ReadRule,
        env: Environment,
        fold: Fold,
    ) -> int:
        """The smallest value with which the row gives the height and width that are claimed; raises `SpecError`."""
        passed, tensors = self.numbering.passed if self.numbering else 0, dict(self.tensors)
        failed: SpecError | None = None
        for candidate in range(1, LARGEST_INFERRED + 1):
            try:
                trial = env.with_bindings({wanted.id: Binding(candidate, claim[1])})
                shape = self.instantiate(row, rule, trial, fold.flow)[1].shapes[0]
            except SpecError as error:
                failed = failed or error
                continue
            finally:
                self.tensors.clear()
                self.tensors.update(tensors)
                if self.numbering:
                    self.numbering.passed = passed
            if shape_holds(spatial(claim[0]), shape):
                return candidate
        if failed is not None:
            raise failed
        reason = f"no value from 1 to {LARGEST_INFERRED} gives what is claimed here"
        raise self.make.fail(Unsolved(claim[1], wanted.id, reason))

    # ---- claims and warnings ----

    def check_row(self, row: TableRow, following: TableRow | None, fold: Fold, plan: Plan, flow: Flow) -> Flow:
        """Compare what a row claims of its output, params and MACs; where the first fails, what to go on with."""
        if not self.claims:
            return flow
        claim = self.shape_claim(row, "output")
        found = self.make.one(flow, operator_span(row))
        if claim is not None and not shape_holds(claim[0], found):
            claimed = full_shape(claim[0], found)
            fold.diagnostics.append(ShapeClaim(claim[1], row.label, "its cell", "output", found, claimed, claim[1]))
            if following is not None and len(claimed) == len(found) and not self.explains(found, following, None):
                flow = Flow((claimed,))
        for role, number in (("params", plan.counts.params), ("macs", plan.counts.macs)):
            cell = row.layout.cell(row.row, role)  # type: ignore[arg-type]
            if cell is not None:
                fold.diagnostics += number_claims(cell, role, row.label, number)
        return flow

    def warn(self, row: TableRow, rule: ReadRule, fold: Fold) -> None:
        """Printed numbers that the row's rule leaves alone though other rules read their column."""
        if not self.claims:
            return
        used = self.mentioned[id(rule)] | self.repeat_names()
        anywhere = used.union(*self.mentioned.values())
        for column, cell in zip(row.layout.columns, row.row.cells, strict=True):
            if column.role != "variable" or column.text not in anywhere - used or cells.missing(cell):
                continue
            # a cell that names what the rule names is read all the same: `k` by `conv(1, k)`
            if cell.text not in used:
                fold.diagnostics.append(UnreadCell(cell.span, column.header.text, rule.rule.pattern.span))

    def repeat_names(self) -> set[str]:
        """The names that `repeat` computes with, not those that it sets."""
        if self.how.repeat is None:
            return {COUNT}
        clause = self.how.repeat[0]
        return names_in(clause.count).union(*(names_in(assignment.value) for assignment in clause.then))


def spatial(claimed: tuple[int, ...]) -> tuple[int, ...]:
    """Height and width of a claim: what a stride decides."""
    return claimed[:2] if len(claimed) == 3 else claimed


def number_claims(cell: Cell, what: str, label: str, found: int) -> Iterator[Diagnostic]:
    try:
        quantity = cells.number_claim(cell)
    except SpecError:
        yield BadCell(cell.span, cell.text, "number")
        return
    if quantity is not None and not number_holds(quantity, found):
        yield NumberClaim(cell.span, what, label, found, quantity)


def names_in(tree: t.Tree) -> set[str]:
    """Every name that a rule or clause mentions, also as a step."""
    return {node.id for node in walk(tree) if isinstance(node, t.Name)}
