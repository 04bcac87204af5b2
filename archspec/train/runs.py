"""The folder of runs: each has an address that follows from what it is, and is there whole or not at all.

runs/ADDRESS/task.json        what was trained, and how
             progress.json    steps made, processor seconds spent
             result.json      its `Record`; the run has ended when it is there
             tensorboard/     its curves
"""

import fcntl
import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import process_time, sleep
from typing import Any

from archspec.backend import get
from archspec.files import whole_file
from archspec.train.evaluation import measured
from archspec.train.record import Point, Record
from archspec.train.task import Task, Trains, Watch
from archspec.weights import encode
from archspec.weights import load as load_weights

RESULT, PROGRESS, BEST = "result.json", "progress.json", "best.safetensors"


def execute(task: Task, runs: Path, keep: bool = False) -> Record:
    """A run's record: read where the run has ended, else made, going on from its last checkpoint.

    Two processes never work at one run. With `keep` its best weights stay (`best.safetensors`).
    """
    folder = runs / task.key
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        found = ended(runs, task.key)
        if found is None or (keep and not (folder / BEST).exists()):
            write(folder / "task.json", task.about)
            found = made(task, folder)
            write(folder / RESULT, found.model_dump(mode="json"))
        if not keep:
            (folder / BEST).unlink(missing_ok=True)
    return found


def ended(runs: Path, key: str) -> Record | None:
    """The record of a run that has ended."""
    path = runs / key / RESULT
    return Record.model_validate_json(path.read_bytes()) if path.exists() else None


def progress(runs: Path, key: str) -> tuple[int, float]:
    """How many steps a run has made, and the processor seconds that it took."""
    try:
        found = json.loads((runs / key / PROGRESS).read_bytes())
        return found["step"], found["seconds"]
    except (OSError, ValueError, KeyError):
        return 0, 0.0


def made(task: Task, folder: Path) -> Record:
    backend, story = get(task.backend, Trains), Story(task, folder)
    watch = Watch(story.keep, story.tell)
    backend.fit(task, watch, folder)
    model = backend.build(
        task.graph, weights=load_weights(folder / BEST, task.graph, finite=False), dtype=task.recipe.dtype
    )
    batches = task.batches()
    test, train = (measured(backend, model, task.graph, batches.evaluation(name)) for name in ("test", "train"))
    images = task.data.sizes["validation"]
    return Record(points=tuple(watch.points), test=test.accuracy, train=train.accuracy, images=images)


class Story:
    """What a run lays down on its way; it may be told by another process than the one that begins it."""

    def __init__(self, task: Task, folder: Path) -> None:
        self.task, self.folder = task, folder
        self.before, self.start, self.process = progress(folder.parent, folder.name)[1], process_time(), os.getpid()

    def tell(self, point: Point) -> None:
        start = self.start if os.getpid() == self.process else 0.0
        write(self.folder / PROGRESS, {"step": point.step, "seconds": self.before + process_time() - start})

    def keep(self, weights: Mapping[str, Any]) -> None:
        with whole_file(self.folder / BEST) as temporary:
            temporary.write_bytes(encode(weights, self.task.graph))


def write(path: Path, value: Any) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", "utf-8")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other process works in a folder; what a process holds is free when it dies."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def end_with(parent: int) -> None:
    """End this process when the one that started it does, which need not have had the time to say so."""

    def watch() -> None:
        while os.getppid() == parent:
            sleep(0.5)
        os._exit(1)

    if not any(thread.name == "end_with" for thread in threading.enumerate()):
        threading.Thread(target=watch, name="end_with", daemon=True).start()


def forget(runs: Path) -> None:
    """Remove every run."""
    shutil.rmtree(runs, ignore_errors=True)
