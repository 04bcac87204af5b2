"""Where a node of the Graph becomes layers of Keras, and the turns that several operators share."""

from collections import Counter
from collections.abc import Callable
from importlib import import_module
from typing import Any

import keras
import numpy

from archspec.graph import Node
from archspec.tensor import Padding, Shape
from archspec.weights.memory import fresh
from archspec_keras.names import helper_name, layer_name

Tensor = Any
"""A `keras.KerasTensor`: what the model will compute, N×h×w×c or N×c."""

LAST = {"data_format": "channels_last"}
"""For every layer that asks: else it would follow a setting of Keras."""
NONE = Padding(0, 0, 0, 0)
ALIGNMENT = 64
"""Of TensorFlow's tensors, in bytes."""
WEIGHTS = ("kernel_initializer", "depthwise_initializer")
"""Of a layer's options, those by which large variables begin."""


class Untouched(keras.initializers.Zeros):  # type: ignore[misc]  # Keras carries no types
    """Zeros that take no memory, for weights that are given others before anybody looks."""

    def __call__(self, shape: Shape, dtype: Any = None) -> Any:
        return shared(fresh(tuple(shape), dtype or "float32"))

    def settle(self) -> None:
        """Be plain zeros from now on, as which Keras writes them into files."""
        object.__setattr__(self, "__class__", keras.initializers.Zeros)


def shared(array: Any) -> Any:
    """A tensor in the memory of an array that nobody else holds, where Keras can; else the array.

    TensorFlow copies arrays, twice and slowly: 0.6 s for the first classifier of VGG. By DLPack it takes their memory,
    if that begins where its own would.
    """
    if keras.backend.backend() != "tensorflow" or array.ctypes.data % ALIGNMENT:
        return array
    return import_module("tensorflow").experimental.dlpack.from_dlpack(array.__dlpack__())


class Site:
    """Where a node is built: its own layer, which has its name and its weights, comes after those that help it."""

    def __init__(self, node: Node, dtype: str, seed: int) -> None:
        self.node = node
        self.dtype = dtype
        self.seed = seed
        """of what is drawn while training"""
        self.helpers: Counter[str] = Counter()

    def layer(
        self, kind: Callable[..., Any], x: Tensor | list[Tensor], helps: str | None = None, **options: Any
    ) -> Any:
        """A layer, applied: the node's own, or one that helps it."""
        zeros = Untouched()
        options = {key: zeros if key in WEIGHTS and value == "zeros" else value for key, value in options.items()}
        applied = kind(name=self.name(helps), dtype=self.dtype, **options)(x)
        zeros.settle()
        return applied

    def operation(self, function: Callable[..., Any], x: Tensor, helps: str | None = None, **options: Any) -> Tensor:
        """A function of `keras.ops`, for what no layer of Keras computes."""
        value = function(x, **options)
        # the functions take no name, and what they make up counts on from model to model
        value._keras_history.operation.name = self.name(helps)
        return value

    def name(self, helps: str | None) -> str:
        if helps is None:
            return layer_name(self.node.path)
        self.helpers[helps] += 1
        return helper_name(self.node.path, helps, self.helpers[helps])

    def holds(self, value: float) -> bool:
        """Whether float32, through which TensorFlow takes attributes, changes no number of the model's type."""
        return self.dtype == "float32" or float(numpy.float32(value)) == value

    def rescaled(self, x: Tensor, helps: str, scale: float, offset: float = 0.0) -> Tensor:
        """The values times `scale`, plus `offset`."""
        if self.holds(scale) and self.holds(offset):
            return self.layer(keras.layers.Rescaling, x, helps, scale=scale, offset=offset)
        x = self.operation(keras.ops.multiply, x, helps, x2=scale)
        return self.operation(keras.ops.add, x, helps, x2=offset) if offset else x

    def padded(self, x: Tensor, pads: Padding, value: float = 0.0, helps: str | None = "pad") -> Tensor:
        """A map with rows and columns of one value around it."""
        if pads == NONE and helps is not None:
            return x
        if value == 0:
            return self.layer(keras.layers.ZeroPadding2D, x, helps, padding=ends(pads), **LAST)
        around = ((0, 0), *ends(pads), (0, 0))
        return self.operation(keras.ops.pad, x, helps, pad_width=around, mode="constant", constant_values=value)

    def cropped(self, x: Tensor, pads: Padding) -> Tensor:
        """A map without so many rows and columns at its sides."""
        return x if pads == NONE else self.layer(keras.layers.Cropping2D, x, "crop", cropping=ends(pads), **LAST)

    def pooled(
        self, kind: Callable[..., Any], x: Tensor, helps: str | None, kernel: tuple[int, int], strides: tuple[int, int]
    ) -> Tensor:
        """The windows that fit into a map."""
        return self.layer(kind, x, helps, pool_size=kernel, strides=strides, padding="valid", **LAST)


def ends(pads: Padding) -> tuple[tuple[int, int], tuple[int, int]]:
    """A padding as Keras orders it: (top, bottom), (left, right)."""
    return (pads.top, pads.bottom), (pads.left, pads.right)


def sides(axis: int, before: int, after: int) -> Padding:
    """A padding of one axis of a map, 0 being down and 1 across."""
    return Padding(before, after, 0, 0) if axis == 0 else Padding(0, 0, before, after)


def along(axis: int, value: int, other: int = 1) -> tuple[int, int]:
    """A number for one axis, and another for the other."""
    return (value, other) if axis == 0 else (other, value)
