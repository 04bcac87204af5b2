"""Experiments that measure what papers argue: `archspec lab`.

Their modules import numpy, scipy and matplotlib, so that whoever imports one calls `ready` first.
"""

from importlib import import_module

from archspec.optional import needing

NEEDED = ("numpy", "scipy", "matplotlib")


def ready() -> None:
    """Raise `MissingFramework` where a library of the laboratory is not installed."""
    with needing("the laboratory", "train"):
        for module in NEEDED:
            import_module(module)
