"""Sums, products and their kin -> joins, and arithmetic with constants."""

from typing import Any

import numpy as np

from archspec import ops
from archspec.decompile.layouts import No, Value, only
from archspec_onnx.constants import Constant, fixed
from archspec_onnx.decompile.affine import affine, changed, reciprocal, scaled, shifted, spread
from archspec_onnx.decompile.handlers.registry import reads
from archspec_onnx.decompile.walk import OnnxPlace


@reads("Add", "Sum")
def add(place: OnnxPlace, *inputs: Any) -> Any:
    if len(inputs) == 2:
        for x, other in (inputs, inputs[::-1]):
            if isinstance(other, Constant):
                return shifted(place, x, other)
    return place.add(ops.Add(), place.alike(inputs)) if len(inputs) > 1 else inputs[0]


@reads("Sub")
def sub(place: OnnxPlace, one: Any, other: Any) -> Value:
    if isinstance(other, Constant):
        return shifted(place, one, changed(place, other, np.negative))
    if isinstance(one, Constant):
        x = place.any(other)
        return affine(
            place, x, spread(place, x, fixed(np.float32(-1), made=f"{place.key}/minus")), spread(place, x, one)
        )
    raise No("it subtracts one value from another")


@reads("Mul")
def mul(place: OnnxPlace, one: Any, other: Any) -> Value:
    for x, factor in ((one, other), (other, one)):
        if isinstance(factor, Constant):
            return scaled(place, x, factor)
    return place.add(ops.Mul(), place.alike([one, other]))


@reads("Div")
def div(place: OnnxPlace, one: Any, other: Any) -> Value:
    if not isinstance(other, Constant):
        raise No("it divides by a value of the network")
    only(not other.real or bool((other.array != 0).all()), "it divides by zero")
    return scaled(place, one, changed(place, other, reciprocal))
