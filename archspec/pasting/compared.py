"""Numbers of a pasted table that no rule reads -> whether the finished network has them.

These are sizes beside an operator whose rule has no size, columns of kernels, and columns of input channels.
"""

import re
from collections.abc import Iterator, Sequence

from archspec.diagnostics import Diagnostic
from archspec.graph import Graph, Node
from archspec.pasting.columns import Columned
from archspec.pasting.errors import NotAsPrinted
from archspec.pasting.rules import Reworded
from archspec.tables import patterns
from archspec.tables.cells import MISSING
from archspec.tables.table import Cell, Row

SIZE = re.compile(r"\(?([0-9]+)(?:\s*[×xX*,]\s*([0-9]+))?\)?")


def compared(graph: Graph, rows: Sequence[Row], columns: Columned, rules: Sequence[Reworded]) -> list[Diagnostic]:
    """The printed numbers that the network does not have."""
    sizes = {rule.pattern: rule.size for rule in rules if rule.size}
    operators = [i for i, meaning in columns.meanings.items() if meaning == "operator"]
    found: list[Diagnostic] = []
    for number, row in enumerate(rows[1:], 1):
        nodes = [node for node in graph.nodes if node.path.startswith(f"row_{number}/")]
        for i in operators:
            size = next((size for text, size in sizes.items() if patterns.match(text, row.cells[i].shown)), None)
            if size is not None:
                found += of_size(row.cells[i], size, nodes)
        for i, group in columns.compared.items():
            cell = row.cells[i]
            if cell.shown not in MISSING:
                found += of_size(cell, sides(cell), nodes) if group == "kernel" else of_channels(cell, nodes, graph)
    return found


def sides(cell: Cell) -> tuple[str, ...]:
    match = SIZE.fullmatch(cell.shown)
    return (match[1], match[2] or match[1]) if match else (cell.shown,)


def of_size(cell: Cell, size: tuple[str, ...], nodes: Sequence[Node]) -> Iterator[Diagnostic]:
    """The largest window of a row must have the size that it prints; a layer of a vector is one of a single pixel."""
    windows = [window for node in nodes if (window := pair(node)) is not None]
    largest = tuple(map(str, max(windows, default=(1, 1))))
    if largest != size:
        yield NotAsPrinted(cell.span, "×".join(size), "×".join(largest))


def pair(node: Node) -> tuple[int, int] | None:
    """The window of a node."""
    kernel = getattr(node.op, "kernel", None)
    if isinstance(kernel, int):
        return kernel, kernel
    return (kernel[0], kernel[-1]) if kernel else None


def of_channels(cell: Cell, nodes: Sequence[Node], graph: Graph) -> Iterator[Diagnostic]:
    """A row must be given the channels that it prints."""
    inside = {node.path for node in nodes}
    shapes = {node.path: node.shape for node in graph.nodes}
    given = {shapes[name][-1] for node in nodes for name in node.inputs if name not in inside}
    if given != {int(cell.shown)} if cell.shown.isdecimal() else True:
        yield NotAsPrinted(cell.span, f"{cell.shown} channels", " and ".join(map(str, sorted(given))) or "nothing")
