"""Bytes -> `Source`: a file or standard input as text, never more of it than the limit allows."""

import sys
from pathlib import Path

from archspec import kinds
from archspec.diagnostics import SpecError
from archspec.limits import Limits
from archspec.source import BOM, Source, Span
from archspec.syntax.errors import AnotherKind, LimitReached, NotText

STDIN = "-"
LETTERS = 32
"""Bytes whose zeros tell an encoding."""


def read_source(name: str, limits: Limits) -> Source:
    """The text of the file `name`, `-` for standard input. Raises `OSError`, or `SpecError` where it is not text."""
    most = limits.source * 4 + 1
    if name == STDIN:
        return decode("<stdin>", sys.stdin.buffer.read(most), limits)
    path = Path(name)
    with path.open("rb") as file:
        return decode(name, file.read(most), limits)


def decode(name: str, data: bytes, limits: Limits) -> Source:
    """UTF-8, with or without a byte-order mark; raises `SpecError` for anything else."""
    start = Span(Source(name, ""), 0, 0)
    if kind := kinds.of_bytes(data):
        raise SpecError([AnotherKind(start, kind)])
    if wide := encoding(data):
        raise SpecError([NotText(start, f"it is {wide}", wide)])
    if len(data) > limits.source * 4:
        found = f"more than {limits.source * 4} bytes"
        raise SpecError([LimitReached(start, "the file is too long", found, limits.source, "--max-source")])
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


def encoding(data: bytes) -> str | None:
    """UTF-16 or UTF-32, by its byte-order mark or by the zeros beside its letters; None where it is neither."""
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "UTF-32"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    head = data[:LETTERS]
    for name, width, place in (("UTF-32LE", 4, 0), ("UTF-32BE", 4, 3), ("UTF-16LE", 2, 0), ("UTF-16BE", 2, 1)):
        zeros = b"".join(head[i::width] for i in range(width) if i != place)
        if len(head) >= 2 * width and head[place::width].isascii() and 0 not in head[place::width] and not any(zeros):
            return name
    return None
