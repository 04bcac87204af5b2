"""ONNX files as specs: those of our own backend, those in the style of other exporters, and those that are refused."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from archspec_onnx import Backend
from archspec_onnx.decompile import decompile
from backends.cases import CASES
from decompile.equality import BOUND, alike, off
from decompile.onnx_files import draw, ends_like, kinds, node, saved
from onnx import TensorProto, helper
from zoo.equality import reference

import archspec
from archspec.cli.commands import run
from archspec.decompile import CannotSay, Decompiled, Unreadable, decompiled
from archspec.verify import random_tensors

QUICK = ("squeezenet1_1", "mobilenet_v2", "resnet18", "googlenet_no_aux", "shufflenet_v2_x0_5", "mobilenet_v3_small")
MORE = (
    "alexnet", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "regnet_y_400mf",
    "convnext_tiny", "inception_v3", "mnasnet0_5", "resnet152", "mobilenet_v2_keras",
)  # fmt: skip

SPELLED_OUT = {"squeezenet1_1", "googlenet_no_aux", "alexnet", "vgg16", "vgg16_keras", "mobilenet_v2_keras"}
"""Of these an ONNX file has paddings as numbers, and no poolings that do nothing at the image's size."""


def in_evaluation(graph: archspec.Graph) -> archspec.Graph:
    """A Graph without what only training has: ONNX files do not say it."""
    place: dict[str, str] = {}
    kept = []
    for each in graph.nodes:
        if each.op.kind in {"dropout", "stochastic_depth"}:
            place[each.path] = place.get(each.inputs[0], each.inputs[0])
            continue
        inputs = tuple(place.get(path, path) for path in each.inputs)
        kept.append(each.model_copy(update={"inputs": inputs}))
    outputs = {name: place.get(path, path) for name, path in graph.outputs.items()}
    return graph.model_copy(update={"nodes": tuple(kept), "outputs": outputs})


def check_ours(name: str, folder: Path) -> Decompiled:
    graph = archspec.load(name).elaborate()
    weights = dict(random_tensors(graph, 3))
    path = folder / f"{name}.onnx"
    Backend().save(Backend().build(graph, weights=weights), graph, path)
    found = decompiled(decompile(str(path)))
    assert found.graph.stats().params == graph.stats().params
    assert found.graph.stats().macs == graph.stats().macs
    if name in SPELLED_OUT:
        arrays = {key: tensor.array() for key, tensor in found.tensors.items()}
        images = np.random.default_rng(1).standard_normal((1, *graph.input.shape)).astype("float32")
        wanted, made = (
            Backend().run(Backend().build(one, weights=given), one, images)["output"]
            for one, given in ((graph, weights), (found.graph, arrays))
        )
        assert off(wanted, made) < 1e-6
    else:
        assert alike(found.graph, in_evaluation(graph))
    assert found.text == archspec.format(found.text)
    values = {tensor.array().tobytes() for tensor in found.tensors.values()}
    assert values == {np.asarray(array, "float32").tobytes() for array in weights.values()}
    return found


@pytest.mark.parametrize("name", QUICK)
def test_our_own_files_come_back(name: str, tmp_path: Path) -> None:
    check_ours(name, tmp_path)


@pytest.mark.huge
@pytest.mark.parametrize("name", ["alexnet_2012", "vgg16", "vgg16_keras"])
def test_the_largest_of_our_own_files_come_back(name: str, tmp_path: Path) -> None:
    check_ours(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", MORE)
def test_more_of_our_own_files_come_back(name: str, tmp_path: Path) -> None:
    check_ours(name, tmp_path)


COMPUTING = [(label, case) for label, case in CASES if len(case.nodes) > 1]


@pytest.mark.parametrize("graph", [case for _, case in COMPUTING], ids=[label for label, _ in COMPUTING])
def test_every_operator_comes_back(graph: archspec.Graph, tmp_path: Path) -> None:
    weights = dict(random_tensors(graph, 3))
    path = tmp_path / "case.onnx"
    backend = Backend()
    backend.save(backend.build(graph, weights=weights), graph, path)
    found = decompiled(decompile(str(path)))
    assert found.graph.stats().params == graph.stats().params
    arrays = {name: tensor.array() for name, tensor in found.tensors.items()}
    images = np.random.default_rng(1).standard_normal((2, *graph.input.shape)).astype("float32")
    wanted = backend.run(backend.build(graph, weights=weights), graph, images)
    made = backend.run(backend.build(found.graph, weights=arrays), found.graph, images)
    assert len(wanted) == len(made)
    for one, two in zip(wanted.values(), made.values(), strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-6 * np.abs(one[np.isfinite(one)]).max(initial=1.0))


# ---- as others write ----


def test_a_convolution_with_its_normalisation_folded(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w b", "a", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Clip", "a zero six", "c"),
        node("GlobalAveragePool", "c", "d"),
        node("Flatten", "d", "e"),
        node("Gemm", "e m n", "y", transB=1),
    ]
    arrays = {
        "w": draw(8, 3, 3, 3), "b": draw(8), "m": draw(5, 8), "n": draw(5),
        "zero": np.float32(0), "six": np.float32(6),
    }  # fmt: skip
    found = ends_like(saved(tmp_path, nodes, arrays, ["N", 3, 9, 9], 2))
    assert kinds(found) == ["conv", "relu6", "global_avgpool", "flatten", "linear"]


def test_small_programs_of_constants_are_computed(tmp_path: Path) -> None:
    """A flatten as exporters write it: the batch taken from the shape, the rest multiplied."""
    nodes = [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "n", axis=0),
        node("Unsqueeze", "n axes", "n1"),
        node("Concat", "n1 minus", "to", axis=0),
        node("Reshape", "x to", "flat"),
        node("MatMul", "flat w", "z"),
        node("Add", "b z", "y"),
    ]
    arrays = {
        "zero": np.int64(0), "axes": np.array([0]), "minus": np.array([-1]), "w": draw(243, 4), "b": draw(4),
    }  # fmt: skip
    found = ends_like(saved(tmp_path, nodes, arrays, ["batch", 3, 9, 9], 2))
    assert kinds(found) == ["flatten", "linear"]


def test_what_was_spelled_out_is_one_operator_again(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "a", kernel_shape=[1, 1]),
        node("Sigmoid", "a", "g"),
        node("Mul", "g a", "c"),
        node("ReduceMean", "c", "d", axes=[2, 3], keepdims=1),
        node("Squeeze", "d axes", "y"),
    ]
    found = ends_like(saved(tmp_path, nodes, {"w": draw(6, 3, 1, 1), "axes": np.array([2, 3])}, [1, 3, 9, 9], 2))
    assert kinds(found) == ["conv", "silu", "global_avgpool", "flatten"]


def test_branches_parts_and_poolings(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "a", kernel_shape=[3, 3], auto_pad="SAME_UPPER", strides=[2, 2]),
        node("Split", "a", "l r", axis=1),
        node("MaxPool", "l", "p", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("AveragePool", "r", "q", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
        node("Concat", "p q", "j", axis=1),
        node("Dropout", "j", "k"),
        node("Add", "k a", "y"),
    ]
    found = ends_like(saved(tmp_path, nodes, {"w": draw(6, 3, 3, 3)}, [1, 3, 9, 9]))
    assert sorted(kinds(found)) == sorted(["conv", "split", "split", "maxpool", "avgpool", "concat", "dropout", "add"])


def test_names_of_a_file_are_data(tmp_path: Path) -> None:
    name = 'w"}\n# {x}\u202e'
    nodes = [helper.make_node("Conv", ["x", name], ["y"], 'n"\n}', kernel_shape=[1, 1])]
    path = saved(tmp_path, nodes, {name: draw(2, 3, 1, 1)}, [1, 3, 9, 9])
    found = decompiled(decompile(str(path), name='a b"; }'))
    assert kinds(found) == ["conv"]
    assert "\u202e" not in found.text


# ---- what is refused ----


def test_a_file_that_computes_nothing_is_not_a_network(tmp_path: Path) -> None:
    nodes = [node("Identity", "x", "a"), node("Transpose", "a", "y", perm=[0, 1, 2, 3])]
    with pytest.raises(CannotSay, match="computes nothing: its output is its input"):
        decompiled(decompile(str(saved(tmp_path, nodes, {}, [1, 3, 9, 9]))))


def test_unknown_operators_are_named_all_at_once(tmp_path: Path) -> None:
    nodes = [node("Sin", "x", "a"), node("Erf", "a", "b"), node("Relu", "b", "c"), node("CumSum", "c k", "y")]
    path = saved(tmp_path, nodes, {"k": np.int64(1)}, [1, 3, 9, 9])
    with pytest.raises(CannotSay) as refused:
        decompiled(decompile(str(path)))
    assert "Sin" in str(refused.value)
    assert run(["import", str(path), "-o", str(tmp_path / "x.arch")]) == 1
    assert not (tmp_path / "x.arch").exists()


@pytest.mark.parametrize("change", ["cut", "noise", "empty"])
def test_damaged_files_are_errors(change: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = saved(tmp_path, [node("Relu", "x", "y")], {"w": draw(8)}, [1, 3, 9, 9]).read_bytes()
    path = tmp_path / "bad.onnx"
    path.write_bytes({"cut": whole[: len(whole) // 2], "noise": bytes(range(256)) * 4, "empty": b""}[change])
    with pytest.raises(Unreadable):
        decompile(str(path))
    assert run(["import", str(path)]) in {1, 3}
    assert "Traceback" not in capsys.readouterr().err


def test_data_outside_of_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\0" * 72)
    folder = tmp_path / "models"
    folder.mkdir()
    path = saved(folder, [node("Conv", "x w", "y", kernel_shape=[1, 1])], {"w": draw(6, 3, 1, 1)}, [1, 3, 9, 9])
    model = onnx.load(path)
    (tensor,) = model.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")
    path.write_bytes(model.SerializeToString())
    with pytest.raises(Unreadable):
        decompile(str(path))


BROKEN: dict[str, tuple[Any, dict[str, Any]]] = {
    "too few paddings": (node("Conv", "x w", "y", kernel_shape=[1, 1], pads=[1]), {"w": draw(6, 3, 1, 1)}),
    "other channels": (node("Conv", "x w", "y", kernel_shape=[1, 1]), {"w": draw(6, 4, 1, 1)}),
    "other statistics": (node("BatchNormalization", "x s s s s", "y"), {"s": draw(7)}),
    "no size": (node("LRN", "x", "y", size=0), {}),
    "all dimensions turned": (node("Transpose", "x", "y"), {}),
    "no such dimension": (node("Squeeze", "x a", "y"), {"a": np.array([9])}),
}


@pytest.mark.parametrize("what", BROKEN)
def test_nodes_that_make_no_sense_are_named(what: str, tmp_path: Path) -> None:
    made, arrays = BROKEN[what]
    with pytest.raises(CannotSay, match=f"`{made.op_type}` at y"):
        decompile(str(saved(tmp_path, [made], arrays, [1, 3, 9, 9])))


def test_a_product_of_products_takes_no_longer_than_it_is_long(tmp_path: Path) -> None:
    nodes = [
        node("Mul", f"{a} {a}", b) for a, b in zip("xabcdefghijklmnopqrstuvw", "abcdefghijklmnopqrstuvwy", strict=True)
    ]
    assert kinds(decompiled(decompile(str(saved(tmp_path, nodes, {}, [1, 3, 9, 9]))))) == ["mul"] * 24


def test_vectors_that_an_exporter_has_merged_are_each_operators_own(tmp_path: Path) -> None:
    nodes = [node("Conv", "x w b", "a", kernel_shape=[1, 1]), node("Conv", "a v b", "y", kernel_shape=[1, 1])]
    arrays = {"w": draw(3, 3, 1, 1), "v": draw(3, 3, 1, 1) + 1, "b": np.zeros(3, "float32")}
    found = ends_like(saved(tmp_path, nodes, arrays, [1, 3, 9, 9]))
    assert "share 1 of its vectors" in found.text
    nodes[1].input[1] = "w"
    with pytest.raises(CannotSay, match="used several times"):
        decompiled(decompile(str(saved(tmp_path, nodes, arrays, [1, 3, 9, 9]))))


def test_an_image_whose_channels_come_last_is_turned_first(tmp_path: Path) -> None:
    nodes = [node("Transpose", "x", "t", perm=[0, 3, 1, 2]), node("Conv", "t w", "y", kernel_shape=[1, 1])]
    found = decompiled(decompile(str(saved(tmp_path, nodes, {"w": draw(6, 3, 1, 1)}, [1, 9, 7, 3]))))
    assert kinds(found) == ["conv"]
    assert found.graph.input.shape == (9, 7, 3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "googlenet", "densenet121", "squeezenet1_1"])
def test_files_of_pytorch_are_read(name: str, fold: bool, torchvision: ModuleType, tmp_path: Path) -> None:
    """Of fresh models, whose vectors are all zeros and ones: what it writes them into is merged."""
    model, path = reference(torchvision, name).eval(), tmp_path / "theirs.onnx"
    mode = torch.onnx.TrainingMode.EVAL if fold else torch.onnx.TrainingMode.PRESERVE
    torch.onnx.export(
        model,
        (torch.zeros(1, 3, 71, 71),),
        path,
        dynamo=False,
        training=mode,
        do_constant_folding=fold,
        input_names=["x"],
    )
    ends_like(path, 71)


def test_an_input_of_any_size_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path, [node("Relu", "x", "y")], {}, ["n", 3, "h", "w"])
    assert run(["import", str(path)]) != 0
    assert "--input" in capsys.readouterr().err
    assert run(["import", str(path), "--input", "8x8x3"]) == 0
    assert "input 8 x 8 x 3" in capsys.readouterr().out


def test_the_command_writes_a_spec_and_its_weights(tmp_path: Path) -> None:
    onnx_file, spec, weights = tmp_path / "s.onnx", tmp_path / "s.arch", tmp_path / "s.safetensors"
    assert run(["build", "squeezenet1_1", "--backend", "onnx", "-o", str(onnx_file)]) == 0
    assert run(["import", str(onnx_file), "-o", str(spec), "--weights", str(weights)]) == 0
    assert (
        run(["build", str(spec), "--backend", "onnx", "--weights", str(weights), "-o", str(tmp_path / "t.onnx")]) == 0
    )
    images = np.random.default_rng(0).standard_normal((1, 3, 224, 224)).astype("float32")
    one, two = (
        onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
        for path in (onnx_file, tmp_path / "t.onnx")
    )
    (a,), (b,) = (s.run(None, {s.get_inputs()[0].name: images}) for s in (one, two))
    assert off(a, b) < max(BOUND, 1e-6)
