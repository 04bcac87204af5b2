"""Bytes -> `Source`: a file or standard input as text, never more of it than the limit allows."""

import sys
from pathlib import Path

from archspec.diagnostics import SpecError
from archspec.limits import Limits
from archspec.source import Source, Span
from archspec.syntax.errors import LimitReached, NotText

STDIN = "-"
BOM = "\ufeff"


def read_source(name: str, limits: Limits) -> Source:
    """The text of the file `name`, `-` for standard input. Raises `OSError`, or `SpecError` where it is not text."""
    most = limits.source * 4 + 1
    if name == STDIN:
        return decode("<stdin>", sys.stdin.buffer.read(most), limits)
    path = Path(name)
    with path.open("rb") as file:
        return decode(name, file.read(most), limits)


def decode(name: str, data: bytes, limits: Limits) -> Source:
    """UTF-8, with or without a byte-order mark."""
    if len(data) > limits.source * 4:
        start = Span(Source(name, ""), 0, 0)
        found = f"more than {limits.source * 4} bytes"
        raise SpecError([LimitReached(start, "the file is too long", found, limits.source, "--max-source")])
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SpecError([NotText(Span(Source(name, ""), 0, 0), "it begins like UTF-16")])
    try:
        return Source(name, data.decode("utf-8").removeprefix(BOM))
    except UnicodeDecodeError as error:
        source = Source(name, data.decode("utf-8", errors="replace").removeprefix(BOM))
        at = len(data[: error.start].decode("utf-8").removeprefix(BOM))
        raise SpecError([NotText(Span(source, at, at + 1), f"byte 0x{data[error.start]:02X}")]) from None
