"""Words in and beside a pasted table that no rule reads -> whether the network of their rows has what they name.

A note may say anything; where it names an operator, an activation, a norm, a size, a stride or a count, its row must
have that, and where it says that something is otherwise, it is refused. So is a footnote, for the rows with its mark. A
caption and other sentences are about the whole: what they name must be somewhere in the network.
"""

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from archspec.diagnostics import Diagnostic
from archspec.graph import Graph, Node
from archspec.pasting.columns import NOTE, Columned
from archspec.pasting.compared import LETTERS, Shapes, listed, parts, passes, row_of, windows
from archspec.pasting.errors import NotAsPrinted
from archspec.pasting.naming import names_in, naming
from archspec.pasting.tables import Beside, marks_of
from archspec.pasting.vocabulary import LARGE, shown, words
from archspec.tables.cells import MISSING, TICKS
from archspec.tables.table import Cell, Row

SIZE = re.compile(
    r"(?<![0-9.])([0-9]+)\s*[×xX*]\s*([0-9]+)(?:\s*[×xX*]\s*[0-9]+)*"
    r"|\bk(?:ernel)?s?(?:[ -]size)?(?: of)? ?([0-9]+)\b(?! *[×x.])"
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
EQUAL = re.compile(r"\b[A-Za-z]\w*\s*=\s*([A-Za-z]\w*)")
"""A word with a name: `act = none`."""
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
SENTENCE = re.compile(r"(?<=[.;!?])\s+")
LEGEND = re.compile(r"\b(?:denotes?|means?|stands? for|indicates?|is short for|abbreviates?)\b", re.IGNORECASE)
"""A sentence that explains a word of the table says nothing of the network."""
FAMILIES = frozenset({"bottleneck", "fire", "mbconv", "sepconv", "inception", "dense_block"})
"""Blocks after which papers call whole networks, whatever a table calls its own blocks."""
NOTHING = ""
ONE_PASS = "a row of the table is one pass unless a column `n` repeats it: write each further pass as rows of its own"
SHARE = re.compile(r"[0-9.]+ ?%(?: ?\([^()]*\))?")
"""A share, with what it is of: `20% (3x3)` of the weights."""


def remarked(
    graph: Graph, rows: Sequence[Row], columns: Columned, read: Sequence[int], beside: Sequence[Beside], known: set[str]
) -> Iterator[Diagnostic]:
    """What the cells and the texts beside the table name that are not read, and the network does not have.

    `read` are the columns of operators, and `known` the numbers that the network has by its parameters.
    """
    shapes = {node.path: node.shape for node in graph.nodes}
    dropped = [
        i
        for i in range(len(rows[0].cells))
        if columns.meanings.get(i, NOTE) == NOTE and i not in {*read, *columns.compared, *columns.unread}
    ]
    marked: set[Beside] = set()
    every: set[str] = set()
    for number, row in enumerate(rows[1:], 1):
        nodes = row_of(graph, number)
        accepted = {name for i in read for name, _ in names_in(row.cells[i].shown)}
        every |= accepted
        for i in dropped:
            yield from of_note(row.cells[i], nodes, accepted, shapes)
            yield from of_both(rows[0].cells[i], row.cells[i], nodes, accepted)
        for one in beside:
            if one.mark and any(one.mark in marks_of(cell.text) for cell in row.cells):
                marked.add(one)
                wrong = of_note(Cell(one.span, one.text), nodes, accepted, shapes)
                yield from (replace(found, where=f"the footnote of row {number} says") for found in wrong)
        for i, meaning in columns.meanings.items():
            if meaning in {"NL", "SE"}:
                yield from of_part(row.cells[i], meaning, nodes)
    for one in beside:
        if one not in marked:
            yield from of_whole(one, graph.nodes, shapes, every, rows, known)


def of_whole(
    said: Beside, nodes: Sequence[Node], shapes: Shapes, accepted: set[str], rows: Sequence[Row], known: set[str]
) -> Iterator[Diagnostic]:
    """What a text names that no row of the network has; what it says of a part of the network is not compared."""
    sized = {*windows(nodes, shapes), *(shape[:2] for shape in shapes.values())}
    for match in SIZE.finditer(said.text):
        size = (int(match[1] or match[3]), int(match[2] or match[3]))
        if size not in sized and max(size) <= LARGE:
            yield said.wrong("×".join(map(str, size)), "no such window")
    text = SIZE.sub(" ", said.text)
    for match in OPEN.finditer(text):
        if not {*known, *printed(rows, match[0])}.issuperset(numbers(match[0])):
            yield said.wrong(f"`{match[0]}`", "no part that this is compared with")
    found = parts(nodes)
    for sentence in SENTENCE.split(OPEN.sub(" ", text)):
        legend = LEGEND.search(sentence) is not None
        for name, wanted in names_in(COUNT.sub(" ", sentence)):
            has = bool(shown(name) & found)
            if not has and wanted and name not in accepted | FAMILIES:
                yield said.wrong(name, "no such part")
            elif has and not wanted and not legend:
                yield said.wrong(f"no {name}", "one")


def printed(rows: Sequence[Row], said: str) -> set[str]:
    """The numbers in the column of the name that a number has, as in `t = 6`; those of all if it counts something."""
    name = words(said)[0]
    columns = [i for i, cell in enumerate(rows[0].cells) if name.isdecimal() or words(cell.text) == (name,)]
    return {number for row in rows[1:] for i in columns for number in numbers(row.cells[i].text)}


def numbers(text: str) -> set[str]:
    """The numbers of a text, as it prints them."""
    return set(NUMBER.findall(text))


def of_note(cell: Cell, nodes: Sequence[Node], accepted: set[str], shapes: Shapes) -> Iterator[NotAsPrinted]:
    """What a note names and its row does not have."""
    if cell.shown in TICKS:
        return
    text = SHARE.sub(" ", cell.shown)
    known = windows(nodes, shapes)
    for match in SIZE.finditer(text):
        size = (int(match[1] or match[3]), int(match[2] or match[3]))
        if size not in known:
            yield NotAsPrinted(cell.span, "×".join(map(str, size)), " and ".join(sizes(known)) or listed(nodes))
    text = SIZE.sub(" ", text)
    for match in STRIDE.finditer(text):
        stride = max((getattr(node.op, "stride", 1) for node in nodes), default=1)
        if int(match[1]) != stride:
            yield NotAsPrinted(cell.span, f"a stride of {match[1]}", f"one of {stride}")
    text = STRIDE.sub(" ", text)
    for match in (*OPEN.finditer(text), *(m for m in EQUAL.finditer(text) if not names_in(m[1]))):
        yield NotAsPrinted(cell.span, f"`{match[0]}`", NOTHING)
    text = OPEN.sub(" ", text)
    for match in COUNT.finditer(text):
        said = next(filter(None, match.groups())).casefold()
        count = COUNTS.get(said) or int(said)
        if count != passes(nodes):
            times = f"it {passes(nodes)} times" if passes(nodes) > 1 else "it once"
            yield NotAsPrinted(cell.span, f"`{match[0].strip()}`", times, advice=ONE_PASS)
    named = naming(COUNT.sub(" ", text))
    for name, wanted in named.parts:
        has = bool(shown(name) & parts(nodes))
        if has != wanted and not (wanted and name in accepted):
            yield NotAsPrinted(cell.span, f"{'' if wanted else 'no '}{name}", listed(nodes))
    for change in named.changes:
        yield NotAsPrinted(cell.span, f"`{change}`", NOTHING)


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


def sizes(windows: Sequence[tuple[int, int]]) -> list[str]:
    return [f"{a}×{b}" for a, b in dict.fromkeys(windows)]
