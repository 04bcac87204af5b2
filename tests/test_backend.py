"""Finding backends, what is said when one cannot be had, and the files that they save."""

import inspect
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import metadata
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from archspec_onnx import Backend as Onnx
from archspec_torch import Backend as Torch

from archspec import backend
from archspec.backend import Backend, Builds, UnknownBackend, Unsupported
from archspec.decompile import Decompiles
from archspec.errors import Refusal
from archspec.files import whole_file

ROOT = Path(__file__).parent.parent
GROUP = backend.GROUP


def point(name: str, value: str, owner: str) -> EntryPoint:
    made = EntryPoint(name=name, value=value, group=GROUP)
    vars(made)["dist"] = SimpleNamespace(name=owner)
    return made


def installed(monkeypatch: pytest.MonkeyPatch, *points: EntryPoint) -> None:
    monkeypatch.setattr(metadata, "entry_points", lambda group: points if group == GROUP else ())


@pytest.fixture(autouse=True)
def looked_up_anew() -> Iterator[None]:
    """Tests change what is installed, which is looked up once."""
    backend.found.cache_clear()
    yield
    backend.found.cache_clear()


def test_names_are_read_without_importing(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, point("zz", "no_such_module:Backend", "zz"), point("aa", "nor_this:Backend", "aa"))
    assert backend.available() == ("aa", "zz")


def test_an_unknown_name_is_answered_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, point("torch", "archspec_torch:Backend", "archspec-compiler"))
    with pytest.raises(UnknownBackend, match="no backend `troch`") as error:
        backend.get("troch", Builds)
    assert (error.value.help, error.value.exit_code) == ("did you mean `torch`?", 2)


def test_two_distributions_with_one_name_are_both_named(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, point("torch", "a:Backend", "theirs"), point("torch", "b:Backend", "ours"))
    with pytest.raises(Refusal, match="ours and by theirs"):
        backend.get("torch", Builds)


def test_one_distribution_found_twice_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    again = [point("torch", "archspec_torch:Backend", "archspec-compiler") for _ in range(2)]
    installed(monkeypatch, *again)
    assert backend.get("torch", Builds).name == "torch"


def test_a_backend_comes_as_the_ability_that_is_asked_for() -> None:
    from archspec.train.task import Trains

    assert backend.get("torch", Trains).trains_with == ("lightning", "torch")


@pytest.mark.parametrize(
    ("name", "abilities"),
    [
        ("keras", {"Builds", "ReadsWeights", "Trains", "WritesSource"}),
        ("onnx", {"Builds", "Decompiles", "ReadsWeights"}),
        ("torch", {"Builds", "Decompiles", "ReadsWeights", "Trains", "WritesSource", "WritesWeights"}),
    ],
)
def test_our_backends_have_these_abilities_with_the_arguments_that_are_said(name: str, abilities: set[str]) -> None:
    from archspec.emit import WritesSource
    from archspec.train.task import Trains

    found = backend.get(name, Backend)
    every = (Builds, Decompiles, backend.ReadsWeights, Trains, WritesSource, backend.WritesWeights)
    assert backend.LACKING.keys() == set(every)
    having: list[Any] = [one for one in every if backend.able(found, one)]
    assert {one.__name__ for one in having} == abilities
    for one in having:
        for method in filter(inspect.isfunction, (getattr(one, part, None) for part in backend.parts(one))):
            own = inspect.signature(getattr(type(found), method.__name__))
            assert list(own.parameters) == list(inspect.signature(method).parameters), method


class Builder:
    """A backend of somebody else's that only builds."""

    name, framework, extra, formats, precision = "theirs", "theirs", "theirs", {".x": "x"}, "float32"

    def ready(self) -> None: ...

    build = run = measure = keys = save = ready


class Broken:
    def __init__(self) -> None:
        raise RuntimeError("why")


@pytest.mark.parametrize(
    ("asked", "help_"),
    [
        ({"theirs": Builder}, None),
        ({"theirs": Builder, "torch": Torch, "bad": Broken}, "`torch` does"),
        ({"theirs": Builder, "torch": Torch, "onnx": Onnx}, "`onnx` and `torch` do"),
    ],
)
def test_a_backend_without_an_ability_says_which_backends_have_it(
    monkeypatch: pytest.MonkeyPatch, asked: dict[str, type], help_: str | None
) -> None:
    points = [
        SimpleNamespace(name=name, value=name, dist=None, load=lambda made=made: made) for name, made in asked.items()
    ]
    monkeypatch.setattr(metadata, "entry_points", lambda group: points)
    assert backend.get("theirs", Builds).formats == {".x": "x"}
    with pytest.raises(backend.Unable, match=r"^the theirs backend reads no models$") as error:
        backend.get("theirs", Decompiles)
    assert (error.value.help, error.value.exit_code) == (help_, 1)


def test_an_ability_is_found_without_the_framework() -> None:
    script = (
        "import sys; from archspec.backend import Builds, get; get('keras', Builds); sys.exit('keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


WITHOUT = """
import sys
sys.modules["{module}"] = None
import archspec
from archspec.optional import MissingFramework
from archspec.backend import Builds, get
graph = archspec.parse("arch 1 network N {{ input 4 x 4 x 2 body relu }}").elaborate()
try:
    get("torch", Builds).build(graph)
except MissingFramework as error:
    print(error, error.help, error.exit_code, sep="; ")
"""


def without(module: str) -> subprocess.CompletedProcess[str]:
    """What building says where a module cannot be imported."""
    path = os.pathsep.join(str(ROOT / folder) for folder in (".", "backends"))
    command = [sys.executable, "-c", WITHOUT.format(module=module)]
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_missing_framework_is_named_with_the_extra_that_installs_it() -> None:
    said = without("torch").stdout.strip()
    advice = "pip install 'archspec-compiler[torch]'"
    assert said == f"the torch backend needs `torch`, which is not installed; {advice}; 3"


def test_any_other_missing_module_is_not_taken_for_the_framework() -> None:
    done = without("archspec.hierarchy")
    assert (done.returncode, done.stdout) == (1, "")
    assert "ModuleNotFoundError" in done.stderr


def test_what_a_backend_cannot_build_is_named_with_its_place() -> None:
    error = Unsupported("torch", "attention", "row_3/attention")
    assert str(error) == "the torch backend cannot build `attention` (at row_3/attention)"
    assert error.exit_code == 1


def test_a_backend_says_what_it_needs_and_saves_before_its_framework_is_there() -> None:
    found = backend.get("torch", Builds)
    assert (found.framework, found.extra) == ("torch", "torch")
    assert {".pth", ".safetensors", ".pt", ".pt2"} == set(found.formats)


# ---- files, whole or not at all ----


def test_a_file_takes_its_place_once_all_went_well(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    with whole_file(path) as temporary:
        temporary.write_bytes(b"new")
        assert (temporary.suffix, temporary.parent, path.exists()) == (".pt", tmp_path, False)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("mistake", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path, mistake: type[BaseException]) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(b"old")

    def fail() -> None:
        with whole_file(path) as temporary:
            temporary.write_bytes(b"half")
            raise mistake

    with pytest.raises(mistake):
        fail()
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]


def test_a_new_file_has_the_mode_of_new_files_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    old = tmp_path / "old.pt"
    old.touch()
    old.chmod(0o640)
    plain = tmp_path / "plain"
    plain.touch()
    for path in (old, tmp_path / "new.pt"):
        with whole_file(path) as temporary:
            temporary.write_bytes(b"x")
    assert old.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "new.pt").stat().st_mode == plain.stat().st_mode


def test_a_link_stays_a_link_to_the_file_that_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.pt"
    link.symlink_to(tmp_path / "real" / "a.bin")
    with whole_file(link) as temporary:
        assert temporary.suffix == ".pt"
        temporary.write_bytes(b"x")
    assert link.is_symlink()
    assert (tmp_path / "real" / "a.bin").read_bytes() == b"x"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipe.pt"
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()), daemon=True)
    reader.start()
    with whole_file(path) as temporary:
        temporary.write_bytes(b"x")
    reader.join(timeout=120)
    assert (got, path.is_fifo(), os.listdir(tmp_path)) == ([b"x"], True, ["pipe.pt"])


def test_what_cannot_be_written_is_an_os_error_that_names_the_file_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as error, whole_file(tmp_path / "none" / "a.pt"):
        pass
    assert error.value.filename == str(tmp_path / "none" / "a.pt")
    with pytest.raises(IsADirectoryError), whole_file(tmp_path):
        pass
