"""`archspec train` and `archspec evaluate`: one network on one's own images."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from training.processes import evaluations
from training.small import SPEC

from archspec.cli.commands import run

TRAIN = [
    "train",
    "net.arch",
    "--data",
    "folder:photos",
    "--input",
    "16x16",
    "--lr",
    "0.01",
    "--batch",
    "8",
    "-o",
    "mine",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Dark cats and bright dogs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.arch").write_text(SPEC)
    generator = np.random.default_rng(0)
    for name, shade in (("cat", 0), ("dog", 155)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(30):
            image = shade + generator.integers(0, 100, (20, 24, 3))
            Image.fromarray(image.astype(np.uint8)).save(tmp_path / "photos" / name / f"{i}.png")
    return tmp_path


def test_a_network_learns_a_folder_of_images_and_is_evaluated(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*TRAIN, "--steps", "30", "--interval", "5", "--save", "net.pth"]) == 0
    said = capsys.readouterr().out
    assert "test 1.0000" in said
    assert "saved to mine/weights.safetensors and net.pth" in said
    assert (folder / "net.pth").stat().st_size > 1000
    assert run(["evaluate", "mine", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["accuracy"] == 1
    assert found["classes"] == ["cat", "dog"]
    assert found["confusion"] == [[8, 0], [0, 8]]


def test_an_image_that_cannot_be_read_is_named_and_nothing_is_left(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "photos" / "cat" / "7.png").write_bytes(b"no image")
    assert run([*TRAIN, "--steps", "2"]) == 1
    assert "photos/cat/7.png cannot be read" in capsys.readouterr().err
    assert not list(folder.glob("mine/**/*.npy"))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["train", "net.arch", "--save", "net.txt"], 2, "the torch backend saves"),
        (["train", "net.arch", "--weights", "none.safetensors"], 3, "No such file"),
        (["train", "net.arch", "--data", "folder:photos"], 1, "--input HxW"),
        (["evaluate", "net.arch"], 2, "--weights says which"),
        (["evaluate", "photos"], 3, "is not a folder that `archspec train` wrote"),
    ],
)
def test_what_cannot_be_trained_or_evaluated_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert run(arguments) == code
    assert said.lower() in capsys.readouterr().err.lower()


class Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


def test_a_checkpoint_of_somebody_else_runs_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [*TRAIN, "--steps", "2", "--interval", "2"]
    assert run(command) == 0
    (own,) = (folder / "mine" / "runs").iterdir()
    for path in own.iterdir():
        path.unlink() if path.is_file() else shutil.rmtree(path)
    torch.save({"state_dict": Evil(folder / "marker")}, own / "resume.ckpt")
    assert run(command) == 3
    assert "more than numbers is in it, and loading it could run code" in capsys.readouterr().err
    assert not (folder / "marker").exists()


@pytest.mark.slow
def test_training_that_was_killed_goes_on_to_the_same_weights(folder: Path) -> None:
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])

    def begun(output: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "training.often", *TRAIN[:-1], output, "--steps", "60", "--interval", "2"]
        return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": paths})

    whole, killed = begun("whole"), begun("c")
    while not evaluations(folder) and killed.poll() is None:
        time.sleep(0.02)
    killed.kill()
    killed.communicate()
    assert not (folder / "c" / "weights.safetensors").exists()
    for process in (begun("c"), whole):
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said.decode()
    for name in ("weights.safetensors", "results.json", "trained.json"):
        assert (folder / "c" / name).read_bytes() == (folder / "whole" / name).read_bytes()
