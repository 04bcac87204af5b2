"""Room on Python's stack: nesting is bounded by a declared limit, and not by the interpreter's."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from archspec.diagnostics import SpecError
from archspec.limits import Limits
from archspec.source import Source, Span
from archspec.syntax.errors import LimitReached
from archspec.uncollected import uncollected

FRAMES = 20
"""Python frames that one level of nesting may take."""


@contextmanager
def deep(limits: Limits, source: Source) -> Iterator[None]:
    """Room on Python's stack for as much nesting as is allowed, and a diagnostic instead of its end; `uncollected`."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, limits.nesting * FRAMES + 1000))
    try:
        with uncollected():
            yield
    except RecursionError:
        start = Span(source, 0, 0)
        what = "blocks, functions and parentheses together are nested too deep"
        raise SpecError([LimitReached(start, what, "no room left", limits.nesting, "--max-nesting")]) from None
    finally:
        sys.setrecursionlimit(before)
