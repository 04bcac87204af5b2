"""A flat Graph in its normal form: what means the same is written the same.

Nothing that a value depends on changes: unused nodes go, a join of one is that one, a concatenation that begins with
all of an earlier one takes that instead, windows and parts of channels are said in the shortest way.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from archspec import ops
from archspec.decompile.model import Model
from archspec.graph import Graph, Node
from archspec.ops import AnyOp
from archspec.ops.base import Window, pair
from archspec.tensor import Shape

SAME = "same"


def normal(model: Model) -> Model:
    """A model whose Graph is in normal form."""
    graph = normal_graph(model.graph)
    alive = graph.tensors().keys()
    tensors = {name: tensor for name, tensor in model.tensors.items() if name in alive}
    return replace(model, graph=graph, tensors=tensors)


def normal_graph(graph: Graph) -> Graph:
    """The Graph with the same values in normal form; paths are kept, except those of parts that are split."""
    nodes, outputs = without_single_joins(graph.nodes, graph.outputs)
    nodes = nested(alive(nodes, outputs))
    nodes = alive(nodes, outputs)
    shapes = {node.path: node.shape for node in nodes}
    nodes = [
        node.model_copy(update={"op": canonical(node.op, tuple(shapes[path] for path in node.inputs))})
        for node in nodes
    ]
    nodes = parted(nodes)
    return with_nodes(graph, nodes, outputs)


def with_nodes(graph: Graph, nodes: Iterable[Node], outputs: Mapping[str, str]) -> Graph:
    """A Graph of other nodes; a copy would keep what was worked out of the old ones."""
    fields = {"scopes": graph.scopes, "outputs": dict(outputs), "training": graph.training}
    return Graph(name=graph.name, nodes=tuple(nodes), **fields)


def without_single_joins(nodes: Iterable[Node], outputs: Mapping[str, str]) -> tuple[list[Node], dict[str, str]]:
    """Joins of one value are that value."""
    stands: dict[str, str] = {}
    kept: list[Node] = []
    for node in nodes:
        inputs = tuple(stands.get(path, path) for path in node.inputs)
        if isinstance(node.op, ops.Join) and len(inputs) == 1:
            stands[node.path] = inputs[0]
        else:
            kept.append(with_inputs(node, inputs))
    return kept, {name: stands.get(path, path) for name, path in outputs.items()}


def with_inputs(node: Node, inputs: tuple[str, ...]) -> Node:
    return node if inputs == node.inputs else node.model_copy(update={"inputs": inputs})


def alive(nodes: Iterable[Node], outputs: Mapping[str, str]) -> list[Node]:
    """The nodes that an output depends on, and the input."""
    used = set(outputs.values())
    kept: list[Node] = []
    for node in reversed(list(nodes)):
        if node.path in used or isinstance(node.op, ops.Input):
            used.update(node.inputs)
            kept.append(node)
    return kept[::-1]


def nested(nodes: Sequence[Node]) -> list[Node]:
    """Concatenations that begin with all parts of an earlier one take that one: `(a, b, c)` is `((a, b), c)`.

    So each layer of a dense block is given one value.
    """
    known: dict[tuple[str, ...], str] = {}
    for node in nodes:
        if isinstance(node.op, ops.Concat):
            known.setdefault(node.inputs, node.path)
    made: dict[str, Node] = {}
    for node in nodes:
        if isinstance(node.op, ops.Concat):
            parts = node.inputs
            length = next((n for n in range(len(parts) - 1, 1, -1) if parts[:n] in known), 0)
            if length:
                node = with_inputs(node, (known[parts[:length]], *parts[length:]))
        made[node.path] = node
    return ordered(made)


def ordered(nodes: Mapping[str, Node]) -> list[Node]:
    """Nodes as they stand, except those that others before them take."""
    placed: dict[str, Node] = {}
    for path in nodes:
        pending = [path]
        while pending:
            missing = [above for above in nodes[pending[-1]].inputs if above not in placed]
            if missing:
                pending += missing
            else:
                placed.setdefault(pending[-1], nodes[pending.pop()])
    return list(placed.values())


# ---- operators ----


def canonical(op: AnyOp, shapes: tuple[Shape, ...]) -> AnyOp:
    """The operator with its attributes in the shortest form that means the same on inputs of these shapes."""
    if isinstance(op, ops.Conv) and op.groups == shapes[0][-1] > 1:
        channels = op.channels // op.groups
        op = ops.DwConv(
            kernel=op.kernel, stride=op.stride, pad=op.pad, dilation=op.dilation, multiplier=channels, bias=op.bias
        )
    elif isinstance(op, ops.DwConv) and shapes[0][-1] == 1:
        op = ops.Conv(
            kernel=op.kernel, stride=op.stride, pad=op.pad, dilation=op.dilation, channels=op.multiplier, bias=op.bias
        )
    elif isinstance(op, ops.AdaptiveAvgPool) and pair(op.size) == (1, 1):
        return ops.GlobalAvgPool()
    elif isinstance(op, ops.Flatten) and op.order == "hwc" and shapes[0][:-1] in {(), (1, 1)}:
        return ops.Flatten()
    if isinstance(op, Window):
        return op.model_copy(update=dict(window_attributes(op, shapes[0])))
    changes: dict[str, Any] = {}
    if isinstance(op, ops.AdaptiveAvgPool):
        changes["size"] = short(op.size)
    elif isinstance(op, ops.Upsample):
        changes["scale"] = short(op.scale)
    elif isinstance(op, ops.Pad):
        changes["amount"] = short_sides(op.amount)
    return op.model_copy(update=changes)


def window_attributes(op: Window, shape: Shape) -> Iterator[tuple[str, Any]]:
    """Attributes of a window in their shortest form."""
    yield "kernel", short(op.kernel)
    if "dilation" in type(op).model_fields:
        yield "dilation", short(op.dilation)
    strides = op.strides
    own = isinstance(op, (ops.MaxPool, ops.AvgPool)) and strides == pair(op.kernel)
    yield "stride", None if own else short(strides)
    reach = op.reach
    pads = op.padding(shape[0], shape[1])
    if pads == type(pads)((reach[0] - 1) // 2, (reach[0] - 1) // 2, (reach[1] - 1) // 2, (reach[1] - 1) // 2):
        yield "pad", SAME
    elif op.pad == "same_upper":
        yield "pad", op.pad
    elif not any(pads):
        yield "pad", "valid"
    else:
        yield "pad", short_sides(tuple(pads))


def short(extent: Any) -> Any:
    """`3` for `(3, 3)`."""
    sides = pair(extent)
    return sides[0] if sides[0] == sides[1] else sides


def short_sides(amount: Any) -> Any:
    """A padding of four sides as one number, two, or four."""
    if isinstance(amount, int):
        return amount
    top, bottom, left, right = amount if len(amount) == 4 else (amount[0], amount[0], amount[1], amount[1])
    if (top, left) != (bottom, right):
        return (top, bottom, left, right)
    return top if top == left else (top, left)


# ---- parts of the channels ----


def ranged(node: Node) -> tuple[int, int] | None:
    """The channels that a part takes; None if the node is not a part."""
    match node.op:
        case ops.Slice(start=start, stop=stop):
            return start, stop
        case ops.Split(index=index):
            return index * node.shape[-1], (index + 1) * node.shape[-1]
    return None


def parted(nodes: list[Node]) -> list[Node]:
    """Slices that are all equal parts of one value, each taken once, are its split; other parts are slices."""
    shapes = {node.path: node.shape for node in nodes}
    groups: dict[str, list[Node]] = {}
    for node in nodes:
        if ranged(node) is not None:
            groups.setdefault(node.inputs[0], []).append(node)
    ops_of: dict[str, AnyOp] = {}
    for source, group in groups.items():
        ranges = [found for node in group if (found := ranged(node)) is not None]
        channels = shapes[source][-1]
        size = channels // len(group)
        whole = len(group) > 1 and sorted(ranges) == [(i * size, (i + 1) * size) for i in range(len(group))]
        whole = whole and size * len(group) == channels
        for node, (start, stop) in zip(group, ranges, strict=True):
            part = ops.Split(parts=len(group), index=start // size) if whole else ops.Slice(start=start, stop=stop)
            ops_of[node.path] = part
    return [node.model_copy(update={"op": ops_of[node.path]}) if node.path in ops_of else node for node in nodes]


def sliced(graph: Graph, paths: Iterable[str]) -> Graph:
    """The Graph with these parts of a split as slices."""
    chosen = set(paths)
    nodes = []
    for node in graph.nodes:
        found = ranged(node) if node.path in chosen else None
        op = ops.Slice(start=found[0], stop=found[1]) if found else node.op
        nodes.append(node.model_copy(update={"op": op}))
    return with_nodes(graph, nodes, graph.outputs)
