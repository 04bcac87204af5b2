"""Operators -> layers of torch, as data: one function for each, which gives the call that constructs its layer.

`Site` makes the calls, and a written file has them as text; torch is not needed to say them. Everything that changes a
number is given to torch; none of its defaults is relied on. A padding that a layer cannot have (asymmetric, or wider
than half its window) is made explicit before it.
"""

from collections.abc import Iterator
from functools import singledispatch

from archspec import ops
from archspec.backend import Unsupported
from archspec.emit.calls import Argument, Call, Code, Constant
from archspec.emit.steps import Piece, Role
from archspec.emit.text import written
from archspec.graph import Node
from archspec.ops.base import Window, explicit_padding, pair
from archspec.ops.normalization import Norm
from archspec.ops.pooling import Pool
from archspec.tensor import Padding, Shape

MINUS_INFINITY = float("-inf")
IDENTITY = Code("nn.Identity")
"""The activation that does nothing."""


@singledispatch
def lower(op: ops.Op, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    """The steps of a node, its own last; raises `Unsupported` where torch cannot build it."""
    raise Unsupported("torch", op.kind, node.path)


def pieces(node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    """The steps of a node with inputs of these shapes."""
    return lower(node.op, node, shapes)


def stateless(role: Role, call: Call, function: str, suffix: str = "") -> Piece:
    """A layer that a function of the same arguments can stand for."""
    arguments = "".join(f", {argument}" for argument in written(call.arguments))
    return Piece(role, call, f"{function}({{}}{arguments})", suffix)


def square(both: int | tuple[int, int]) -> int | tuple[int, int]:
    """A pair as one number where that says the same."""
    height, width = pair(both)
    return height if height == width else (height, width)


def named(name: str, value: Constant, default: Constant, kind: str = "other") -> Argument:
    return Argument(name, value, kind, default, by_name=True)


def channels(name: str, count: int) -> Argument:
    return Argument(name, count, "channels")


# ---- padding ----


def sides(pads: Padding) -> tuple[int, int, int, int]:
    """A padding as torch orders it: left, right, top, bottom."""
    return pads.left, pads.right, pads.top, pads.bottom


def follows_size(op: Window) -> bool:
    """Whether the padding depends on the size of the map, so that a model for all sizes must compute it."""
    return op.pad == "same_upper" and max(op.strides) > 1


def native(op: Pool, pads: Padding) -> bool:
    """Whether torch's own pooling takes this padding."""
    half_h, half_w = (side // 2 for side in pair(op.kernel))
    return not follows_size(op) and pads.symmetric and pads.top <= half_h and pads.left <= half_w


def extent(op: Pool, places: Shape, shape: Shape, pads: Padding) -> Padding:
    """The padding with which windows that never hang over take just the operator's places on a map of this shape."""
    ends = []
    for size, before, count, reach, stride in zip(
        shape[:2], (pads.top, pads.left), places[:2], op.reach, op.strides, strict=True
    ):
        ends.append((count - 1) * stride + reach - size - before)
    return Padding(pads.top, ends[0], pads.left, ends[1])


def same_pad(op: Window, value: float = 0.0) -> Piece:
    window = Argument("window", square(op.reach), "window"), Argument("stride", square(op.strides), "stride")
    return stateless("pad", Call("SamePad", (*window, named("value", value, 0.0))), "same_pad", "_pad")


def constant_pad(pads: Padding, value: float = 0.0, suffix: str = "_pad") -> Piece:
    around = Argument("padding", pads[0] if len({*pads}) == 1 else sides(pads), "sides")
    if value == 0:
        return Piece("pad", Call("nn.ZeroPad2d", (around,)), f"F.pad({{}}, {sides(pads)})", suffix)
    call = Call("nn.ConstantPad2d", (around, Argument("value", value)))
    arguments = written((Argument("pad", sides(pads)), named("value", value, 0.0)))
    return Piece("pad", call, f"F.pad({{}}, {', '.join(arguments)})", suffix)


# ---- convolutions ----


def convolution(op: ops.Conv | ops.DwConv, shape: Shape, out: int, groups: int) -> Iterator[Piece]:
    pads = op.padding(shape[0], shape[1])
    if follows_size(op) or not pads.symmetric:
        yield same_pad(op) if follows_size(op) else constant_pad(pads)
        pads = Padding(0, 0, 0, 0)
    arguments = (
        channels("in_channels", shape[2]),
        channels("out_channels", out),
        Argument("kernel_size", square(op.kernel), "kernel"),
        named("stride", square(op.strides), 1, "stride"),
        named("padding", square((pads.top, pads.left)), 0, "padding"),
        named("dilation", square(op.dilation), 1, "dilation"),
        named("groups", groups, 1, "groups"),
        named("bias", op.bias, True, "bias"),
    )
    yield Piece("weights", Call("nn.Conv2d", arguments))


@lower.register
def _(op: ops.Conv, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    return convolution(op, shapes[0], op.channels, op.groups)


@lower.register
def _(op: ops.DwConv, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    return convolution(op, shapes[0], shapes[0][2] * op.multiplier, shapes[0][2])


@lower.register
def _(op: ops.Linear, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    function = "nn.Linear" if len(shapes[0]) == 1 else "PixelLinear"
    sizes = channels("in_features", shapes[0][-1]), channels("out_features", op.channels)
    yield Piece("weights", Call(function, (*sizes, named("bias", op.bias, True, "bias"))))


# ---- normalisations ----


def norm(function: str, op: Norm, affine: str, *arguments: Argument) -> Piece:
    call = Call(function, (*arguments, named("eps", op.eps, 1e-5), named(affine, True, True)))
    if isinstance(op, ops.BatchNorm):
        tracked = named("momentum", op.momentum, 0.1), named("track_running_stats", True, True)
        call = Call(function, (*call.arguments, *tracked))
    unused = [Argument("", name) for name, used in (("weight", op.scale), ("bias", op.shift)) if not used]
    return Piece("norm", Call("without", (Argument("norm", call), *unused)) if unused else call)


@lower.register
def _(op: ops.BatchNorm, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    function = "nn.BatchNorm2d" if len(shapes[0]) == 3 else "nn.BatchNorm1d"
    yield norm(function, op, "affine", channels("num_features", shapes[0][-1]))


@lower.register
def _(op: ops.LayerNorm, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    function = "PixelNorm" if len(shapes[0]) == 3 else "nn.LayerNorm"
    yield norm(function, op, "elementwise_affine", channels("normalized_shape", shapes[0][-1]))


@lower.register
def _(op: ops.GroupNorm, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    groups = Argument("num_groups", op.groups, "groups")
    yield norm("nn.GroupNorm", op, "affine", groups, channels("num_channels", shapes[0][-1]))


@lower.register
def _(op: ops.LocalResponseNorm, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    # torch divides alpha by the size, the paper's formula does not
    defaults = (("alpha", op.alpha * op.size, 1e-4), ("beta", op.beta, 0.75), ("k", op.k, 1.0))
    arguments = Argument("size", op.size), *(named(*argument) for argument in defaults)
    yield stateless("other", Call("nn.LocalResponseNorm", arguments), "F.local_response_norm")


# ---- activations ----


def activation(layer: str, function: str) -> Piece:
    """An activation that any other may stand for."""
    return stateless("activation", Call(Code(layer)), function)


PLAIN: dict[type[ops.Op], Piece] = {
    ops.Relu: activation("nn.ReLU", "F.relu"),
    ops.Relu6: activation("nn.ReLU6", "F.relu6"),
    ops.Silu: activation("nn.SiLU", "F.silu"),
    ops.Sigmoid: activation("nn.Sigmoid", "torch.sigmoid"),
    ops.HardSwish: activation("nn.Hardswish", "F.hardswish"),
    ops.HardSigmoid: activation("nn.Hardsigmoid", "F.hardsigmoid"),
    ops.Tanh: activation("nn.Tanh", "torch.tanh"),
}
"""Activations without attributes."""


def plain(op: ops.Op, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    yield PLAIN[type(op)]


for kind in PLAIN:
    lower.register(kind, plain)


@lower.register
def _(op: ops.Gelu, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    if op.approximate == "none":
        yield activation("nn.GELU", "F.gelu")
    else:
        yield stateless("activation", Call("nn.GELU", (named("approximate", op.approximate, "none"),)), "F.gelu")


@lower.register
def _(op: ops.Softmax, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    yield stateless("activation", Call("nn.Softmax", (named("dim", 1, None),)), "F.softmax")


@lower.register
def _(op: ops.PRelu, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    slopes = Argument("num_parameters", 1 if op.shared else shapes[0][-1], "other" if op.shared else "channels", 1)
    yield Piece("activation", Call("nn.PReLU", (slopes, named("init", op.slope, 0.25))))


@lower.register
def _(op: ops.LeakyRelu, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    # torch has no gradient of a negative slope in place
    apart = () if op.slope >= 0 else (named("inplace", False, False),)
    call = Call("nn.LeakyReLU", (Argument("negative_slope", op.slope, default=0.01), *apart))
    yield stateless("activation", call, "F.leaky_relu")


@lower.register
def _(op: ops.LayerScale, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    function = "LayerScale" if len(shapes[0]) == 3 else "VectorScale"
    yield Piece("other", Call(function, (channels("channels", shapes[0][-1]), Argument("init", op.init))))


@lower.register
def _(op: ops.Dropout, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    yield Piece("other", Call("nn.Dropout", (Argument("p", op.rate, "rate"),)))


@lower.register
def _(op: ops.StochasticDepth, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    function = "StochasticDepth" if len(shapes[0]) == 3 else "VectorStochasticDepth"
    yield Piece("other", Call(function, (Argument("p", op.rate, "rate"),)))


# ---- poolings ----


def window(op: Pool, pads: Padding) -> tuple[Argument, ...]:
    kernel = square(op.kernel)
    return (
        Argument("kernel_size", kernel, "kernel"),
        # torch, too, steps by the kernel where no stride is given
        named("stride", square(op.strides), kernel, "stride"),
        named("padding", square((pads.top, pads.left)), 0, "padding"),
    )


@lower.register
def _(op: ops.MaxPool, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    pads = op.padding(shapes[0][0], shapes[0][1])
    dilation = named("dilation", square(op.dilation), 1, "dilation")
    ceil = named("ceil_mode", op.ceil, False)
    if not native(op, pads):
        reached = extent(op, node.shape, shapes[0], pads)
        yield same_pad(op, MINUS_INFINITY) if follows_size(op) else constant_pad(reached, MINUS_INFINITY)
        pads, ceil = Padding(0, 0, 0, 0), named("ceil_mode", False, False)
    yield stateless("other", Call("nn.MaxPool2d", (*window(op, pads), dilation, ceil)), "F.max_pool2d")


@lower.register
def _(op: ops.AvgPool, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    pads = op.padding(shapes[0][0], shapes[0][1])
    if native(op, pads):
        flags = named("ceil_mode", op.ceil, False), named("count_include_pad", op.include_pad, True)
        yield stateless("other", Call("nn.AvgPool2d", (*window(op, pads), *flags)), "F.avg_pool2d")
        return
    kernel, stride, _ = window(op, pads)
    places = kernel, Argument("stride", stride.value, "stride")
    counts = Argument("count_pad", op.include_pad, by_name=True)
    if follows_size(op):
        yield Piece("other", Call("SameAvgPool", (*places, counts)))
        return
    reached = extent(op, node.shape, shapes[0], pads)
    beyond = Padding(*(r - p for r, p in zip(reached, pads, strict=True)))
    around = Argument("padding", sides(pads), "sides"), Argument("beyond", sides(beyond), "sides")
    yield Piece("other", Call("CountedAvgPool", (*places, *around, counts)))


@lower.register
def _(op: ops.GlobalAvgPool, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    yield adaptive(1)


@lower.register
def _(op: ops.AdaptiveAvgPool, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    yield adaptive(square(op.size))


def adaptive(size: int | tuple[int, int]) -> Piece:
    call = Call("nn.AdaptiveAvgPool2d", (Argument("output_size", size),))
    return stateless("other", call, "F.adaptive_avg_pool2d")


# ---- moving values ----


@lower.register
def _(op: ops.Flatten, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    if op.order == "hwc" and len(shapes[0]) == 3:
        yield Piece("other", Call("PixelFlatten"), "torch.flatten({}.permute(0, 2, 3, 1), 1)")
    else:
        yield Piece("other", Call("nn.Flatten"), "torch.flatten({}, 1)")


@lower.register
def _(op: ops.Pad, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    yield constant_pad(explicit_padding(op.amount), op.value, "")


@lower.register
def _(op: ops.Split, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    yield Piece("part", None, f"{{}}.chunk({op.parts}, dim=1)", part=op.index, parts=op.parts)


@lower.register
def _(op: ops.Slice, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    ends = Argument("start", op.start, "channels"), Argument("stop", op.stop, "channels")
    yield Piece("part", Call("Channels", ends), f"{{}}[:, {op.start}:{op.stop}]")


@lower.register
def _(op: ops.Shuffle, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    yield stateless("other", Call("nn.ChannelShuffle", (Argument("groups", op.groups),)), "F.channel_shuffle")


@lower.register
def _(op: ops.Upsample, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    scale = square(op.scale)
    factors = float(scale) if isinstance(scale, int) else tuple(map(float, scale))
    corners = named("align_corners", None if op.mode == "nearest" else False, None)
    arguments = named("scale_factor", factors, None), named("mode", op.mode, "nearest"), corners
    yield stateless("other", Call("nn.Upsample", arguments), "F.interpolate")


# ---- joins ----


@lower.register
def _(op: ops.Add, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    yield Piece("join", None, " + ".join(["{}"] * len(shapes)))


@lower.register
def _(op: ops.Mul, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    yield Piece("join", None, " * ".join(["{}"] * len(shapes)))


@lower.register
def _(op: ops.Concat, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    yield Piece("concat", None, f"torch.cat([{', '.join(['{}'] * len(shapes))}], dim=1)")
