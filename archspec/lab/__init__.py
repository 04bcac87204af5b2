"""Experiments that measure what papers argue: `archspec lab`.

Their modules import numpy, scipy and matplotlib, so that whoever imports one calls `ready` first.
"""

from importlib import import_module

from archspec.backend import MissingFramework

NEEDED = ("numpy", "scipy", "matplotlib")


def ready() -> None:
    """Raise `MissingFramework` where a library of the laboratory is not installed."""
    for module in NEEDED:
        try:
            import_module(module)
        except ImportError:
            raise MissingFramework("the laboratory", module, "train") from None
