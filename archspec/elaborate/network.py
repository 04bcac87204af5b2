"""A network and its arguments -> its plan, with every claim compared: `elaborate`.

Printed claims and plain checks are compared at the parameters' defaults; a parameter that picks a column may have any
value. Errata take the place of what is printed before anything is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar, cast

from pydantic import BaseModel

from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate import parameters
from archspec.elaborate.bodies import Tensors
from archspec.elaborate.calls import attributes
from archspec.elaborate.claims import compared
from archspec.elaborate.errata import Places, corrections
from archspec.elaborate.errors import Clause, RepeatedArgument, UnknownArgument, UnknownOperator
from archspec.elaborate.evaluate import Binding, Environment, Value, evaluate, places
from archspec.elaborate.folds import Fold, Look
from archspec.elaborate.initials import Initials
from archspec.elaborate.instantiate import Instantiator, identity
from archspec.elaborate.layout import Conventions, conventions, layout
from archspec.elaborate.models import Defaults, Given
from archspec.elaborate.modules import Module
from archspec.elaborate.numbering import Numbering
from archspec.elaborate.plan import Counts, Flow, Maker, NetworkPlan, Plan, ScopePlan, total
from archspec.elaborate.rows import RowReader
from archspec.elaborate.rules import used_names
from archspec.elaborate.table_errors import ChannelsFirst, UnusualInput
from archspec.elaborate.table_rows import Overrides, TableRow, overridden, without_dittos
from archspec.ops import OPERATORS
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.syntax.errors import LimitReached
from archspec.tables.dialects import read_table
from archspec.tables.table import Cell, Table
from archspec.tensor import Shape, channels_first

READS_TABLES = (t.Columns, t.RepeatClause, t.Numbering, t.Infer, t.Read)
COUNTED = ("params", "macs")
T = TypeVar("T", bound=t.Tree)


@dataclass(slots=True)
class Elaboration:
    """One network of one file with one set of arguments, and what is found out about it."""

    module: Module
    network: t.Network
    make: Instantiator
    bindings: dict[str, Binding]
    claims: bool
    """whether printed claims are compared"""
    totals: bool
    """whether the checks without parameters are compared"""
    image: Shape | None = None
    """the input instead of the one that the text states: h×w×c, or h×w or one side of a square, with its channels"""
    checks: Sequence[t.Check] = ()
    """those with parameters that are compared besides: they are of this network"""
    mended: Overrides = field(default_factory=dict)
    """cells that are read otherwise, after a suggestion that was made already"""
    advise: bool = True
    """whether changes are looked for that would mend what is wrong"""
    by_kind: dict[type[t.Tree], list[t.Tree]] = field(init=False)
    """the network's clauses"""
    how: Conventions = field(init=False)
    reader: RowReader = field(init=False)
    env: Environment = field(init=False)
    tables: dict[int, list[TableRow]] = field(init=False)
    errata: dict[Span, tuple[t.Erratum, Overrides]] = field(init=False)

    def __post_init__(self) -> None:
        self.env = Environment(self.module, self.bindings, self.make.budget)
        self.by_kind = {}
        for clause in self.network.clauses:
            self.by_kind.setdefault(type(clause), []).append(clause)
        self.refuse_twice(t.Title, t.RepeatClause, t.Numbering)
        self.how = conventions(self.network, self.env)
        self.refuse_unused()
        self.reader = RowReader(self.make, self.how, self.env, self.claims)
        self.tables = self.read_tables()
        places = Places([row for table in self.tables.values() for row in table], self.names())
        found = self.clauses(t.Erratum)
        self.errata = {clause.span: (clause, corrections(clause, places)) for clause in found}
        self.refuse_twice_corrected()

    def refuse_twice(self, *kinds: type[t.Tree]) -> None:
        """Raise `SpecError` where a clause that says one thing stands twice."""
        twice = [clauses[:2] for kind in kinds if len(clauses := self.clauses(kind)) > 1]
        if twice:
            reason = "this clause stands here a second time"
            raise SpecError(Clause(second.span, reason, first=first.span) for first, second in twice)

    def refuse_unused(self) -> None:
        """Raise `SpecError` where a clause reads tables and there is none, or gives a variable that no rule uses."""
        if not self.clauses(t.TableClause):
            reading = [clause for clause in self.network.clauses if isinstance(clause, READS_TABLES)]
            if reading:
                raise SpecError([Clause(reading[0].span, "this clause reads tables, and the network has none")])
            return
        used = used_names(
            *(part for rule in self.how.rules for part in (rule.rule.when, rule.rule.check, rule.rule.net))
        )
        given = [infer.name for infer, owner in self.how.infer if not owner.depth]
        if self.how.repeat is not None and not self.how.repeat[1].depth:
            given += [assignment.name for assignment in self.how.repeat[0].then]
        unused = [Clause(name.span, f"no rule uses `{name.id}`") for name in given if name.id not in used]
        if unused:
            raise SpecError(unused)

    def refuse_twice_corrected(self) -> None:
        seen: dict[Span, Span] = {}
        for clause, changes in self.errata.values():
            for cell in changes:
                if cell in seen:
                    reason = "an erratum before this one corrects the same cell"
                    raise SpecError([Clause(clause.span, reason, first=seen[cell])])
                seen[cell] = clause.span

    def clauses(self, kind: type[T]) -> list[T]:
        return cast("list[T]", self.by_kind.get(kind, []))

    def read_tables(self) -> dict[int, list[TableRow]]:
        """The rows of every table, numbered through."""
        tables: dict[int, list[TableRow]] = {}
        choices = {p.name.id: tuple(evaluate(c, self.env) for c in p.choices) for p in self.network.parameters}
        choices = {name: values for name, values in choices.items() if values}
        numbers = count(1)
        for clause in self.clauses(t.TableClause):
            table: Table = read_table(clause)
            meaning = layout(table, self.how, choices)
            tables[id(clause)] = [TableRow(next(numbers), row, meaning) for row in without_dittos(table.rows)]
        return tables

    def names(self) -> dict[str, list[TableRow]]:
        """The rows of the tables that have a name."""
        return {c.name.value: self.tables[id(c)] for c in self.clauses(t.TableClause) if c.name is not None}

    @property
    def corrections(self) -> Overrides:
        """What errata, and suggestions, put in the place of cells."""
        return self.corrected | dict(self.mended)

    @property
    def corrected(self) -> dict[Span, Cell]:
        """What errata put in the place of cells."""
        return {span: cell for _, changes in self.errata.values() for span, cell in changes.items()}

    @property
    def same(self) -> object:
        """What the outcome depends on, except the checks of totals."""
        values = tuple(identity(binding.value) for binding in self.bindings.values())
        return id(self.network), self.claims, self.image, values

    # ---- the whole network ----

    def trial(self, changes: Overrides) -> list[Diagnostic]:
        """What is wrong with some cells read otherwise."""
        return self.fold({**self.corrections, **changes})[0].errors

    def look(self, rows: list[TableRow], first: int, last: int, changes: Overrides, whole: Fold) -> Look | None:
        """What the rows from one position to another come to by themselves, given what they are given in a fold of
        the whole network.
        """
        start = rows[first]
        given = whole.given(start.number)
        if given is None:
            return None
        fold = Fold(*given, self.numbering())
        table = overridden([row for row in rows if row.layout is start.layout], changes)
        here = [position for position, row in enumerate(table) if start.number <= row.number <= rows[last].number]
        self.reader.read(table, fold, here)
        counts = total(tuple(fold.plans))
        return Look(tuple(fold.errors), fold.flow.shapes[0], counts.params, counts.macs, counts.nodes)

    def fold(self, overrides: Overrides) -> tuple[Fold, NetworkPlan | None]:
        """Elaborate with some cells read otherwise."""
        self.make.budget.spent = 0
        numbering = self.numbering()
        try:
            self.make.models.settle(self.defaults())
            start, place = self.input(self.reader, overrides)
            given = Flow((start,), makers=(Maker(place, "the input is"),))
            fold = Fold(given, numbering=numbering)
            self.fold_clauses(fold, overrides)
            if numbering is not None and not fold.errors:
                numbering.total, numbering.passed = numbering.passed, 0
                fold = Fold(given, numbering=numbering)
                self.fold_clauses(fold, overrides)
            outputs = [] if fold.errors else self.outputs(fold.tensors, fold)
            return fold, self.finish(start, fold, outputs)
        except SpecError as error:
            return Fold(Flow(((1, 1, 1),)), diagnostics=list(error.diagnostics)), None

    def numbering(self) -> Numbering | None:
        return Numbering(self.how.numbering) if self.how.numbering else None

    def fold_clauses(self, fold: Fold, overrides: Overrides) -> None:
        """Tables and bodies, in their order."""
        for clause in self.network.clauses:
            if isinstance(clause, (t.Body, t.TableClause)) and not self.tables.get(id(clause)) and fold.errors:
                return
            if isinstance(clause, t.TableClause):
                rows = overridden(self.tables[id(clause)], overrides)
                self.reader.read(rows, fold)
                fold.after[id(clause)] = fold.flow
                if not fold.errors and fold.read.isdisjoint(row.number for row in rows):
                    raise SpecError([Clause(clause.span.part(0, len("table")), "no row of this table is used")])
            elif isinstance(clause, t.Body):
                body = self.make.body(clause.net, self.env)
                body.tensors = fold.tensors
                plan, fold.flow = self.make.net(clause.net, body, fold.flow)
                fold.plans.append(plan)

    def finish(self, start: Shape, fold: Fold, outputs: list[tuple[str, Plan]]) -> NetworkPlan | None:
        """The plan as a whole, its checks compared."""
        if fold.errors:
            return None
        self.make.one(fold.flow, self.network.name.span)
        plans = tuple(fold.plans)
        counts = total((*plans, *(plan for _, plan in outputs)))
        if counts.nodes > self.make.limits.nodes:
            limit = self.make.limits.nodes
            span = self.network.name.span
            raise SpecError([LimitReached(span, "too many nodes", str(counts.nodes), limit, "--max-nodes")])
        if counts.nodes == 0:
            raise SpecError([Clause(self.network.name.span, "this network has no operator: its output is its input")])
        fold.diagnostics += self.compared(counts)
        fold.diagnostics += [
            UnusualInput(clause.span, start)
            for clause in self.clauses(t.InputClause)
            if self.image is None and channels_first(start)
        ]
        initials = Initials(self.clauses(t.Init), self.make.models, self.env)
        claims = fold.claims + sum(len(check.claims) for check in self.plain)
        return NetworkPlan(
            self.network, self.bindings, start, plans, tuple(outputs), counts, initials.of_kinds(), initials.of_paths(),
            self.totals, claims, tuple(fold.inferred),
        )  # fmt: skip

    @property
    def plain(self) -> list[t.Check]:
        """The checks without parameters, where they are compared."""
        return [check for check in self.clauses(t.Check) if not check.arguments] if self.totals else []

    def compared(self, counts: Counts) -> list[Diagnostic]:
        """The checks of totals that do not hold; raises `SpecError` for a check of something else."""
        return [wrong for check in (*self.plain, *self.checks) for wrong in compare(check, self.called(check), counts)]

    def given(self, check: t.Check) -> dict[str, Binding]:
        """The parameters that a check states; raises `SpecError`."""
        return parameters.given(self.network.name, self.network.parameters, check.arguments, self.env)

    def called(self, check: t.Check) -> str:
        """The network as a check calls it: `N(k = 20)`."""
        return call_of(self.network, self.given(check))

    def input(self, reader: RowReader, overrides: Overrides) -> tuple[Shape, Span]:
        """The input's shape and its place: what the `input` clause says, or else the first Input cell."""
        clauses = self.clauses(t.InputClause)
        if len(clauses) > 1:
            raise SpecError([Clause(clauses[1].span, "the input is stated twice", first=clauses[0].span)])
        if not self.clauses(t.TableClause) and not self.clauses(t.Body):
            raise SpecError([Clause(self.network.name.span, "this network has neither a table nor a body")])
        if clauses:
            shape = tuple(self.make.side(side, self.env) for side in clauses[0].sides)
            span = clauses[0].span
            if len(shape) not in {1, 3}:
                raise SpecError([Clause(span, "the input is h x w x c, or c alone for a vector")])
        else:
            first = next((table for table in self.tables.values() if table), [])
            claim = reader.shape_claim(overridden(first, overrides)[0], "input") if first else None
            if claim is None or len(claim[0]) != 3:
                advice = "state it: `input 224 x 224 x 3`"
                reason = "nothing says what the input is" if claim is None else "this does not say the whole input"
                place = self.network.name.span if claim is None else claim[1]
                raise SpecError([Clause(place, reason, advice)])
            shape, span = claim
            if channels_first(shape):
                raise SpecError([ChannelsFirst(span, shape)])
        if self.image is not None:
            square = self.image * 2 if len(self.image) == 1 < len(shape) else self.image
            parameters.refuse_channels_first(self.image, shape)
            span = parameters.given_image(self.image).span
            shape = (*square, *shape[len(square) :])
        self.make.check_size(shape, span)
        return shape, span

    def outputs(self, tensors: Tensors, fold: Fold) -> list[tuple[str, Plan]]:
        """Auxiliary heads: each begins with the network's own output, or a tensor that was named, by another too."""
        found: list[tuple[str, Plan]] = []
        named: dict[str, Span] = {}
        tensors = dict(tensors)
        for clause in self.clauses(t.Output):
            name = clause.name
            if name.id == "output":
                raise SpecError([Clause(name.span, "the network's own output is called `output`")])
            if name.id in named:
                raise SpecError([Clause(name.span, f"the output `{name.id}` is declared twice", first=named[name.id])])
            named[name.id] = name.span
            body = self.make.body(clause.net, self.env)
            body.tensors = dict(tensors) if clause.training else tensors
            net = clause.net
            result = (
                self.make.step(net, body, fold.flow) if isinstance(net, t.Step) else self.make.net(net, body, fold.flow)
            )
            if result is not None:
                self.make.one(result[1], clause.span)
                plan = result[0]
                found.append(
                    (name.id, ScopePlan(name.id, "group", name.id, name.id, clause.span, False, plan, plan.counts))
                )
        return found

    def defaults(self) -> Defaults:
        """What operators are given where they say nothing themselves, by the network before its readings.

        Raises `SpecError`.
        """
        found: dict[type[BaseModel], dict[str, Given]] = {}
        stated: dict[tuple[str, str], int] = {}
        for reference, owner in self.how.defaults:
            name, env = reference.name, owner.env
            if name.id not in OPERATORS:
                raise SpecError([UnknownOperator(name.span, name.id, tuple(OPERATORS))])
            cls = OPERATORS[name.id]
            every = found.setdefault(cls, {})
            known = tuple(key for key in attributes(cls) if not cls.model_fields[key].is_required())
            for key, argument in places(name, (), known, reference.arguments or ()).items():
                if stated.setdefault((name.id, key), owner.depth) == owner.depth and key in every:
                    raise SpecError([RepeatedArgument(argument.span, key, every[key].argument.span)])
                every.setdefault(key, Given(argument, env))
        return found


def compare(check: t.Check, name: str, counts: Counts) -> list[Diagnostic]:
    """The claims of a check against what was counted; raises `SpecError` for a claim of something else."""
    wrong: list[Diagnostic] = []
    for claim in check.claims:
        if claim.what.id not in COUNTED:
            raise SpecError([UnknownArgument(claim.what.span, "check", claim.what.id, COUNTED)])
        found = counts.params if claim.what.id == "params" else counts.macs
        wrong += compared(claim.quantity.span, claim.what.id, f"`{name}`", found, claim.quantity)
    return wrong


def call_of(network: t.Network, given: Mapping[str, Binding]) -> str:
    """A network with some parameters, as people read it: `N(k = 20)`."""
    arguments = ", ".join(f"{name} = {value_text(binding.value)}" for name, binding in given.items())
    return f"{network.name.id}({arguments})" if arguments else network.name.id


def value_text(value: Value) -> str:
    if isinstance(value, tuple):
        return "x".join(map(value_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
