"""ONNX's operators -> ours: one function for each kind, which adds operators to the flat Graph."""

from archspec_onnx.decompile.handlers import (
    activations,
    arithmetic,
    channels,
    normalizations,
    passing,
    poolings,
    resizing,
    views,
    weighted,
)
from archspec_onnx.decompile.handlers.registry import HANDLERS

__all__ = [
    "HANDLERS", "activations", "arithmetic", "channels", "normalizations", "passing", "poolings", "resizing", "views",
    "weighted",
]  # fmt: skip
