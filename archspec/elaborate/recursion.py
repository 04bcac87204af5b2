"""Blocks or functions that ask for themselves, by whatever way, or for each other in too long a row."""

import graphlib
import itertools
from collections.abc import Iterable, Iterator

from archspec.diagnostics import Diagnostic
from archspec.elaborate.errors import Recursion
from archspec.elaborate.modules import BUILT_IN, Module, Named
from archspec.limits import Limits
from archspec.syntax import tree as t
from archspec.syntax.errors import LimitReached
from archspec.syntax.tree import walk


def recursion(modules: Iterable[Module], limits: Limits) -> list[Diagnostic]:
    """Blocks or functions that ask for themselves, by whatever way, or for each other in too long a row."""
    asked: dict[int, list[tuple[t.Name, Named]]] = {}
    for module in modules:
        for named in module.own.values():
            asked[id(named)] = list(asked_for(named, module))
    sorter = graphlib.TopologicalSorter({key: {id(named) for _, named in edges} for key, edges in asked.items()})
    try:
        order = list(sorter.static_order())
    except graphlib.CycleError as error:
        cycle = list(reversed(error.args[1]))
        steps = [next(edge for edge in asked[a] if id(edge[1]) == b) for a, b in itertools.pairwise(cycle)]
        return [Recursion(steps[0][0].span, (steps[-1][0].id, *(name.id for name, _ in steps)))]
    depth: dict[int, int] = {}
    for key in order:
        edges = asked.get(key, [])
        depth[key] = 1 + max((depth[id(named)] for _, named in edges), default=0)
        if depth[key] > limits.nesting + 1:
            found = f"{depth[key]} blocks or functions within each other"
            return [LimitReached(edges[0][0].span, "nested too deep", found, limits.nesting, "--max-nesting")]
    return []


def asked_for(named: Named, module: Module) -> Iterator[tuple[t.Name, Named]]:
    """The blocks and functions that a declaration asks for."""
    for node in walk(named):
        name = node.name if isinstance(node, t.Reference) else node.function if isinstance(node, t.Call) else None
        found = module.find(name) if name is not None and name.id not in BUILT_IN else None
        if name is not None and found is not None and isinstance(found[1], (t.Block, t.Definition)):
            yield name, found[1]
