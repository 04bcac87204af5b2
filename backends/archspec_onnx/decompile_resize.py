"""ONNX's ways to scale a map up -> `upsample`."""

from typing import Any

from archspec import ops
from archspec.decompile.layouts import No, Value, only
from archspec.limits import DEFAULT_LIMITS
from archspec_onnx.decompile_constants import numbers, whole_numbers
from archspec_onnx.decompile_ops import reads
from archspec_onnx.decompile_place import Place
from archspec_onnx.decompile_shapes import stated


@reads("Upsample")
def upsample(place: Place, x: Any, scales: Any = None) -> Value:
    return old(place, x, scales)


@reads("Resize")
def resize(place: Place, x: Any, roi: Any = None, scales: Any = None, sizes: Any = None) -> Value:
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


def old(place: Place, x: Any, scales: Any) -> Value:
    """The scaling before opset 11: pixel `i` of the result stands at `i / scale`, and the nearest is the one before."""
    given = place.map(x)
    found = factors(place, given, list(range(4)), scales, None)
    mode = place.word("mode", "nearest")
    only(mode == "nearest", f"it scales by `{mode}` with asymmetric coordinates")
    return given if found == (1, 1) else place.add(ops.Upsample(scale=found, mode="nearest"), [given])


def factors(place: Place, x: Value, axes: list[int], scales: Any, sizes: Any) -> tuple[int, int]:
    """The factors of height and width; raises `No` where they are not whole numbers."""
    own = (place.reader.batch, *place.laid(x))
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
