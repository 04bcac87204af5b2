"""Texts of others -> what is written, in each kind of output as a text that means nothing else there.

Every kind of output has one function here, and tests/test_output.py lets nothing else make it. Controls, marks of
direction and what cannot be seen are spelled out (`<202E>`) as `printable` does; JSON has a word of its own for them.
"""

import html
import json
import re
from collections.abc import Iterable
from typing import Any

from archspec.printable import encodable, hidden, holds, printable

UNUSUAL = re.compile(r"[^\n\x20-\x7e]")
FORMULA = frozenset("=+-@＝＋－＠")
"""What a cell of a spreadsheet begins with that is computed (OWASP, CSV Injection)."""
NUMBER = re.compile(r"[+-]?[0-9][0-9,]*(\.[0-9]+)?([eE][+-]?[0-9]+)?%?|-+")
"""What begins so and is a number, or a sign alone."""
PARTED = re.compile(r'[",;\t]')
"""What a program may part a line of CSV at, whatever the country."""
LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": "$<$", ">": "$>$", "|": "$|$", "×": r"$\times$",
    "²": "$^2$", "³": "$^3$", "→": r"$\to$", "±": r"$\pm$", "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$",
    "ρ": r"$\rho$", "≤": r"$\le$", "≥": r"$\ge$", "√": r"$\surd$", "–": "--", "—": "---", "…": r"\ldots{}",
}  # fmt: skip
"""The characters that LaTeX has other words for."""
BETWEEN = re.compile(r"(?<!\\)\$\$")
"""The end of one formula and the beginning of the next."""
OPTIONS = frozenset("[*")
"""What LaTeX takes for an option of the line's end before it."""


def json_text(data: Any, indent: int | None = None, separators: tuple[str, str] | None = None) -> str:
    """Data as JSON."""
    return json_escaped(json.dumps(data, ensure_ascii=False, indent=indent, separators=separators))


def json_escaped(text: str, encoding: str = "utf-8") -> str:
    r"""JSON with `\u009b` for what could steer a terminal or an encoding does not have: the same data.

    Half of a pair, which no text has and many readers of JSON refuse, is spelled out: it is a byte of a file's name.
    """

    def written(match: re.Match[str]) -> str:
        if not hidden(match[0]) and holds(encoding, match[0]):
            return match[0]
        units = match[0].encode("utf-16-be")
        return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))

    return text if text.isascii() and "\x7f" not in text else UNUSUAL.sub(written, encodable(text))


def html_text(text: str) -> str:
    """A text in HTML."""
    return html.escape(printable(text))


def csv_line(cells: Iterable[object]) -> str:
    """A line of CSV, without its end."""
    return ",".join(csv_cell(cell) if isinstance(cell, str) else "" if cell is None else str(cell) for cell in cells)


def csv_cell(text: str) -> str:
    """A text in CSV; quotes are around what a program could part."""
    safe = inert(printable(text))
    return '"' + safe.replace('"', '""') + '"' if PARTED.search(safe) or safe != safe.strip() else safe


def inert(text: str) -> str:
    """A cell that no spreadsheet computes: an apostrophe stands before what it would."""
    begun = text.strip()
    return f"'{text}" if begun[:1] in FORMULA and not NUMBER.fullmatch(begun) else text


def bare(text: str) -> str:
    """A cell without the apostrophe that stands before what a spreadsheet would compute."""
    return text[1:] if text.startswith("'") and inert(text[1:]) == text else text


def markdown_cell(text: str) -> str:
    """A text in a table of Markdown."""
    return inert(printable(text)).replace("|", "\\|")


def latex_text(text: str) -> str:
    """A text in LaTeX."""
    return BETWEEN.sub("", "".join(LATEX.get(character, character) for character in printable(text)))


def latex_cell(text: str) -> str:
    """A text that may stand at the beginning of a row of LaTeX."""
    made = latex_text(text)
    return f"{{{made[0]}}}{made[1:]}" if made[:1] in OPTIONS else made
