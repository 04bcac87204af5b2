"""What a cell says: a shape, a number, a value, or the tokens of an operator.

Each is parsed by the start rule of its column's role. Before that, the shapes in which papers write one sign are
made one, character for character, so that a position in the cell stays a position in the file.
"""

import re
from collections.abc import Collection
from unicodedata import normalize as normalize_form

from archspec.source import Span
from archspec.syntax import parse_cell, parsed_cell, tree
from archspec.tables.table import Cell

MISSING = frozenset({"", "-", "–", "—", "−", "‐", "－", "n/a", "N/A", "none", "None"})
DITTO = frozenset({'"', "″", "〃", "''", "”", "“", "//", "ditto", "idem", "as above", "same as above"})
DASHES = "-–—−‐ "
"""What may stand around a mark for the cell above: `-"-`."""
TICKS = dict.fromkeys("✓✔√✅☑", True) | dict.fromkeys("✗✘❌☒", False)
TICKS |= {"yes": True, "Yes": True, "YES": True, "true": True, "True": True, "TRUE": True}
TICKS |= {"no": False, "No": False, "NO": False, "false": False, "False": False, "FALSE": False}
SPACES = dict.fromkeys(map(ord, "\v\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"), " ")
SPACES |= dict.fromkeys(range(0x2000, 0x200B), " ")
SIGNS = SPACES | str.maketrans({"$": " ", "−": "-", "#": "♯", "⨯": "×", "✕": "×"})
FORMS = {code: normalize_form("NFKC", chr(code)) for code in (*range(0xFF01, 0xFF5F), *range(0x1D400, 0x1D800))}
"""Full-width signs, and the letters and digits of formulas: what PDFs hold for those of ASCII."""
SIGNS |= {code: SIGNS.get(ord(plain), plain) for code, plain in FORMS.items() if len(plain) == 1 and plain.isascii()}
SEPARATOR = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
LONG = re.compile(r"[0-9]{3},[0-9]{3}")
"""One number or two: nobody can tell, where a table prints numbers of layers."""
CAPITAL = re.compile(r"(?<=[0-9])X(?=[0-9])|(?<=[0-9] )X(?= [0-9])")
TUPLE = re.compile(r"\s*[(\[](?:\s*(?:None|-1|\?)\s*,)?([^()\[\],]*(?:,[^()\[\],]*)+|(?<=,)[^()\[\],]*)[)\]]")
NUMERAL = re.compile(r"(?<![A-Za-z0-9_])[0-9][0-9_]*")
GROUPED = re.compile(r"[0-9]+|[0-9]{1,3}(_[0-9]{3})+")
PLAIN = re.compile(r"[0-9]{1,18}")
"""Most cells of a table: a whole number."""
TIMES = re.compile(r"\\times|\\cdot")


class Unclear(Exception):
    """A cell that its reader may take for one thing or another."""

    def __init__(self, meanings: tuple[str, str], advice: str | None = None, pattern: str | None = None) -> None:
        super().__init__(*meanings)
        self.meanings = meanings
        self.advice = advice
        self.pattern = pattern
        """of a column, which would tell the parts of such cells apart"""


def normalize(text: str) -> str:
    """One spelling for every sign, in as many characters."""
    return TIMES.sub(lambda word: "×".ljust(len(word[0])), text.translate(SIGNS))


def without_stray(text: str) -> str:
    """A text whose `_` in numbers stand between thousands alone: others make it no number, as `8_1` of a footnote."""
    return NUMERAL.sub(lambda word: word[0] if GROUPED.fullmatch(word[0]) else word[0].replace("_", "‗"), text)


def missing(cell: Cell) -> bool:
    return cell.text in MISSING


def ditto(text: str) -> bool:
    """Whether a cell stands for the one above it."""
    return text.strip(DASHES).casefold() in DITTO


def shape_claim(cell: Cell) -> tuple[tree.Expr, ...] | None:
    """The sides that a cell claims: three, two (height and width), or one (a vector); None where it claims nothing.

    Raises `SpecError` where the cell is not a shape.
    """
    if missing(cell):
        return None
    text = without_brackets(without_stray(normalize(cell.text)))
    text = text if LONG.search(text) else SEPARATOR.sub("_", text)
    sides: tuple[tree.Expr, ...] = parse_cell("shape_cell", cell.span.source, cell.span.start, text)
    return sides


def without_brackets(text: str) -> str:
    """A shape as programs print it, `(224, 224, 3)` or `[None, 224, 224, 3]`, as papers do, in as many characters."""
    match = TUPLE.fullmatch(text)
    return " ".join(["", match[1].replace(",", "×"), ""]).rjust(len(text)) if match else text


def number_claim(cell: Cell) -> tree.Quantity | None:
    """The number that a cell claims; None where it claims nothing. Raises `SpecError` where it is not a number."""
    if missing(cell):
        return None
    text = SEPARATOR.sub("_", without_stray(normalize(cell.text)))
    quantity: tree.Quantity = parse_cell("number_cell", cell.span.source, cell.span.start, text)
    return quantity


def value(span: Span, text: str, known: Collection[str] = ()) -> tree.Expr:
    """What a cell or a hole says: nothing, a number, a size, an expression of names, or else its text.

    Raises `Unclear` where its reader may take it for something else; `known` are the names that may stand in it.
    """
    if text in MISSING:
        return tree.Constant(span, None)
    if text in TICKS and text not in known:
        return tree.Constant(span, TICKS[text])
    if PLAIN.fullmatch(text):
        return tree.Number(span, int(text), text)
    plain = CAPITAL.sub("x", SEPARATOR.sub("_", without_stray(normalize(text))))
    expression: tree.Expr | None = parsed_cell("value_cell", span.source, span.start, plain)
    return tree.Text(span, text) if expression is None else as_printed(expression, text.strip(" $"), known)


def as_printed(expression: tree.Expr, text: str, known: Collection[str]) -> tree.Expr:
    """An expression as the reader of a table takes it: `3*3` is a size there; raises `Unclear`."""
    match expression:
        case tree.Number() if expression.text[-1:] in known:
            digits, unit = expression.text[:-1].strip(), expression.text[-1]
            product, number = f"{digits}*{unit}", f"{expression.value:_}"
            raise Unclear(
                (f"{digits} times `{unit}`", f"{expression.value:,}"),
                f"`{product}` is the product, `{number}` the number",
            )
        case tree.Number() if LONG.fullmatch(text):
            one, other = text.replace(",", "_"), text.replace(",", " x ")
            raise Unclear(("one number", "two"), f"`{one}` is the number, `{other}` a pair")
        case tree.Chain():
            return product_or_size(expression)
        case tree.Extent() if any(isinstance(side, tree.Chain) for side in expression.sides):
            raise Unclear(("a size", "a computation"), pattern="{k}x{k}/{s}")
    return expression


def product_or_size(chain: tree.Chain) -> tree.Expr:
    """`3*3` is a size, `1/2` a fraction, `1+1` a sum; what else is computed of numbers alone may be two of them."""
    operands = (chain.first, *(operand for _, operand in chain.rest))
    signs = {sign for sign, _ in chain.rest}
    if signs == {"*"} and isinstance(chain.first, tree.Name) and set(operands) == {chain.first}:
        size = " x ".join([chain.first.id] * len(operands))
        raise Unclear(("a product", "a size"), f"`{size}` is the size, `{chain.first.id}**{len(operands)}` the product")
    if not all(isinstance(operand, tree.Number) for operand in operands) or signs == {"+"}:
        return chain
    if signs == {"*"}:
        return tree.Extent(chain.span, operands)
    first, *others = (operand.value for operand in operands if isinstance(operand, tree.Number))
    if signs == {"/"} and len(others) == 1 and first < others[0]:
        return chain
    sign = "/" if signs == {"/"} else "-" if signs == {"-"} else None
    whole = {"/": "a quotient", "-": "a difference"}.get(sign or "", "a computation")
    raise Unclear((whole, "two numbers" if len(others) == 1 else "several numbers"), pattern=f"{{a}}{sign or '…'}{{b}}")


def corrected(cell: Cell, text: str, place: Span) -> Cell:
    """The cell as an erratum has it; mistakes in it are the erratum's."""
    inner = place.part(1, 1 + len(text)) if text else place
    return Cell(inner, text.strip())
