"""Keras without what TensorFlow tells everybody on stderr whenever it is imported."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO

STDERR = 2
TOLD = (b"WARNING: All log messages before absl::InitializeLog()", b"I0000 ", b"To enable the following instructions:")
"""What lines begin with that say which processor was found: they are written before the log can be set."""


@contextmanager
def unadvised() -> Iterator[None]:
    """Without TensorFlow's advice to call one model often instead of many once."""
    log = logging.getLogger("tensorflow")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


@contextmanager
def quiet() -> Iterator[None]:
    """Leave such lines out of what libraries write on stderr meanwhile; all others follow at the end."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    kept = os.dup(STDERR)
    with scratch() as told:
        os.dup2(told.fileno(), STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, STDERR)
            os.close(kept)
            told.seek(0)
            with suppress(OSError):  # nobody reads it
                os.write(STDERR, b"".join(line for line in told if not line.startswith(TOLD)))


def scratch() -> IO[bytes]:
    """A file of nobody else's: in memory alone, where the system has such files."""
    return open(os.memfd_create("told"), "w+b") if sys.platform == "linux" else TemporaryFile()
