"""What the language cannot express of a file: what of it an output depends on, and the shapes of unread values.

A value that is not read has a stand-in of its shape, so that what comes after it is looked at too.
"""

from collections.abc import Iterator, Sequence

from onnx import ModelProto, numpy_helper, shape_inference

from archspec.decompile.layouts import Lost, Pending, Value
from archspec.graph import Node
from archspec_onnx.decompile.walk import OnnxWalk
from archspec_onnx.file import File

SMALL = 2**10
"""Tensors of more numbers are neither shapes nor scales."""


def reached(walk: OnnxWalk, names: Sequence[str]) -> list[str]:
    """The values that these depend on and that cannot be expressed, as the file has them."""
    found: set[str] = set()
    pending, seen = list(names), set(names)
    paths: set[str] = set()
    nodes = {node.path: node for node in walk.builder.nodes}
    while pending:
        name = pending.pop()
        value = walk.values.get(name)
        above: list[str] = []
        if isinstance(value, Lost) or name in walk.stands.values():
            found.add(name)
            node = walk.links.makers.get(name)
            above += [] if node is None else node.input
        if isinstance(value, (Value, Pending)):
            path = value.path if isinstance(value, Value) else value.base.path
            above += stand_ins(walk, path, nodes, paths)
        pending += [other for other in above if other not in seen]
        seen.update(above)
    return [name for name in walk.lost if name in found]


def stand_ins(walk: OnnxWalk, path: str, nodes: dict[str, Node], paths: set[str]) -> Iterator[str]:
    """The values that nodes of the flat Graph stand for, among those that one of them depends on."""
    pending = [path]
    while pending:
        at = pending.pop()
        if at not in paths:
            paths.add(at)
            pending += nodes[at].inputs
            if at in walk.stands:
                yield walk.stands[at]


def shapes_of(file: File, sides: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """The shapes that onnx infers for an input of these sides; none where it cannot."""
    model = ModelProto()
    model.CopyFrom(file.model)
    small = {
        name: numpy_helper.from_array(x.array, name)
        for name, x in file.weights.items()
        if x.type in {"int64", "float32"} and x.size <= SMALL and not x.outside
    }
    inputs = [value for value in model.graph.input if value.name not in small]
    for value in inputs:
        if value.name == file.inputs[0].name:
            value.type.tensor_type.ClearField("shape")
            for side in sides:
                value.type.tensor_type.shape.dim.add(dim_value=side)
    given = list(inputs)
    del model.graph.input[:]
    model.graph.input.extend(given)
    model.graph.initializer.extend(small.values())
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    try:
        inferred = shape_inference.infer_shapes(model).graph
    except Exception:  # it is not needed: what it cannot infer is not looked at
        return {}
    return {
        value.name: tuple(side.dim_value for side in value.type.tensor_type.shape.dim)
        for value in (*inferred.value_info, *inferred.output)
    }
