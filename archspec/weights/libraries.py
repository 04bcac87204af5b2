"""What weights in a file need: imported when they are read, written or drawn."""

from typing import Any

from archspec.optional import needing

EXTRA = "weights"


def numpy() -> Any:
    """The module numpy; raises `MissingFramework`."""
    with needing("arithmetic on weights", EXTRA):
        import numpy
    return numpy


def safetensors() -> Any:
    """The module safetensors, with its numpy part; raises `MissingFramework`."""
    numpy()
    with needing("a file of weights", EXTRA):
        import safetensors.numpy
    return safetensors
