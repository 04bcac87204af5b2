"""Small random networks of any form, all their orders, and what is alive in one: counted by sets, not by counters."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from graphs import SPAN
from hypothesis import strategies as st

from archspec.graph import Graph, Node
from archspec.ops import (
    Add,
    AnyOp,
    BatchNorm,
    Concat,
    Conv,
    Dropout,
    Flatten,
    Input,
    Misfit,
    Mul,
    Relu,
    Slice,
    Softmax,
    Split,
    StochasticDepth,
)
from archspec.tensor import Shape

SINGLE: tuple[AnyOp, ...] = (
    Relu(), BatchNorm(), Softmax(), Dropout(), StochasticDepth(rate=0.1), Flatten(), Flatten(order="hwc"),
    Split(index=1), Slice(start=0, stop=1), *(Conv(kernel=1, channels=channels) for channels in (1, 2, 3, 5)),
)  # fmt: skip
JOINS: tuple[AnyOp, ...] = (Add(), Mul(), Concat())
VIEWS = {"dropout", "stochastic_depth", "slice", "split"}
OVER = {"relu", "bn", "add", "mul"}


@st.composite
def small_graphs(draw: Any, most: int = 7) -> Graph:
    """A network of an input and up to `most` nodes, each on whatever stands before it; some outputs beside the last."""
    shape: Shape = (2, 2, draw(st.integers(1, 4)))
    nodes = [Node(path="input", op=Input(shape=shape), inputs=(), shape=shape, span=SPAN)]
    for number in range(draw(st.integers(1, most))):
        op = draw(st.sampled_from(SINGLE + JOINS * 2))
        count = draw(st.integers(2, 3)) if op in JOINS else 1
        inputs = [draw(st.sampled_from(nodes)) for _ in range(count)]
        try:
            made = op.infer(*(node.shape for node in inputs))
        except (Misfit, ValueError, IndexError):
            op, inputs = Relu(), inputs[:1]
            made = inputs[0].shape
        taken = tuple(node.path for node in inputs)
        nodes.append(Node(path=f"n{number}", op=op, inputs=taken, shape=made, span=SPAN))
    outputs = {"output": nodes[-1].path, "aux": draw(st.sampled_from(nodes)).path}
    return Graph(name="Net", nodes=tuple(nodes), outputs=outputs)


def orders(graph: Graph, ran: tuple[Node, ...] = ()) -> Iterator[tuple[Node, ...]]:
    """Every order in which all inputs of a node come before it."""
    if len(ran) == len(graph.nodes):
        yield ran
    paths = {node.path for node in ran}
    for node in graph.nodes:
        if node.path not in paths and paths.issuperset(node.inputs):
            yield from orders(graph, (*ran, node))


def is_view(graph: Graph, node: Node) -> bool:
    if isinstance(node.op, Flatten) and node.op.order == "hwc":
        shape = graph.by_path[node.inputs[0]].shape
        return len(shape) == 1 or shape[-1] == 1 or shape[:2] == (1, 1)
    return node.op.kind in VIEWS | {"flatten"}


def alive(graph: Graph, order: Sequence[Node], in_place: bool) -> list[int]:
    """The numbers that are alive while each node computes: the sizes of the pieces of memory that still matter."""
    piece: dict[str, str] = {}
    size: dict[str, int] = {}

    def matter(pieces: set[str], later: Sequence[Node]) -> set[str]:
        wanted = {path for node in later for path in node.inputs} | set(graph.outputs.values())
        return {found for found in pieces if any(piece.get(path) == found for path in wanted)}

    counts = []
    there: set[str] = set()
    for position, node in enumerate(order):
        later = order[position + 1 :]
        inputs = [graph.by_path[path] for path in node.inputs]
        if is_view(graph, node):
            piece[node.path] = piece[node.inputs[0]]
        else:
            size[node.path] = prod(node.shape)
            over = {
                piece[source.path] for source in inputs
                if node.op.kind in OVER and source.shape == node.shape and size[piece[source.path]] == size[node.path]
            } - {piece[source.path] for source in inputs if source.shape != node.shape}  # fmt: skip
            piece[node.path] = node.path
            if in_place:
                over -= matter(over, later)
                there -= set(sorted(over)[:1])
            there.add(node.path)
        counts.append(sum(size[found] for found in there))
        there = matter(there, later)
    return counts
