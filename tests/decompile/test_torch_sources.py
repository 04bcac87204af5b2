"""Where torch's models come from: factories of Python, which may go wrong in any way, and exported programs."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from archspec_torch.decompile import decompile
from decompile.equality import alike, assert_equal, from_torch
from torch import nn
from torch.export import Dim, export
from zoo.equality import randomize

from archspec.cli.commands import run
from archspec.decompile import CannotSay, decompiled


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


class Open(nn.Module):
    """A network for images of any size that are multiples of 8 in height."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(4, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU6(), nn.MaxPool2d(3, 2, 1))
        self.end = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)
        x = torch.cat(x.chunk(2, 1)[::-1], 1)
        return self.end(nn.functional.adaptive_avg_pool2d(x, (h, 1)).mean((2, 3)))


@pytest.fixture(scope="module")
def any_size(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    """A network, and a file of it that leaves batch, height and width open."""
    model, path = Open().double(), tmp_path_factory.mktemp("open") / "net.pt2"
    randomize(model)
    sizes = ({0: Dim("n"), 2: 8 * Dim("h", min=2, max=8), 3: Dim("w", min=8, max=64)},)
    torch.export.save(
        export(model.eval(), (torch.zeros(2, 4, 32, 24, dtype=torch.float64),), dynamic_shapes=sizes), path
    )
    return model, path


@pytest.mark.parametrize("image", [(32, 24, 4), (16, 8, 4), (64, 61, 4)])
def test_sizes_that_a_program_leaves_open_are_those_of_the_image(
    image: tuple[int, int, int], any_size: tuple[nn.Module, Path]
) -> None:
    model, path = any_size
    read = decompiled(decompile(str(path), image=image))
    assert alike(read.graph, from_torch(model, *image).graph)
    assert_equal(model, read, image)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "it takes ?×?×4\n = help: --input 224x224x3 says what it is"),
        (["--input", "32x24x3"], "it takes ?×?×4, and not 32×24×3"),
        (["--input", "24"], "it takes ?×?×4, and not 24"),
        (["--input", "33x24x4"], "which cannot be 33"),
        (["--input", "72x24x4"], "would be 72, and it was exported for 16 to 64"),
        (["--input", "8x24x4"], "would be 8, and it was exported for 16 to 64"),
        (["--input", "32x65x4"], "would be 65, and it was exported for 8 to 64"),
        (["-a", "k=3", "--input", "32x24x4"], "a file takes no arguments"),
    ],
)
def test_an_image_that_a_program_was_not_exported_for_is_an_error(
    arguments: list[str], said: str, any_size: tuple[nn.Module, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["import", str(any_size[1]), *arguments]) == 1
    assert said in capsys.readouterr().err


def test_what_a_program_found_out_of_its_example_holds_of_the_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Branch(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.max_pool2d(x, 2) if x.shape[2] % 2 == 0 and x.shape[3] <= 64 else x.relu()

    sizes = ({0: Dim.AUTO, 2: Dim.AUTO, 3: Dim.AUTO},)
    torch.export.save(export(Branch(), (torch.zeros(2, 3, 32, 32),), dynamic_shapes=sizes), tmp_path / "net.pt2")
    assert run(["import", str(tmp_path / "net.pt2"), "--input", "48x16"]) == 0
    assert "body maxpool(2)" in capsys.readouterr().out
    for image in ("33x16", "48x65"):
        assert run(["import", str(tmp_path / "net.pt2"), "--input", image]) == 1
        assert "it was exported for" in capsys.readouterr().err


def test_files_of_torch_until_2_8_are_read(tmp_path: Path) -> None:
    """Their tensors are in one file of `torch.save`, in an archive or in a zip file of their own form."""
    model = Small().double()
    randomize(model)
    torch.export.save(export(model.eval(), (torch.zeros(2, 4, 9, 11, dtype=torch.float64),)), tmp_path / "new.pt2")
    state = io.BytesIO()
    torch.save(model.state_dict(), state)
    with zipfile.ZipFile(tmp_path / "new.pt2") as new:
        content = {name: new.read(name) for name in new.namelist() if "data/weights" not in name}
    content["new/data/weights/model.pt"] = state.getvalue()
    older = {
        "version": b"8.8", "serialized_exported_program.json": content["new/models/model.json"],
        "serialized_state_dict.pt": state.getvalue(), "serialized_constants.pt": b"",
    }  # fmt: skip
    for name, records in (("archive", content), ("plain", older)):
        with zipfile.ZipFile(tmp_path / f"{name}.pt2", "w") as made:
            for record, data in records.items():
                made.writestr(record, data)
        read = decompiled(decompile(str(tmp_path / f"{name}.pt2")))
        assert_equal(model, read, (9, 11, 4))


def test_tensors_in_one_memory_are_weights_in_common(tmp_path: Path) -> None:
    conv, twin = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)
    twin.weight = conv.weight
    model = nn.Sequential(conv, nn.ReLU(), twin).eval()
    torch.export.save(export(model, (torch.zeros(2, 4, 5, 5),)), tmp_path / "net.pt2")
    with pytest.raises(CannotSay, match="used several times"):
        decompiled(decompile(str(tmp_path / "net.pt2")))


def test_torchvision_is_imported_without_its_compiled_operators() -> None:
    command = [sys.executable, "-m", "archspec", "import", "torch:torchvision.models:squeezenet1_1", "--name", "net"]
    made = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (made.returncode, "check params = 1_235_496" in made.stdout) == (0, True), made.stderr
