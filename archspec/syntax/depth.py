"""Room on Python's stack: nesting is bounded by a declared limit, and not by the interpreter's."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from archspec.diagnostics import SpecError
from archspec.limits import Limits
from archspec.source import Source, Span
from archspec.syntax.errors import LimitReached

FRAMES = 20
"""Python frames that one level of nesting may take."""


@contextmanager
def deep(limits: Limits, source: Source) -> Iterator[None]:
    """Room on Python's stack for as much nesting as is allowed, and a diagnostic instead of its end.

    No garbage is collected meanwhile: what is made here is kept, and going through it again and again would make
    large networks cost more for each node than small ones.
    """
    before, collecting = sys.getrecursionlimit(), gc.isenabled()
    gc.disable()
    sys.setrecursionlimit(max(before, limits.nesting * FRAMES + 1000))
    try:
        yield
    except RecursionError:
        start = Span(source, 0, 0)
        what = "blocks, functions and parentheses together are nested too deep"
        raise SpecError([LimitReached(start, what, "no room left", limits.nesting, "--max-nesting")]) from None
    finally:
        sys.setrecursionlimit(before)
        if collecting:
            gc.enable()
