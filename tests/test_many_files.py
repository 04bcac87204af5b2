"""Commands that take several files, or a folder: one that cannot be read is told, and the others are done."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from archspec.cli.commands import run

GOOD = "arch 1\n\nnetwork N {\n  input 8 x 8 x 3\n  body conv(3, 4)\n  check params = 108\n}\n"


def archspec(*arguments: str, timeout: float = 30) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own, which a wait without an end does not take along."""
    command = [sys.executable, "-m", "archspec", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a pipe, a folder and a link to nothing among its files."""
    os.mkfifo(tmp_path / "a.arch")
    (tmp_path / "b.arch").mkdir()
    (tmp_path / "c.arch").symlink_to(tmp_path / "nowhere.arch")
    (tmp_path / "d.arch").write_text(GOOD)
    return tmp_path


@pytest.mark.parametrize(
    "command", [["check"], ["fmt", "--check"], ["verify", "--backend", "torch", "--backend", "onnx"]]
)
def test_what_is_not_a_file_in_a_folder_is_told_and_the_others_are_done(command: list[str], folder: Path) -> None:
    done = archspec(*command, str(folder))
    assert done.returncode == 3
    assert done.stderr.splitlines()[:3] == [
        f"error: {folder}/a.arch: it is not a file",
        f"error: {folder}/b.arch: it is not a file",
        f"error: {folder}/c.arch: No such file or directory",
    ]
    if command[0] == "check":
        assert done.stdout == f"{folder}/d.arch: no errors (1 claim)\n"
    if command[0] == "verify":
        assert "equal" in done.stdout


def test_check_goes_on_after_a_file_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.arch").write_text(GOOD)
    (tmp_path / "wrong.arch").write_text(GOOD.replace("conv", "cnov"))
    files = [str(tmp_path / name) for name in ("none.arch", "wrong.arch", "good.arch")]
    assert run(["check", *files]) == 3
    out, err = capsys.readouterr()
    assert [line.rpartition("/")[2] for line in out.splitlines()] == [
        "wrong.arch: 1 error",
        "good.arch: no errors (1 claim)",
    ]
    assert "none.arch: no such file" in err
    assert "unknown-operator" in err
    assert run(["check", *files[1:]]) == 1


def test_json_says_what_could_not_be_read(folder: Path) -> None:
    found = json.loads(archspec("check", str(folder), "--format", "json").stdout)
    assert found["diagnostics"] == []
    assert [(Path(one["file"]).name, one["reason"]) for one in found["unread"]] == [
        ("a.arch", "it is not a file"),
        ("b.arch", "it is not a file"),
        ("c.arch", "No such file or directory"),
    ]


def test_fmt_goes_on_after_a_file_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ugly.arch").write_text(GOOD.replace("  ", "      "))
    assert run(["fmt", str(tmp_path / "none.arch"), str(tmp_path / "ugly.arch")]) == 3
    assert "none.arch: No such file" in capsys.readouterr().err
    assert (tmp_path / "ugly.arch").read_text() == GOOD


def test_verify_goes_on_after_a_file_that_does_not_parse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.arch").write_text("arch 1\nnetwork {")
    (tmp_path / "b.arch").write_text(GOOD)
    assert run(["verify", str(tmp_path), "--backend", "torch", "--backend", "onnx"]) == 1
    out, err = capsys.readouterr()
    assert "equal" in out
    assert "error[unexpected-text]" in err


def test_a_pipe_that_is_named_is_read(tmp_path: Path) -> None:
    command = f"{sys.executable} -m archspec check <(cat {tmp_path}/net.arch)"
    (tmp_path / "net.arch").write_text(GOOD)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# ---- `serve`, before it listens ----


@pytest.mark.parametrize("name", ["a.arch", "b.arch", "c.arch"])
def test_serve_opens_no_pipe_no_folder_and_no_link_to_nothing(name: str, folder: Path) -> None:
    done = archspec("serve", str(folder / name), "--port", "0", "--no-open")
    assert (done.returncode, done.stdout) == (3, "")
    assert "it is not a file" in done.stderr or "no such file" in done.stderr


def test_serve_says_at_once_that_a_network_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "ok.arch").write_text(GOOD)
    done = archspec("serve", f"{tmp_path}/ok.arch:Nope", "--port", "0", "--no-open")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[unknown-member]" in done.stderr
    assert "Nope" in done.stderr


def test_serve_opens_the_network_that_is_named_and_a_file_with_mistakes(tmp_path: Path) -> None:
    from archspec.cli.serve import start

    (tmp_path / "ok.arch").write_text(GOOD)
    (tmp_path / "wrong.arch").write_text("arch 1\nnetwork {")
    found = start(f"{tmp_path}/ok.arch:N")
    assert (found.name, found.folder, found.member) == ("ok.arch", tmp_path, "N")
    assert start(f"{tmp_path}/wrong.arch:N").text.endswith("network {")
    assert start("mobilenet_v2_1_4").member == "mobilenet_v2_1_4"
