"""`Graph` -> the tree of its scopes, each with what it takes in and gives out.

A scope is a module of the framework, or a function: its inputs are the values of other scopes that its nodes use, its
outputs those of its values that others use. Time is linear in nodes times depth.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from archspec.graph import Graph, Node


@dataclass(slots=True)
class Level:
    """A scope, or the whole network (its path is empty)."""

    path: str
    label: str
    """what it is an instance of: the block's name, the row's text"""
    children: "list[Node | Level]" = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    """paths of the nodes outside whose values are used inside, in order of use"""
    outputs: list[str] = field(default_factory=list)
    """paths of the nodes inside whose values are used outside"""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def levels(graph: Graph) -> Level:
    """The network with all its scopes; the input node is an input of the network and not a child."""
    root = Level("", graph.name, inputs=[graph.input.path])
    found = {"": root}
    takes: dict[str, dict[str, None]] = {"": {graph.input.path: None}}
    gives: dict[str, dict[str, None]] = {"": dict.fromkeys(graph.outputs.values())}
    for node in graph.nodes[1:]:
        level_of(node.scope, graph, found).children.append(node)
        for source in node.inputs:
            for scope in left(node.path, source):
                takes.setdefault(scope, {})[source] = None
            for scope in left(source, node.path):
                gives.setdefault(scope, {})[source] = None
    for path in graph.outputs.values():
        for scope in prefixes(path):
            gives.setdefault(scope, {})[path] = None
    for path, level in found.items():
        level.inputs = list(takes.get(path, ()))
        level.outputs = list(gives[path])
    return root


def level_of(path: str, graph: Graph, found: dict[str, Level]) -> Level:
    """The level of a scope, made with those around it when its first node comes."""
    level = found.get(path)
    if level is None:
        scope = graph.scope_by_path.get(path)
        level = found[path] = Level(path, scope.name if scope else path.rpartition("/")[2])
        level_of(path.rpartition("/")[0], graph, found).children.append(level)
    return level


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
