"""The specs that a command goes through: one that cannot be read is told, and the others are done."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import click
from msgspec import Struct

from archspec.cli.output import fail, reason

T = TypeVar("T")
ENVIRONMENT = 3


class Unread(Struct, frozen=True):
    """A file that cannot be read, and why."""

    file: str
    why: str


class Many:
    """The specs that are given, a folder replaced by the files in it; and what could not be read."""

    def __init__(self, specs: Iterable[str]) -> None:
        self.specs = specs
        self.unread: list[Unread] = []

    def each(self, work: Callable[[str], T]) -> Iterator[T]:
        """What is made of every spec; an `OSError` is told on stderr, and the next one is done."""
        for spec, folder in expanded(self.specs):
            try:
                if folder and not Path(spec).is_file():
                    # a pipe of a folder would be waited for; one that is named is read, as standard input is
                    raise unlike_a_file(Path(spec))
                made = work(spec)
            except OSError as error:
                self.unread.append(Unread(spec, error.strerror or str(error)))
                fail(reason(error))
            else:
                yield made

    @property
    def exit_code(self) -> int:
        return ENVIRONMENT if self.unread else 0


def expanded(specs: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """The specs, a folder replaced by the files in it; and whether a folder stood for one."""
    for spec in specs:
        if Path(spec).is_dir():
            found = sorted(Path(spec).glob("*.arch"))
            if not found:
                raise click.UsageError(f"there is no .arch file in {spec}")
            yield from ((str(file), True) for file in found)
        else:
            yield spec, False


def unlike_a_file(path: Path) -> OSError:
    """Why something in a folder is not read."""
    if not path.exists():
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return OSError(errno.EINVAL, "it is not a file", str(path))
