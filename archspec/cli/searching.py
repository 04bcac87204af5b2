"""What `sweep` and `fit` share: amounts, and an option for each thing that is measured."""

from collections.abc import Callable
from typing import Any

import click

from archspec.cli.options import Decorated
from archspec.search.measures import MEASURES, Measure, amount


class Amount(click.ParamType[int]):
    """`100M`, `3.4M`, `10MB`."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
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
                *flags(measure.flag), f"{into}_{name}", type=Amount(), metavar=metavar(measure),
                help=f"{words} {measure.help}.",
            )(wrapped)  # fmt: skip
        return wrapped

    return decorated


def metavar(measure: Measure) -> str:
    return "BYTES" if measure.bytes else "N"
