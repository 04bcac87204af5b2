"""What gives the tensor that it is given."""

from typing import Any

from onnx import helper

from archspec.decompile.layouts import only
from archspec_onnx.constants import Constant
from archspec_onnx.decompile.handlers.registry import reads
from archspec_onnx.decompile.walk import OnnxPlace


@reads("Identity")
def same(place: OnnxPlace, x: Any) -> Any:
    return x


@reads("Cast", "CastLike")
def cast(place: OnnxPlace, x: Any, other: Any = None) -> Any:
    """A change to the type that the numbers have."""
    own = place.reading.file.inputs[0].type.tensor_type.elem_type
    if isinstance(other, Constant):
        only(other.type == helper.tensor_dtype_to_np_dtype(own).name, "it changes the type of numbers")
    elif place.node.op_type == "Cast":
        only(place.whole("to", 0) == own, "it changes the type of numbers")
    return x
