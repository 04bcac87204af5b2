"""Operators -> layers of torch: one function for each, which adds its module and calls to a `Site`.

Everything that changes a number is given to torch; none of its defaults is relied on. A padding that a layer cannot
have (asymmetric, or wider than half its window) is made explicit before it.
"""

import operator
from collections.abc import Callable
from functools import partial, reduce, singledispatch
from typing import Any, NoReturn, TypeVar

import torch
from torch import fx, nn
from torch.nn import functional as F  # noqa: N812 - the name that everybody knows it by

from archspec import ops
from archspec.backend import Unsupported
from archspec.graph import Node
from archspec.ops.base import Window, explicit_padding, pair
from archspec.tensor import Padding, Shape
from archspec_torch.padding import extent, follows_size, native, sides

MINUS_INFINITY = float("-inf")
Module = TypeVar("Module", bound=nn.Module)


class Site:
    """Where a node is built."""

    def __init__(self, node: Node, overwrites: bool, tensors: dict[str, Any]) -> None:
        self.node = node
        self.overwrites = overwrites
        """whether its value may take the place of its first input's"""
        self.tensors = tensors
        """device and type of weights"""

    def bare(self, kind: type[Module], *arguments: Any, **options: Any) -> Module:
        """A layer without the time that it takes to begin weights that are given others."""
        layer: Module = WITHOUT_VALUES[kind](*arguments, **self.tensors, **options)
        object.__setattr__(layer, "__class__", kind)
        return layer

    def module(self, layer: nn.Module, x: fx.Node) -> fx.Node:
        """The node's layer, applied."""
        raise NotImplementedError

    def parameter(self, shape: Shape) -> fx.Node:
        """A weight that no layer of torch holds, at the node's path."""
        raise NotImplementedError

    def call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> fx.Node:
        raise NotImplementedError

    def method(self, name: str, *arguments: Any) -> fx.Node:
        raise NotImplementedError


class Within(Site):
    """Within a scope: adds to its module, and to the graph of what that does."""

    def __init__(self, graph: fx.Graph, owner: nn.Module, name: str, *site: Any) -> None:
        super().__init__(*site)
        self.graph = graph
        self.owner = owner
        self.name = name

    def module(self, layer: nn.Module, x: fx.Node) -> fx.Node:
        self.owner.add_module(self.name, layer)
        return self.graph.call_module(self.name, (x,))

    def parameter(self, shape: Shape) -> fx.Node:
        holder = nn.Module()
        holder.weight = nn.Parameter(torch.empty(shape, **self.tensors))
        self.owner.add_module(self.name, holder)
        return self.graph.get_attr(f"{self.name}.weight")

    def call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> fx.Node:
        return self.graph.call_function(function, arguments, options)

    def method(self, name: str, *arguments: Any) -> fx.Node:
        return self.graph.call_method(name, arguments)


class NotALayer(Exception):
    """An operator is more than one layer."""


class Alone(Site):
    """By itself: the node is to be one layer, and what more is asked for raises `NotALayer`."""

    layer: nn.Module | None = None

    def module(self, layer: nn.Module, x: fx.Node) -> fx.Node:
        if self.layer is not None:
            raise NotALayer
        self.layer = layer
        return x

    def refuse(self, *arguments: Any, **options: Any) -> NoReturn:
        raise NotALayer

    parameter = call = method = refuse


WEIGHTED = (nn.Conv2d, nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm, nn.PReLU)
WITHOUT_VALUES: dict[type[nn.Module], type[Any]] = {
    kind: type(kind.__name__, (kind,), {"reset_parameters": lambda self: None}) for kind in WEIGHTED
}


@singledispatch
def lower(op: ops.Op, site: Site, shapes: tuple[Shape, ...], *inputs: fx.Node) -> fx.Node:
    """Add the node's operator; raises `Unsupported` where torch cannot build it."""
    raise Unsupported("torch", op.kind, site.node.path)


def same_upper(op: Window, site: Site, x: fx.Node) -> tuple[fx.Node, ...]:
    """The padding of a map of whatever size, in the model's own steps."""
    found: list[fx.Node] = []
    for dimension, reach, stride in zip((3, 2), op.reach[::-1], op.strides[::-1], strict=True):
        size = site.method("size", x, dimension)
        beyond = site.call(operator.mod, site.call(operator.sub, size, 1), stride)
        total = site.call(operator.sub, reach - 1, beyond)
        if reach < stride:
            total = site.call(max, total, 0)
        before = site.call(operator.floordiv, total, 2)
        found += [before, site.call(operator.sub, total, before)]
    return tuple(found)


# ---- convolutions ----


def convolution(op: ops.Conv | ops.DwConv, site: Site, shape: Shape, out: int, groups: int, x: fx.Node) -> fx.Node:
    pads = op.padding(shape[0], shape[1])
    if follows_size(op) or not pads.symmetric:
        x = site.call(F.pad, x, same_upper(op, site, x) if follows_size(op) else sides(pads))
        pads = Padding(0, 0, 0, 0)
    layer = site.bare(
        nn.Conv2d, shape[2], out, pair(op.kernel), stride=op.strides, padding=(pads.top, pads.left),
        dilation=pair(op.dilation), groups=groups, bias=op.bias,
    )  # fmt: skip
    return site.module(layer, x)


@lower.register
def _(op: ops.Conv, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    return convolution(op, site, shapes[0], op.channels, op.groups, x)


@lower.register
def _(op: ops.DwConv, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    channels = shapes[0][2]
    return convolution(op, site, shapes[0], channels * op.multiplier, channels, x)


def channels_last(site: Site, layer: nn.Module, shape: Shape, x: fx.Node) -> fx.Node:
    """A layer that works on the last dimension, on the channels of a map or a vector."""
    if len(shape) == 1:
        return site.module(layer, x)
    x = site.call(torch.permute, x, (0, 2, 3, 1))
    return site.call(torch.permute, site.module(layer, x), (0, 3, 1, 2))


@lower.register
def _(op: ops.Linear, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    return channels_last(site, site.bare(nn.Linear, shapes[0][-1], op.channels, bias=op.bias), shapes[0], x)


# ---- normalisations ----


def without_unused(layer: nn.Module, scale: bool, shift: bool) -> nn.Module:
    """A normalisation that keeps only the weights that the operator has."""
    for name, used in (("weight", scale), ("bias", shift)):
        if not used:
            layer.register_parameter(name, None)
    return layer


@lower.register
def _(op: ops.BatchNorm, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    kind = nn.BatchNorm2d if len(shapes[0]) == 3 else nn.BatchNorm1d
    layer = site.bare(kind, shapes[0][-1], eps=op.eps, momentum=op.momentum, affine=True, track_running_stats=True)
    return site.module(without_unused(layer, op.scale, op.shift), x)


@lower.register
def _(op: ops.LayerNorm, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    layer = site.bare(nn.LayerNorm, shapes[0][-1], eps=op.eps, elementwise_affine=True)
    return channels_last(site, without_unused(layer, op.scale, op.shift), shapes[0], x)


@lower.register
def _(op: ops.GroupNorm, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    layer = site.bare(nn.GroupNorm, op.groups, shapes[0][-1], eps=op.eps, affine=True)
    return site.module(without_unused(layer, op.scale, op.shift), x)


@lower.register
def _(op: ops.LocalResponseNorm, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    # torch divides alpha by the size, the paper's formula does not
    return site.module(nn.LocalResponseNorm(op.size, alpha=op.alpha * op.size, beta=op.beta, k=op.k), x)


# ---- activations ----

IN_PLACE: dict[type[ops.Op], Callable[..., nn.Module]] = {
    ops.Relu: nn.ReLU,
    ops.Relu6: nn.ReLU6,
    ops.Silu: nn.SiLU,
    ops.HardSwish: nn.Hardswish,
    ops.HardSigmoid: nn.Hardsigmoid,
}
"""Operators that are a layer of torch with no attribute but where its value lies."""


def in_place(op: ops.Op, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    return site.module(IN_PLACE[type(op)](inplace=site.overwrites), x)


for kind in IN_PLACE:
    lower.register(kind, in_place)

PLAIN: dict[type[ops.Op], Callable[[], nn.Module]] = {
    ops.Sigmoid: nn.Sigmoid,
    ops.Tanh: nn.Tanh,
    ops.Softmax: partial(nn.Softmax, dim=1),
    ops.GlobalAvgPool: partial(nn.AdaptiveAvgPool2d, 1),
    ops.Flatten: partial(nn.Flatten, 1),
}
"""Operators that are a layer of torch without attributes."""


def plain(op: ops.Op, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    return site.module(PLAIN[type(op)](), x)


for kind in PLAIN:
    lower.register(kind, plain)


@lower.register
def _(op: ops.Gelu, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    return site.module(nn.GELU(approximate=op.approximate), x)


@lower.register
def _(op: ops.PRelu, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    return site.module(site.bare(nn.PReLU, 1 if op.shared else shapes[0][-1], init=op.slope), x)


@lower.register
def _(op: ops.LeakyRelu, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    return site.module(nn.LeakyReLU(op.slope, inplace=site.overwrites and op.slope >= 0), x)


@lower.register
def _(op: ops.LayerScale, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    scale = site.parameter(shapes[0][-1:])
    if len(shapes[0]) == 3:
        scale = site.call(torch.reshape, scale, (-1, 1, 1))
    return site.call(operator.mul, x, scale)


@lower.register
def _(op: ops.Dropout, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    return site.module(nn.Dropout(op.rate), x)


@lower.register
def _(op: ops.StochasticDepth, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    # an image as the only channel of its map: dropping channels drops the image, and scales the others
    layer = nn.Dropout3d(op.rate) if len(shapes[0]) == 3 else nn.Dropout1d(op.rate)
    return site.call(torch.squeeze, site.module(layer, site.call(torch.unsqueeze, x, 1)), 1)


# ---- poolings ----


@lower.register
def _(op: ops.MaxPool, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    pads = op.padding(shapes[0][0], shapes[0][1])
    kernel, dilation = pair(op.kernel), pair(op.dilation)
    if native(op, pads):
        layer = nn.MaxPool2d(kernel, op.strides, (pads.top, pads.left), dilation, ceil_mode=op.ceil)
        return site.module(layer, x)
    around = same_upper(op, site, x) if follows_size(op) else sides(extent(op, site.node.shape, shapes[0], pads))
    padded = site.call(F.pad, x, around, value=MINUS_INFINITY)
    return site.module(nn.MaxPool2d(kernel, op.strides, 0, dilation, ceil_mode=False), padded)


@lower.register
def _(op: ops.AvgPool, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    pads = op.padding(shapes[0][0], shapes[0][1])
    kernel = pair(op.kernel)
    if native(op, pads):
        layer = nn.AvgPool2d(
            kernel, op.strides, (pads.top, pads.left), ceil_mode=op.ceil, count_include_pad=op.include_pad
        )
        return site.module(layer, x)
    return counted_average(op, site, shapes[0], pads, x)


def counted_average(op: ops.AvgPool, site: Site, shape: Shape, pads: Padding, x: fx.Node) -> fx.Node:
    """A mean whose windows count by a mask what torch's pooling cannot leave out."""
    counts = 1.0 if op.include_pad else 0.0
    ones = site.call(torch.ones_like, site.call(torch.narrow, x, 1, 0, 1))
    whole: tuple[int | fx.Node, ...]
    if follows_size(op):
        whole = same_upper(op, site, x)
        mask = site.call(F.pad, ones, whole, value=counts)
    else:
        reached = extent(op, site.node.shape, shape, pads)
        whole = sides(reached)
        beyond = sides(Padding(*(r - p for r, p in zip(reached, pads, strict=True))))
        mask = site.call(F.pad, site.call(F.pad, ones, sides(pads), value=counts), beyond)
    # called as a function: a module called twice would show the count to a hook that looks for the node's value
    add_up = partial(site.call, F.avg_pool2d, kernel_size=pair(op.kernel), stride=op.strides, divisor_override=1)
    return site.call(operator.truediv, add_up(site.call(F.pad, x, whole)), add_up(mask))


@lower.register
def _(op: ops.AdaptiveAvgPool, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    return site.module(nn.AdaptiveAvgPool2d(pair(op.size)), x)


# ---- moving values ----


@lower.register
def _(op: ops.Flatten, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    if op.order == "hwc" and len(shapes[0]) == 3:
        x = site.call(torch.permute, x, (0, 2, 3, 1))
    return plain(op, site, shapes, x)


@lower.register
def _(op: ops.Pad, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    return site.module(nn.ConstantPad2d(sides(explicit_padding(op.amount)), op.value), x)


@lower.register
def _(op: ops.Split, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    part = shapes[0][-1] // op.parts
    return site.call(torch.narrow, x, 1, op.index * part, part)


@lower.register
def _(op: ops.Slice, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    return site.call(torch.narrow, x, 1, op.start, op.stop - op.start)


@lower.register
def _(op: ops.Shuffle, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    return site.module(nn.ChannelShuffle(op.groups), x)


@lower.register
def _(op: ops.Upsample, site: Site, shapes: tuple[Shape, ...], x: fx.Node) -> fx.Node:
    factors = tuple(map(float, pair(op.scale)))
    corners = None if op.mode == "nearest" else False
    return site.module(nn.Upsample(scale_factor=factors, mode=op.mode, align_corners=corners), x)


# ---- joins ----


@lower.register
def _(op: ops.Add, site: Site, shapes: tuple[Shape, ...], *inputs: fx.Node) -> fx.Node:
    first, *others = inputs
    for position, other in enumerate(others):
        # a sum that is begun belongs to nobody else
        first = site.call(operator.iadd if position or site.overwrites else operator.add, first, other)
    return first


@lower.register
def _(op: ops.Mul, site: Site, shapes: tuple[Shape, ...], *inputs: fx.Node) -> fx.Node:
    return reduce(partial(site.call, operator.mul), inputs)


@lower.register
def _(op: ops.Concat, site: Site, shapes: tuple[Shape, ...], *inputs: fx.Node) -> fx.Node:
    return site.call(torch.cat, list(inputs), 1)
