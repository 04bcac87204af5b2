"""`Storages` -> how many numbers are alive while each node computes, and where that is most.

Alive is what has been computed and is still needed, the inputs of the node among it, and the node's own output; a value
goes as soon as its last user has computed. The image is a value like others; outputs of the network stay.
"""

from collections.abc import Iterable

from msgspec import Struct

from archspec.graph import Graph
from archspec.memory.storages import Storages, storages


class Peak(Struct, frozen=True):
    """The most that is alive at once."""

    numbers: int
    node: str
    """path of the first node where it is"""


def liveness(memory: Storages, in_place: bool = False, order: Iterable[int] | None = None) -> list[int]:
    """The numbers alive while each node computes, in the Graph's order or another one of all its nodes.

    `in_place`: a node writes over its input where it can and nothing needs the input any more.
    """
    left = list(memory.users)
    size = memory.size
    alive = 0
    found = []
    for node in range(len(size)) if order is None else order:
        for storage in memory.reads[node]:
            left[storage] -= 1
        replaced = in_place and any(not left[storage] for storage in memory.over[node])
        found.append(alive if replaced else alive + size[node])
        alive += size[node] - sum(size[storage] for storage in memory.reads[node] if not left[storage])
        if not left[node]:
            alive -= size[node]  # nobody uses it
    return found


def peak(graph: Graph | Storages, in_place: bool = False) -> Peak:
    """The peak in the Graph's own order."""
    memory = storages(graph) if isinstance(graph, Graph) else graph
    return peak_of(memory, liveness(memory, in_place))


def peak_of(memory: Storages, alive: list[int], order: Iterable[int] | None = None) -> Peak:
    """The largest of what `liveness` found."""
    most = max(alive)
    at = list(range(len(alive)) if order is None else order)[alive.index(most)]
    return Peak(most, memory.paths[at])
