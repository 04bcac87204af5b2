"""What the commands that train share: their options, the data, a bar of progress."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import click

from archspec.cli.options import Decorated
from archspec.cli.output import say
from archspec.elaborate.parameters import limited
from archspec.limits import Limits

if TYPE_CHECKING:
    from archspec.tensor import Shape
    from archspec.train.data import Data
    from archspec.train.protocol import Recipe
    from archspec.train.task import Task


class Numbers(click.ParamType[tuple[float, ...]]):
    """`1,0.25,0.1`."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        try:
            found = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not numbers with commas between: 1,0.25,0.1", param, ctx)
        if not all(0 < number < float("inf") for number in found):
            self.fail(f"{value!r} has a number that is not above 0", param, ctx)
        return tuple(sorted(set(found), reverse=True))


class Rates(Numbers):
    """Learning rates; none where it is `auto`."""

    name = "auto|rates"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        return () if value == "auto" else super().convert(value, param, ctx)


def with_training(command: Decorated) -> Decorated:
    """The options of how a network is trained."""
    for option in reversed(
        [
            click.option("--data", "source", default="digits", show_default=True, metavar="DATA",
                         help="digits, clutter, cifar10:PATH, cifar100:PATH, folder:PATH or npz:PATH."),
            click.option("--backend", default="torch", show_default=True, help="Which framework trains."),
            click.option("--steps", type=click.IntRange(1, 10**9), metavar="N", help="Steps of every run."),
            click.option("--interval", type=click.IntRange(1, 10**9), metavar="N",
                         help="Steps from one evaluation to the next."),
            click.option("--batch", type=click.IntRange(1, 10**6), metavar="N", help="Images of a step."),
            click.option("--lr", "rates", type=Rates(), metavar="RATES", default="auto", show_default=True,
                         help="Learning rates to choose from by validation: 0.001 or 0.001,0.01; auto: a small grid."),
            click.option("--schedule", type=click.Choice(["constant", "cosine"]), help="Of the rate after warm-up."),
            click.option("--augment", type=click.Choice(["none", "flip", "crop", "crop-flip"]),
                         help="What is drawn for every training image."),
            click.option("--width", type=click.FloatRange(0, 100, min_open=True), metavar="X",
                         help="Multiply every number of channels."),
            click.option("--stride", type=click.IntRange(1, 10**6), metavar="N",
                         help="In all: leave out the first strides until N remains."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def recipe(
    usual: int, steps: int | None, interval: int | None, batch: int | None, schedule: str | None, augment: str | None
) -> "Recipe":
    """The recipe that options say; what they leave open follows from the number of steps.

    The average of the weights reaches over a ninth of them, so that it settles although the rate stays high.
    """
    from archspec.train.protocol import Recipe

    total = steps or usual
    said: dict[str, Any] = {
        "steps": total, "interval": min(interval or max(1, total // 20), total), "warmup": max(1, total // 10),
        "batch": batch, "schedule": schedule, "augment": augment, "average": round(1 - 1 / max(10, total / 9), 6),
    }  # fmt: skip
    return Recipe(**{name: value for name, value in said.items() if value is not None})


def prepared(source: str, image: "Shape | None", folder: Path, limits: Limits) -> "Data":
    """The data that `--data` and `--input` say; raises `SpecError`, `Refusal` or `OSError`."""
    from archspec.train.data import prepare

    if image is not None:
        limited(image, limits)  # before images are brought to that size
    side = None if image is None else (image[0], image[1] if len(image) > 1 else image[0])
    return prepare(source, side, folder)


@contextmanager
def progress(runs: Path) -> Iterator[Callable[[str, Sequence["Task"]], None]]:
    """A bar on stderr with the time that remains; gives what it is to be told: what is done, and its runs."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from archspec.train import runs as folder

    console = Console(stderr=True)
    bar = Progress(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
                   TextColumn("{task.fields[ended]} runs"), TimeElapsedColumn(), TextColumn("remaining"),
                   TimeRemainingColumn(), console=console, disable=not console.is_terminal)  # fmt: skip
    current: list[tuple[Any, list[Any]]] = []
    stop = Event()

    def look() -> None:
        for task, tasks in current[-1:]:
            ended = sum((runs / t.key / folder.RESULT).exists() for t in tasks)
            steps = sum(min(folder.progress(runs, t.key)[0], t.recipe.steps) for t in tasks)
            bar.update(task, completed=steps, ended=f"{ended}/{len(tasks)}")

    def told(what: str, tasks: "Sequence[Task]") -> None:
        own = list({task.key: task for task in tasks}.values())
        if not current or bar.tasks[-1].description != what:
            total = sum(task.recipe.steps for task in own)
            current.append((bar.add_task(what, total=total, ended=f"0/{len(own)}"), own))
            if not console.is_terminal:
                say(f"{what}: {len(own)} runs", err=True)
        look()

    def watch() -> None:
        while not stop.wait(0.5):
            look()

    with bar:
        thread = Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield told
        finally:
            stop.set()
            thread.join()
