"""Where torch's models come from: factories of Python, which may go wrong in any way, and exported programs."""

import sys
from pathlib import Path

import pytest
import torch
from archspec_torch.decompile import decompile
from decompile.equality import alike, assert_equal, from_torch
from torch import nn
from zoo.equality import randomize

from archspec.cli.commands import run
from archspec.decompile import decompiled


def test_a_module_in_a_file_beside_is_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny_net.py").write_text(
        "from torch import nn\n"
        "def tiny(k=3, act='relu'):\n"
        "    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU() if act == 'relu' else nn.SiLU(), nn.Conv2d(8, k, 1))\n"
    )
    monkeypatch.chdir(tmp_path)
    model = decompile("torch:tiny_net:tiny", image=(8, 8, 3), arguments={"k": 7, "act": "silu"})
    assert "conv(3, 8, pad = valid, bias = true) -> silu -> conv(1, 7, bias = true)" in decompiled(model).text
    assert decompiled(model).text.startswith("arch 1\n# From tiny_net.tiny(k = 7, act = 'silu').\n\nnetwork tiny {\n")


BAD_FACTORIES: dict[str, tuple[str, int, str]] = {
    "raises": ("def f(): raise RuntimeError('no\\nmore')", 1, "bad_net:f raised RuntimeError: no\n"),
    "exits": ("def f(): raise SystemExit(0)", 1, "raised SystemExit"),
    "no module": ("def f(): return 3", 2, "gives int, and no torch.nn.Module"),
    "no name": ("g = 1", 2, "has no function or class `f`"),
    "no syntax": ("def f(:", 1, "importing bad_net raised SyntaxError"),
    "missing": ("import not_a_module_of_anybody", 3, "needs `not_a_module_of_anybody`"),
    "nothing": (
        "from torch import nn\nclass f(nn.Module):\n    def forward(self, x): return None", 1, "gives no tensor"
    ),
    "branches on values": (
        "from torch import nn\nclass f(nn.Module):\n    def forward(self, x): return x if x.sum() > 0 else -x", 1,
        "cannot be exported",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_FACTORIES)
def test_what_goes_wrong_in_a_factory_is_one_error(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text, code, message = BAD_FACTORIES[what]
    (tmp_path / "bad_net.py").write_text(text + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "bad_net", raising=False)
    assert run(["import", "torch:bad_net:f", "--input", "8x8x3", "-o", "x.arch"]) == code
    said = capsys.readouterr().err
    assert message in said
    assert said.startswith("error: ")
    assert not (tmp_path / "x.arch").exists()


def test_what_a_factory_prints_is_no_part_of_the_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loud_net.py").write_text(
        "from torch import nn\ndef f():\n    print('hello')\n    return nn.Conv2d(3, 4, 1)\n"
    )
    monkeypatch.chdir(tmp_path)
    assert run(["import", "torch:loud_net:f"]) == 0
    assert capsys.readouterr().out.startswith("arch 1\n")


def test_an_image_that_no_memory_holds_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "large_net.py").write_text("from torch import nn\ndef f(): return nn.Conv2d(3, 4, 1)\n")
    monkeypatch.chdir(tmp_path)
    assert run(["import", "torch:large_net:f", "--input", "99999999x99999999x3"]) == 1
    assert "cannot be exported on 99999999×99999999×3" in capsys.readouterr().err


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(4, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU6())
        self.body = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1, groups=2) for _ in range(2))
        self.end = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for conv in self.body:
            x = x + conv(x).relu_()
        return self.end(x.mean((2, 3)))


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # torch's own, when it changes a program
def test_an_exported_program_is_a_source(tmp_path: Path) -> None:
    model = Small().double()
    randomize(model)
    example = torch.zeros(2, 4, 9, 11, dtype=torch.float64)
    plain = torch.export.export(model.eval(), (example,))
    any_batch = torch.export.export(model, (example,), dynamic_shapes=({0: torch.export.Dim("n")},))
    whole = from_torch(model, 9, 11, 4).graph
    for number, program in enumerate((plain, any_batch, plain.run_decompositions())):
        torch.export.save(program, tmp_path / f"p{number}.pt2")
        read = decompiled(decompile(str(tmp_path / f"p{number}.pt2")))
        assert alike(read.graph, whole)
        assert_equal(model, read, (9, 11, 4))
        assert read.graph.name == f"p{number}"
