"""Operators -> layers of Keras: one function for each, which adds them to a `Site`; the last of them gives the value.

Everything that changes a number is given to Keras; none of its defaults or settings is relied on. Where it has no layer
for an operator, the layers that it has are put together; a function of `keras.ops` stands only where they cannot be.
"""

from collections.abc import Callable
from functools import partial, singledispatch
from math import pi, sqrt
from typing import Any

import keras

from archspec import ops
from archspec.backend import Unsupported
from archspec.ops.base import explicit_padding, pair
from archspec.ops.normalization import Norm
from archspec.tensor import Padding, Shape
from archspec_keras.site import LAST, NONE, Site, Tensor, sides
from archspec_keras.windows import averaged, dilation, keeps, maximum, parts, reached, spread, windows

layers = keras.layers
MINUS_INFINITY = float("-inf")


@singledispatch
def lower(op: ops.Op, site: Site, shapes: tuple[Shape, ...], *inputs: Tensor) -> Tensor:
    """Add the node's operator; raises `Unsupported` where Keras cannot build it."""
    raise Unsupported("keras", op.kind, site.node.path)


# ---- convolutions ----


def bordered(pads: Padding, shape: Shape) -> Shape:
    """The shape of a map with its padding."""
    return (shape[0] + pads.top + pads.bottom, shape[1] + pads.left + pads.right, *shape[2:])


@lower.register(ops.Conv)
@lower.register(ops.DwConv)
def convolution(op: ops.Conv | ops.DwConv, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    shape, strides, steps, padding = shapes[0], op.strides, dilation(op), "valid"
    pads = op.padding(shape[0], shape[1])
    if max(strides) > 1 and max(steps) > 1:
        x, strides = spread(op, site, site.padded(x, pads), bordered(pads, shape))
        steps = (1, 1)
    elif pads != NONE and keeps(op, pads, shape, site.node.shape):
        padding = "same"
    else:
        x = site.padded(x, pads)
    common: dict[str, Any] = {
        "kernel_size": pair(op.kernel), "strides": strides, "padding": padding, "dilation_rate": steps,
        "use_bias": op.bias, "bias_initializer": "zeros", "activation": None, **LAST,
    }  # fmt: skip
    if isinstance(op, ops.DwConv) and strides[0] == strides[1]:
        return site.layer(
            layers.DepthwiseConv2D, x, depth_multiplier=op.multiplier, depthwise_initializer="zeros", **common
        )
    # TensorFlow has no depthwise convolution of two strides
    filters, groups = site.node.shape[2], shape[2] if isinstance(op, ops.DwConv) else op.groups
    return site.layer(layers.Conv2D, x, filters=filters, groups=groups, kernel_initializer="zeros", **common)


@lower.register
def _(op: ops.Linear, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    return site.layer(
        layers.Dense, x, units=op.channels, use_bias=op.bias, activation=None, kernel_initializer="zeros",
        bias_initializer="zeros",
    )  # fmt: skip


# ---- normalisations ----


def trained(op: Norm) -> dict[str, Any]:
    """What Keras calls the attributes that normalisations share."""
    return {"axis": -1, "epsilon": op.eps, "scale": op.scale, "center": op.shift}


@lower.register
def _(op: ops.BatchNorm, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    # Keras' momentum is the weight of the old statistics; its running variance is of the biased estimate
    return site.layer(layers.BatchNormalization, x, momentum=1 - op.momentum, **trained(op))


@lower.register
def _(op: ops.LayerNorm, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    return site.layer(layers.LayerNormalization, x, **trained(op))


@lower.register
def _(op: ops.GroupNorm, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    return site.layer(layers.GroupNormalization, x, groups=op.groups, **trained(op))


@lower.register
def _(op: ops.LocalResponseNorm, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    height, width, channels = shapes[0]
    squares = site.layer(layers.Multiply, [x, x], "square")
    # the channels as one side of a map, along which a pooling slides
    line = site.layer(layers.Reshape, squares, "line", target_shape=(height * width, channels, 1))
    line = site.padded(line, Padding(0, 0, op.size // 2, op.size // 2))
    mean = site.pooled(layers.AveragePooling2D, line, "mean", (1, op.size), (1, 1))
    base = site.rescaled(mean, "base", op.alpha * op.size, op.k)
    factor = site.operation(keras.ops.power, base, "power", x2=-op.beta)
    return site.layer(layers.Multiply, [x, site.layer(layers.Reshape, factor, "factor", target_shape=shapes[0])])


# ---- activations ----

PLAIN: dict[type[ops.Op], Callable[..., Any]] = {
    ops.Relu: partial(layers.ReLU, max_value=None, negative_slope=0.0, threshold=0.0),
    ops.Relu6: partial(layers.ReLU, max_value=6.0, negative_slope=0.0, threshold=0.0),
    ops.Silu: partial(layers.Activation, "silu"),
    ops.Sigmoid: partial(layers.Activation, "sigmoid"),
    ops.HardSwish: partial(layers.Activation, "hard_silu"),
    ops.HardSigmoid: partial(layers.Activation, "hard_sigmoid"),
    ops.Tanh: partial(layers.Activation, "tanh"),
    ops.Softmax: partial(layers.Softmax, axis=-1),
    ops.GlobalAvgPool: partial(layers.GlobalAveragePooling2D, keepdims=True, **LAST),
}
"""Operators that are a layer of Keras without attributes."""


def plain(op: ops.Op, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    return site.layer(PLAIN[type(op)], x)


for kind in PLAIN:
    lower.register(kind, plain)


@lower.register
def _(op: ops.Gelu, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    if site.dtype == "float32" and op.approximate == "tanh":
        return site.operation(keras.ops.gelu, x, approximate=True)
    if site.dtype == "float32":
        return site.layer(layers.Activation, x, activation="gelu")
    # TensorFlow's own has constants of float32
    if op.approximate == "tanh":
        cube = site.rescaled(site.layer(layers.Multiply, [x, x, x], "cube"), "cubic", 0.044715)
        bent = site.rescaled(site.layer(layers.Add, [x, cube], "sum"), "root", sqrt(2 / pi))
        share = site.layer(layers.Activation, bent, "tanh", activation="tanh")
    else:
        share = site.operation(keras.ops.erf, site.rescaled(x, "half", sqrt(1 / 2)), "erf")
    return site.layer(layers.Multiply, [x, site.rescaled(share, "share", 0.5, 0.5)])


@lower.register
def _(op: ops.PRelu, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    rank = len(shapes[0])
    shared = list(range(1, rank + 1 if op.shared else rank))
    return site.layer(layers.PReLU, x, shared_axes=shared, alpha_initializer="zeros")


@lower.register
def _(op: ops.LeakyRelu, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    if op.slope >= 0 and site.holds(op.slope):
        return site.layer(layers.LeakyReLU, x, negative_slope=op.slope)
    turned = site.layer(PLAIN[ops.Relu], site.rescaled(x, "turned", -1.0), "negative")
    return site.layer(
        layers.Add, [site.layer(PLAIN[ops.Relu], x, "positive"), site.rescaled(turned, "slope", -op.slope)]
    )


@lower.register
def _(op: ops.LayerScale, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    equation = "bhwc,c->bhwc" if len(shapes[0]) == 3 else "bc,c->bc"
    return site.layer(
        layers.EinsumDense, x, equation=equation, output_shape=shapes[0], activation=None, bias_axes=None,
        kernel_initializer="zeros",
    )  # fmt: skip


@lower.register
def _(op: ops.Dropout, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    return site.layer(layers.Dropout, x, rate=op.rate, noise_shape=None, seed=site.seed)


@lower.register
def _(op: ops.StochasticDepth, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    one_for_each_image = (None, *(1 for _ in shapes[0]))
    return site.layer(layers.Dropout, x, rate=op.rate, noise_shape=one_for_each_image, seed=site.seed)


# ---- poolings ----


@lower.register
def _(op: ops.MaxPool, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    shape, pads, out = shapes[0], op.padding(shapes[0][0], shapes[0][1]), site.node.shape
    kernel = pair(op.kernel)
    if pads != NONE and max(dilation(op)) == 1 and keeps(op, pads, shape, out):
        return site.layer(layers.MaxPooling2D, x, pool_size=kernel, strides=op.strides, padding="same", **LAST)
    pads = reached(op, pads, shape, out)
    x = site.padded(x, pads, MINUS_INFINITY)
    if max(dilation(op)) > 1:
        return maximum(op, site, x, bordered(pads, shape))
    return site.pooled(layers.MaxPooling2D, x, None, kernel, op.strides)


@lower.register
def _(op: ops.AvgPool, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    shape, pads, out = shapes[0], op.padding(shapes[0][0], shapes[0][1]), site.node.shape
    kernel, strides = pair(op.kernel), op.strides
    # the mean of the pixels alone, but with torch only where the padding is symmetric
    if pads != NONE and pads.symmetric and not op.include_pad and keeps(op, pads, shape, out):
        return site.layer(layers.AveragePooling2D, x, pool_size=kernel, strides=strides, padding="same", **LAST)
    if op.include_pad:
        x, shape, pads = site.padded(x, pads), bordered(pads, shape), NONE
    rows = windows(shape[0], out[0], kernel[0], strides[0], pads.top)
    columns = windows(shape[1], out[1], kernel[1], strides[1], pads.left)
    return averaged(site, x, shape, rows, columns)


@lower.register
def _(op: ops.AdaptiveAvgPool, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    rows, columns = (parts(size, places) for size, places in zip(shapes[0], pair(op.size), strict=False))
    return averaged(site, x, shapes[0], rows, columns)


# ---- moving values ----


@lower.register
def _(op: ops.Flatten, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    if op.order == "chw" and len(shapes[0]) == 3 and shapes[0][:2] != (1, 1):
        x = site.layer(layers.Permute, x, "permute", dims=(3, 1, 2))
    return site.layer(layers.Flatten, x, **LAST)


@lower.register
def _(op: ops.Pad, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    return site.padded(x, explicit_padding(op.amount), op.value, helps=None)


def channels(site: Site, shape: Shape, start: int, stop: int, x: Tensor) -> Tensor:
    """The channels from `start` up to, and without, `stop`, as the side of a map that is cropped."""
    pixels = shape[0] * shape[1] if len(shape) == 3 else 1
    line = site.layer(layers.Reshape, x, "line", target_shape=(pixels, shape[-1], 1))
    line = site.cropped(line, Padding(0, 0, start, shape[-1] - stop))
    return site.layer(layers.Reshape, line, target_shape=site.node.shape)


@lower.register
def _(op: ops.Split, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    size = shapes[0][-1] // op.parts
    return channels(site, shapes[0], op.index * size, (op.index + 1) * size, x)


@lower.register
def _(op: ops.Slice, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    return channels(site, shapes[0], op.start, op.stop, x)


@lower.register
def _(op: ops.Shuffle, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    height, width, count = shapes[0]
    dealt = (height * width, op.groups, count // op.groups)
    x = site.layer(layers.Reshape, x, "groups", target_shape=dealt)
    return site.layer(layers.Reshape, site.layer(layers.Permute, x, "permute", dims=(1, 3, 2)), target_shape=shapes[0])


@lower.register
def _(op: ops.Upsample, site: Site, shapes: tuple[Shape, ...], x: Tensor) -> Tensor:
    factors = pair(op.scale)
    if op.mode == "bilinear" and site.dtype != "float32":
        return interpolated(site, shapes[0], factors, x)
    return site.layer(layers.UpSampling2D, x, size=factors, interpolation=op.mode, **LAST)


def interpolated(site: Site, shape: Shape, factors: tuple[int, int], x: Tensor) -> Tensor:
    """Bilinear values as means over enlarged pixels; TensorFlow resizes in float32."""
    for axis, size in enumerate(shape[:2]):
        ends_ = [site.cropped(x, sides(axis, before, size - 1 - before)) for before in (0, size - 1)]
        x = site.layer(layers.Concatenate, [ends_[0], x, ends_[1]], "edges", axis=axis + 1)
    x = site.layer(layers.UpSampling2D, x, "nearest", size=factors, interpolation="nearest", **LAST)
    down, across = ((factor + 1) // 2 for factor in factors)
    x = site.cropped(x, Padding(down, down, across, across))
    # between pixels for even factors, which the mean of two neighbours mends
    x = site.pooled(layers.AveragePooling2D, x, "mean", factors, (1, 1))
    return site.pooled(layers.AveragePooling2D, x, None, (2 - factors[0] % 2, 2 - factors[1] % 2), (1, 1))


# ---- joins ----


def joined(kind: Callable[..., Any], site: Site, inputs: tuple[Tensor, ...], **options: Any) -> Tensor:
    if len(inputs) == 1:
        return site.layer(layers.Identity, inputs[0])
    return site.layer(kind, list(inputs), **options)


@lower.register
def _(op: ops.Add, site: Site, shapes: tuple[Shape, ...], *inputs: Tensor) -> Tensor:
    return joined(layers.Add, site, inputs)


@lower.register
def _(op: ops.Mul, site: Site, shapes: tuple[Shape, ...], *inputs: Tensor) -> Tensor:
    return joined(layers.Multiply, site, inputs)


@lower.register
def _(op: ops.Concat, site: Site, shapes: tuple[Shape, ...], *inputs: Tensor) -> Tensor:
    return joined(layers.Concatenate, site, inputs, axis=-1)
