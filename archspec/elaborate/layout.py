"""A table and the conventions that read it -> what each column means, and each row's variables.

Conventions come from the network's own clauses and from the readings that it names; the network's go first.
"""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Literal, TypeVar

from msgspec import Struct

from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate.errors import Clause, DuplicateName, UnknownName
from archspec.elaborate.evaluate import Environment, Value, bind
from archspec.elaborate.modules import Module
from archspec.elaborate.table_errors import SameColumns, UnknownColumn
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.tables import cells, markup, patterns
from archspec.tables.table import Cell, Row, Table

Role = Literal["input", "output", "operator", "repeat", "params", "macs", "note", "variable", "pattern"]
C = TypeVar("C", bound=t.Tree)
Choices = dict[str, tuple[Value, ...]]
"""The values that each parameter with choices may have."""
ROLES: tuple[Role, ...] = ("input", "output", "operator", "repeat", "params", "macs", "note")
BY_DEFAULT = frozenset({"input", "output", "operator", "params", "macs"})


class Owner(Struct, frozen=True):
    """A network or reading whose clauses are read: they see its parameters, whoever else has some of these names."""

    name: str
    env: Environment
    parameters: dict[str, Span]
    """where each is declared"""
    depth: int
    """0 for the network, 1 for its readings, 2 for theirs: what is nearer goes first"""

    @classmethod
    def of(cls, named: t.Network | t.Reading, env: Environment, depth: int = 0) -> "Owner":
        places = {parameter.name.id: parameter.name.span for parameter in named.parameters}
        return cls(named.name.id, env, places, depth)


class ReadRule(Struct, frozen=True):
    """A rule, whose it is, and whether it is the network's own."""

    rule: t.Rule
    owner: Owner
    own: bool

    @property
    def env(self) -> Environment:
        return self.owner.env


class Conventions(Struct, frozen=True):
    """How the tables of a network are read."""

    columns: tuple[tuple[t.Column, Owner], ...]
    repeat: tuple[t.RepeatClause, Owner] | None
    numbering: t.Numbering | None
    infer: tuple[tuple[t.Infer, Owner], ...]
    defaults: tuple[tuple[t.Reference, Owner], ...]
    rules: tuple[ReadRule, ...]


class ColumnMeaning(Struct, frozen=True):
    """A column: its role, and for a variable its name, for patterns their texts."""

    header: Cell
    role: Role
    text: str = ""
    patterns: tuple[str, ...] = ()

    @property
    def variables(self) -> set[str]:
        """The names of what it gives to a rule."""
        if self.role == "variable":
            return {self.text} - {""}
        return set[str]().union(*map(patterns.holes, self.patterns))

    @property
    def gives(self) -> set[str]:
        """Its variables, or else its role: what no other column may be."""
        if self.role in {"variable", "pattern"}:
            return self.variables
        return set() if self.role == "note" else {self.role}


class Layout(Struct, frozen=True, dict=True):
    """The columns of one table."""

    columns: tuple[ColumnMeaning, ...]
    chosen: bool
    """whether a parameter picks the operator column, so that an empty cell leaves the row out"""

    def cell(self, row: Row, role: Role) -> Cell | None:
        """The row's cell in the column of that role."""
        place = self.places.get(role)
        return None if place is None else row.cells[place]

    @cached_property
    def places(self) -> dict[Role, int]:
        """The first column of each role."""
        return {column.role: place for place, column in reversed(list(enumerate(self.columns)))}

    @cached_property
    def by_header(self) -> dict[tuple[str, ...], list[int]]:
        """The columns of each header, see `patterns.key`."""
        return places_of(column.header for column in self.columns)

    @cached_property
    def variables(self) -> dict[str, Cell]:
        """The headers of the columns that give variables, by the variable."""
        return {name: column.header for column in self.columns for name in column.variables}

    @cached_property
    def named(self) -> dict[str, Cell]:
        """The headers of the columns that are a variable each, by the variable."""
        return {column.text: column.header for column in self.columns if column.role == "variable"}


def conventions(network: t.Network, env: Environment) -> Conventions:
    """The network's conventions and then those of its readings, and theirs; raises `SpecError`."""
    columns: list[tuple[t.Column, Owner]] = []
    repeats: list[tuple[t.RepeatClause, Owner]] = []
    numberings: list[tuple[t.Numbering, Owner]] = []
    infer: list[tuple[t.Infer, Owner]] = []
    defaults: list[tuple[t.Reference, Owner]] = []
    rules: list[ReadRule] = []
    itself = Owner.of(network, env)
    pending: list[tuple[t.Clause, Owner, bool]] = [(clause, itself, True) for clause in network.clauses]
    seen: set[int] = set()
    for clause, owner, own in pending:
        inside = owner.env
        match clause:
            case t.Columns():
                columns += [(column, owner) for column in clause.columns]
            case t.RepeatClause():
                repeats.append((clause, owner))
            case t.Numbering():
                numberings.append((clause, owner))
            case t.Infer():
                infer.append((clause, owner))
            case t.Default():
                defaults += [(reference, owner) for reference in clause.operators]
            case t.Read():
                rules += [ReadRule(rule, owner, own) for rule in clause.rules]
            case t.ReadAs():
                found, reading = reading_of(clause, inside.module)
                if id(reading) in seen:
                    continue
                seen.add(id(reading))
                bindings = bind(clause.reading.name, reading.parameters, clause.reading.arguments or (), inside, inside)
                there = Owner.of(reading, Environment(found, bindings, env.budget), owner.depth + 1)
                pending += [(part, there, False) for part in reading.clauses]
    return Conventions(
        tuple(columns),
        nearest(repeats),
        numbering[0] if (numbering := nearest(numberings)) else None,
        tuple(infer),
        tuple(defaults),
        tuple(rules),
    )


def nearest(found: list[tuple[C, Owner]]) -> tuple[C, Owner] | None:
    """Of clauses that say one thing the network's, or the nearest reading's; raises `SpecError` for two as near."""
    if not found:
        return None
    first, *others = sorted(found, key=lambda pair: pair[1].depth)
    if others and others[0][1].depth == first[1].depth:
        advice = f"say it in the network: `{first[1].name}` and `{others[0][1].name}` say it both"
        raise SpecError([Clause(others[0][0].span, "another reading has this clause, too", advice, first[0].span)])
    return first


def reading_of(clause: t.ReadAs, module: Module) -> tuple[Module, t.Reading]:
    """The reading that a clause names, and its file; a network may have the same name."""
    name = clause.reading.name
    found = module.seen(name.id, t.Reading)
    if found is not None and isinstance(found[1], t.Reading):
        return found[0], found[1]
    raise SpecError([UnknownName(name.span, name.id, tuple(module.names(t.Reading)))])


def layout(table: Table, how: Conventions, choices: Choices) -> Layout:
    """What each column of a table means; raises `SpecError`."""
    meanings: dict[int, ColumnMeaning] = {}
    stated: dict[int, tuple[t.Column, Owner]] = {}
    wrong: list[Diagnostic] = []
    chosen = False
    by_header = places_of(table.headers)
    for column, owner in how.columns:
        wanted, others = headers_of(column.header, owner.env, choices)
        found = by_header.get(patterns.key(wanted), [])
        if not found:
            known = tuple(header.text for header in table.headers)
            wrong.append(UnknownColumn(column.header.span, wanted, known))
            continue
        if len(found) > 1:
            wrong.append(SameColumns(table.headers[found[1]].span, wanted, table.headers[found[0]].span))
        if found[0] in stated and stated[found[0]][1].depth == owner.depth:
            wrong.append(DuplicateName(column.header.span, wanted, stated[found[0]][0].header.span))
        stated.setdefault(found[0], (column, owner))
        meanings.setdefault(found[0], meaning(table.headers[found[0]], column.meaning))
        if others:
            chosen = chosen or meanings[found[0]].role == "operator"
            for i in sorted({i for other in others for i in by_header.get(patterns.key(other), [])} - meanings.keys()):
                meanings[i] = ColumnMeaning(table.headers[i], "note")
    if wrong:
        raise SpecError(wrong)
    columns = tuple(meanings.get(i) or default_meaning(header) for i, header in enumerate(table.headers))
    refuse_twice(columns)
    if all(column.role != "operator" for column in columns):
        span = table.headers[0].span.to(table.headers[-1].span)
        advice = 'name it: `columns "HEADER": operator`'
        raise SpecError([Clause(span, "no column of this table holds the operators", advice)])
    return Layout(columns, chosen)


def places_of(headers: Iterable[Cell]) -> dict[tuple[str, ...], list[int]]:
    """Headers by what they say, blanks, case and the way × is written left aside, to where they stand."""
    found: dict[tuple[str, ...], list[int]] = {}
    for place, header in enumerate(headers):
        found.setdefault(patterns.key(header.text), []).append(place)
    return found


def refuse_twice(columns: tuple[ColumnMeaning, ...]) -> None:
    """Raise `SpecError` where two columns have one role or give one variable."""
    seen: dict[str, Cell] = {}
    for column in columns:
        for what in sorted(column.gives):
            if what in seen:
                raise SpecError([SameColumns(column.header.span, what, seen[what].span)])
            seen[what] = column.header


def headers_of(header: t.Text, env: Environment, choices: Choices) -> tuple[str, list[str]]:
    """The header that a text means here, and where a parameter picks it, all that it could have picked."""
    wanted, every = header.value, [header.value]
    for name in patterns.holes(header.value):
        if name not in env.bindings:
            raise SpecError([UnknownName(header.span, name, tuple(env.bindings))])
        hole, value = "{" + name + "}", env.bindings[name].value
        wanted = wanted.replace(hole, header_text(value))
        every = [text.replace(hole, header_text(other)) for text in every for other in choices.get(name, (value,))]
    return wanted, every if wanted != header.value else []


def header_text(value: Value) -> str:
    """A value as a header prints it: 1, not 1.0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:d}" if isinstance(value, int) else f"{value:g}"


def meaning(header: Cell, what: t.Name | tuple[t.Text, ...]) -> ColumnMeaning:
    if isinstance(what, tuple):
        return ColumnMeaning(header, "pattern", patterns=tuple(pattern.value for pattern in what))
    for role in ROLES:
        if what.id == role:
            return ColumnMeaning(header, role)
    return ColumnMeaning(header, "variable", what.id)


def default_meaning(header: Cell) -> ColumnMeaning:
    """The canonical headers have their roles, every other column is a variable of its name."""
    word = header.text.casefold()
    for role in ROLES:
        if role in BY_DEFAULT and word == role:
            return ColumnMeaning(header, role)
    name = "".join(c if c.isalnum() or c == "_" else " " for c in markup.in_ascii(cells.normalize(header.text)))
    name = re.sub("__+", "_", "_".join(name.split()))
    return ColumnMeaning(header, "variable", name if not name[:1].isdigit() else f"_{name}")
