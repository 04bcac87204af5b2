"""What `sweep` and `fit` share: amounts, an option for each thing that is measured, a bar of progress."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from archspec.cli.options import Decorated
from archspec.search.measures import MEASURES, Measure, amount


class Amount(click.ParamType[int]):
    """`100M`, `3.4M`, `10MB`."""

    name = "amount"

    def __init__(self, measure: Measure) -> None:
        self.measure = measure

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if not self.measure.bytes and str(value).rstrip()[-1:] in {"b", "B"}:
            self.fail(f"{value!r} is bytes, and this is a number of {self.measure.help}: 100M", param, ctx)
        return value if isinstance(value, int) else amount(str(value))


def for_each_measure(
    into: str, flags: Callable[[str], tuple[str, ...]], words: str
) -> Callable[[Decorated], Decorated]:
    """An option for each measure; the command gets those that are given as one dictionary."""

    def decorated(command: Decorated) -> Decorated:
        def wrapped(**arguments: Any) -> Any:
            given = {name: arguments.pop(f"{into}_{name}") for name in MEASURES}
            return command(**arguments, **{into: {name: value for name, value in given.items() if value is not None}})

        wrapped.__doc__, wrapped.__name__ = command.__doc__, command.__name__
        wrapped.__dict__.update(command.__dict__)
        for name, measure in reversed(MEASURES.items()):
            wrapped = click.option(
                *flags(measure.flag), f"{into}_{name}", type=Amount(measure), metavar=metavar(measure),
                help=f"{words} {measure.help}.",
            )(wrapped)  # fmt: skip
        return wrapped

    return decorated


def metavar(measure: Measure) -> str:
    return "BYTES" if measure.bytes else "N"


@contextmanager
def counting(size: int | None, hidden: bool = False) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, with the time that remains where it is known how many candidates there are.

    Gives what it is to be told: how many of them are counted.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    bar = Progress(
        BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(), console=console,
        disable=hidden or not console.is_terminal, transient=size is None,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=size)
        yield lambda done: bar.update(task, completed=done)
