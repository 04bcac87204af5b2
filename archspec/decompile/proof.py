"""The text means the model: the Graph that it elaborates to is compared with the flat one, node by node.

The order of the nodes in the text says which belongs to which, so nothing is searched for.
"""

from collections.abc import Sequence

from archspec import driver
from archspec.decompile.normal import canonical
from archspec.diagnostics import SpecError
from archspec.errors import Refusal
from archspec.graph import Graph, tensor_names

LIMIT = 4
"""The exit code of a diagnostic that a limit was reached."""


class Disproved(Refusal):
    """The text does not say what the model is. This is a bug of archspec, and nothing is written."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the text that was made is not this model ({why})", "this is a mistake in archspec: report it"
        )


def proved(text: str, graph: Graph, order: Sequence[str]) -> tuple[Graph, dict[str, str]]:
    """The Graph of a text, and what each of its tensors is in the flat one; raises `Disproved`.

    `order` are the paths of the flat Graph's nodes, except the input, as the text has them.
    """
    try:
        made = driver.parse(text, "<decompiled>").elaborate()
    except SpecError as error:
        if any(diagnostic.exit_code == LIMIT for diagnostic in error.diagnostics):
            raise
        raise Disproved(error.diagnostics[0].message) from error
    if (
        len(made.nodes) != len(graph.nodes)
        or len(order) != len(graph.nodes) - 1
        or made.input.shape != graph.input.shape
    ):
        raise Disproved(f"{len(made.nodes)} nodes, not {len(graph.nodes)}")
    place = {made.input.path: graph.input.path} | {
        node.path: path for node, path in zip(made.nodes[1:], order, strict=True)
    }
    tensors: dict[str, str] = {}
    for node in made.nodes[1:]:
        flat = graph.by_path[place[node.path]]
        inputs = made.input_shapes(node)
        same = canonical(node.op, inputs) == canonical(flat.op, inputs)
        if not same or node.shape != flat.shape or tuple(place[path] for path in node.inputs) != flat.inputs:
            raise Disproved(f"{node.path} is {node.op!r} of {node.inputs}, not {flat.op!r} of {flat.inputs}")
        names = tensor_names(node, inputs)
        tensors |= {name: f"{flat.path}.{name.rpartition('.')[2]}" for name in names}
    outputs = {name: place[path] for name, path in made.outputs.items()}
    if outputs != graph.outputs or set(made.training) != set(graph.training):
        raise Disproved("the outputs differ")
    return made, tensors
