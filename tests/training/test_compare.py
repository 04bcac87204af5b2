"""Comparisons from end to end: whatever happens on the way, the same result file."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from training.small import SPEC

from archspec.cli.commands import run

SAID = ["--steps", "8", "--interval", "2", "--batch", "16", "--input", "16x16", "--seeds", "2", "--fractions", "1,0.2"]
MEMBERS = ["thin=net.arch@c=4", "wide=net.arch@width=2,stride=2"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.arch").write_text(SPEC)
    return tmp_path


def compare(*others: str) -> int:
    return run(["compare", *MEMBERS, *SAID, "--lr", "0.003,0.01", *others])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The result file of a comparison that nothing happened to."""
    place = tmp_path_factory.mktemp("undisturbed")
    (place / "net.arch").write_text(SPEC)
    command = [sys.executable, "-m", "archspec", "compare", *MEMBERS, *SAID, "--lr", "0.003,0.01", "-o", "c", "-j1"]
    subprocess.run(command, cwd=place, check=True, capture_output=True)
    return (place / "c" / "results.json").read_bytes()


def test_a_comparison_writes_its_report(folder: Path, capsys: pytest.CaptureFixture[str], undisturbed: bytes) -> None:
    assert compare("-o", "c", "-j1") == 0
    said = capsys.readouterr().out
    assert "(a) Steps to a validation accuracy of 0.95" in said
    assert "undecided" in said
    assert (folder / "c" / "results.json").read_bytes() == undisturbed
    found = json.loads(undisturbed)
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
    assert compare("-o", "c", "-j1") == 0
    before = {path: path.stat().st_mtime_ns for path in folder.glob("c/runs/*/result.json")}
    assert compare("-o", "c", "-j1", "--seeds", "3") == 0
    after = {path: path.stat().st_mtime_ns for path in folder.glob("c/runs/*/result.json")}
    assert len(after) == len(before) + 4
    assert all(after[path] == time for path, time in before.items())


def started(place: Path, *others: str) -> "subprocess.Popen[bytes]":
    (place / "net.arch").write_text(SPEC)
    command = [sys.executable, "-m", "archspec", "compare", *MEMBERS, *SAID, "--lr", "0.003,0.01", "-o", "c", "-j2"]
    return subprocess.Popen([*command, *others], cwd=place, start_new_session=True, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE)  # fmt: skip


def ended(place: Path) -> int:
    return len(list(place.glob("c/runs/*/result.json")))


def wait_for(place: Path, runs: int, process: "subprocess.Popen[bytes]") -> None:
    """Until so many runs have ended."""
    for _ in range(1200):
        if ended(place) >= runs or process.poll() is not None:
            return
        time.sleep(0.05)
    raise AssertionError(f"{ended(place)} runs in a minute")


def children(pid: int) -> list[int]:
    """The workers of a process."""
    import psutil

    return [child.pid for child in psutil.Process(pid).children(recursive=True) if "loky" in " ".join(child.cmdline())]


def test_a_killed_comparison_ends_in_the_same_file(tmp_path: Path, undisturbed: bytes) -> None:
    process = started(tmp_path)
    wait_for(tmp_path, 3, process)
    process.kill()
    process.communicate()
    before = ended(tmp_path)
    assert 3 <= before < 12
    process = started(tmp_path)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()
    assert (tmp_path / "c" / "results.json").read_bytes() == undisturbed


def test_a_killed_worker_costs_only_its_run(tmp_path: Path, undisturbed: bytes) -> None:
    process = started(tmp_path)
    wait_for(tmp_path, 2, process)
    for child in children(process.pid):
        os.kill(child, signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()
    assert (tmp_path / "c" / "results.json").read_bytes() == undisturbed


def test_a_killed_comparison_leaves_no_worker(tmp_path: Path) -> None:
    process = started(tmp_path)
    wait_for(tmp_path, 1, process)
    workers = children(process.pid)
    assert workers
    process.kill()
    process.communicate()
    for _ in range(100):
        if not any(Path(f"/proc/{worker}").exists() for worker in workers):
            return
        time.sleep(0.1)
    raise AssertionError("a worker lives on")


def test_ctrl_c_stops_within_a_second_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = started(tmp_path)
    wait_for(tmp_path, 1, process)
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=20)
    # a second is promised; this machine may be busy with other tests
    assert time.monotonic() - begun < 3
    assert process.returncode == 130
    assert "the same command goes on from there" in said.decode()
    assert "Traceback" not in said.decode()


@pytest.mark.slow
@pytest.mark.parametrize("cluster", ["dask://", "ray://"])
def test_a_cluster_gives_the_same_file(folder: Path, undisturbed: bytes, cluster: str) -> None:
    process = started(folder, "--cluster", cluster)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0, said.decode()
    assert (folder / "c" / "results.json").read_bytes() == undisturbed


def wrong(*arguments: Any) -> list[str]:
    return [str(argument) for argument in arguments]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["net.arch@c=4", "net.arch"], 2, "two networks are called net"),
        (["net.arch@c"], 2, "is not LABEL=SPEC@NAME=VALUE"),
        (["net.arch", "-p", "d=4"], 2, "no network has a parameter `d`"),
        (["net.arch@stride=3"], 1, "cannot become 3"),
        (["net.arch@input=big"], 2, "is no such number"),
        (["net.arch", "--fractions", "2"], 2, "at most 1"),
        (["net.arch", "--data", "digit"], 1, "did you mean `digits`"),
        (["net.arch", "--backend", "onnx"], 1, "trains no networks"),
        (["net.arch", "--cluster", "slurm://x"], 1, "no cluster"),
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
