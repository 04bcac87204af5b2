"""Channels that a model takes apart, scales one by one and joins -> the value that they are all of.

What a channel is multiplied by, and what is added to it, are numbers of the framework: a backend joins those itself.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from archspec.decompile.layouts import Value
from archspec.decompile.model import Builder
from archspec.ops import Slice


class Affine(Protocol):
    """A value as another one times factors, plus constants."""

    @property
    def x(self) -> Value:
        """The other one"""


A = TypeVar("A", bound=Affine)


def of_slices(
    builder: Builder, scaled: Mapping[str, A], parts: Sequence[Value]
) -> tuple[Value, list[tuple[A | None, int]]] | None:
    """The value whose channels these parts are, all of them in order, and how each part is scaled and how wide it is.

    `scaled` says how values are scaled, by their paths; a part that it does not name is the slice itself. None where
    the parts are anything else.
    """
    nodes = {node.path: node for node in builder.nodes}
    found: list[tuple[A | None, int]] = []
    sources: set[str] = set()
    start = 0
    for part in parts:
        own = scaled.get(part.path)
        node = nodes[own.x.path if own is not None else part.path]
        if not isinstance(node.op, Slice) or node.op.start != start:
            return None
        start = node.op.stop
        found.append((own, node.op.stop - node.op.start))
        sources.add(node.inputs[0])
    if len(sources) != 1:
        return None
    (source,) = sources
    return (Value(source, parts[0].layout), found) if start == builder.shapes[source][-1] else None
