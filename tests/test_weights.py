"""Weights taken in by their keys: all that do not fit are named, nothing is guessed, nothing is executed."""

import argparse
import json
import os
import random
from pathlib import Path
from types import ModuleType

import numpy
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import archspec
from archspec.cli.commands import run
from archspec.weights import Misfits, WeightsError, take

SPEC = """arch 1
block unit(c) = conv(3, c) -> bn -> relu
network Small(k = 10) {
  input 8 x 8 x 3
  body unit(4) as first -> unit(4) * 2 -> global_avgpool -> flatten -> linear(k)
  weights theirs
    "first/{layer}"    = "stem.{layer}"
    "unit_{n}/{layer}" = "body.{n - 1}.{index(layer)}" or "old.{n}.{layer}"
    "linear"           = "head.0"
    "linear.bias"      = "head.offset"
}
"""
KEYS = {
    "first/conv.weight": "stem.conv.weight",
    "unit_1/conv.weight": "body.0.0.weight",
    "unit_2/bn.running_var": "body.1.1.running_var",
    "linear.weight": "head.0.weight",
    "linear.bias": "head.offset",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.arch").write_text(SPEC)
    return tmp_path


def theirs(first: int = 0) -> dict[str, torch.Tensor]:
    """A file's tensors; `first` of the two keys of each."""
    spec = archspec.parse(SPEC)
    graph = spec.elaborate()
    keys = spec.weight_keys("theirs", graph)
    generator = torch.Generator().manual_seed(1)
    return {
        keys[name][min(first, len(keys[name]) - 1)]: torch.rand(shape, generator=generator)
        for name, shape in graph.tensors().items()
    }


def imported(content: object, *options: str) -> tuple[int, dict[str, numpy.ndarray]]:
    torch.save(content, "file.pth")
    code = run(["weights", "import", "--from", "theirs", "file.pth", "small.arch", "-o", "out.safetensors", *options])
    return code, load_file("out.safetensors") if Path("out.safetensors").exists() else {}


def test_keys_are_those_that_the_rules_say() -> None:
    spec = archspec.parse(SPEC)
    keys = spec.weight_keys("theirs", spec.elaborate())
    assert {name: keys[name][0] for name in KEYS} == KEYS
    assert keys["unit_2/conv.weight"] == ("body.1.0.weight", "old.2.conv.weight")
    assert set(keys) == set(spec.elaborate().tensors())


def test_tensors_are_found_by_key_in_any_order(folder: Path) -> None:
    state = list(theirs().items())
    random.Random(3).shuffle(state)
    code, found = imported(dict(state))
    assert code == 0
    keys = archspec.parse(SPEC).weight_keys("theirs", archspec.parse(SPEC).elaborate())
    for name, array in found.items():
        assert numpy.array_equal(array, dict(state)[keys[name][0]].numpy())


def test_second_names_are_taken_where_the_first_are_not_there(folder: Path) -> None:
    code, found = imported(theirs(1))
    assert code == 0
    assert numpy.array_equal(found["unit_2/conv.weight"], theirs(1)["old.2.conv.weight"].numpy())


def test_all_misfits_are_named_at_once_and_nothing_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = theirs()
    del state["stem.conv.weight"]
    state["more\x1b[31m"] = torch.zeros(2, 3)
    state["body.0.0.weight"] = state["body.0.0.weight"].transpose(0, 3)
    state["head.offset"] = torch.zeros(10, dtype=torch.int64)
    code, found = imported(state)
    assert (code, found) == (1, {})
    assert sorted(os.listdir()) == ["file.pth", "small.arch"]
    assert capsys.readouterr().err == (
        "error: these are not the weights of `Small`: 1 missing, 1 extra, 2 misshapen\n"
        "  missing    stem.conv.weight  4×3×3×3, for first/conv.weight\n"
        "  misshapen  body.0.0.weight  is 3×4×3×4, not 4×4×3×3\n"
        "  misshapen  head.offset  holds int64, not floating-point numbers\n"
        "  extra      more<1B>[31m  2×3\n"
    )


def test_another_number_of_classes_is_recognised(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = theirs()
    state["head.0.weight"], state["head.offset"] = torch.zeros(7, 4), torch.zeros(7)
    assert imported(state)[0] == 1
    assert capsys.readouterr().err.endswith(" = help: with `-p k=7` they would be\n")
    assert imported(state, "-p", "k=7")[0] == 0


def test_square_weights_are_not_transposed(folder: Path) -> None:
    """Shapes that fit either way are told apart by the key alone."""
    code, found = imported(theirs())
    assert code == 0
    assert numpy.array_equal(found["unit_1/conv.weight"], theirs()["body.0.0.weight"].numpy())
    assert numpy.array_equal(found["unit_2/conv.weight"], theirs()["body.1.0.weight"].numpy())


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "model."])
@pytest.mark.parametrize("entry", [None, "state_dict", "model", "model_ema"])
def test_wrappers_are_taken_off(folder: Path, prefix: str, entry: str | None) -> None:
    state: dict[str, object] = {prefix + key: tensor for key, tensor in theirs().items()}
    if entry is not None:
        args = argparse.Namespace(lr=0.1)
        state = {entry: {**state, "n_averaged": torch.tensor(3)}, "epoch": 90, "optimizer": {"state": {}}, "args": args}
    assert imported(state)[0] == 0


def test_an_entry_can_be_chosen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state, other = theirs(), {key: tensor + 1 for key, tensor in theirs().items()}
    code, found = imported({"model": state, "averaged": other}, "--entry", "averaged")
    assert code == 0
    assert numpy.array_equal(found["first/conv.weight"], other["stem.conv.weight"].numpy())
    assert imported({"model": state, "averaged": other}, "--entry", "ema")[0] == 1
    assert "it has no dictionary `ema`; there is model, averaged" in capsys.readouterr().err


def test_counters_of_batches_may_be_there_or_missing(folder: Path) -> None:
    counters = {"stem.bn.num_batches_tracked": torch.tensor(5), "body.0.1.num_batches_tracked": torch.tensor(5)}
    assert imported({**theirs(), **counters})[0] == 0
    assert imported({**theirs(), "head.0.num_batches_tracked": torch.tensor(5)})[0] == 1


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("executed",)


@pytest.mark.parametrize("legacy", [False, True])
def test_nothing_in_a_pickle_is_executed(folder: Path, legacy: bool, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({**theirs(), "evil": Evil()}, "evil.pth", _use_new_zipfile_serialization=not legacy)
    arguments = ["weights", "import", "--from", "theirs", "evil.pth", "small.arch", "-o", "out.safetensors"]
    assert run(arguments) == 1
    assert sorted(os.listdir()) == ["evil.pth", "small.arch"]
    assert "could run code (posix.mkdir)" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["junk.pth", "junk.safetensors", "junk.bin"])
@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04 no archive", b"\x80\x02}q\x00.", b"\xff" * 64])
def test_what_is_no_checkpoint_is_an_error(
    folder: Path, name: str, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / name).write_bytes(content)
    assert run(["weights", "import", "--from", "theirs", name, "small.arch", "-o", "out.safetensors"]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert not (folder / "out.safetensors").exists()


@pytest.mark.parametrize("content", [[1, 2], {"a": 3}, {"state_dict": {"a": [1]}}, {1: torch.zeros(2)}])
def test_what_is_no_dictionary_of_tensors_is_an_error(folder: Path, content: object) -> None:
    assert imported(content) == (1, {})


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--from", "theirs", "no.pth", "small.arch", "-o", "o.safetensors"], 3, "no.pth: No such file"),
        (
            ["--from", "theirs", "file.txt", "small.arch", "-o", "o.safetensors"],
            1,
            "weights are read from .safetensors",
        ),
        (
            ["--from", "theirs", "file.pth", "small.arch", "-o", "o.pth"],
            2,
            "weights for canonical are saved as .safetensors",
        ),
        (["--from", "mine", "file.pth", "small.arch", "-o", "o.safetensors"], 1, "it does for theirs"),
        (
            ["--from", "theirs", "file.pth", "lesson_residual", "-o", "o.safetensors"],
            1,
            "does not say what theirs calls",
        ),
    ],
)
def test_other_mistakes(
    folder: Path, arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file.txt").write_text("")
    torch.save(theirs(), "file.pth")
    assert run(["weights", "import", *arguments]) == code
    assert says in capsys.readouterr().err


def test_a_safetensors_file_of_another_program_is_read_as_well(folder: Path) -> None:
    save_file({key: tensor.numpy() for key, tensor in theirs().items()}, "file.safetensors")
    arguments = ["weights", "import", "--from", "theirs", "file.safetensors", "small.arch", "-o", "out.safetensors"]
    assert run(arguments) == 0
    assert set(load_file("out.safetensors")) == set(archspec.parse(SPEC).elaborate().tensors())


def test_half_precision_keeps_its_numbers(folder: Path) -> None:
    state = {key: tensor.to(torch.bfloat16) for key, tensor in theirs().items()}
    code, found = imported(state)
    assert code == 0
    assert numpy.array_equal(found["linear.bias"], state["head.offset"].float().numpy())


def test_the_canonical_file_says_what_it_is_of_and_is_the_same_each_time(folder: Path) -> None:
    imported(theirs())
    first = Path("out.safetensors").read_bytes()
    imported(theirs())
    assert Path("out.safetensors").read_bytes() == first
    with safe_open("out.safetensors", framework="numpy") as file:
        assert json.loads(file.metadata()["archspec-weights-1"]) == {"network": "Small", "parameters": {"k": 10}}


def test_built_models_have_the_weights_of_their_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(theirs())
    model = archspec.build("small.arch", weights="out.safetensors")
    assert isinstance(model, torch.nn.Module)
    state = model.state_dict()
    assert torch.equal(state["unit_2.conv.weight"], theirs()["body.1.0.weight"])
    assert torch.equal(state["unit_2.bn.running_var"], theirs()["body.1.1.running_var"])
    assert run(["build", "small.arch", "--weights", "out.safetensors", "-o", "again.safetensors"]) == 0
    assert "with the weights of out.safetensors" in capsys.readouterr().out
    assert Path("again.safetensors").read_bytes() == Path("out.safetensors").read_bytes()
    assert run(["build", "small.arch", "-p", "k=3", "--weights", "out.safetensors"]) == 1
    assert "with `-p k=10` they would be" in capsys.readouterr().err


def test_take_wants_all_and_nothing_more() -> None:
    graph = archspec.parse(SPEC).elaborate()
    names = {name: (name,) for name in graph.tensors()}
    arrays = {name: numpy.zeros(shape, "float32") for name, shape in graph.tensors().items()}
    assert take(arrays, names, graph).keys() == names.keys()
    with pytest.raises(Misfits) as caught:
        take({}, names, graph)
    assert [misfit.kind for misfit in caught.value.misfits] == ["missing"] * len(names)
    assert isinstance(caught.value, WeightsError)


# What torchvision's own files say, which its code renames while it loads them.
def test_densenets_published_names_are_known() -> None:
    spec = archspec.load("densenet121")
    keys = spec.weight_keys("torchvision", spec.elaborate())
    assert keys["row_3/dense_1/bn_1.weight"][1] == "features.denseblock1.denselayer1.norm.1.weight"


# ---- out, and from one program to another ----


def test_what_is_taken_in_comes_out_again_the_same(folder: Path) -> None:
    imported(theirs())
    assert run(["weights", "export", "--to", "theirs", "out.safetensors", "small.arch", "-o", "back.pth"]) == 0
    back = torch.load("back.pth", weights_only=True)
    assert back.keys() == theirs().keys()
    assert all(torch.equal(back[key], tensor) for key, tensor in theirs().items())


def test_a_models_own_weights_go_to_another_program(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build", "small.arch", "--seed", "3", "-o", "model.pth"]) == 0
    convert = ["weights", "convert", "--from", "torch", "--to", "theirs", "model.pth", "small.arch"]
    assert run([*convert, "-o", "theirs.safetensors"]) == 0
    model = archspec.build("small.arch", options={"seed": 3})
    assert isinstance(model, torch.nn.Module)
    assert numpy.array_equal(
        load_file("theirs.safetensors")["stem.conv.weight"], model.state_dict()["first.conv.weight"].numpy()
    )
    assert run([*convert, "-o", "theirs.onnx"]) == 2
    assert "weights for theirs are saved as .safetensors, .pth" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["squeezenet1_1", "mnasnet0_5", "mobilenet_v2"])
def test_exported_weights_load_into_torchvisions_model(torchvision: ModuleType, folder: Path, name: str) -> None:
    """Strictly: torchvision finds every key, and none too many."""
    assert run(["build", name, "-o", "ours.safetensors"]) == 0
    assert run(["weights", "export", "--to", "torchvision", "ours.safetensors", name, "-o", "theirs.pth"]) == 0
    model = getattr(torchvision, name)(weights=None)
    model.load_state_dict(torch.load("theirs.pth", weights_only=True), strict=True)
    again = archspec.build(name, weights="ours.safetensors")
    assert isinstance(again, torch.nn.Module)
    x = torch.rand(1, 3, 64, 64)
    assert torch.allclose(again.eval()(x), model.eval()(x), atol=1e-6)


def test_what_is_to_be_left_out_is_no_misfit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = {**theirs(), "aux.weight": torch.zeros(3), "aux.bias": torch.zeros(3)}
    assert imported(state)[0] == 1
    assert imported(state, "--drop", "aux.")[0] == 0
    assert imported(state, "--drop", "aux.", "--drop", "no.such")[0] == 1
    assert "no key begins with `no.such`" in capsys.readouterr().err
