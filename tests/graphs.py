"""Graphs by hand, for the tests of what works on a Graph alone."""

from collections.abc import Mapping

from archspec.graph import Graph, Location, Node, Scope
from archspec.initializer import AnyInitializer
from archspec.ops import AnyOp, Input
from archspec.tensor import Shape

SPAN = Location(file="test.arch", line=1, column=1, end_line=1, end_column=2)
Item = tuple[str, AnyOp] | tuple[str, AnyOp, tuple[str, ...]]


def graph(
    shape: Shape,
    *items: Item,
    outputs: Mapping[str, str] | None = None,
    init: Mapping[str, AnyInitializer] | None = None,
    scopes: Mapping[str, str] | None = None,
    first: str = "input",
) -> Graph:
    """Nodes in a row; one that does not take the node before it says what it takes. `scopes`: path to name."""
    nodes = [Node(path=first, op=Input(shape=shape), inputs=(), shape=shape, span=SPAN)]
    shapes = {first: shape}
    for path, op, *taken in items:
        inputs = taken[0] if taken else (nodes[-1].path,)
        shapes[path] = op.infer(*(shapes[source] for source in inputs))
        nodes.append(Node(path=path, op=op, inputs=inputs, shape=shapes[path], span=SPAN))
    named = tuple(Scope(path=p, kind="block", label=n, name=n, span=SPAN) for p, n in (scopes or {}).items())
    return Graph(
        name="Net", nodes=tuple(nodes), scopes=named, outputs=dict(outputs or {"output": nodes[-1].path}),
        init=dict(init or {}),
    )  # fmt: skip
