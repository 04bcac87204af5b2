"""ONNX files as files: weights beside them, tensors that lie, bytes that were changed."""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from archspec_onnx.decompile import decompile
from archspec_onnx.decompile.handlers import HANDLERS
from decompile.onnx_files import agrees, draw, kinds, node, number, saved
from onnx import ModelProto, TensorProto, helper, numpy_helper

import archspec
from archspec.cli.commands import run
from archspec.decompile import CannotSay, Unreadable, decompiled
from archspec.errors import Refusal, SpecError

SHAPE = [1, 3, 9, 9]
NODES = [
    node("Conv", "x w b", "a", kernel_shape=[3, 3]), node("PRelu", "a s", "c"), node("Reshape", "c to", "d"),
    node("Gemm", "d m", "y", transB=1),
]  # fmt: skip
ARRAYS = {"w": draw(4, 3, 3, 3), "b": draw(4), "s": draw(4, 1, 1), "to": np.array([1, -1]), "m": draw(5, 196)}


def changed(path: Path, change: Callable[[ModelProto], Any]) -> Path:
    """A file after a change; its other files are not looked at."""
    model = onnx.load(path, load_external_data=False)
    change(model)
    path.write_bytes(model.SerializeToString())
    return path


def apart(folder: Path) -> Path:
    """A file whose weights are all in `theirs.onnx.data` beside it, as PyTorch writes them."""
    path = saved(folder, NODES, ARRAYS, SHAPE, 2)
    whole = onnx.load(path)
    onnx.save(whole, path, save_as_external_data=True, location="theirs.onnx.data", size_threshold=0)
    return path


# ---- weights in another file ----


def test_weights_beside_a_file_are_read(tmp_path: Path) -> None:
    path = apart(tmp_path)
    found = decompiled(decompile(str(path)))
    assert kinds(found) == ["conv", "prelu", "flatten", "linear"]
    whole = onnx.load(path)
    (tmp_path / "whole").mkdir()
    one = tmp_path / "whole" / "theirs.onnx"
    one.write_bytes(whole.SerializeToString())
    agrees(one, found)


def test_only_what_shapes_need_is_read_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The shape of a reshape stands in the other file too; the weights are read with `--weights` alone."""
    path = apart(tmp_path)
    changed(path, lambda model: keep(model, "to"))
    (tmp_path / "theirs.onnx.data").unlink()
    assert run(["import", str(path)]) == 0
    assert "linear(5, bias = false)" in capsys.readouterr().out
    assert run(["import", str(path), "-o", str(tmp_path / "x.arch"), "--weights", str(tmp_path / "x.safetensors")]) == 1
    assert "which is not there" in capsys.readouterr().err
    assert not (tmp_path / "x.arch").exists()


def keep(model: ModelProto, name: str) -> None:
    """Put a tensor back into its model."""
    (tensor,) = (t for t in model.graph.initializer if t.name == name)
    tensor.CopyFrom(numpy_helper.from_array(np.asarray(ARRAYS[name]), name))


def test_the_weights_are_those_of_the_other_file(tmp_path: Path) -> None:
    path = apart(tmp_path)
    assert run(["import", str(path), "-o", str(tmp_path / "x.arch"), "--weights", str(tmp_path / "x.safetensors")]) == 0
    made = archspec.weights.canonical.read(tmp_path / "x.safetensors")
    np.testing.assert_array_equal(made["conv.weight"], ARRAYS["w"])
    np.testing.assert_array_equal(made["linear.weight"], ARRAYS["m"])


def entry(**values: str) -> Callable[[ModelProto], None]:
    """A change to where the first tensor is said to be."""

    def change(model: ModelProto) -> None:
        tensor = model.graph.initializer[0]
        held = {e.key: e.value for e in tensor.external_data} | values
        del tensor.external_data[:]
        for key, value in held.items():
            tensor.external_data.add(key=key, value=value)

    return change


@pytest.mark.parametrize(
    "where", ["../secret", "/etc/passwd", "a/../../secret", "", "..", "..\\secret", "C:secret", "a\0b", "//host/secret"]
)
def test_no_file_outside_of_the_folder_is_named(where: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(432))
    (tmp_path / "models").mkdir()
    path = changed(apart(tmp_path / "models"), entry(location=where))
    with pytest.raises(Unreadable, match="outside of the model"):
        decompile(str(path))


@pytest.mark.parametrize("where", ["x" * 5000, "theirs.onnx/x"])
def test_a_name_that_no_file_can_have_is_refused_in_a_short_line(where: str, tmp_path: Path) -> None:
    path = changed(apart(tmp_path), entry(location=where))
    with pytest.raises(Unreadable, match="which cannot be read") as refused:
        decompile(str(path)).tensors["conv.weight"].array()
    assert len(str(refused.value)) < 400 + len(str(path))


def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(432))
    (tmp_path / "models").mkdir()
    path = changed(apart(tmp_path / "models"), entry(location="link", offset="0", length="432"))
    os.symlink(tmp_path / "secret", tmp_path / "models" / "link")
    with pytest.raises(Unreadable, match="a link that leaves"):
        decompile(str(path)).tensors["conv.weight"].array()
    os.unlink(tmp_path / "models" / "link")
    os.mkfifo(tmp_path / "models" / "link")
    with pytest.raises(Unreadable, match="which is not a file"):
        decompile(str(path)).tensors["conv.weight"].array()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"offset": "99999999"}, "which has"),
        ({"offset": "-4"}, "not a whole number"),
        ({"offset": "1e3"}, "not a whole number"),
        ({"length": "7"}, "holds 7 bytes, and its type and shape say 432"),
        ({"length": "9" * 30}, "not a whole number"),
        ({"length": "٤٣٢"}, "not a whole number"),
    ],
)
def test_a_part_of_another_file_is_within_it(said: dict[str, str], why: str, tmp_path: Path) -> None:
    path = changed(apart(tmp_path), entry(**said))
    with pytest.raises(Unreadable, match=why):
        decompile(str(path)).tensors["conv.weight"].array()


def test_a_constant_of_a_node_is_not_in_another_file(tmp_path: Path) -> None:
    made = number("k", draw(3, 1, 1))
    made.attribute[0].t.data_location = TensorProto.EXTERNAL
    with pytest.raises(Unreadable, match=r"theirs\.onnx: "):
        decompile(str(saved(tmp_path, [made, node("Add", "x k", "y")], {}, SHAPE)))


# ---- tensors that lie ----


def lies(model: ModelProto, **fields: Any) -> None:
    tensor = model.graph.initializer[0]
    for name, value in fields.items():
        if isinstance(value, list):
            del getattr(tensor, name)[:]
            getattr(tensor, name).extend(value)
        else:
            setattr(tensor, name, value)


LIES: dict[str, tuple[Callable[[ModelProto], Any], str]] = {
    "too few bytes": (lambda m: lies(m, raw_data=b"1234"), "holds 4 bytes"),
    "no bytes": (lambda m: lies(m, raw_data=b""), "holds 0 bytes"),
    "too many bytes": (lambda m: lies(m, raw_data=bytes(433)), "holds 433 bytes"),
    "other sides": (lambda m: lies(m, dims=[4, 3, 3, 4]), "its type and shape say 576"),
    "sides below 0": (lambda m: lies(m, dims=[-4, -3, 3, 3]), "no shape"),
    "sides beyond all memory": (lambda m: lies(m, dims=[2**62, 2**62, 3, 3]), "holds 432 bytes"),
    "a hundred sides": (lambda m: lies(m, dims=[1] * 100), "no shape"),
    "another type": (lambda m: lies(m, data_type=TensorProto.DOUBLE), "its type and shape say 864"),
    "strings": (lambda m: lies(m, data_type=TensorProto.STRING), "its weights are STRING numbers"),
    "complex numbers": (lambda m: lies(m, data_type=TensorProto.COMPLEX64), "its weights are COMPLEX64 numbers"),
    "numbers of four bits": (lambda m: lies(m, data_type=TensorProto.INT4), "its weights are INT4 numbers"),
    "numbers of eight bits": (lambda m: lies(m, data_type=TensorProto.FLOAT8E5M2), "FLOAT8E5M2 numbers"),
    "whole numbers": (lambda m: lies(m, data_type=TensorProto.INT32), "its weights are int32 numbers"),
    "no type": (lambda m: lies(m, data_type=0), "UNDEFINED numbers"),
    "a type that there is not": (lambda m: lies(m, data_type=99), "theirs.onnx"),
    "segments": (lambda m: m.graph.initializer[0].segment.MergeFrom(TensorProto.Segment(begin=0, end=4)), "no shape"),
}  # fmt: skip


@pytest.mark.parametrize("what", LIES)
def test_a_tensor_that_lies_is_named(what: str, tmp_path: Path) -> None:
    change, why = LIES[what]
    path = changed(saved(tmp_path, NODES, ARRAYS, SHAPE, 2), change)
    with pytest.raises((Unreadable, CannotSay), match=why):
        decompile(str(path))


def test_numbers_that_do_not_stand_as_bytes_are_counted_too(tmp_path: Path) -> None:
    def change(model: ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.float_data.extend([1.0] * 107)

    with pytest.raises(Unreadable, match="holds 107 numbers, and its type and shape say 108"):
        decompile(str(changed(saved(tmp_path, NODES, ARRAYS, SHAPE, 2), change)))


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE, TensorProto.FLOAT])
@pytest.mark.parametrize("raw", [True, False])
def test_types_of_real_numbers_are_read_as_onnx_does(kind: int, raw: bool, tmp_path: Path) -> None:
    values = ARRAYS["w"].reshape(-1)
    whole = helper.make_tensor("w", kind, [4, 3, 3, 3], values)
    if raw:
        whole = numpy_helper.from_array(numpy_helper.to_array(whole), "w")
    path = changed(saved(tmp_path, NODES[:1], ARRAYS, SHAPE), lambda model: model.graph.initializer[0].CopyFrom(whole))
    changed(path, lambda model: model.graph.node[0].output.__setitem__(0, "y"))
    found = decompile(str(path)).tensors["conv.weight"].array()
    np.testing.assert_array_equal(found, numpy_helper.to_array(whole).astype(found.dtype))


def test_a_sparse_bias_is_not_left_out(tmp_path: Path) -> None:
    def change(model: ModelProto) -> None:
        values = helper.make_tensor("k", TensorProto.FLOAT, [1], [5.0])
        indices = helper.make_tensor("at", TensorProto.INT64, [1], [2])
        model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4]))

    nodes = [node("Conv", "x w k", "y", kernel_shape=[3, 3])]
    with pytest.raises(CannotSay, match="a sparse tensor at k"):
        decompile(str(changed(saved(tmp_path, nodes, {"w": ARRAYS["w"]}, SHAPE), change)))


def test_an_operator_that_a_file_defines_itself_is_not_that_of_onnx(tmp_path: Path) -> None:
    def change(model: ModelProto) -> None:
        made = [helper.make_node("Neg", ["a"], ["b"])]
        model.functions.append(helper.make_function("", "Relu", ["a"], ["b"], made, [helper.make_opsetid("", 17)]))

    path = saved(tmp_path, [node("Relu", "x", "y")], {}, SHAPE)
    with pytest.raises((CannotSay, Unreadable), match=r"the file defines it itself|not a valid"):
        decompile(str(changed(path, change)))


def test_an_operator_of_another_domain_is_no_part_of_a_pattern(tmp_path: Path) -> None:
    nodes = [helper.make_node("Sigmoid", ["x"], ["a"], domain="their.own"), node("Mul", "x a", "y")]
    path = saved(tmp_path, nodes, {}, SHAPE)
    changed(path, lambda model: model.opset_import.append(helper.make_opsetid("their.own", 1)))
    with pytest.raises(CannotSay, match=r"`their\.own\.Sigmoid` at a"):
        decompile(str(path))


@pytest.mark.parametrize("text", [b"theirname", b"wxyz", b"made"])
def test_names_that_are_not_utf8_are_an_error(text: bytes, tmp_path: Path) -> None:
    nodes = [helper.make_node("Conv", ["x", "wxyz"], ["y"], "theirname", kernel_shape=[3, 3])]
    path = saved(tmp_path, nodes, {"wxyz": ARRAYS["w"]}, SHAPE)
    path.write_bytes(path.read_bytes().replace(text, text[:-1] + b"\xff"))
    with pytest.raises(Unreadable, match="not UTF-8"):
        decompile(str(path))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(Unreadable, match="not a file"):
        decompile(str(tmp_path / "pipe.onnx"))


def test_every_changed_byte_gives_a_spec_or_a_sentence(tmp_path: Path) -> None:
    path = saved(
        tmp_path, [*NODES[:1], node("Pad", "a p", "c"), *NODES[2:]], {**ARRAYS, "p": np.zeros(8, "int64")}, SHAPE, 2
    )
    whole, dice = path.read_bytes(), random.Random(5)
    for _ in range(300):
        data = bytearray(whole)
        # most of a file is weights, and what is not is what matters
        data[dice.choice([dice.randrange(len(data)), dice.randrange(150), len(data) - 1 - dice.randrange(400)])] = (
            dice.randrange(256)
        )
        path.write_bytes(data)
        try:
            decompiled(decompile(str(path)))
        except (Refusal, SpecError):
            continue


# ---- mistakes of archspec itself ----


@pytest.mark.parametrize("mistake", [KeyError("x"), TypeError("x"), ValueError("x"), ZeroDivisionError("x")])
def test_a_mistake_in_a_reader_is_not_said_to_be_the_files(
    mistake: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(place: Any, x: Any) -> Any:
        raise mistake

    monkeypatch.setitem(HANDLERS, "Relu", broken)
    with pytest.raises(type(mistake)):
        decompile(str(saved(tmp_path, [node("Relu", "x", "y")], {}, SHAPE)))
