"""What exporters spell out in several nodes -> the one operator of the language that it is.

A pattern is looked for from its last node backwards. Products are compared as sets of factors, since exporters
multiply in any order; numbers that a file keeps as float32 are compared as such.
"""

from collections.abc import Callable, Iterator
from itertools import product
from math import pi, prod, sqrt
from typing import Any

import numpy as np
from onnx import NodeProto, helper

from archspec import ops
from archspec.decompile.layouts import Bands, NormalBands, Pending, Value
from archspec.tensor import Shape
from archspec_onnx.constants import Constant
from archspec_onnx.decompile.walk import OnnxPlace
from archspec_onnx.lower import means, shares

Found = Value | Pending | None
MOST_FACTORS = 12
"""So many values are looked at to take a product apart."""
MOST_PADS = 2**10
"""So many ways of hanging over the edge are tried."""


def recognised(place: OnnxPlace) -> Any:
    """What a node gives where it is the last of a pattern; None where it is not."""
    return next(
        (found for pattern in PATTERNS.get(place.node.op_type, ()) if (found := pattern(place)) is not None), None
    )


# ---- looking at the nodes before ----


def maker(place: OnnxPlace, name: str, kind: str) -> NodeProto | None:
    """The node of a kind that makes a value."""
    node = place.reading.links.makers.get(name)
    return node if node is not None and node.op_type == kind else None


def number(place: OnnxPlace, name: str) -> float | None:
    """The one number that a value is."""
    found = place.reading.values.get(name)
    if not isinstance(found, Constant) or found.size != 1 or len(found.shape) > 2:  # more would be more dimensions
        return None
    return float(found.array.item()) if found.real and found.twin is None else None


def near(one: float | None, other: float) -> bool:
    """Whether two numbers are the same in float32, give or take its last digit."""
    return one is not None and abs(one - other) <= 2**-22 * abs(other)


def factors(place: OnnxPlace, name: str) -> tuple[float, list[str]]:
    """A value as a product: the numbers in it, and the names of its other factors.

    Of a product of many only the last ones are taken apart, since no pattern has so many.
    """
    constant, names, pending = 1.0, [], [name]
    for _ in range(MOST_FACTORS):
        if not pending:
            break
        at = pending.pop(0)
        found, node = number(place, at), place.reading.links.makers.get(at)
        divisor = number(place, node.input[1]) if node is not None and node.op_type == "Div" else None
        if found is not None:
            constant *= found
        elif node is not None and node.op_type == "Mul":
            pending = [*node.input, *pending]
        elif node is not None and divisor:
            constant /= divisor
            pending.insert(0, node.input[0])
        else:
            names.append(at)
    return constant, names + pending


def plus(place: OnnxPlace, name: str, wanted: float) -> str | None:
    """The other summand of a value that adds a number."""
    node = maker(place, name, "Add")
    for one, other in ((0, 1), (1, 0)) if node is not None else ():
        if node is not None and number(place, node.input[one]) == wanted:
            return str(node.input[other])
    return None


def attribute(node: NodeProto, name: str, default: Any) -> Any:
    return next((helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def value(place: OnnxPlace, name: str) -> Value | None:
    found = place.reading.values.get(name)
    return found if isinstance(found, Value) else None


# ---- activations ----


def gated(place: OnnxPlace) -> Found:
    """X · sigmoid(x), x · hardsigmoid(x), x · Φ(x): one of the factors is made of the other."""
    constant, names = factors(place, place.node.output[0])
    if len(names) != 2:
        return None
    for x, gate in (names, names[::-1]):
        given = value(place, x)
        made = activation(place, x, gate, constant) if given is not None else None
        if given is not None and made is not None:
            return place.add(made, [given])
    return None


def activation(place: OnnxPlace, x: str, gate: str, constant: float) -> ops.AnyOp | None:
    """The activation that is a number times x times a gate of x."""
    sigmoid, hard = maker(place, gate, "Sigmoid"), maker(place, gate, "HardSigmoid")
    if sigmoid is not None and sigmoid.input[0] == x and constant == 1:
        return ops.Silu()
    if hard is not None and hard.input[0] == x and constant == 1 and is_hard_sigmoid(hard):
        return ops.HardSwish()
    if clipped(place, gate) == x and near(constant, 1 / 6):
        return ops.HardSwish()
    inner = plus(place, gate, 1)
    if inner is None or constant != 0.5:
        return None
    erf, tanh = maker(place, inner, "Erf"), maker(place, inner, "Tanh")
    if erf is not None:
        scale, names = factors(place, erf.input[0])
        return ops.Gelu() if names == [x] and near(scale, sqrt(1 / 2)) else None
    if tanh is not None and is_bent(place, tanh.input[0], x):
        return ops.Gelu(approximate="tanh")
    return None


def is_hard_sigmoid(node: NodeProto) -> bool:
    return near(attribute(node, "alpha", 0.2), 1 / 6) and attribute(node, "beta", 0.5) == 0.5


def clipped(place: OnnxPlace, name: str) -> str | None:
    """The x of `min(max(0, x + 3), 6)`."""
    node = maker(place, name, "Clip")
    if node is None:
        return None
    bounds = [
        attribute(node, key, None) if len(node.input) <= at or not node.input[at] else number(place, node.input[at])
        for at, key in ((1, "min"), (2, "max"))
    ]
    return plus(place, node.input[0], 3) if bounds == [0, 6] else None


def is_bent(place: OnnxPlace, name: str, x: str) -> bool:
    """Whether a value is `√(2/π) (x + 0.044715 x³)`."""
    scale, names = factors(place, name)
    node = maker(place, names[0], "Add") if len(names) == 1 and near(scale, sqrt(2 / pi)) else None
    if node is None or x not in node.input:
        return False
    cubed = next((other for other in node.input if other != x), x)
    scale, names = factors(place, cubed)
    power = maker(place, names[0], "Pow") if len(names) == 1 else None
    whole = names == [x] * 3 or (power is not None and power.input[0] == x and number(place, power.input[1]) == 3)
    return whole and near(scale, 0.044715)


def hard_sigmoid(place: OnnxPlace) -> Found:
    """min(max(0, x + 3), 6) / 6."""
    constant, names = factors(place, place.node.output[0])
    x = clipped(place, names[0]) if len(names) == 1 and near(constant, 1 / 6) else None
    given = value(place, x) if x is not None else None
    return None if given is None else place.add(ops.HardSigmoid(), [given])


# ---- normalisations ----


def standardized(place: OnnxPlace) -> Found:
    """(x − mean) / √(variance + eps), along the last dimension."""
    above, below = place.node.input
    root = maker(place, below, "Sqrt")
    total = maker(place, root.input[0], "Add") if root is not None else None
    centred = maker(place, above, "Sub")
    if total is None or centred is None:
        return None
    x = place.reading.values.get(centred.input[0])
    for variance, eps in ((total.input[0], total.input[1]), (total.input[1], total.input[0])):
        added = number(place, eps)
        if added is None or not is_mean(place, centred.input[1], centred.input[0]):
            continue
        if any(is_mean(place, variance, square) for square in squares(place, above)):
            return normal(place, x, float(str(np.float32(added))) if place.reading.exact else added)
    return None


def is_mean(place: OnnxPlace, name: str, x: str) -> bool:
    """Whether a value is the mean of another along its last dimension, which stays with one entry."""
    node = maker(place, name, "ReduceMean")
    if node is None or node.input[0] != x or not attribute(node, "keepdims", 1):
        return False
    given = place.reading.values.get(node.input[1]) if len(node.input) > 1 else None
    axes = given.array.tolist() if isinstance(given, Constant) else list(attribute(node, "axes", ()))
    known = place.reading.values.get(x)
    rank = 3 if isinstance(known, Pending) else 2 if isinstance(known, Value) and known.layout == "flat" else 4
    return axes in ([-1], [rank - 1])


def squares(place: OnnxPlace, name: str) -> Iterator[str]:
    """The names of the values that are the square of another."""
    for node in place.reading.file.model.graph.node:
        if not place.reading.links.standard(node):
            continue
        if node.op_type == "Mul" and list(node.input) == [name, name]:
            yield node.output[0]
        if node.op_type == "Pow" and node.input[0] == name and number(place, node.input[1]) == 2:
            yield node.output[0]


def normal(place: OnnxPlace, x: Any, eps: float) -> Found:
    """A normalisation without trained numbers, of channels or of groups of them."""
    if isinstance(x, Bands) and not isinstance(x, NormalBands):
        return NormalBands(x.base, x.count, eps)
    if isinstance(x, Value) and x.layout != "chw":
        return place.add(ops.LayerNorm(eps=eps, scale=False, shift=False), [x])
    return None


# ---- poolings ----


def adaptive(place: OnnxPlace) -> Found:
    """The means over windows that overlap, as a product with two matrices."""
    inner, right = place.node.input
    node = maker(place, inner, "MatMul")
    across = place.reading.values.get(right)
    if node is None or not isinstance(across, Constant):
        return None
    down, x = place.reading.values.get(node.input[0]), value(place, node.input[1])
    if (
        not isinstance(down, Constant)
        or x is None
        or x.layout != "chw"
        or len(across.shape) != 2
        or len(down.shape) != 2
    ):
        return None
    (height, width, _), size = place.shape(x), (down.array.shape[0], across.array.shape[1])
    if (down.shape[1], across.shape[0]) != (height, width):
        return None
    same = np.array_equal(down.array, means(height, size[0]).astype(down.array.dtype))
    same = same and np.array_equal(across.array, means(width, size[1]).T.astype(across.array.dtype))
    return place.add(ops.AdaptiveAvgPool(size=size), [x]) if same else None


def overhanging(place: OnnxPlace) -> Found:
    """An average that counts its padding, corrected where a window hangs over the edge."""
    for one, other in (place.node.input, tuple(place.node.input)[::-1]):
        mean, factors_ = value(place, one), place.reading.values.get(other)
        op = place.made(mean) if mean is not None else None
        if (
            isinstance(op, ops.AvgPool)
            and op.include_pad
            and isinstance(factors_, Constant)
            and not factors_.key
            and factors_.real
        ):
            node = next(n for n in place.reading.builder.nodes if mean is not None and n.path == mean.path)
            x = Value(node.inputs[0], "chw")
            found = corrected(op, place.shape(x), node.shape, factors_.array)
            return place.add(found, [x]) if found is not None else None
    return None


def corrected(op: ops.AvgPool, given: Shape, gives: Shape, factor: Any) -> ops.AvgPool | None:
    """The operator whose windows hang over as far as these factors say; None where there is none."""
    pads = op.padding(given[0], given[1])
    kernel = op.reach
    if (pads.bottom + 1) * (pads.right + 1) > MOST_PADS or prod(gives[:2]) > factor.size:
        return None
    for bottom, right in product(range(pads.bottom + 1), range(pads.right + 1)):
        made = op.model_copy(update={"pad": (pads.top, bottom, pads.left, right), "ceil": True})
        down = shares(kernel[0], op.strides[0], pads.top + given[0] + bottom, gives[0])
        across = shares(kernel[1], op.strides[1], pads.left + given[1] + right, gives[1])
        whole = (down[:, None] * across).astype(factor.dtype)
        if fits(made, given, gives) and factor.shape == whole.shape and np.array_equal(whole, factor):
            return made
    return None


def fits(op: ops.AvgPool, given: Shape, gives: Shape) -> bool:
    try:
        return op.infer(given) == gives
    except ops.Misfit:
        return False


PATTERNS: dict[str, tuple[Callable[[OnnxPlace], Found], ...]] = {
    "Mul": (gated, hard_sigmoid, overhanging),
    "Div": (gated, hard_sigmoid, standardized),
    "MatMul": (adaptive,),
}
