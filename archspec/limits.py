"""The declared limits: what a spec may ask for before it is told no.

They stand between a typing error and a machine out of memory; every one can be raised from the command line.
"""

from msgspec import Struct


class Limits(Struct, frozen=True):
    """Upper bounds, inclusive. Reaching one is a diagnostic with exit code 4, never a crash."""

    nodes: int = 100_000
    """nodes in a graph, and block instances while it is elaborated"""
    size: int = 2**20
    """height, width and channels of any tensor"""
    nesting: int = 100
    """parentheses in an expression; blocks within blocks"""
    source: int = 8 * 2**20
    """characters of a spec"""
    tokens: int = 60_000
    """words and marks of a spec outside of its tables"""


DEFAULT_LIMITS = Limits()
