"""Graph -> the Graph of the same function for inference: fewer nodes, weights of some folded into those of others.

This is the plan, of shapes and paths; `archspec.weights.fold` computes the weights by it. Only what is exact is done. A
normalisation before a convolution is left alone: the padding is zero, and not what its constant would make of zero.
"""

from collections import Counter

from msgspec import Struct

from archspec import ops
from archspec.graph import Graph, Node
from archspec.ops.base import explicit_padding
from archspec.tensor import Shape

Places = dict[str, str]
"""Path of a node to that of the node that gives its value."""


class Optimized(Struct, frozen=True):
    """A Graph for inference, and how it comes from the one before."""

    before: Graph
    graph: Graph
    folds: dict[str, tuple[str, ...]]
    """path of a node to those before that were folded into it, in their order"""
    places: Places
    """for the nodes before whose values are still computed"""


def optimize(graph: Graph) -> Optimized:
    """The same outputs by the same names as in evaluation; nothing is left to do for an optimised Graph.

    Dropout, stochastic depth and whatever else gives its input unchanged are left out, and so are nodes that no output
    needs. Batch normalisations and layer scales that are all that takes the value of a convolution or a linear layer
    become part of its weights: that layer keeps its path, and has a bias where something is added.
    """
    before, graph = graph, graph.in_evaluation()
    places: Places = {}
    for node in graph.nodes:
        unchanged = passes_on(node.op, graph.input_shapes(node))
        places[node.path] = places[node.inputs[0]] if unchanged else node.path
    kept = needed(graph, places)
    folds = foldable(graph, kept, places)
    ends = {others[-1]: path for path, others in folds.items()}
    gone = {path for others in folds.values() for path in others}
    lost = {path for path in (*folds, *gone) if path not in ends}
    final = {path: ends.get(place, place) for path, place in places.items()}
    nodes = tuple(
        node.model_copy(
            update={"op": with_bias(graph, node, folds), "inputs": tuple(final[path] for path in node.inputs)}
        )
        for node in kept
        if node.path not in gone
    )
    left = {node.path for node in nodes}
    made = graph.with_fields(
        nodes=nodes,
        outputs={name: final[path] for name, path in graph.outputs.items()},
        init={key: how for key, how in graph.init.items() if key not in graph.by_path or key in left},
        inference=True,
    )
    given = {path: final[path] for path, place in places.items() if place not in lost and final[path] in left}
    return Optimized(before, made, folds, given)


def passes_on(op: ops.Op, shapes: tuple[Shape, ...]) -> bool:
    """Whether an operator gives its only input unchanged, in evaluation."""
    match op:
        case ops.Dropout() | ops.StochasticDepth() | ops.Split(parts=1):
            return True
        case ops.Join():
            return len(shapes) == 1
        case ops.Slice(start=start, stop=stop):
            return (start, stop) == (0, shapes[0][-1])
        case ops.Pad(amount=amount):
            return not any(explicit_padding(amount))
        case ops.Flatten():
            return len(shapes[0]) == 1
        case _:
            return False


def needed(graph: Graph, places: Places) -> list[Node]:
    """The nodes that an output needs, and the input, in their order."""
    wanted = {graph.input.path, *(places[path] for path in graph.outputs.values())}
    for node in reversed(graph.nodes):
        if node.path in wanted:
            wanted.update(places[path] for path in node.inputs)
    return [node for node in graph.nodes if node.path in wanted]


def foldable(graph: Graph, nodes: list[Node], places: Places) -> dict[str, tuple[str, ...]]:
    """What can be folded into which convolution or linear layer."""
    users = Counter(places[path] for node in nodes for path in node.inputs)
    users.update(places[path] for path in graph.outputs.values())
    folds: dict[str, tuple[str, ...]] = {}
    into: Places = {}
    for node in nodes:
        if isinstance(node.op, (ops.BatchNorm, ops.LayerScale)):
            source = places[node.inputs[0]]
            layer = into.get(source, source)
            if users[source] == 1 and isinstance(graph.by_path[layer].op, (ops.Conv, ops.DwConv, ops.Linear)):
                folds[layer] = (*folds.get(layer, ()), node.path)
                into[node.path] = layer
    return folds


def with_bias(graph: Graph, node: Node, folds: dict[str, tuple[str, ...]]) -> ops.Op:
    """The operator of a node, with a bias if what is folded into it adds something."""
    adds = any(isinstance(graph.by_path[path].op, ops.BatchNorm) for path in folds.get(node.path, ()))
    return node.op.model_copy(update={"bias": True}) if adds else node.op
