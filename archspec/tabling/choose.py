"""Which table of a network is printed, with which columns; and whether it reads back."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from msgspec import Struct

from archspec.decompile.proof import Disproved, proved
from archspec.diagnostics import SpecError, did_you_mean
from archspec.errors import Refusal
from archspec.graph import Graph
from archspec.pasting import LEGEND, pasted, tables_in
from archspec.sheet import Sheet
from archspec.source import Source
from archspec.spec import Spec
from archspec.tabling.printed import PrintedTable, printed_tables
from archspec.tabling.steps import Steps, steps_of
from archspec.tensor import Shape

Style = Literal["printed", "steps"]
Write = Callable[[Sheet], str]
NOTHING = "-"
ADDED = "+"


class Unprintable(Refusal):
    """A table that is asked for cannot be made."""


class Column(Struct, frozen=True):
    """A column that a table may have."""

    header: str
    cells: tuple[str | int, ...]
    names: frozenset[str]
    """that it is asked for by, besides its header"""
    usual: bool
    """whether it is there where nobody asks"""


class Candidate(Struct, frozen=True):
    """A way to print a network."""

    style: Style
    sheets: tuple[Sheet, ...]
    graph: Graph
    order: tuple[str, ...]
    """the paths of the Graph's nodes as a text that means it has them"""


class Tables(Struct, frozen=True):
    """What is printed."""

    sheets: tuple[Sheet, ...]
    style: Style
    whole: bool
    """whether `archspec import` makes the same network of it"""


def tables_of(
    spec: Spec | None, graph: Graph, write: Write, style: Style | None = None, wanted: Sequence[str] = ()
) -> Tables:
    """The tables of a Graph, in the first style that reads back to it from what `write` makes of them.

    `spec` is what it was elaborated from, where it was: it may have a table of its own.

    `wanted` are names of columns, instead of those that the table has, or beside them where the first begins with `+`.
    Raises `SpecError`, or `Unprintable`.
    """
    made = list(candidates(spec, graph, style, wanted))
    for one in made:
        if reads_back("\n\n".join(map(write, one.sheets)), one):
            return Tables(one.sheets, one.style, True)
    return Tables(made[0].sheets, made[0].style, False)


def reads_back(text: str, printed: Candidate) -> bool:
    """Whether a text is read as the network."""
    found = tables_in(Source("<table>", text))
    if not found:
        return False
    try:
        proved(pasted(found).text, printed.graph, printed.order)
    except (Disproved, SpecError):
        return False
    return True


def candidates(spec: Spec | None, graph: Graph, style: Style | None, wanted: Sequence[str]) -> Iterator[Candidate]:
    """The ways to print a network, the paper's own first."""
    title = graph.title or graph.name
    own = printed_tables(spec, graph) if spec is not None and style != "steps" else ()
    if own:
        sheets = tuple(sheet(title, paper_columns(table, graph), wanted) for table in own)
        yield Candidate("printed", sheets, graph, tuple(node.path for node in graph.nodes[1:]))
    elif style == "printed":
        raise Unprintable(f"{graph.name} has no table of its own for these parameters", "leave --style out")
    if style != "printed":
        found = steps_of(graph)
        legend = Sheet(f"Blocks of {graph.name}", LEGEND, found.legend) if found.legend else None
        main = sheet(title, step_columns(found), wanted)
        yield Candidate("steps", (legend, main) if legend else (main,), found.graph, found.order)


# ---- columns ----


def sheet(title: str, columns: Sequence[Column], wanted: Sequence[str]) -> Sheet:
    """The table with the columns that are wanted; raises `Unprintable`."""
    names = [name.removeprefix(ADDED).strip().casefold() for name in wanted]
    added = bool(wanted) and wanted[0].startswith(ADDED)
    chosen = [column for column in columns if column.usual] if added or not wanted else []
    for name in names:
        found = next((c for c in columns if name in c.names or name == c.header.casefold()), None)
        if found is None:
            known = {column.header.casefold() or next(iter(column.names), "") for column in columns}
            raise Unprintable(f"there is no column {name!r}", did_you_mean(name, known))
        if found not in chosen:
            chosen.append(found)
    return Sheet(title, tuple(c.header for c in chosen), tuple(zip(*(c.cells for c in chosen), strict=True)))


def paper_columns(table: PrintedTable, graph: Graph) -> list[Column]:
    """The columns that the paper prints, and those that can be counted."""
    lines = {line.path: line for line in graph.stats("row").lines}
    found = [
        Column(column.header, tuple(row[i] for row in table.rows), frozenset({column.role, column.name} - {""}), True)
        for i, column in enumerate(table.columns)
    ]
    shapes: list[tuple[Shape, Shape]] = []
    at = first_input(table, graph)
    for path in table.paths:
        after = lines[path].output if path in lines else at
        shapes.append((at, after))
        at = after
    counts = [(lines[path].params, lines[path].macs) if path in lines else (0, 0) for path in table.paths]
    known = set().union(*(column.names for column in found))
    return [*found, *(column for column in counted(shapes, counts) if not column.names & known)]


def first_input(table: PrintedTable, graph: Graph) -> Shape:
    """What the first row of a table is given."""
    first = next(
        (node for node in graph.nodes[1:] for path in table.paths if node.path.startswith(f"{path}/")), graph.nodes[0]
    )
    return graph.by_path[first.inputs[0]].shape if first.inputs else first.shape


def step_columns(steps: Steps) -> list[Column]:
    """The columns of a table of steps."""
    rows, graph = steps.rows, steps.graph
    nodes = [[graph.by_path[path] for path in row.paths] for row in rows]
    counts = [
        (
            sum(node.op.params(*graph.input_shapes(node)) for node in group),
            sum(node.op.macs(*graph.input_shapes(node)) for node in group),
        )
        for group in nodes
    ]
    given, *rest = counted([(row.input, row.output) for row in rows], counts, usual=frozenset({"input"}))
    variables = [
        Column(
            name,
            tuple(str(row.count if name == "n" else row.values.get(name, NOTHING)) for row in rows),
            frozenset({name}),
            True,
        )
        for name in steps.columns
    ]
    operator = Column("Operator", tuple(row.text for row in rows), frozenset({"operator"}), True)
    return [given, operator, *variables, *rest]


def counted(
    shapes: Sequence[tuple[Shape, Shape]], counts: Sequence[tuple[int, int]], usual: frozenset[str] = frozenset()
) -> list[Column]:
    """The columns that every table can have."""
    columns: tuple[tuple[str, tuple[str | int, ...]], ...] = (
        ("Input", tuple(compact(before) for before, _ in shapes)),
        ("Output", tuple(compact(after) for _, after in shapes)),
        ("Params", tuple(params for params, _ in counts)),
        ("MACs", tuple(macs for _, macs in counts)),
    )
    return [
        Column(header, cells, frozenset({header.casefold()}), header.casefold() in usual) for header, cells in columns
    ]


def compact(shape: Shape) -> str:
    """`112²×32`, `56×28×32`, `1×1×1280`, or `1280` for a vector."""
    if len(shape) == 3 and shape[0] == shape[1] > 1:
        return f"{shape[0]}²×{shape[2]}"
    return "×".join(map(str, shape))
