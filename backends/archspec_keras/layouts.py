"""Canonical layouts of weights <-> those of Keras' layers, by the class of the layer, as Keras writes it in files.

What is not in the table has one value for each channel, and is the same in both except for sides of 1.
"""

from typing import Any

import numpy

from archspec.weights.memory import fresh

Array = numpy.ndarray[Any, Any]
STRIPE = 256
"""Channels that are transposed at a time."""


def canonical(layer_class: str, variable: str, array: Array) -> Array:
    """A variable of a layer of Keras in the layout of docs/weights.md; as it is where its shape is not the layer's."""
    match layer_class, variable, array.ndim:
        case "conv2d", "kernel", 4:
            return array.transpose(3, 2, 0, 1)
        case "depthwise_conv2d", "kernel", 4:
            height, width, channels, multiplier = array.shape
            return array.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
        case "dense", "kernel", 2:
            return array.transpose()
        case "p_re_lu", "alpha", _ if array.size == array.shape[-1]:
            return array.reshape(-1)
    return array


def native(layer_class: str, variable: str, array: Array, shape: tuple[int, ...]) -> Array:
    """A tensor in the canonical layout as the variable, of that shape, of a layer of Keras."""
    match layer_class, variable:
        case "conv2d", "kernel":
            return transposed(array, (2, 3, 1, 0))
        case "depthwise_conv2d", "kernel":
            height, width, channels, multiplier = shape
            return array.reshape(channels, multiplier, height, width).transpose(2, 3, 0, 1)
        case "dense", "kernel":
            return transposed(array, (1, 0))
    return array.reshape(shape)


def transposed(array: Array, axes: tuple[int, ...]) -> Array:
    """The array with its first axis last, in memory of its own as it reads.

    A stripe of what comes last at a time: numpy by itself goes through all of a large array for each of its rows, which
    takes 2.5 times as long.
    """
    made: Array = fresh(tuple(array.shape[axis] for axis in axes), array.dtype)
    for start in range(0, len(array), STRIPE):
        stripe = slice(start, start + STRIPE)
        made[..., stripe] = array[stripe].transpose(axes)
    return made
