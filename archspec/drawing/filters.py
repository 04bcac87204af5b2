"""A few convolutions as solids: maps in grey, their filters in colour, each as deep as what it sees.

As in the pictures of Y. Ioannou, A Tutorial on Filter Groups (https://blog.yani.ai/filter-group-tutorial/), and A.
Howard et al., MobileNets, arXiv:1704.04861, Figure 2.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from archspec.drawing.chart import drawable, glyphs, settings, without_metadata
from archspec.drawing.palette import PALETTES, Palette, Theme
from archspec.drawing.scene import Family, short
from archspec.errors import Refusal
from archspec.graph import Graph, Node
from archspec.ops.base import pair
from archspec.optional import needing
from archspec.tensor import Shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 4
"""Convolutions of a picture."""
SHOWN = 4
"""Groups, and filters of a group, that are all drawn; of more, the first two and the last."""
COLORS: tuple[Family, ...] = ("pooling", "convolution", "join", "linear")
"""Of the groups, in their order."""
FORMATS = ("svg", "png", "pdf")
TALL, DEEP = 1.5, 1.6
"""Of the largest map: the height of its drawing, and the length for its channels."""
BAND, GAP = 2.05, 0.2
"""The height for the filters of a convolution, and of that for the dots that stand for more."""
SLANT = (0.42, 0.30)
"""How far a unit of width goes to the right and up."""


class NotFilters(Refusal):
    """The network is more than a few convolutions."""

    exit_code = 2

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is not one to {MOST} convolutions one after the other, so its filters are not drawn",
            "draw it with --level layer, which --at PART draws of a part of it",
        )


class Solid(Struct, frozen=True):
    """A cuboid as it is drawn, its lower left corner first."""

    x: float
    y: float
    long: float
    """for the channels, from the left to the right"""
    tall: float
    fill: str

    def faces(self) -> Iterator[list[tuple[float, float]]]:
        """Its front, top and right side."""
        x, y, long, tall = self.x, self.y, self.long, self.tall
        dx, dy = SLANT[0] * tall, SLANT[1] * tall
        yield [(x, y), (x + long, y), (x + long, y + tall), (x, y + tall)]
        yield [(x, y + tall), (x + long, y + tall), (x + long + dx, y + tall + dy), (x + dx, y + tall + dy)]
        yield [(x + long, y), (x + long + dx, y + dy), (x + long + dx, y + tall + dy), (x + long, y + tall)]


def convolutions(graph: Graph) -> list[Node]:
    """The convolutions of a network that is nothing else, in their order; empty for any other."""
    nodes = graph.nodes[1:]
    chain = all(node.inputs == (before.path,) for before, node in zip(graph.nodes, nodes, strict=False))
    kinds = {node.op.family for node in nodes}
    return list(nodes) if chain and kinds <= {"convolution", "depthwise"} and 1 <= len(nodes) <= MOST else []


def filters(
    graph: Graph, form: str = "svg", *, theme: Theme = "light", title: bool = True, dpi: int | None = None
) -> bytes:
    """The picture as svg, png or pdf; raises `NotFilters` and `MissingFramework`."""
    found = convolutions(graph)
    if not found:
        raise NotFilters(graph.name)
    with needing("a picture of filters", "draw"):
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    colors = PALETTES[theme]
    made = BytesIO()
    with rc_context(settings(colors)), glyphs():
        figure = Figure(facecolor=colors.ground)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        axes.set_aspect("equal")
        wide = Painter(axes, graph, colors).paint(found)
        low, high = -1.75, 1.2 + 0.45 * title
        axes.set_xlim(-0.25, wide + 0.1)
        axes.set_ylim(low, high)
        figure.set_size_inches((wide + 0.35) * 0.82, (high - low) * 0.82)
        if title:
            heading = drawable(graph.title or graph.name, form, "bold")
            axes.text(-0.1, high - 0.3, heading, weight="bold", fontsize=10)
        figure.savefig(made, format=form, dpi=dpi or 160, metadata={"Date": None} if form == "svg" else None)
    return without_metadata(made.getvalue()) if form == "svg" else made.getvalue()


class Painter:
    """Paints the maps and filters of one network from the left to the right."""

    def __init__(self, axes: "Axes", graph: Graph, colors: Palette) -> None:
        self.axes = axes
        self.graph = graph
        self.colors = colors
        shapes = [node.shape for node in graph.nodes]
        self.highest = max(shape[0] for shape in shapes)
        self.deepest = max(shape[-1] for shape in shapes)

    def paint(self, nodes: Sequence[Node]) -> float:
        """All of it; gives how wide it is."""
        x = 0.0
        for node in nodes:
            (shape,) = self.graph.input_shapes(node)
            groups = groups_of(node, shape)
            x = self.map(x, shape, groups)
            x = self.arrow(x)
            x = self.bank(x, node, shape, groups)
            x = self.arrow(x)
        return self.map(x, nodes[-1].shape, groups_of(nodes[-1], self.graph.input_shapes(nodes[-1])[0]))

    def long(self, channels: float) -> float:
        return max(0.05, DEEP * channels / self.deepest)

    def map(self, x: float, shape: Shape, groups: int) -> float:
        """A feature map, in as many parts as there are groups."""
        tall, long = TALL * shape[0] / self.highest, self.long(shape[-1])
        grey = self.colors.fills["normalisation"]
        y = -tall / 2 - 0.1
        self.solid(Solid(x, y, long, tall, grey))
        parts = groups if groups <= SHOWN else min(groups, 16)
        for i in range(1, parts):
            at = x + long * i / parts
            dx, dy = SLANT[0] * tall, SLANT[1] * tall
            self.axes.plot([at, at, at + dx], [y, y + tall, y + tall + dy], color=self.colors.line, linewidth=0.5)
        if 1 < groups <= SHOWN:
            for i in range(groups):
                part = Solid(x + long * i / groups, y - 0.13, long / groups, 0.08, self.group_color(i))
                self.axes.fill(*zip(*next(part.faces()), strict=True), facecolor=part.fill, edgecolor="none")
        self.say(x + long / 2 + SLANT[0] * tall / 2, "×".join(map(str, shape)))
        return x + long + SLANT[0] * tall

    def bank(self, x: float, node: Node, shape: Shape, groups: int) -> float:
        """The filters of a convolution: those of a group among each other, in one colour."""
        side = pair(getattr(node.op, "kernel", 1))[0]
        depth = shape[-1] // groups
        count = node.shape[-1] // groups
        many_groups = groups > SHOWN
        rows = [
            (group, place)
            for group in few(groups, SHOWN)
            for place in few(1 if many_groups else count, SHOWN if groups == 1 else 2 if groups == 2 else 1)
        ]
        gaps = sum(None in row for row in rows)
        tall = min(0.14 * side, 0.55, (BAND - GAP * gaps) / (len(rows) - gaps) / (1.08 + SLANT[1]))
        long, step = self.long(depth), tall * (1.08 + SLANT[1])
        wide = max(long + SLANT[0] * tall, 0.85)
        start, x = x, x + (wide - long - SLANT[0] * tall) / 2
        y = (step * (len(rows) - gaps) + GAP * gaps) / 2 + 0.02
        for group, place in rows:
            if group is None or place is None:
                y -= GAP
                dots = [y + GAP * share for share in (0.3, 0.6, 0.9)]
                self.axes.plot([x + long / 2] * 3, dots, ".", color=self.colors.text, markersize=2.2)
                continue
            y -= step
            self.solid(Solid(x, y, long, tall, self.group_color(0 if many_groups else group)))
        kernel = "×".join(map(str, pair(getattr(node.op, "kernel", 1))))
        params, macs = node.op.params(shape), node.op.macs(shape)
        said = f"{groups} × {count} filters" if min(groups, count) > 1 else f"{groups * count} filters"
        self.say(x + long / 2, f"{said}\n{kernel}×{depth}", f"{short(params)} params\n{short(macs)} MACs")
        return start + wide

    def group_color(self, group: int) -> str:
        return self.colors.fills[COLORS[group % len(COLORS)]]

    def solid(self, solid: Solid) -> None:
        for face, light in zip(solid.faces(), (1.0, 0.93, 0.82), strict=True):
            xs, ys = zip(*face, strict=True)
            self.axes.fill(xs, ys, facecolor=shaded(solid.fill, light), edgecolor=self.colors.line, linewidth=0.7)

    def arrow(self, x: float) -> float:
        self.axes.annotate(
            "", (x + 0.42, -0.1), (x + 0.08, -0.1), arrowprops={"arrowstyle": "-|>", "color": self.colors.line}
        )
        return x + 0.55

    def say(self, x: float, text: str, more: str = "") -> None:
        lines = text.count("\n") + 1
        self.axes.text(x, -1.12, text, ha="center", va="top", fontsize=9)
        if more:
            self.axes.text(x, -1.12 - 0.17 * lines, more, ha="center", va="top", fontsize=7.5, color=self.colors.faint)


def groups_of(node: Node, shape: Shape) -> int:
    return shape[-1] if node.op.family == "depthwise" else int(getattr(node.op, "groups", 1))


def few(count: int, most: int) -> list[int | None]:
    """All of a few; of many, the first ones, a gap and the last."""
    return list(range(count)) if count <= max(most, 2) else [*range(min(most, 2)), None, count - 1]


def shaded(color: str, light: float) -> Any:
    """A colour, as a side that gets less light has it."""
    return tuple(int(color[i : i + 2], 16) / 255 * light for i in (1, 3, 5))
