"""`python -m training.often …`: archspec, whose runs lay a checkpoint down after every evaluation."""

import sys
from functools import partial

from archspec.cli.commands import run
from archspec.train import compare, task

if __name__ == "__main__":
    compare.Task = partial(task.Task, every=0.0)  # type: ignore[assignment, misc]
    sys.exit(run(sys.argv[1:]))
