"""Words of a pasted table that no rule reads -> whether the network of their rows has what they name.

A note may say anything; where it names an operator, an activation, a norm, a size, a stride or a count, its row must
have that. So must a row whose columns of activations and of squeeze-and-excitation no rule reads.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from archspec.diagnostics import Diagnostic
from archspec.graph import Graph, Node
from archspec.pasting.columns import NOTE, Columned
from archspec.pasting.compared import pair
from archspec.pasting.errors import NotAsPrinted
from archspec.pasting.vocabulary import named, shown
from archspec.tables.cells import MISSING, TICKS
from archspec.tables.table import Cell, Row

SIZE = re.compile(
    r"(?<![0-9.])([0-9]+)\s*[×xX*]\s*([0-9]+)(?:\s*[×xX*]\s*[0-9]+)*|\bk(?:ernel)?s? ?([0-9]+)\b(?! *[×x.])"
)
COUNT = re.compile(
    r"(?<![\w.])([0-9]+)\s*(?:[×*]|x(?![A-Za-z_]))|(?<![\w])[×xX*]\s*([0-9]+)\b"
    r"|\b([0-9]+|two|three|four|five|six|seven|eight|nine|ten)\s+times\b|\brepeat(?:ed)?\s+([0-9]+)|\b(twice|thrice)\b",
    re.IGNORECASE,
)
COUNTS = {
    word: count
    for count, words in enumerate(
        ("twice two", "thrice three", "four", "five", "six", "seven", "eight", "nine", "ten"), 2
    )
    for word in words.split()
}
STRIDE = re.compile(r"(?<!\w)(?:s|strides?)[ =:]*([0-9]+)\b", re.IGNORECASE)
OPEN = re.compile(
    r"\b[A-Za-z]\w*\s*=\s*[0-9][0-9.]*|\b(?:groups|dilation|growth(?: rate)?|expansion|cardinality|width|padding|rate)"
    r"[ :]*(?:of )?[0-9][0-9.]*|\b[0-9]+\s+(?:groups|channels|filters|kernels)\b",
    re.IGNORECASE,
)
"""Numbers with a name, which are not compared: no rule reads them."""
SHARE = re.compile(r"[0-9.]+ ?%(?: ?\([^()]*\))?")
"""A share, with what it is of: `20% (3x3)` of the weights."""
TOKEN = re.compile(r"[a-z0-9_]+")
NEGATIONS = frozenset({"no", "not", "non", "without", "except", "minus"})
LETTERS = {"hs": "hardswish", "re": "relu"}
"""What the letters of MobileNetV3's column NL are."""
EACH_PASS = re.compile(r"(.*?)(?:_[0-9]+)?")


def remarked(graph: Graph, rows: Sequence[Row], columns: Columned, read: Sequence[int]) -> Iterator[Diagnostic]:
    """What the cells name that are not read, and the network of their rows does not have.

    `read` are the columns of operators.
    """
    dropped = [
        i
        for i in range(len(rows[0].cells))
        if columns.meanings.get(i, NOTE) == NOTE and i not in {*read, *columns.compared, *columns.unread}
    ]
    for number, row in enumerate(rows[1:], 1):
        nodes = [node for node in graph.nodes if node.path.startswith(f"row_{number}/")]
        accepted = {name for i in read for name, _ in names_in(row.cells[i].shown)}
        for i in dropped:
            yield from of_note(row.cells[i], nodes, accepted)
            yield from of_both(rows[0].cells[i], row.cells[i], nodes, accepted)
        for i, meaning in columns.meanings.items():
            if meaning in {"NL", "SE"}:
                yield from of_part(row.cells[i], meaning, nodes)


def of_note(cell: Cell, nodes: Sequence[Node], accepted: set[str]) -> Iterator[Diagnostic]:
    """What a note names and its row does not have."""
    text = SHARE.sub(" ", cell.shown)
    windows = [window for node in nodes if (window := pair(node)) is not None]
    for match in SIZE.finditer(text):
        size = (int(match[1] or match[3]), int(match[2] or match[3]))
        if size not in windows and not pools(nodes):
            yield NotAsPrinted(cell.span, "×".join(map(str, size)), " and ".join(sizes(windows)) or listed(nodes))
    text = SIZE.sub(" ", text)
    for match in STRIDE.finditer(text):
        stride = max((getattr(node.op, "stride", 1) for node in nodes), default=1)
        if int(match[1]) != stride:
            yield NotAsPrinted(cell.span, f"a stride of {match[1]}", f"one of {stride}")
    text = STRIDE.sub(" ", text)
    for match in OPEN.finditer(text):
        yield NotAsPrinted(cell.span, f"`{match[0]}`", "no part that this is compared with")
    text = OPEN.sub(" ", text)
    for match in COUNT.finditer(text):
        said = next(filter(None, match.groups())).casefold()
        count = COUNTS.get(said) or int(said)
        if count != passes(nodes):
            yield NotAsPrinted(
                cell.span, f"`{match[0].strip()}`", f"it {passes(nodes)} times" if passes(nodes) > 1 else "it once"
            )
    for name, wanted in names_in(COUNT.sub(" ", text)):
        has = bool(shown(name) & parts(nodes))
        if has != wanted and not (wanted and name in accepted):
            yield NotAsPrinted(cell.span, f"{'' if wanted else 'no '}{name}", listed(nodes))


def of_both(header: Cell, cell: Cell, nodes: Sequence[Node], accepted: set[str]) -> Iterator[Diagnostic]:
    """What a header and a cell name together, as `Pool` and `max` do, and the cell's row does not have."""
    if cell.shown not in MISSING:
        alone = {name for text in (header.shown, cell.shown) for name, _ in names_in(text)}
        for name, wanted in names_in(f"{cell.shown} {header.shown}"):
            if wanted and name not in alone | accepted and not shown(name) & parts(nodes):
                yield NotAsPrinted(cell.span, name, listed(nodes))


def of_part(cell: Cell, meaning: str, nodes: Sequence[Node]) -> Iterator[Diagnostic]:
    """A row must have the activation that it prints, and squeeze-and-excitation where it prints it."""
    found = parts(nodes)
    if meaning == "SE":
        if TICKS.get(cell.shown) and not shown("SE") & found:
            yield NotAsPrinted(cell.span, "SE", listed(nodes))
    elif cell.shown not in MISSING:
        name = LETTERS.get(cell.shown.casefold(), "")
        if name and name not in found:
            yield NotAsPrinted(cell.span, f"{cell.shown}, which is {name}", listed(nodes))


def names_in(text: str) -> Iterator[tuple[str, bool]]:
    """What a text names, and whether it is said to be there."""
    tokens = TOKEN.findall(text.casefold().replace("w/o", "without").replace("nbn", "no bn"))
    wanted = True
    while tokens:
        length = next((n for n in range(min(len(tokens), 6), 0, -1) if tuple(tokens[:n]) in phrases()), 0)
        if length:
            yield phrases()[tuple(tokens[:length])], wanted
        wanted = tokens[0] not in NEGATIONS and (wanted or bool(length))
        del tokens[: length or 1]


@cache
def phrases() -> dict[tuple[str, ...], str]:
    """The phrases that name a part of a network."""
    return {tuple(TOKEN.findall(text)): name for name, texts in named().items() for text in texts}


def parts(nodes: Sequence[Node]) -> set[str]:
    """The operators of a row and the blocks around them."""
    found: set[str] = {node.op.kind for node in nodes}
    found |= {"bias" for node in nodes if getattr(node.op, "bias", False)}
    for node in nodes:
        found |= {match[1] for part in node.path.split("/")[1:] if (match := EACH_PASS.fullmatch(part))}
    return found


def passes(nodes: Sequence[Node]) -> int:
    """How many times a row is repeated: the blocks of one name at its top."""
    tops = dict.fromkeys(node.path.split("/")[1] for node in nodes)
    plain = [match[1] for top in tops if (match := EACH_PASS.fullmatch(top))]
    return max(map(plain.count, plain), default=1)


def pools(nodes: Sequence[Node]) -> bool:
    """Whether a row pools a whole map, whose window is the map's size."""
    return any(node.op.kind == "global_avgpool" and "/squeeze_excite" not in node.path for node in nodes)


def sizes(windows: Sequence[tuple[int, int]]) -> list[str]:
    return [f"{a}×{b}" for a, b in dict.fromkeys(windows)]


def listed(nodes: Sequence[Node]) -> str:
    return ", ".join(dict.fromkeys(node.op.kind for node in nodes)) or "nothing"
