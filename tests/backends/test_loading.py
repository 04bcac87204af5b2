"""What is saved loads as README.md has it, and computes the same in every form."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from archspec.cli.commands import run


def test_every_form_loads_and_computes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, backend in {"net.pt": "torch", "net.pt2": "torch", "net.onnx": "onnx", "net.keras": "keras"}.items():
        assert run(["build", "squeezenet1_1", "--backend", backend, "-o", name]) == 0
    outputs = [np.asarray(found) for found in runpy.run_path(str(Path(__file__).with_name("loading.py")))["outputs"]]
    assert outputs[0].shape == (2, 1000)
    for other in outputs[1:]:
        np.testing.assert_allclose(other, outputs[0], rtol=1e-3, atol=1e-5)
