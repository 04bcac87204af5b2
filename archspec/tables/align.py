"""The columns of a table with pipes, one below the other."""

import re
from itertools import zip_longest

from archspec.printable import width

PIPE = re.compile(r"(?<!\\)\|")
DASHES = re.compile(r"(:?)-+(:?)")


def aligned(body: str) -> str:
    """The text of a table, its cells padded to the width of their columns; as it is where it is not pipes.

    Cells keep their text, and lines their indentation.
    """
    lines = body.split("\n")
    found = {number: cells(line) for number, line in enumerate(lines) if line.strip().startswith("|")}
    if not found or any(line.strip() not in {"", "{", "}"} for n, line in enumerate(lines) if n not in found):
        return body
    rules = {number for number, row in found.items() if all(map(DASHES.fullmatch, row))}
    wide = [[0 if number in rules else width(text) for text in row] for number, row in found.items()]
    sizes = [max(column) for column in zip_longest(*wide, fillvalue=0)]
    for number, row in found.items():
        line = lines[number]
        indent, ending = line[: len(line) - len(line.lstrip())], "\r" if line.endswith("\r") else ""
        parts = [
            ruled(text, size) if number in rules else f" {text}{' ' * (size - width(text))} "
            for text, size in zip(row, sizes, strict=False)
        ]
        lines[number] = f"{indent}|{'|'.join(parts)}|{ending}"
    return "\n".join(lines)


def cells(line: str) -> list[str]:
    """The cells of a line between its outer pipes, which it may have on the left alone."""
    text = line.strip()
    parts = [part.strip() for part in PIPE.split(text)[1:]]
    return parts[:-1] if text.endswith("|") and not text.endswith("\\|") else parts


def ruled(dashes: str, size: int) -> str:
    """The line below a header, which keeps its colons."""
    left, right = (":" if dashes.startswith(":") else "-"), (":" if dashes.endswith(":") and dashes != ":" else "-")
    return f"{left}{'-' * size}{right}"
