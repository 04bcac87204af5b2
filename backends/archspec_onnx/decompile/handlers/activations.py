"""What acts on every value by itself, or drops some -> activations and dropout."""

from typing import Any

import numpy as np

from archspec import ops
from archspec.decompile.layouts import CHANNELS, No, Value, only
from archspec_onnx.constants import Constant, numbers, one_number
from archspec_onnx.decompile.affine import first_value, per_channel
from archspec_onnx.decompile.handlers.registry import HANDLERS, Handler, reads
from archspec_onnx.decompile.walk import OnnxPlace

BOUNDLESS = float(np.finfo(np.float32).max)
"""What a bound is that nothing is beyond."""


@reads("PRelu")
def prelu(place: OnnxPlace, x: Any, slope: Any) -> Value:
    given = place.any(x)
    if not isinstance(slope, Constant):
        raise No("its slope is computed")
    factor = per_channel(place, given, slope)
    if not slope.key and slope.size == 1:
        return place.add(ops.LeakyRelu(slope=one_number(slope, "slope")), [given])
    shared = slope.size == 1 < place.channels(given)
    made = ops.PRelu(shared=shared, slope=first_value(factor, 0.25))
    return place.add(made, [given], weight=place.tensor(factor))


PLAIN: dict[str, ops.AnyOp] = {"Relu": ops.Relu(), "Sigmoid": ops.Sigmoid(), "Tanh": ops.Tanh()}


def plain(made: ops.AnyOp) -> Handler:
    return lambda place, x: place.add(made, [place.any(x)])


for kind, found in PLAIN.items():
    HANDLERS[kind] = plain(found)


@reads("HardSwish")
def hard_swish(place: OnnxPlace, x: Any) -> Value:
    return place.add(ops.HardSwish(), [place.any(x)])


@reads("HardSigmoid")
def hard_sigmoid(place: OnnxPlace, x: Any) -> Value:
    slope, offset = place.real("alpha", 0.2), place.real("beta", 0.5)
    same = np.float32(slope) == np.float32(1 / 6) and offset == 0.5
    only(same, f"it is {slope:.7g}·x + {offset:.7g}; `hardsigmoid` is x/6 + 1/2")
    return place.add(ops.HardSigmoid(), [place.any(x)])


@reads("Gelu")
def gelu(place: OnnxPlace, x: Any) -> Value:
    return place.add(ops.Gelu(approximate=place.word("approximate", "none")), [place.any(x)])


@reads("LeakyRelu")
def leaky_relu(place: OnnxPlace, x: Any) -> Value:
    return place.add(ops.LeakyRelu(slope=place.real("alpha", 0.01)), [place.any(x)])


@reads("Clip")
def clip(place: OnnxPlace, x: Any, least: Any = None, most: Any = None) -> Value:
    bounds = [
        place.real(name, 0) if name in place.attributes else None if given is None else one_number(given, name)
        for name, given in (("min", least), ("max", most))
    ]
    low = None if bounds[0] is not None and bounds[0] <= -BOUNDLESS else bounds[0]
    high = None if bounds[1] is not None and bounds[1] >= BOUNDLESS else bounds[1]
    given = place.any(x)
    if low is None and high is None:
        return given
    only((low, high) in {(0, 6), (0, None)}, f"it cuts at {low} and {high}; `relu6` cuts at 0 and 6")
    return place.add(ops.Relu() if high is None else ops.Relu6(), [given])


@reads("Softmax")
def softmax(place: OnnxPlace, x: Any) -> Value:
    given = place.any(x)
    sides, channels = place.laid(given), CHANNELS[given.layout]
    axis = place.dimension(place.whole("axis", -1 if place.version >= 13 else 1), 1 + len(sides))
    if place.version >= 13:
        only(axis == channels, "it is not along the channels")
    else:  # it took all dimensions from the axis on for one
        others = [side for at, side in enumerate(sides, 1) if at >= axis and at != channels]
        only(0 < axis <= channels and set(others) <= {1}, "it runs over all dimensions of a map")
    return place.add(ops.Softmax(), [given])


@reads("Dropout")
def dropout(place: OnnxPlace, x: Any, ratio: Any = None, training: Any = None) -> list[Value]:
    rate = one_number(ratio, "ratio") if ratio is not None else place.real("ratio", 0.5)
    only(training is None or not numbers(training, "training_mode")[0], "it drops values while evaluating")
    return [place.add(ops.Dropout(rate=float(str(np.float32(rate)))), [place.any(x)])]
