"""An optimised Graph gives what the Graph before gave: every layer, every backend, with statistics that show it."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import pytest
import torch
from archspec_keras import Backend as Keras
from archspec_onnx import Backend as Onnx
from archspec_torch import Backend as Torch
from archspec_torch.runtime import build
from backends.cases import CASES
from graphs import Item
from graphs import graph as graph_of

import archspec
from archspec import ops
from archspec.cli.commands import run
from archspec.graph import Graph
from archspec.optimize import Optimized, optimize
from archspec.verify import differences, random_images, random_tensors, verify
from archspec.weights import fold
from archspec.weights.match import WeightsError

EXACT = 1e-12
FOLDING = "archspec.weights.folding"


def graph(body: str, shape: str = "12 x 13 x 4", **values: Any) -> Graph:
    return archspec.parse(f"arch 1 network N {{ input {shape} body {body} }}").elaborate(**values)


def kinds(plan: Optimized) -> list[str]:
    return [node.op.kind for node in plan.graph.nodes[1:]]


def error(before: Graph) -> float:
    """How far off the optimised Graph is, in torch in float64."""
    plan, weights, images, backend = (
        optimize(before),
        dict(random_tensors(before, 0)),
        random_images(before, 0),
        Torch(),
    )
    one, two = (
        backend.run(backend.build(made, weights=given, dtype="float64"), made, images)
        for made, given in ((before, weights), (plan.graph, fold(plan, weights)))
    )
    return max(differences(one, two).values())


# ---- what stays the same ----

FINITE = [(label, made) for label, made in CASES if label != "a maximum that sees nothing"]


@pytest.mark.parametrize(("label", "made"), FINITE, ids=[label for label, _ in FINITE])
def test_every_operator_gives_the_same(label: str, made: Graph) -> None:
    assert error(made) <= EXACT


def normalized(made: Graph) -> Graph:
    """Every convolution and linear layer on the image with normalisations of all sorts behind it."""
    kinds = (ops.Conv, ops.DwConv, ops.Linear)
    layers = [node for node in made.nodes if isinstance(node.op, kinds) and node.inputs == (made.input.path,)]
    items: list[Item] = []
    for number, node in enumerate(layers):
        scale, shift = bool(number % 2), bool(number % 3)
        items.append((node.path, node.op, (made.input.path,)))
        items.append((f"{node.path}/norm", ops.BatchNorm(scale=scale, shift=shift, eps=(1e-5, 1e-3, 0.1)[number % 3])))
        items += [(f"{node.path}/scale", ops.LayerScale()), (f"{node.path}/again", ops.BatchNorm())] * (number % 2)
    names = [path for path, op, *_ in items if not any(other.startswith(f"{path}/") for other, *_ in items)]
    ends = [[path for path, *_ in items if path.startswith(f"{name}/")][-1] for name in (n.path for n in layers)]
    assert names
    return graph_of(made.input.shape, *items, outputs={"output": ends[0], **{end: end for end in ends}})


WITH_LAYERS = [(label, made) for label, made in CASES if label.startswith(("conv", "groups", "dwconv", "everywhere"))]


@pytest.mark.parametrize(("label", "made"), WITH_LAYERS, ids=[label for label, _ in WITH_LAYERS])
def test_whatever_stands_behind_a_layer_is_folded_into_it(label: str, made: Graph) -> None:
    before = normalized(made)
    assert {*kinds(optimize(before))} <= {"conv", "dwconv", "linear"}
    assert error(before) <= EXACT


ZOO = {
    "mobilenet_v2": (64, 77), "resnet18": (64, 77), "densenet121": (64, 77), "shufflenet_v2_x0_5": (64, 77),
    "efficientnet_b0": (64, 77), "googlenet": (64, 77), "convnext_tiny": (32,), "mobilenet_v3_small": (64,),
    "inception_v3_no_aux": (76, 107),
}  # fmt: skip


@pytest.mark.parametrize(("name", "side"), [(name, side) for name, sides in ZOO.items() for side in sides])
def test_a_network_gives_the_same_at_an_even_and_an_odd_size(name: str, side: int) -> None:
    assert error(archspec.load(name).elaborate((side, side))) <= 1e-9


@pytest.mark.parametrize("backend", [Torch(), Keras(), Onnx()], ids=lambda backend: backend.name)
def test_every_backend_gives_the_same(backend: Any) -> None:
    made = graph(
        "conv(3, 6, 2) -> bn -> relu6 -> (dwconv(3, multiplier = 2) -> bn(scale = false) -> conv(1, 6, groups = 3) "
        "-> layer_scale -> stochastic_depth(0.1) | id) -> add -> global_avgpool -> flatten -> linear(5) "
        "-> bn(eps = 0.1)"
    )
    verdict = verify("net", made, [Torch(), backend], optimized=True)
    assert verdict.holds, verdict


# ---- what goes, and what does not ----


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("mobilenet_v2", 0), ("resnet50", 0), ("inception_v3", 0), ("efficientnet_b0", 0), ("shufflenet_v2_x1_0", 0),
        # of a layer's two normalisations the first takes what was concatenated; so do those of transitions and the last
        ("densenet121", 6 + 12 + 24 + 16 + 3 + 1),
    ],
)  # fmt: skip
def test_only_normalisations_behind_no_layer_are_left(name: str, left: int) -> None:
    assert kinds(optimize(archspec.load(name).elaborate())).count("bn") == left


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("conv(3, 4) -> bn -> relu", ["conv", "relu"]),
        ("conv(3, 4) -> dropout(0.5) -> bn", ["conv"]),
        ("dropout(0.5) -> linear(3) -> stochastic_depth(0.1)", ["linear"]),
        ("(conv(3, 4) -> bn | id) -> add", ["conv", "add"]),
        ("(conv(3, 4) -> layer_scale | id) -> add", ["conv", "add"]),
        ("pad(0) -> relu -> upsample(2) -> slice(0, 4)", ["relu", "upsample"]),
        ("flatten -> flatten -> linear(2)", ["flatten", "linear"]),
        ("bn -> conv(3, 4)", ["bn", "conv"]),
        ("conv(3, 4) -> relu -> bn", ["conv", "relu", "bn"]),
        ("conv(3, 4) as a -> bn -> relu -> (id | @a) -> add", ["conv", "bn", "relu", "add"]),
        ("maxpool(2) -> bn", ["maxpool", "bn"]),
    ],
)
def test_what_is_left_of_a_network(body: str, left: list[str]) -> None:
    before = graph(body)
    assert kinds(optimize(before)) == left
    assert error(before) <= EXACT


def test_a_layer_whose_value_is_an_output_keeps_it() -> None:
    before = graph_of((4, 4, 3), ("conv", ops.Conv(kernel=3, channels=2)), ("bn", ops.BatchNorm()),
                      outputs={"output": "bn", "early": "conv"})  # fmt: skip
    assert kinds(optimize(before)) == ["conv", "bn"]


def test_a_node_that_no_output_needs_is_left_out() -> None:
    before = graph_of((4, 4, 3), ("a", ops.Relu()), ("b", ops.Tanh(), ("input",)), outputs={"output": "a"})
    assert kinds(optimize(before)) == ["relu"]


def test_outputs_keep_their_names_and_layers_their_paths() -> None:
    plan = optimize(graph_of((4, 4, 3), ("conv", ops.Conv(kernel=3, channels=2)), ("bn", ops.BatchNorm())))
    assert plan.graph.outputs == {"output": "conv"}
    assert plan.graph.tensors() == {"conv.weight": (2, 3, 3, 3), "conv.bias": (2,)}


def test_a_constant_of_nothing_makes_no_bias() -> None:
    plan = optimize(graph("conv(3, 4) -> layer_scale"))
    assert [*plan.graph.tensors()] == ["conv.weight"]


def test_counts_lose_the_scales_and_no_mac() -> None:
    before = archspec.load("mobilenet_v2").elaborate()
    channels = sum(node.shape[-1] for node in before.nodes if node.op.kind == "bn")
    stats = optimize(before).graph.stats()
    assert (stats.params, stats.macs, stats.buffers) == (3_504_872 - channels, 300_774_272, 0)


def test_an_optimised_graph_is_a_graph() -> None:
    made = optimize(archspec.load("googlenet").elaborate()).graph
    assert Graph.model_validate_json(made.model_dump_json()) == made
    assert made.inference


def test_nothing_is_left_to_do() -> None:
    made = optimize(archspec.load("densenet121").elaborate()).graph
    assert optimize(made).graph == made


def test_weights_keep_their_type_of_numbers() -> None:
    before = graph("conv(3, 4) -> bn")
    weights = {name: values.astype("float32") for name, values in random_tensors(before, 0)}
    assert {values.dtype.name for values in fold(optimize(before), weights).values()} == {"float32"}


# ---- what is wrong is seen ----


def patched(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any, Any, dict[str, Any]], tuple[Any, Any]]) -> None:
    """Let a normalisation be folded otherwise: by its factor, its constant and its tensors."""
    right = sys.modules[FOLDING].affine

    def wrong(node: Any, tensors: Any) -> tuple[Any, Any]:
        own = {name.rpartition(".")[2]: values for name, values in tensors.items() if name.startswith(f"{node.path}.")}
        return change(*right(node, tensors), {**own, "eps": node.op.eps})

    monkeypatch.setattr(f"{FOLDING}.affine", wrong)


MISTAKES: dict[str, Callable[[Any, Any, dict[str, Any]], tuple[Any, Any]]] = {
    "epsilon is forgotten": lambda s, t, own: (
        own["weight"] / numpy.sqrt(own["running_var"]),
        own["bias"] - own["running_mean"] * own["weight"] / numpy.sqrt(own["running_var"]),
    ),
    "the variance is taken for the deviation": lambda s, t, own: (own["weight"] / (own["running_var"] + own["eps"]), t),
    "the mean is not scaled": lambda s, t, own: (s, own["bias"] - own["running_mean"]),
    "the mean is added": lambda s, t, own: (s, own["bias"] + own["running_mean"] * s),
    "beta is forgotten": lambda s, t, own: (s, t - own["bias"]),
    "gamma is forgotten": lambda s, t, own: (s / own["weight"], t),
    "channels are turned around": lambda s, t, own: (s[::-1], t),
}


@pytest.mark.parametrize(
    ("name", "value"), [("bn.weight", 3e38), ("bn.running_var", -1.0)], ids=["too large", "no variance"]
)
def test_weights_that_would_be_no_numbers_are_an_error(name: str, value: float) -> None:
    before = graph("conv(3, 4) -> bn")
    tensors = {key: values.astype("float32") for key, values in random_tensors(before, 0)}
    tensors["conv.weight"] *= 100
    tensors[name] = numpy.full_like(tensors[name], value)
    with pytest.raises(WeightsError, match="`bn` cannot be folded into `conv`"):
        fold(optimize(before), tensors)
    tensors["conv.weight"][0] = numpy.nan  # what is no number before is none after
    assert not numpy.isfinite(fold(optimize(before), tensors)["conv.weight"]).all()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_verify_sees_a_wrong_fold(monkeypatch: pytest.MonkeyPatch, mistake: str) -> None:
    before = graph("conv(3, 4) as first -> bn -> relu -> conv(3, 5) as second -> relu", "12 x 12 x 3")
    assert verify("net", before, [Torch()], optimized=True).holds
    patched(monkeypatch, MISTAKES[mistake])
    (comparison,) = verify("net", before, [Torch()], optimized=True).comparisons
    assert not comparison.holds
    assert comparison.parting is not None
    assert comparison.parting.path == "bn"


# ---- from the command line ----


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Random weights and statistics of a small network, in the canonical form."""
    made, path = archspec.load("mobilenet_v2").elaborate((32, 32), alpha=0.35), tmp_path / "w.safetensors"
    drawn = {name: values.astype("float32") for name, values in random_tensors(made, 0)}
    Torch().save(build(made, weights=drawn), made, path)
    return path


SMALL = ["mobilenet_v2", "-p", "alpha=0.35", "--input", "32x32"]


@pytest.mark.parametrize("suffix", ["pt", "pth", "safetensors", "keras", "onnx"])
def test_build_saves_the_optimised_model(weights: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    backend = suffix if suffix in {"keras", "onnx"} else "torch"
    output = weights.with_name(f"net.{suffix}")
    assert run(["build", *SMALL, "--optimize", "--weights", str(weights), "--backend", backend, "-o", str(output)]) == 0
    assert "for inference alone" in capsys.readouterr().out
    assert output.is_file()


def test_the_source_is_that_of_the_optimised_model(weights: Path) -> None:
    source, state = weights.with_name("net.py"), weights.with_name("net.pth")
    assert run(["build", *SMALL, "--optimize", "--emit", "source", "-o", str(source)]) == 0
    assert run(["build", *SMALL, "--optimize", "--weights", str(weights), "-o", str(state)]) == 0
    module = ModuleType("net")
    exec(compile(source.read_text(encoding="utf-8"), str(source), "exec"), module.__dict__)
    model = module.MobileNetV2().eval()
    model.load_state_dict(torch.load(state, weights_only=True))
    ours = archspec.build("mobilenet_v2", weights=weights, alpha=0.35)
    assert isinstance(ours, torch.nn.Module)
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(model(x), ours.eval()(x), rtol=0, atol=1e-4)
    assert "For inference alone" in source.read_text(encoding="utf-8")


def test_a_model_for_inference_is_in_evaluation() -> None:
    model = archspec.build("densenet121", optimize=True, options={"device": "meta"})
    assert isinstance(model, torch.nn.Module)
    assert not any(module.training for module in model.modules())


def test_a_seed_is_one_network_whether_optimised_or_not() -> None:
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    options = {"seed": 5, "dtype": torch.float64}
    one, two = (
        archspec.build("mobilenet_v2", optimize=optimized, options=options, alpha=0.35).eval()(x)
        for optimized in (False, True)
    )
    assert one.std() > 0
    assert (one - two).abs().max() <= 1e-6 * one.abs().max()  # weights are drawn in float32


def test_verify_proves_it_with_one_backend(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", *SMALL, "--optimize", "--backend", "torch"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("torch, torch optimized" in line and line.endswith("equal") for line in lines)


def test_verify_takes_the_weights_of_a_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, small = str(tmp_path / "weights.safetensors"), ["mobilenet_v2_0_35", "--input", "32x32"]
    assert run(["build", small[0], "-o", path]) == 0
    assert run(["verify", *small, "--optimize", "--backend", "torch", "--weights", path]) == 0
    assert run(["verify", "alexnet", "--backend", "torch", "--backend", "onnx", "--weights", path]) == 1
    assert "these are not the weights of `AlexNet`" in capsys.readouterr().err
    assert run(["verify", "mobilenet_v2", "--weights", path]) == 2
    assert "name one: mobilenet_v2:MobileNetV2" in capsys.readouterr().err
