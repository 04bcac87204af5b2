"""`Part` -> the order of its nodes whose peak is lowest, by the states that it can be in."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from msgspec import Struct

from archspec.memory.part import Part


class Found(Struct, frozen=True):
    """What a search came to."""

    order: list[int] | None
    """better than the part's own, or no worse than what no order can avoid; None if there is no such order"""
    at_least: int
    """numbers that every order needs"""
    states: int
    """how many were looked at"""


class States:
    """The steps of a part from the sets of nodes that have run, as bits of whole numbers."""

    def __init__(self, part: Part) -> None:
        self.part = part
        readers = [mask(nodes) for nodes in part.readers]
        self.reads = [[(part.numbers[s], readers[s]) for s in reads] for reads in part.reads]
        self.over = [[readers[s] for s in over] for over in part.over]
        self.needs = [mask(nodes) for nodes in part.needs]
        self.followers: list[list[int]] = [[] for _ in part.needs]
        for node, needs in enumerate(part.needs):
            for other in needs:
                self.followers[other].append(node)

    @property
    def first(self) -> int:
        """The nodes that can run at first."""
        return mask([node for node, needs in enumerate(self.needs) if not needs])

    def step(self, node: int, ran: int) -> tuple[int, int]:
        """What a node needs beside what is alive, and how much more is alive once it ran."""
        waiting = ~(ran | 1 << node)
        made = self.part.size[node]
        freed = sum(numbers for numbers, readers in self.reads[node] if not readers & waiting)
        replaced = any(not readers & waiting for readers in self.over[node])
        return 0 if replaced else made, (made if self.part.kept[node] else 0) - freed

    def ready(self, before: int, node: int, ran: int) -> int:
        """The nodes that can run after a node, which is one of those that could before."""
        after = before ^ 1 << node
        for follower in self.followers[node]:
            if not self.needs[follower] & ~ran:
                after |= 1 << follower
        return after


def search(part: Part, alive: int, highest: int, floor: int, most: int) -> Found:
    """Look for an order that needs less than `highest`, or `floor` at most, which is needed anyway.

    `alive` is what is alive before the part. After `most` states the search ends without an order.
    """
    states = States(part)
    everything = (1 << len(part.size)) - 1
    # the numbers that the best known way to a state needs, and its last node
    best: dict[int, tuple[int, int]] = {0: (floor, -1)}
    queue = [(floor, 0, 0, alive, states.first)]
    while queue:
        needed, negative, ran, alive, ready = heappop(queue)
        if ran == everything:
            return Found(way(best, ran), needed, len(best))
        if needed > best[ran][0]:
            continue  # there was a better way
        if len(best) > most:
            return Found(None, needed, len(best))
        for node, total, after in moves(states, needed, ran, alive, ready):
            reached = ran | 1 << node
            if total < best[reached][0] if reached in best else total < highest:
                best[reached] = total, node
                heappush(queue, (total, negative - 1, reached, after, states.ready(ready, node, reached)))
    return Found(None, highest, len(best))


def moves(states: States, needed: int, ran: int, alive: int, ready: int) -> list[tuple[int, int, int]]:
    """The nodes that can run next, with what is needed till then and what is alive afterwards.

    One that needs nothing new and leaves no more alive than before is the only move: whatever order is best from here,
    it stays as good when this node is taken to its front.
    """
    found = []
    for node in bits(ready):
        more, change = states.step(node, ran)
        total = max(needed, alive + more)
        if total == needed and change <= 0:
            return [(node, total, alive + change)]
        found.append((node, total, alive + change))
    return found


def way(best: dict[int, tuple[int, int]], ran: int) -> list[int]:
    """The nodes that led to a state, in order."""
    order = []
    while ran:
        node = best[ran][1]
        order.append(node)
        ran ^= 1 << node
    return order[::-1]


def greedy(part: Part) -> list[int]:
    """An order in which what can run and leaves the least alive runs next; linear in the edges, except for a queue."""
    left = [len(readers) for readers in part.readers]
    missing = [len(needs) for needs in part.needs]
    followers: list[list[int]] = [[] for _ in part.needs]
    for node, needs in enumerate(part.needs):
        for other in needs:
            followers[other].append(node)

    def change(node: int) -> int:
        return part.size[node] - sum(part.numbers[s] for s in part.reads[node] if left[s] == 1)

    queue = [(change(node), node) for node, count in enumerate(missing) if not count]
    heapify(queue)
    ran = [False] * len(missing)
    order = []
    while queue:
        _, node = heappop(queue)
        if ran[node]:
            continue
        ran[node] = True
        order.append(node)
        better = [follower for follower in followers[node] if ready(missing, follower)]
        for storage in part.reads[node]:
            left[storage] -= 1
            if left[storage] == 1:  # its last reader frees it now
                better += [other for other in part.readers[storage] if not ran[other] and not missing[other]]
        for other in better:
            heappush(queue, (change(other), other))
    return order


def needs(part: Part, order: list[int], alive: int) -> int:
    """The most that is alive while a part runs in an order."""
    left = [len(readers) for readers in part.readers]
    most = 0
    for node in order:
        for storage in part.reads[node]:
            left[storage] -= 1
        replaced = any(not left[storage] for storage in part.over[node])
        most = max(most, alive if replaced else alive + part.size[node])
        freed = sum(part.numbers[storage] for storage in part.reads[node] if not left[storage])
        alive += (part.size[node] if part.kept[node] else 0) - freed
    return most


def ready(missing: list[int], node: int) -> bool:
    """Note that one of the nodes that a node waits for has run; whether it was the last."""
    missing[node] -= 1
    return not missing[node]


def mask(nodes: list[int]) -> int:
    return sum(1 << node for node in nodes)


def bits(ran: int) -> Iterator[int]:
    while ran:
        low = ran & -ran
        yield low.bit_length() - 1
        ran ^= low
