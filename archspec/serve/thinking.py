"""Work of the page's server in processes of its own, each with a budget of time and memory.

A process that is over its budget, or whose client has gone, is ended, and another takes its place. Work that is not
quick gives up its place to others and goes on beside them, so that nobody waits long for somebody else's network.
"""

import atexit
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from msgspec import Struct

from archspec.errors import Refusal, SpecError
from archspec.limits import DEFAULT_LIMITS
from archspec.syntax.depth import allow

STACK = 64 * 2**20
"""Bytes: nesting that the limits allow fits on any platform's thread."""
log = logging.getLogger(__name__)


class Budget(Struct, frozen=True):
    """What work may take."""

    seconds: float = 30
    memory: int = 2**31
    """bytes of a process, where the system keeps to it"""
    quick: float = 2
    """seconds after which others go on beside it"""
    places: int = 2
    """works that are quick, or not known not to be, at once"""
    slow: int = 2
    """works that are not, at once"""
    patience: float = 30
    """seconds in which a request must have come whole"""


class Over(Exception):
    """Work is over its budget; the text says of what."""


class Refused(Exception):
    """A spec or a backend refuses; the text says why."""


class Gone(Exception):
    """The client does not wait for the answer."""


class Thinker:
    """One process, and the pipe to it."""

    def __init__(self, memory: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=think, args=(other, memory), daemon=True)
        self.process.start()
        other.close()

    def end(self) -> None:
        """End the process and what it started."""
        with suppress(OSError):
            if sys.platform != "win32" and self.process.pid is not None:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.join()
        self.pipe.close()


class Job:
    """Work that was asked for, which whoever asked may stop."""

    def __init__(self, work: Callable[..., Any], *arguments: Any) -> None:
        self.asked = work, arguments
        self.stopped = threading.Event()

    def stop(self) -> None:
        self.stopped.set()


class Thinkers:
    """The processes of one server."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.idle: list[Thinker] = []
        self.places = threading.BoundedSemaphore(budget.places)
        self.slow = threading.BoundedSemaphore(budget.slow)
        self.all: set[Thinker] = set()
        self.closed = threading.Event()
        atexit.register(self.close)

    def close(self) -> None:
        """End every process, and what waits for them."""
        self.closed.set()
        for thinker in list(self.all):
            self.all.discard(thinker)
            thinker.end()

    def do(self, job: Job) -> Any:
        """What the work gives; raises `Over`, `Refused` or `Gone`."""
        while not self.places.acquire(timeout=0.1):
            self.check(job)
        quick, thinker = True, None
        try:
            thinker = self.idle.pop() if self.idle else self.started()
            began = time.monotonic()
            thinker.pipe.send(job.asked)
            while not thinker.pipe.poll(0.05):
                self.check(job)
                taken = time.monotonic() - began
                if taken > self.budget.seconds:
                    raise Over(f"this takes more than {self.budget.seconds:g} seconds")
                if quick and taken > self.budget.quick:
                    if not self.slow.acquire(blocking=False):
                        raise Over(f"{self.budget.slow} others take long already: try again when they are done")
                    quick = False
                    self.places.release()
            kind, made = thinker.pipe.recv()
        except (EOFError, OSError):
            self.replaced(thinker)
            self.check(job)
            raise Over(f"{self.too_large}, or ended its process") from None
        except (Over, Gone):
            self.replaced(thinker)
            raise
        finally:
            (self.places if quick else self.slow).release()
        if kind == "memory":
            self.replaced(thinker)
            raise Over(self.too_large)
        self.idle.append(thinker)
        if kind == "refused":
            raise Refused(made)
        if kind == "failed":
            log.error("a request failed: %s", made)
            raise Over("this met a fault of archspec, which the server's log tells of")
        return made

    @property
    def too_large(self) -> str:
        return f"this takes more than {self.budget.memory // 2**20:,} MiB of memory"

    def check(self, job: Job) -> None:
        """Raise `Gone` where nobody waits for the answer any more."""
        if job.stopped.is_set() or self.closed.is_set():
            raise Gone

    def started(self) -> Thinker:
        """A new process, once it is ready; raises `OSError` or `EOFError`."""
        thinker = Thinker(self.budget.memory)
        self.all.add(thinker)
        thinker.pipe.recv()
        return thinker

    def replaced(self, thinker: Thinker | None) -> None:
        """End a process; the next work starts another."""
        if thinker is not None:
            self.all.discard(thinker)
            thinker.end()


# ---- within the process ----


def think(pipe: Connection, memory: int) -> None:
    """Do what comes through a pipe, until it is closed."""
    # Ctrl-C in the terminal is for the server, which closes the pipe
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        import resource

        os.setsid()
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (memory, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    allow(DEFAULT_LIMITS)
    threading.stack_size(STACK)
    thread = threading.Thread(target=answer_all, args=(pipe,))
    thread.start()
    thread.join()


def answer_all(pipe: Connection) -> None:
    pipe.send("ready")
    while True:
        try:
            work, arguments = pipe.recv()
        except (EOFError, OSError):
            return
        with suppress(BrokenPipeError):
            pipe.send(answered(work, arguments))


def answered(work: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[str, Any]:
    """What work gives, or why it gives nothing."""
    try:
        return "made", work(*arguments)
    except (SpecError, Refusal) as error:
        return "refused", str(error)
    except MemoryError:
        return "memory", None
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}"
