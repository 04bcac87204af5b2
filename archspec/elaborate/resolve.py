"""A file and what it uses -> what every name in it stands for, and every mistake in its names.

Names come before anything is computed: mistakes are found at once, in branches not taken too.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate.errors import DuplicateName, ReservedName, UnknownMember
from archspec.elaborate.modules import Module, Named, parameters_of
from archspec.elaborate.names import Names, words
from archspec.elaborate.scopes import Declaration, Scope, Shelf
from archspec.elaborate.unused_rows import Read
from archspec.elaborate.uses import Target, Use
from archspec.ops import WORDS
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.tables.cells import normalize


def resolve(module: Module) -> "Resolved":
    """The names of a file."""
    return Resolved(module)


class Resolved:
    """A file whose names are found."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.names = [Names(one) for one in Shelf(module).declarations]
        self.diagnostics: list[Diagnostic] = []
        """every mistake in the names of the file's own declarations"""
        for names in self.names:
            named = names.here.named
            self.diagnostics += [*repeated(named), *unknown_network(named, module), *names.wrong]

    @cached_property
    def uses(self) -> list[Use]:
        """Every name of the file that stands for something known, in no order."""
        files = [one for one in self.module.file.declarations if isinstance(one, t.Use)]
        found = [Use(one.path.span, Target("file", one.path.value, None, one)) for one in files]
        return [*found, *(use for uses in self.of.values() for use in uses)]

    @cached_property
    def of(self) -> dict[int, list[Use]]:
        """The names that stand in each declaration, in the tables of a network too; by the declaration's `id`."""
        found = {}
        for names in self.names:
            here = names.here
            read = self.reads.get(id(here.named))
            headers = [Use(header.span, here.variables[name], gives=True) for name, header in here.headers]
            found[id(here.named)] = [*names.uses, *headers, *(in_cells(read, here) if read is not None else ())]
        return found

    @cached_property
    def reads(self) -> dict[int, Read | None]:
        """What the tables of each network use, by its `id`; None where they cannot be read as they stand."""
        found: dict[int, Read | None] = {}
        for named in self.module.own.values():
            if isinstance(named, t.Network):
                try:
                    found[id(named)] = Read(named, self.module)
                except SpecError:
                    found[id(named)] = None
        return found


def in_cells(read: Read, here: Declaration) -> Iterator[Use]:
    """The names in the cells that are read: parameters, functions and blocks."""
    scope = Scope(here)
    for text, cells in read.texts.items():
        for start, end, name, look in words(normalize(text), scope):
            target = look(name)
            if target is not None:
                places = ((cell, cell.part(start, end)) for cell in cells)
                yield from (Use(part if part.text == name else cell, target) for cell, part in places)


def unknown_network(named: Named, module: Module) -> Iterator[Diagnostic]:
    """A variant of what is not a network of the file."""
    if isinstance(named, t.Variant) and not isinstance(module.own.get(named.network.name.id), t.Network):
        target = named.network.name
        networks = tuple(name for name, other in module.own.items() if isinstance(other, t.Network))
        yield UnknownMember(target.span, target.id, networks)


def repeated(named: Named) -> Iterator[Diagnostic]:
    """What a declaration says twice, where only one of it could count."""
    names = [parameter.name for parameter in parameters_of(named)]
    yield from (ReservedName(name.span, name.id) for name in names if name.id in WORDS)
    yield from declared_twice((name.id, name.span) for name in names)
    clauses = named.clauses if isinstance(named, (t.Network, t.Reading)) else ()
    tables = [clause.name for clause in clauses if isinstance(clause, t.TableClause) and clause.name is not None]
    yield from declared_twice((name.value, name.span) for name in tables)
    yield from declared_twice((clause.name.id, clause.name.span) for clause in clauses if isinstance(clause, t.Infer))
    for clause in clauses:
        if isinstance(clause, t.RepeatClause):
            yield from declared_twice((given.name.id, given.name.span) for given in clause.then)


def declared_twice(names: Iterable[tuple[str, Span]]) -> Iterator[Diagnostic]:
    seen: dict[str, Span] = {}
    for name, span in names:
        if name in seen:
            yield DuplicateName(span, name, seen[name])
        seen.setdefault(name, span)
