"""Numbers that an ONNX file holds, and what it computes of such: exporters write shapes as small programs."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import onnx
from msgspec import Struct
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from archspec.decompile.layouts import No
from archspec.printable import printable

Array = np.ndarray[Any, Any]
LARGEST = 2**24
"""No more numbers than this are computed of constants at a time."""
GROWING = frozenset({"ConstantOfShape", "Expand", "Tile"})
"""What makes as many numbers as its last input says."""
BOUND = GROWING | {
    "Abs", "Add", "And", "Cast", "Ceil", "Concat", "Div", "Equal", "Exp", "Flatten", "Floor", "Gather", "Greater",
    "Identity", "Less", "Log", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pow", "Reciprocal", "ReduceMax",
    "ReduceMin", "ReduceProd", "ReduceSum", "Reshape", "Round", "ScatterND", "Slice", "Sqrt", "Squeeze", "Sub",
    "Transpose", "Unsqueeze", "Where",
}  # fmt: skip
"""What is computed of constants: of these it is known how many numbers they make."""
VIEWS = frozenset({"Transpose", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Identity"})
"""What changes the shape of a weight and not its numbers."""


class Constant(Struct, frozen=True):
    """Numbers that a file holds or computes of such."""

    array: Array
    key: str = ""
    """the name of the initializer that it is, perhaps in another shape; empty where it is none"""
    made: str = ""
    """the name of the value that it was first"""


class Computed(Struct, frozen=True):
    """Numbers that a file computes of weights."""

    node: NodeProto


def array(tensor: TensorProto) -> Array:
    """A tensor as an array; bfloat16, which numpy does not have, as float32, which holds the same numbers."""
    found: Array = numpy_helper.to_array(tensor)
    return found.astype(np.float32) if tensor.data_type == TensorProto.BFLOAT16 else found


def constant_of(node: NodeProto) -> Array:
    """The numbers of a `Constant`; raises `No` for what are none."""
    attribute = node.attribute[0]
    value = helper.get_attribute_value(attribute)
    if attribute.name == "value":
        return array(value)
    if attribute.name in {"value_float", "value_floats"}:
        return np.asarray(value, dtype=np.float32)
    if attribute.name in {"value_int", "value_ints"}:
        return np.asarray(value, dtype=np.int64)
    raise No("it holds no numbers")


def computed(node: NodeProto, model: onnx.ModelProto, constants: Sequence[Constant]) -> Array:
    """What a node gives, by onnx's own reference; raises `No`."""
    given = [name for name in node.input if name]
    if node.op_type not in BOUND:
        raise No("it computes with constants")
    # no operator of these makes more, whatever it spreads over what
    most = prod(max(1, x.array.size) for x in constants)
    if node.op_type in GROWING:
        most *= int(np.prod(constants[-1].array.astype(object)))
    if most > LARGEST and node.op_type not in VIEWS:
        raise No("it computes too many numbers")
    types = [helper.np_dtype_to_tensor_dtype(x.array.dtype) for x in constants]
    values = [
        helper.make_tensor_value_info(name, kind, x.array.shape)
        for name, kind, x in zip(given, types, constants, strict=True)
    ]
    unique = {value.name: value for value in values}
    output = helper.make_empty_tensor_value_info(node.output[0])
    graph = helper.make_graph([node], "constant", list(unique.values()), [output])
    made = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    try:
        feed = dict(zip(given, (x.array for x in constants), strict=True))
        results: Any = ReferenceEvaluator(made).run(None, feed)
        return np.asarray(results[0])
    except Exception as error:  # a damaged model makes it raise whatever comes first
        raise No(f"it cannot be computed: {printable(str(error))[:100]}") from None
