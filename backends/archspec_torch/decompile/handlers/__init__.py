"""torch's operators -> ours: one function for each kind, which adds operators to the flat Graph."""

from archspec_torch.decompile.handlers import (
    activations,
    arithmetic,
    channels,
    normalizations,
    passing,
    poolings,
    resizing,
    response,
    views,
    weighted,
)
from archspec_torch.decompile.handlers.registry import HANDLERS

__all__ = [
    "HANDLERS", "activations", "arithmetic", "channels", "normalizations", "passing", "poolings", "resizing",
    "response", "views", "weighted",
]  # fmt: skip
