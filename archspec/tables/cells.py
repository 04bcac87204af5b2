"""What a cell says: a shape, a number, a value, or the tokens of an operator.

Each is parsed by the start rule of its column's role. Before that, the shapes in which papers write one sign are
made one, character for character, so that a position in the cell stays a position in the file.
"""

import re

from archspec.source import Span
from archspec.syntax import parse_cell, parsed_cell, tree
from archspec.tables.table import Cell

MISSING = frozenset({"", "-", "–", "—", "−", "‐", "n/a", "N/A"})
DITTO = frozenset({'"', "″", "〃", "''", "”", "ditto"})
TICKS = {"✓": True, "✔": True, "√": True, "✗": False, "✘": False}
SPACES = dict.fromkeys(map(ord, "\v\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"), " ")
SPACES |= dict.fromkeys(range(0x2000, 0x200B), " ")
SIGNS = SPACES | str.maketrans({"$": " ", "−": "-", "#": "♯", "⨯": "×", "✕": "×"})
SEPARATOR = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
TIMES = re.compile(r"\\times|\\cdot")


def normalize(text: str) -> str:
    """One spelling for every sign, in as many characters."""
    return TIMES.sub(lambda word: "×".ljust(len(word[0])), text.translate(SIGNS))


def missing(cell: Cell) -> bool:
    return cell.text in MISSING


def shape_claim(cell: Cell) -> tuple[tree.Expr, ...] | None:
    """The sides that a cell claims: three, two (height and width), or one (a vector); None where it claims nothing.

    Raises `SpecError` where the cell is no shape.
    """
    if missing(cell):
        return None
    sides: tuple[tree.Expr, ...] = parse_cell("shape_cell", cell.span.source, cell.span.start, normalize(cell.text))
    return sides


def number_claim(cell: Cell) -> tree.Quantity | None:
    """The number that a cell claims; None where it claims nothing. Raises `SpecError` where it is no number."""
    if missing(cell):
        return None
    text = SEPARATOR.sub("_", normalize(cell.text))
    quantity: tree.Quantity = parse_cell("number_cell", cell.span.source, cell.span.start, text)
    return quantity


def value(span: Span, text: str) -> tree.Expr:
    """What a cell or a hole says: nothing, a number, an expression of names, or else its text."""
    if text in MISSING:
        return tree.Constant(span, None)
    if text in TICKS:
        return tree.Constant(span, TICKS[text])
    expression: tree.Expr | None = parsed_cell("value_cell", span.source, span.start, normalize(text))
    return tree.Text(span, text) if expression is None else expression


def corrected(cell: Cell, text: str, place: Span) -> Cell:
    """The cell as an erratum has it; mistakes in it are the erratum's."""
    inner = place.part(1, 1 + len(text)) if text else place
    return Cell(inner, text.strip())
