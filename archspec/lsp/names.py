"""A module -> every name in it, with what it stands for: what definition, references, rename and hover ask.

The scopes are those of the language: a block or function sees its own parameters, a rule its holes, the variables of
its rows and the network's parameters.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct
from pydantic import BaseModel

from archspec.diagnostics import SpecError
from archspec.elaborate.functions import FUNCTIONS
from archspec.elaborate.layout import ROLES, default_meaning
from archspec.elaborate.modules import ALL_WORDS, IDENTITY, Module, Named
from archspec.elaborate.network import COUNTED
from archspec.elaborate.resolve import attributes
from archspec.initializer import INITIALIZERS
from archspec.ops import OPERATORS
from archspec.source import Span
from archspec.syntax import parse_cell
from archspec.syntax import tree as t
from archspec.syntax.tree import walk
from archspec.tables import cells
from archspec.tables.dialects import read_table
from archspec.tables.table import Cell, Table

Kind = Literal[
    "operator", "function", "word", "distribution", "attribute", "role", "count",
    "block", "definition", "network", "variant", "reading",
    "parameter", "side", "tensor", "hole", "variable", "column", "output", "file", "key",
]  # fmt: skip
HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
BRACES = re.compile(r"\{([^{}]*)\}")
DECLARED: dict[type[t.Tree], Kind] = {
    t.Block: "block", t.Definition: "definition", t.Network: "network", t.Variant: "variant", t.Reading: "reading",
}  # fmt: skip


class Target(Struct, frozen=True):
    """What a name stands for."""

    kind: Kind
    name: str
    span: Span | None = None
    """the name where it is declared; None for what belongs to the language"""
    node: object = None
    """the declaration, the parameter, or the operator's class"""
    owner: str = ""
    """the declaration that it belongs to"""


class Use(Struct, frozen=True):
    """A name at a place."""

    span: Span
    target: Target


Scope = Mapping[str, Target]


def occurrences(module: Module) -> Iterator[Use]:
    """Every name of a file that is understood, in no order."""
    for declaration in module.file.declarations:
        if isinstance(declaration, t.Use):
            span = declaration.path.span
            yield Use(span, Target("file", declaration.path.value, None, declaration))
            continue
        yield Use(declaration.name.span, declared(declaration))
        yield from Names(module, declaration).all()


def declared(named: Named) -> Target:
    return Target(DECLARED[type(named)], named.name.id, named.name.span, named)


def inner(text: t.Text) -> Span:
    """The characters between the quotes."""
    return text.span.part(1, 1 + len(text.value))


class Names:
    """The names of one declaration."""

    def __init__(self, module: Module, named: Named) -> None:
        self.module = module
        self.named = named
        self.tables = list(tables_of(named))
        self.scope: dict[str, Target] = {}
        self.tensors: dict[str, Target] = {}
        owner = named.name.id
        for parameter in () if isinstance(named, t.Variant) else named.parameters:
            target = Target("parameter", parameter.name.id, parameter.name.span, parameter, owner)
            self.scope.setdefault(parameter.name.id, target)
        for node in walk(named):
            if isinstance(node, t.Step) and node.alias is not None:
                self.tensors.setdefault(node.alias.id, Target("tensor", node.alias.id, node.alias.span, node, owner))

    def all(self) -> Iterator[Use]:
        named = self.named
        if isinstance(named, t.Variant):
            yield from self.reference(named.network, {})
            return
        for parameter in named.parameters:
            yield Use(parameter.name.span, self.scope[parameter.name.id])
            yield from self.expressions([parameter.default, *parameter.choices], self.scope)
        match named:
            case t.Definition():
                yield from self.expressions([named.body], self.scope)
            case t.Block():
                yield from self.signature(named)
                yield from self.net(named.body, self.scope)
            case _:
                for clause in named.clauses:
                    yield from self.clause(clause)

    def signature(self, block: t.Block) -> Iterator[Use]:
        for side in block.signature.input if block.signature else ():
            if isinstance(side, t.Name):
                target = Target("side", side.id, side.span, side, block.name.id)
                yield Use(side.span, self.scope.setdefault(side.id, target))
            else:
                yield from self.expressions([side], self.scope)
        yield from self.expressions(block.signature.output if block.signature else (), self.scope)

    # ---- clauses ----

    def clause(self, clause: t.Clause) -> Iterator[Use]:
        match clause:
            case t.InputClause():
                yield from self.expressions(clause.sides, self.scope)
            case t.TableClause():
                yield from self.table(clause)
            case t.Body():
                yield from self.net(clause.net, self.scope)
            case t.Output():
                yield Use(clause.name.span, Target("output", clause.name.id, clause.name.span, clause))
                yield from self.net(clause.net, self.scope)
            case t.Check():
                yield from self.arguments(clause.arguments, self.callee(self.named.name), {})
                for claim in clause.claims:
                    if claim.what.id in COUNTED:
                        yield Use(claim.what.span, Target("count", claim.what.id))
            case t.Init():
                for initial in clause.initials:
                    yield from self.initial(initial)
            case t.Weights():
                for rule in clause.rules:
                    yield from self.weight_key(rule)
            case _:
                yield from self.convention(clause)

    def convention(self, clause: t.Clause) -> Iterator[Use]:
        scope = {**self.scope, **self.variables()}
        match clause:
            case t.Columns():
                for column in clause.columns:
                    yield from self.column(column)
            case t.RepeatClause():
                yield from self.expressions([clause.count], scope)
                for assignment in clause.then:
                    yield from self.named_use(assignment.name, scope)
                    yield from self.expressions([assignment.value], scope)
            case t.Numbering():
                yield from (Use(name.span, scope[name.id]) for name in (clause.position, clause.total) if name)
            case t.Infer():
                yield from self.named_use(clause.name, scope)
                yield from self.expressions(list(clause.usual), scope)
            case t.Default():
                for operator in clause.operators:
                    yield from self.reference(operator, self.scope)
            case t.Read():
                for rule in clause.rules:
                    yield from self.rule(rule, scope)
            case t.ReadAs():
                yield from self.reading(clause.reading)
            case _:
                return

    def column(self, column: t.Column) -> Iterator[Use]:
        yield from self.holes(column.header, self.scope)
        if isinstance(column.meaning, tuple):
            for pattern in column.meaning:
                yield from self.holes(pattern, self.variables())
        elif column.meaning.id in ROLES:
            yield Use(column.meaning.span, Target("role", column.meaning.id))
        else:
            yield from self.named_use(column.meaning, self.variables())

    def rule(self, rule: t.Rule, scope: Scope) -> Iterator[Use]:
        own = {name: Target("hole", name, span, rule) for span, name in reversed(list(holes_in(rule.pattern)))}
        inside = {**scope, **own}
        yield from self.holes(rule.pattern, own)
        yield from self.expressions([rule.when, rule.check], inside)
        yield from self.net(rule.net, inside)

    def reading(self, reference: t.Reference) -> Iterator[Use]:
        found = self.find(reference.name, t.Reading)
        if found is not None:
            yield Use(reference.name.span, declared(found))
            yield from self.arguments(reference.arguments or (), parameters_of(found), self.scope)

    def initial(self, initial: t.Initial) -> Iterator[Use]:
        target = initial.target
        if isinstance(target, t.Name) and target.id in OPERATORS:
            yield Use(target.span, Target("operator", target.id, None, OPERATORS[target.id]))
        if initial.condition is not None:
            yield from self.expressions([initial.condition], self.scope)
        for how in filter(None, (initial.distribution, initial.otherwise)):
            cls = INITIALIZERS.get(how.name.id)
            if cls is not None:
                yield Use(how.name.span, Target("distribution", how.name.id, None, cls))
                yield from self.arguments(how.arguments or (), attributes_of(how.name.id, cls), self.scope)

    def weight_key(self, rule: t.WeightKey) -> Iterator[Use]:
        own = {name: Target("key", name, span, rule) for span, name in reversed(list(holes_in(rule.path)))}
        yield from self.holes(rule.path, own)
        for key in rule.keys:
            for braces in BRACES.finditer(key.value):
                span = inner(key).part(braces.start(1), braces.end(1))
                try:
                    yield from self.expressions(
                        [parse_cell("value_cell", span.source, span.start, braces[1])], {**self.scope, **own}
                    )
                except SpecError:
                    continue

    # ---- tables ----

    def variables(self) -> dict[str, Target]:
        """The variables of the rows: those of `columns`, of headers, of `number` and `infer`."""
        found: dict[str, Target] = {}
        clauses = self.named.clauses if isinstance(self.named, t.Network | t.Reading) else ()
        for clause in clauses:
            match clause:
                case t.Columns():
                    for column in clause.columns:
                        what = column.meaning
                        if isinstance(what, tuple):
                            holes = [hole for pattern in what for hole in holes_in(pattern)]
                            found |= {n: Target("variable", n, span, column) for span, n in reversed(holes)}
                        elif what.id not in ROLES:
                            found[what.id] = Target("variable", what.id, what.span, column)
                case t.Numbering():
                    for name in (clause.position, clause.total):
                        found |= {name.id: Target("variable", name.id, name.span, clause)} if name else {}
                case t.Infer():
                    found.setdefault(clause.name.id, Target("variable", clause.name.id, clause.name.span, clause))
        for table in self.tables:
            for header in table.headers:
                meaning = default_meaning(header)
                if meaning.role == "variable" and meaning.text:
                    found.setdefault(meaning.text, Target("column", meaning.text, header.span, header))
        return found

    def table(self, clause: t.TableClause) -> Iterator[Use]:
        for table in self.tables:
            if not clause.body_span.start <= table.headers[0].span.start < clause.body_span.end:
                continue
            variables = self.variables()
            for header in table.headers:
                meaning = default_meaning(header)
                if meaning.role == "variable" and meaning.text in variables:
                    yield Use(header.span, variables[meaning.text])
            once = {cell.span: cell for row in table.rows for cell in row.cells}
            for cell in once.values():
                yield from self.cell(cell)

    def cell(self, cell: Cell) -> Iterator[Use]:
        """The parameters that a cell names, as a value or as a side of a shape."""
        if not any(name in cell.text for name in self.scope):
            return
        try:
            found: Iterable[t.Expr | None] = [cells.value(cell.span, cell.text)]
            uses = list(self.expressions(found, self.scope)) or list(self.expressions(sides(cell), self.scope))
        except SpecError:
            return
        yield from (use for use in uses if use.target.kind == "parameter" and use.span.text == use.target.name)

    def holes(self, text: t.Text, scope: Scope) -> Iterator[Use]:
        for span, name in holes_in(text):
            if name in scope:
                yield Use(span, scope[name])

    # ---- networks and expressions ----

    def net(self, net: t.Tree, scope: Scope) -> Iterator[Use]:
        for node in walk(net):
            match node:
                case t.Reference():
                    yield from self.reference(node, scope)
                case t.Tap() if node.name.id in self.tensors:
                    yield Use(node.name.span, self.tensors[node.name.id])
                case t.Step():
                    if node.alias is not None:
                        yield Use(node.alias.span, self.tensors[node.alias.id])
                    yield from self.expressions([node.count, node.condition], scope)

    def reference(self, reference: t.Reference, scope: Scope) -> Iterator[Use]:
        """A step or a variant's network: its name, and its arguments."""
        name = reference.name
        if name.id in scope:
            yield Use(name.span, scope[name.id])
        elif name.id == IDENTITY:
            yield Use(name.span, Target("word", IDENTITY))
        elif name.id in OPERATORS:
            yield Use(name.span, Target("operator", name.id, None, OPERATORS[name.id]))
        elif (found := self.find(name, t.Block, t.Network)) is not None:
            yield Use(name.span, declared(found))
        yield from self.arguments(reference.arguments or (), {} if name.id in scope else self.callee(name), scope)

    def arguments(self, arguments: tuple[t.Argument, ...], callee: Scope, scope: Scope) -> Iterator[Use]:
        for argument in arguments:
            if argument.name is not None and argument.name.id in callee:
                yield Use(argument.name.span, callee[argument.name.id])
            yield from self.expressions([argument.value], scope)

    def expressions(self, expressions: Iterable[t.Expr | None], scope: Scope) -> Iterator[Use]:
        pending: list[t.Tree] = [expression for expression in expressions if expression is not None]
        for root in pending:
            labels = set[Span]()
            for node in walk(root):
                match node:
                    case t.Call():
                        yield from self.call(node)
                        labels |= {node.function.span, *(a.name.span for a in node.arguments if a.name)}
                    case t.Name() if node.span not in labels:
                        yield from self.named_use(node, scope)

    def call(self, node: t.Call) -> Iterator[Use]:
        name = node.function
        if name.id in FUNCTIONS:
            yield Use(name.span, Target("function", name.id))
        elif (found := self.find(name, t.Definition)) is not None:
            yield Use(name.span, declared(found))
            callee = parameters_of(found)
            for argument in node.arguments:
                if argument.name is not None and argument.name.id in callee:
                    yield Use(argument.name.span, callee[argument.name.id])

    def named_use(self, name: t.Name, scope: Scope) -> Iterator[Use]:
        if name.id in scope:
            yield Use(name.span, scope[name.id])
        elif (found := self.find(name, t.Block)) is not None:
            yield Use(name.span, declared(found))
        elif name.id in OPERATORS:
            yield Use(name.span, Target("operator", name.id, None, OPERATORS[name.id]))
        elif name.id in ALL_WORDS:
            yield Use(name.span, Target("word", name.id))

    def callee(self, name: t.Name) -> dict[str, Target]:
        """What may be given to an operator, block or network by name."""
        if name.id in OPERATORS:
            return attributes_of(name.id, OPERATORS[name.id])
        found = self.find(name, t.Block, t.Network)
        return parameters_of(found) if found is not None else {}

    def find(self, name: t.Name, *kinds: type[t.Tree]) -> Named | None:
        """The declaration that a name means, if it is of one of these kinds."""
        candidates = [self.module.own.get(name.id), *(named for _, named in self.module.used.get(name.id, []))]
        return next((named for named in candidates if isinstance(named, kinds)), None)


def tables_of(named: Named) -> Iterator[Table]:
    """The tables of a declaration that can be read."""
    for clause in named.clauses if isinstance(named, t.Network) else ():
        if isinstance(clause, t.TableClause):
            try:
                yield read_table(clause)
            except SpecError:
                continue


def sides(cell: Cell) -> Iterable[t.Expr]:
    return cells.shape_claim(cell) or ()


def holes_in(text: t.Text) -> Iterator[tuple[Span, str]]:
    for hole in HOLE.finditer(text.value):
        yield inner(text).part(hole.start(1), hole.end(1)), hole[1]


def parameters_of(named: Named) -> dict[str, Target]:
    """What may be given to a declaration by name."""
    if isinstance(named, t.Variant):
        return {}
    owner = named.name.id
    return {p.name.id: Target("parameter", p.name.id, p.name.span, p, owner) for p in named.parameters}


def attributes_of(owner: str, cls: type[BaseModel]) -> dict[str, Target]:
    return {name: Target("attribute", name, None, cls, owner) for name in attributes(cls)}
