"""Arithmetic with constants -> biases, factors for each channel, and 1×1 depthwise convolutions.

Exporters write a normalisation, or the change of scale of an image, as products and sums with constants. A sum right
after a layer without a bias is its bias. What multiplies channels is `layer_scale`; what adds to them as well is a
depthwise convolution of one pixel. Several in a row are one.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from archspec import ops
from archspec.decompile.affine import of_slices
from archspec.decompile.layouts import CHANNELS, No, Value, only
from archspec.ops.normalization import Norm
from archspec_onnx.constants import Array, Constant, fixed
from archspec_onnx.decompile.walk import OnnxAffine, OnnxPlace


def reciprocal(x: Array) -> Array:
    """One by each number; in float64 unless it is exact in the type of the numbers."""
    whole: Array = 1 / x.astype(np.float64)
    return narrow(whole, x.dtype)


def narrow(x: Array, kind: np.dtype[Any]) -> Array:
    """Numbers in a type, if it has them all."""
    with np.errstate(over="ignore"):
        found = x.astype(kind)
    return found if np.array_equal(found, x) else x


def changed(place: OnnxPlace, x: Constant, how: Callable[[Array], Array]) -> Constant:
    """Other numbers of the same shape; raises `No` where they are none that can be weights."""
    only(x.real, f"it computes with {x.type} numbers")
    only(x.twin is None, "it computes with the number of images")
    return Constant(x.shape, x.type, lambda: how(x.array), (), x.key, x.made or place.key, x.outside)


def neutral(place: OnnxPlace, x: Any, other: Constant, value: float) -> bool:
    """Whether a constant changes nothing: it is one number, or no weights, and makes nothing larger."""
    if not other.real or other.twin is not None or (other.key and other.size != 1):
        return False
    sides = (place.reading.batch, *place.laid(place.any(x)))[::-1]
    inside = len(other.shape) <= len(sides)
    inside = inside and all(side in {1, own} for side, own in zip(other.shape[::-1], sides, strict=False))
    return inside and prod(other.shape) > 0 and bool((other.array == value).all())


def spread(place: OnnxPlace, x: Value, other: Constant) -> Constant:
    """A constant as one number for each channel; raises `No`."""
    only(other.real, f"it computes with {other.type} numbers")
    only(other.twin is None, "it computes with the number of images")
    found = per_channel(place, x, other)
    count = place.channels(x)
    if found.size == count:
        return found
    number = found.array
    return fixed(np.repeat(number, count), made=place.key)


def shifted(place: OnnxPlace, x: Any, other: Constant) -> Value:
    """A value plus a constant: the bias of the layer before it, where it has none yet and only this takes it."""
    given = place.any(x)
    own = other.key and len(other.shape) > 0 and other.size == place.channels(given)
    if not own and neutral(place, x, other, 0):
        return given
    shift = spread(place, given, other)
    op = place.made(given)
    for kind, attribute in ((ops.Linear, "bias"), (ops.Conv, "bias"), (ops.DwConv, "bias"), (Norm, "shift")):
        free = isinstance(op, kind) and not getattr(op, attribute) and given.path not in place.reading.affine
        if free and place.alone(given):
            return place.amended(given, attribute, "bias", place.tensor(shift))
    if neutral(place, x, other, 0):
        return given
    return affine(place, given, None, shift)


def scaled(place: OnnxPlace, x: Any, other: Constant) -> Value:
    """A value times a constant."""
    given = place.any(x)
    own = other.key and len(other.shape) > 0 and other.size == place.channels(given)
    if not own and neutral(place, x, other, 1):
        return given
    factor = spread(place, given, other)
    norm = place.made(given)
    if isinstance(norm, (ops.LayerNorm, ops.GroupNorm)) and not norm.scale and not norm.shift and place.alone(given):
        return place.amended(given, "scale", "weight", place.tensor(factor))
    return affine(place, given, factor, None)


def affine(place: OnnxPlace, x: Value, factor: Constant | None, shift: Constant | None) -> Value:
    """A value times factors plus constants, as few operators as it takes; raises `No`."""
    before = place.reading.affine.get(x.path)
    if before is not None and place.alone(x):
        x, factor, shift = Value(before.x.path, x.layout, before.x.flattened), *composed(place, before, factor, shift)
    if shift is None and factor is not None:
        scale = ops.LayerScale(init=first_value(factor, 1e-6))
        return known(place, place.add(scale, [x], weight=place.tensor(factor)), OnnxAffine(x, factor, shift))
    if x.layout == "flat":
        if len(place.shape(x)) == 1:
            place.reading.wishes[place.key] = x.flattened
            raise No("it adds constants to the channels of a vector")
        return place.pixel(affine(place, place.unpixel(x), factor, shift))
    count = place.channels(x)
    weight = factor if factor is not None else fixed(np.ones(count, np.float32), made=f"{place.key}/ones")
    kernel, bias = place.tensor(weight.reshaped((count, 1, 1, 1))), place.tensor(shift)
    made = place.add(ops.DwConv(kernel=1, multiplier=1, bias=True), [x], weight=kernel, bias=bias)
    return known(place, made, OnnxAffine(x, factor, shift))


def known(place: OnnxPlace, made: Value, of: OnnxAffine) -> Value:
    place.reading.affine[made.path] = of
    return made


def composed(
    place: OnnxPlace, before: OnnxAffine, factor: Constant | None, shift: Constant | None
) -> tuple[Constant | None, Constant | None]:
    """Factors and constants after others as one of each; sums and products are those of float64."""
    factors = [x for x in (before.factor, factor) if x is not None]
    moved = [x for x in (before.shift, factor) if x is not None] if before.shift is not None else []
    first = joined(place, moved, np.multiply) if moved else None
    shifts = [x for x in (first, shift) if x is not None]
    return joined(place, factors, np.multiply), joined(place, shifts, np.add)


def joined(place: OnnxPlace, parts: list[Constant], how: Any) -> Constant | None:
    """One or two lists of numbers as one; None of none."""
    if len(parts) < 2:
        return parts[0] if parts else None
    one, other = parts

    def numbers() -> Array:
        found = how(one.array.astype(np.float64), other.array.astype(np.float64))
        return narrow(found, np.result_type(one.array.dtype, other.array.dtype))

    return Constant(one.shape, one.type, numbers, (), "", place.key, one.outside or other.outside)


def per_channel(place: OnnxPlace, x: Value, factor: Constant) -> Constant:
    """Numbers as they are spread over a value's channels, or one for all; raises `No`."""
    sides = [1] * (1 + len(place.laid(x)))
    sides[CHANNELS[x.layout]] = place.channels(x)
    whole = [1] * (len(sides) - len(factor.shape)) + list(factor.shape)
    known = len(whole) == len(sides) and (factor.size == 1 or whole == sides)
    only(known, "its factor does not have one number per channel")
    return factor.reshaped((factor.size,))


def first_value(factor: Constant, otherwise: float) -> float:
    """What a tensor began with, if it is still that: one number throughout; numbers of other files are not read."""
    if factor.outside or not factor.real or not factor.size:
        return otherwise
    flat = factor.array.reshape(-1)
    return float(str(flat[0])) if np.isfinite(flat[0]) and bool((flat == flat[0]).all()) else otherwise


# ---- channels that were scaled one by one ----


def together(place: OnnxPlace, parts: list[Value]) -> Value | None:
    """A concatenation of all channels of a value, each scaled by itself, as that value scaled; else None."""
    sliced = of_slices(place.reading.builder, place.reading.affine, parts)
    if sliced is None:
        return None
    x, found = sliced
    if all(own is None for own, _ in found):
        return x
    factor = merged(place, [(own.factor if own else None, count) for own, count in found], 1)
    shift = merged(place, [(own.shift if own else None, count) for own, count in found], 0)
    return affine(place, x, factor, shift)


def merged(place: OnnxPlace, parts: list[tuple[Constant | None, int]], otherwise: float) -> Constant | None:
    """Numbers for some channels after numbers for others; None where there are none at all."""
    if all(x is None for x, _ in parts):
        return None

    def numbers() -> Array:
        return np.concatenate([np.full(count, otherwise, np.float32) if x is None else x.array for x, count in parts])

    return Constant((sum(count for _, count in parts),), "float32", numbers, (), "", place.key)
