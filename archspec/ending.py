"""A process that is asked to end (SIGTERM), as an exception: what it holds is given up on the way out."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTED = 128 + signal.SIGINT
"""How a process ends that Ctrl-C interrupts."""


class Ended(SystemExit):
    """Not a `SystemExit` that somebody else's code raises, which says that this code does not work."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


@contextmanager
def unwrapped() -> Iterator[None]:
    """Raise what a signal raised where Python before 3.12 wraps it: while a class is made."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error.__cause__, KeyboardInterrupt | Ended):
            raise error.__cause__ from None
        raise
