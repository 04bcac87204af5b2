"""Boxes -> what is shown of them at a level of detail: what is open, what stands for several alike, what joins them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import count
from math import prod
from typing import Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

from archspec.diagnostics import did_you_mean
from archspec.drawing.scene import Box, Counts, counted
from archspec.errors import Refusal
from archspec.graph import Graph, Node
from archspec.printable import printable
from archspec.tensor import Shape

Level = Literal["row", "block", "layer"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""of detail, the coarsest first"""


class Shown(Struct, frozen=True):
    """A box that is shown, and if it is open, what is shown inside."""

    members: tuple[Box, ...]
    """the box, and those after it that look alike and are not shown"""
    title: str
    notes: tuple[str, ...]
    inside: "tuple[Shown, ...]" = ()
    number: int | None = None
    """of the point that edges go to: every closed box is one, and the head of an open one that takes one thing only"""
    others: tuple[Counts, ...] = ()
    """of what it stands for in the other passes of a box that is drawn once around it"""

    @property
    def box(self) -> Box:
        return self.members[0]

    @property
    def times(self) -> int:
        return len(self.members)

    @property
    def shape(self) -> Shape:
        """What comes out of it, of the last where it stands for several."""
        return self.members[-1].shape

    @property
    def counts(self) -> Counts:
        """Of all that it stands for."""
        return sum((box.counts for box in self.members[1:]), self.box.counts)

    def points(self) -> Iterator["Shown"]:
        """All in it, and itself, that edges go to, in the order of their numbers."""
        if self.number is not None:
            yield self
        for part in self.inside:
            yield from part.points()


class Edge(Struct, frozen=True):
    """What one point takes from another."""

    source: int
    target: int
    shape: Shape
    skip: bool
    """whether it goes around others on the way to its target"""
    most: Shape | None = None
    """the largest shape in the passes of a box that is drawn once, where they differ"""


class View(Struct, frozen=True, dict=True):
    """A network, or a part of one, as it is shown."""

    title: str
    level: Level
    counts: Counts
    parts: tuple[Shown, ...]
    edges: tuple[Edge, ...]
    outputs: tuple[tuple[str, int, Shape], ...]
    """what leaves it: its name, the point that it comes from, its shape"""
    image: Shape
    """what the whole network takes"""
    note: str = ""
    """what is to be known of it besides"""

    @property
    def passed(self) -> int:
        """How many boxes the lines pass, which is what laying them out takes."""
        return sum(abs(edge.target - edge.source) - 1 for edge in self.edges)

    @cached_property
    def points(self) -> tuple[Shown, ...]:
        return tuple(point for part in self.parts for point in part.points())


def view(graph: Graph, boxes: Sequence[Box], level: Level, fold: bool = True, at: str = "") -> View:
    """What a level of detail shows: rows; the blocks in them; every layer. Boxes alike are shown once if they `fold`.

    `at` is the path of the one box to show, or the name of a block, of which the first is shown.

    Raises `NoSuchPart`.
    """
    title, outputs = graph.title or graph.name, dict(graph.outputs)
    if not title.lower().startswith(graph.name.lower()):
        title = f"{graph.name}: {title}"
    if at:
        found = find(graph, boxes, at)
        title = f"{found.title or found.path} · {graph.name}"
        boxes, outputs = alone(graph, found), {f"output {i + 1}": path for i, path in enumerate(found.outputs)}
        if len(outputs) == 1:
            outputs = {"output": found.outputs[0]}
    return Chooser(graph, level, fold, top=not at).view(title, boxes, outputs)


def scaled(graph: Graph) -> str:
    """What changes a network from what its tables print, of whose rows the cells are shown."""
    values = [f"{name} = {graph.parameters[name]}".replace("True", "true") for name in graph.changed]
    printed = any(scope.cells for scope in graph.scopes)
    return f"with {', '.join(values)}; the rows are printed for the defaults" if values and printed else ""


class NoSuchPart(Refusal):
    """No box has that name."""

    exit_code = 2

    def __init__(self, network: str, name: str, known: Sequence[str]) -> None:
        advice = did_you_mean(name, known) or f"{network} has {', '.join(f'`{part}`' for part in known[:6])}, …"
        super().__init__(f"no part of {network} is called {printable(name)!r}", advice)


def find(graph: Graph, boxes: Sequence[Box], name: str) -> Box:
    """The box of that path, or the first instance of the block of that name."""
    every = [box for top in boxes for box in top.walk()]
    for box in every:
        if box.path == name:
            return box
    names = {scope.path: scope.name for scope in graph.scopes if scope.kind != "row"}
    for box in every:
        if names.get(box.path) == name:
            return box
    raise NoSuchPart(
        graph.name, name, list(dict.fromkeys([*filter(None, names.values()), *(box.path for box in every)]))
    )


def alone(graph: Graph, box: Box) -> tuple[Box, ...]:
    """A box by itself: what it takes comes as from an image."""
    sources = [graph.by_path[path] for path in box.inputs]
    nothing = Counts(0, 0, 0, 0)
    return (
        *(Box(node.path, "input", (), "input", nothing, (), (node.path,), node.shape, (node,)) for node in sources),
        *(box.children or (box,)),
    )


class Chooser:
    """Chooses what is shown of one network."""

    def __init__(self, graph: Graph, level: Level, fold: bool, top: bool) -> None:
        self.graph = graph
        self.level = level
        self.fold = fold
        self.top = top
        self.ends = tuple(graph.outputs.values())
        self.numbers = count()
        self.places: dict[str, int] = {}
        """by the path of a node: the point that it is drawn in"""
        self.frames: dict[int, tuple[int, ...]] = {}
        """by a point: the heads of the boxes around it, from the outside"""

    def view(self, title: str, boxes: Sequence[Box], outputs: Mapping[str, str]) -> View:
        passes = Passes(self.graph)
        parts = tuple(passes.told(self.shown(members, self.top), ()) for members in runs(boxes, self.fold, self.ends))
        drawn = [path for part in parts for path in self.place(part, ())]
        edges: dict[tuple[int, int], Shape] = {}
        most: dict[tuple[int, int], Shape] = {}
        for path in drawn:
            for source in self.graph.by_path[path].inputs:
                if source in self.places and self.places[source] != self.places[path]:
                    for pair in self.way(self.places[source], self.places[path]):
                        edges.setdefault(pair, self.graph.by_path[source].shape)
                        most.setdefault(pair, passes.largest(source))
        around = skips(next(self.numbers), edges)
        return View(
            title,
            self.level,
            sum((part.counts for part in parts), Counts(0, 0, 0, 0)),
            parts,
            tuple(
                Edge(*pair, shape, pair in around, None if most[pair] == shape else most[pair])
                for pair, shape in edges.items()
            ),
            tuple((name, self.places[path], self.graph.by_path[path].shape) for name, path in outputs.items()),
            self.graph.input.shape,
            scaled(self.graph),
        )

    def way(self, source: int, target: int) -> Iterator[tuple[int, int]]:
        """From one point to another, by the heads of the boxes that are entered."""
        around = self.frames[source]
        before = source
        for head in self.frames[target]:
            if head not in around and head != source:
                yield before, head
                before = head
        yield before, target

    def shown(self, members: tuple[Box, ...], top: bool = False) -> Shown:
        """A box, or some alike."""
        box = members[0]
        closed = not box.children or (self.level == "row" and top) or (self.level == "block" and not top)
        title = common([member.title for member in members])
        if closed:
            return Shown(members, title, box.notes, number=next(self.numbers))
        notes, found = box.notes, runs(box.children, self.fold, self.ends)
        if len(found) == 1 and found[0][0].children:
            # a row that is one block, or one block several times, is drawn as one box
            only = found[0]
            name = common([member.title for member in only])
            times = f"×{len(only)}" if len(only) > 1 else ""
            block = name.partition("(")[0]
            said = "" if block == title else block if notes or times else name
            notes = (*notes, *filter(None, [f"{said} {times}".strip()]))
            if self.level == "block":
                return Shown(members, title, notes, number=next(self.numbers))
            if len(only) == 1:
                found, notes = runs(only[0].children, self.fold, self.ends), (*notes, *only[0].notes)
        number = next(self.numbers) if len(box.inputs) == 1 else None
        return Shown(members, title, notes, tuple(self.shown(run) for run in found), number)

    def place(self, part: Shown, around: tuple[int, ...]) -> Iterator[str]:
        """Notes where every operator is drawn; gives those of the boxes that are really shown."""
        if part.number is not None:
            self.frames[part.number] = around
        if not part.inside:
            assert part.number is not None
            for member in part.members:
                self.places.update((node.path, part.number) for node in member.nodes())
            yield from (node.path for node in part.box.nodes())
            return
        for inner in part.inside:
            yield from self.place(inner, around if part.number is None else (*around, part.number))
        for member in part.members[1:]:
            for node, same in zip(member.nodes(), part.box.nodes(), strict=True):
                self.places[node.path] = self.places[same.path]


# ---- boxes alike ----


class Passes:
    """Finds what the boxes inside of one that stands for several count in its other passes."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.same: dict[str, list[str]] = {}
        """by a node that is drawn: those of the other passes that it stands for"""

    def told(self, part: Shown, others: Sequence[Mapping[str, str]]) -> Shown:
        """The part with the counts of the other passes, each of which maps the nodes that are drawn to its own."""
        found = tuple(self.counts(part, other) for other in others)
        for node in part.box.nodes() if others and not part.inside else ():
            self.same[node.path] = [other[node.path] for other in others]
        if not part.inside:
            return replace(part, others=found)
        within = [
            {node.path: other.get(same.path, same.path) for node, same in paired(part.box, member)}
            for other in ({}, *others)
            for member in part.members
        ]
        # the first is the pass that is drawn
        return replace(part, others=found, inside=tuple(self.told(inner, within[1:]) for inner in part.inside))

    def counts(self, part: Shown, other: Mapping[str, str]) -> Counts:
        nodes = [self.graph.by_path[other[node.path]] for member in part.members for node in member.nodes()]
        return sum((counted(self.graph, node) for node in nodes), Counts(0, 0, 0, 0))

    def largest(self, path: str) -> Shape:
        """What a node gives, or what it gives in another pass, if that is more."""
        return max((self.graph.by_path[same].shape for same in (path, *self.same.get(path, ()))), key=prod)


def paired(box: Box, other: Box) -> Iterator[tuple[Node, Node]]:
    yield from zip(box.nodes(), other.nodes(), strict=True)


def runs(boxes: Sequence[Box], fold: bool, ends: Iterable[str]) -> list[tuple[Box, ...]]:
    """The boxes, those alike that follow each other together.

    They are a chain: each takes what the one before gives, and nothing else does; none of these is an end, which the
    network gives out.
    """
    if not fold:
        return [(box,) for box in boxes]
    users: dict[str, set[str]] = {path: {""} for path in ends}
    for box in boxes:
        for path in box.inputs:
            users.setdefault(path, set()).add(box.path)
    made: list[list[Box]] = []
    for box in boxes:
        if made and follows(made[-1][-1], box, users):
            made[-1].append(box)
        else:
            made.append([box])
    return list(map(tuple, made))


def follows(one: Box, other: Box, users: Mapping[str, set[str]]) -> bool:
    """Whether two boxes can be drawn as one, twice."""
    return (
        not (one.printed or other.printed)
        and other.inputs == one.outputs
        and len(one.outputs) == 1
        and len(one.inputs) == 1
        and users[one.outputs[0]] == {other.path}
        and one.form == other.form
        # operators are alike where they count alike; blocks may grow by what flows through them, as DenseNet's do
        and bool(one.children or (one.counts == other.counts and one.shape == other.shape))
    )


def common(titles: Sequence[str]) -> str:
    """`block(7, 96, …)`: what some calls of one block have in common."""
    if len(set(titles)) == 1:
        return titles[0]
    name, _, rest = titles[0].partition("(")
    rows = [title.partition("(")[2].rstrip(")").split(", ") for title in titles]
    if not rest or any(title.partition("(")[0] != name for title in titles) or len({len(row) for row in rows}) > 1:
        return name
    return f"{name}({', '.join(cells[0] if len(set(cells)) == 1 else '…' for cells in zip(*rows, strict=True))})"


# ---- paths ----


def skips(count: int, edges: Mapping[tuple[int, int], Shape]) -> set[tuple[int, int]]:
    """The edges beside which another path leads to the same box."""
    before: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        before[target].append(source)
    depth = depths(count, edges)
    found: set[tuple[int, int]] = set()
    for target, sources in enumerate(before):
        for source in sources:
            if depth[target] - depth[source] < 2 or len(sources) < 2:
                continue
            seen = {other for other in sources if depth[other] > depth[source]}
            waiting = list(seen)
            while waiting and source not in seen:
                for other in before[waiting.pop()]:
                    if other not in seen and depth[other] >= depth[source]:
                        seen.add(other)
                        waiting.append(other)
            if source in seen:
                found.add((source, target))
    return found


def depths(count: int, edges: Mapping[tuple[int, int], Shape]) -> list[int]:
    """How many boxes come before each, on the longest way to it."""
    after: list[list[int]] = [[] for _ in range(count)]
    missing = [0] * count
    for source, target in edges:
        after[source].append(target)
        missing[target] += 1
    depth = [0] * count
    ready = [i for i in range(count) if not missing[i]]
    while ready:
        source = ready.pop()
        for target in after[source]:
            depth[target] = max(depth[target], depth[source] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return depth
