"""The same as `test_system_calls.py` by what Python itself tells: quick, and on every system."""

import os
import pickle
import re
import sys
from pathlib import Path

import pytest
from security.allowed import ROOT, STARTED, SYSTEM, WRITTEN, beneath, packages
from security.hostile import COMMANDS, MADE, Plant, code, named, written

from archspec.cli.commands import run
from fuzz.watched import nothing_runs, runs, watched

BESIDE = re.compile(r"\.[0-9a-f]{16}\.\w+")
"""What is written beside an output, and then takes its place."""
NAMED = "archspec."
"""What the cache of parsed specs has in its pickles, which are the user's own."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hostile")
    written(made, made / "marker")
    return made


@pytest.mark.parametrize("kind", COMMANDS)
def test_nothing_runs_and_no_other_file_is_opened(
    kind: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with watched() as found:
        for command in COMMANDS[kind]:
            run(command)
    assert "Traceback" not in capsys.readouterr().err
    started = [(event, str(said)[:200]) for event, said in found if runs(event) and not known(event, said)]
    assert started == []
    opened = [os.path.abspath(path) for event, said in found if event == "open" for path in paths(said[0])]
    searched = [os.path.abspath(path) for path in sys.path if path]  # for modules; some are not folders at all
    allowed = (*SYSTEM, *WRITTEN, *packages(), *searched, str(tmp_path), *named(COMMANDS[kind], folder))
    others = [Path(path) for path in opened if not beneath(path, allowed)]
    assert [path for path in others if path.parent != folder or not BESIDE.fullmatch(path.name)] == []
    assert named(COMMANDS[kind], folder) <= set(opened)
    assert not (folder / "marker").exists()
    assert {file.name for file in folder.iterdir() if file.name.startswith("made")} <= MADE


def paths(said: object) -> list[str]:
    """The path that is opened; a number stands for a file that is open already."""
    return [os.fsdecode(said)] if isinstance(said, str | bytes | os.PathLike) else []


def known(event: str, said: tuple[object, ...]) -> bool:
    """Whether an event is of the cache of parsed specs, or of a program that a library starts when it is imported."""
    if event == "subprocess.Popen":
        return said[1] in [list(program) for program in STARTED]
    return event == "pickle.find_class" and str(said[0]).startswith((NAMED, "builtins"))


@pytest.mark.parametrize(
    "does",
    [
        lambda: os.system("true"),
        lambda: __import__("subprocess").run(["true"], check=True),
        lambda: __import__("socket").socket().close(),
        lambda: pickle.loads(pickle.dumps(Plant("pass"))),
    ],
    ids=["system", "subprocess", "socket", "pickle"],
)
def test_what_runs_is_seen(does: object) -> None:
    assert callable(does)
    with pytest.raises(AssertionError, match="something runs"), nothing_runs():
        does()


def test_the_page_has_the_list_of_what_is_read_of_a_system() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert [path for path in SYSTEM if f"`{path}`" not in page] == []


def test_what_is_planted_does_run(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Plant(code(tmp_path / "marker"))))
    assert (tmp_path / "marker").exists()
