"""The signature of a block, `h x w x k -> ceil(h/s) x ceil(w/s) x c`: of its instances, at this and at other sizes.

What a block gives is not read off its operators but tried: a rule stands if it holds for every instance on maps of
many sizes. Where none does, the block has no signature.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, product

from msgspec import Struct

from archspec import ops
from archspec.decompile.solve import CHANNELS, INPUT, STRIDE, Solver
from archspec.decompile.steps import Parameter
from archspec.graph import Graph, Node
from archspec.tensor import Shape

SIZES = 9
"""On so many more sizes, one by one, a rule is tried."""
MOST_TERMS = 8
"""No sums of channels are tried of more than so many."""
Rule = tuple[str, Callable[[int, int], int]]
"""An expression of a side, and what it gives for an instance and the side of its input."""


class Instance(Struct, frozen=True):
    """Nodes of a Graph that turn one value into another."""

    nodes: Sequence[Node]
    start: str
    """path of the node that gives them theirs"""
    given: Shape
    """its shape"""

    @classmethod
    def of(cls, graph: Graph, paths: Sequence[str]) -> "Instance":
        nodes = [graph.by_path[path] for path in paths]
        inside = set(paths)
        start = next(source for node in nodes for source in node.inputs if source not in inside)
        return cls(nodes, start, graph.by_path[start].shape)

    @property
    def gives(self) -> Shape:
        return self.nodes[-1].shape

    def on(self, shape: Shape) -> Shape | None:
        """What they give on an input of another shape; None where they do not suit it."""
        shapes = {self.start: shape}
        try:
            for node in self.nodes:
                shapes[node.path] = node.op.infer(*(shapes[path] for path in node.inputs))
        except ops.Misfit:
            return None
        return shapes[self.nodes[-1].path]


def signature(instances: Mapping[int, Instance], solver: Solver) -> str | None:
    """` : h x w x k -> …`; None where no rule holds for all instances."""
    ranks = {(len(one.given), len(one.gives)) for one in instances.values()}
    if len(ranks) > 1:
        return None
    channels = channel_rule(instances, solver)
    if channels is None:
        return None
    before, after = ranks.pop()
    if before == 1:
        return f" : {INPUT} -> {channels}" if after == 1 else None
    head = f" : h x w x {INPUT} -> "
    if after == 1:
        return head + channels
    strides = [p for p in solver.parameters if p.category == STRIDE and all(p.value(i) for i in instances)]
    trials = {i: list(tried(one)) for i, one in instances.items()}
    sides = []
    for axis, letter in enumerate("hw"):
        rules = side_rules(letter, strides)
        sides.append(next((text for text, rule in rules if holds(rule, trials, axis)), None))
    return None if None in sides else f"{head}{sides[0]} x {sides[1]} x {channels}"


def tried(one: Instance) -> Iterator[tuple[Shape, Shape]]:
    """What an instance is given and gives, on maps of this and of larger sizes."""
    height, width, channels = one.given
    for more in range(SIZES):
        shape = (height + more, width + SIZES - 1 - more, channels)
        found = one.on(shape)
        if found is not None:
            yield shape, found


def side_rules(letter: str, strides: Sequence[Parameter]) -> Iterator[Rule]:
    """How a side may follow from that of the input, the plainest first."""
    yield letter, lambda i, n: n
    yield "1", lambda i, n: 1
    for p in strides:
        yield f"ceil({letter}/{p.name})", lambda i, n, p=p: -(-n // whole(p, i))  # type: ignore[misc]
        yield f"{letter}//{p.name}", lambda i, n, p=p: n // whole(p, i)  # type: ignore[misc]
    for step in range(2, 9):
        yield f"ceil({letter}/{step})", lambda i, n, step=step: -(-n // step)  # type: ignore[misc]
        yield f"{letter}//{step}", lambda i, n, step=step: n // step  # type: ignore[misc]
        yield f"{step}*{letter}", lambda i, n, step=step: n * step  # type: ignore[misc]
        yield f"{letter}-{step}", lambda i, n, step=step: n - step  # type: ignore[misc]
        yield f"({letter}-1)//{step}", lambda i, n, step=step: (n - 1) // step  # type: ignore[misc]


def whole(parameter: Parameter, instance: int) -> int:
    value = parameter.value(instance)
    return value if isinstance(value, int) else 1


def holds(rule: Callable[[int, int], int], trials: Mapping[int, list[tuple[Shape, Shape]]], axis: int) -> bool:
    return all(rule(i, given[axis]) == gives[axis] for i, found in trials.items() for given, gives in found)


def channel_rule(instances: Mapping[int, Instance], solver: Solver) -> str | None:
    """How the channels of the output follow from those of the input and the parameters."""
    wanted = {i: one.gives[-1] for i, one in instances.items()}
    terms = list(channel_terms(instances, solver))
    for text, values in terms:
        if values == wanted:
            return text
    if len(set(wanted.values())) == 1:
        return str(wanted.popitem()[1])
    single = terms[:MOST_TERMS]
    for size in range(2, len(single) + 1):
        for chosen in combinations(single, size):
            if all(sum(values[i] for _, values in chosen) == number for i, number in wanted.items()):
                return "+".join(text for text, _ in chosen)
    return None


def channel_terms(instances: Mapping[int, Instance], solver: Solver) -> Iterator[tuple[str, dict[int, int]]]:
    """The channels that a block can name, with their values for each instance."""
    parameters = [p for p in solver.parameters if p.category == CHANNELS and all(p.value(i) for i in instances)]
    bases = [(p.name, {i: whole(p, i) for i in instances}) for p in parameters]
    bases.append((INPUT, {i: one.given[-1] for i, one in instances.items()}))
    yield from bases
    for (name, values), factor in product(bases, range(2, 9)):
        yield f"{factor}*{name}", {i: factor * value for i, value in values.items()}
        yield f"{name}//{factor}", {i: value // factor for i, value in values.items()}
