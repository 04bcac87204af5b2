"""Python's garbage collector, paused while something large is made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is collected meanwhile, also where it stands as a decorator.

    What is made is kept, and going through it again and again would make large networks cost more for each node than
    small ones.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
