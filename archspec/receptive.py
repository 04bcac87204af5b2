"""`Graph` -> the receptive field of every node: how much of the image one of its pixels can see.

Exact for windows (Araujo et al., Computing Receptive Fields of Convolutional Neural Networks, Distill 2019, eq. 2);
where paths meet, the widest counts. Statistics of normalisations are not counted, padding is.
"""

from fractions import Fraction
from math import ceil

from archspec.graph import Graph

Field = tuple[int, int]
"""pixels of the image, down and across"""
UNIT = (Fraction(1), Fraction(1))


def receptive_fields(graph: Graph) -> dict[str, Field | None]:
    """By a node's path; None where it sees the whole image (and every vector does)."""
    fields: dict[str, Field | None] = {graph.input.path: (1, 1)}
    exact: dict[str, tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]] | None]
    exact = {graph.input.path: (UNIT, UNIT) if len(graph.input.shape) == 3 else None}
    for node in graph.nodes[1:]:
        given = [exact[path] for path in node.inputs]
        sight = node.op.sight(*graph.input_shapes(node))
        if sight is None or None in given:
            exact[node.path], fields[node.path] = None, None
            continue
        known = [pair for pair in given if pair is not None]
        size, jump = (tuple(max(pair[i][side] for pair in known) for side in (0, 1)) for i in (0, 1))
        (down, across), (step_down, step_across) = sight
        seen = size[0] + (down - 1) * jump[0], size[1] + (across - 1) * jump[1]
        exact[node.path] = seen, (jump[0] * step_down, jump[1] * step_across)
        fields[node.path] = ceil(seen[0]), ceil(seen[1])
    return fields
