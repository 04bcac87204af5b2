"""A name at a place, and what it stands for."""

from collections.abc import Iterator
from functools import cache
from typing import Literal

from msgspec import Struct
from pydantic import BaseModel

from archspec.elaborate.calls import attributes
from archspec.elaborate.layout import ROLES
from archspec.elaborate.modules import Named, parameters_of
from archspec.elaborate.paths import HOLE
from archspec.initializer import INITIALIZERS
from archspec.ops import OPERATORS
from archspec.source import Span
from archspec.syntax import tree as t

Kind = Literal[
    "operator", "function", "word", "distribution", "attribute", "role", "count", "program",
    "block", "definition", "network", "variant", "reading",
    "parameter", "side", "tensor", "hole", "variable", "column", "output", "file", "key",
]  # fmt: skip
Giving = t.Columns | t.Numbering | t.Infer
"""Clauses that name variables of rows."""
DECLARED: dict[type[t.Tree], Kind] = {
    t.Block: "block", t.Definition: "definition", t.Network: "network", t.Variant: "variant", t.Reading: "reading",
}  # fmt: skip


class Target(Struct, frozen=True, eq=False):
    """What a name stands for; one for all uses of it in a file."""

    kind: Kind
    name: str
    span: Span | None = None
    """the name where it is declared; None for what belongs to the language, and for a column of any table"""
    node: object = None
    """the declaration, the parameter, or the operator's class"""
    owner: str = ""
    """the declaration that it belongs to"""


class Use(Struct, frozen=True, eq=False):
    """A name at a place."""

    span: Span
    target: Target
    gives: bool = False
    """whether the name is given here, or a value is given by it: nothing is computed with it"""


Targets = dict[str, Target]


@cache
def language(kind: Kind, name: str, node: type[BaseModel] | None = None, owner: str = "") -> Target:
    """What belongs to the language."""
    return Target(kind, name, None, node, owner)


def operator(name: str) -> Target | None:
    return language("operator", name, OPERATORS[name]) if name in OPERATORS else None


def attribute(owner: str, cls: type[BaseModel], name: str) -> Target | None:
    """What an operator or a distribution can be given by that name."""
    return language("attribute", name, cls, owner) if name in attributes(cls) else None


def declared(named: Named) -> Target:
    return Target(DECLARED[type(named)], named.name.id, named.name.span, named)


def inner(text: t.Text) -> Span:
    """The characters between the quotes."""
    return text.span.part(1, 1 + len(text.value))


def holes_in(text: t.Text) -> Iterator[tuple[Span, str]]:
    """The holes of a pattern, path or header, with their places."""
    for hole in HOLE.finditer(text.value):
        yield inner(text).part(hole.start(1), hole.end(1)), hole[1]


def parameters(named: Named) -> Targets:
    """What may be given to a declaration by name."""
    owner, places = named.name.id, reversed(parameters_of(named))
    return {p.name.id: Target("parameter", p.name.id, p.name.span, p, owner) for p in places}


def variables(clause: Giving) -> Targets:
    """The variables of rows that a clause names; the first of each name."""
    given: list[tuple[tuple[Span, str], t.Tree]]
    match clause:
        case t.Columns():
            given = [(name, column) for column in clause.columns for name in given_by(column)]
        case t.Numbering():
            given = [((name.span, name.id), clause) for name in (clause.position, clause.total) if name]
        case _:
            given = [((clause.name.span, clause.name.id), clause)]
    found = {name: Target("variable", name, span, node) for (span, name), node in reversed(given)}
    return {name: target for name, target in found.items() if name not in ROLES}


def given_by(column: t.Column) -> list[tuple[Span, str]]:
    """What a column is called, or what its patterns take from it."""
    what = column.meaning
    return [(what.span, what.id)] if isinstance(what, t.Name) else [hole for text in what for hole in holes_in(text)]


def holes_of(rule: t.Rule | t.WeightKey) -> Targets:
    """The holes of a rule; the first of each name."""
    kind: Kind = "hole" if isinstance(rule, t.Rule) else "key"
    text = rule.pattern if isinstance(rule, t.Rule) else rule.path
    return {name: Target(kind, name, span, rule) for span, name in reversed(list(holes_in(text)))}


def tensors(owner: str, root: t.Tree) -> Targets:
    """The tensors that `as` names in a declaration or a part of it; the first of each name."""
    steps = [node for node in t.walk(root) if isinstance(node, t.Step)]
    named = [(step, step.alias) for step in reversed(steps) if step.alias is not None]
    return {name.id: Target("tensor", name.id, name.span, step, owner) for step, name in named}


def assigned(assignment: t.Assignment) -> Target:
    """What `then` sets, where nothing else names it."""
    return Target("variable", assignment.name.id, assignment.name.span, assignment)


def distribution(name: str) -> Target | None:
    return language("distribution", name, INITIALIZERS[name]) if name in INITIALIZERS else None


def of_distribution(owner: str, name: str) -> Target | None:
    return attribute(owner, INITIALIZERS[owner], name) if owner in INITIALIZERS else None
