"""Stages: how often a network has halved its image, which is what networks of different shapes are aligned by."""

from math import log2, prod

from msgspec import Struct

from archspec.graph import Graph
from archspec.tensor import BYTES, Shape

HEAD = 99
"""The stage of what has no map any more: vectors, and one pixel."""


class Stage(Struct, frozen=True):
    """What the operators of one stage come to."""

    number: int
    """1 for maps of about half the image's height, 2 for a quarter; `HEAD`"""
    heights: tuple[int, ...]
    """of its maps, in pixels, in their order"""
    params: int
    macs: int
    activations: int
    """bytes in float32 of all that its operators give out"""
    nodes: int


def stage_of(image: Shape, shape: Shape) -> int:
    """The stage of a map or a vector: 112×112×32 of 224×224×3 is in stage 1, 147×147 of 299×299 too."""
    if len(shape) != 3 or len(image) != 3 or shape[0] == shape[1] == 1:
        return HEAD
    return max(0, round(log2(image[0] / shape[0])))


def stage_label(number: int) -> str:
    """`1/4`; `head`."""
    return "head" if number == HEAD else "1" if number == 0 else f"1/{2**number}"


def stages(graph: Graph) -> tuple[Stage, ...]:
    """The counts of a network by its stages, the head last; they add up to those of the whole."""
    found: dict[int, list[int]] = {}
    heights: dict[int, dict[int, None]] = {}
    for node in graph.nodes[1:]:
        number = stage_of(graph.input.shape, node.shape)
        given = graph.input_shapes(node)
        counts = found.setdefault(number, [0, 0, 0, 0])
        for i, value in enumerate((node.op.params(*given), node.op.macs(*given), prod(node.shape) * BYTES["fp32"], 1)):
            counts[i] += value
        if number != HEAD:
            heights.setdefault(number, {})[node.shape[0]] = None
    return tuple(Stage(number, tuple(heights.get(number, ())), *found[number]) for number in sorted(found))
