"""`archspec fmt`: specs in their canonical layout."""

import difflib
from collections.abc import Iterator
from pathlib import Path

import click

from archspec import driver
from archspec.cli.many import Many
from archspec.cli.options import many_specs, with_limits
from archspec.cli.output import complain, give, say
from archspec.diagnostics import SpecError
from archspec.files import whole_file
from archspec.limits import Limits
from archspec.loading import STDIN, read_source

WRONG = 1


@click.command()
@many_specs
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 where a file is not canonical.")
@click.option("--diff", is_flag=True, help="Change nothing; print what would change, and exit as --check.")
@click.option("--align", is_flag=True, help="Align the columns of tables with pipes, too.")
@with_limits
def fmt(specs: tuple[str, ...], check: bool, diff: bool, align: bool, limits: Limits) -> None:
    """Bring files, or all .arch files of a folder, into the canonical layout; - from standard input to standard output.

    Comments are kept, and tables byte for byte, unless --align is given. A file that does not parse is left as it is.
    A file that cannot be read or written is told, and the others are done; the exit code is 3.

    \b
    Examples:
      archspec fmt my_net.arch
      archspec fmt specs/ --check
      archspec fmt - < my_net.arch
    """

    def formatted(path: str) -> int:
        """Bring one file into the layout, or say what would be; the exit code that it is worth."""
        try:
            source = read_source(path, limits)
            after = driver.format_text(source.text, source.name, align=align, limits=limits)
        except SpecError as error:
            complain(error.diagnostics)
            return error.exit_code
        if diff:
            for line in difference(source.text, after, path):
                say(line)
        elif path == STDIN and not check:
            give(after)
        elif after != source.text:
            say(f"{'would reformat' if check else 'reformatted'} {path}", err=True)
            if not check:
                replace(Path(path), after)
        return WRONG if after != source.text and (check or diff) else 0

    many = Many(specs)
    if code := max([*many.each(formatted), many.exit_code]):
        raise click.exceptions.Exit(code)


def replace(path: Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_bytes(text.encode())


def difference(before: str, after: str, path: str) -> Iterator[str]:
    """The lines of a unified diff."""
    return difflib.unified_diff(before.splitlines(), after.splitlines(), path, path, lineterm="")
