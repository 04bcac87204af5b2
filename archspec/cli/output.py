"""What the commands print: text on stdout, diagnostics and words on stderr; nothing else in `cli` prints.

Whatever is printed moves no cursor and turns no text, and what the stream's encoding does not have is spelled out.
"""

import codecs
import os
import re
import select
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from traceback import walk_tb

import click

from archspec import report
from archspec.diagnostics import Diagnostic
from archspec.elaborate.inference import Inferred
from archspec.escape import json_escaped
from archspec.printable import printable, spelled
from archspec.sheet import Sheet, cell
from archspec.spec import Spec

MOST_SHOWN = 50
BELOW = re.compile(r"\n(?=  )")
"""The end of a line below which a message goes on."""
JUDGING = {"check", "fmt", "verify"}
"""Commands whose exit code is what they are asked for: they go on to it when nobody reads what they print."""
COLORS = {"error": "red", "warning": "yellow", "place": "blue", "help": "green", "label": "cyan"}


def ready() -> None:
    """Let stdout and stderr spell out what their encoding does not have, whoever writes it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=SPELLED)


def spelled_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(spelled, error.object[error.start : error.end])), error.end


SPELLED = "archspec-spelled"
codecs.register_error(SPELLED, spelled_out)


def on_terminal() -> bool:
    """Whether a person reads what goes to stdout."""
    return sys.stdout.isatty()


def say(line: str, err: bool = False) -> None:
    """Print a line of words; line ends in it are those of somebody else's text, and spelled out."""
    emit(f"{printable(line)}\n", err)


def show(text: str, err: bool = False) -> None:
    """Print a text of lines that a writer has made: a table, what is said of a code."""
    emit("".join(f"{printable(line)}\n" for line in text.split("\n")), err)


def show_lines(lines: Iterable[str]) -> None:
    """Print the lines of a text that a writer makes, each when it comes."""
    for line in lines:
        emit(f"{printable(line)}\n", flush=False)


def show_json(text: str) -> None:
    """Print JSON; what the encoding of stdout does not have is escaped as JSON does."""
    emit(json_escaped(text, sys.stdout.encoding or "utf-8") + "\n")


def give(text: str) -> None:
    """Print a source, which a file or another program gets as it is and in UTF-8, whatever stdout's encoding is."""
    if on_terminal():
        show(text.removesuffix("\n"))
    else:
        give_bytes(text.encode())


def give_bytes(data: bytes) -> None:
    """Write a file to stdout; one that a program has put in its place may take texts alone."""
    with named():
        sys.stdout.flush()
        binary = getattr(sys.stdout, "buffer", None)
        if binary is None:
            sys.stdout.write(data.decode())
            return
        binary.write(data)
        binary.flush()


def emit(text: str, err: bool = False, flush: bool = True) -> None:
    if err:
        # where that cannot be read, the exit code says it
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()
        return
    try:
        with named():
            sys.stdout.write(text)
            if flush:
                sys.stdout.flush()
    except BrokenPipeError:
        context = click.get_current_context(silent=True)
        if context is None or context.info_name not in JUDGING or not unread():
            raise
        silence()


def unread() -> bool:
    """Whether whoever read our output has gone."""
    asked = select.poll()
    asked.register(sys.stdout, 0)
    return any(found & select.POLLERR for _, found in asked.poll(0))


def silence() -> None:
    """Print to nobody from now on; Python must not complain while it closes stdout."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def named() -> Iterator[None]:
    """Let an error say that it is stdout which cannot be written."""
    try:
        yield
    except OSError as error:
        error.filename = "stdout"
        raise


def boxes(sheet: Sheet) -> None:
    """Print a table with boxes and colours."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    note = "\n".join(map(printable, sheet.note.split("\n")))
    table = Table(title=Text(printable(sheet.title)), caption=Text(note), caption_justify="left")
    for header, right in zip(sheet.headers, sheet.numeric, strict=True):
        table.add_column(Text(printable(header)), justify="right" if right else "left", overflow="fold")
    for row in sheet.rows:
        table.add_row(*(Text(cell(value)) for value in row))
    if sheet.total:
        table.add_section()
        table.add_row(*(Text(cell(value)) for value in sheet.total), style="bold")
    Console().print(table)


def say_inferred(spec: Spec) -> None:
    """What was solved for in the rows of a network, on stderr."""
    if spec.solved:
        say(inferred_text(spec.name, spec.solved), err=True)


def inferred_text(name: str, inferred: Iterable[Inferred]) -> str:
    """`inferred in N: row 1: s = 2, row 2: s = 1`."""
    return f"inferred in {name}: {', '.join(map(str, inferred))}"


def reason(error: OSError) -> str:
    """Why a file cannot be read or written, with its name."""
    name = error.filename or ("stdout" if printed_by_click(error) else None)
    return f"{f'{name}: ' if name else ''}{error.strerror or error}"


def printed_by_click(error: OSError) -> bool:
    """Whether click was printing, which it does to stdout alone: a help text, a version, what a shell completes."""
    return any(frame.f_code is click.echo.__code__ for frame, _ in walk_tb(error.__traceback__))


def style(text: str, part: str) -> str:
    return click.style(text, fg=COLORS.get(part), bold=part in {"error", "warning", "message"})


def complain(diagnostics: Iterable[Diagnostic]) -> None:
    """Diagnostics on stderr, in colour on a terminal."""
    colored = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    found = list(diagnostics)
    for diagnostic in found[:MOST_SHOWN]:
        # which is printable in all its parts, except the colours
        emit(report.text_of(diagnostic, style if colored else report.plain) + "\n\n", err=True)
    if len(found) > MOST_SHOWN:
        say(f"… and {len(found) - MOST_SHOWN} more", err=True)


def fail(message: str, advice: str | None = None) -> None:
    """An error without a place in a spec, on stderr; lines after the first are indented, all others are forged."""
    for line in BELOW.split(f"error: {message}"):
        say(line, err=True)
    if advice:
        say(f" = help: {advice}", err=True)


def refuse(error: click.ClickException) -> None:
    """What is wrong with a command line, on stderr, as click words it."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        show(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n", err=True)
    message = f"Error: {error.format_message()}"
    # click lists what may be given in lines, and then nothing was given that could be in them
    for line in message.split("\n") if isinstance(error, click.MissingParameter) else [message]:
        say(line, err=True)
