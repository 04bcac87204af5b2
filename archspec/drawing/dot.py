"""`View` -> a picture in Graphviz' language, with no more than its text: what is written here needs no program.

Every text of a spec stands in an HTML-like label, escaped, where no character of it means anything to Graphviz; names
of nodes are numbers.
"""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from itertools import count, groupby

from msgspec import Struct
from msgspec.structs import replace

from archspec.drawing.columns import Direction, columns, lettered
from archspec.drawing.labels import LINE, broken, cell, counts_text, escaped, quoted
from archspec.drawing.palette import FONT, PALETTES, SAID, Palette, Theme
from archspec.drawing.scene import LIGHT, layer_text, shape_label
from archspec.drawing.view import Edge, Shown, View
from archspec.printable import printable
from archspec.stages import stage_label, stage_of
from archspec.tensor import Shape

SPARE = 8
"""Empty cells after the legend, since Graphviz spreads it over the width of the title, in equal parts for all cells."""
BAR = 196
"""Points: the least width of a box that has a title, where rows are what is shown."""


class Style(Struct, frozen=True):
    """How a picture is made."""

    theme: Theme = "light"
    direction: Direction = "portrait"
    title: bool = True
    """whether the network's title and counts stand above it"""
    legend: bool = True
    columns: int | None = None
    """into how many columns (lines, in landscape) a long network is broken; None: as many as suit a page"""


def dot(views: Sequence[View], style: Style = Style()) -> str:
    """The text of the picture of a network, or of some side by side, aligned by their stages."""
    lines = Writer(views[0], style).alone() if len(views) == 1 else beside(views, style)
    return "\n".join(lines) + "\n"


def beside(views: Sequence[View], style: Style) -> Iterator[str]:
    """Several networks, each from the top to the bottom, what has the same resolution at the same height."""
    writers = [Writer(view, replace(style, columns=1), f"g{i}_") for i, view in enumerate(views)]
    first = writers[0]
    yield from first.preamble(first.caption(titled=False, legend_of=views), "newrank=true")
    found = [stage_starts(view) for view in views]
    shared = sorted(number for number in set().union(*found) if sum(number in starts for starts in found) > 1)
    if shared:
        names = [f"s{number}" for number in shared]
        for number in shared:
            yield f"  s{number} [label=<{first.small(stage_label(number))}>]"
        yield f"  {' -> '.join(names)} [style=invis weight=0]" if len(names) > 1 else ""
    # in landscape, what is declared first is lowest
    for writer in reversed(writers) if first.turned else writers:
        yield f"  subgraph cluster_{writer.prefix} {{"
        yield f"    graph [label=<{writer.caption(legend=False)}> color={quoted(first.colors.frame)} margin=10]"
        yield from (f"  {line}" for line in writer.body())
        yield "  }"
    yield f"  {{rank=same; {' -> '.join(f'{writer.prefix}0' for writer in writers)} [style=invis]}}"
    for number in shared:
        same = [f"{w.prefix}{starts[number]}" for w, starts in zip(writers, found, strict=True) if number in starts]
        yield f"  {{rank=same; s{number}; {'; '.join(same)}}}"
    yield "}"


def stage_starts(view: View) -> dict[int, int]:
    """The point at which each stage of a network begins; stages that it comes back to are left out."""
    starts: dict[int, int] = {}
    for point in view.points:
        number = stage_of(view.image, point.shape)
        if not point.inside and point.box.family != "input" and number > max(starts, default=0):
            assert point.number is not None
            starts[number] = point.number
    return starts


class Writer:
    """Writes one network."""

    def __init__(self, view: View, style: Style, prefix: str = "n") -> None:
        self.view = view
        self.style = style
        self.prefix = prefix
        self.colors: Palette = PALETTES[style.theme]
        self.columns = columns(view, style.columns, style.direction)
        # where nothing need be packed, it is not: see `graphviz.TRIES`
        self.packed = max(self.columns) > 0
        """whether its columns are packed as graphs of their own"""
        self.crossing = [edge for edge in view.edges if self.columns[edge.source] != self.columns[edge.target]]
        sources = dict.fromkeys(sorted(edge.source for edge in self.crossing))
        self.letters = {source: lettered(i) for i, source in enumerate(sources)}
        self.skipped = set(sources) - {edge.source for edge in self.crossing if not edge.skip}
        """what goes on in other columns as a shortcut alone"""
        self.standing: set[str] = set()
        """circles that are written"""
        self.clusters = count()
        entered, left = Counter(e.target for e in view.edges), Counter(e.source for e in view.edges)
        self.chains = list(range(len(view.points)))
        """by a point: the first of those that follow each other and nothing else up to it, to stand in one line"""
        for edge in sorted(view.edges, key=lambda edge: edge.target):
            if entered[edge.target] == left[edge.source] == 1:
                self.chains[edge.target] = self.chains[edge.source]
        self.joins = {point for point, times in entered.items() if times > 1}

    def alone(self) -> Iterator[str]:
        """The whole picture."""
        order = "array_ctu1" if self.turned else f"array_tu{max(self.columns) + 1}"
        yield from self.preamble(self.caption(), f"pack=14 packmode={quoted(order)}" if self.packed else "")
        yield from self.body()
        yield "}"

    def preamble(self, caption: str, more: str) -> Iterator[str]:
        colors = self.colors
        yield "digraph {"
        yield (
            f"  graph [bgcolor={quoted(colors.ground)} rankdir={'LR' if self.turned else 'TB'} "
            f"nodesep=0.2 ranksep={0.05 if self.packed else 0.2} pad=0.12 fontname={quoted(FONT)} fontsize=12 "
            f"fontcolor={quoted(colors.text)} labeljust=l labelloc=t {more} "
            f"label=<{caption}>]"
        )
        yield f"  node [shape=plain fontname={quoted(FONT)} fontsize=11 fontcolor={quoted(colors.text)}]"
        yield (
            f"  edge [color={quoted(colors.line)} fontname={quoted(FONT)} fontsize=9 fontcolor={quoted(colors.faint)} "
            "arrowsize=0.6 penwidth=1.1]"
        )

    def body(self) -> Iterator[str]:
        """Boxes and edges."""
        # what is packed keeps the order in which it is declared (`u`; lines are packed from the bottom), but what has a
        # cluster comes first: so every column is one, without a border
        for column in sorted(set(self.columns), reverse=self.turned):
            yield f"  subgraph cluster_{self.prefix}column_{column} {{"
            yield '    graph [peripheries=0 margin=0 label=""]'
            for part in self.view.parts:
                yield from self.part(part, column, "    ")
            yield from self.ends(column)
            yield "  }"
        for i, (_, point, shape) in enumerate(self.view.outputs):
            yield f"  {self.prefix}{point} -> {self.prefix}out{i} [{self.labelled(shape)} weight=16]"
        for edge in self.view.edges:
            if self.columns[edge.source] == self.columns[edge.target]:
                yield self.edge(edge)
        yield from self.breaks()

    def labelled(self, shape: Shape, most: Shape | None = None) -> str:
        """The shape on an edge. Graphviz makes room for labels, but not in what it packs."""
        return f"label=<&#160;{self.text(shape_label(shape, most))}>" + (" minlen=2" if self.packed else "")

    # ---- boxes ----

    def part(self, part: Shown, column: int, indent: str) -> Iterator[str]:
        """What of a box stands in a column: it, if it is closed, or a frame around what is in it."""
        where = {self.columns[point.number] for point in part.points() if point.number is not None}
        if column not in where:
            return
        if not part.inside:
            line = f"group={self.prefix}c{self.chains[part.number or 0]}"
            yield f"{indent}{self.prefix}{part.number} [{line} label=<{self.leaf(part)}>]"
            return
        begun = column == min(where)
        head = begun and part.number is not None
        label = "" if head else self.heading(part, begun)
        yield f"{indent}subgraph cluster_{self.prefix}{next(self.clusters)} {{"
        yield (
            f"{indent}  graph [label=<{label}> labeljust=l style=filled peripheries=1 penwidth=0.8 margin=8 "
            f"color={quoted(self.colors.frame)} fillcolor={quoted(self.colors.shade)}]"
        )
        if head:
            yield f"{indent}  {self.prefix}{part.number} [label=<{self.head(part)}>]"
        for inner in part.inside:
            yield from self.part(inner, column, indent + "  ")
        if not begun:  # below the heading, which an edge from outside would cross
            here = {point.number for point in part.points() if point.number is not None}
            yield from (f"{indent}  {line}" for line in self.entries(column, here))
        yield f"{indent}}}"

    def head(self, part: Shown) -> str:
        """What an open box is entered through: its title."""
        return (
            '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">'
            f"{''.join(cell(line) for line in self.said(part))}</TABLE>"
        )

    def heading(self, part: Shown, begun: bool) -> str:
        """The title of an open box that takes several things, or of its rest in another column."""
        lines = self.said(part) if begun else [f"<B>{self.text(part.title)}</B> {self.small('(continued)')}"]
        return '<BR ALIGN="LEFT"/>'.join([*lines, ""])

    def said(self, part: Shown) -> list[str]:
        """What a box says of itself, in lines."""
        notes = " · ".join(part.notes)
        title = f"<B>{self.text(part.title)}</B>{self.times(part)}"
        together = not self.turned and part.title and notes and len(part.title) + len(notes) < LINE - 6
        lines = [f"{title}  {self.small(notes)}"] if together else [title if part.title else "", self.small(notes)]
        if part.box.family == "input":
            lines.append(self.small(shape_label(part.shape)))
        return [line for line in [*lines, self.counts(part)] if line]

    def counts(self, part: Shown) -> str:
        """Its counts; each in a line of its own where they are ranges, which are long."""
        said = counts_text(part.counts, *part.others)
        return '<BR ALIGN="LEFT"/>'.join(map(self.small, said.split(" · ") if "–" in said else [said]))

    def leaf(self, part: Shown) -> str:
        """A closed box as a table: what it is called, its operators, its counts."""
        lines = self.said(part)
        rows = [cell(line) for line in lines]
        if self.view.level == "layer" and part.box.layers and part.box.family != "input":
            counted = [rows.pop()] if counts_text(part.counts, *part.others) else []
            rows += [*self.layers(part), *counted]
        elif not part.title:
            text = self.text(", ".join(layer_text(node) for node in part.box.layers))
            rows.insert(0, cell(f"<B>{text}</B>{self.times(part)}"))
        return self.table(rows, self.colors.fills[part.box.family], BAR if self.bar(part) else 0)

    def bar(self, part: Shown) -> bool:
        """Whether a box is as wide as a row of the table."""
        return bool(part.title) and part.box.family != "input" and self.view.level == "row" and not self.turned

    @property
    def turned(self) -> bool:
        return self.style.direction == "landscape"

    def table(self, rows: Sequence[str], fill: str, width: int = 0) -> str:
        wide = f' WIDTH="{width}"' if width else ""
        return (
            f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2" COLOR="{self.colors.line}" '
            f'BGCOLOR="{fill}"{wide}>{"".join(rows)}</TABLE>'
        )

    def layers(self, part: Shown) -> Iterator[str]:
        """The operators of a stack: one line for each that computes, the others side by side."""
        times = "" if part.title else self.times(part)
        if all(node.op.family in LIGHT for node in part.box.layers) and times:
            yield cell(times)
        for light, nodes in groupby(part.box.layers, key=lambda node: node.op.family in LIGHT):
            if light:
                inner = "".join(
                    f'<TD BGCOLOR="{self.colors.fills[node.op.family]}">'
                    f'<FONT POINT-SIZE="10">{self.text(layer_text(node))}</FONT></TD>'
                    for node in nodes
                )
                table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="1" CELLPADDING="2"><TR>{inner}</TR></TABLE>'
                yield f'<TR><TD CELLPADDING="0">{table}</TD></TR>'
                continue
            for node in nodes:
                text = self.text(layer_text(node))
                yield cell(text if part.title else f"<B>{text}</B>{times}", self.colors.fills[node.op.family])
                times = ""

    def end(self, name: str) -> str:
        return self.table([cell(f"<B>{self.text(name)}</B>")], self.colors.ground)

    def times(self, part: Shown) -> str:
        """`×3`, for a box that stands for several."""
        return f' <FONT COLOR="{self.colors.skip}"><B>×{part.times}</B></FONT>' if part.times > 1 else ""

    # ---- edges ----

    def edge(self, edge: Edge) -> str:
        said = []
        source = self.view.points[edge.source]
        if not source.inside and source.box.family != "input":
            said.append(self.labelled(edge.shape, edge.most))
        if edge.skip:
            said.append(self.line(True))
        else:
            said.append(f"weight={4 if edge.target in self.joins else 16}")
        return f"  {self.prefix}{edge.source} -> {self.prefix}{edge.target} [{' '.join(said)}]"

    def line(self, skip: bool) -> str:
        """How an edge looks that goes around boxes, and one that does not."""
        # with no weight at all, several that lie within each other wind around each other
        return f"color={quoted(self.colors.skip)} penwidth=1.8 weight=1" if skip else "weight=16"

    def breaks(self) -> Iterator[str]:
        """What goes on in another column: an edge to a lettered circle, and from another with that letter."""
        left: set[int] = set()
        for edge in self.crossing:
            source, column = edge.source, self.columns[edge.target]
            said = self.labelled(edge.shape)
            if source not in left:
                left.add(source)
                yield f"  {self.prefix}{source} -> to{source} [{said} {self.line(source in self.skipped)}]"
            yield f"  from{source}_{column} -> {self.prefix}{edge.target} [{said} {self.line(edge.skip)}]"

    def ends(self, column: int) -> Iterator[str]:
        """What stands in a column besides boxes: outputs, and the circles of what leaves and enters it."""
        for i, (name, point, _) in enumerate(self.view.outputs):
            if self.columns[point] == column:
                yield f"    {self.prefix}out{i} [label=<{self.end(name)}>]"
        for source in self.letters:
            if self.columns[source] == column:
                yield f"    {self.circle(f'to{source}', source)}"
        yield from (f"    {line}" for line in self.entries(column, range(len(self.columns))))

    def entries(self, column: int, points: Container[int]) -> Iterator[str]:
        """The circles of what enters a column and goes on at some points, except those that stand already."""
        for edge in self.crossing:
            name = f"from{edge.source}_{column}"
            if self.columns[edge.target] == column and edge.target in points and name not in self.standing:
                self.standing.add(name)
                yield self.circle(name, edge.source)

    def circle(self, name: str, source: int) -> str:
        color = self.colors.skip if source in self.skipped else self.colors.line
        return (
            f"{name} [shape=circle fixedsize=true width=0.26 fontsize=10 style=filled "
            f"label={quoted(self.letters[source])} color={quoted(color)} fillcolor={quoted(self.colors.ground)}]"
        )

    # ---- what is said about all ----

    def caption(self, titled: bool = True, legend: bool = True, legend_of: Sequence[View] = ()) -> str:
        """The title and the legend, above everything."""
        lines: list[str] = []
        wide = self.turned or max(self.columns) > 0 or bool(legend_of)
        if self.style.title and titled:
            counts, longest = self.view.counts, 90 if wide else LINE
            said = f"{counts.params:,} params · {counts.macs:,} MACs"
            lines += [f"<B>{self.text(self.view.title, longest)}</B>", self.small(said, longest)]
            lines.append(self.small(self.view.note, longest))
        if self.style.legend and legend:
            lines += self.legend(legend_of or [self.view], 12 if wide else 4)
            lines.append(self.small(" · ".join(self.signs(legend_of or [self.view])), 90 if wide else LINE))
        if not lines:
            return ""
        return (
            '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">'
            f"{''.join(cell(line) for line in lines if line)}</TABLE>"
        )

    def signs(self, views: Sequence[View]) -> Iterator[str]:
        """What the signs mean that occur."""
        if any(edge.skip for view in views for edge in view.edges):
            yield "thick line: shortcut"
        if any(part.times > 1 for view in views for part in every(view.parts)):
            yield "×N: N alike, one after the other"
        if self.crossing:
            yield "circle: goes on at the other one of its letter"

    def legend(self, views: Sequence[View], longest: int) -> Iterator[str]:
        """The colours that occur, in a line or some, where there are any."""
        boxes = [point.box for view in views for point in view.points if not point.inside]
        used = {box.family for box in boxes}
        if self.view.level == "layer":
            used |= {node.op.family for box in boxes if box.family != "input" for node in box.layers}
        shown = [family for family in SAID if family in used and family != "input"]
        rows = [
            "".join(
                f'<TD BGCOLOR="{self.colors.fills[family]}" BORDER="1" FIXEDSIZE="TRUE" WIDTH="13" HEIGHT="9"></TD>'
                f'<TD ALIGN="LEFT">{self.small(SAID[family])} </TD>'
                for family in shown[start : start + longest]
            )
            + "<TD></TD>" * SPARE
            for start in range(0, len(shown), longest)
        ]
        table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="0" COLOR="{self.colors.line}">'
        if rows:
            yield f"{table}{''.join(f'<TR>{row}</TR>' for row in rows)}</TABLE>"

    def text(self, text: str, longest: int = 0) -> str:
        """A text of the spec, in lines, as an HTML-like label takes it."""
        longest = longest or (LINE // 2 if self.turned else LINE)
        return '<BR ALIGN="LEFT"/>'.join(map(escaped, broken(printable(text), longest)))

    def small(self, text: str, longest: int = 0) -> str:
        if not text:
            return ""
        lines = self.text(text, longest or (28 if self.turned else LINE + 4))
        return f'<FONT POINT-SIZE="9" COLOR="{self.colors.faint}">{lines}</FONT>'


def every(parts: Sequence[Shown]) -> Iterator[Shown]:
    """Parts and all in them."""
    for part in parts:
        yield part
        yield from every(part.inside)
