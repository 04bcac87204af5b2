"""Windows that no layer of Keras has: dilated ones with a stride, and means over windows of several sizes.

Both are made of its layers alone, and without weights or multiplications: cropping, pooling, joining.
"""

from collections.abc import Sequence
from itertools import pairwise

import keras

from archspec.ops.base import Window, pair
from archspec.tensor import Padding, Shape
from archspec_keras.site import Site, Tensor, along, sides

layers = keras.layers


def keeps(op: Window, pads: Padding, shape: Shape, out: Shape) -> bool:
    """Whether the padding and the places are those of Keras' own `same`."""
    places = tuple(-(-size // stride) for size, stride in zip(shape[:2], op.strides, strict=True))
    return out[:2] == places and op.model_copy(update={"pad": "same_upper"}).padding(shape[0], shape[1]) == pads


def reached(op: Window, pads: Padding, shape: Shape, out: Shape) -> Padding:
    """The padding with which windows that never hang over take just the operator's places."""
    after = [
        max(0, (places - 1) * stride + reach - size - before)
        for size, before, places, reach, stride in zip(
            shape[:2], (pads.top, pads.left), out[:2], op.reach, op.strides, strict=True
        )
    ]
    return Padding(pads.top, after[0], pads.left, after[1])


def dilation(op: Window) -> tuple[int, int]:
    """The steps between taps, 1 where there is but one tap."""
    (kh, kw), (dh, dw) = pair(op.kernel), pair(op.dilation)
    return dh if kh > 1 else 1, dw if kw > 1 else 1


def spread(op: Window, site: Site, x: Tensor, shape: Shape) -> tuple[Tensor, tuple[int, int]]:
    """A padded map with the taps of dilated windows side by side, and the strides of windows without dilation on it."""
    strides, size = list(op.strides), list(shape)
    for axis, (step, kernel) in enumerate(zip(dilation(op), pair(op.kernel), strict=True)):
        if step > 1:
            places = site.node.shape[axis]
            stride = along(axis, strides[axis])
            seen = along(axis, places, size[1 - axis])
            taps = [tap(site, x, size, along(axis, number * step, 0), stride, seen) for number in range(kernel)]
            # joined along the next axis, and then counted on along this one
            x = site.layer(layers.Concatenate, taps, "taps", axis=axis + 2)
            size[axis] = places * kernel
            x = site.layer(layers.Reshape, x, "spread", target_shape=tuple(size))
            strides[axis] = kernel
    return x, (strides[0], strides[1])


def maximum(op: Window, site: Site, x: Tensor, shape: Shape) -> Tensor:
    """The largest values of dilated windows on a padded map; -inf where they see nothing but that."""
    (kh, kw), (dh, dw) = pair(op.kernel), dilation(op)
    begins = [(down * dh, across * dw) for down in range(kh) for across in range(kw)]
    # a pooling of TensorFlow begins with the lowest finite number
    return site.layer(layers.Maximum, [tap(site, x, shape, begin, op.strides, site.node.shape) for begin in begins])


def tap(
    site: Site, x: Tensor, size: Sequence[int], begin: tuple[int, int], strides: tuple[int, int], places: Sequence[int]
) -> Tensor:
    """What one tap of the windows sees."""
    left = [size[axis] - begin[axis] - (places[axis] - 1) * strides[axis] - 1 for axis in (0, 1)]
    x = site.cropped(x, Padding(begin[0], left[0], begin[1], left[1]))
    return x if strides == (1, 1) else site.pooled(layers.AveragePooling2D, x, "step", (1, 1), strides)


# ---- means ----


def windows(size: int, places: int, kernel: int, stride: int, before: int) -> list[range]:
    """What the windows see of one side of a map, whatever hangs over left out."""
    begins = [place * stride - before for place in range(places)]
    return [range(max(0, begin), min(size, begin + kernel)) for begin in begins]


def parts(size: int, places: int) -> list[range]:
    """Windows that part a side: they overlap where their number is not a divisor."""
    return [range(place * size // places, -(-(place + 1) * size // places)) for place in range(places)]


def averaged(site: Site, x: Tensor, shape: Shape, rows: Sequence[range], columns: Sequence[range]) -> Tensor:
    """Means over windows of a map, given by the rows and the columns that they see."""
    down, across = runs(rows), runs(columns)
    if len(down) == len(across) == 1:
        (kh, sh), (kw, sw) = (measures(found[0]) for found in (down, across))
        for axis, found in enumerate((down, across)):
            x = cut(site, x, axis, shape[axis], found[0])
        return site.pooled(layers.AveragePooling2D, x, None, (kh, kw), (sh, sw))
    # the mean over a window is the mean of its rows' means
    return along_axis(site, along_axis(site, x, 0, shape[0], down, "rows"), 1, shape[1], across, None)


def along_axis(site: Site, x: Tensor, axis: int, size: int, found: list[list[range]], helps: str | None) -> Tensor:
    """Means down or across."""
    means = []
    for run in found:
        kernel, stride = (along(axis, value) for value in measures(run))
        part = cut(site, x, axis, size, run)
        means.append(site.pooled(layers.AveragePooling2D, part, helps if len(found) == 1 else "mean", kernel, stride))
    return means[0] if len(means) == 1 else site.layer(layers.Concatenate, means, helps, axis=axis + 1)


def runs(found: Sequence[range]) -> list[list[range]]:
    """Windows in rows of one size and one step, each of which is one pooling."""
    rows: list[list[range]] = [[found[0]]]
    for before, window in pairwise(found):
        row, step = rows[-1], window.start - before.start
        if len(window) == len(before) and step > 0 and (len(row) == 1 or step == measures(row)[1]):
            row.append(window)
        else:
            rows.append([window])
    return rows


def measures(run: list[range]) -> tuple[int, int]:
    """The size of the windows of a run, and the step between them."""
    return len(run[0]), run[1].start - run[0].start if len(run) > 1 else 1


def cut(site: Site, x: Tensor, axis: int, size: int, run: list[range]) -> Tensor:
    """The part of a map that a run sees; what is too little for one more window may stay."""
    begin, left = run[0].start, size - run[-1].stop
    return site.cropped(x, sides(axis, begin, left)) if begin or left >= measures(run)[1] else x
