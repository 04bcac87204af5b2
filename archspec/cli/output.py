"""What the commands print: text on stdout, diagnostics on stderr."""

import os
import sys
from collections.abc import Iterable

import click

from archspec import report
from archspec.diagnostics import Diagnostic
from archspec.elaborate.inference import Inferred
from archspec.printable import printable
from archspec.spec import Spec

MOST_SHOWN = 50
COLORS = {"error": "red", "warning": "yellow", "place": "blue", "help": "green", "label": "cyan"}


def say(text: str | None) -> None:
    if text is not None:
        click.echo(text)


def say_inferred(spec: Spec) -> None:
    """What was solved for in the rows of a network, on stderr."""
    if spec.solved:
        click.echo(inferred_text(spec.name, spec.solved), err=True)


def inferred_text(name: str, inferred: Iterable[Inferred]) -> str:
    """`inferred in N: row 1: s = 2, row 2: s = 1`."""
    return f"inferred in {printable(name)}: {', '.join(map(str, inferred))}"


def reason(error: OSError) -> str:
    """Why a file cannot be read or written, with its name."""
    name = f"{error.filename}: " if error.filename else ""
    return f"{name}{error.strerror or error}"


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
