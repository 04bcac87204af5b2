"""`Graph` -> `Storages`: which values lie where, and who reads them.

A storage is a piece of memory that one node writes first. Views share that of their input, so that a slice keeps alive
all that it was cut from, as in PyTorch.
"""

from math import prod

from msgspec import Struct

from archspec.graph import Graph


class Storages(Struct, frozen=True):
    """The memory of a network, nodes by their position in the Graph; storages are named by the node that makes them."""

    paths: tuple[str, ...]
    """of the nodes"""
    of: tuple[int, ...]
    """by node: the storage that its output lies in"""
    size: tuple[int, ...]
    """by node: the numbers of the storage that it makes; 0 of a view"""
    reads: tuple[tuple[int, ...], ...]
    """by node: the storages that it reads, each once"""
    over: tuple[tuple[int, ...], ...]
    """by node: those of them that it could write its output over, once nothing else needs them"""
    users: tuple[int, ...]
    """by storage: how many nodes read it; one more where an output of the network lies in it, which is kept"""
    needs: tuple[tuple[int, ...], ...]
    """by node: the nodes that must come before it, each once"""


def storages(graph: Graph) -> Storages:
    """Lay out a network in evaluation; time is linear in its nodes and edges."""
    graph = graph.in_evaluation()
    place = {node.path: position for position, node in enumerate(graph.nodes)}
    shapes = [node.shape for node in graph.nodes]
    of: list[int] = []
    size: list[int] = []
    reads: list[tuple[int, ...]] = []
    over: list[tuple[int, ...]] = []
    needs: list[tuple[int, ...]] = []
    users = [0] * len(graph.nodes)
    for position, node in enumerate(graph.nodes):
        inputs = [place[path] for path in node.inputs]
        placement = node.op.placement(*(shapes[source] for source in inputs))
        read = tuple(dict.fromkeys(of[source] for source in inputs))
        view = placement == "view"
        of.append(of[inputs[0]] if view else position)
        size.append(0 if view else prod(node.shape))
        reads.append(read)
        needs.append(tuple(dict.fromkeys(inputs)))
        # a part of a storage is not written over, nor one that is also read at other places than those just written
        other = {of[source] for source in inputs if shapes[source] != node.shape}
        fits = (storage for storage in read if size[storage] == size[position] and storage not in other)
        over.append(tuple(fits) if placement == "over" else ())
        for storage in read:
            users[storage] += 1
    for storage in {of[place[path]] for path in graph.outputs.values()}:
        users[storage] += 1
    paths = tuple(node.path for node in graph.nodes)
    return Storages(paths, tuple(of), tuple(size), tuple(reads), tuple(over), tuple(users), tuple(needs))
