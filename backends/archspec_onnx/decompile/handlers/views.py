"""What only lays a tensor out anew."""

from typing import Any

from archspec.decompile.layouts import only
from archspec_onnx.decompile.handlers.registry import reads
from archspec_onnx.decompile.shapes import new_sides, remade, shape_numbers, turned, whole_sides
from archspec_onnx.decompile.walk import OnnxPlace


@reads("Flatten", "Reshape", "Squeeze", "Unsqueeze")
def reshape(place: OnnxPlace, x: Any, how: Any = None) -> Any:
    return remade(place, x, new_sides(place, whole_sides(place, x), (x, how)))


@reads("Transpose")
def transpose(place: OnnxPlace, x: Any) -> Any:
    return turned(place, x, place.wholes("perm", range(len(whole_sides(place, x)))[::-1]))


@reads("Expand")
def expand(place: OnnxPlace, x: Any, shape: Any) -> Any:
    own, wanted = whole_sides(place, x), shape_numbers(place, shape)
    inside = len(wanted) <= len(own) and all(b in {1, a} for a, b in zip(own[::-1], wanted[::-1], strict=False))
    only(inside, "it repeats values")
    return x
