"""Where a node of the Graph becomes nodes of ONNX, and the turns that several operators share."""

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import NodeProto, helper, numpy_helper

from archspec.graph import Node
from archspec.tensor import Padding, Shape

CHANNELS_LAST, CHANNELS_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)


class Site:
    """Where a node of the Graph is built: the nodes of ONNX that it adds, and their values' names."""

    def __init__(self, node: Node, dtype: np.dtype[Any], fresh: Callable[[str], str]) -> None:
        self.node = node
        self.dtype = dtype
        self.fresh = fresh
        """makes a name that no value has yet"""
        self.added: list[NodeProto] = []

    @property
    def exact(self) -> bool:
        """Whether an attribute of ONNX holds any number that the model's type does."""
        return self.dtype == np.float32

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """One node of ONNX; the name of its value."""
        name = self.fresh(f"{self.node.path}.{kind.lower()}")
        self.added.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def weight(self, name: str = "weight") -> str:
        """A tensor of the node, in its canonical layout."""
        return f"{self.node.path}.{name}"

    def constant(self, values: Any) -> str:
        """Numbers of the model's type that are not weights."""
        return self.add("Constant", value=numpy_helper.from_array(np.asarray(values, dtype=self.dtype)))

    def indices(self, *values: int) -> str:
        """Whole numbers that say where, or how many."""
        return self.add("Constant", value=numpy_helper.from_array(np.asarray(values, dtype=np.int64)))

    def reshape(self, x: str, *sides: int) -> str:
        """The same values in another shape; a side of 0 is that of the input, one of -1 what remains."""
        return self.add("Reshape", x, self.indices(*sides), allowzero=0)

    def shaped(self, x: str, shape: Shape) -> str:
        """The values as maps or vectors of a shape of the Graph, h×w×c or c."""
        return self.reshape(x, 0, shape[-1], *shape[:-1])


def per_channel(site: Site, name: str, shape: Shape) -> str:
    """A tensor with a number for each channel, as it is spread over the values of this shape."""
    return site.add("Unsqueeze", site.weight(name), site.indices(1, 2)) if len(shape) == 3 else site.weight(name)


def channels_last(site: Site, shape: Shape, x: str, inside: Callable[[str], str]) -> str:
    """What works on the last axis, on the channels of a map or a vector."""
    if len(shape) == 1:
        return inside(x)
    return site.add("Transpose", inside(site.add("Transpose", x, perm=CHANNELS_LAST)), perm=CHANNELS_FIRST)


def ends(pads: Padding) -> list[int]:
    """A padding as ONNX orders it: top, left, bottom, right."""
    return [pads.top, pads.left, pads.bottom, pads.right]


def padded(site: Site, pads: Padding, value: float, x: str) -> str:
    """A map with rows and columns of one value around it."""
    sides = site.indices(0, 0, pads.top, pads.left, 0, 0, pads.bottom, pads.right)
    return site.add("Pad", x, sides, site.constant(value), mode="constant")
