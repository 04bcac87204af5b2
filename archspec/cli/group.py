"""The group of all commands, which imports those of other modules when they are called."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from archspec.cli.output import named, silence, unread
from archspec.errors import Refusal
from archspec.limits import DEFAULT_LIMITS
from archspec.syntax import cache
from archspec.syntax.depth import allow

ELSEWHERE = {
    "chart": "chart:chart", "check": "check:check", "compare": "compare:compare", "evaluate": "train:evaluate",
    "fit": "fit:fit", "fmt": "fmt:fmt", "import": "importing:import_", "lab": "lab:lab", "lsp": "lsp:lsp",
    "render": "render:render_command", "serve": "serve:serve", "sweep": "sweep:sweep", "table": "table:table",
    "train": "train:train", "verify": "verify:verify", "weights": "weights:weights",
}  # fmt: skip
"""Commands in modules of their own, which are imported when one of these is called."""
LASTING = {"lsp", "serve"}
"""Commands that run until somebody stops them, and remember by themselves what they need."""
SHORT = {"chart", "check", "explain", "fmt", "graph", "list", "render", "stats", "table"}
"""Commands that end before there is much garbage: none of it is collected."""


class Commands(click.Group):
    """The commands of this module and those elsewhere."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _, name = ELSEWHERE[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"archspec.cli.{module}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        found = super().resolve_command(ctx, args)
        allow(DEFAULT_LIMITS)
        if found[0] not in LASTING:
            cache.begin()
        if found[0] not in SHORT:
            gc.enable()
        return found

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with read_or_not():  # help is printed here
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with read_or_not():
            made = super().invoke(ctx)
            if not sys.stdout.closed:  # as the language server leaves it
                with named():
                    sys.stdout.flush()
            return made


@contextmanager
def read_or_not() -> Iterator[None]:
    """That nobody reads the rest of what is printed ends a command, and is not an error."""
    try:
        yield
    except BrokenPipeError:  # which click, if it saw it, would take for a failure of stdout, which it is not
        if not unread():
            raise Refusal("a process that this one works with has ended") from None
        silence()
        raise click.exceptions.Exit(0) from None
