"""The torch backend: every operator against a formula written from its definition, and what a plain module can do."""

import copy
import io
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from archspec_torch.runtime import build, save

import archspec
from archspec.backend import BackendError, Unsupported
from archspec.graph import Graph
from archspec.initializer import KaimingNormal, Normal
from archspec.ops import AvgPool, Conv, DwConv, MaxPool, Op
from archspec.weights import WeightsError

Array = np.ndarray
ROOT = Path(__file__).parents[2]


def graph(body: str, shape: str = "7 x 9 x 4", before: str = "") -> Graph:
    return archspec.parse(f"arch 1 {before} network N {{ input {shape} body {body} }}").elaborate()


def randomized(made: torch.nn.Module) -> torch.nn.Module:
    """Every weight and statistic drawn anew, positive where it must be."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, tensor in made.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator, dtype=tensor.dtype) + 0.5)
                if not name.endswith("running_var"):
                    tensor.sub_(0.9)
    return made


def double(made: Graph) -> torch.nn.Module:
    return randomized(build(made, dtype=torch.float64)).eval()


def image(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


def padded(x: Array, pads: tuple[int, int, int, int], value: float) -> Array:
    top, bottom, left, right = pads
    return np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=value)


def windows(op: Op, x: Array, out: tuple[int, ...], value: float) -> Iterator[tuple[int, int, Array]]:
    """Every place of a window and what it sees; beyond the padding there is NaN."""
    kernel = op.kernel if isinstance(op.kernel, tuple) else (op.kernel, op.kernel)
    dilation = op.dilation if isinstance(op.dilation, tuple) else (op.dilation, op.dilation)
    pads = op.padding(x.shape[2], x.shape[3])
    room = padded(padded(x, tuple(pads), value), (0, 50, 0, 50), math.nan)
    for i in range(out[0]):
        for j in range(out[1]):
            top, left = i * op.strides[0], j * op.strides[1]
            rows = [top + a * dilation[0] for a in range(kernel[0])]
            columns = [left + b * dilation[1] for b in range(kernel[1])]
            yield i, j, room[:, :, rows][:, :, :, columns]


PADS = ["same", "same_upper", "valid", "0", "1", "2x1", "1x0x2x1"]


@pytest.mark.parametrize("pad", PADS)
@pytest.mark.parametrize("size", ["7 x 9 x 4", "8 x 6 x 4"])
@pytest.mark.parametrize(
    "call",
    [
        "conv(3, 6, 2",
        "conv(1x3, 6, groups = 2",
        "conv(4, 2, 2x1",
        "conv(3, 4, dilation = 2",
        "conv(2x5, 3, bias = true",
    ],
)
def test_a_convolution_sums_what_its_window_sees(call: str, size: str, pad: str) -> None:
    made = graph(f"{call}, pad = {pad}) as conv", size)
    op, out = made.nodes[1].op, made.nodes[1].shape
    assert isinstance(op, Conv)
    model, x = double(made), image(2, 4, made.input.shape[0], made.input.shape[1])
    weight = model.state_dict()["conv.weight"].numpy()
    expected = np.zeros((2, out[2], *out[:2]))
    per = 4 // op.groups
    for i, j, seen in windows(op, x.numpy(), out, 0.0):
        for channel in range(out[2]):
            group = channel // (out[2] // op.groups)
            part = seen[:, group * per : (group + 1) * per]
            expected[:, channel, i, j] = (part * weight[channel]).sum(axis=(1, 2, 3))
    if op.bias:
        expected += model.state_dict()["conv.bias"].numpy()[:, None, None]
    np.testing.assert_allclose(model(x).detach().numpy(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("pad", PADS)
@pytest.mark.parametrize("multiplier", [1, 3])
def test_a_depthwise_convolution_keeps_channels_apart(pad: str, multiplier: int) -> None:
    made = graph(f"dwconv(3, 2, multiplier = {multiplier}, pad = {pad}) as dw")
    op, out = made.nodes[1].op, made.nodes[1].shape
    assert isinstance(op, DwConv)
    model, x = double(made), image(2, 4, 7, 9)
    weight = model.state_dict()["dw.weight"].numpy()
    expected = np.zeros((2, out[2], *out[:2]))
    for i, j, seen in windows(op, x.numpy(), out, 0.0):
        for channel in range(out[2]):
            expected[:, channel, i, j] = (seen[:, channel // multiplier] * weight[channel, 0]).sum(axis=(1, 2))
    np.testing.assert_allclose(model(x).detach().numpy(), expected, rtol=1e-10, atol=1e-12)


POOL_PADS = ["same", "same_upper", "valid", "1", "1x0", "1x0x0x1", "2"]


@pytest.mark.parametrize("pad", POOL_PADS)
@pytest.mark.parametrize("ceil", ["true", "false"])
@pytest.mark.parametrize("size", ["7 x 9 x 2", "8 x 6 x 2", "10 x 5 x 2"])
@pytest.mark.parametrize("window", ["3, 2", "3, 3", "4, 3", "3x4, 2x1"])
def test_a_maximum_never_sees_the_padding(window: str, size: str, ceil: str, pad: str) -> None:
    made = graph(f"maxpool({window}, pad = {pad}, ceil = {ceil})", size)
    op, out = made.nodes[1].op, made.nodes[1].shape
    assert isinstance(op, MaxPool)
    x = image(2, 2, *made.input.shape[:2]) - 9
    expected = np.zeros((2, 2, *out[:2]))
    for i, j, seen in windows(op, x.numpy(), out, -math.inf):
        expected[:, :, i, j] = np.nanmax(seen, axis=(2, 3))
    np.testing.assert_array_equal(build(made, dtype=torch.float64)(x).numpy(), expected)


@pytest.mark.parametrize("pad", POOL_PADS)
@pytest.mark.parametrize("counted", ["true", "false"])
@pytest.mark.parametrize("ceil", ["true", "false"])
@pytest.mark.parametrize("size", ["7 x 9 x 2", "8 x 6 x 2", "10 x 5 x 2"])
@pytest.mark.parametrize("window", ["3, 2", "4, 3", "3x4, 2x1"])
def test_an_average_counts_what_it_says_that_it_counts(
    window: str, size: str, ceil: str, counted: str, pad: str
) -> None:
    made = graph(f"avgpool({window}, pad = {pad}, ceil = {ceil}, include_pad = {counted})", size)
    op, out = made.nodes[1].op, made.nodes[1].shape
    assert isinstance(op, AvgPool)
    x = image(2, 2, *made.input.shape[:2])
    expected = np.zeros((2, 2, *out[:2]))
    for i, j, seen in windows(op, x.numpy(), out, 0.0 if op.include_pad else math.nan):
        expected[:, :, i, j] = np.nanmean(seen, axis=(2, 3))
    np.testing.assert_allclose(build(made, dtype=torch.float64)(x).numpy(), expected, rtol=1e-12, atol=1e-13)


def test_adaptive_windows_overlap_where_the_size_is_no_divisor() -> None:
    made = graph("adaptive_avgpool(3x4)", "7 x 9 x 2")
    x = image(1, 2, 7, 9)
    expected = np.zeros((1, 2, 3, 4))
    for i in range(3):
        for j in range(4):
            rows = slice(math.floor(i * 7 / 3), math.ceil((i + 1) * 7 / 3))
            columns = slice(math.floor(j * 9 / 4), math.ceil((j + 1) * 9 / 4))
            expected[:, :, i, j] = x.numpy()[:, :, rows, columns].mean(axis=(2, 3))
    np.testing.assert_allclose(double(made)(x).numpy(), expected, rtol=1e-12)


def gelu(x: Array) -> Array:
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


FORMULAS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu": gelu,
    "gelu(tanh)": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "hardswish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "hardsigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "tanh": np.tanh,
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True),
    "leaky_relu(0.3)": lambda x: np.where(x > 0, x, 0.3 * x),
    "global_avgpool": lambda x: x.mean(axis=(2, 3), keepdims=True),
    "dropout(0.7)": lambda x: x,
    "stochastic_depth(0.7)": lambda x: x,
    "flatten": lambda x: x.reshape(2, -1),
    "pad(1x2x3x0, value = 2)": lambda x: padded(x, (1, 2, 3, 0), 2.0),
    "slice(1, 3)": lambda x: x[:, 1:3],
    "split(2) -> (tanh | id) -> concat": lambda x: np.concatenate([np.tanh(x[:, :2]), x[:, 2:]], axis=1),
    "shuffle(2)": lambda x: x[:, [0, 2, 1, 3]],
    "upsample(2x3)": lambda x: x.repeat(2, axis=2).repeat(3, axis=3),
    "(id | tanh | relu) -> add": lambda x: x + np.tanh(x) + np.maximum(x, 0),
    "(id | global_avgpool) -> mul": lambda x: x * x.mean(axis=(2, 3), keepdims=True),
    "(tanh | id) -> concat": lambda x: np.concatenate([np.tanh(x), x], axis=1),
    "lrn(3, alpha = 0.5, beta = 0.6, k = 1.5)": lambda x: x / (1.5 + 0.5 * neighbours(x**2)) ** 0.6,
    "relu if false else tanh": np.tanh,
    "tanh as a -> relu -> (id | @a) -> add": lambda x: np.maximum(np.tanh(x), 0) + np.tanh(x),
}


def neighbours(x: Array) -> Array:
    wide = np.pad(x, ((0, 0), (1, 1), (0, 0), (0, 0)))
    return wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]


@pytest.mark.parametrize("body", FORMULAS)
def test_what_has_no_weights_computes_its_formula(body: str) -> None:
    x = 4 * image(2, 4, 7, 9)
    np.testing.assert_allclose(double(graph(body))(x).numpy(), FORMULAS[body](x.numpy()), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shape", ["7 x 9 x 4", "4"])
@pytest.mark.parametrize(
    "body", ["bn(eps = 0.01)", "bn(scale = false)", "bn(shift = false)", "bn(scale = false, shift = false)"]
)
def test_a_batch_norm_uses_its_running_statistics(body: str, shape: str) -> None:
    made = graph(f"{body} as bn", shape)
    model = double(made)
    x = image(2, 4) if shape == "4" else image(2, 4, 7, 9)
    state = {name: value.numpy() for name, value in model.state_dict().items()}
    sides = (...,) if shape == "4" else (..., None, None)
    eps = made.nodes[1].op.eps
    expected = (x.numpy() - state["bn.running_mean"][sides]) / np.sqrt(state["bn.running_var"][sides] + eps)
    expected = expected * state.get("bn.weight", np.ones(4))[sides] + state.get("bn.bias", np.zeros(4))[sides]
    np.testing.assert_allclose(model(x).detach().numpy(), expected, rtol=1e-10)
    assert set(state) - {"bn.num_batches_tracked"} == {
        f"bn.{name}" for name in (*made.nodes[1].op.weights((4,)), "running_mean", "running_var")
    }


@pytest.mark.parametrize("flags", ["", ", scale = false", ", shift = false"])
@pytest.mark.parametrize(("body", "axes"), [("layernorm(eps = 0.1{})", (2,)), ("groupnorm(2, eps = 0.1{})", (2, 3, 4))])
def test_layer_and_group_norms_use_the_statistics_of_the_image(body: str, axes: tuple[int, ...], flags: str) -> None:
    model = double(graph(f"{body.format(flags)} as norm"))
    x = image(2, 4, 7, 9)
    groups = x.numpy().reshape(2, 2 if len(axes) == 3 else 1, -1, 7, 9)
    centred = groups - groups.mean(axis=axes, keepdims=True)
    normal = (centred / np.sqrt(groups.var(axis=axes, keepdims=True) + 0.1)).reshape(2, 4, 7, 9)
    state = model.state_dict()
    scale = state["norm.weight"].numpy() if "norm.weight" in state else np.ones(4)
    shift = state["norm.bias"].numpy() if "norm.bias" in state else np.zeros(4)
    expected = normal * scale[:, None, None] + shift[:, None, None]
    np.testing.assert_allclose(model(x).detach().numpy(), expected, rtol=1e-9, atol=1e-12)


def test_a_linear_layer_takes_vectors_and_every_pixel_of_a_map() -> None:
    model, x = double(graph("linear(5) as fc")), image(2, 4, 7, 9)
    weight, bias = model.state_dict()["fc.weight"].numpy(), model.state_dict()["fc.bias"].numpy()
    expected = np.einsum("nchw,oc->nohw", x.numpy(), weight) + bias[:, None, None]
    np.testing.assert_allclose(model(x).detach().numpy(), expected, rtol=1e-10)
    vector, y = double(graph("linear(5) as fc", "4")), image(2, 4)
    weight, bias = vector.state_dict()["fc.weight"].numpy(), vector.state_dict()["fc.bias"].numpy()
    np.testing.assert_allclose(vector(y).detach().numpy(), y.numpy() @ weight.T + bias, rtol=1e-10)


@pytest.mark.parametrize("body", ["layer_scale(0.5)", "prelu(0.1)", "prelu(0.1, shared = true)"])
@pytest.mark.parametrize("shape", ["7 x 9 x 4", "4"])
def test_weights_of_single_channels_begin_where_they_are_told(body: str, shape: str) -> None:
    model = build(graph(f"{body} as w", shape), dtype=torch.float64)
    x = image(2, 4) if shape == "4" else image(2, 4, 7, 9)
    first = 0.5 if body.startswith("layer") else 0.1
    assert torch.all((model.state_dict()["w.weight"] - first).abs() < 1e-12)
    expected = 0.5 * x if body.startswith("layer") else torch.where(x > 0, x, 0.1 * x)
    torch.testing.assert_close(model(x).detach(), expected)


def test_bilinear_upsampling_has_pixel_centres_at_half_positions() -> None:
    model, x = (
        double(graph("upsample(2, mode = bilinear)", "1 x 2 x 1")),
        torch.tensor([[[[0.0, 4.0]]]], dtype=torch.float64),
    )
    assert model(x)[0, 0, 0].tolist() == [0.0, 1.0, 3.0, 4.0]


@pytest.mark.parametrize("shape", ["7 x 9 x 4", "4"])
def test_stochastic_depth_drops_whole_images_and_scales_the_others(shape: str) -> None:
    model = build(graph("stochastic_depth(0.25)", shape)).train()
    torch.manual_seed(0)
    x = torch.ones(4000, 4) if shape == "4" else torch.ones(4000, 4, 7, 9)
    kept = model(x).flatten(1)
    assert {round(v, 5) for v in kept.unique().tolist()} == {0.0, round(1 / 0.75, 5)}
    assert torch.equal(kept.min(1).values, kept.max(1).values)
    assert abs(float((kept[:, 0] > 0).float().mean()) - 0.75) < 0.03


# ---- the module as torch's users know modules ----


@pytest.fixture(scope="module")
def small() -> Graph:
    return archspec.load("mobilenet_v2").elaborate(alpha=0.35, k=7)


FORKS = """arch 1
block unit(c) = split(2) -> (id | conv(1, c) -> bn -> relu) -> concat -> shuffle(2)
block se(c) = ( global_avgpool -> conv(1, c, bias = true) -> sigmoid | id ) -> mul
network Forks { input 16 x 16 x 3
  body conv(3, 8, 2) as skip -> unit(4) * 3 -> se(8) -> (maxpool(2) -> upsample(2) | @skip) -> concat
       -> global_avgpool -> flatten -> linear(5)
  output aux = (@skip -> global_avgpool -> flatten -> linear(2)) if true }
"""


def test_state_dict_keys_are_the_paths_of_the_graph(small: Graph) -> None:
    keys = {
        f"{node.path.replace('/', '.')}.{name}"
        for node in small.nodes[1:]
        for tensors in (node.op.weights(*small.input_shapes(node)), node.op.buffers(*small.input_shapes(node)))
        for name in tensors
    }
    state = build(small).state_dict()
    assert {key for key in state if not key.endswith("num_batches_tracked")} == keys
    assert "row_3.bottleneck_2.dwconv.weight" in keys


def test_the_modules_parameters_are_those_that_were_counted(small: Graph) -> None:
    assert sum(p.numel() for p in build(small).parameters()) == small.stats().params


def test_every_scope_can_be_called_alone(small: Graph) -> None:
    model = build(small).eval()
    assert model.get_submodule("row_3.bottleneck_2")(torch.zeros(1, 8, 20, 20)).shape == (1, 8, 20, 20)


def test_no_module_overwrites_what_it_is_given() -> None:
    made = graph(
        "conv(3, 4) -> tail", before="block tail = relu -> (conv(1, 4) -> again | id) -> add block again = relu6"
    )
    model, given = build(made), {}

    def unchanged(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], _: object) -> None:
        for now, before in zip(inputs, given[module], strict=True):
            assert torch.equal(now, before)

    scopes = [module for module in model.modules() if any(module.children())]
    for module in scopes:
        module.register_forward_pre_hook(lambda module, inputs: given.update({module: [x.clone() for x in inputs]}))
        module.register_forward_hook(unchanged)
    model(image(2, 4, 7, 9).float())
    assert len(given) == len(scopes) == 3


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet18", "densenet121", "efficientnet_b0", "mobilenet_v3_small"])
def test_values_that_are_overwritten_change_no_gradient(name: str) -> None:
    """Against the source that we write, which overwrites nothing."""
    ours = archspec.build(name, options={"dtype": torch.float64})
    namespace: dict[str, type[torch.nn.Module]] = {}
    exec(archspec.driver.source(name), namespace)
    theirs = next(made for made in reversed(namespace.values()) if isinstance(made, type))().double()
    theirs.load_state_dict(ours.state_dict())
    assert any(getattr(module, "inplace", False) for module in ours.modules())
    for model in (ours, theirs):
        for module in model.modules():
            module.train(not isinstance(module, (torch.nn.Dropout, torch.nn.Dropout3d)))
        model(image(4, 3, 32, 32)).square().sum().backward()
    for (key, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert (a.grad - b.grad).abs().max() <= 1e-9 * b.grad.abs().max(), key


def test_the_code_of_every_scope_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[torch.fx.GraphModule] = []
    recompile = torch.fx.GraphModule.recompile
    monkeypatch.setattr(torch.fx.GraphModule, "recompile", lambda self: (compiled.append(self), recompile(self))[1])
    # blocks with a shortcut, in each of them a squeeze and excitation with another
    made = archspec.build("efficientnet_b0", options={"device": "meta"})
    scopes = [module for module in made.modules() if isinstance(module, torch.fx.GraphModule)]
    assert len(compiled) == len(scopes) > 20


def test_no_class_of_ours_is_in_the_module(small: Graph) -> None:
    for made in (build(small), build(archspec.parse(FORKS).elaborate())):
        assert all(
            type(m).__module__.startswith("torch.") for m in made.modules() if not isinstance(m, torch.fx.GraphModule)
        )


def test_a_saved_module_loads_where_there_is_no_archspec(tmp_path: Path) -> None:
    made = archspec.parse(FORKS).elaborate()
    model, x = build(made).eval(), torch.randn(2, 3, 16, 16)
    save(model, made, tmp_path / "net.pt")
    torch.save((x, model(x)), tmp_path / "data.pt")
    script = (
        "import sys; sys.modules['archspec'] = sys.modules['archspec_torch'] = None\n"
        # sums are rounded by how many threads share them
        f"import torch; torch.set_num_threads({torch.get_num_threads()})\n"
        "model = torch.load('net.pt', weights_only=False)\n"
        "x, expected = torch.load('data.pt')\n"
        "assert all(torch.equal(a, b) for a, b in zip(model(x), expected))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_a_window_padded_for_any_size_loads_and_is_exported_for_any_size(kernel: int) -> None:
    """Also one that is narrower than its stride, whose padding is computed as a maximum."""
    made = graph(f"conv({kernel}, 3, 2, pad = same_upper)", "7 x 8 x 3")
    model, x = build(made).eval(), torch.randn(2, 3, 20, 31)
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    height, width = (torch.export.Dim(name, min=5, max=100) for name in ("height", "width"))
    others = [
        torch.load(buffer, weights_only=False),
        torch.fx.symbolic_trace(model),
        torch.export.export(model, (torch.randn(2, 3, 17, 18),), dynamic_shapes=({2: height, 3: width},)).module(),
    ]
    assert model(x).shape == (2, 3, 10, 16)
    for other in others:
        torch.testing.assert_close(other(x), model(x), rtol=0, atol=0)


@pytest.mark.parametrize("source", ["small", "forks"])
def test_copies_traces_exports_and_layouts_compute_the_same(source: str, small: Graph, tmp_path: Path) -> None:
    made = small if source == "small" else archspec.parse(FORKS).elaborate()
    model, x = build(made).eval(), torch.randn(2, 3, *made.input.shape[:2])
    expected = model(x)
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    others = [
        copy.deepcopy(model),
        torch.load(buffer, weights_only=False),
        torch.jit.trace(model, x),
        torch.export.export(model, (x,)).module(),
    ]
    for other in others:
        torch.testing.assert_close(other(x), expected, rtol=0, atol=0)
    last = copy.deepcopy(model).to(memory_format=torch.channels_last)
    torch.testing.assert_close(last(x.to(memory_format=torch.channels_last)), expected, rtol=1e-4, atol=1e-5)
    save(model, made, tmp_path / "net.pt2")
    torch.testing.assert_close(torch.export.load(tmp_path / "net.pt2").module()(x), expected, rtol=0, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["small", "forks"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_the_module_compiles_as_one_graph(source: str, small: Graph) -> None:
    made = small if source == "small" else archspec.parse(FORKS).elaborate()
    model, x = build(made).eval(), torch.randn(2, 3, *made.input.shape[:2])
    compiled = torch.compile(model, fullgraph=True)
    torch.testing.assert_close(compiled(x), model(x), rtol=1e-4, atol=1e-5)


def test_the_module_runs_under_bf16_autocast(small: Graph) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = build(small)(torch.randn(2, 3, 64, 64))
    assert out.dtype is torch.bfloat16
    assert bool(out.isfinite().all())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
def test_the_module_trains_in_ddp_over_gloo(small: Graph, tmp_path: Path) -> None:
    import torch.distributed as dist

    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        model = torch.nn.parallel.DistributedDataParallel(build(small))
        model(torch.randn(2, 3, 64, 64)).sum().backward()
        assert all(p.grad is not None for p in model.parameters())
    finally:
        dist.destroy_process_group()


def test_a_step_of_training_moves_every_weight(small: Graph) -> None:
    model = build(small).train()
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    torch.nn.functional.cross_entropy(model(torch.randn(4, 3, 64, 64)), torch.arange(4)).backward()
    optimizer.step()
    assert all(not torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_weights_follow_the_seed_and_leave_torchs_own_generator_alone(small: Graph) -> None:
    torch.manual_seed(11)
    state = torch.get_rng_state()
    one, same, other = build(small, seed=1), build(small, seed=1), build(small, seed=2)
    assert torch.equal(torch.get_rng_state(), state)
    key = "row_9.cbr_1.conv.weight"
    assert torch.equal(one.state_dict()[key], same.state_dict()[key])
    assert not torch.equal(one.state_dict()[key], other.state_dict()[key])


@pytest.mark.parametrize(
    ("init", "std"),
    [
        ("kaiming_normal(fan_out)", math.sqrt(2 / (128 * 9))),
        ("kaiming_uniform(fan_in, gain = 1)", math.sqrt(1 / (64 * 9))),
        ("xavier_normal", math.sqrt(2 / (192 * 9))),
        ("xavier_uniform", math.sqrt(2 / (192 * 9))),
        ("normal(0.03)", 0.03),
        ("uniform(0.3)", 0.3 / math.sqrt(3)),
        ("truncated_normal(0.1)", 0.08796),
    ],
)
def test_weights_begin_with_the_spread_that_the_spec_states(init: str, std: float) -> None:
    made = archspec.parse(f"arch 1 network N {{ input 4 x 4 x 64 body conv(3, 128) init conv = {init} }}").elaborate()
    weight = build(made).state_dict()["conv.weight"]
    assert float(weight.std()) == pytest.approx(std, rel=0.02)
    assert abs(float(weight.mean())) < std / 50


def test_further_outputs_follow_the_networks_own() -> None:
    out, aux = build(archspec.parse(FORKS).elaborate())(torch.randn(2, 3, 16, 16))
    assert (out.shape, aux.shape) == ((2, 5), (2, 2))


@pytest.mark.parametrize(
    "name",
    [
        "train",
        "forward",
        "type",
        "class_",
        "lambda",
        "half",
        "T_destination",
        "children",
        "meta",
        "shape_env",
        "torch",
        "x1",
    ],
)
def test_blocks_may_have_names_that_mean_something_to_torch(name: str) -> None:
    made = graph(f"{name}(4) -> {name}(4) as eval", before=f"block {name}(c) = (conv(1, c) | id) -> add")
    model = build(made).eval()
    assert model(torch.ones(1, 4, 7, 9)).shape == (1, 4, 7, 9)
    assert copy.deepcopy(model).state_dict().keys() == model.state_dict().keys()


def test_an_operator_that_torch_cannot_build_builds_nothing(small: Graph) -> None:
    class Odd(Op):
        kind: str = "odd"

    node = small.nodes[3].model_copy(update={"op": Odd()})
    broken = small.model_copy(update={"nodes": (*small.nodes[:3], node, *small.nodes[4:])})
    with pytest.raises(Unsupported, match=r"cannot build `odd` \(at row_1/cbr_1/relu6\)"):
        build(broken)


def test_a_graph_on_the_meta_device_has_shapes_and_no_values(small: Graph) -> None:
    model = build(small, device="meta")
    assert all(p.is_meta for p in model.parameters())


def test_a_chain_of_6_000_nodes_is_built() -> None:
    made = archspec.parse("arch 1 network N { input 2 x 2 x 2 body (conv(1, 2) -> relu) * 3000 }").elaborate()
    assert len(list(build(made, device="meta").parameters())) == 3_000


def test_nothing_is_left_where_saving_fails(small: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="No space left"):
        save(build(small, device="meta"), small, tmp_path / "net.pth")
    assert list(tmp_path.iterdir()) == []


# ---- graphs that no spec gives, but JSON may ----


def renamed(made: Graph, paths: dict[str, str]) -> Graph:
    """The same network with other paths."""
    nodes = tuple(
        node.model_copy(
            update={"path": paths.get(node.path, node.path), "inputs": tuple(paths.get(p, p) for p in node.inputs)}
        )
        for node in made.nodes
    )
    outputs = {name: paths.get(path, path) for name, path in made.outputs.items()}
    return Graph(name=made.name, nodes=nodes, outputs=outputs)


def test_the_networks_own_output_comes_first_and_every_name_has_one() -> None:
    made = graph("relu as a -> global_avgpool as b").model_copy(
        update={"outputs": {"aux": "a", "output": "b", "again": "b"}}
    )
    for mode in (True, False):
        assert [tuple(out.shape[2:]) for out in build(made).train(mode)(torch.zeros(1, 4, 7, 9))] == [
            (1, 1), (7, 9), (1, 1)
        ]  # fmt: skip


def test_a_scope_whose_values_nobody_uses_is_built_all_the_same() -> None:
    made = renamed(graph("conv(1, 4) as a -> conv(1, 2) as b"), {"b": "dead/b"})
    model = build(made.model_copy(update={"outputs": {"output": "a"}}))
    assert model(torch.zeros(1, 4, 7, 9)).shape == (1, 4, 7, 9)
    assert "dead.b.weight" in model.state_dict()


def test_the_input_may_stand_in_a_scope() -> None:
    made = renamed(graph("tanh as a -> relu as b"), {"input": "s/input", "a": "s/a"})
    x = torch.randn(1, 4, 7, 9)
    assert torch.equal(build(made)(x), x.tanh().relu())


def test_a_scope_is_called_after_a_later_one_that_it_needs() -> None:
    made = renamed(graph("(relu as p | tanh as q) -> add as r"), {"p": "a/p", "q": "b/q", "r": "a/r"})
    x = torch.randn(1, 4, 7, 9)
    assert torch.equal(build(made)(x), x.relu() + x.tanh())


def test_scopes_that_need_each_other_are_refused() -> None:
    made = renamed(graph("relu as p -> tanh as q -> relu as r"), {"p": "a/p", "q": "b/q", "r": "a/r"})
    with pytest.raises(BackendError, match="take each other's values"):
        build(made)


def test_a_spread_of_zero_gives_zeros() -> None:
    made = archspec.parse("arch 1 network N { input 4 x 4 x 2 body conv(3, 2) init conv = truncated_normal(0.0) }")
    assert not build(made.elaborate()).state_dict()["conv.weight"].any()


def test_a_weight_without_fans_takes_a_distribution_that_needs_none() -> None:
    made = graph("bn as bn")
    build(made.model_copy(update={"init": {"bn": Normal(std=0.1)}}))
    with pytest.raises(WeightsError, match="has no fan"):
        build(made.model_copy(update={"init": {"bn": KaimingNormal()}}))


# ---- files ----

SUFFIXES = [".pth", ".pt", ".safetensors", ".pt2"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_seed_gives_the_same_bytes_whatever_the_file_is_called(suffix: str, tmp_path: Path) -> None:
    made = graph("(conv(3, 4) -> bn | id) -> add")
    for name in ("one", "other"):
        save(build(made), made, tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"other{suffix}").read_bytes()


def test_a_full_disk_is_an_os_error_and_leaves_nothing(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys, archspec\n"
        "from pathlib import Path; from archspec_torch.runtime import build, save\n"
        "made = archspec.parse('arch 1 network N { input 8 x 8 x 4 body conv(3, 64) -> conv(3, 64) }').elaborate()\n"
        "model = build(made); signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "for path in sys.argv[1:]:\n"
        "    try: save(model, made, Path(path))\n"
        "    except OSError: print('OSError')\n"
    )
    command = [sys.executable, "-c", script, *(str(tmp_path / f"net{suffix}") for suffix in SUFFIXES)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "backends")))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split(), list(tmp_path.iterdir())) == (0, ["OSError"] * len(SUFFIXES), [])


def test_exporting_leaves_every_module_in_its_own_mode(tmp_path: Path) -> None:
    made = graph("conv(1, 4) -> bn as bn -> relu")
    model = build(made).train()
    model.get_submodule("bn").eval()
    save(model, made, tmp_path / "net.pt2")
    assert [module.training for module in model.children()] == [True, False, True]


def test_an_exported_program_takes_any_batch(tmp_path: Path) -> None:
    made = graph("(conv(3, 4, 2) -> bn | avgpool(3, 2, pad = same_upper, include_pad = false)) -> add -> layernorm")
    model = build(made).eval()
    save(model, made, tmp_path / "net.pt2")
    x = torch.randn(5, 4, 7, 9)
    torch.testing.assert_close(torch.export.load(tmp_path / "net.pt2").module()(x), model(x))


def test_a_network_without_weights_can_be_exported(tmp_path: Path) -> None:
    save(build(graph("relu")), graph("relu"), tmp_path / "net.pt2")
    assert (tmp_path / "net.pt2").stat().st_size > 0
