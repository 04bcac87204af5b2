"""Outputs of training alone, in every backend: what gives them, what computes nothing of them, what leaves them out."""

import copy
import io
import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
import torch
from archspec_torch.runtime import build, save
from torch import fx, nn

import archspec
from archspec import backend, driver, ops
from archspec.backend import BackendError, Builds
from archspec.cli.commands import run
from archspec.emit import WritesSource
from archspec.graph import Graph
from archspec.optimize import optimize
from archspec.verify import random_images, random_tensors, verify

BODY = """
  input 16 x 16 x 3
  body conv(3, 8, 2) as early -> bn -> relu -> conv(3, 8) as late -> relu -> global_avgpool -> flatten -> linear(5)
"""
HEADS = """
  output first  = @early -> bn -> relu -> dropout(0.5) -> flatten -> linear(5) in training
  output second = (@early | @late) -> add -> flatten -> linear(5) in training
  output tap    = @late in training
"""
PLAIN = "output plain = @early -> global_avgpool -> flatten\n"


def graph(*clauses: str) -> Graph:
    return archspec.parse(f"arch 1 network Heads {{ {' '.join((BODY, *clauses))} }}").elaborate()


def shared() -> Graph:
    """Two outputs of training that one scope gives, and that share a step: no text says so."""
    made = graph("output one = @early -> relu -> tanh in training").model_dump()
    made["outputs"]["two"], made["training"] = "one/relu", ("one", "two")
    return Graph.model_validate(made)


def from_the_image() -> Graph:
    """A head on the image, and one on another head."""
    made = graph("output one = @late -> relu in training", "output two = @late -> tanh in training").model_dump()
    for node in made["nodes"]:
        if node["path"] == "two/tanh":
            node["inputs"] = ("one/relu",)
    made["outputs"]["image"], made["training"] = "input", ("one", "two", "image")
    return Graph.model_validate(made)


GRAPHS = {"heads": graph(HEADS), "plain": graph(PLAIN, HEADS), "tap": graph("output t = @late in training"),
          "shared": shared(), "image": from_the_image()}  # fmt: skip
IMAGES = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def tensors(found: Any) -> tuple[torch.Tensor, ...]:
    return found if isinstance(found, tuple) else (found,)


def given(model: nn.Module, training: bool) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(1)
    return tensors(model.train(training)(IMAGES))


def same(one: tuple[torch.Tensor, ...], other: tuple[torch.Tensor, ...]) -> bool:
    return len(one) == len(other) and all(itertools.starmap(torch.equal, zip(one, other, strict=True)))


# ---- torch ----


def test_in_evaluation_the_output_is_a_tensor_and_in_training_a_tuple_begins_with_it() -> None:
    model = build(GRAPHS["heads"])
    assert type(model.eval()(IMAGES)) is torch.Tensor
    assert [tuple(value.shape) for value in model.train()(IMAGES)] == [(3, 5), (3, 5), (3, 5), (3, 8, 8, 8)]


def test_outputs_of_training_come_after_all_others() -> None:
    made = graph("output first = @early in training", PLAIN)
    assert list(made.given) == ["output", "plain", "first"]
    assert [value.dim() for value in build(made).train()(IMAGES)] == [2, 2, 4]
    assert [value.dim() for value in build(made).eval()(IMAGES)] == [2, 2]


@pytest.mark.parametrize("name", GRAPHS)
def test_both_modes_give_the_bits_of_the_network_that_always_gives_all(name: str) -> None:
    made = GRAPHS[name]
    model, always = build(made), build(made.with_all_outputs())
    assert list(model.state_dict()) == list(always.state_dict())
    few = len(made.outputs) - len(made.training)
    assert same(given(model, True), given(always, True))
    assert same(given(model, False), given(always, False)[:few])


def test_in_evaluation_no_module_of_a_head_is_called_and_no_statistic_of_one_changes() -> None:
    model = build(GRAPHS["heads"])
    called: list[nn.Module] = []
    heads = [*model.get_submodule("first").modules(), *model.get_submodule("second").modules()]
    for module in heads:
        module.register_forward_hook(lambda module, *_: called.append(module))
    before = copy.deepcopy(model.state_dict())
    model.eval()(IMAGES)
    assert not called
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    model.train()(IMAGES)
    assert set(called) == set(heads)


def loaded(model: nn.Module) -> nn.Module:
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    found = torch.load(buffer, weights_only=False)
    assert isinstance(found, nn.Module)
    return found


COPIES: dict[str, Callable[[nn.Module], nn.Module]] = {
    "deepcopy": copy.deepcopy,
    "load": loaded,
    "load twice": lambda model: loaded(loaded(model)),
    "symbolic_trace": fx.symbolic_trace,
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("name", GRAPHS)
def test_a_copy_has_both_modes(name: str, way: str) -> None:
    model = build(GRAPHS[name])
    other = COPIES[way](model)
    for training in (False, True, False):
        assert same(given(other, training), given(model, training))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_traces_and_exports_give_what_the_mode_gives(name: str, training: bool) -> None:
    # what dropout draws is another thing in a program
    made = graph(HEADS.replace("-> dropout(0.5)", "")) if name in {"heads", "plain"} else GRAPHS[name]
    model = build(made).train(training)
    expected = given(copy.deepcopy(model), training)
    programs = [
        torch.jit.trace(copy.deepcopy(model), IMAGES, check_trace=False),
        *(torch.export.export(copy.deepcopy(model), (IMAGES,), strict=strict).module() for strict in (False, True)),
    ]
    for program in programs:
        for one, other in zip(tensors(program(IMAGES)), expected, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_it_compiles_as_one_graph_in_each_mode() -> None:
    model = build(GRAPHS["tap"])
    compiled = torch.compile(model, fullgraph=True)
    for training in (True, False):
        model.train(training)
        found, expected = tensors(compiled(IMAGES)), tensors(model(IMAGES))
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_gradients_reach_the_heads() -> None:
    model = build(GRAPHS["heads"]).train()
    sum(value.sum() for value in model(IMAGES)).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_saved_module_has_both_modes_where_there_is_no_archspec(tmp_path: Path) -> None:
    made = GRAPHS["plain"]
    save(build(made), made, tmp_path / "net.pt")
    script = (
        "import sys; sys.modules['archspec'] = sys.modules['archspec_torch'] = None\n"
        "import torch\n"
        "model = torch.load('net.pt', weights_only=False)\n"
        "print(len(model.train()(torch.ones(2, 3, 16, 16))), len(model.eval()(torch.ones(2, 3, 16, 16))))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "5 2\n", "")


def test_no_class_of_ours_is_in_the_module() -> None:
    for made in GRAPHS.values():
        modules = [module for module in build(made).modules() if not isinstance(module, fx.GraphModule)]
        assert all(type(module).__module__.startswith("torch.") for module in modules)


# ---- what is saved ----


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("heads.arch").write_text(f"arch 1 network Heads {{ {BODY} {HEADS} }}")
    return "heads.arch"


def counts(*options: str) -> dict[str, int]:
    """How many outputs the saved models give."""
    for name, of in {"net.pt2": "torch", "net.onnx": "onnx", "net.keras": "keras"}.items():
        assert run(["build", "heads.arch", "--backend", of, "-o", name, *options]) == 0
    program = torch.export.load("net.pt2").module()
    return {
        "pt2": len(tensors(program(IMAGES))),
        "onnx": len(onnx.load("net.onnx").graph.output),
        "keras": len(keras.saving.load_model("net.keras").outputs),
    }


def test_saved_models_have_one_output_unless_all_are_asked_for(spec: str) -> None:
    assert counts() == {"pt2": 1, "onnx": 1, "keras": 1}
    assert counts("--aux") == {"pt2": 4, "onnx": 4, "keras": 4}


@pytest.mark.filterwarnings("ignore:No complete tensor found:UserWarning")  # torch's, of weights in channels_last
def test_models_for_inference_have_no_heads_unless_asked_for(spec: str) -> None:
    assert counts("--optimize") == {"pt2": 1, "onnx": 1, "keras": 1}
    assert counts("--optimize", "--aux") == {"pt2": 4, "onnx": 4, "keras": 4}


def test_keras_and_onnx_models_hold_nothing_of_the_heads() -> None:
    made = GRAPHS["heads"]
    heads = {name for name in made.tensors() if name.startswith(("first/", "second/"))}
    assert heads
    model = backend.get("keras", Builds).build(made)
    assert not [layer.name for layer in model.layers if layer.name.startswith(("first-", "second-"))]  # type: ignore[attr-defined]
    file = backend.get("onnx", Builds).build(made)
    assert {tensor.name for tensor in file.graph.initializer} == made.tensors().keys() - heads  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["torch", "keras", "onnx"])
def test_the_option_aux_of_every_backend(spec: str, name: str) -> None:
    images = random_images(graph(HEADS), 0).astype("float32")
    chosen, always = backend.get(name, Builds), graph(HEADS).with_all_outputs()
    model = archspec.build(spec, backend=name, options={"aux": True})
    assert list(chosen.run(model, always, images)) == ["output", "first", "second", "tap"]


def test_weights_of_the_whole_network_are_those_of_a_model_without_heads(spec: str) -> None:
    """One canonical file for the models of every backend, whichever backend wrote it."""
    made = driver.load(spec).elaborate()
    images = random_images(made, 0).astype("float32")
    found = []
    for of in ("torch", "keras"):
        assert run(["build", spec, "--backend", of, "--seed", "7", "-o", "weights.safetensors"]) == 0
        for name in ("torch", "keras", "onnx"):
            model = archspec.build(spec, backend=name, weights="weights.safetensors")
            outputs = backend.get(name, Builds).run(model, made, images)
            assert list(outputs) == ["output"]
            found.append(outputs["output"])
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-4, atol=1e-5)


def test_weights_go_to_keras_and_back_whole(spec: str) -> None:
    assert run(["build", spec, "-o", "w.safetensors"]) == 0
    assert run(["weights", "export", "--to", "keras", "w.safetensors", spec, "-o", "w.keras"]) == 0
    assert run(["weights", "import", "--from", "keras", "w.keras", spec, "-o", "again.safetensors"]) == 0
    assert Path("again.safetensors").read_bytes() == Path("w.safetensors").read_bytes()


def test_a_keras_model_without_heads_has_no_weights_for_the_whole_network(tmp_path: Path) -> None:
    made, chosen = GRAPHS["heads"], backend.get("keras", Builds)
    with pytest.raises(BackendError, match="training alone needs"):
        chosen.save(chosen.build(made), made, tmp_path / "w.safetensors")
    assert not list(tmp_path.iterdir())


# ---- source ----


def namespace(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(compile(text, "source.py", "exec"), found)
    return found


@pytest.mark.parametrize("name", GRAPHS)
def test_the_source_for_torch_gives_the_bits_of_the_model_in_both_modes(name: str) -> None:
    made = GRAPHS[name]
    model = build(made)
    other = namespace(backend.get("torch", WritesSource).source(made))["Heads"]()
    other.load_state_dict(model.state_dict())
    for training in (False, True, False):
        assert same(given(other, training), given(model, training))


def test_the_source_for_torch_ends_before_the_heads_in_evaluation() -> None:
    text = backend.get("torch", WritesSource).source(GRAPHS["heads"])
    assert "-> Tensor | tuple[Tensor, Tensor, Tensor, Tensor]:" in text
    before, after = text.split("        if not self.training:\n            return ")
    assert "self.first(" not in before.partition("def forward")[2]
    assert "self.first(" in after


def test_the_source_for_keras_has_the_output_alone_unless_all_are_asked_for(spec: str) -> None:
    for options, count in ((), 1), (("--aux",), 4):
        assert run(["build", spec, "--backend", "keras", "--emit", "source", "-o", "net.py", *options]) == 0
        model = namespace(Path("net.py").read_text(encoding="utf-8"))["Heads"]()
        built = archspec.build(spec, backend="keras", options={"aux": bool(options)})
        assert len(model.outputs) == count
        assert [layer.name for layer in model.layers] == [layer.name for layer in built.layers]  # type: ignore[attr-defined]


# ---- what is counted and compared ----


def test_an_optimised_graph_is_without_heads_and_its_weights_come_from_all() -> None:
    made = GRAPHS["plain"]
    plan = optimize(made)
    assert (plan.graph.outputs.keys(), plan.graph.training) == ({"output", "plain"}, ())
    assert not [node.path for node in plan.graph.nodes if node.path.startswith(("first/", "second/"))]
    assert plan.before is made


def test_verify_sees_a_difference_in_a_head() -> None:
    class Other(type(backend.get("torch", Builds))):  # type: ignore[misc]
        name = "other"

        def build(self, graph: Graph, *, weights: Any = None, **options: Any) -> Any:
            changed = {name: values + name.startswith("second/linear") for name, values in weights.items()}
            return super().build(graph, weights=changed, **options)

    verdict = verify("Heads", GRAPHS["heads"], [backend.get("torch", Builds), Other()])
    (comparison,) = verdict.comparisons
    assert not comparison.holds
    assert comparison.parting is not None
    assert comparison.parting.path == "second/linear"


def test_every_backend_agrees_on_the_heads() -> None:
    verdict = verify("Heads", GRAPHS["plain"], [backend.get(name, Builds) for name in ("keras", "torch", "onnx")])
    assert verdict.holds, verdict


def test_evaluation_computes_what_the_network_without_heads_does() -> None:
    plain, made = graph(), graph(HEADS)
    assert made.in_evaluation().nodes == plain.nodes
    assert made.in_evaluation().outputs == plain.outputs
    weights = dict(random_tensors(made, 0))
    images = random_images(made, 0)
    torch_ = backend.get("torch", Builds)
    own = torch_.run(torch_.build(made, weights=weights, dtype="float64"), made, images)
    few = {name: weights[name] for name in plain.tensors()}
    other = torch_.run(torch_.build(plain, weights=few, dtype="float64"), plain, images)
    np.testing.assert_array_equal(own["output"], other["output"])


# ---- Graphs from elsewhere ----


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training": ("nobody",)}, "nobody cannot be an output of training alone"),
        ({"training": ("output",)}, "output cannot be an output of training alone"),
        ({"outputs": {"output": "linear", "plain": "late"}, "training": ("plain",)}, None),
        ({"outputs": {"output": "late", "plain": "linear"}, "training": ("plain",)}, "different scopes"),
    ],
)
def test_a_graph_says_of_its_own_outputs_which_are_of_training(change: dict[str, Any], message: str | None) -> None:
    fields = graph().model_dump() | change
    if message is None:
        assert Graph.model_validate(fields).only_in_training() == set()
        return
    with pytest.raises(ValueError, match=message):
        Graph.model_validate(fields)


def test_a_scope_is_not_half_of_training() -> None:
    made = graph("output one = @early -> relu -> tanh").model_dump()
    made["outputs"], made["training"] = {**made["outputs"], "one": "one/relu", "two": "one/tanh"}, ("two",)
    with pytest.raises(ValueError, match="different scopes"):
        Graph.model_validate(made)


def test_a_graph_in_json_keeps_its_outputs_of_training() -> None:
    made = GRAPHS["plain"]
    again = Graph.model_validate_json(made.model_dump_json())
    assert again == made
    assert again.training == ("first", "second", "tap")
    assert isinstance(again.by_path["first/relu"].op, ops.Relu)
