"""`Graph` -> the tree of boxes that a picture shows, whatever draws it: rows, the blocks in them, the layers in those.

Operators that follow each other and nothing else (bn -> relu -> conv) stand in one box, a stack, which has at most one
operator that computes much. A scope that holds no more than one stack, or one scope, is not drawn as a box of its own.
Time is linear in nodes times depth.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from math import prod
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from archspec.graph import Graph, Node, Scope
from archspec.hierarchy import Level as Nested
from archspec.hierarchy import levels
from archspec.ops import Input
from archspec.ops.base import pair
from archspec.tensor import BYTES, Shape

Family = Literal[
    "convolution", "depthwise", "linear", "pooling", "normalisation", "activation", "join", "regularisation", "layout",
    "block", "input",
]  # fmt: skip
"""What a box is coloured by: the families of operators, what is made of several, and the image."""
LIGHT = frozenset({"normalisation", "activation", "regularisation", "layout"})
"""Families that stand in the box of what they come after or before."""
WEIGHT = (
    "convolution", "depthwise", "linear", "join", "pooling", "activation", "normalisation", "regularisation", "layout",
)  # fmt: skip
"""What a box of several operators is called after, the first that it has."""


class Counts(Struct, frozen=True):
    """What the operators of a box come to."""

    params: int
    macs: int
    activations: int
    """bytes in float32 of all that they give out, which is what training keeps"""
    nodes: int

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.params + other.params,
            self.macs + other.macs,
            self.activations + other.activations,
            self.nodes + other.nodes,
        )


def counted(graph: Graph, node: Node) -> Counts:
    """What one operator comes to."""
    given = graph.input_shapes(node)
    return Counts(node.op.params(*given), node.op.macs(*given), prod(node.shape) * BYTES["fp32"], 1)


class Box(Struct, frozen=True, dict=True):
    """A row, a repeat, a block or a group, with boxes inside; or a stack, with operators."""

    path: str
    """unique in its network"""
    title: str
    notes: tuple[str, ...]
    """the other cells of the row, the block that it consists of"""
    family: Family
    counts: Counts
    inputs: tuple[str, ...]
    """paths of the nodes outside that it takes"""
    outputs: tuple[str, ...]
    """paths of its nodes that others take"""
    shape: Shape
    """of its last output"""
    layers: tuple[Node, ...] = ()
    children: "tuple[Box, ...]" = ()
    row: str = ""
    """path of the row that it is in"""
    printed: bool = False
    """whether it is a line of a printed table, which is drawn as often as it is printed"""

    def nodes(self) -> Iterator[Node]:
        """All operators in it."""
        yield from self.layers
        for child in self.children:
            yield from child.nodes()

    def walk(self) -> Iterator["Box"]:
        """It and all boxes in it, each before what is inside."""
        yield self
        for child in self.children:
            yield from child.walk()

    @cached_property
    def form(self) -> tuple[Any, ...]:
        """What two boxes that look alike have in common: all but names, rates and the channels of what flows."""
        names = {path: f"in{i}" for i, path in enumerate(self.inputs)}
        names |= {node.path: f"{i}" for i, node in enumerate(self.nodes())}
        said = tuple(
            (layer_text(node), node.shape[:-1], tuple(names.get(path, "") for path in node.inputs))
            for node in self.nodes()
        )
        return (self.family, self.tree, said)

    @cached_property
    def tree(self) -> tuple[Any, ...]:
        """How the boxes in it nest."""
        return tuple(child.tree for child in self.children)


class Composer:
    """Makes the boxes of one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.users: dict[str, list[str]] = {node.path: [] for node in graph.nodes}
        for node in graph.nodes:
            for path in node.inputs:
                self.users[path].append(node.path)
        self.ends = set(graph.outputs.values())

    # ---- what is one box ----

    def boxes(self, level: Nested) -> tuple[Box, ...]:
        """The boxes inside a level, scopes that are only a stack taken apart."""
        made: list[Box] = []
        waiting: list[Node] = []
        for part in self.parts(level):
            if isinstance(part, Box):
                made += self.stacks(waiting)
                waiting = []
                made.append(part)
            else:
                waiting.append(part)
        return (*made, *self.stacks(waiting))

    def parts(self, level: Nested) -> Iterator[Node | Box]:
        """Operators, and boxes of several, in their order."""
        insides = {child.path: self.boxes(child) for child in level.children if not isinstance(child, Node)}
        passes = {path for path, inside in insides.items() if len(inside) > 1 and self.is_pass(path)}
        for child in level.children:
            if isinstance(child, Node):
                yield child
                continue
            inside = insides[child.path]
            if len(inside) == 1 and not inside[0].children:
                yield from inside[0].layers
            elif (len(inside) == 1 and self.is_pass(child.path)) or passes == {child.path}:
                yield from inside
            else:
                yield self.group(child, inside)

    def is_pass(self, path: str) -> bool:
        """Whether a scope is a pass of a repeat, which says nothing of its own; alone, it is not a box."""
        scope = self.graph.scope_by_path.get(path)
        return scope is not None and scope.kind == "repeat"

    def stacks(self, nodes: Iterable[Node]) -> list[Box]:
        """Operators, those that follow each other put together."""
        stacks: list[list[Node]] = []
        last: dict[str, list[Node]] = {}
        for node in nodes:
            before = last.pop(node.inputs[0], None) if len(node.inputs) == 1 else None
            if before is not None and self.joins(before, node):
                before.append(node)
            else:
                before = [node]
                stacks.append(before)
            last[node.path] = before
        return [self.stack(tuple(stack)) for stack in stacks]

    def joins(self, stack: list[Node], node: Node) -> bool:
        """Whether an operator belongs to the box of those before it."""
        end = stack[-1].path
        if self.users[end] != [node.path] or end in self.ends:
            return False
        heavy = [i for i, other in enumerate(stack) if other.op.family not in LIGHT]
        if node.op.family not in LIGHT:
            return not heavy and node.op.family != "join" and len(stack) <= 3
        # what normalises before it computes is complete once it has computed; what then follows is the next one's
        return not heavy or heavy[0] == 0 or stack[0].op.family != "normalisation"

    def stack(self, nodes: tuple[Node, ...]) -> Box:
        inside = {node.path for node in nodes}
        inputs = tuple(dict.fromkeys(path for path in nodes[0].inputs if path not in inside))
        families = {node.op.family for node in nodes}
        family: Family = next((family for family in WEIGHT if family in families), "layout")
        return Box(
            path=nodes[0].path,
            title="",
            notes=(),
            family=family,
            counts=self.count(nodes),
            inputs=inputs,
            outputs=(nodes[-1].path,),
            shape=nodes[-1].shape,
            layers=nodes,
            row=nodes[0].path.partition("/")[0],
        )

    def count(self, nodes: Iterable[Node]) -> Counts:
        return sum((counted(self.graph, node) for node in nodes), Counts(0, 0, 0, 0))

    # ---- what holds boxes ----

    def group(self, level: Nested, inside: tuple[Box, ...]) -> Box:
        """The box of a scope."""
        title, notes = titles(self.graph.scope_by_path.get(level.path), level.name)
        return Box(
            path=level.path,
            title=title,
            notes=notes,
            family=alike(inside),
            counts=sum((box.counts for box in inside), Counts(0, 0, 0, 0)),
            inputs=tuple(level.inputs),
            outputs=tuple(level.outputs),
            shape=self.graph.by_path[level.outputs[-1]].shape if level.outputs else inside[-1].shape,
            children=inside,
            row=level.path.partition("/")[0],
        )

    def network(self) -> tuple[Box, ...]:
        """The boxes of the whole network, the image first; rows keep their box however little is in them."""
        root = levels(self.graph)
        made: list[Box] = [self.image()]
        loose: list[Node] = []
        for child in root.children:
            if isinstance(child, Node):
                loose.append(child)
                continue
            made += self.stacks(loose)
            loose = []
            made.append(self.top(child))
        return (*made, *self.stacks(loose))

    def top(self, level: Nested) -> Box:
        """A row, or whatever stands outside of rows."""
        inside = self.boxes(level)
        scope = self.graph.scope_by_path.get(level.path)
        printed = scope is not None and scope.kind == "row"
        if len(inside) != 1 or inside[0].children:
            return replace(self.group(level, inside), printed=printed)
        title, notes = titles(scope, level.name)
        return replace(inside[0], path=level.path, title=title, notes=notes, row=level.path, printed=printed)

    def image(self) -> Box:
        node = self.graph.input
        return Box(
            path=node.path,
            title="input",
            notes=(),
            family="input",
            counts=Counts(0, 0, prod(node.shape) * BYTES["fp32"], 1),
            inputs=(),
            outputs=(node.path,),
            shape=node.shape,
            layers=(node,),
        )


def alike(boxes: Sequence[Box]) -> Family:
    """What kind of thing some boxes are together, if all that is not light is of one kind."""
    found = {family for family in (box.family for box in boxes) if family not in LIGHT}
    return found.pop() if len(found) == 1 else "block"


def scene(graph: Graph) -> tuple[Box, ...]:
    """The boxes of a network: its image, its rows, what stands outside of rows."""
    return Composer(graph).network()


def titles(scope: Scope | None, name: str) -> tuple[str, tuple[str, ...]]:
    """What a scope is called, and the cells of its row beside the operator."""
    if scope is None:
        return name, ()
    said = [
        f"{cell.header} {cell.text}".strip()
        for cell in scope.cells
        if cell.role in {"variable", "repeat", "pattern"} and cell.text not in {"", "-", "–", "—"}
    ]
    operators = [cell.text for cell in scope.cells if cell.role == "operator"]
    return " ".join(operators) or scope.label or scope.name or name, (" · ".join(said),) if said else ()


# ---- text ----


def layer_text(node: Node) -> str:
    """An operator as a figure prints it: `conv 3×3, 64, /2`."""
    op = node.op
    if isinstance(op, Input):
        return "input"
    given = op.attributes()
    words = op.kind.replace("_", " ")
    kernel, stride = getattr(op, "kernel", None), getattr(op, "strides", (1, 1))
    if kernel is not None:
        words += f" {'×'.join(map(str, pair(kernel)))}"
    if "channels" in type(op).model_fields:
        words += f", {given['channels']}" if kernel is not None else f" {given['channels']}"
    if stride != (1, 1):
        words += f", /{stride[0]}" if stride[0] == stride[1] else f", /{stride[0]}×{stride[1]}"
    for name in ("groups", "dilation", "multiplier", "size", "scale", "parts", "start", "stop"):
        value = given.get(name)
        if value is not None and value != type(op).model_fields[name].default and not isinstance(value, bool):
            sides = pair(value) if name in SIDES else value
            words += f", {name} {'×'.join(map(str, sides)) if isinstance(sides, tuple) else sides}"
    return words


SIDES = frozenset({"dilation", "scale"})


def shape_label(shape: Shape, most: Shape | None = None) -> str:
    """`56²×24`, as papers write a square map; `1×7×24`; `1000`; `56²×24–96` where several have one label."""
    last = f"{shape[-1]}–{most[-1]}" if most else f"{shape[-1]}"
    if len(shape) == 3 and shape[0] == shape[1] != 1:
        return f"{shape[0]}²×{last}"
    return "×".join([*map(str, shape[:-1]), last])


def short(number: int) -> str:
    """A count in three digits: `3.50M`."""
    for unit, size in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("K", 10**3)):
        if number >= size:
            whole = number / size
            return f"{whole:.{2 if whole < 9.995 else 1 if whole < 99.95 else 0}f}{unit}"
    return str(number)
