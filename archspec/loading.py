"""Bytes -> `Source`: a file or standard input as text, never more of it than the limit allows."""

import sys
from pathlib import Path

from archspec.diagnostics import SpecError
from archspec.limits import Limits
from archspec.source import BOM, Source, Span
from archspec.syntax.errors import LimitReached, NotText

STDIN = "-"


def read_source(name: str, limits: Limits) -> Source:
    """The text of the file `name`, `-` for standard input. Raises `OSError`, or `SpecError` where it is no text."""
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
        text, wrong = data.decode("utf-8"), None
    except UnicodeDecodeError as error:
        text, wrong = data.decode("utf-8", errors="replace"), error
    source = Source(name, text.removeprefix(BOM), marked=text.startswith(BOM))
    if wrong is not None:
        at = len(data[: wrong.start].decode("utf-8").removeprefix(BOM))
        # no end: what is shown for the byte is longer than it
        raise SpecError([NotText(Span(source, at, at), f"byte 0x{data[wrong.start]:02X}")])
    return source
