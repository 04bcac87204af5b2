"""ONNX's joins and what moves values -> ours."""

from math import inf
from typing import Any

import numpy as np

from archspec import ops
from archspec.decompile.layouts import No, Partial, Value, only
from archspec.ops.normalization import Norm
from archspec_onnx.decompile import Place
from archspec_onnx.decompile_constants import Constant
from archspec_onnx.decompile_ops import HANDLERS, first_value, numbers, one_number, per_channel, reads, stated

__all__ = ["HANDLERS"]


# ---- joins ----


@reads("Add", "Sum")
def add(place: Place, *inputs: Any) -> Any:
    if len(inputs) == 2:
        for x, other in (inputs, inputs[::-1]):
            if isinstance(other, Constant):
                return shifted(place, x, other)
    return place.add(ops.Add(), place.alike(inputs)) if len(inputs) > 1 else inputs[0]


def shifted(place: Place, x: Any, bias: Constant) -> Value:
    """A trained constant for each channel: the bias of the layer before it."""
    given = place.any(x)
    only(bool(bias.key), "it adds a number")
    shift = per_channel(place, given, bias)
    op = place.made(given)
    for kind, attribute in ((ops.Linear, "bias"), (ops.Conv, "bias"), (ops.DwConv, "bias"), (Norm, "shift")):
        if isinstance(op, kind) and not getattr(op, attribute) and shift.array.size == place.channels(given):
            return place.amended(given, attribute, "bias", place.tensor(shift))
    raise No("it adds constants")


@reads("Mul")
def mul(place: Place, one: Any, other: Any) -> Value:
    for x, factor in ((one, other), (other, one)):
        if isinstance(factor, Constant):
            return layer_scale(place, place.any(x), factor)
    return place.add(ops.Mul(), place.alike([one, other]))


def layer_scale(place: Place, x: Value, factor: Constant) -> Value:
    only(bool(factor.key), "it computes with a number")
    scale = per_channel(place, x, factor)
    only(scale.array.size == place.channels(x), "its numbers are none for each channel")
    norm = place.made(x)
    if isinstance(norm, (ops.LayerNorm, ops.GroupNorm)) and not norm.scale and not norm.shift:
        return place.amended(x, "scale", "weight", place.tensor(scale))
    made = ops.LayerScale(init=first_value(scale.array, 1e-6))
    return place.add(made, [x], weight=place.tensor(scale))


@reads("Concat")
def concat(place: Place, *inputs: Any) -> Value:
    found = place.alike(inputs)
    only(place.along(found[0], place.given("axis")), "it is not along the channels")
    return place.add(ops.Concat(), found)


# ---- moving values ----


@reads("Flatten", "Reshape", "Squeeze", "Unsqueeze")
def reshape(place: Place, x: Any, how: Any = None) -> Any:
    if isinstance(x, Partial):
        own: tuple[int, ...] = partial_sides(place, x)
    else:
        own = place.laid(place.any(x))
    whole = new_sides(place, (place.reader.batch, *own), how)
    only(whole[:1] == [place.reader.batch], "the batch is not its first dimension")
    return place.reshaped(x, tuple(whole[1:]))


def partial_sides(place: Place, x: Partial) -> tuple[int, ...]:
    """The sides of a tensor on its way to another, without the batch."""
    sides = place.laid(x.base)
    groups = x.numbers[0] if x.what.endswith("groups") else 0
    match x.what:
        case "groups":
            return (groups, sides[0] // groups, *sides[1:])
        case "dealt groups":
            return (sides[0] // groups, groups, *sides[1:])
        case "column" | "column normal":
            return (sides[0], 1)
        case "volume":
            return (1, *sides)
        case "bands" | "bands normal":
            return (x.numbers[0], int(np.prod(sides)) // x.numbers[0])
    raise No("what it is given is no tensor of the language")


def new_sides(place: Place, own: tuple[int, ...], how: Any) -> list[int]:
    """The shape that a reshaping node gives, the batch too."""
    match place.node.op_type:
        case "Flatten":
            axis = place.given("axis", 1) % (len(own) + 1)
            return [int(np.prod(own[:axis])), int(np.prod(own[axis:]))]
        case "Reshape":
            wanted = [int(side) for side in numbers(how, "shape")]
            if not place.given("allowzero", 0):
                wanted = [own[at] if side == 0 and at < len(own) else side for at, side in enumerate(wanted)]
            rest = int(np.prod([side for side in wanted if side != -1], dtype=object))
            only(rest > 0 and int(np.prod(own, dtype=object)) % rest == 0, "its shape does not fit")
            return [int(np.prod(own, dtype=object)) // rest if side == -1 else side for side in wanted]
        case "Squeeze":
            axes = stated(place, "axes", [None, how], 1)
            taken = {at % len(own) for at in axes} if axes else {at for at, side in enumerate(own) if side == 1}
            return [side for at, side in enumerate(own) if at not in taken]
        case _:
            axes = stated(place, "axes", [None, how], 1) or []
            places = {at % (len(own) + len(axes)) for at in axes}
            left = iter(own)
            return [1 if at in places else next(left) for at in range(len(own) + len(axes))]


@reads("Transpose")
def transpose(place: Place, x: Any) -> Any:
    only(bool(place.given("perm")), "it turns the dimensions round, the batch too")
    return place.turned(x, tuple(place.given("perm")))


@reads("Pad")
def pad(place: Place, x: Any, pads: Any = None, value: Any = None, axes: Any = None) -> Value | Partial:
    given = place.map(x)
    only(place.given("mode", b"constant") == b"constant", "it pads with no constant")
    amounts = [int(side) for side in stated(place, "pads", [x, pads], 1) or ()]
    only(axes is None and len(amounts) == 8, "it pads chosen dimensions")
    top, left, bottom, right = amounts[2], amounts[3], amounts[6], amounts[7]
    only(not any(amounts[i] for i in (0, 1, 4, 5)) and min(amounts) >= 0, "it pads channels, or cuts off")
    number = one_number(value, "value") if value is not None else place.real("value", 0)
    if number == -inf:  # what a maximum never sees
        return Partial("infinite", given, (top, bottom, left, right))
    return place.add(ops.Pad(amount=(top, bottom, left, right), value=number), [given])


@reads("Split")
def split(place: Place, x: Any, sizes: Any = None) -> list[Value]:
    given = place.any(x)
    only(place.along(given, place.given("axis", 0)), "it is not along the channels")
    count, parts = place.channels(given), len(place.node.output)
    found = stated(place, "split", [x, sizes], 1)
    if found is None:
        size = -(-count // parts)
        found = [min(size, count - size * at) for at in range(parts)]
    ends = np.cumsum([int(size) for size in found]).tolist()
    only(ends[-1] == count, "its parts are not the whole")
    starts = [0, *ends[:-1]]
    return [place.add(ops.Slice(start=a, stop=b), [given]) for a, b in zip(starts, ends, strict=True)]


@reads("Slice")
def slice_(place: Place, x: Any, *given: Any) -> Any:
    starts, stops, axes, steps = (
        stated(place, name, [x, *given], position)
        for position, name in enumerate(("starts", "ends", "axes", "steps"), 1)
    )
    value = place.any(x)
    sides = (place.reader.batch, *place.laid(value))
    if starts is None or stops is None:
        raise No("it does not say what it takes")
    for at, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        axis = (axes[at] if axes else at) % len(sides)
        only(not steps or steps[at] == 1, "it takes every other one, or fewer")
        begin, end, _ = slice(int(start), int(stop)).indices(sides[axis])
        if (begin, end) == (0, sides[axis]):
            continue
        only(place.along(value, axis), "it is not along the channels")
        only(begin < end, "it takes nothing")
        value = place.add(ops.Slice(start=begin, stop=end), [value])
    return value


@reads("Resize", "Upsample")
def resize(place: Place, x: Any, roi: Any = None, scales: Any = None, sizes: Any = None) -> Value:
    given = place.map(x)
    if place.node.op_type == "Upsample" or place.version < 11:
        scales, roi = roi, None
    factors = scale_of(place, given, scales, sizes)
    mode = place.given("mode", b"nearest").decode()
    where = place.given("coordinate_transformation_mode", b"half_pixel").decode()
    only(not place.given("antialias", 0) and not place.given("exclude_outside", 0), "it smooths, or leaves out edges")
    if mode == "nearest":
        rounding = place.given("nearest_mode", b"round_prefer_floor").decode()
        known = where == "asymmetric" and rounding == "floor"
        # with pixel centres at half positions the nearest one is never a tie
        known = known or (where in {"half_pixel", "pytorch_half_pixel"} and rounding.startswith("round_prefer"))
        known = known or place.version < 11
        only(known, f"its {where} coordinates and {rounding} are not those of `upsample`")
    else:
        only(mode == "linear" and where in {"half_pixel", "pytorch_half_pixel"}, f"it is {mode} with {where}")
        only(where == "half_pixel" or place.shape(given)[:2] != (1, 1), "it may give one pixel")
    return place.add(ops.Upsample(scale=factors, mode="nearest" if mode == "nearest" else "bilinear"), [given])


def scale_of(place: Place, x: Value, scales: Any, sizes: Any) -> tuple[int, int]:
    """The factors of height and width; raises `No` where they are no whole numbers."""
    height, width, _ = place.shape(x)
    if sizes is not None:
        wanted = [int(side) for side in numbers(sizes, "sizes")]
        only(len(wanted) == 4 and wanted[2] % height == 0 and wanted[3] % width == 0, "its factors are not whole")
        return wanted[2] // height, wanted[3] // width
    found = place.given("scales") or numbers(scales, "scales")
    only(len(found) == 4 and found[0] == found[1] == 1, "it scales other dimensions than height and width")
    only(all(float(factor).is_integer() and factor >= 1 for factor in found[2:]), "its factors are not whole")
    return int(found[2]), int(found[3])
