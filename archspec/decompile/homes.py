"""The modules of a source as units: those with one input and one output that stand in a network more than once.

A unit is what may become a block of the language. Modules that take several values, or give several, are dissolved
into those around them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from msgspec import Struct

from archspec import ops
from archspec.graph import Graph, Node

Homes = dict[str, str]
"""Path of a node to the path of the innermost module around it; empty at the top."""


def within(scope: str, other: str) -> bool:
    """Whether a module is another, or stands in it; all stand in the network, whose path is empty."""
    return not other or scope == other or scope.startswith(f"{other}/")


def around(scope: str) -> Iterator[str]:
    """A module and those around it, the innermost first; not the network."""
    while scope:
        yield scope
        scope = scope.rpartition("/")[0]


class Ends:
    """What the modules of a Graph take in and give out."""

    def __init__(self, graph: Graph, homes: Mapping[str, str]) -> None:
        self.homes = homes
        self.sizes: Counter[str] = Counter()
        self.takes: dict[str, set[str]] = {}
        self.gives: dict[str, set[str]] = {}
        for node in graph.nodes[1:]:
            home = homes[node.path]
            self.sizes.update(around(home))
            for source in node.inputs:
                other = homes[source]
                for scope in around(home):
                    if not (other and within(other, scope)):
                        self.takes.setdefault(scope, set()).add(source)
                for scope in around(other):
                    if not within(home, scope):
                        self.gives.setdefault(scope, set()).add(source)
        for path in graph.outputs.values():
            for scope in around(homes[path]):
                self.gives.setdefault(scope, set()).add(path)

    def chain(self, scope: str) -> bool:
        """Whether a module turns one value into one other."""
        return len(self.takes.get(scope, ())) == 1 and len(self.gives.get(scope, ())) == 1 and self.sizes[scope] > 1


def homes_of(graph: Graph) -> Homes:
    """The modules of the nodes.

    A concatenation whose last part a module has made, of its other part and for nothing else, ends that module,
    wherever the source does it: a dense layer that is given a list of all values before it joins them itself.
    """
    homes = {node.path: node.scope for node in graph.nodes}
    users: Counter[str] = Counter(path for node in graph.nodes for path in set(node.inputs))
    users.update(graph.outputs.values())
    pairs = [node for node in graph.nodes if isinstance(node.op, ops.Concat) and len(node.inputs) == 2]
    # for a while, what joins the values of others stands in none of their modules
    ends = Ends(graph, homes | {node.path: "" for node in pairs if is_foreign(node, homes)})
    return homes | {node.path: maker for node in pairs if (maker := maker_of(node, graph, ends, users))}


def is_foreign(node: Node, homes: Homes) -> bool:
    """Whether a node takes nothing that its own module makes."""
    return not any(within(homes[path], homes[node.path]) for path in node.inputs)


def maker_of(node: Node, graph: Graph, ends: Ends, users: Mapping[str, int]) -> str:
    """The outermost module that makes the last part of a concatenation of its other part; empty if no module does."""
    first, last = node.inputs
    found = ""
    if users[last] == 1:
        for scope in around(ends.homes[last]):
            alone = ends.gives.get(scope) == {last} and ends.takes.get(scope) == {first}
            if alone and not within(ends.homes[node.path], scope) and is_block(scope, graph):
                found = scope
    return found


def is_block(scope: str, graph: Graph) -> bool:
    named = graph.scope_by_path.get(scope)
    return named is not None and named.kind == "block"


class Found(Struct, frozen=True):
    """A unit: a module that turns one value into another."""

    of: str
    """what it is an instance of"""
    start: str
    """path of the node that gives it its value"""
    output: str
    """path of the node that gives its own"""


Units = dict[str, Found]
"""By the paths of the modules."""


def units_of(graph: Graph, homes: Homes) -> Units:
    """The modules that are units."""
    ends = Ends(graph, homes)
    chains = {scope.path: scope.name for scope in graph.scopes if scope.kind == "block" and ends.chain(scope.path)}
    names = {path: name for path, name in chains.items() if not sole(path, chains, ends)}
    return {path: Found(name, *ends.takes[path], *ends.gives[path]) for path, name in names.items()}


def sole(path: str, chains: Mapping[str, str], ends: Ends) -> bool:
    """Whether a module holds nothing but another one."""
    return any(other.startswith(f"{path}/") and ends.sizes[other] == ends.sizes[path] for other in chains)


def unit_around(scope: str, units: Units) -> str:
    """The innermost unit that a module is or stands in; empty if it stands in none."""
    return next((path for path in around(scope) if path in units), "")
