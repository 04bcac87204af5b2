"""Room on Python's stack: nesting is bounded by a declared limit, and not by the interpreter's."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from archspec.diagnostics import SpecError
from archspec.limits import Limits
from archspec.source import Source, Span
from archspec.syntax.errors import LimitReached

FRAMES = 20
"""Python frames that one level of nesting may take."""


def allow(limits: Limits) -> None:
    """Give Python's stack room for as much nesting as is allowed, for all that this process does from now on.

    For programs of archspec's own: a library leaves the limit to whoever calls it.
    """
    sys.setrecursionlimit(max(sys.getrecursionlimit(), limits.nesting * FRAMES + 1000))


@contextmanager
def deep(limits: Limits, source: Source) -> Iterator[None]:
    """A diagnostic instead of the end of Python's stack."""
    try:
        yield
    except RecursionError:
        start = Span(source, 0, 0)
        what = "blocks, functions and parentheses together are nested too deep"
        raise SpecError([LimitReached(start, what, "no room left", limits.nesting, "--max-nesting")]) from None
