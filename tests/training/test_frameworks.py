"""Two frameworks, each in processes of its own: the same curves from the same weights and images."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from training import processes
from training.curves import few
from training.resumed import KILLED

# not imported: that would have two frameworks in the process of the tests
if not all(map(find_spec, ("keras", "tensorflow", "torch"))):
    pytest.skip("a framework is missing", allow_module_level=True)


def started(module: str, *arguments: object) -> "subprocess.Popen[bytes]":
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    return subprocess.Popen([sys.executable, "-m", module, *map(str, arguments)], stderr=subprocess.PIPE,
                            env={**os.environ, "PYTHONPATH": paths})  # fmt: skip


def finished(process: "subprocess.Popen[bytes]", code: int = 0) -> None:
    _, said = process.communicate(timeout=1800)
    assert process.returncode == code, said.decode()


def curves(folder: Path, names: list[str]) -> dict[str, tuple[Any, Any]]:
    """Name to the points of torch and of Keras."""
    few(folder)
    for process in [started("training.curves", chosen, folder, *names) for chosen in ("torch", "keras")]:
        finished(process)
    torch, keras = (json.loads((folder / f"{chosen}.json").read_bytes()) for chosen in ("torch", "keras"))
    return {name: (torch[name], keras[name]) for name in names}


def farthest(found: tuple[Any, Any], what: str) -> float:
    return max(abs(one[what] - other[what]) for one, other in zip(*found, strict=True))


@pytest.mark.slow
def test_torch_and_keras_have_one_loss_curve_for_every_kind_of_layer(tmp_path: Path) -> None:
    """Batch, group and layer normalisation, depthwise and grouped convolutions, an auxiliary output; float64."""
    found = curves(tmp_path, ["mixed"])["mixed"]
    assert len(found[0]) == 50
    assert found[0][0]["loss"] - found[0][-1]["loss"] > 0.5
    assert farthest(found, "loss") < 1e-8
    # of averaged weights and running statistics
    assert farthest(found, "validation_loss") < 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("chosen", ["torch", "keras"])
def test_a_run_that_was_killed_goes_on_to_the_same_bits(tmp_path: Path, chosen: str) -> None:
    finished(started("training.resumed", chosen, tmp_path / "parts", 8), KILLED)
    (run,) = [path for path in (tmp_path / "parts").iterdir() if path.is_dir()]
    assert not (run / "result.json").exists()
    finished(started("training.resumed", chosen, tmp_path / "parts", 0))
    finished(started("training.resumed", chosen, tmp_path / "whole", 0))
    for file in ("record.json", f"{run.name}/result.json", f"{run.name}/best.safetensors"):
        assert (tmp_path / "parts" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


@pytest.mark.slow
def test_keras_makes_a_whole_comparison(tmp_path: Path) -> None:
    found = json.loads(
        processes.finished(processes.started(tmp_path, *processes.SHORT, "--backend", "keras", "-j1"), tmp_path)
    )
    assert found["backend"] == "keras"
    assert "tensorflow-cpu" in found["versions"]
    assert [len(run["points"]) for run in found["runs"]] == [4] * 8
    assert {run["status"] for run in found["runs"]} <= {"converged", "not converged"}
