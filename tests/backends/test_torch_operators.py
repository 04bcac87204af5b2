"""Every operator in torch against its formula, written out in numpy and float64 from the operator's docstring."""

from collections.abc import Callable
from itertools import accumulate, product
from math import ceil, erf, floor, inf, pi, sqrt

import numpy as np
import pytest
import torch
from archspec_torch.runtime import build
from graphs import graph
from numpy.typing import NDArray

import archspec
from archspec import ops
from archspec.ops import OPERATORS, AnyOp, Misfit
from archspec.tensor import Shape

Array = NDArray[np.float64]
State = dict[str, Array]
Window = Callable[[list[tuple[int, int, Array]], int], Array]
SIZES = ((7, 8), (8, 7))
PADS = ("same", "same_upper", "valid", 1, (1, 0), (0, 1, 2, 1), (2, 2, 0, 3))


def run(op: AnyOp, *inputs: Array, dtype: torch.dtype = torch.float64) -> tuple[list[Array], State]:
    """What the model gives for h×w×c images (one for each branch of a join), and its random weights."""
    widths = [x.shape[-1] for x in inputs]
    whole = (*np.broadcast_shapes(*(x.shape[:-1] for x in inputs)), sum(widths))
    shape: Shape = whole if len(inputs) > 1 else inputs[0].shape
    if len(inputs) == 1:
        model = build(graph(shape, ("it", op)), dtype=dtype)
    else:
        ends = list(accumulate(widths))
        slices = [ops.Slice(start=end - width, stop=end) for end, width in zip(ends, widths, strict=True)]
        parts = [(f"part_{i}", part, ("input",)) for i, part in enumerate(slices)]
        model = build(graph(shape, *parts, ("it", op, tuple(name for name, *_ in parts))), dtype=dtype)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                low = 0.5 if name.endswith("running_var") else -1.0
                tensor.uniform_(low, 1.5, generator=generator)
    image = np.concatenate([np.broadcast_to(x, (*whole[:-1], x.shape[-1])) for x in inputs], axis=-1)
    batch = torch.from_numpy(np.stack([image, -image / 2]))
    given = batch.permute(0, 3, 1, 2) if batch.dim() == 4 else batch
    out = model.eval()(given.to(dtype).contiguous()).detach()
    out = out.permute(0, 2, 3, 1) if out.dim() == 4 else out
    return list(out.numpy()), {n.removeprefix("it."): t.detach().numpy() for n, t in model.state_dict().items()}


def image(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(size=shape) * 2


def agree(op: AnyOp, formula: Callable[[Array, State], Array], *shape: int) -> None:
    """The model and the formula give the same, for an image and for another beside it in the batch."""
    x = image(*shape)
    got, state = run(op, x)
    for out, given in zip(got, (x, -x / 2), strict=True):
        wanted = formula(given, state)
        assert out.shape == wanted.shape == op.infer(shape), op
        np.testing.assert_allclose(out, wanted, rtol=1e-10, atol=1e-10, err_msg=str(op))


# ---- windows ----


def pads(op: ops.Window, size: int, axis: int) -> tuple[int, int]:
    """Pixels before and after, as the language defines them."""
    kernel, dilation, stride = (v if isinstance(v, int) else v[axis] for v in (op.kernel, op.dilation, op.strides))
    match op.pad:
        case "valid":
            return 0, 0
        case "same":
            return dilation * (kernel - 1) // 2, dilation * (kernel - 1) // 2
        case "same_upper":
            total = max(0, (ceil(size / stride) - 1) * stride + dilation * (kernel - 1) + 1 - size)
            return total // 2, total - total // 2
        case int(amount):
            return amount, amount
        case (vertical, horizontal):
            return (vertical, horizontal)[axis], (vertical, horizontal)[axis]
        case sides:
            return sides[2 * axis], sides[2 * axis + 1]


def taps(op: ops.Window, size: int, axis: int, position: int) -> list[tuple[int, int, bool]]:
    """What a window covers: its tap, the pixel there (-1 where there is none), and whether that lies in the padding."""
    before, after = pads(op, size, axis)
    kernel, dilation, stride = (v if isinstance(v, int) else v[axis] for v in (op.kernel, op.dilation, op.strides))
    found = []
    for tap in range(kernel):
        at = position * stride + tap * dilation - before
        found.append((tap, at if 0 <= at < size else -1, -before <= at < size + after))
    return found


def slide(
    op: ops.Window, x: Array, channels: int, window: Callable[[list[tuple[int, int, Array]], int], Array]
) -> Array:
    """`window` at every place: it is given its taps that are pixels, and how many are pixels or padding."""
    height, width, _ = op.infer(x.shape)
    out = np.empty((height, width, channels))
    for i, j in product(range(height), range(width)):
        down, across = taps(op, x.shape[0], 0, i), taps(op, x.shape[1], 1, j)
        seen = [(a, b, x[y, z]) for (a, y, _), (b, z, _) in product(down, across) if y >= 0 and z >= 0]
        padded = sum(u for *_, u in down) * sum(u for *_, u in across)
        out[i, j] = window(seen, padded)
    return out


def convolved(op: ops.Conv | ops.DwConv, groups: int, channels: int) -> Callable[[Array, State], Array]:
    def formula(x: Array, state: State) -> Array:
        weight = state["weight"]
        bias = state.get("bias", np.zeros(channels))

        def window(seen: list[tuple[int, int, Array]], padded: int) -> Array:
            total = bias.copy()
            for a, b, pixel in seen:
                for out in range(channels):
                    inside = x.shape[2] // groups
                    group = out // (channels // groups)
                    total[out] += weight[out, :, a, b] @ pixel[group * inside : (group + 1) * inside]
            return total

        return slide(op, x, channels, window)

    return formula


def fitting(made: list[AnyOp], shape: Shape) -> list[AnyOp]:
    """Those of the operators that an image suits."""
    found = []
    for op in made:
        try:
            op.infer(shape)
        except Misfit:
            continue
        found.append(op)
    assert found
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pad", PADS, ids=str)
def test_a_convolution_is_its_formula_under_every_padding(pad: ops.base.PadRule, size: tuple[int, int]) -> None:
    choices = product((1, 2, 3, (1, 4)), (1, 2, (3, 1)), (1, 2))
    rest = {"channels": 3, "pad": pad, "bias": True}
    made: list[AnyOp] = [ops.Conv(kernel=k, stride=s, dilation=d, **rest) for k, s, d in choices]
    for op in fitting(made, (*size, 2)):
        assert isinstance(op, ops.Conv)
        agree(op, convolved(op, 1, 3), *size, 2)


@pytest.mark.parametrize("pad", ["same", "same_upper"])
def test_groups_part_the_channels_in_order(pad: ops.base.PadRule) -> None:
    op = ops.Conv(kernel=3, channels=6, stride=2, groups=2, pad=pad)
    agree(op, convolved(op, 2, 6), 7, 8, 4)


@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize("pad", PADS, ids=str)
def test_a_depthwise_convolution_keeps_the_filters_of_a_channel_together(
    pad: ops.base.PadRule, multiplier: int
) -> None:
    for stride, bias in product((1, 2), (False, True)):
        op = ops.DwConv(kernel=3, stride=stride, multiplier=multiplier, pad=pad, bias=bias)
        agree(op, convolved(op, 2, 2 * multiplier), 8, 7, 2)


POOLS = list(product((1, 2, 3, 5, (1, 3)), (None, 1, 2, 3), (False, True)))


@pytest.mark.parametrize("size", [*SIZES, (3, 2)])
@pytest.mark.parametrize("pad", [*PADS, (0, 2, 0, 2)], ids=str)
def test_a_maximum_never_sees_the_padding(pad: ops.base.PadRule, size: tuple[int, int]) -> None:
    def window(seen: list[tuple[int, int, Array]], padded: int) -> Array:
        return np.max([pixel for *_, pixel in seen], axis=0) if seen else np.full(2, -inf)

    made: list[AnyOp] = [
        ops.MaxPool(kernel=k, stride=s, ceil=c, pad=pad, dilation=d) for (k, s, c), d in product(POOLS, (1, 2))
    ]
    for op in fitting(made, (*size, 2)):
        agree(op, lambda x, state, op=op: slide(op, x, 2, window), *size, 2)


@pytest.mark.parametrize("size", [*SIZES, (3, 2)])
@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize("pad", [*PADS, (0, 2, 0, 2)], ids=str)
def test_a_mean_counts_the_padding_only_where_it_says_so(
    pad: ops.base.PadRule, include: bool, size: tuple[int, int]
) -> None:
    def window(seen: list[tuple[int, int, Array]], padded: int) -> Array:
        total: Array = np.sum([pixel for *_, pixel in seen], axis=0)
        return total / (padded if include else len(seen))

    made: list[AnyOp] = [ops.AvgPool(kernel=k, stride=s, ceil=c, pad=pad, include_pad=include) for k, s, c in POOLS]
    for op in fitting(made, (*size, 2)):
        agree(op, lambda x, state, op=op: slide(op, x, 2, window), *size, 2)


@pytest.mark.parametrize(("h", "w"), [(7, 8), (3, 14), (2, 2)])
def test_adaptive_pooling_takes_windows_that_may_overlap(h: int, w: int) -> None:
    def formula(x: Array, state: State) -> Array:
        out = np.empty((3, 4, 2))
        for i, j in product(range(3), range(4)):
            rows = slice(floor(i * h / 3), ceil((i + 1) * h / 3))
            out[i, j] = x[rows, floor(j * w / 4) : ceil((j + 1) * w / 4)].mean(axis=(0, 1))
        return out

    agree(ops.AdaptiveAvgPool(size=(3, 4)), formula, h, w, 2)


# ---- what has a short formula ----


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def hard(x: Array) -> Array:
    return np.clip(x + 3, 0, 6) / 6


def leaky(x: Array, slope: Array | float) -> Array:
    return np.maximum(x, 0) + slope * np.minimum(x, 0)


def affine(x: Array, state: State) -> Array:
    return x * state.get("weight", np.ones(1)) + state.get("bias", np.zeros(1))


def batch_norm(x: Array, state: State, eps: float) -> Array:
    return affine((x - state["running_mean"]) / np.sqrt(state["running_var"] + eps), state)


def layer_norm(x: Array, state: State, eps: float) -> Array:
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return affine((x - mean) / np.sqrt(variance + eps), state)


def group_norm(x: Array, state: State, groups: int, eps: float) -> Array:
    parts = np.split(x, groups, axis=-1)
    return affine(np.concatenate([(p - p.mean()) / np.sqrt(p.var() + eps) for p in parts], axis=-1), state)


def lrn(x: Array, size: int, alpha: float, beta: float, k: float) -> Array:
    out = np.empty_like(x)
    for c in range(x.shape[-1]):
        near = x[..., max(0, c - size // 2) : c + size // 2 + 1]
        out[..., c] = x[..., c] / (k + alpha * (near**2).sum(axis=-1)) ** beta
    return out


def softmax(x: Array) -> Array:
    grown: Array = np.exp(x)
    return grown / grown.sum(axis=-1, keepdims=True)


def shuffled(x: Array, groups: int) -> Array:
    out, n = np.empty_like(x), x.shape[-1] // groups
    for g, i in product(range(groups), range(n)):
        out[..., i * groups + g] = x[..., g * n + i]
    return out


def bilinear(x: Array, down: int, across: int) -> Array:
    for axis, scale in ((0, down), (1, across)):
        at = (np.arange(x.shape[axis] * scale) + 0.5) / scale - 0.5
        low = np.floor(at).astype(int)
        share = (at - low).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        edge = x.shape[axis] - 1
        before, after = (np.take(x, np.clip(k, 0, edge), axis=axis) for k in (low, low + 1))
        x = before * (1 - share) + after * share
    return x


def framed(x: Array, value: float) -> Array:
    return np.pad(x, ((1, 0), (2, 3), (0, 0)), constant_values=value)


def text(value: object) -> str:
    """The name of a case."""
    return repr(value)[:60] if isinstance(value, ops.Op) else str(value) if isinstance(value, tuple) else "formula"


FORMULAS: list[tuple[AnyOp, Callable[[Array, State], Array]]] = [
    (ops.Relu(), lambda x, s: np.maximum(x, 0)),
    (ops.Relu6(), lambda x, s: np.minimum(np.maximum(x, 0), 6)),
    (ops.Silu(), lambda x, s: x * sigmoid(x)),
    (ops.Gelu(), lambda x, s: x * (1 + np.vectorize(erf)(x / sqrt(2))) / 2),
    (ops.Gelu(approximate="tanh"), lambda x, s: x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2),
    (ops.Sigmoid(), lambda x, s: sigmoid(x)),
    (ops.HardSwish(), lambda x, s: x * hard(x)),
    (ops.HardSigmoid(), lambda x, s: hard(x)),
    (ops.Tanh(), lambda x, s: np.tanh(x)),
    (ops.Softmax(), lambda x, s: softmax(x)),
    (ops.PRelu(), lambda x, s: leaky(x, s["weight"])),
    (ops.PRelu(shared=True), lambda x, s: leaky(x, s["weight"])),
    (ops.LeakyRelu(slope=0.3), lambda x, s: leaky(x, 0.3)),
    (ops.LayerScale(), lambda x, s: x * s["weight"]),
    (ops.Dropout(rate=0.9), lambda x, s: x),
    (ops.StochasticDepth(rate=0.9), lambda x, s: x),
    (ops.Linear(channels=5), lambda x, s: x @ s["weight"].T + s["bias"]),
    (ops.Linear(channels=5, bias=False), lambda x, s: x @ s["weight"].T),
    *(
        (ops.BatchNorm(scale=a, shift=b, eps=0.1), lambda x, s: batch_norm(x, s, 0.1))
        for a, b in product((True, False), repeat=2)
    ),
    *(
        (ops.LayerNorm(scale=a, shift=b, eps=0.1), lambda x, s: layer_norm(x, s, 0.1))
        for a, b in product((True, False), repeat=2)
    ),
    *(
        (ops.GroupNorm(groups=2, scale=a, shift=b, eps=0.1), lambda x, s: group_norm(x, s, 2, 0.1))
        for a, b in product((True, False), repeat=2)
    ),
    (ops.Split(parts=3, index=1), lambda x, s: x[..., 2:4]),
    (ops.Slice(start=1, stop=4), lambda x, s: x[..., 1:4]),
]
MAPS_ONLY: list[tuple[AnyOp, Callable[[Array, State], Array]]] = [
    (ops.LocalResponseNorm(size=5, alpha=0.3, beta=0.6, k=1.5), lambda x, s: lrn(x, 5, 0.3, 0.6, 1.5)),
    (ops.LocalResponseNorm(size=3, alpha=0.3), lambda x, s: lrn(x, 3, 0.3, 0.75, 2)),
    (ops.GlobalAvgPool(), lambda x, s: x.mean(axis=(0, 1), keepdims=True)),
    (ops.Flatten(), lambda x, s: x.transpose(2, 0, 1).reshape(-1)),
    (ops.Flatten(order="hwc"), lambda x, s: x.reshape(-1)),
    (ops.Pad(amount=(1, 0, 2, 3)), lambda x, s: framed(x, 0)),
    (ops.Pad(amount=(1, 0, 2, 3), value=-7.5), lambda x, s: framed(x, -7.5)),
    (ops.Shuffle(groups=2), lambda x, s: shuffled(x, 2)),
    (ops.Shuffle(groups=3), lambda x, s: shuffled(x, 3)),
    (ops.Upsample(scale=(2, 3)), lambda x, s: x.repeat(2, axis=0).repeat(3, axis=1)),
    (ops.Upsample(scale=(2, 3), mode="bilinear"), lambda x, s: bilinear(x, 2, 3)),
]


@pytest.mark.parametrize("shape", [(5, 6, 6), (4, 3, 6), (6,)], ids=str)
@pytest.mark.parametrize(("op", "formula"), FORMULAS, ids=text)
def test_an_operator_is_its_formula(op: AnyOp, formula: Callable[[Array, State], Array], shape: Shape) -> None:
    agree(op, formula, *shape)


@pytest.mark.parametrize("size", [(5, 6), (4, 3), (1, 1)], ids=str)
@pytest.mark.parametrize(("op", "formula"), MAPS_ONLY, ids=text)
def test_an_operator_on_maps_is_its_formula(
    op: AnyOp, formula: Callable[[Array, State], Array], size: tuple[int, int]
) -> None:
    agree(op, formula, *size, 6)


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("sides", [(5, 4), ()], ids=str)
@pytest.mark.parametrize(
    ("op", "join"),
    [(ops.Add(), sum), (ops.Mul(), lambda xs: np.prod(xs, axis=0)), (ops.Concat(), lambda xs: np.concatenate(xs, -1))],
    ids=["add", "mul", "concat"],
)
def test_a_join_takes_any_number_of_branches(
    op: AnyOp, join: Callable[[list[Array]], Array], sides: tuple[int, ...], count: int
) -> None:
    inputs = [image(*sides, 3) + i for i in range(count)]
    got, _ = run(op, *inputs)
    np.testing.assert_allclose(got[0], join(inputs), rtol=1e-12)


def test_concat_takes_branches_of_different_widths_in_their_order() -> None:
    inputs = [image(5, 4, c) for c in (3, 1, 2)]
    np.testing.assert_array_equal(run(ops.Concat(), *inputs)[0][0], np.concatenate(inputs, axis=-1))


def test_mul_spreads_sides_and_channels_of_one() -> None:
    net = graph(
        (5, 4, 3), ("pool", ops.GlobalAvgPool()), ("gate", ops.Slice(start=0, stop=1), ("input",)),
        ("mul", ops.Mul(), ("pool", "input", "gate")),
    )  # fmt: skip
    x = image(5, 4, 3)
    out = build(net, dtype=torch.float64)(torch.from_numpy(x.transpose(2, 0, 1)[None]))
    np.testing.assert_allclose(out[0].numpy().transpose(1, 2, 0), x.mean(axis=(0, 1)) * x * x[..., :1], rtol=1e-12)


def test_every_operator_has_a_formula_here() -> None:
    told = {op.kind for op, _ in [*FORMULAS, *MAPS_ONLY]}
    assert told | {"conv", "dwconv", "maxpool", "avgpool", "adaptive_avgpool", "add", "mul", "concat"} == set(OPERATORS)


WINDOWS = [
    "conv(3, 4, 2, pad = same_upper)", "conv(5, 4, 3, pad = same_upper)", "conv(2, 4, 3, pad = same_upper)",
    "dwconv(4x3, 2x3, pad = same_upper)", "conv(3, 4, 2, dilation = 2, pad = same_upper)",
    "maxpool(3, 2, pad = same_upper)", "maxpool(2, 2, pad = same_upper)",
    "avgpool(3, 2, pad = same_upper)", "avgpool(3, 2, pad = same_upper, include_pad = false)",
]  # fmt: skip


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("built", [(12, 12), (11, 13)])
def test_a_padding_that_follows_the_size_does_so_at_every_size(window: str, built: tuple[int, int]) -> None:
    """A model built for one size is the network of any other."""
    spec = archspec.parse(f"arch 1 network N(h, w) {{ input h x w x 4 body {window} }}")
    model = build(spec.elaborate(h=built[0], w=built[1]), dtype=torch.float64).eval()
    for height, width in product((10, 11, 12, 13), (9, 14)):
        graph = spec.elaborate(h=height, w=width)
        here = build(graph, dtype=torch.float64).eval()
        x = torch.randn(2, 4, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) - 3
        assert torch.equal(model(x), here(x))
        assert model(x).shape[2:] == graph.output.shape[:2]
