"""A declaration and a name in it -> what the name stands for there.

The scopes are those of the language: a block or function sees its own parameters, a rule its holes, the variables of
its rows and the parameters of its network or reading.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TypeVar

from msgspec import Struct

from archspec.diagnostics import SpecError
from archspec.elaborate.functions import FUNCTIONS
from archspec.elaborate.layout import ROLES, default_meaning
from archspec.elaborate.modules import ALL_WORDS, IDENTITY, Module, Named
from archspec.elaborate.rules import SIDES
from archspec.elaborate.unused_rows import Convention, Stated, conventions_of
from archspec.elaborate.uses import (
    Giving,
    Target,
    Targets,
    assigned,
    attribute,
    declared,
    given_by,
    holes_of,
    language,
    operator,
    parameters,
    tensors,
    variables,
)  # fmt: skip
from archspec.elaborate.weight_keys import INDEX
from archspec.ops import OPERATORS
from archspec.syntax import tree as t
from archspec.tables.dialects import read_table
from archspec.tables.table import Cell

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CALLED = re.compile(r"[ \t]*\(")
T = TypeVar("T")
N = TypeVar("N", bound=t.Tree)
Look = Callable[[str], Target | None]
"""What a name stands for in some scope."""


class Shelf:
    """What the declarations of a file have in common: one target for each thing, whoever names it."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.made: dict[tuple[str, int], object] = {}
        named = [named for named in module.file.declarations if not isinstance(named, t.Use)]
        self.declarations = [Declaration(self, one) for one in named]

    def once(self, make: Callable[[N], T], node: N) -> T:
        """What a function makes of a node, made once."""
        key = make.__name__, id(node)
        if key not in self.made:
            self.made[key] = make(node)
        return self.made[key]  # type: ignore[return-value]

    def declaration(self, name: str, *kinds: type[Named]) -> Target | None:
        """The declaration of one of these kinds that the file sees under a name."""
        found = self.module.seen(name, *kinds)
        return None if found is None else self.once(declared, found[1])

    def parameter(self, owner: str, kinds: tuple[type[Named], ...], name: str) -> Target | None:
        """What may be given by that name to a declaration."""
        found = self.module.seen(owner, *kinds)
        return None if found is None else self.once(parameters, found[1]).get(name)

    @cached_property
    def tensors(self) -> Targets:
        """The tensors of all networks and readings, and then those of blocks: rules and paths name each other's."""
        every = sorted(self.declarations, key=lambda one: isinstance(one.named, t.Block), reverse=True)
        return {name: target for one in every for name, target in one.tensors.items()}

    @cached_property
    def readers(self) -> dict[int, list["Declaration"]]:
        """The networks that read their tables as a reading, by its `id`."""
        found: dict[int, list[Declaration]] = {}
        for one in self.declarations:
            if isinstance(one.named, t.Network):
                for reading in {id(owner): owner for _, owner, depth in one.conventions if depth}:
                    found.setdefault(reading, []).append(one)
        return found


class Scope(Struct, frozen=True, eq=False):
    """What a part of a declaration sees."""

    of: "Declaration"
    holes: Mapping[str, Target] = {}
    rows: bool = False
    """whether it is computed for a row, and sees the row's variables"""
    closed: bool = False
    """whether a name that nothing declares is a mistake already"""
    checked: bool = True
    """whether its steps and calls are; elaboration looks up the others by itself"""

    def named(self, name: str) -> Target | None:
        """What the declaration or the row calls so."""
        if name in self.holes:
            return (self.rows and self.of.shared.get(name)) or self.holes[name]
        return (self.rows and self.of.variables.get(name)) or self.of.own.get(name)

    def value(self, name: str) -> Target | None:
        """A name that is computed with."""
        found = self.named(name) or self.of.shelf.declaration(name, t.Block) or operator(name)
        if found is None and name in ALL_WORDS:
            return language("word", name)
        if found is None and self.rows:
            return self.of.of_any_table(name)
        return found

    def step(self, name: str) -> Target | None:
        if (found := self.named(name)) is not None:
            return found
        if name == IDENTITY:
            return language("word", name)
        return operator(name) or self.of.shelf.declaration(name, t.Block, t.Network)

    def word(self, name: str) -> Target | None:
        """A word of a text that is computed with, as a cell is."""
        return self.named(name) or self.of.shelf.declaration(name, t.Block)

    def attribute(self, step: str, name: str) -> Target | None:
        """What a step can be given by that name."""
        if self.named(step) is not None:
            return None
        if step in OPERATORS:
            return attribute(step, OPERATORS[step], name)
        return self.of.shelf.parameter(step, (t.Block, t.Network), name)


class Declaration:
    """What the names in one declaration stand for."""

    def __init__(self, shelf: Shelf, named: Named) -> None:
        self.shelf = shelf
        self.module = shelf.module
        self.named = named
        self.own = dict(shelf.once(parameters, named))
        """its parameters, and the sides that a block's signature names"""
        if isinstance(named, t.Block) and named.signature is not None:
            for side in named.signature.input:
                if isinstance(side, t.Name):
                    self.own.setdefault(side.id, Target("side", side.id, side.span, side, named.name.id))
        self.free: Targets = {}

    def is_step(self, name: str, scope: Scope) -> bool:
        """Whether a parameter, or something of a row, says what a step is."""
        return name in scope.holes or name in self.parameters or (scope.rows and name in self.in_tables)

    @property
    def parameters(self) -> Targets:
        return self.shelf.once(parameters, self.named)

    def network(self, name: str) -> Target | None:
        found = self.module.own.get(name)
        return self.shelf.once(declared, found) if isinstance(found, t.Network) else None

    def reading(self, name: str) -> Target | None:
        return self.shelf.declaration(name, t.Reading)

    def block(self, name: str) -> Target | None:
        return self.shelf.declaration(name, t.Block)

    def function(self, name: str) -> Target | None:
        if name in FUNCTIONS or name == INDEX:
            return language("function", name)
        return self.shelf.declaration(name, t.Definition)

    def tensor(self, name: str) -> Target | None:
        closed = isinstance(self.named, t.Block)
        return self.tensors.get(name) or (None if closed else self.shelf.tensors.get(name) or self.foreign.get(name))

    def meaning(self, name: str) -> Target | None:
        """What a column is: a role or a variable."""
        return language("role", name) if name in ROLES else self.variables.get(name)

    def output(self, clause: t.Output, name: str) -> Target:
        return Target("output", name, clause.name.span, clause)

    def of_any_table(self, name: str) -> Target | None:
        """What the rules of a reading compute with beyond what the file says: columns of whatever tables it reads."""
        if not isinstance(self.named, t.Reading):
            return None
        return self.free.setdefault(name, Target("column", name, owner=self.named.name.id))

    @cached_property
    def tensors(self) -> Targets:
        """The first of each name that `as` gives."""
        return tensors(self.named.name.id, self.named)

    @cached_property
    def foreign(self) -> Targets:
        """The same of the readings that a network reads its tables as, which other files have."""
        found: Targets = {}
        for clause, owner, depth in self.conventions:
            found = tensors(owner.name.id, clause) | found if depth else found
        return found

    @cached_property
    def in_tables(self) -> set[str]:
        """The headers of tables and the holes of columns: what a rule may name as a step, though nothing declares it.

        No table is read for it.
        """
        found = set[str]()
        for clause in self.clauses:
            if isinstance(clause, t.TableClause):
                found.update(WORD.findall(clause.body.strip("{ \t\r\n").partition("\n")[0]))
            elif isinstance(clause, t.Columns):
                found.update(name for column in clause.columns for _, name in given_by(column))
        return found

    # ---- rows ----

    @property
    def clauses(self) -> tuple[t.Clause, ...]:
        return self.named.clauses if isinstance(self.named, t.Network | t.Reading) else ()

    @cached_property
    def conventions(self) -> list[Convention]:
        """The clauses of the declaration and of its readings."""
        named = self.named
        return list(conventions_of(named, self.module)) if isinstance(named, t.Network | t.Reading) else []

    @cached_property
    def headers(self) -> list[tuple[str, Cell]]:
        """The columns of its tables that are variables by themselves, as far as the tables can be read."""
        found: list[tuple[str, Cell]] = []
        for clause in self.clauses:
            with suppress(SpecError):
                headers = read_table(clause).headers if isinstance(clause, t.TableClause) else ()
                for header in {header.span: header for header in headers}.values():
                    meaning = default_meaning(header)
                    if meaning.role == "variable" and meaning.text and self.stated.column(header) is None:
                        found.append((meaning.text, header))
        return found

    @cached_property
    def stated(self) -> Stated:
        clauses = [clause for clause, *_ in self.conventions if isinstance(clause, t.Columns)]
        return Stated(column for clause in clauses for column in clause.columns)

    @cached_property
    def variables(self) -> Targets:
        """The variables of its rows: what clauses name, those of its readings among them, and what headers do.

        A reading sees those of the networks of its file that it reads.
        """
        found: Targets = {}
        for clause, _, _ in self.conventions:
            found = self.shelf.once(variables, clause) | found if isinstance(clause, Giving) else found
        for name, header in self.headers:
            if name not in found:
                found[name] = Target("column", name, header.span, header)
        for other in self.shelf.readers.get(id(self.named), ()):
            found |= {name: target for name, target in other.variables.items() if name not in found}
        for clause, _, _ in self.conventions:
            for assignment in clause.then if isinstance(clause, t.RepeatClause) else ():
                if assignment.name.id not in found:
                    found[assignment.name.id] = self.shelf.once(assigned, assignment)
        return {side: language("side", side) for side in SIDES} | self.shared | found

    @cached_property
    def shared(self) -> Targets:
        """The holes that `repeat` computes with: each is one thing, whichever rule has it."""
        clauses = [clause for clause, *_ in self.conventions]
        repeats = [clause for clause in clauses if isinstance(clause, t.RepeatClause)]
        wanted = {name.id for clause in repeats for name in t.names(clause)}
        rules = [rule for clause in clauses if isinstance(clause, t.Read) for rule in clause.rules] if wanted else []
        found: Targets = {}
        for other in self.shelf.readers.get(id(self.named), ()):
            found |= other.shared
        for rule in rules:
            held = self.shelf.once(holes_of, rule)
            found = {name: held[name] for name in wanted & held.keys()} | found
        return found
