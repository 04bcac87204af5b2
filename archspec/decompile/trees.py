"""Flat Graph -> a network of the language: sequences, forks and joins, and names where those do not suffice.

A value's way is its dominators, each of which all paths to it pass. Between a join and the nearest value that all its
inputs come from lies a fork. A value that is needed again outside of its branch is named, and taken up by its name.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from archspec import ops
from archspec.decompile.homes import Homes, Units, unit_around
from archspec.decompile.model import KEYWORDS
from archspec.decompile.steps import Fork, Here, Leaf, Net, Step, Tap, Tree, Unit, forks, leaves, steps_in
from archspec.graph import Graph


@dataclass(slots=True)
class Cell:
    """A node, or a unit with all its nodes as one, in the network or in the unit around it."""

    path: str
    inputs: tuple[str, ...]
    step: Leaf | Unit
    idom: str = ""
    """the nearest value that all paths to it pass"""
    depth: int = 0


SPEAKING = re.compile(r"[a-z][a-z0-9_]{2,23}")


class UnforkedParts(Exception):
    """Parts of a split that stand at the beginning of no branch."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__(paths)
        self.paths = paths


@dataclass(slots=True)
class Builder:
    """Builds the network, or one unit; `start` is the path of the value that it is given."""

    start: str
    cells: dict[str, Cell] = field(default_factory=dict)
    placed: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)

    def add(self, cell: Cell) -> None:
        """A cell, after those that it takes."""
        self.cells[cell.path] = cell
        above = cell.inputs[0]
        for other in cell.inputs[1:]:
            above = self.common(above, other)
        cell.idom, cell.depth = above, self.depth(above) + 1

    def depth(self, path: str) -> int:
        return 0 if path == self.start else self.cells[path].depth

    def common(self, one: str, other: str) -> str:
        """The nearest value that all paths to both pass."""
        while one != other:
            if self.depth(one) >= self.depth(other):
                one = self.cells[one].idom
            else:
                other = self.cells[other].idom
        return one

    def net(self, target: str, base: str) -> Net:
        """What leads from one value to another."""
        spine: list[Cell] = []
        steps: Net = []
        while target != base:
            if target in self.placed or target == self.start:
                steps.append(Tap(self.alias(target)))
                break
            spine.append(self.cells[target])
            target = spine[-1].idom
        for cell in reversed(spine):
            if isinstance(cell.step, Leaf) and isinstance(cell.step.op, ops.Join):
                steps.append(Fork([self.net(path, cell.idom) for path in cell.inputs]))
            self.placed.add(cell.path)
            steps.append(cell.step)
        return steps

    def missing(self, path: str) -> list[str]:
        """The cells that a value is computed from and that have no place yet, in order."""
        found: set[str] = set()
        pending = [path]
        while pending:
            at = pending.pop()
            if at != self.start and at not in self.placed and at not in found:
                found.add(at)
                pending += self.cells[at].inputs
        return [at for at in self.cells if at in found]

    def alias(self, path: str) -> str:
        """The name of a value, which from now on has one."""
        if path not in self.aliases:
            self.aliases[path] = f"t{len(self.aliases) + 1}"
            if path != self.start:
                self.cells[path].step.alias = self.aliases[path]
        return self.aliases[path]


def tree_of(graph: Graph, homes: Homes, units: Units) -> Tree:
    """The network of a Graph, each unit a step of its own; raises `UnforkedParts`."""
    start = graph.input.path
    top = Builder(start)
    builders = {"": top} | {path: Builder(found.start) for path, found in units.items()}
    for node in graph.nodes[1:]:
        owner = unit_around(homes[node.path], units)
        builders[owner].add(Cell(node.path, node.inputs, Leaf(node.op, node.path)))
        # every node of a unit leads to its output, which therefore is its last
        while owner and units[owner].output == node.path:
            found = units[owner]
            body = builders[owner].net(found.output, found.start)
            renamed([body])
            step = Unit(found.of, body, owner)
            owner = unit_around(owner.rpartition("/")[0], units)
            builders[owner].add(Cell(node.path, (found.start,), step))
    output = graph.outputs["output"]
    body = top.net(output, start) + detours(graph, top)
    others = {name: top.net(path, output) for name, path in graph.outputs.items() if name != "output"}
    if start in top.aliases:
        body.insert(0, Here(top.aliases[start]))
    tree = Tree(body, others)
    renamed(tree.nets, homes)
    split_forks(tree.nets)
    return tree


def detours(graph: Graph, top: Builder) -> Net:
    """What several further outputs need and the network's own does not, each part named, and the way back.

    What an output names is its own; so such parts stand in the body.
    """
    output = graph.outputs["output"]
    needed: Counter[str] = Counter()
    for name, path in graph.outputs.items():
        needed.update(top.missing(path) if name != "output" else ())
    users: dict[str, list[str]] = {}
    for cell in top.cells.values():
        for path in cell.inputs:
            users.setdefault(path, []).append(cell.path)
    steps: Net = []
    for path, count in needed.items():
        own = path in graph.outputs.values() or any(needed[user] == 1 for user in users.get(path, ()))
        if count > 1 and own:
            steps += top.net(path, "")
            top.alias(path)
    return [*steps, Tap(top.alias(output))] if steps else []


def renamed(nets: Iterable[Net], homes: Homes | None = None) -> None:
    """Number the names in the order of the text; in the network they are those of the source, where those will do."""
    names: dict[str, str] = {}
    taps: list[Tap] = []
    for step in steps_in(nets):
        if isinstance(step, Tap):
            taps.append(step)
        elif not isinstance(step, Fork) and step.alias:
            wanted = source_name(step, homes) if homes is not None else ""
            if not wanted or wanted in names.values():
                wanted = f"t{len(names) + 1}"
            names[step.alias] = wanted
            step.alias = wanted
    for tap in taps:
        tap.alias = names[tap.alias]


def source_name(step: Step, homes: Homes) -> str:
    """What a source calls the value of a step, if it is a name that people gave."""
    path = step.path if isinstance(step, Unit) else homes[step.path] if isinstance(step, Leaf) else ""
    name = path.rpartition("/")[2].lower()
    return name if SPEAKING.fullmatch(name) and name not in KEYWORDS else ""


def split_forks(nets: Iterable[Net]) -> None:
    """Forks whose branches begin with the parts of one value stand behind a split; raises `UnforkedParts`."""
    for fork in forks(nets):
        first = [branch[0] for branch in fork.branches if branch]
        parts = [step for step in first if isinstance(step, Leaf) and isinstance(step.op, ops.Split) and not step.alias]
        places = [(step.op.parts, step.op.index) for step in parts if isinstance(step.op, ops.Split)]
        if parts and places == [(len(fork.branches), index) for index in range(len(fork.branches))]:
            fork.parts = tuple(step.path for step in parts)
            for branch in fork.branches:
                del branch[0]
    lost = [step.path for step in leaves(nets) if isinstance(step.op, ops.Split)]
    if lost:
        raise UnforkedParts(lost)
