"""Comparisons from end to end."""

import json
from pathlib import Path

import pytest
from training.processes import MEMBERS, SHORT
from training.small import SPEC

from archspec.cli.commands import run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.arch").write_text(SPEC)
    return tmp_path


def compare(*others: str) -> int:
    return run(["compare", *MEMBERS, *SHORT, *others, "-o", "c", "-j1"])


def test_a_comparison_writes_its_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare() == 0
    said = capsys.readouterr().out
    assert "(a) Steps to a validation accuracy of 0.95" in said
    assert "undecided" in said
    found = json.loads((folder / "c" / "results.json").read_bytes())
    assert {(r["label"], r["fraction"], r["seed"]) for r in found["runs"]} == {
        (label, fraction, seed) for label in ("thin", "wide") for fraction in (1.0, 0.2) for seed in (0, 1)
    }
    assert [member["stride_of_paper"] for member in found["members"]] == [4, 4]
    assert [member["stride"] for member in found["members"]] == [4, 2]
    page = (folder / "c" / "report.html").read_text()
    assert page.count("<svg") == 6
    assert "<script" not in page
    assert "://" not in page.replace("http://www.w3.org", "")
    assert len(list((folder / "c" / "figures").glob("*.png"))) == 6
    assert "thin" in (folder / "c" / "report.md").read_text()


def test_no_finished_run_is_made_again(folder: Path) -> None:
    assert compare() == 0
    before = {path: path.stat().st_mtime_ns for path in folder.glob("c/runs/*/result.json")}
    assert compare("--seeds", "3") == 0
    after = {path: path.stat().st_mtime_ns for path in folder.glob("c/runs/*/result.json")}
    assert len(after) == len(before) + 4
    assert all(after[path] == time for path, time in before.items())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["net.arch@c=4", "net.arch"], 2, "two networks are called net"),
        (["net.arch@c"], 2, "is not LABEL=SPEC@NAME=VALUE"),
        (["net.arch", "-p", "d=4"], 2, "no network has a parameter `d`"),
        (["net.arch@stride=3"], 1, "cannot become 3"),
        (["net.arch@input=big"], 2, "is not such a number"),
        (["net.arch", "--fractions", "2"], 2, "at most 1"),
        (["net.arch", "--data", "digit"], 1, "did you mean `digits`"),
        (["net.arch", "--backend", "onnx"], 1, "trains no networks"),
        (["net.arch", "--cluster", "slurm://x"], 2, "no cluster"),
        (["none.arch"], 3, "no such file"),
        (["net.arch", "--lr", "fast"], 2, "not numbers"),
        (["lesson_residual"], 2, "classes"),
    ],
)
def test_what_cannot_be_compared_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert run(["compare", *arguments, "--steps", "2", "-o", "c"]) == code
    assert said in capsys.readouterr().err
