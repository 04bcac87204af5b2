"""Units of a network -> blocks, and calls of them.

Units of one name are one block where they have enough in common, and several where not. The innermost go first, so
that what a unit holds is calls already.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from archspec.decompile.model import KEYWORDS, legal
from archspec.decompile.signature import Instance, signature
from archspec.decompile.solve import Solver, Usual
from archspec.decompile.steps import Block, Call, Fork, Here, Net, Unit, in_order
from archspec.decompile.templates import Template, every, grouped, lifted, settled, skeleton
from archspec.decompile.text import items, joined, residuals, runs
from archspec.elaborate.modules import BUILT_IN
from archspec.graph import Graph
from archspec.ops import WORDS, Add, Concat

RESERVED = KEYWORDS | WORDS | BUILT_IN
CONDITIONAL = 1.25
"""A block of which not all instances have all is worth a text that is so much longer."""
LARGE = 110
"""Characters of a unit that is a block although it stands only once."""
CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(slots=True)
class Library:
    """The blocks of one network, in an order in which each comes after those that it asks for."""

    graph: Graph
    usual: Usual
    blocks: list[Block] = field(default_factory=list)
    taken: set[str] = field(default_factory=lambda: set(RESERVED))

    def copy(self) -> "Library":
        return Library(self.graph, self.usual, list(self.blocks), set(self.taken))

    def adopt(self, other: "Library") -> None:
        """Take over what was tried on a copy."""
        self.blocks, self.taken = other.blocks, other.taken

    def free(self, wanted: str) -> str:
        """A name that nothing has yet."""
        found, count = wanted, 1
        while found in self.taken:
            count += 1
            found = f"{wanted}_{count}"
        return found

    def define(self, name: str, nets: Sequence[Net]) -> list[Call | None]:
        """Calls of blocks for like networks, one for each; None for those that no block makes shorter."""
        calls: dict[int, Call] = {}
        first: Template = []
        for members, template in grouped(list(nets)):
            paths = {i: tuple(in_order(nets[i])) for i in members}
            instances = {i: Instance.of(self.graph, paths[i]) for i in members}
            block = self.block(name + suffix(template, first), template, instances)
            first = first or template
            made = {i: Call(block, {p.name: p.value(i) for p in block.parameters}, paths[i]) for i in members}
            if self.pays(block, [nets[i] for i in members], list(made.values())):
                self.blocks.append(block)
                self.taken.add(block.name)
                calls |= made
        return [calls.get(i) for i in range(len(nets))]

    def pays(self, block: Block, nets: Sequence[Net], calls: Sequence[Call]) -> bool:
        """Whether a text with a block is plainer than one without."""
        inline = sum(map(self.length, nets))
        if len(nets) == 1:
            few = 2 * len(calls[0].paths) < len(self.graph.nodes)
            return few and inline > LARGE and any(isinstance(step, Fork) for step in nets[0])
        called = sum(self.length([call]) for call in calls)
        if not block.conditional:
            return called < inline
        own = any(not isinstance(step, Call) for net in nets for step in net)
        return own and called + len(block.text) < CONDITIONAL * inline

    def length(self, net: Net) -> int:
        """The characters of a network."""
        template = lifted(net, 0)
        solver = Solver({0: (1,)}, False, self.usual)
        solver.solve(template, {0})
        return len(joined(runs(items(template, {0}, solver)), False))

    def block(self, wanted: str, template: Template, instances: Mapping[int, Instance]) -> Block:
        """The block of a template."""
        inputs = {i: one.given for i, one in instances.items()}
        for use_input in (True, False):
            solver, body = solved(template, instances, Solver(inputs, use_input, self.usual))
            stated = signature(instances, solver) if solver.names_input else ""
            if stated is not None:
                break
        assert stated is not None
        conditional, forks = bool(solver.conditions), has_forks(template)
        return Block(self.free(wanted), tuple(solver.parameters), stated, body, conditional, forks)


def has_forks(template: Template) -> bool:
    """Whether branches are added or concatenated in a template, or in a block that it asks for."""
    payloads = [payload for slot in every(template) for payload in slot.at.values()]
    return any(p.block.forks if isinstance(p, Call) else isinstance(p, (Add, Concat)) for p in payloads)


def steps_of(template: Template) -> set[str]:
    """The names that stand as steps in a template, which no parameter may have."""
    kinds = {
        op.kind for slot in every(template) for op in slot.at.values() if op is not None and not isinstance(op, Call)
    }
    return kinds | {slot.key[1] for slot in every(template) if len(slot.key) == 2}


def suffix(template: Template, first: Template) -> str:
    """What tells a block from the first of its name: an operator that that has not."""
    known = {slot.key for slot in every(first)}
    own = (slot.key[1] for slot in every(template) if slot.key not in known and len(slot.key) == 2)
    return f"_{next(own, 'plain')}" if first else ""


def solved(template: Template, instances: Mapping[int, Instance], solver: Solver) -> tuple[Solver, str]:
    """The parameters of a template, and its text."""
    everyone = solver.everyone
    settled(template, everyone)
    solver.solve(template, everyone)
    solver.widen()
    residuals(template, solver)
    # conditions are found while the text is made, which needs the names that follow from all of them
    items(template, everyone, solver)
    solver.name_parameters({i: one.gives for i, one in instances.items()}, KEYWORDS | steps_of(template))
    return solver, joined(runs(items(template, everyone, solver)), False)


# ---- units ----


def with_calls(nets: Iterable[Net], library: Library, loose: bool) -> None:
    """Replace the units of networks by calls of blocks, the innermost first; units too small for one are dissolved."""
    nets = list(nets)
    while units := innermost(nets):
        for of, alike in families(units, loose):
            calls = library.define(snake(of), [unit.body for unit in alike])
            replaced: dict[int, Net] = {}
            for unit, call in zip(alike, calls, strict=True):
                if call is not None:
                    call.alias = unit.alias
                replaced[id(unit)] = dissolved(unit, library) if call is None else [call]
            for net in every_net(nets):
                net[:] = [new for step in net for new in replaced.get(id(step), [step])]


def families(units: Sequence[Unit], loose: bool) -> list[tuple[str, list[Unit]]]:
    """Units of one name; those of other names that are made alike too, where names are loose."""
    named: dict[str, list[Unit]] = {}
    for unit in units:
        named.setdefault(unit.of, []).append(unit)
    if not loose:
        return list(named.items())
    owners: dict[object, str] = {}
    merged: dict[str, list[Unit]] = {}
    # the name of most of them, but rather one without a number
    for of, several in sorted(named.items(), key=lambda item: (item[0][-1:].isdigit(), -len(item[1]))):
        makes = [skeleton(lifted(unit.body, 0)) for unit in several]
        owner = next((owners[make] for make in makes if make in owners), of)
        owners |= dict.fromkeys(makes, owner)
        merged.setdefault(owner, []).extend(several)
    places = {id(unit): place for place, unit in enumerate(units)}
    return [(of, sorted(several, key=lambda unit: places[id(unit)])) for of, several in merged.items()]


def dissolved(unit: Unit, library: Library) -> Net:
    """The steps of a unit, as they stand in the network around it: its names must be none of that."""
    renamed: dict[str, str] = {}
    for net in every_net([unit.body]):
        for step in net:
            if not isinstance(step, Fork) and step.alias:
                if step.alias not in renamed:
                    renamed[step.alias] = library.free(f"{step.alias}_1")
                    library.taken.add(renamed[step.alias])
                step.alias = renamed[step.alias]
    return [*unit.body, Here(unit.alias)] if unit.alias else unit.body


def innermost(nets: Iterable[Net]) -> list[Unit]:
    """The units that hold no other, in the order of the text; of one name all or, where they hold each other, some."""
    units = [step for net in every_net(nets) for step in net if isinstance(step, Unit)]
    holds = {id(unit) for unit in units if any(isinstance(s, Unit) for net in every_net([unit.body]) for s in net)}
    later = {unit.of for unit in units if id(unit) in holds}
    found = [unit for unit in units if id(unit) not in holds]
    found = [unit for unit in found if unit.of not in later] or found
    places = {path: place for place, path in enumerate(p for net in nets for p in in_order(net))}
    return sorted(found, key=lambda unit: places[next(in_order(unit.body))])


def every_net(nets: Iterable[Net]) -> list[Net]:
    """Networks and all those within them."""
    found: list[Net] = []
    pending = list(nets)
    while pending:
        net = pending.pop()
        found.append(net)
        for step in net:
            if isinstance(step, Fork):
                pending += step.branches
            elif isinstance(step, Unit):
                pending.append(step.body)
    return found


def snake(name: str) -> str:
    """`BasicBlock` as `basic_block`."""
    return legal(CAPITAL.sub("_", name).lower().strip("_") or "block")
