"""Memory for large arrays."""

from math import prod
from mmap import ACCESS_COPY, mmap
from typing import Any

from archspec.tensor import Shape
from archspec.weights.libraries import numpy
from archspec.weights.match import Array

LARGE = 2**20
"""Bytes from which an array has memory pages of its own."""


def fresh(shape: Shape, dtype: Any) -> Array:
    """A new array of zeros; a large one begins with a page of memory, and takes no more than is written to.

    For those numpy asks for huge pages, which the kernel may have to put together first: to build VGG-16 for Keras took
    2.2 instead of 1.3 seconds.
    """
    np = numpy()
    count = prod(shape)
    size = count * np.dtype(dtype).itemsize
    if size < LARGE:
        return np.zeros(shape, dtype)
    # a copy of nothing: memory of this process alone
    return np.frombuffer(mmap(-1, size, access=ACCESS_COPY), dtype, count).reshape(shape)
