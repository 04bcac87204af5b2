"""Runs on several processes, of this machine or of a cluster, by joblib."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from joblib import delayed

from archspec.errors import Refusal
from archspec.train import runs
from archspec.train.record import Record
from archspec.train.task import Task
from archspec.workers import answered, workers

ATTEMPTS = 3
"""How often a worker may die without any run having come farther before that."""


class Lost(Refusal):
    """Workers die again and again."""


def run(tasks: Sequence[Task], folder: Path, jobs: int, cluster: str | None, told: Callable[[], None]) -> list[Record]:
    """The records of all tasks, those that have ended read, the others made; raises `Refusal`.

    `cluster` is `dask://HOST:PORT` or `ray://HOST:PORT`; its workers need to reach the folder. A worker that dies costs
    the run that it was at, which is begun again. `told` is called when a run ends.
    """
    folder = folder.resolve()  # workers may be somewhere else
    found: dict[str, Record | None] = {task.key: runs.ended(folder, task.key) for task in tasks}
    open_tasks = {task.key: task for task in tasks if found[task.key] is None}
    with workers(jobs, cluster):
        without, farthest = 0, -1
        while open_tasks and without < ATTEMPTS:
            try:
                for key, record in made(list(open_tasks.values()), folder, cluster):
                    found[key] = record
                    del open_tasks[key]
                    told()
            except Exception as error:
                if not died(error):
                    raise
                found |= {key: runs.ended(folder, key) for key in open_tasks}
                open_tasks = {key: task for key, task in open_tasks.items() if found[key] is None}
            steps = sum(runs.progress(folder, key)[0] for key in found)
            without, farthest = (0, steps) if steps > farthest else (without + 1, farthest)
    if open_tasks:
        raise Lost(f"a worker died {ATTEMPTS} times in a row, and {len(open_tasks)} runs are not done",
                   "less memory may be needed: a smaller --batch, or -j 1")  # fmt: skip
    return [ended for task in tasks if (ended := found[task.key]) is not None]


def made(tasks: Sequence[Task], folder: Path, cluster: str | None) -> Iterator[tuple[str, Record]]:
    """Runs with their keys, as they end, or all at the end where the workers' library has them no sooner."""
    parent = os.getpid() if cluster is None else None
    calls = (delayed(work)(task, folder, parent) for task in tasks)
    yield from answered(calls, ordered=False, pre_dispatch="n_jobs")


def work(task: Task, folder: Path, parent: int | None) -> tuple[str, Record]:
    """What a worker does."""
    if parent not in (None, os.getpid()):
        runs.end_with(os.getppid())
    return task.key, runs.execute(task, folder)


def died(error: Exception) -> bool:
    """Whether an error says that a worker ended."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(
        names & {"TerminatedWorkerError", "BrokenProcessPool", "KilledWorker", "RayActorError", "WorkerCrashedError"}
    )
