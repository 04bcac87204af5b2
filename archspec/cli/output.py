"""What the commands print: text on stdout, diagnostics on stderr."""

import os
import sys
from collections.abc import Iterable

import click

from archspec import report
from archspec.diagnostics import Diagnostic

MOST_SHOWN = 50
COLORS = {"error": "red", "warning": "yellow", "place": "blue", "help": "green", "label": "cyan"}


def say(text: str | None) -> None:
    if text is not None:
        click.echo(text)


def style(text: str, part: str) -> str:
    return click.style(text, fg=COLORS.get(part), bold=part in {"error", "warning", "message"})


def complain(diagnostics: Iterable[Diagnostic]) -> None:
    """Diagnostics on stderr, in colour on a terminal."""
    colored = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    found = list(diagnostics)
    for diagnostic in found[:MOST_SHOWN]:
        click.echo(report.text_of(diagnostic, style if colored else report.plain) + "\n", err=True)
    if len(found) > MOST_SHOWN:
        click.echo(f"… and {len(found) - MOST_SHOWN} more", err=True)
