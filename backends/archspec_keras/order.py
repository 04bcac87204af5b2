"""The order of operands, on which it depends how deep a model Keras can follow."""

from archspec.graph import Graph
from archspec.ops import Add, Mul


def shallow_first(graph: Graph) -> Graph:
    """The Graph, of two values that are added or multiplied the one with fewer layers before it coming first.

    Keras finds the layers of a model by recursion, along first inputs first: so it goes down shortcuts, and a residual
    network may have any depth, also where its file is loaded.
    """
    depth = {graph.input.path: 0}
    nodes = [graph.input]
    for node in graph.nodes[1:]:
        depth[node.path] = 1 + max(depth[path] for path in node.inputs)
        if isinstance(node.op, (Add, Mul)) and len(node.inputs) == 2:
            node = node.model_copy(update={"inputs": tuple(sorted(node.inputs, key=lambda path: depth[path]))})
        nodes.append(node)
    return graph.model_copy(update={"nodes": tuple(nodes)})
