"""ONNX's ways to make a map larger -> `pad` and `upsample`."""

from math import inf
from typing import Any

from archspec import ops
from archspec.decompile.layouts import InfinitePad, No, Value, only
from archspec.limits import DEFAULT_LIMITS
from archspec_onnx.constants import numbers, one_number, whole_numbers
from archspec_onnx.decompile.handlers.registry import reads
from archspec_onnx.decompile.shapes import stated
from archspec_onnx.decompile.walk import OnnxPlace


@reads("Pad")
def pad(place: OnnxPlace, x: Any, pads: Any = None, value: Any = None, axes: Any = None) -> Any:
    given = place.any(x)
    rank = 1 + len(place.laid(given))
    amounts = stated(place, "pads", [x, pads], 1) or []
    chosen = [place.dimension(at, rank) for at in stated(place, "axes", [x, None, None, axes], 3) or range(rank)]
    only(len(amounts) == 2 * len(chosen) and len(set(chosen)) == len(chosen), "its pads do not fit its dimensions")
    sides = {at: (amounts[i], amounts[i + len(chosen)]) for i, at in enumerate(chosen)}
    padded = {at: pair for at, pair in sides.items() if pair != (0, 0)}
    if not padded:
        return given
    mode = place.word("mode", "constant")
    only(mode == "constant", f"it pads by the mode `{mode}`")
    only(given.layout != "flat", "it pads a vector")
    height = 1 if given.layout == "hwc" else 2
    only(padded.keys() <= {height, height + 1}, "it pads channels, or the batch")
    (top, bottom), (left, right) = (padded.get(at, (0, 0)) for at in (height, height + 1))
    only(min(top, bottom, left, right) >= 0, "its padding is negative")
    number = one_number(value, "value") if value is not None else place.real("value", 0)
    if number == -inf:  # what a maximum never sees
        return InfinitePad(place.map(given), (top, bottom, left, right))
    return place.add(ops.Pad(amount=(top, bottom, left, right), value=number), [given])


@reads("Upsample")
def upsample(place: OnnxPlace, x: Any, scales: Any = None) -> Value:
    return old(place, x, scales)


@reads("Resize")
def resize(place: OnnxPlace, x: Any, roi: Any = None, scales: Any = None, sizes: Any = None) -> Value:
    if place.version < 11:
        return old(place, x, roi)
    given = place.map(x)
    axes = [place.dimension(at, 4) for at in stated(place, "axes", [], 0) or range(4)]
    down, across = factors(place, given, axes, scales, sizes)
    mode = place.word("mode", "nearest")
    where = place.word("coordinate_transformation_mode", "half_pixel")
    only(not place.whole("antialias", 0) and not place.whole("exclude_outside", 0), "it smooths, or leaves out edges")
    height, width, _ = place.shape(given)
    if (down, across) == (1, 1) and where in {"half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"}:
        only(mode in {"nearest", "linear"}, f"its mode is `{mode}`")
        return given
    if mode == "nearest":
        rounding = place.word("nearest_mode", "round_prefer_floor")
        plain = all(repeats(size, scale, where, rounding) for size, scale in ((height, down), (width, across)))
        only(plain, f"its {where} coordinates and {rounding} are not those of `upsample`")
        return place.add(ops.Upsample(scale=(down, across), mode="nearest"), [given])
    only(
        mode == "linear" and where in {"half_pixel", "pytorch_half_pixel"},
        f"it scales by `{mode}` with `{where}` coordinates",
    )
    return place.add(ops.Upsample(scale=(down, across), mode="bilinear"), [given])


def old(place: OnnxPlace, x: Any, scales: Any) -> Value:
    """The scaling before opset 11: pixel `i` of the result stands at `i / scale`, and the nearest is the one before."""
    given = place.map(x)
    found = factors(place, given, list(range(4)), scales, None)
    mode = place.word("mode", "nearest")
    only(mode == "nearest", f"it scales by `{mode}` with asymmetric coordinates")
    return given if found == (1, 1) else place.add(ops.Upsample(scale=found, mode="nearest"), [given])


def factors(place: OnnxPlace, x: Value, axes: list[int], scales: Any, sizes: Any) -> tuple[int, int]:
    """The factors of height and width; raises `No` where they are not whole numbers."""
    own = (place.reading.batch, *place.laid(x))
    found: list[float] = [1.0, 1.0, 1.0, 1.0]
    if sizes is not None:
        only(place.word("keep_aspect_ratio_policy", "stretch") == "stretch", "it keeps the ratio of the sides")
        wanted = whole_numbers(sizes, "sizes")
        only(len(wanted) == len(axes), "it does not have one size per dimension")
        for at, side in zip(axes, wanted, strict=True):
            found[at] = side / own[at]
    else:
        said = place.stated("scales", None, list, "a list") or numbers(scales, "scales")
        only(len(said) == len(axes), "it does not have one factor per dimension")
        for at, factor in zip(axes, said, strict=True):
            found[at] = float(factor)
    only(found[0] == found[1] == 1, "it scales other dimensions than height and width")
    only(all(factor.is_integer() and factor >= 1 for factor in found[2:]), "its factors are not whole")
    most = DEFAULT_LIMITS.size
    only(all(own[at] * found[at] <= most for at in (2, 3)), f"it makes a side of more than {most:,} pixels")
    return int(found[2]), int(found[3])


def repeats(size: int, scale: int, where: str, rounding: str) -> bool:
    """Whether the nearest pixels are each pixel `scale` times."""
    return [nearest(at, size, scale, where, rounding) for at in range(size * scale)] == [
        at // scale for at in range(size * scale)
    ]


def nearest(at: int, size: int, scale: int, where: str, rounding: str) -> int:
    """The pixel that one of the result is; raises `No`."""
    match where:
        case "half_pixel":
            # in halves of a pixel of the result, so that nothing is rounded before it should be
            above, below = 2 * at + 1 - scale, 2 * scale
        case "pytorch_half_pixel":
            above, below = (2 * at + 1 - scale, 2 * scale) if size * scale > 1 else (0, 1)
        case "asymmetric":
            above, below = at, scale
        case "align_corners":
            above, below = (at * (size - 1), size * scale - 1) if size * scale > 1 else (0, 1)
        case _:
            raise No(f"its coordinates are {where}")
    low, rest = divmod(above, below)
    match rounding:
        case "floor":
            found = low
        case "ceil":
            found = low + (rest > 0)
        case "round_prefer_floor":
            found = low + (2 * rest > below)
        case "round_prefer_ceil":
            found = low + (2 * rest >= below)
        case _:
            raise No(f"it rounds by {rounding}")
    return min(max(found, 0), size - 1)
