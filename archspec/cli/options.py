"""What the commands share: the SPEC argument, parameters, limits."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from archspec import foreign, library
from archspec.elaborate.evaluate import Value
from archspec.elaborate.parameters import value_of
from archspec.limits import DEFAULT_LIMITS, Limits
from archspec.syntax.depth import allow

Decorated = Callable[..., Any]
Parameters = tuple[tuple[str, Value], ...]


class SpecName(click.ParamType[str]):
    """A path, `path:Variant`, a bundled name, or `-`."""

    name = "spec"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = sorted({*library.specs(), *library.members()})
        found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return [*found, CompletionItem(incomplete, type="file")]


class Assignment(click.ParamType[tuple[str, Value]]):
    """`name=value`."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Value]:
        name, equals, text = str(value).partition("=")
        if not equals or not name.strip().isidentifier():
            self.fail(f"{value!r} is not name=value", param, ctx)
        return name.strip(), value_of(text.strip())


class Image(click.ParamType[tuple[int, ...]]):
    """`224x224`, `224x224x3` or `224`."""

    name = "HxW[xC]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        sides = re.split("[xX×]", str(value))
        if not 1 <= len(sides) <= 3 or not all(re.fullmatch("[1-9][0-9]{0,9}", side) for side in sides):
            self.fail(f"{value!r} is not an input: 224x224, 224x224x3 or 224", param, ctx)
        return tuple(map(int, sides))


class Folder(click.Path):
    """A folder to write into; the suffix of a file is refused, since a folder would surprise."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, file_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(value)
        if not path.is_dir() and foreign.meaning("file", path.suffix):
            self.fail(f"this writes a folder of several files, and {str(value)!r} has the suffix of a file", param, ctx)
        return super().convert(value, param, ctx)


def one_spec(command: Decorated) -> Decorated:
    return click.argument("spec", type=SpecName())(command)


def many_specs(command: Decorated) -> Decorated:
    return click.argument("specs", metavar="SPEC...", type=SpecName(), nargs=-1, required=True)(command)


def once(ctx: click.Context, param: click.Parameter, given: Parameters) -> Parameters:
    """The parameters; raises `BadParameter` where one is given twice."""
    names = [name for name, _ in given]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise click.BadParameter(f"{twice!r} is given twice", ctx, param)
    return given


def with_parameters(command: Decorated) -> Decorated:
    return click.option(
        "-p", "--param", "params", type=Assignment(), multiple=True, metavar="NAME=VALUE", callback=once,
        help="A parameter of the network; may be given several times.",
    )(command)  # fmt: skip


def with_image(command: Decorated) -> Decorated:
    return click.option(
        "--input", "image", type=Image(), metavar="HxW[xC]", help="The input's size instead of the spec's own: 160x160."
    )(command)


def with_limits(command: Decorated) -> Decorated:
    """`--max-nodes` and its kin; the command gets one `limits`."""

    def wrapped(**arguments: Any) -> Any:
        limits = Limits(**{name: arguments.pop(f"max_{name}") for name in Limits.__struct_fields__})
        allow(limits)
        return command(**arguments, limits=limits)

    wrapped.__doc__ = command.__doc__
    wrapped.__name__ = command.__name__
    wrapped.__dict__.update(command.__dict__)
    for name in Limits.__struct_fields__:
        wrapped = click.option(
            f"--max-{name}", type=click.IntRange(1, MOST[name]), default=getattr(DEFAULT_LIMITS, name),
            show_default=True, metavar="N", help=f"Limit: {LIMITS[name]}.",
        )(wrapped)  # fmt: skip
    return wrapped


def with_memory(command: Decorated) -> Decorated:
    """`--max-memory`: what the command may use, instead of what the machine has."""

    def wrapped(**arguments: Any) -> Any:
        given = arguments.pop("max_memory")
        # imported here: most commands use no weights
        from archspec.room import at_most

        with at_most(None if given is None else given * 2**30):
            return command(**arguments)

    wrapped.__doc__, wrapped.__name__ = command.__doc__, command.__name__
    wrapped.__dict__.update(command.__dict__)
    return click.option(
        "--max-memory", type=click.IntRange(1, 2**30), metavar="N",
        help="Limit: GiB of weights.  [default: what this machine has]",
    )(wrapped)  # fmt: skip


allow_nonfinite = click.option(
    "--allow-nonfinite", is_flag=True, help="Take weights from a file though some of them are infinite or NaN."
)


MOST = {"nodes": 2**40, "size": 2**40, "nesting": 10_000, "source": 2**28, "tokens": 2**28}
"""The largest value of each limit. Python's stack has room for this nesting."""
LIMITS = {
    "nodes": "nodes of a graph",
    "size": "height, width and channels of a tensor",
    "nesting": "blocks and parentheses within each other",
    "source": "characters of a spec",
    "tokens": "words and marks of a spec outside of its tables",
}
