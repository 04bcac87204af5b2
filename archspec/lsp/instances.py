"""An `Analysis` -> what its steps and rows come to: for every place in the text, the instances that it has.

Claims are not compared here, so that shapes can be shown beside a claim that is wrong. Where a row cannot be built,
those before it are laid out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from msgspec import Struct

from archspec.diagnostics import SpecError
from archspec.elaborate import parameters
from archspec.elaborate.evaluate import Binding
from archspec.elaborate.flatten import Flattener, Paths
from archspec.elaborate.network import Elaboration
from archspec.elaborate.plan import Counts, Plan, ScopePlan
from archspec.elaborate.rules import Chosen
from archspec.elaborate.table_rows import TableRow, overridden
from archspec.graph import Node
from archspec.ops import Input
from archspec.source import Span
from archspec.spec import Spec
from archspec.stats import op_text
from archspec.syntax import tree as t
from archspec.syntax.depth import deep
from archspec.tables import cells
from archspec.tensor import Shape


class Instance(Struct, frozen=True):
    """One place of a step or row in the network."""

    path: str
    label: str
    """the operator with its attributes, the block with its arguments, the row's text"""
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]


class Layout(Flattener):
    """Lays out a plan, and notes what goes into each scope and comes out of it."""

    def __init__(self) -> None:
        super().__init__()
        self.flows: dict[str, tuple[Paths, Paths]] = {}
        """by the path of a scope"""
        self.spans_of_scopes: dict[str, Span] = {}
        self.labels: dict[str, str] = {}
        self.tensors: dict[str, str] = {}

    def scope(self, plan: ScopePlan, prefix: str, inputs: Paths, tensors: dict[str, str]) -> Paths:
        position = len(self.scopes)
        out = super().scope(plan, prefix, inputs, tensors)
        path = self.scopes[position].path
        self.flows[path], self.spans_of_scopes[path], self.labels[path] = (inputs, out), plan.span, plan.label
        return out


@dataclass
class Network:
    """One network or variant, laid out as far as it goes."""

    name: str
    elaboration: Elaboration
    layout: Layout = field(default_factory=Layout)
    complete: bool = False

    def add(self, plans: list[Plan], start: Shape, outputs: tuple[tuple[str, Plan], ...]) -> None:
        flat, network = self.layout, self.elaboration.network
        flat.taken.add("input")
        paths: Paths = (flat.node("input", Input(shape=start), (), start, network.name.span),)
        for plan in plans:
            paths = flat.lay(plan, "", paths, flat.tensors)
        for _, plan in outputs:
            flat.lay(plan, "", paths, dict(flat.tensors))

    # ---- what stands where ----

    @cached_property
    def nodes(self) -> dict[str, Node]:
        return {node.path: node for node in self.layout.nodes}

    def shapes(self, paths: Paths) -> tuple[Shape, ...]:
        return tuple(self.nodes[path].shape for path in paths)

    @cached_property
    def steps(self) -> dict[Span, list[Instance]]:
        """The instances of every step and row by its text, in the order of the network."""
        found: dict[Span, list[Instance]] = {}
        for path, span in self.layout.spans_of_scopes.items():
            inputs, outputs = self.layout.flows[path]
            scope = self.layout.labels[path]
            found.setdefault(span, []).append(Instance(path, scope, self.shapes(inputs), self.shapes(outputs)))
        for node in self.layout.nodes[1:]:
            instance = Instance(node.path, op_text(node), self.shapes(node.inputs), (node.shape,))
            found.setdefault(self.layout.spans[node.path], []).append(instance)
        return found

    @cached_property
    def counts(self) -> dict[str, Counts]:
        """Sums by path: of every scope, of every node, and of all (the empty path)."""
        found: dict[str, Counts] = {}
        for node in self.layout.nodes[1:]:
            inputs = self.shapes(node.inputs)
            own = Counts(1, node.op.params(*inputs), node.op.macs(*inputs))
            parts = node.path.split("/")
            for depth in range(len(parts) + 1):
                path = "/".join(parts[:depth])
                found[path] = found.get(path, Counts()) + own
        return found

    # ---- rows ----

    def rows(self) -> Iterator[tuple[t.TableClause, TableRow]]:
        for clause in self.elaboration.clauses(t.TableClause):
            for row in self.elaboration.tables[id(clause)]:
                yield clause, row

    def row(self, row: TableRow) -> Instance | None:
        """What a row comes to; None where it is left out, or could not be built."""
        found = [one for one in self.steps.get(row.row.span, ()) if one.path == f"row_{row.number}"]
        return found[0] if found else None

    def rule(self, row: TableRow, given: Shape) -> Chosen | None:
        """The rule that reads a row which is given this shape, with the variables that it sees."""
        (row,) = overridden([row], self.elaboration.corrections)
        cell = row.layout.cell(row.row, "operator")
        if cell is None or (row.layout.chosen and cells.missing(cell)):
            return None
        try:
            return self.elaboration.reader.rules.choose(row, cell, given)
        except SpecError:
            return None


def laid_out(spec: Spec, name: str, values: dict[str, Binding] | None = None) -> Network | None:
    """A network or variant of a spec, as far as it can be built; None where its tables cannot be read."""
    member = spec.member(name)
    try:
        with deep(spec.limits, spec.source):
            network, arguments = member.choice
            given = {**arguments, **(values or {})}
            bindings = parameters.bound(spec.module, network, given, spec.make.budget)
            elaboration = Elaboration(spec.module, network, spec.make, bindings, claims=False, totals=False)
            fold, plan = elaboration.fold(elaboration.corrections)
            found = Network(name, elaboration, complete=plan is not None)
            if plan is not None:
                found.add(list(plan.plans), plan.input, plan.outputs)
            elif fold.plans:
                found.add(fold.plans, start_of(elaboration), ())
            return found
    except SpecError:
        return None


def start_of(elaboration: Elaboration) -> Shape:
    """The input of a network that cannot be built to its end; raises `SpecError`."""
    return elaboration.input(elaboration.reader, elaboration.corrections)[0]
