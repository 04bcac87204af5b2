"""One thread that thinks, the most urgent job first: what was typed, then what was asked, then what can wait.

Everything that knows a document lives on this thread, so nothing is locked but the queue.
"""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
TYPED, ASKED, LATER = range(3)
STACK = 64 * 2**20
"""Bytes: nesting that the limits allow fits on any platform's thread."""

log = logging.getLogger(__name__)


class Interrupted(Exception):
    """Something more urgent is to be done; what was begun is begun again later."""


@dataclass(order=True, slots=True)
class Job:
    """Something to do, not before a moment."""

    urgency: int
    number: int
    work: Callable[[], Any] = field(compare=False)
    future: "Future[Any]" = field(compare=False)
    earliest: float = field(compare=False, default=0.0)


class Worker:
    """Runs jobs on a thread of its own until it is closed."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.waiting: list[Job] = []
        """jobs whose moment has not come"""
        self.numbers = itertools.count()
        self.changed = threading.Condition()
        self.current = LATER
        self.closed = False
        before = threading.stack_size(STACK)
        self.thread = threading.Thread(target=self.run, name="archspec", daemon=True)
        self.thread.start()
        threading.stack_size(before)

    def submit(self, urgency: int, work: Callable[[], T], after: float = 0.0) -> "Future[T]":
        """Do this, `after` so many seconds at the earliest; what raises `Interrupted` is begun again."""
        future: Future[T] = Future()
        with self.changed:
            job = Job(urgency, next(self.numbers), work, future, time.monotonic() + after if after else 0.0)
            if after:
                self.waiting.append(job)
            else:
                heapq.heappush(self.jobs, job)
            self.changed.notify()
        return future

    def urgent(self) -> bool:
        """Whether something is waiting that goes before what is done now."""
        return self.closed or bool(self.jobs and self.jobs[0].urgency < self.current)

    def close(self) -> None:
        """Stop after the job that runs; it is interrupted where it gives way."""
        with self.changed:
            self.closed = True
            self.changed.notify()

    def run(self) -> None:
        while (job := self.next()) is not None:
            self.current = job.urgency
            try:
                result = job.work()
            except Interrupted:
                self.again(job)
            except Exception as error:
                log.exception("a job failed")
                job.future.set_exception(error)
            else:
                job.future.set_result(result)
            finally:
                self.current = LATER

    def again(self, job: Job) -> None:
        with self.changed:
            heapq.heappush(self.jobs, job)

    def next(self) -> Job | None:
        """The next job that nobody has cancelled; waits for it."""
        with self.changed:
            while not self.closed:
                self.ripen()
                if self.jobs:
                    job = heapq.heappop(self.jobs)
                    if job.future.running() or job.future.set_running_or_notify_cancel():
                        return job
                    continue
                self.changed.wait(self.patience())
        return None

    def ripen(self) -> None:
        """Queue the jobs whose moment has come."""
        now = time.monotonic()
        for job in [job for job in self.waiting if job.earliest <= now]:
            self.waiting.remove(job)
            heapq.heappush(self.jobs, job)

    def patience(self) -> float | None:
        """Seconds until the next moment; None if nothing is due."""
        if not self.waiting:
            return None
        return max(0.0, min(job.earliest for job in self.waiting) - time.monotonic())
