"""Memory is asked for before it is used, and a file of weights is looked at before it is read."""

import json
import math
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import torch
from safetensors.numpy import load_file, save_file

import archspec
from archspec import room
from archspec.backend import Builds, get
from archspec.cli.commands import run
from archspec.weights import Misfits, WeightsError, draw, take
from archspec.weights.header import LONGEST

HUGE = "arch 1\nnetwork Huge {\n  input 1000000\n  body linear(1000000)\n}\n"
SMALL = "arch 1\nnetwork Small {\n  input 2\n  body linear(3)\n}\n"
BYTES = 4 * (10**12 + 10**6)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "huge.arch").write_text(HUGE)
    (tmp_path / "small.arch").write_text(SMALL)
    save_file(tensors(), "good.safetensors")
    return tmp_path


def tensors() -> dict[str, numpy.ndarray]:
    return {"linear.weight": numpy.ones((3, 2), "float32"), "linear.bias": numpy.zeros(3, "float32")}


# ---- building ----


FORMS = [(name, suffix) for name in ("torch", "keras", "onnx") for suffix in get(name, Builds).formats]


@pytest.mark.parametrize(("backend", "suffix"), FORMS)
def test_weights_beyond_the_machine_are_refused_with_the_sum(
    backend: str, suffix: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    output = f"out.weights{suffix}"
    assert run(["build", "huge.arch", "--backend", backend, "-o", output, "--max-size", "1000000"]) == 4
    have = room.memory()
    assert have is not None
    assert capsys.readouterr().err == (
        f"error: the weights of `Huge` need 3.6 TiB, and this machine has {room.amount(have)}\n"
        " = help: `--max-memory N` sets a limit of N GiB instead\n"
    )
    assert not Path(output).exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20  # KiB


def test_no_framework_is_imported_to_refuse_them(folder: Path) -> None:
    code = (
        "import sys; from archspec.cli.commands import run\n"
        "codes = [run(['build', 'huge.arch', '--backend', name]) for name in ('torch', 'keras', 'onnx')]\n"
        "assert codes == [4, 4, 4], codes\n"
        "assert not {'torch', 'keras', 'onnx', 'tensorflow', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_every_way_to_draw_or_compare_weights_asks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = archspec.load("huge.arch").elaborate()
    for work in (
        lambda: draw(graph, 0),
        lambda: archspec.build("huge.arch"),
        lambda: archspec.build("huge.arch", optimize=True),
        lambda: get("onnx", Builds).build(graph),
    ):
        with pytest.raises(room.TooLarge, match=r"need 3\.6 TiB"):
            work()
    assert run(["verify", "huge.arch"]) == 4
    assert "7.3 TiB" in capsys.readouterr().err
    assert get("torch", Builds).build(graph, device="meta") is not None


def test_the_limit_is_lowered_and_raised(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = archspec.load("huge.arch").elaborate()
    with room.at_most(BYTES):
        room.check_weights(graph)
    with room.at_most(BYTES - 1), pytest.raises(room.TooLarge, match=r"the limit is 3\.6 TiB"):
        room.check_weights(graph)
    with room.at_most(BYTES), pytest.raises(room.TooLarge):
        room.check_weights(graph, "float64")
    with room.at_most(BYTES // 2):
        room.check_weights(graph, torch.float16)
    assert run(["build", "huge.arch", "--max-memory", "2"]) == 4
    assert "the limit is 2.0 GiB" in capsys.readouterr().err
    assert run(["build", "small.arch", "--max-memory", "1"]) == 0


def test_what_a_process_may_have_counts(folder: Path) -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_DATA, (2**31, -1))\n"
        "from archspec import room; print(room.memory())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == f"{2**31}\n"


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1,023 B"), (1024, "1.0 KiB"), (23 * 2**30, "23 GiB"), (BYTES, "3.6 TiB"),
                       (2**90, "1,073,741,824 EiB")],
)  # fmt: skip
def test_an_amount_is_said_in_its_unit(size: int, text: str) -> None:
    assert room.amount(size) == text


# ---- the head of a safetensors file ----


def file_of(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def tensor(shape: list[int], start: int, stop: int, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


TWICE = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
LIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it says that its header has 0 bytes, and the file has 0"),
    "half a length": (b"\x02\x00", "the file has 2"),
    "zeros": (bytes(100), "it says that its header has 0 bytes"),
    "a header longer than the file": (file_of({}, length=2**40), "has 1,099,511,627,776 bytes, and the file has 10"),
    "a header of another file": (file_of(b"PK\x03\x04"), "its header is not JSON"),
    "a header that is nested": (file_of(b"[" * 100_000), "its header is not JSON"),
    "a number of many digits": (file_of(b'{"a":' + b"9" * 5000 + b"}"), "its header is not JSON"),
    "a list": (file_of([]), "its header is not an object of JSON"),
    "a key that stands twice": (file_of(TWICE, bytes(8)), "`a` stands twice in its header"),
    "more than the file has": (
        file_of({"a": tensor([2**40], 0, 2**42)}), "tensors have 4,398,046,511,104 bytes, and the file has 0 of them"
    ),
    "less than the file has": (file_of({"a": tensor([1], 0, 4)}, bytes(9)), "and the file has 9 of them"),
    "a shape of another size": (
        file_of({"a": tensor([2**31, 2**31], 0, 4)}, bytes(4)), "`a` does not have as many bytes"
    ),
    "a hole": (file_of({"a": tensor([1], 4, 8)}, bytes(8)), "the bytes of `a` begin at 4, not at 0"),
    "two at one place": (
        file_of({"a": tensor([1], 0, 4), "b": tensor([1], 0, 4)}, bytes(4)), "the bytes of `b` begin at 0, not at 4"
    ),
    "a negative side": (file_of({"a": tensor([-1, -1], 0, 4)}, bytes(4)), "`a` is not a type, a shape and a place"),
    "an unknown type": (file_of({"a": tensor([1], 0, 4, "F31")}, bytes(4)), "`a` is not a type"),
    "a tensor that is a number": (file_of({"a": 3}), "`a` is not a type"),
    "a name with control bytes": (file_of({"\x1b[2J" + "x" * 10**6: 3}), "`<1B>[2J"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_head_that_is_not_true_is_refused(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, said = LIES[name]
    Path("bad.safetensors").write_bytes(data)
    assert run(["build", "small.arch", "--weights", "bad.safetensors"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: bad.safetensors: this is not a safetensors file that can be read: ")
    assert said in error
    assert len(error) < 500


@pytest.mark.parametrize("begin", [b"", (2**33).to_bytes(8, "little"), (2**31).to_bytes(8, "little")])
def test_a_large_file_of_zeros_or_of_a_lying_length_is_not_read(begin: bytes, folder: Path) -> None:
    with open("bad.safetensors", "wb") as file:
        file.write(begin)
        os.truncate("bad.safetensors", 2**32)
    code = (
        "import resource, sys; from archspec.cli.commands import run\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (2**30, -1))\n"
        "sys.exit(run(['build', 'small.arch', '--weights', 'bad.safetensors']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "this is not a safetensors file that can be read" in done.stderr


def test_a_header_has_a_limit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.safetensors").write_bytes((LONGEST + 1).to_bytes(8, "little") + bytes(LONGEST + 1))
    assert run(["build", "small.arch", "--weights", "bad.safetensors"]) == 1
    assert "its header has 33,554,433 bytes, and the limit is 33,554,432" in capsys.readouterr().err


def test_true_files_are_read(folder: Path) -> None:
    every = {
        kind: numpy.ones((2, 1, 3), kind)
        for kind in ("float64", "float32", "float16", "int64", "uint8", "int32", "bool", "int8", "int16", "uint64")
    }
    every |= {"number": numpy.array(3.0), "nothing": numpy.zeros((0, 4))}
    save_file(every, "every.safetensors", {"some": "metadata"})
    from archspec.weights import tensors_of

    found = tensors_of(Path("every.safetensors"))
    assert {name: (a.dtype, a.shape) for name, a in found.items()} == {n: (a.dtype, a.shape) for n, a in every.items()}


# ---- what is taken ----


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_numbers_that_are_not_finite_are_taken_only_if_somebody_asks(
    value: float, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tensors()
    made["linear.weight"][1, 1] = value
    save_file(made, "bad.safetensors")
    build = ["build", "small.arch", "--weights", "bad.safetensors", "-o", "out.safetensors"]
    convert = ["weights", "convert", "--from", "torch", "--to", "canonical", "bad.pth", "small.arch",
               "-o", "out.safetensors"]  # fmt: skip
    torch.save({key: torch.from_numpy(array) for key, array in made.items()}, "bad.pth")
    for command in (build, convert):
        Path("out.safetensors").unlink(missing_ok=True)
        assert run(command) == 1
        error = capsys.readouterr().err
        assert "1 nonfinite" in error
        assert "linear.weight  1 of its 6 numbers are not finite" in error
        assert "--allow-nonfinite" in error
        assert not Path("out.safetensors").exists()
        assert run([*command, "--allow-nonfinite"]) == 0
        numpy.testing.assert_array_equal(load_file("out.safetensors")["linear.weight"], made["linear.weight"])
        capsys.readouterr()


def test_a_million_wrong_keys_make_a_short_message() -> None:
    graph = archspec.parse(SMALL).elaborate()
    one = numpy.ones((), "float32")
    given = {f"key_{number}": one for number in range(200_000)} | {"x" * 10**6: one}
    with pytest.raises(Misfits) as caught:
        take(given, {name: (name,) for name in graph.tensors()}, graph)
    assert len(caught.value.misfits) == 200_003
    text = str(caught.value)
    assert "2 missing, 200001 extra" in text
    assert "  extra      … and 199,981 more" in text
    assert len(text) < 3000


WRAPPED: list[tuple[str, Callable[[dict[str, torch.Tensor]], object], list[str]]] = [
    ("plain", lambda state: state, []),
    ("parallel", lambda state: {f"module.{key}": value for key, value in state.items()},
     ["file.pth: `module.`, with which every key begins, is taken off"]),
    ("a checkpoint of a compiled model",
     lambda state: {"epoch": 3, "state_dict": {f"_orig_mod.{key}": value for key, value in state.items()}},
     ["file.pth: these are the tensors in `state_dict` of the file",
      "file.pth: `_orig_mod.`, with which every key begins, is taken off"]),
]  # fmt: skip


@pytest.mark.parametrize(("wrap", "notes"), [case[1:] for case in WRAPPED], ids=[case[0] for case in WRAPPED])
def test_what_was_taken_off_is_said(
    wrap: Callable[[dict[str, torch.Tensor]], object],
    notes: list[str],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    torch.save(wrap({key: torch.from_numpy(array) for key, array in tensors().items()}), "file.pth")
    assert run(["weights", "import", "--from", "torch", "file.pth", "small.arch", "-o", "out.safetensors"]) == 0
    assert capsys.readouterr().err.splitlines() == notes


def test_an_initializer_of_onnx_that_stands_twice_is_refused(folder: Path) -> None:
    from archspec_onnx.runtime import read
    from onnx import helper, numpy_helper, save

    twice = [numpy_helper.from_array(numpy.ones(3, "float32"), "a")] * 2
    save(helper.make_model(helper.make_graph([], "g", [], [], twice)), "twice.onnx")
    with pytest.raises(WeightsError, match="two of its initializers have one name"):
        read(Path("twice.onnx"))
