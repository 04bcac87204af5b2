"""A long network -> the columns that it is broken into, so that the picture has about the shape of a page.

A cut is a line between two boxes that stand in the network's order: between rows rather than inside of one, and never
through a box that stands for several. Sizes are estimated by the texts: nothing is laid out yet.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import log
from typing import Literal, get_args

from msgspec import Struct

from archspec.drawing.scene import LIGHT, layer_text
from archspec.drawing.view import Shown, View

Direction = Literal["portrait", "landscape"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)

SHAPE = {"portrait": 1.3, "landscape": 1.8}
"""Length along the flow to breadth across it: of a page, of a slide."""
SHORT = {"portrait": 1000, "landscape": 900}
"""Points: what is not longer is not broken, unless it is asked for."""
MANY = 12
"""Columns that a network is broken into unasked, at most."""
LETTER, LINE, FRAME, LABEL = 5.4, 15, 18, 42
"""Points: a letter's width, a line's height, what a frame adds, a shape's width beside its edge."""
GAP = {"portrait": 34, "landscape": 56}
"""Points: an edge with the shape that stands on it, along the flow."""
LEAST = 0.4
"""Of its share of the length, what a column is broken off for unasked."""
NESTED, CROSSED = 0.2, 0.8
"""What a cut within a frame costs, and each edge but one that it crosses, as parts of a column's length."""


class Cut(Struct, frozen=True):
    """A place where the network can go on in another column."""

    before: int
    """the number of points that come before it"""
    at: float
    """points along the flow"""
    cost: float


def columns(view: View, wanted: int | None, direction: Direction) -> list[int]:
    """The column that each point stands in."""
    plan = Plan(view, direction)
    if wanted is None:
        whole = plan.length(())
        if whole <= SHORT[direction]:
            return plan.where(())
        tried = [plan.chosen(many, LEAST) for many in range(1, min(MANY, len(plan.points)) + 1)]
        return plan.where(min(tried, key=lambda cuts: plan.faults(cuts, SHAPE[direction])))
    return plan.where(plan.chosen(wanted))


def length(view: View, wanted: int | None, direction: Direction) -> float:
    """About how long the picture is along the flow, in points."""
    where = columns(view, wanted, direction)
    ends = [i for i in range(1, len(where)) if where[i] != where[i - 1]]
    plan = Plan(view, direction)
    return max(plan.column(first, end)[0] for first, end in pairwise([0, *ends, len(where)]))


class Plan:
    """Where the points of a view would stand in one column, and where that can be cut."""

    def __init__(self, view: View, direction: Direction) -> None:
        self.gap = GAP[direction]
        self.points = view.points
        count = len(self.points)
        sizes = [size(point, view, direction) for point in self.points]
        self.extent = [long for long, _ in sizes]
        self.across = [wide for _, wide in sizes]
        self.takes: list[list[int]] = [[] for _ in range(count)]
        self.last = list(range(count))
        """by a point: the last that takes what it gives"""
        for edge in view.edges:
            self.takes[edge.target].append(edge.source)
            self.last[edge.source] = max(self.last[edge.source], edge.target)
        self.start = self.starts(0, count)
        self.cuts = list(self.places(view.parts))

    def starts(self, first: int, end: int) -> list[float]:
        """Where each of some points begins, along the flow, if they stand in a column."""
        found: list[float] = []
        for i in range(first, end):
            before = [source for source in self.takes[i] if first <= source < i]
            found.append(max((found[j - first] + self.extent[j] + self.gap for j in before), default=0))
        return found

    def places(self, parts: Sequence[Shown]) -> Iterator[Cut]:
        """Where it can be cut: where, at this height, no box stands."""
        count = len(self.points)
        after = [0.0] * (count + 1)
        after[count] = float("inf")
        for i in reversed(range(count)):
            after[i] = min(after[i + 1], self.start[i])
        nested = {before: depth for part in parts for before, depth in borders(part, 0)}
        crossing, reached, ended = 0, 0.0, [0] * (count + 1)
        for before in range(1, count):
            crossing += self.last[before - 1] > before - 1
            ended[self.last[before - 1]] += 1 if self.last[before - 1] > before - 1 else 0
            crossing -= ended[before - 1]
            reached = max(reached, self.start[before - 1] + self.extent[before - 1])
            depth = nested.get(before)
            # boxes beside each other are not parted, but two ways that a network goes from its beginning may be
            if depth is None or (depth and after[before] < reached):
                continue
            beside = 3 * CROSSED if after[before] < reached else 0
            yield Cut(before, reached, depth * NESTED + max(0, crossing - 1) * CROSSED + beside)

    def chosen(self, many: int, least: float = 0) -> tuple[Cut, ...]:
        """The cuts into that many columns, or as many as there is room for: of those near, what severs least.

        `least` is how long each is at least, of what it would be if all were as long.
        """
        total = max((start + long for start, long in zip(self.start, self.extent, strict=True)), default=0)
        each = total / many or 1
        found: list[Cut] = []
        for number in range(1, many):
            before, begun = (found[-1].before, found[-1].at) if found else (0, 0.0)
            left = [
                cut for cut in self.cuts
                if cut.before > before and min(cut.at - begun, total - cut.at) >= least * each
            ]  # fmt: skip
            # so many must be left for the columns that follow
            left = left[: max(1, len(left) - (many - 1 - number))]
            if left:
                found.append(min(left, key=lambda cut: abs(cut.at - number * each) / each + cut.cost))
        return tuple(found)

    def where(self, cuts: Sequence[Cut]) -> list[int]:
        """The column of each point."""
        ends = [cut.before for cut in cuts]
        column, found = 0, []
        for i in range(len(self.points)):
            while column < len(ends) and i >= ends[column]:
                column += 1
            found.append(column)
        return found

    def length(self, cuts: Sequence[Cut]) -> float:
        """Of the longest column."""
        return max(self.column(a, b)[0] for a, b in self.between(cuts))

    def shape(self, cuts: Sequence[Cut]) -> float:
        """The length of the longest column to the breadth of all."""
        sizes = [self.column(a, b) for a, b in self.between(cuts)]
        return max(long for long, _ in sizes) / sum(wide for _, wide in sizes)

    def faults(self, cuts: Sequence[Cut], shape: float) -> float:
        """How far a picture is from that shape, and what its worst cut severs."""
        return abs(log(self.shape(cuts) / shape)) + max((cut.cost for cut in cuts), default=0)

    def between(self, cuts: Sequence[Cut]) -> Iterator[tuple[int, int]]:
        yield from pairwise([0, *(cut.before for cut in cuts), len(self.points)])

    def column(self, first: int, end: int) -> tuple[float, float]:
        """Length and breadth of the points that stand in a column: as broad as the boxes at one height."""
        events = []
        long = 0.0
        for i, start in enumerate(self.starts(first, end), first):
            long = max(long, start + self.extent[i])
            events += [(start, 1, self.across[i]), (start + self.extent[i], 0, -self.across[i])]
        wide = most = 0.0
        for _, _, change in sorted(events):
            wide += change
            most = max(most, wide)
        return long + 2 * self.gap * (first > 0), most + LABEL


def borders(part: Shown, depth: int) -> Iterator[tuple[int, int]]:
    """The numbers of the points that a part begins with, and those in it; how many frames are around each."""
    first = next(part.points()).number
    assert first is not None
    yield first, depth
    if part.times > 1:
        return
    for position, inner in enumerate(part.inside):
        # its heading stays with what it begins with
        yield from ((at, deep) for at, deep in borders(inner, depth + 1) if position or at != first)


def size(point: Shown, view: View, direction: Direction) -> tuple[float, float]:
    """About how long and how broad a box is, along and across the flow."""
    counts = sum(map(bool, (point.counts.params, point.counts.macs)))
    notes = " · ".join(point.notes)
    texts = [text for text in (point.title, notes) if text] + ["0.00M params · 000M MACs"[: 12 * counts]] * bool(counts)
    if view.level == "layer" and not point.inside:
        texts += [layer_text(node) for node in point.box.layers if node.op.family not in LIGHT]
        texts += [", ".join(layer_text(node) for node in point.box.layers if node.op.family in LIGHT)]
    elif not point.title:
        texts += [", ".join(layer_text(node) for node in point.box.layers)]
    high = LINE * sum(1 + len(text) // 50 for text in texts if text) + 6.0
    wide = LETTER * min(50, max(map(len, texts), default=0)) + 12.0 + FRAME * bool(point.inside)
    return (wide, high) if direction == "landscape" else (high, wide)


def lettered(number: int) -> str:
    """A, B, … Z, A1, …"""
    return chr(ord("A") + number % 26) + (str(number // 26) if number >= 26 else "")
