"""The ONNX backend beside torch's: every operator and whole networks, in onnxruntime and in onnx's reference.

onnxruntime computes in float32 (it has no convolution in float64), the reference in float64 and slowly.
"""

import importlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends.cases import CASES
from graphs import graph

import archspec
from archspec import ops
from archspec.backend import BackendError, Unsupported
from archspec.graph import Graph
from archspec.optional import MissingFramework
from archspec.verify import BOUNDS, random_images, random_tensors
from archspec.weights import WeightsError, take

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
torch_runtime = pytest.importorskip("archspec_torch.runtime")

from archspec_onnx import Backend  # noqa: E402 - skipped above where onnx is not installed
from archspec_onnx.lower import lower  # noqa: E402
from archspec_onnx.runtime import OPSET  # noqa: E402
from archspec_onnx.site import Site  # noqa: E402

BACKEND = Backend()
DTYPES = ("float32", "float64")


def expected(made: Graph, weights: Mapping[str, Any], images: Any) -> dict[str, Any]:
    """What torch computes in float64."""
    found: dict[str, Any] = torch_runtime.run(torch_runtime.build(made, weights=weights, dtype="float64"), made, images)
    return found


def off(wanted: Any, found: Any) -> float:
    """The largest difference, as a part of the largest value; what is infinite must be so in both."""
    assert wanted.shape == found.shape
    finite = np.isfinite(wanted)
    assert np.array_equal(finite, np.isfinite(found))
    assert np.array_equal(wanted[~finite], found[~finite])
    largest = np.abs(wanted[finite]).max(initial=0.0)
    return float(np.abs(wanted[finite] - found[finite]).max(initial=0.0) / (largest or 1.0))


def agree(made: Graph, *dtypes: str) -> None:
    """The model is valid, its outputs are torch's, its counts the Graph's."""
    made = made.with_all_outputs()
    # four times as large as usual, so that some values are cut off at 6
    weights, images = dict(random_tensors(made, 1)), 4 * random_images(made, 1)
    wanted, stats = expected(made, weights, images), made.stats()
    for dtype in dtypes:
        model = BACKEND.build(made, weights=weights, dtype=dtype)
        onnx.checker.check_model(model, full_check=True)
        found = BACKEND.run(model, made, images.astype(dtype))
        assert list(found) == list(made.outputs)
        for name, values in found.items():
            assert values.dtype == dtype
            assert off(wanted[name], values) <= BOUNDS[dtype], (name, made.by_path[made.outputs[name]].op)
        measured = BACKEND.measure(model, made)
        assert (measured.params, measured.macs) == (stats.params, stats.macs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("made", [case for _, case in CASES], ids=[label for label, _ in CASES])
def test_operators_compute_what_they_do_in_torch(made: Graph, dtype: str) -> None:
    agree(made, dtype)


# (name, parameters, an even and an odd size): the smallest that the network takes
NETWORKS: list[tuple[str, dict[str, Any], tuple[int, int]]] = [
    ("mobilenet_v2", {}, (64, 45)),
    ("resnet18", {}, (32, 45)),
    ("densenet121", {}, (32, 45)),
    ("shufflenet_v2_x0_5", {}, (32, 45)),
    ("efficientnet_b0", {}, (32, 45)),
    ("mobilenet_v3_small", {}, (32, 45)),
    ("regnet_y_400mf", {}, (32, 45)),
    ("squeezenet1_0", {}, (32, 45)),
    ("mobilenet_v1", {}, (32, 45)),
]
LARGER: list[tuple[str, dict[str, Any], tuple[int, int]]] = [
    ("googlenet", {}, (64, 75)),
    ("inception_v3", {"aux": False}, (80, 97)),
    ("convnext_tiny", {}, (32, 45)),
    ("alexnet_2012", {}, (96, 127)),
    ("vgg11", {}, (32, 45)),
    ("xception", {}, (72, 75)),
]


@pytest.mark.parametrize(
    ("name", "values", "sides"),
    [*NETWORKS, *(pytest.param(*network, marks=pytest.mark.slow) for network in LARGER)],
)
def test_networks_compute_what_they_do_in_torch(name: str, values: dict[str, Any], sides: tuple[int, int]) -> None:
    spec = archspec.load(name)
    for side in sides:
        agree(spec.elaborate((side, side), **values), *DTYPES)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, *_ in (*NETWORKS, *LARGER)])
def test_networks_compute_what_they_do_in_torch_at_their_own_size(name: str) -> None:
    agree(archspec.load(name).elaborate(), "float32")


# ---- what stands in a model ----


@pytest.fixture
def small() -> Graph:
    text = """arch 1
    network Small(k = 3) {
      title "A small one"
      input 8 x 8 x 4
      body conv(3, 6, 2, bias = true) -> bn -> relu6 -> prelu -> dropout -> linear(4) -> layernorm -> flatten
           -> linear(k) as head
    }"""
    return archspec.parse(text).elaborate()


def test_nodes_are_named_by_their_paths(small: Graph) -> None:
    names = [node.name for node in BACKEND.build(small).graph.node]
    assert [name for name in names if "." not in name] == [node.path for node in small.nodes[1:]]
    assert {name.partition(".")[0] for name in names} == {node.path for node in small.nodes[1:]}
    assert len(names) == len(set(names))


def test_inner_values_are_named_and_shaped_as_their_nodes(small: Graph) -> None:
    found = {
        value.name: [side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim]
        for value in BACKEND.build(small).graph.value_info
    }
    assert found == {node.path: ["N", node.shape[-1], *node.shape[:-1]] for node in small.nodes[1:-1]}


def test_input_and_outputs_have_their_names_and_any_batch() -> None:
    made = graph((4, 6, 3), ("a", ops.Relu()), ("b", ops.Flatten()), outputs={"output": "b", "aux": "a"})
    model = BACKEND.build(made)
    sides = {
        value.name: [side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert sides == {"input": ["N", 3, 4, 6], "output": ["N", 72], "aux": ["N", 3, 4, 6]}
    for count in (1, 3):
        assert BACKEND.run(model, made, np.ones((count, 4, 6, 3), "float32"))["output"].shape == (count, 72)


def test_a_model_says_what_network_it_is(small: Graph) -> None:
    model = BACKEND.build(small)
    assert model.doc_string == "A small one\nSmall(k = 3)"
    assert {entry.key: entry.value for entry in model.metadata_props} == {"network": "Small", "parameters": '{"k": 3}'}


def test_initializers_are_the_tensors_of_the_graph_and_no_others(small: Graph) -> None:
    found = {tensor.name: tuple(tensor.dims) for tensor in BACKEND.build(small).graph.initializer}
    assert found == small.tensors()
    assert list(found) == list(small.tensors())
    assert set(BACKEND.keys(small).items()) == {(name, name) for name in found}


def test_first_weights_are_those_of_every_backend(small: Graph) -> None:
    from archspec.weights import draw

    made = {t.name: onnx.numpy_helper.to_array(t) for t in BACKEND.build(small, seed=5).graph.initializer}
    for name, values in draw(small, 5):
        np.testing.assert_array_equal(made[name], values.astype("float32"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_saved_is_read_back_exactly(small: Graph, dtype: str, tmp_path: Path) -> None:
    weights = {name: values.astype(dtype) for name, values in random_tensors(small, 2)}
    path = tmp_path / "small.onnx"
    BACKEND.save(BACKEND.build(small, weights=weights, dtype=dtype), small, path)
    found = take(BACKEND.read(path), {name: (name,) for name in small.tensors()}, small)
    assert list(found) == list(weights)
    for name, values in weights.items():
        assert found[name].dtype == dtype
        np.testing.assert_array_equal(found[name], values)


def test_equal_models_are_equal_files(small: Graph, tmp_path: Path) -> None:
    paths = [tmp_path / "a.onnx", tmp_path / "b.onnx"]
    for path in paths:
        BACKEND.save(BACKEND.build(small, seed=1), small, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_bfloat16_is_read_as_float32(tmp_path: Path) -> None:
    tensor = onnx.helper.make_tensor("w", onnx.TensorProto.BFLOAT16, [2], [1.5, -2.0])
    path = tmp_path / "half.onnx"
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [], [tensor])), path)
    found = BACKEND.read(path)["w"]
    assert found.dtype == np.float32
    assert found.tolist() == [1.5, -2.0]


@pytest.mark.parametrize("opset", [OPSET, OPSET + 1, 23])
def test_later_opsets_compute_the_same(small: Graph, opset: int) -> None:
    model = BACKEND.build(small, opset=opset)
    onnx.checker.check_model(model, full_check=True)
    assert [entry.version for entry in model.opset_import] == [opset]
    images = random_images(small, 0).astype("float32")
    found, first = (BACKEND.run(made, small, images)["output"] for made in (model, BACKEND.build(small)))
    np.testing.assert_allclose(found, first, rtol=1e-6)


# ---- what is refused ----


@pytest.mark.parametrize("options", [{"dtype": "float16"}, {"dtype": "int64"}, {"dtype": "none"}, {"dtype": 1}])
def test_other_types_of_numbers_are_refused(small: Graph, options: dict[str, Any]) -> None:
    with pytest.raises(BackendError, match="no type of numbers"):
        BACKEND.build(small, **options)


@pytest.mark.parametrize("opset", [OPSET - 1, 10_000])
def test_opsets_that_cannot_be_written_are_refused(small: Graph, opset: int) -> None:
    with pytest.raises(BackendError, match="cannot write opset"):
        BACKEND.build(small, opset=opset)


def test_an_output_that_has_the_name_of_another_value_is_refused() -> None:
    for name in ("input", "fc.weight"):
        made = graph((3,), ("fc", ops.Linear(channels=2)), outputs={"output": "fc", name: "fc"})
        with pytest.raises(BackendError, match=f"cannot be called `{name}`"):
            BACKEND.build(made)


def test_an_operator_that_is_unknown_is_unsupported() -> None:
    class Odd(ops.Op):
        kind: str = "odd"

    node = graph((3,), ("row_1/it", ops.Relu())).nodes[1]
    with pytest.raises(Unsupported, match=r"onnx backend cannot build `odd` \(at row_1/it\)"):
        lower(Odd(), Site(node, np.dtype("float32"), str), ((3,),), "input")


def test_another_suffix_is_refused_and_nothing_is_written(small: Graph, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="does not save as"):
        BACKEND.save(BACKEND.build(small), small, tmp_path / "small.pb")
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_refused(small: Graph, tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    BACKEND.save(BACKEND.build(small), small, path)
    whole = path.read_bytes()
    for data in (whole[: len(whole) // 2], b"no protobuf", whole.replace(b"\x04", b"\x05")):
        path.write_bytes(data)
        with pytest.raises(WeightsError, match=r"not an ONNX file|not a valid ONNX|shape say"):
            BACKEND.read(path)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        BACKEND.read(tmp_path / "none.onnx")


def test_an_entry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="has no parts"):
        BACKEND.read(tmp_path / "small.onnx", "model")


# ---- frameworks that are not there ----


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_a_framework_that_is_missing_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, "archspec_onnx.runtime", raising=False)
    with pytest.raises(MissingFramework, match=f"`{missing}`, which is not installed"):
        BACKEND.ready()


def test_the_plug_in_imports_no_framework() -> None:
    code = "import sys, archspec_onnx; print({'onnx', 'onnxruntime', 'numpy', 'torch'} & sys.modules.keys())"
    folder = Path(importlib.import_module("archspec_onnx").__file__ or "").parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
