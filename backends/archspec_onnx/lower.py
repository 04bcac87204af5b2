"""Operators -> nodes of ONNX: one function for each, which adds them to a `Site`; the last of them gives the value.

Every attribute that changes a number is stated; none of ONNX's defaults is relied on. ONNX keeps attributes as float32:
where that would round a number of a float64 model, the operator is written out with constants.
"""

from collections.abc import Iterable, Sequence
from functools import partial, reduce, singledispatch
from math import pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper

from archspec import ops
from archspec.backend import Unsupported
from archspec.ops.base import explicit_padding, pair
from archspec.ops.normalization import Norm
from archspec.ops.pooling import Pool
from archspec.tensor import Padding, Shape
from archspec_onnx.site import Site, channels_last, ends, padded, per_channel

MINUS_INFINITY = float("-inf")
NO_PADDING = Padding(0, 0, 0, 0)


@singledispatch
def lower(op: ops.Op, site: Site, shapes: tuple[Shape, ...], *inputs: str) -> str:
    """Add the operator to the model; raises `Unsupported` where ONNX cannot build it."""
    raise Unsupported("onnx", op.kind, site.node.path)


# ---- convolutions ----


def convolution(op: ops.Conv | ops.DwConv, site: Site, shape: Shape, groups: int, x: str) -> str:
    tensors = [site.weight(name) for name in op.weights(shape)]
    return site.add(
        "Conv", x, *tensors, kernel_shape=pair(op.kernel), strides=op.strides, dilations=pair(op.dilation),
        pads=ends(op.padding(shape[0], shape[1])), auto_pad="NOTSET", group=groups,
    )  # fmt: skip


@lower.register
def _(op: ops.Conv, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    return convolution(op, site, shapes[0], op.groups, x)


@lower.register
def _(op: ops.DwConv, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    return convolution(op, site, shapes[0], shapes[0][2], x)


@lower.register
def _(op: ops.Linear, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    if len(shapes[0]) == 1:
        tensors = [site.weight(name) for name in op.weights(shapes[0])]
        return site.add("Gemm", x, *tensors, alpha=1.0, beta=1.0, transA=0, transB=1)

    def product(pixels: str) -> str:
        found = site.add("MatMul", pixels, site.add("Transpose", site.weight(), perm=(1, 0)))
        return site.add("Add", found, site.weight("bias")) if op.bias else found

    return channels_last(site, shapes[0], x, product)


# ---- normalisations ----


def scale_and_shift(op: Norm, site: Site, shape: Shape, x: str) -> str:
    """The trained part of a normalisation; `shape` is that of a vector where the channels are the last axis."""
    if op.scale:
        x = site.add("Mul", x, per_channel(site, "weight", shape))
    return site.add("Add", x, per_channel(site, "bias", shape)) if op.shift else x


def standardized(site: Site, eps: float, x: str) -> str:
    """Values with mean 0 and variance 1 along the last axis."""
    mean = partial(site.add, "ReduceMean", keepdims=1, noop_with_empty_axes=0)
    axis = site.indices(-1)
    centred = site.add("Sub", x, mean(x, axis))
    variance = mean(site.add("Mul", centred, centred), axis)
    return site.add("Div", centred, site.add("Sqrt", site.add("Add", variance, site.constant(eps))))


@lower.register
def _(op: ops.BatchNorm, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    channels = shapes[0][-1:]
    scale = site.weight("weight") if op.scale else site.constant(np.ones(channels))
    shift = site.weight("bias") if op.shift else site.constant(np.zeros(channels))
    variance = site.weight("running_var")
    if not site.exact:
        rounded_off = op.eps - float(np.float32(op.eps))
        variance = site.add("Add", variance, site.constant(rounded_off))
    # ONNX's momentum is the weight of the old statistics
    return site.add(
        "BatchNormalization", x, scale, shift, site.weight("running_mean"), variance,
        epsilon=op.eps, momentum=1 - op.momentum, training_mode=0,
    )  # fmt: skip


@lower.register
def _(op: ops.LayerNorm, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    def norm(pixels: str) -> str:
        if not site.exact:
            return scale_and_shift(op, site, shapes[0][-1:], standardized(site, op.eps, pixels))
        scale = site.weight("weight") if op.scale else site.constant(np.ones(shapes[0][-1:]))
        tensors = [scale, site.weight("bias")] if op.shift else [scale]
        return site.add("LayerNormalization", pixels, *tensors, axis=-1, epsilon=op.eps, stash_type=1)

    return channels_last(site, shapes[0], x, norm)


@lower.register
def _(op: ops.GroupNorm, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    # ONNX's own has one factor for each group before opset 21
    normal = standardized(site, op.eps, site.reshape(x, 0, op.groups, -1))
    return scale_and_shift(op, site, shapes[0], site.shaped(normal, shapes[0]))


@lower.register
def _(op: ops.LocalResponseNorm, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    if site.exact:
        # ONNX divides alpha by the size, the paper's formula does not
        return site.add("LRN", x, alpha=op.alpha * op.size, beta=op.beta, bias=op.k, size=op.size)
    place = np.arange(shapes[0][-1])
    near = site.constant(abs(place[:, None] - place) <= op.size // 2)
    squares = site.add("Mul", x, x)
    total = channels_last(site, shapes[0], squares, lambda pixels: site.add("MatMul", pixels, near))
    base = site.add("Add", site.add("Mul", total, site.constant(op.alpha)), site.constant(op.k))
    return site.add("Div", x, site.add("Pow", base, site.constant(op.beta)))


# ---- activations ----

PLAIN: dict[type[ops.Op], tuple[str, dict[str, Any]]] = {
    ops.Relu: ("Relu", {}),
    ops.Sigmoid: ("Sigmoid", {}),
    ops.Tanh: ("Tanh", {}),
    ops.Softmax: ("Softmax", {"axis": 1}),
    ops.GlobalAvgPool: ("GlobalAveragePool", {}),
    ops.Flatten: ("Flatten", {"axis": 1}),
    # of these, inference has nothing
    ops.Dropout: ("Identity", {}),
    ops.StochasticDepth: ("Identity", {}),
}
"""Operators that are one of ONNX without attributes of their own."""


def plain(op: ops.Op, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    kind, attributes = PLAIN[type(op)]
    return site.add(kind, x, **attributes)


for kind in PLAIN:
    lower.register(kind, plain)


def clipped(site: Site, x: str) -> str:
    """min(max(0, x), 6)."""
    return site.add("Clip", x, site.constant(0), site.constant(6))


def gate(site: Site, x: str) -> str:
    """relu6(x + 3) / 6. ONNX's own has 1/6 as an attribute."""
    return site.add("Div", clipped(site, site.add("Add", x, site.constant(3))), site.constant(6))


@lower.register
def _(op: ops.Relu6, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    return clipped(site, x)


@lower.register
def _(op: ops.Silu, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    return site.add("Mul", x, site.add("Sigmoid", x))


@lower.register
def _(op: ops.HardSigmoid, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    return gate(site, x)


@lower.register
def _(op: ops.HardSwish, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    return site.add("Mul", x, gate(site, x))


@lower.register
def _(op: ops.Gelu, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    if site.exact:
        return site.add("Gelu", x, approximate=op.approximate)
    # ONNX defines its own with constants of float32
    if op.approximate == "tanh":
        cubed = site.add("Mul", site.constant(0.044715), site.add("Pow", x, site.constant(3)))
        bent = site.add("Tanh", site.add("Mul", site.constant(sqrt(2 / pi)), site.add("Add", x, cubed)))
    else:
        bent = site.add("Erf", site.add("Mul", x, site.constant(sqrt(1 / 2))))
    share = site.add("Mul", site.constant(1 / 2), site.add("Add", bent, site.constant(1)))
    return site.add("Mul", x, share)


@lower.register
def _(op: ops.PRelu, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    return site.add("PRelu", x, site.weight() if op.shared else per_channel(site, "weight", shapes[0]))


@lower.register
def _(op: ops.LeakyRelu, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    if site.exact:
        return site.add("LeakyRelu", x, alpha=op.slope)
    return site.add("PRelu", x, site.constant([op.slope]))


@lower.register
def _(op: ops.LayerScale, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    return site.add("Mul", x, per_channel(site, "weight", shapes[0]))


# ---- poolings ----


def reached(op: Pool, site: Site, shape: Shape, pads: Padding) -> Padding:
    """The padding with which the operator's last windows do not hang over."""
    after = []
    for size, before, end, places, reach, stride in zip(
        shape[:2], (pads.top, pads.left), (pads.bottom, pads.right), site.node.shape[:2], op.reach, op.strides,
        strict=True,
    ):  # fmt: skip
        after.append(max(end, (places - 1) * stride + reach - size - before))
    return Padding(pads.top, after[0], pads.left, after[1])


def pool(
    site: Site,
    kind: str,
    x: str,
    kernel: Sequence[int],
    strides: Sequence[int],
    *,
    pads: Padding = NO_PADDING,
    dilations: Sequence[int] = (1, 1),
    **attributes: int,
) -> str:
    return site.add(
        kind, x, kernel_shape=kernel, strides=strides, pads=ends(pads), dilations=dilations, auto_pad="NOTSET",
        ceil_mode=0, **attributes,
    )  # fmt: skip


@lower.register
def _(op: ops.MaxPool, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    pads = reached(op, site, shapes[0], op.padding(shapes[0][0], shapes[0][1]))
    dilations = pair(op.dilation)
    # onnxruntime wants less padding than taps, although a dilated window reaches further; onnx's reference, which
    # computes in float64, takes unequal sides for each other
    if dilations != (1, 1) or not (site.exact or len(set(pads)) == 1):
        x, pads = padded(site, pads, MINUS_INFINITY, x), NO_PADDING
    return pool(site, "MaxPool", x, pair(op.kernel), op.strides, pads=pads, dilations=dilations, storage_order=0)


@lower.register
def _(op: ops.AvgPool, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    pads = op.padding(shapes[0][0], shapes[0][1])
    whole = reached(op, site, shapes[0], pads)
    kernel = pair(op.kernel)
    mean = pool(site, "AveragePool", x, kernel, op.strides, pads=whole, count_include_pad=int(op.include_pad))
    if not op.include_pad or whole == pads:
        return mean
    # what hangs over was counted too, and must not be
    size, steps = shapes[0], op.strides
    down = shares(kernel[0], steps[0], pads.top + size[0] + pads.bottom, site.node.shape[0])
    across = shares(kernel[1], steps[1], pads.left + size[1] + pads.right, site.node.shape[1])
    return site.add("Mul", mean, site.constant(down[:, None] * across))


def shares(kernel: int, stride: int, size: int, places: int) -> NDArray[np.float64]:
    """Along one side, the taps of each window over those that lie within the padded map."""
    begin = np.arange(places) * stride
    return kernel / (np.minimum(begin + kernel, size) - begin)


@lower.register
def _(op: ops.AdaptiveAvgPool, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    (height, width, _), (down, across) = shapes[0], pair(op.size)
    if height % down == 0 and width % across == 0:
        kernel = (height // down, width // across)
        return pool(site, "AveragePool", x, kernel, kernel, count_include_pad=0)
    rows = site.add("MatMul", site.constant(means(height, down)), x)
    return site.add("MatMul", rows, site.constant(means(width, across).T))


def means(size: int, places: int) -> NDArray[np.float64]:
    """The matrix (places, size) of means over windows that part a side."""
    matrix = np.zeros((places, size))
    for place in range(places):
        begin, end = place * size // places, -(-(place + 1) * size // places)
        matrix[place, begin:end] = 1 / (end - begin)
    return matrix


# ---- moving values ----


@lower.register
def _(op: ops.Flatten, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    if op.order == "hwc" and len(shapes[0]) == 3:
        x = site.add("Transpose", x, perm=(0, 2, 3, 1))
    return plain(op, site, shapes, x)


@lower.register
def _(op: ops.Pad, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    return padded(site, explicit_padding(op.amount), op.value, x)


def channels(site: Site, start: int, stop: int, x: str) -> str:
    """The channels from `start` up to, and without, `stop`."""
    first, last, axis, step = (site.indices(number) for number in (start, stop, 1, 1))
    return site.add("Slice", x, first, last, axis, step)


@lower.register
def _(op: ops.Split, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    size = shapes[0][-1] // op.parts
    return channels(site, op.index * size, (op.index + 1) * size, x)


@lower.register
def _(op: ops.Slice, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    return channels(site, op.start, op.stop, x)


@lower.register
def _(op: ops.Shuffle, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    height, width, count = shapes[0]
    dealt = site.reshape(x, 0, op.groups, count // op.groups, height, width)
    return site.shaped(site.add("Transpose", dealt, perm=(0, 2, 1, 3, 4)), shapes[0])


RESIZE: dict[str, dict[str, Any]] = {
    "nearest": {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"},
    "bilinear": {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
}


@lower.register
def _(op: ops.Upsample, site: Site, shapes: tuple[Shape, ...], x: str) -> str:
    # scales are float32 whatever the model's type
    scales = numpy_helper.from_array(np.asarray((1, 1, *pair(op.scale)), dtype=np.float32))
    return site.add(
        "Resize", x, "", site.add("Constant", value=scales), antialias=0, exclude_outside=0, **RESIZE[op.mode]
    )


# ---- joins ----


def joined(kind: str, site: Site, inputs: Iterable[str]) -> str:
    first, *others = inputs
    return reduce(partial(site.add, kind), others, first) if others else site.add("Identity", first)


@lower.register
def _(op: ops.Add, site: Site, shapes: tuple[Shape, ...], *inputs: str) -> str:
    return joined("Add", site, inputs)


@lower.register
def _(op: ops.Mul, site: Site, shapes: tuple[Shape, ...], *inputs: str) -> str:
    return joined("Mul", site, inputs)


@lower.register
def _(op: ops.Concat, site: Site, shapes: tuple[Shape, ...], *inputs: str) -> str:
    return site.add("Concat", *inputs, axis=1)
