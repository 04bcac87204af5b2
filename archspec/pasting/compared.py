"""Columns of a pasted table that no rule reads -> whether the finished network has what they print.

These are sizes beside an operator whose rule has no size, and columns of kernels, channels, depths, groups,
activations, and of yes and no for a part of a row.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from archspec.diagnostics import Diagnostic
from archspec.graph import Graph, Node
from archspec.pasting.columns import PART, Columned
from archspec.pasting.errors import NotAsPrinted
from archspec.pasting.naming import names_in
from archspec.pasting.rules import Reworded
from archspec.pasting.vocabulary import shown
from archspec.tables import patterns
from archspec.tables.cells import MISSING, TICKS
from archspec.tables.table import Cell, Row
from archspec.tensor import Shape

SIZE = re.compile(r"k?\(?([0-9]+)(?:\s*[×xX*,]\s*([0-9]+))?\)?")
WEIGHTED = frozenset({"conv", "dwconv", "linear"})
ACTIVATIONS = frozenset(
    {"relu", "relu6", "silu", "gelu", "sigmoid", "hardswish", "hardsigmoid", "tanh", "prelu", "leaky_relu"}
)
INACTIVE = frozenset({"linear", "no", "identity", "✗", "none"})
"""What a column of activations says of a row without one."""
LETTERS = {"hs": "hardswish", "re": "relu"}
"""What the letters of MobileNetV3's column NL are."""
EACH_PASS = re.compile(r"(.*?)(?:_[0-9]+)?")
SQUEEZED = "/squeeze_excite"
Shapes = Mapping[str, Shape]
"""What each node gives, by its path."""


def compared(graph: Graph, rows: Sequence[Row], columns: Columned, rules: Sequence[Reworded]) -> list[Diagnostic]:
    """The printed numbers and words that the network does not have."""
    sizes = {rule.pattern: rule.size for rule in rules if rule.size}
    operators = [i for i, meaning in columns.meanings.items() if meaning == "operator"]
    shapes = {node.path: node.shape for node in graph.nodes}
    found: list[Diagnostic] = []
    # where no cell says no, a blank says it
    blank = {
        i for i, group in columns.compared.items() if group == PART and not refuses([row.cells[i] for row in rows])
    }
    for number, row in enumerate(rows[1:], 1):
        nodes = row_of(graph, number)
        for i in operators:
            size = next((size for text, size in sizes.items() if patterns.match(text, row.cells[i].shown)), None)
            if size is not None:
                found += of_size(row.cells[i], size, nodes, shapes)
        for i, group in columns.compared.items():
            if row.cells[i].shown not in MISSING or i in blank:
                found += of_cell(group, rows[0].cells[i], row.cells[i], nodes, shapes)
    return found


def refuses(cells: Sequence[Cell]) -> bool:
    """Whether one of some cells says no."""
    return any(TICKS.get(cell.shown) is False for cell in cells)


def row_of(graph: Graph, number: int) -> list[Node]:
    """The nodes of a row."""
    return [node for node in graph.nodes if node.path.startswith(f"row_{number}/")]


def of_cell(group: str, header: Cell, cell: Cell, nodes: Sequence[Node], shapes: Shapes) -> Iterator[Diagnostic]:
    """What a cell prints and its row does not have; `group` says what is compared."""
    match group:
        case "kernel":
            yield from of_size(cell, sides(cell), nodes, shapes)
        case "given":
            inside = {node.path for node in nodes}
            given = {shapes[name][-1] for node in nodes for name in node.inputs if name not in inside}
            yield from of_number(cell, given, "channels")
        case "weighted":
            whole = depth(nodes)
            yield from of_number(cell, {whole, whole // passes(nodes)}, "layers with weights")
        case "c":
            yield from of_number(cell, {node.shape[-1] for node in nodes[-1:]}, "channels")
        case "groups":
            yield from of_number(cell, {max((getattr(n.op, "groups", 1) for n in nodes), default=1)}, "groups")
        case "NL":
            yield from of_activation(cell, nodes)
        case _:
            ((name, _),) = names_in(header.text)
            if TICKS.get(cell.shown, False) != bool(shown(name) & parts(nodes)):
                yield NotAsPrinted(cell.span, f"`{cell.shown}` for {name}", listed(nodes))


def sides(cell: Cell) -> tuple[str, ...]:
    match = SIZE.fullmatch(cell.shown)
    return (match[1], match[2] or match[1]) if match else (cell.shown,)


def of_size(cell: Cell, size: tuple[str, ...], nodes: Sequence[Node], shapes: Shapes) -> Iterator[Diagnostic]:
    """The largest window of a row must have the size that it prints, or the pooled map has it.

    A layer of a vector is one of a single pixel.
    """
    plain = [window for node in nodes if (window := pair(node)) is not None]
    known = [max(plain)] if plain else []
    known += pooled(nodes, shapes)
    texts = list(dict.fromkeys("×".join(map(str, window)) for window in known or [(1, 1)]))
    if "×".join(size) not in texts:
        yield NotAsPrinted(cell.span, "×".join(size), " and ".join(texts))


def windows(nodes: Sequence[Node], shapes: Shapes) -> list[tuple[int, int]]:
    """The sizes of all windows of a row, and of the maps that it pools."""
    return [window for node in nodes if (window := pair(node)) is not None] + pooled(nodes, shapes)


def pooled(nodes: Sequence[Node], shapes: Shapes) -> list[tuple[int, int]]:
    """The sizes of the maps that a row pools as a whole, except those of squeeze-and-excitation."""
    pools = [node for node in nodes if node.op.kind == "global_avgpool" and SQUEEZED not in node.path]
    return [(shapes[name][0], shapes[name][1]) for node in pools for name in node.inputs]


def pair(node: Node) -> tuple[int, int] | None:
    """The window of a node."""
    kernel = getattr(node.op, "kernel", None)
    if isinstance(kernel, int):
        return kernel, kernel
    return (kernel[0], kernel[-1]) if kernel else None


def of_number(cell: Cell, found: set[int], what: str) -> Iterator[Diagnostic]:
    """A row must have the number that it prints."""
    if not cell.shown.isdecimal() or int(cell.shown) not in found:
        has = " and ".join(map(str, sorted(found))) or "nothing"
        yield NotAsPrinted(cell.span, f"{cell.shown} {what}", has)


def of_activation(cell: Cell, nodes: Sequence[Node]) -> Iterator[Diagnostic]:
    """A row must have the activations that it prints, and none where it prints that there is none."""
    found = {node.op.kind for node in nodes if SQUEEZED not in node.path} & ACTIVATIONS
    said = cell.shown.casefold()
    wanted = [LETTERS[said]] if said in LETTERS else [name for name, _ in names_in(cell.shown)]
    if found if said in INACTIVE else not wanted or not all(shown(name) & found for name in wanted):
        yield NotAsPrinted(cell.span, f"`{cell.shown}`", listed(nodes))


def depth(nodes: Sequence[Node]) -> int:
    """How many layers with weights stand one behind the other in a row, at most."""
    deep: dict[str, int] = {}
    for node in nodes:
        before = max((deep.get(name, 0) for name in node.inputs), default=0)
        deep[node.path] = before + (node.op.kind in WEIGHTED)
    return max(deep.values(), default=0)


def parts(nodes: Sequence[Node]) -> set[str]:
    """The operators of a row and the blocks around them."""
    found: set[str] = {node.op.kind for node in nodes}
    found |= {"bias" for node in nodes if getattr(node.op, "bias", False)}
    found |= {"grouped" for node in nodes if getattr(node.op, "groups", 1) > 1}
    for node in nodes:
        found |= {match[1] for part in node.path.split("/")[1:] if (match := EACH_PASS.fullmatch(part))}
    return found


def passes(nodes: Sequence[Node]) -> int:
    """How many times a row is repeated: the blocks of one name at its top."""
    tops = dict.fromkeys(node.path.split("/")[1] for node in nodes)
    plain = [match[1] for top in tops if (match := EACH_PASS.fullmatch(top))]
    return max(map(plain.count, plain), default=1)


def listed(nodes: Sequence[Node]) -> str:
    return ", ".join(dict.fromkeys(node.op.kind for node in nodes)) or "nothing"
