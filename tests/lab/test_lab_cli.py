"""`archspec lab relu` from an empty folder, and without its libraries."""

import json
import sys
from pathlib import Path

import pytest

from archspec.cli.commands import run


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_prints_a_line_for_each_m_of_the_figure(capsys: pytest.CaptureFixture[str], empty: Path) -> None:
    assert run(["lab", "relu", "--draws", "1000"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[3:8]] == [["2", m] for m in ("2", "3", "5", "15", "30")]
    assert list(empty.iterdir()) == []


def test_it_writes_figures_and_numbers(
    capsys: pytest.CaptureFixture[str], empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archspec.lab.experiment.STEPS", (1, 4))
    assert run(["lab", "relu", "--draws", "100", "--format", "json", "-o", "a/b"]) == 0
    printed = json.loads(capsys.readouterr().out)
    names = ["curves.png", "curves.svg", "figure1.png", "figure1.svg", "relu.json"]
    assert sorted(path.name for path in (empty / "a" / "b").iterdir()) == names
    written = json.loads((empty / "a" / "b" / "relu.json").read_text(encoding="utf-8"))
    assert written["cells"] == printed["cells"]
    assert [len(written["figure1"]), len(written["curves"])] == [5, 6]


def test_the_seed_decides_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    def printed(*arguments: str) -> list[object]:
        assert run(["lab", "relu", "--draws", "500", "--format", "json", *arguments]) == 0
        found: list[object] = json.loads(capsys.readouterr().out)["cells"]
        return found

    one = printed("--seed", "3")
    assert one == printed("--seed", "3") != printed("--seed", "4")
    assert printed("--seed", "3", "--dims", "4", "--dims", "2")[:5] == one


def test_a_file_in_the_place_of_the_folder_is_a_mistake_of_the_command_line(empty: Path) -> None:
    (empty / "taken").write_text("", encoding="utf-8")
    assert run(["lab", "relu", "-o", "taken"]) == 2


@pytest.mark.parametrize("module", ["numpy", "scipy", "matplotlib"])
def test_it_says_what_to_install(
    module: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert run(["lab", "relu"]) == 3
    said = capsys.readouterr().err
    assert f"needs `{module}`" in said
    assert "archspec-compiler[train]" in said
