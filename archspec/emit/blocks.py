"""The scopes of a Graph, the innermost first -> the templates of a file, and how each scope is written where it stands.

A block becomes a template; a row, a pass of a repeat or a group is written where it stands if it is a chain of layers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from msgspec import Struct
from msgspec.structs import replace

from archspec.backend import BackendError
from archspec.emit.calls import Argument, Call
from archspec.emit.merging import Merged, Slot, merged
from archspec.emit.parameters import Words, template
from archspec.emit.rows import counted, numbered, with_runs
from archspec.emit.steps import Instance, Naming, Piece, Pieces, Reader
from archspec.emit.templates import Place, Template, unique
from archspec.emit.text import text
from archspec.graph import Graph
from archspec.hierarchy import Entangled, Level, levels

Family = tuple[object, ...]
"""What scopes share that may be instances of one block."""
SHORT = 100
"""Characters of a block that is not a class of its own where it stands once."""


class Dialect(Struct, frozen=True):
    """What a framework says of the parts of a file."""

    pieces: Pieces
    naming: Naming
    words: Words
    template_name: Callable[[str], str]
    """a block's name as that of its class or function"""
    inline: bool = True
    """whether scopes are modules, written where they stand as `chain(…)` and `stack(…)`; else only blocks are apart"""
    taken: frozenset[str] = frozenset()
    """names that no class or function may have"""


class Written(Struct, frozen=True):
    """What a file holds."""

    templates: tuple[Template, ...]
    """those that others use first"""
    network: Template
    level: Level


@dataclass(slots=True)
class Writer:
    """Finds the templates of one Graph."""

    graph: Graph
    dialect: Dialect
    done: dict[str, Piece] = field(default_factory=dict)
    """path of a scope to how it is written where it stands"""
    found: list[Template] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def run(self, name: str) -> Written:
        try:
            root = levels(self.graph)
        except Entangled as error:
            raise BackendError(f"the scopes cannot be written as blocks: {error}") from None
        self.taken |= {*self.dialect.taken, name}
        for family, members in in_order(root, self.graph):
            if self.dialect.inline or family[0] == "block":
                self.family(family, [self.instance(level) for level in members])
        network = with_runs(self.instance(root)) if not self.dialect.inline else self.instance(root)
        slots = tuple(Slot(step, (True,), 0) for step in network.steps)
        made = template(Merged((network,), slots, network.outputs), name, self.dialect.words)
        return Written(tuple(self.found), made, root)

    def instance(self, level: Level) -> Instance:
        return Reader(self.graph, self.dialect.pieces, self.dialect.naming, self.done).run(level)

    def family(self, family: Family, members: list[Instance]) -> None:
        kind, name, *_ = family
        block = kind == "block" or (kind == "group" and len({member.form for member in members}) > 1)
        here = [m for m in members if self.dialect.inline and not block and in_line(m)]
        for member in here:
            made = in_place(member)
            # a row is a line of the network's forward, whatever it is
            self.done[member.level.path] = replace(made, role="block") if kind == "row" else made
        rest = [member for member in members if member.level.path not in self.done]
        for found in merged(counted(rest), parted=kind not in {"block", "group"}):
            self.add(found, str(name) if kind in {"block", "group"} else found.members[0].level.name)

    def add(self, made: Merged, name: str) -> None:
        words = self.dialect.words
        found = template(made, "", replace(words, taken=words.taken | self.taken))
        only = found.members[0]
        if len(found.members) == 1 and self.dialect.inline and short(only):
            self.done[only.level.path] = in_place(only)
            return
        named = unique(self.dialect.template_name(name), self.taken)
        found = Template(named, found.members, found.parameters, found.places, found.outputs)
        self.found.append(found)
        for position, member in enumerate(found.members):
            self.done[member.level.path] = Piece("block", found.call(position))


def in_order(root: Level, graph: Graph) -> Iterator[tuple[Family, list[Level]]]:
    """The scopes by families, those whose instances others hold first."""
    for by_height in (False, True):
        members: dict[Family, list[Level]] = {}
        holds: dict[Family, set[Family]] = {}
        collect(root, graph, by_height, members, holds)
        try:
            order = list(TopologicalSorter(holds).static_order())
        except CycleError:
            # blocks of one name from different files, one within the other
            continue
        yield from ((family, members[family]) for family in order)
        return


def collect(
    level: Level, graph: Graph, by_height: bool, members: dict[Family, list[Level]], holds: dict[Family, set[Family]]
) -> tuple[set[Family], int]:
    """The families of the scopes in a scope, and how deep they are nested."""
    inner: set[Family] = set()
    height = 0
    for child in level.children:
        if isinstance(child, Level):
            within, deep = collect(child, graph, by_height, members, holds)
            family = (*family_of(child, graph), deep if by_height else 0)
            members.setdefault(family, []).append(child)
            holds.setdefault(family, set()).update(within)
            inner.add(family)
            height = max(height, deep + 1)
    return inner, height


def family_of(level: Level, graph: Graph) -> Family:
    scope = graph.scope_by_path.get(level.path)
    if scope is None:
        return "group", level.name
    if scope.kind == "block":
        return "block", scope.name
    parent = graph.scope_by_path.get(level.path.rpartition("/")[0])
    return scope.kind, level.name if scope.kind == "group" else "", parent.name if parent else ""


def in_line(made: Instance) -> bool:
    """Whether a scope can be written where it stands."""
    return made.chain and not any(step.name.startswith("__") for step in made.steps)


def short(only: Instance) -> bool:
    if not in_line(only):
        return False
    call = in_place(only).call
    return call is not None and len(text(call)) <= SHORT


def in_place(made: Instance) -> Piece:
    """A chain as a call that constructs it; a single layer that keeps nothing as that layer."""
    if len(made.steps) == 1 and made.steps[0].function:
        return Piece(made.steps[0].role, made.steps[0].call, made.steps[0].function)
    numbers = [numbered(step.name) for step in made.steps]
    base = numbers[0][0]
    if len(numbers) > 1 and base and numbers == [(base, position) for position in range(1, len(numbers) + 1)]:
        steps = tuple(Argument("", step.call) for step in made.steps)
        return Piece("block", Call("stack", (Argument("name", base), *steps)))
    return Piece("block", Call("chain", tuple(Argument(step.name, step.call, by_name=True) for step in made.steps)))


def groups(places: tuple[Place, ...]) -> Iterator[list[Place]]:
    """Places in a row that are there under one condition."""
    current: list[Place] = []
    for place in places:
        if current and place.condition != current[-1].condition:
            yield current
            current = []
        current.append(place)
    if current:
        yield current
