"""Counting: `Graph` -> `Stats`, exact integers, without any framework.

MACs are the multiply-accumulates of convolutions and linear layers, grouped ones divided by their groups, without
bias, normalisation, activation or pooling. params are the trained ones; running statistics are buffers.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from math import prod
from typing import Literal

from msgspec import Struct

from archspec.graph import Graph, Node
from archspec.tensor import Shape

By = Literal["row", "block", "layer"]
CONVENTION = (
    "MACs: multiply-accumulates of convolutions and linear layers for one image, without bias, normalisation, "
    "activation or pooling. params: trained ones; running statistics are buffers."
)


class Line(Struct, frozen=True):
    """The counts of one row, block or layer."""

    path: str
    label: str
    """the row's text, the block with its arguments, or the operator with its attributes"""
    input: tuple[Shape, ...]
    output: Shape
    params: int
    buffers: int
    macs: int
    nodes: int


class Stats(Struct, frozen=True):
    """The counts of a network; its lines add up to them."""

    name: str
    params: int
    buffers: int
    macs: int
    nodes: int
    lines: tuple[Line, ...]


def summarize(graph: Graph, by: By = "row") -> Stats:
    """Count a graph, each node once, in lines of its rows, its innermost blocks or its layers."""
    lines = tuple(count(graph, path, nodes) for path, nodes in grouped(graph, by))
    totals = [sum(getattr(line, what) for line in lines) for what in ("params", "buffers", "macs", "nodes")]
    return Stats(graph.name, totals[0], totals[1], totals[2], totals[3], lines)


def grouped(graph: Graph, by: By) -> Iterator[tuple[str, list[Node]]]:
    """The nodes of each line with its path; the input is in none."""
    for path, nodes in groupby(graph.nodes[1:], key=lambda node: line_path(graph, node, by)):
        yield path, list(nodes)


def line_path(graph: Graph, node: Node, by: By) -> str:
    """Path of the line that a node is counted in."""
    match by:
        case "layer":
            return node.path
        case "row":
            return node.path.partition("/")[0]
        case "block":
            blocks = [scope.path for scope in graph.stack(node.path) if scope.kind == "block"]
            return blocks[-1] if blocks else node.path


def count(graph: Graph, path: str, nodes: list[Node]) -> Line:
    """Add up nodes that stand together."""
    params, buffers, macs = totals(graph, nodes)
    scope = graph.scope_by_path.get(path)
    label = scope.label if scope else op_text(nodes[0])
    return Line(path, label, graph.input_shapes(nodes[0]), nodes[-1].shape, params, buffers, macs, len(nodes))


def totals(graph: Graph, nodes: Iterable[Node]) -> tuple[int, int, int]:
    """Parameters, buffers and MACs of some nodes."""
    params = buffers = macs = 0
    for node in nodes:
        inputs = graph.input_shapes(node)
        params += node.op.params(*inputs)
        buffers += sum(map(prod, node.op.buffers(*inputs).values()))
        macs += node.op.macs(*inputs)
    return params, buffers, macs


def op_text(node: Node) -> str:
    """`conv(kernel=3, channels=32, stride=2)`: the operator as its attributes stand, defaults left out."""
    attributes = node.op.attributes()
    inside = ", ".join(f"{name}={attribute_text(value)}" for name, value in attributes.items())
    return f"{node.op.kind}({inside})" if inside else node.op.kind


def attribute_text(value: object) -> str:
    """A value as the language writes it: `1x7`, `true`."""
    if isinstance(value, bool):
        return str(value).lower()
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
