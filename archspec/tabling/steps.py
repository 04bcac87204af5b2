"""A Graph -> rows of a table, each a step of the language: `bottleneck(c, s)`, with columns for what is different.

The steps and blocks are those that `archspec import` finds in a model. What the rows mean stands in a second table,
`Block | Definition`, as papers print the block of a network beside its table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from archspec.decompile.blocks import Library
from archspec.decompile.solve import Expr, Solver
from archspec.decompile.steps import Call, Fork, Here, Leaf, Net, Step, Tap, Unit, declared, in_order
from archspec.decompile.templates import ACT, Slot, Template, values_of
from archspec.decompile.text import ENDS, POOLS, items, joined, runs
from archspec.decompile.values import Value
from archspec.decompile.write import default, folded, solved
from archspec.graph import Graph
from archspec.ops import OPERATORS
from archspec.tensor import Shape

BEGINNINGS = frozenset({"dropout", "flatten", "pad"})
"""Operators that stand in one row with what follows them."""
LAYER_ENDS = (ENDS - POOLS) | {"softmax", "stochastic_depth", "layer_scale", "shuffle"}
"""Operators that stand in one row with what they follow, as activations do."""
CHANNELS, STRIDE = "c", "s"
LETTERS = {"channels": CHANNELS, "stride": STRIDE}
LAST = (CHANNELS, "n", STRIDE)
"""The columns that papers print last, in this order."""
RESERVED = frozenset({"h", "w", "n", "input", "output", "operator", "params", "macs"})
"""Names that mean something in a table; a parameter of such a name has no column."""
ARROW = "→"


@dataclass(slots=True)
class Row:
    """A row: so many passes of steps."""

    steps: Sequence[Step]
    slots: Template
    text: str = ""
    values: dict[str, Value] = field(default_factory=dict)
    """of its columns"""
    count: int = 1
    paths: list[str] = field(default_factory=list)
    """of all its nodes"""
    named: bool = False
    input: Shape = ()
    output: Shape = ()


class Steps(Struct, frozen=True):
    """A network as rows, and what one needs to know to read them."""

    graph: Graph
    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    """the names of what is different, in the order of the table; `n` among them where something is repeated"""
    legend: tuple[tuple[str, str], ...]
    """what is defined, and how: blocks, further outputs, `default` and `repeat`"""
    order: tuple[str, ...]
    """the paths of the nodes in the order of the rows"""


def steps_of(graph: Graph) -> Steps:
    """The rows of a network."""
    found = folded(graph)
    template, context, solver = solved(found.tree.body, found.library)
    rows = [Row(found.tree.body[a:b], template[a:b]) for a, b in bounds(found.tree.body)]
    shapes(rows, found.graph)
    names = columns(rows)
    for row in rows:
        put(row, names, solver)
        parts = items(row.slots, context, solver)
        row.named = any(item.named for item in parts)
        row.text = arrows(joined(runs(parts), False))
        row.paths = list(in_order(row.steps))  # type: ignore[arg-type]
    first_differs = fold(rows, True)
    alike = fold(rows, False)
    resets = len(first_differs) < len(alike)
    made = first_differs if resets else alike
    legend = [*definitions(found.library)]
    legend += [(head, arrows(net)) for head, net in found.outputs]
    usual = default(found.library.usual).removeprefix("default ")
    legend += [("default", usual)] if usual else []
    legend += [("repeat", f"n then {STRIDE} = 1")] if resets else []
    named = {name for row in made for name in row.values} | ({"n"} if any(row.count > 1 for row in made) else set())
    ordered = [name for row in made for name in row.values if name not in LAST]
    shown = (*dict.fromkeys(ordered), *(name for name in LAST if name in named))
    return Steps(found.graph, tuple(made), shown, tuple(legend), found.order)


def arrows(text: str) -> str:
    """Steps as a paper draws them."""
    return " ".join(text.split()).replace("->", ARROW)


def definitions(library: Library) -> Iterator[tuple[str, str]]:
    """The blocks, and what each stands for."""
    for block in library.blocks:
        given = ", ".join(map(declared, block.parameters))
        head = f"{block.name}({given})" if given else block.name
        yield arrows(head + block.signature), arrows(block.body)


# ---- rows ----


def bounds(net: Net) -> Iterator[tuple[int, int]]:
    """Where the rows of a network begin and end: a layer with what it begins and ends with."""
    start = 0
    for position in range(1, len(net) + 1):
        if position == len(net) or not (held(net[position]) or leads(net[position - 1])):
            yield start, position
            start = position


def held(step: Step) -> bool:
    """Whether a step stands in the row of the one before it."""
    return isinstance(step, Leaf) and (step.op.kind in LAYER_ENDS or is_activation(step))


def is_activation(step: Leaf) -> bool:
    return step.op.kind not in BEGINNINGS and OPERATORS[step.op.kind].__module__.endswith(".activation")


def leads(step: Step) -> bool:
    """Whether a step stands in the row of the one after it."""
    return isinstance(step, (Fork, Tap, Here)) or (isinstance(step, Leaf) and step.op.kind in BEGINNINGS)


def shapes(rows: Sequence[Row], graph: Graph) -> None:
    """What goes into each row and comes out of it."""
    shape = graph.input.shape
    aliases: dict[str, Shape] = {}
    for row in rows:
        row.input = shape
        for step in row.steps:
            match step:
                case Tap():
                    shape = aliases[step.alias]
                case Leaf():
                    shape = graph.by_path[step.path].shape
                case Call():
                    shape = graph.by_path[step.paths[-1]].shape
                case Unit() | Fork() | Here():
                    pass
            if not isinstance(step, (Tap, Fork)) and step.alias:
                aliases[step.alias] = shape
            for branch in step.branches if isinstance(step, Fork) else ():
                aliases |= named_in(branch, graph)
        row.output = shape


def named_in(net: Net, graph: Graph) -> dict[str, Shape]:
    """The values that are named within a branch."""
    found: dict[str, Shape] = {}
    for step in net:
        if isinstance(step, (Leaf, Call)) and step.alias:
            path = step.path if isinstance(step, Leaf) else step.paths[-1]
            found[step.alias] = graph.by_path[path].shape
        for branch in step.branches if isinstance(step, Fork) else ():
            found |= named_in(branch, graph)
    return found


# ---- columns ----


def columns(rows: Sequence[Row]) -> frozenset[str]:
    """The names of what has a column: channels, and whatever differs between rows of the same steps."""
    seen: dict[tuple[tuple[str, ...], str], set[Value]] = {}
    for row in rows:
        for slot, attribute, name, value in candidates(row):
            seen.setdefault((slot.key, attribute), set()).add(value)
            seen.setdefault((("any",), name), set())
    varied = {letter(key, attribute) for (key, attribute), values in seen.items() if len(values) > 1}
    return frozenset(varied | ({CHANNELS} if (("any",), CHANNELS) in seen else set()))


def letter(key: tuple[str, ...], attribute: str) -> str:
    """The name of the column of an attribute."""
    return attribute if key[0] == "call" else LETTERS.get(attribute, "")


def candidates(row: Row) -> Iterator[tuple[Slot, str, str, int]]:
    """The whole numbers of a row that may have a column, each name once."""
    taken: set[str] = set()
    for slot in row.slots:
        payload = next(iter(slot.at.values()))
        if payload is None or slot.key == (ACT,):
            continue
        for attribute, value in values_of(payload).items():
            name = letter(slot.key, attribute)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if name and whole and name not in RESERVED | taken:
                taken.add(name)
                assert isinstance(value, int)
                yield slot, attribute, name, value


def put(row: Row, names: frozenset[str], solver: Solver) -> None:
    """Write names for the numbers of a row that have columns."""
    for slot, attribute, name, value in candidates(row):
        if name in names:
            row.values[name] = value
            solver.exprs[id(slot), attribute] = Expr(name, {0: value})


# ---- repeats ----


def fold(rows: Sequence[Row], resets: bool) -> list[Row]:
    """The rows, those that are the same as one with a count; where `resets`, all passes but the first have stride 1."""
    made: list[Row] = []
    for row in rows:
        last = made[-1] if made else None
        if last is not None and not (row.named or last.named) and follows(last, row, resets):
            last.count += 1
            last.paths += row.paths
            last.output = row.output
        else:
            copy = Row(row.steps, row.slots, row.text, row.values, 1, list(row.paths), row.named, row.input, row.output)
            made.append(copy)
    return made


def follows(last: Row, row: Row, resets: bool) -> bool:
    """Whether a row is a further pass of another."""
    if last.text != row.text:
        return False
    if row.values == last.values:
        return not resets or row.values.get(STRIDE, 1) == 1
    return resets and row.values == {**last.values, STRIDE: 1}
