"""Memory is asked for before it is used: a number of bytes -> a refusal with the sum, or nothing."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from math import prod
from pathlib import Path
from typing import Any, ClassVar

from archspec.errors import Refusal
from archspec.graph import Graph

CONTAINERS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux says what a container may have, by the newer and the older way."""
UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
raised: ContextVar[int | None] = ContextVar("raised", default=None)
"""Bytes that are allowed instead of what the machine has."""


class TooLarge(Refusal):
    """Something needs more memory than there is."""

    exit_code: ClassVar[int] = 4


@contextmanager
def at_most(size: int | None) -> Iterator[None]:
    """Allow so many bytes, whatever the machine has; None for what it has."""
    before = raised.set(size)
    try:
        yield
    finally:
        raised.reset(before)


def check_weights(graph: Graph, dtype: Any = "float32") -> None:
    """Raise `TooLarge` where the weights of a Graph, once, are more than the memory that there is."""
    bits = re.search("16|64", str(dtype))
    each = int(bits[0]) // 8 if bits else 4
    check(f"the weights of `{graph.name}`", each * sum(map(prod, graph.tensors().values())))


def check(what: str, size: int) -> None:
    """Raise `TooLarge` for more bytes than there are."""
    given = raised.get()
    most = memory() if given is None else given
    if most is not None and size > most:
        whose = "this machine has" if given is None else "the limit is"
        advice = "`--max-memory N` sets a limit of N GiB instead"
        raise TooLarge(f"{what} need {amount(size)}, and {whose} {amount(most)}", advice)


def memory() -> int | None:
    """The bytes that this process may have in all; None where the system does not say."""
    known = []
    with suppress(OSError, ValueError, AttributeError):
        known.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for file in CONTAINERS:
        with suppress(OSError, ValueError):
            known.append(int(file.read_text()))
    if sys.platform != "win32":
        import resource

        limits = (resource.getrlimit(which)[0] for which in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
        known += [limit for limit in limits if limit != resource.RLIM_INFINITY]
    return min(known, default=None)


def amount(size: int) -> str:
    """`3.6 TiB`, `23 GiB`."""
    unit = min(max(size.bit_length() - 1, 0) // 10, len(UNITS) - 1)
    scaled = size / 1024**unit
    return f"{scaled:,.1f} {UNITS[unit]}" if unit and scaled < 10 else f"{scaled:,.0f} {UNITS[unit]}"
