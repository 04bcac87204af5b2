"""`Graph` -> the tree of its scopes, each with what it takes in and gives out.

A scope is a module of the framework, or a function: its inputs are the values of other scopes that its nodes use, its
outputs those of its values that others use. Time is linear in nodes times depth.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from heapq import heapify, heappop, heappush

from archspec.graph import Graph, Node

Needs = dict[str, set[str]]
"""A child of a scope, by its key, to the children whose values it takes."""


class Entangled(ValueError):
    """Two scopes take each other's values, so that neither can be called first."""


@dataclass(slots=True)
class Level:
    """A scope, or the whole network (its path is empty)."""

    path: str
    label: str
    """what it is an instance of: the block's name, the row's text"""
    children: "list[Node | Level]" = field(default_factory=list)
    """in an order in which every value comes before its users; what training alone computes is last"""
    inputs: list[str] = field(default_factory=list)
    """paths of the nodes outside whose values are used inside, in order of use"""
    outputs: list[str] = field(default_factory=list)
    """paths of the nodes inside whose values are used outside; of the network, those of its outputs, as `Graph.given`
    has them"""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def levels(graph: Graph) -> Level:
    """The network with all its scopes; the input node is an input of the network and not a child.

    Raises `Entangled`, which a graph that was elaborated never is.
    """
    root = Level("", graph.name, inputs=[graph.input.path])
    found = {"": root}
    takes: dict[str, dict[str, None]] = {}
    gives: dict[str, dict[str, None]] = {}
    needs: dict[str, Needs] = {}
    for node in graph.nodes[1:]:
        level_of(node.scope, graph, found).children.append(node)
        for source in node.inputs:
            place = place_of(source, graph)
            for scope in left(node.path, place):
                takes.setdefault(scope, {})[source] = None
            for scope in left(place, node.path):
                gives.setdefault(scope, {})[source] = None
            if place:
                scope, child, other = parted(node.path, place)
                needs.setdefault(scope, {}).setdefault(child, set()).add(other)
    for path in graph.outputs.values():
        for scope in prefixes(place_of(path, graph)):
            gives.setdefault(scope, {})[path] = None
    for path, level in found.items():
        level.inputs += takes.get(path, ())
        level.outputs += gives.get(path, ())
        level.children = in_order(level.children, needs.get(path, {}))
    root.outputs = list(graph.given.values())
    if graph.training:
        # nothing else needs what training alone computes
        own = {path.partition("/")[0] for path in graph.only_in_training()}
        root.children.sort(key=lambda child: isinstance(child, Level) and child.path in own)
    return root


def level_of(path: str, graph: Graph, found: dict[str, Level]) -> Level:
    """The level of a scope, made with those around it when its first node comes."""
    level = found.get(path)
    if level is None:
        scope = graph.scope_by_path.get(path)
        level = found[path] = Level(path, scope.name if scope else path.rpartition("/")[2])
        level_of(path.rpartition("/")[0], graph, found).children.append(level)
    return level


def place_of(path: str, graph: Graph) -> str:
    """The path of a node; empty for the input, which is outside of every scope whatever it is called."""
    return "" if path == graph.input.path else path


def prefixes(path: str) -> Iterator[str]:
    """The scopes around a node, the network itself left out."""
    end = path.find("/")
    while end != -1:
        yield path[:end]
        end = path.find("/", end + 1)


def left(inner: str, other: str) -> Iterator[str]:
    """The scopes around a node that are not around another."""
    for scope in prefixes(inner):
        if not other.startswith(f"{scope}/"):
            yield scope


def parted(one: str, other: str) -> tuple[str, str, str]:
    """The innermost scope around two nodes, and the keys of its two children that they stand in."""
    start = 0
    end = one.find("/")
    while end != -1 and one[start : end + 1] == other[start : end + 1]:
        start, end = end + 1, one.find("/", end + 1)
    return one[: max(start - 1, 0)], key(one, start), key(other, start)


def key(path: str, start: int) -> str:
    """A node's path, or that of the scope around it with a `/`: a node and a scope may have one path."""
    return path[: path.find("/", start) + 1] or path


def in_order(children: "list[Node | Level]", needs: Needs) -> "list[Node | Level]":
    """The children as they stand where that is an order, else each as early as what it takes allows."""
    keys = [f"{child.path}/" if isinstance(child, Level) else child.path for child in children]
    place = {child: position for position, child in enumerate(keys)}
    if all(place[other] < place[child] for child, others in needs.items() for other in others):
        return children
    sorter = TopologicalSorter({child: needs.get(child, ()) for child in keys})
    try:
        sorter.prepare()
    except CycleError as error:
        one, other = (path.removesuffix("/") for path in error.args[1][:2])
        raise Entangled(f"`{one}` and `{other}` take each other's values") from None
    ordered: list[Node | Level] = []
    ready = [place[child] for child in sorter.get_ready()]
    heapify(ready)
    while ready:
        position = heappop(ready)
        ordered.append(children[position])
        sorter.done(keys[position])
        for child in sorter.get_ready():
            heappush(ready, place[child])
    return ordered
