"""Graphs that every backend must build alike: pairs of a label and a Graph, for whatever framework is tested.

Operators that take the same image stand side by side in one Graph, each an output of its own (`output` is the first of
them), so that a few builds cover many. Where a dilated maximum sees no pixel, values are -inf.
"""

from collections.abc import Iterable, Iterator
from itertools import product

from graphs import graph

from archspec import ops
from archspec.graph import Graph
from archspec.ops import AnyOp, Misfit
from archspec.tensor import Shape

PADS: tuple[ops.base.PadRule, ...] = ("same", "same_upper", "valid", 1, (1, 0), (0, 1, 2, 1), (2, 2, 0, 3))
SIZES = ((7, 8), (8, 7))
SMALL = (3, 2)


def beside(shape: Shape, made: Iterable[AnyOp]) -> Graph:
    """All operators of these that the image suits, each on the image itself and each an output."""
    found: list[AnyOp] = []
    for op in made:
        try:
            op.infer(shape)
        except Misfit:
            continue
        found.append(op)
    assert found
    items = [(f"{op.kind}_{number}", op, ("input",)) for number, op in enumerate(found)]
    names = [path for path, *_ in items]
    return graph(shape, *items, outputs={"output": names[0], **{name: name for name in names[1:]}})


# ---- windows ----

FILTERS: tuple[tuple[ops.base.Extent, ops.base.Extent, ops.base.Extent], ...] = (
    (1, 1, 1), (1, 2, 1), (2, 1, 1), (2, 2, 1), (3, 1, 1), (3, 2, 1), (3, 2, 2), ((1, 4), (3, 1), 1), (3, (3, 1), 1),
    ((2, 3), 2, (2, 1)), (5, 3, 1),
)  # fmt: skip
"""kernel, stride, dilation"""
POOLS: tuple[tuple[ops.base.Extent, ops.base.Extent | None], ...] = (
    (1, 2), (2, None), (3, None), (3, 1), (3, 2), (4, 3), (5, 2), (2, 3), ((1, 3), None), ((3, 4), (2, 1)),
)  # fmt: skip
"""kernel, stride"""


def convolutions(pad: ops.base.PadRule) -> Iterator[AnyOp]:
    for bias in (True, False):
        for kernel, stride, dilation in FILTERS:
            yield ops.Conv(channels=3, kernel=kernel, stride=stride, dilation=dilation, pad=pad, bias=bias)


def grouped(pad: ops.base.PadRule) -> Iterator[AnyOp]:
    for stride, groups in product((1, 2), (2, 4)):
        yield ops.Conv(channels=8, kernel=3, stride=stride, groups=groups, pad=pad, bias=True)
        yield ops.Conv(channels=4, kernel=(2, 3), stride=stride, groups=groups, pad=pad)


def depthwise(pad: ops.base.PadRule) -> Iterator[AnyOp]:
    for stride, multiplier, bias in product((1, 2, (2, 1)), (1, 3), (False, True)):
        yield ops.DwConv(kernel=3, stride=stride, multiplier=multiplier, pad=pad, bias=bias)
    yield ops.DwConv(kernel=(2, 5), stride=2, multiplier=2, pad=pad)
    yield ops.DwConv(kernel=3, dilation=2, pad=pad)
    yield ops.DwConv(kernel=3, stride=2, dilation=2, pad=pad)


def maxima(pad: ops.base.PadRule) -> Iterator[AnyOp]:
    for (kernel, stride), ceil, dilation in product(POOLS, (False, True), (1, 2)):
        yield ops.MaxPool(kernel=kernel, stride=stride, ceil=ceil, pad=pad, dilation=dilation)


def means(pad: ops.base.PadRule) -> Iterator[AnyOp]:
    for (kernel, stride), ceil, include in product(POOLS, (False, True), (False, True)):
        yield ops.AvgPool(kernel=kernel, stride=stride, ceil=ceil, pad=pad, include_pad=include)


def windows() -> Iterator[tuple[str, Graph]]:
    kinds = (("conv", convolutions, 2), ("groups", grouped, 4), ("dwconv", depthwise, 2))
    for (label, made, channels), pad, size in product(kinds, PADS, SIZES):
        yield f"{label} pad={pad} {size}", beside((*size, channels), made(pad))
    pools = (("maxpool", maxima), ("avgpool", means))
    for (label, pool), pad, size in product(pools, (*PADS, (0, 2, 0, 2)), (*SIZES, SMALL)):
        yield f"{label} pad={pad} {size}", beside((*size, 2), pool(pad))
    yield "a maximum that sees nothing", beside((1, 3, 2), [ops.MaxPool(kernel=2, stride=1, dilation=2, pad=1)])


# ---- what has no window ----


def everywhere() -> Iterator[AnyOp]:
    """What works on maps of six channels and on vectors of six."""
    yield from (ops.Relu(), ops.Relu6(), ops.Silu(), ops.Gelu(), ops.Gelu(approximate="tanh"), ops.Sigmoid())
    yield from (ops.HardSwish(), ops.HardSigmoid(), ops.Tanh(), ops.Softmax())
    yield from (ops.PRelu(), ops.PRelu(shared=True), ops.LeakyRelu(), ops.LeakyRelu(slope=0.3))
    yield from (ops.LeakyRelu(slope=-2.0), ops.LeakyRelu(slope=0.0))
    yield from (ops.LayerScale(), ops.Dropout(rate=0.9), ops.StochasticDepth(rate=0.9), ops.Dropout(rate=1.0))
    yield from (ops.Linear(channels=5), ops.Linear(channels=5, bias=False), ops.Linear(channels=1))
    for scale, shift, eps in product((True, False), (True, False), (1e-5, 1e-3, 0.1)):
        yield ops.BatchNorm(scale=scale, shift=shift, eps=eps)
        yield ops.LayerNorm(scale=scale, shift=shift, eps=eps)
        yield ops.GroupNorm(groups=3, scale=scale, shift=shift, eps=eps)
    yield from (ops.GroupNorm(groups=1), ops.GroupNorm(groups=6, eps=0.1))
    yield from (ops.Split(parts=3, index=1), ops.Split(parts=1), ops.Slice(start=1, stop=4), ops.Slice(start=0, stop=6))
    yield from (ops.Flatten(), ops.Flatten(order="hwc"), ops.Add(), ops.Mul(), ops.Concat())


def on_maps() -> Iterator[AnyOp]:
    """What works on maps of six channels alone."""
    yield ops.LocalResponseNorm()
    yield ops.LocalResponseNorm(size=5, alpha=0.3, beta=0.6, k=1.5)
    yield ops.LocalResponseNorm(size=3, alpha=0.3)
    yield ops.LocalResponseNorm(size=1, alpha=0.5, beta=0.5, k=1.0)
    yield ops.LocalResponseNorm(size=15, alpha=0.1)
    yield from (ops.Pad(amount=1), ops.Pad(amount=(1, 2)), ops.Pad(amount=(1, 0, 2, 3), value=-7.5), ops.Pad(amount=0))
    yield from (ops.Shuffle(groups=1), ops.Shuffle(groups=2), ops.Shuffle(groups=3), ops.Shuffle(groups=6))
    yield ops.GlobalAvgPool()
    for size in (1, 2, 3, 7, (3, 4), (2, 3), (4, 1), (9, 5)):
        yield ops.AdaptiveAvgPool(size=size)
    for mode, scale in product(("nearest", "bilinear"), (1, 2, 3, 5, 7, (2, 3), (1, 4))):
        yield ops.Upsample.model_validate({"scale": scale, "mode": mode})


def plain() -> Iterator[tuple[str, Graph]]:
    for shape in ((5, 6, 6), (4, 3, 6), (1, 1, 6), (6,)):
        yield f"everywhere {shape}", beside(shape, everywhere())
    for shape in ((6, 7, 6), (4, 3, 6), (1, 1, 6)):
        yield f"maps {shape}", beside(shape, on_maps())


# ---- several inputs, several outputs ----


def joins() -> Iterator[tuple[str, Graph]]:
    for sides, count in product(((5, 4), ()), (2, 3, 4)):
        parts = [(f"part_{n}", ops.Slice(start=n, stop=n + 3), ("input",)) for n in range(count)]
        taken = tuple(path for path, *_ in parts)
        items = [*parts, ("add", ops.Add(), taken), ("mul", ops.Mul(), taken), ("concat", ops.Concat(), taken)]
        names = {"output": "add", "product": "mul", "all": "concat"}
        yield f"joins of {count} {(*sides, 3)}", graph((*sides, 7), *items, outputs=names)
    wide = [("a", ops.Slice(start=0, stop=1)), ("b", ops.Slice(start=1, stop=4), ("input",))]
    for sides in ((5, 4), ()):
        yield f"concat of widths {sides}", graph((*sides, 6), *wide, ("all", ops.Concat(), ("b", "a", "b", "input")))
    yield "add of one value twice", graph((5, 4, 3), ("relu", ops.Relu()), ("add", ops.Add(), ("relu", "relu")))
    yield "mul spreads", graph(
        (5, 4, 3), ("pool", ops.GlobalAvgPool()), ("gate", ops.Slice(start=0, stop=1), ("input",)),
        ("row", ops.AdaptiveAvgPool(size=(1, 4)), ("input",)), ("mul", ops.Mul(), ("pool", "input", "gate", "row")),
    )  # fmt: skip


def shapes() -> Iterator[tuple[str, Graph]]:
    """Orders of flattening, outputs and names that a backend may trip over."""
    head = [("conv", ops.Conv(kernel=3, channels=4)), ("flat", ops.Flatten()), ("fc", ops.Linear(channels=5))]
    yield "flatten and linear", graph((3, 5, 2), *head)
    rows = [("flat", ops.Flatten(order="hwc")), ("fc", ops.Linear(channels=5)), ("again", ops.Flatten(order="hwc"))]
    yield "flatten by rows and linear", graph((3, 5, 2), *rows)
    yield "a vector all along", graph((7,), ("a", ops.Linear(channels=6)), ("b", ops.BatchNorm()), ("c", ops.Relu()))
    yield "no node but the input", graph((3, 4, 2))
    yield "the input is an output", graph((3, 4, 2), ("a", ops.Tanh()), outputs={"output": "a", "given": "input"})
    twice = {"output": "b", "again": "b", "early": "a"}
    yield "a value with two names", graph((3, 4, 2), ("a", ops.Tanh()), ("b", ops.Relu()), outputs=twice)
    yield "nodes called output and x", graph(
        (3, 4, 2), ("output", ops.Tanh()), ("x", ops.Conv(kernel=1, channels=2)), ("y", ops.Sigmoid()), first="in_",
        outputs={"output": "y", "aux": "output"},
    )  # fmt: skip
    yield "names of layers and scopes", graph(
        (4, 4, 4), ("row_1/block/conv", ops.Conv(kernel=3, channels=4)), ("row_1/block/self", ops.PRelu()),
        ("row_1/block", ops.BatchNorm()), ("forward", ops.LayerScale(init=0.5)), ("class", ops.Softmax()),
    )  # fmt: skip


CASES: list[tuple[str, Graph]] = [*windows(), *plain(), *joins(), *shapes()]
