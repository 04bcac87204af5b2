"""A network as the paper has it -> the same for smaller images: fewer channels, another input, a smaller stride in all.

A paper's network halves its image of 224 pixels five times. At 32 pixels that leaves one pixel long before the end, and
decides every comparison; what is done by hand for small images is to leave out the first halvings. All three changes
are made to the Graph, so that they work for every network, whatever parameters its spec has.
"""

from fractions import Fraction
from math import gcd

from msgspec import Struct

from archspec.errors import Refusal
from archspec.graph import Graph, Node
from archspec.ops import AnyOp, Conv, Input, Misfit
from archspec.ops.base import Window, pair
from archspec.ops.pooling import Pool
from archspec.tensor import Shape, shape_text

Strides = tuple[Fraction, Fraction]
"""Pixels of the image from one pixel of a map to the next, down and across."""
ONE = (Fraction(1), Fraction(1))
MULTIPLE = 8
"""What numbers of channels stay multiples of, as far as they were."""


class WrongScale(Refusal):
    """A network cannot be made so small."""


class Scale(Struct, frozen=True):
    """What a Graph is turned into."""

    image: Shape | None = None
    """(h, w, c) of its input"""
    stride: int | None = None
    """in all"""
    width: float = 1.0
    """by which numbers of channels are multiplied, except those of the outputs"""

    @property
    def nothing(self) -> bool:
        return self == Scale()


def total_stride(graph: Graph) -> int:
    """Pixels of the image from one pixel to the next of the smallest map before a pooling to a given size."""
    return int(max(max(found) for found in strides(graph).values()))


def strides(graph: Graph) -> dict[str, Strides]:
    """Pixels of the image from one pixel to the next of every node's map, as windows with strides make them."""
    found: dict[str, Strides] = {}
    for node in graph.nodes:
        here = max((found[path] for path in node.inputs), default=ONE)
        if isinstance(node.op, Window) and not covers(node, graph.input_shapes(node)[0]):
            here = (here[0] * node.op.strides[0], here[1] * node.op.strides[1])
        found[node.path] = here
    return found


def covers(node: Node, shape: Shape) -> bool:
    """Whether a node is a pooling over its whole map."""
    return isinstance(node.op, Pool) and pair(node.op.kernel) == shape[:2]


def scaled(graph: Graph, scale: Scale) -> Graph:
    """The Graph with another width, input or stride in all; itself where nothing changes.

    The first strides are left out until `stride` remains. A window whose stride is left out slides by one pixel, with
    the padding that it had; of a pooling that did not overlap (its stride is its size) one pixel remains. A pooling
    over the whole map stays one. Numbers of channels are multiplied and rounded to a multiple of 8 (of what they share
    with 8); depthwise convolutions follow. Raises `WrongScale` where the strides cannot be divided so, or where sizes
    then do not fit.
    """
    if scale.nothing:
        return graph
    now = total_stride(graph)
    wanted = now if scale.stride is None else scale.stride
    if wanted < 1 or now % wanted:
        can = ", ".join(str(i) for i in range(1, now + 1) if now % i == 0)
        raise WrongScale(f"{graph.name} has a stride of {now} in all, which cannot become {wanted}", f"but {can}")
    change = Change(graph, scale, now // wanted)
    nodes = tuple(change.node(node) for node in graph.nodes)
    # not `model_copy`, which keeps what the other Graph has worked out of its nodes
    return Graph(**{name: getattr(graph, name) for name in Graph.model_fields} | {"nodes": nodes})


class Change:
    """Changes the nodes of a Graph, in their order."""

    def __init__(self, graph: Graph, scale: Scale, left_out: int) -> None:
        self.graph, self.scale, self.left_out = graph, scale, left_out
        self.strides = strides(graph)
        self.fixed = set(classifiers(graph))
        self.shapes: dict[str, Shape] = {}

    def node(self, node: Node) -> Node:
        """A node with its new operator and shape; raises `WrongScale`."""
        inputs = tuple(self.shapes[path] for path in node.inputs)
        op = self.op(node, inputs)
        try:
            shape = op.infer(*inputs)
        except Misfit as misfit:
            what = f"{self.graph.name} at {shape_text(self.shapes.get(self.graph.input.path, ()))}"
            raise WrongScale(f"{what} with a stride of {self.scale.stride}: {misfit} (at {node.path})") from None
        self.shapes[node.path] = shape
        return node.model_copy(update={"op": op, "shape": shape})

    def op(self, node: Node, inputs: tuple[Shape, ...]) -> AnyOp:
        changed: dict[str, object] = {}
        op = node.op
        if isinstance(op, Input):
            return op.model_copy(update={"shape": self.scale.image or op.shape})
        if hasattr(op, "channels") and node.path not in self.fixed:
            changed["channels"] = channels(op.channels, self.scale.width)
        before = self.graph.input_shapes(node)
        if isinstance(op, Conv) and op.groups == before[0][-1]:
            changed["groups"] = inputs[0][-1]
        if covers(node, before[0]):
            changed["kernel"] = inputs[0][:2]
        elif isinstance(op, Window) and max(op.strides) > 1 and self.left_out > 1:
            changed |= self.slide(node, op)
        return op.model_copy(update=changed)

    def slide(self, node: Node, op: Window) -> dict[str, object]:
        """How a window moves once the first strides are left out."""
        after = self.strides[node.path]
        steps = []
        for reached, stride in zip(after, op.strides, strict=True):
            left = Fraction(self.left_out)
            step = stride * min(left, reached / stride) / min(left, reached)
            if step.denominator > 1:
                total = total_stride(self.graph) // self.left_out
                raise WrongScale(
                    f"{self.graph.name} with a stride of {total} in all: {stride} at {node.path} cannot become {step}"
                )
            steps.append(int(step))
        if isinstance(op, Pool) and op.strides == pair(op.kernel):
            return {"stride": tuple(steps), "kernel": tuple(steps)}
        return {"stride": tuple(steps)}


def channels(number: int, width: float) -> int:
    """A number of channels, scaled."""
    multiple = gcd(number, MULTIPLE)
    return max(multiple, round(number * width / multiple) * multiple)


def classifiers(graph: Graph) -> list[str]:
    """The nodes that say how many numbers an output has."""
    found = []
    for path in graph.outputs.values():
        node = graph.by_path[path]
        while not hasattr(node.op, "channels") and len(node.inputs) == 1:
            node = graph.by_path[node.inputs[0]]
        found.append(node.path)
    return found
