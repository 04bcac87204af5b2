"""A paper that archspec does not ship: the user's own block, in the user's own file beside the table, and no Python.

tests/zoo/ghostnet/ is what the user writes. The reference is GhostNet by hand, with the names of its authors' code.
"""

import shutil
from pathlib import Path

import pytest
import torch
from torch import nn
from zoo.equality import assert_same_outputs, carried, macs, randomize

import archspec

HERE = Path(__file__).with_name("ghostnet")
# kernel, expanded, out, squeezed, stride: `cfgs` of the authors' ghostnet.py
BLOCKS = [
    (3, 16, 16, 0, 1), (3, 48, 24, 0, 2), (3, 72, 24, 0, 1), (5, 72, 40, 20, 2), (5, 120, 40, 32, 1),
    (3, 240, 80, 0, 2), (3, 200, 80, 0, 1), (3, 184, 80, 0, 1), (3, 184, 80, 0, 1), (3, 480, 112, 120, 1),
    (3, 672, 112, 168, 1), (5, 672, 160, 168, 2), (5, 960, 160, 0, 1), (5, 960, 160, 240, 1), (5, 960, 160, 0, 1),
    (5, 960, 160, 240, 1),
]  # fmt: skip


class Ghost(nn.Module):
    def __init__(self, given: int, out: int, act: bool) -> None:
        super().__init__()
        half = out // 2
        after = [nn.ReLU()] if act else []
        self.primary_conv = nn.Sequential(nn.Conv2d(given, half, 1, bias=False), nn.BatchNorm2d(half), *after)
        cheap = nn.Conv2d(half, half, 3, padding=1, groups=half, bias=False)
        self.cheap_operation = nn.Sequential(cheap, nn.BatchNorm2d(half), *after)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.primary_conv(x)
        return torch.cat([first, self.cheap_operation(first)], 1)


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.conv_reduce = nn.Conv2d(channels, squeezed, 1)
        self.conv_expand = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.conv_expand(self.conv_reduce(x.mean((2, 3), keepdim=True)).relu())
        return x * nn.functional.relu6(gate + 3) / 6


class Bottleneck(nn.Module):
    def __init__(self, given: int, kernel: int, expanded: int, out: int, squeezed: int, stride: int) -> None:
        super().__init__()
        pad = (kernel - 1) // 2
        self.ghost1 = Ghost(given, expanded, act=True)
        if stride > 1:
            self.conv_dw = nn.Conv2d(expanded, expanded, kernel, stride, pad, groups=expanded, bias=False)
            self.bn_dw = nn.BatchNorm2d(expanded)
        if squeezed:
            self.se = SqueezeExcite(expanded, squeezed)
        self.ghost2 = Ghost(expanded, out, act=False)
        self.shortcut = nn.Sequential()
        if stride > 1 or given != out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(given, given, kernel, stride, pad, groups=given, bias=False),
                nn.BatchNorm2d(given),
                nn.Conv2d(given, out, 1, bias=False),
                nn.BatchNorm2d(out),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.ghost1(x)
        if hasattr(self, "conv_dw"):
            inner = self.bn_dw(self.conv_dw(inner))
        if hasattr(self, "se"):
            inner = self.se(inner)
        return torch.Tensor.add(self.ghost2(inner), self.shortcut(x))


class GhostNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = nn.Conv2d(3, 16, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        given = [16, *(out for _, _, out, _, _ in BLOCKS)]
        blocks: list[nn.Module] = [Bottleneck(c, *block) for c, block in zip(given, BLOCKS, strict=False)]
        last = {"conv": nn.Conv2d(160, 960, 1, bias=False), "bn": nn.BatchNorm2d(960), "act": nn.ReLU()}
        self.blocks = nn.Sequential(*blocks, nn.Sequential())
        for name, layer in last.items():
            self.blocks[-1].add_module(name, layer)
        self.conv_head = nn.Conv2d(960, 1280, 1)
        self.classifier = nn.Linear(1280, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.bn1(self.conv_stem(x)).relu())
        x = self.conv_head(x.mean((2, 3), keepdim=True)).relu()
        logits: torch.Tensor = self.classifier(nn.functional.dropout(x.flatten(1), 0.2, training=False))
        return logits


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(HERE, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("user")
def test_the_papers_table_holds_its_papers_claims() -> None:
    spec = archspec.load("ghostnet.arch")
    assert spec.check_all() == []
    found, theirs = spec.elaborate().stats(), GhostNet()
    assert found.params == sum(p.numel() for p in theirs.parameters())
    assert found.macs == macs(theirs, (3, 224, 224))


def test_outputs_equal_those_of_one_written_by_hand(user: Path) -> None:
    theirs = GhostNet()
    randomize(theirs)
    ours = carried(theirs, "ghostnet.arch", user, origin="authors")
    theirs = theirs.double()
    for side, train in (96, False), (75, False), (75, True):
        assert_same_outputs(theirs, ours, side, train)
