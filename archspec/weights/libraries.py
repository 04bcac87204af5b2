"""What weights in a file need: imported when they are read, written or drawn."""

from typing import Any

from archspec.backend import MissingFramework

EXTRA = "weights"


def numpy() -> Any:
    """The module numpy; raises `MissingFramework`."""
    try:
        import numpy
    except ModuleNotFoundError:
        raise MissingFramework("weights", "numpy", EXTRA) from None
    return numpy


def safetensors() -> Any:
    """The module safetensors, with its numpy part; raises `MissingFramework`."""
    numpy()
    try:
        import safetensors.numpy
    except ModuleNotFoundError:
        raise MissingFramework("weights in a file", "safetensors", EXTRA) from None
    return safetensors
