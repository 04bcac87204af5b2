"""A flat model -> the text of a spec, and the order in which it has the nodes."""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from msgspec import Struct

from archspec import driver
from archspec.decompile.blocks import Library, with_calls
from archspec.decompile.homes import homes_of, units_of
from archspec.decompile.mining import mine, plain_name
from archspec.decompile.model import Model, legal
from archspec.decompile.normal import sliced
from archspec.decompile.solve import CATEGORIES, Solver, Usual
from archspec.decompile.steps import Call, Leaf, Net, Tree, in_order
from archspec.decompile.templates import Template, lifted, values_of
from archspec.decompile.text import Item, items, runs
from archspec.decompile.trees import UnforkedParts, tree_of
from archspec.decompile.values import Value, literal
from archspec.graph import Graph
from archspec.ops import AnyOp
from archspec.printable import printable
from archspec.stats import summarize
from archspec.tensor import Shape

OFTEN = 3
"""So many operators of a kind are worth a clause of what they have in common."""
SIZES = frozenset({*CATEGORIES, "multiplier"})
LINE = 100
"""A body of more characters is broken where the map gets smaller."""


def tree_and_graph(graph: Graph) -> tuple[Tree, Graph]:
    """The network of a Graph; parts that no fork can take are slices in the Graph that comes back."""
    while True:
        homes = homes_of(graph)
        try:
            return tree_of(graph, homes, units_of(graph, homes)), graph
        except UnforkedParts as error:
            graph = sliced(graph, error.paths)


class Folded(Struct, frozen=True):
    """A Graph as calls of blocks."""

    tree: Tree
    graph: Graph
    """with slices where the language needs them"""
    library: Library
    order: tuple[str, ...]
    """the paths of its nodes in the order of the text"""

    @property
    def outputs(self) -> Iterator[tuple[str, str]]:
        """The clauses of further outputs: what stands before their `=`, and after it."""
        for name, net in self.tree.outputs.items():
            mark = " in training" if name in self.graph.training else ""
            yield f"output {name}", body(net, self.library) + mark


def folded(graph: Graph, loose: bool = False) -> Folded:
    """A Graph with its blocks found: its scopes where they have a class, and what is repeated."""
    tree, graph = tree_and_graph(graph)
    order = tuple(path for net in tree.nets for path in in_order(net))
    library = Library(graph, usual_of(graph))
    with_calls(tree.nets, library, loose)
    mine(tree.nets, library, plain_name)
    return Folded(tree, graph, library, order)


def written(model: Model) -> tuple[str, Graph, tuple[str, ...]]:
    """The text of a model, its Graph as the text says it, and the paths of its nodes in the order of the text."""
    found = folded(model.graph, model.loose)
    tree, graph, library = found.tree, found.graph, found.library
    counted = summarize(graph)
    lines = [
        "arch 1",
        *(f"# {printable(line)}" for line in (f"From {model.origin}.", *model.notes)),
        "",
        *(f"{block.text}\n" for block in library.blocks),
        f"network {library.free(legal(graph.name))} {{",
        f"input {' x '.join(map(str, graph.input.shape))}",
        *filter(None, [default(library.usual)]),
        f"body {body(tree.body, library)}",
        *(f"{head} = {net}" for head, net in found.outputs),
        f"check params = {counted.params:_}, macs = {counted.macs:_}",
        "}",
    ]
    return driver.format_text("\n".join(lines) + "\n"), graph, found.order


def usual_of(graph: Graph) -> Usual:
    """What all operators of a kind are given that the language does not give them: one that stands often."""
    rows: dict[str, list[dict[str, Value]]] = {}
    for node in graph.nodes[1:]:
        rows.setdefault(node.op.kind, []).append(stylistic(node.op))
    often = {kind: found for kind, found in rows.items() if len(found) >= OFTEN}
    shared = {
        kind: {name: value for name, value in found[0].items() if all(row.get(name) == value for row in found)}
        for kind, found in often.items()
    }
    return {kind: values for kind, values in shared.items() if values}


def stylistic(op: AnyOp) -> dict[str, Value]:
    """The attributes of an operator that are not sizes and do not have their defaults."""
    fields = {name: field for name, field in type(op).model_fields.items() if not field.is_required()}
    own = {name: value for name, value in values_of(op).items() if name in fields and name not in SIZES}
    return {name: value for name, value in own.items() if name not in op.positional and value != fields[name].default}


def default(usual: Usual) -> str:
    """The clause; empty where there is nothing to say."""
    calls = (
        f"{kind}({', '.join(f'{name} = {literal(value)}' for name, value in values.items())})"
        for kind, values in usual.items()
    )
    return f"default {', '.join(calls)}" if usual else ""


def solved(net: Net, library: Library) -> tuple[Template, set[int], Solver]:
    """The steps of a network of its own, every attribute of them a literal."""
    template = lifted(net, 0)
    for slot, step in zip(template, net, strict=True):
        slot.narrows = narrows(step, library.graph)
    solver = Solver({0: library.graph.input.shape}, False, library.usual)
    solver.solve(template, {0})
    return template, {0}, solver


def body(net: Net, library: Library) -> str:
    """A network of its own, in lines that end where the map gets smaller."""
    parts = runs(items(*solved(net, library)))
    if len(" -> ".join(item.text for item in parts)) <= LINE:
        return " -> ".join(item.text for item in parts) or "id"
    lines = (line for stage in stages(parts) for line in filled(stage))
    return "\n-> ".join(" -> ".join(item.text for item in line) for line in lines)


def filled(stage: Sequence[Item]) -> Iterator[list[Item]]:
    """A stage in lines; what layers end with stays with them."""
    line: list[Item] = []
    for position, item in enumerate(stage):
        layer = [item, *takewhile(lambda other: other.ends, stage[position + 1 :])]
        if line and not item.ends and sum(len(i.text) + len(" -> ") for i in (*line, *layer)) > LINE:
            yield line
            line = []
        line.append(item)
    if line:
        yield line


def narrows(step: object, graph: Graph) -> bool:
    """Whether a step makes the map smaller."""
    paths = (step.path,) if isinstance(step, Leaf) else step.paths if isinstance(step, Call) else ()
    if not paths:
        return False
    inside = set(paths)
    given = [source for path in paths for source in graph.by_path[path].inputs if source not in inside]
    before, after = area(graph.by_path[given[0]].shape), area(graph.by_path[paths[-1]].shape)
    return 0 < after < before


def area(shape: Shape) -> int:
    return shape[0] * shape[1] if len(shape) == 3 else 0


def stages(parts: Sequence[Item]) -> Iterator[list[Item]]:
    """Steps in lines: a pooling ends one, another step that makes the map smaller begins one."""
    line: list[Item] = []
    for item in parts:
        if item.narrows and not item.pools and line:
            yield line
            line = []
        line.append(item)
        if item.pools and item.narrows:
            yield line
            line = []
    if line:
        yield line
