"""Models that are too large for one ONNX file: `x.onnx` with `x.onnx.data` beside it, both whole or neither."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy
import onnx
import onnxruntime
import pytest
from archspec_onnx import runtime
from onnx import ModelProto

import archspec
from archspec.backend import BackendError, Builds, get
from archspec.cli.commands import run
from archspec.files import whole_pair
from archspec.weights import draw

SPEC = "arch 1\nnetwork N { input 8 x 8 x 3 body conv(3, 16) -> bn -> relu -> flatten -> linear(10) }\n"
LARGE = "arch 1\nnetwork Large { input 32768 body linear(16384) -> relu -> linear(2) }\n"
GRAPH = archspec.parse(SPEC).elaborate()
THRESHOLD = 20_000


@pytest.fixture
def model() -> ModelProto:
    made = get("onnx", Builds).build(GRAPH)
    assert isinstance(made, ModelProto)
    return made


def loaded(path: Path) -> ModelProto:
    """The model in two files as if it had been in one."""
    made = onnx.load(path)
    for tensor in made.graph.initializer:
        tensor.ClearField("data_location")
    return made


def test_the_weights_are_in_a_file_beside_it_and_the_model_is_the_same(model: ModelProto, tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    runtime.save(model, path, THRESHOLD)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["x.onnx", "x.onnx.data"]
    assert path.stat().st_size < THRESHOLD < (tmp_path / "x.onnx.data").stat().st_size
    onnx.checker.check_model(str(path), full_check=True)
    images = numpy.random.default_rng(0).standard_normal((2, 8, 8, 3), "float32")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input": images.transpose(0, 3, 1, 2)})
    numpy.testing.assert_array_equal(found, runtime.run(model, GRAPH, images)["output"])
    assert loaded(path) == model
    for name, values in draw(GRAPH, 0):
        numpy.testing.assert_array_equal(runtime.read(path)[name], values)


def test_a_smaller_one_is_one_file_and_equal_models_are_equal_files(model: ModelProto, tmp_path: Path) -> None:
    runtime.save(model, tmp_path / "one.onnx", 10 * THRESHOLD)
    assert not (tmp_path / "one.onnx.data").exists()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        runtime.save(model, tmp_path / folder / "x.onnx", THRESHOLD)
    for name in ("x.onnx", "x.onnx.data"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_every_tensor_begins_at_a_page(model: ModelProto, tmp_path: Path) -> None:
    runtime.save(model, tmp_path / "x.onnx", THRESHOLD)
    written = onnx.load(tmp_path / "x.onnx", load_external_data=False)
    places = [{entry.key: entry.value for entry in t.external_data} for t in written.graph.initializer]
    assert {place["location"] for place in places} == {"x.onnx.data"}
    assert all(int(place["offset"]) % 4096 == 0 for place in places)
    assert not any(tensor.raw_data for tensor in written.graph.initializer)


def test_what_was_there_is_replaced_with_its_mode(model: ModelProto, tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"old")
    path.chmod(0o600)
    (tmp_path / "x.onnx.data").write_bytes(b"old")
    runtime.save(model, path, THRESHOLD)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert loaded(path) == model
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("old", [True, False])
def test_on_a_full_disk_neither_is_written_and_what_was_there_stays(old: bool, tmp_path: Path) -> None:
    (tmp_path / "n.arch").write_text(SPEC)
    if old:
        (tmp_path / "x.onnx").write_bytes(b"old")
        (tmp_path / "x.onnx.data").write_bytes(b"older")
    code = (
        "import resource, signal, archspec; from pathlib import Path; from archspec_onnx import runtime\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "made = archspec.build('n.arch', 'onnx')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))\n"
        "try: runtime.save(made, Path('x.onnx'), 20000)\n"
        "except OSError: print('refused')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "refused\n", done.stderr
    left = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.name != "n.arch"}
    assert left == ({"x.onnx": b"old", "x.onnx.data": b"older"} if old else {})


def test_where_the_second_cannot_take_its_place_the_first_does_not_either(tmp_path: Path) -> None:
    path, data = tmp_path / "x", tmp_path / "x.data"
    with pytest.raises(OSError, match=r"not empty|Is a directory"), whole_pair(path, data) as (first, second):  # noqa: PT012
        first.write_bytes(b"1")
        second.write_bytes(b"2")
        (data / "in").mkdir(parents=True)
    assert [file.name for file in tmp_path.iterdir()] == ["x.data"]


def test_where_the_first_cannot_take_its_place_the_second_does_not_either(tmp_path: Path) -> None:
    path, data = tmp_path / "x", tmp_path / "x.data"
    with pytest.raises(OSError, match=r"not empty|Is a directory"), whole_pair(path, data) as (first, second):  # noqa: PT012
        first.write_bytes(b"1")
        second.write_bytes(b"2")
        (path / "in").mkdir(parents=True)
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("name", ["x.onnx", "x.onnx.data"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_neither_is_a_link_or_a_pipe(name: str, kind: str, model: ModelProto, tmp_path: Path) -> None:
    match kind:
        case "link":
            (tmp_path / name).symlink_to(tmp_path / "elsewhere")
        case "pipe":
            os.mkfifo(tmp_path / name)
        case _:
            (tmp_path / name).mkdir()
    with pytest.raises(BackendError, match=rf"{name} is not a file of its own"):
        runtime.save(model, tmp_path / "x.onnx", THRESHOLD)
    assert len(list(tmp_path.iterdir())) == 1


def test_weights_of_such_a_model_are_read_from_its_folder_alone(
    model: ModelProto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("n.arch").write_text(SPEC)
    runtime.save(model, Path("x.onnx"), THRESHOLD)
    command = ["weights", "import", "--from", "onnx", "x.onnx", "n.arch", "-o", "x.safetensors"]
    assert run(command) == 0
    data = Path("x.onnx.data").read_bytes()
    Path("x.onnx.data").write_bytes(data[:-1])
    assert run(command) == 1
    assert "is said to end at byte" in capsys.readouterr().err
    Path("x.onnx.data").unlink()
    assert run(command) == 1
    assert "which is not there" in capsys.readouterr().err
    Path("inner").mkdir()
    Path("inner/x.onnx").write_bytes(Path("x.onnx").read_bytes())
    Path("x.onnx.data").write_bytes(data)
    Path("inner/x.onnx.data").symlink_to(tmp_path / "x.onnx.data")
    assert run([*command[:4], "inner/x.onnx", *command[5:]]) == 1
    assert "a link that leaves the model's folder" in capsys.readouterr().err


@pytest.mark.huge
def test_a_model_of_more_than_two_gigabytes(tmp_path: Path) -> None:
    graph = archspec.parse(LARGE).elaborate()
    backend = get("onnx", Builds)
    made = backend.build(graph)
    backend.save(made, graph, tmp_path / "x.onnx")
    assert (tmp_path / "x.onnx.data").stat().st_size > 2**31
    onnx.checker.check_model(str(tmp_path / "x.onnx"))
    images = numpy.random.default_rng(0).standard_normal((1, 2**15), "float32")
    session = onnxruntime.InferenceSession(str(tmp_path / "x.onnx"), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input": images})
    numpy.testing.assert_array_equal(found, backend.run(made, graph, images)["output"])
    weights = dict(draw(graph, 0))
    hidden = numpy.maximum(images @ weights["linear_1.weight"].T + weights["linear_1.bias"], 0)
    wanted = hidden @ weights["linear_2.weight"].T + weights["linear_2.bias"]
    numpy.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
