"""`Storages` -> an order of the nodes whose peak is as low as can be found, and a proof of how low any could be.

Where a node is before or after every other one in whatever order, the network falls into parts that can be ordered by
themselves. A part is looked at only if its own order needs more than what no order can avoid. The states of a part are
the sets of nodes that have run (what is alive follows from the set, whatever their order was), and the best way through
them is that whose worst step is least: Dijkstra's algorithm, with the maximum for the sum (`search`). The number of
states is bounded; where the bound is hit, the order is the better one of the Graph's own and a greedy one, and the
result says what is proven.
"""

from collections.abc import Sequence

from msgspec import Struct

from archspec.graph import Graph
from archspec.memory.liveness import Peak, liveness, peak_of
from archspec.memory.part import part_of
from archspec.memory.search import Found, greedy, needs, search
from archspec.memory.storages import Storages, storages

STATES = 50_000
"""How many states of one network are looked at."""
LONGEST = 1000
"""Nodes of a part that is searched; the states of a longer one take too much memory."""


class BestOrder(Struct, frozen=True):
    """The lowest peak that was found."""

    peak: Peak
    order: tuple[str, ...]
    """paths of all nodes, in the order that has this peak"""
    at_least: int
    """numbers that every order needs"""

    @property
    def exact(self) -> bool:
        """Whether no order needs less."""
        return self.peak.numbers == self.at_least


def best_order(graph: Graph | Storages, in_place: bool = False, states: int = STATES) -> BestOrder:
    """The order of lowest peak; exact where `states` states are enough to prove it, else an upper bound."""
    memory = storages(graph) if isinstance(graph, Graph) else graph
    plain = liveness(memory)
    own = liveness(memory, in_place) if in_place else plain
    last = last_users(memory)
    order = list(range(len(own)))
    parts = free_parts(memory)
    free = {node for nodes in parts for node in nodes}
    # what stands at its place in every order needs the same in all of them
    floor = max(least(memory, node, in_place) if node in free else own[node] for node in order)
    reached = 0
    for nodes in sorted(parts, key=lambda nodes: -max(own[nodes.start : nodes.stop])):
        highest = max(own[nodes.start : nodes.stop])
        if highest <= max(floor, reached):
            break  # nor can any of those that follow be what the peak depends on
        part = part_of(memory, nodes, last, in_place)
        before = plain[nodes.start] - memory.size[nodes.start]
        searched = len(nodes) <= LONGEST and states > 0
        found = search(part, before, highest, floor, states) if searched else Found(None, floor, 0)
        states -= found.states
        floor = max(floor, found.at_least)
        better = found.order
        if better is None and floor < highest:
            tried = greedy(part)
            needed = needs(part, tried, before)
            better = tried if needed < highest else None
            reached = max(reached, min(needed, highest))
        if better is not None:
            order[nodes.start : nodes.stop] = [nodes.start + node for node in better]
    peak = peak_of(memory, liveness(memory, in_place, order), order)
    return BestOrder(peak, tuple(memory.paths[node] for node in order), floor)


def least(memory: Storages, node: int, in_place: bool) -> int:
    """The numbers that are alive while a node computes, whatever the order: what it reads and writes."""
    written = 0 if in_place and memory.over[node] else memory.size[node]
    return written + sum(memory.size[storage] for storage in memory.reads[node])


def last_users(memory: Storages) -> list[int]:
    """By storage, the position of its last user; one after the last node where it is kept."""
    last = list(range(len(memory.size)))
    left = list(memory.users)
    for position, read in enumerate(memory.reads):
        for storage in read:
            last[storage] = position
            left[storage] -= 1
    return [len(last) if kept else position for position, kept in zip(last, left, strict=True)]


def free_parts(memory: Storages) -> list[range]:
    """Runs of nodes between those that stand before or after every other one in every order."""
    forward: list[tuple[int, ...]] = list(memory.needs)
    backward: list[list[int]] = [[] for _ in forward]
    for node, others in enumerate(forward):
        for other in others:
            backward[other].append(node)
    # what comes after a node that was alone in being ready must wait for it; likewise from the end
    count = len(forward)
    after = alone(range(count), forward, backward)
    before = alone(range(count - 1, -1, -1), backward, forward)
    parts: list[range] = []
    start = 0
    for node in range(count + 1):
        if node == count or (after[node] and before[node]):
            if node > start:
                parts.append(range(start, node))
            start = node + 1
    return parts


def alone(nodes: range, needs: Sequence[Sequence[int]], followers: Sequence[Sequence[int]]) -> list[bool]:
    """By node: whether no other could have run in its place, when nodes run in this order."""
    missing = [len(others) for others in needs]
    ready = missing.count(0)
    found = [False] * len(missing)
    for node in nodes:
        found[node] = ready == 1
        ready -= 1
        for follower in followers[node]:
            missing[follower] -= 1
            ready += not missing[follower]
    return found
