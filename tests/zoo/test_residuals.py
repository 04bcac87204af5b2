"""ResNet, DenseNet, ShuffleNet V2, MnasNet and MobileNet from their printed tables, against torchvision's own."""

from types import ModuleType

import pytest
import torch
from torch import nn
from zoo.equality import assert_equal_outputs, macs

import archspec

RESNETS = [f"resnet{depth}" for depth in (18, 34, 50, 101, 152)]
WIDE = ["resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"]
# The smallest of each family and of each kind of block are proved whenever the tests run, the rest with `-m slow`.
QUICK = ["resnet18", "resnet50", "resnext50_32x4d"]
ALL = [*RESNETS, *WIDE]


def reference(torchvision: ModuleType, name: str) -> nn.Module:
    model = getattr(torchvision, name)(weights=None)
    assert isinstance(model, nn.Module)
    return model


@pytest.mark.parametrize("name", ALL)
def test_counts_equal_torchvisions(torchvision: ModuleType, name: str) -> None:
    with torch.device("meta"):
        theirs = reference(torchvision, name).eval()
    found = archspec.load(name).elaborate().stats()
    assert found.params == sum(p.numel() for p in theirs.parameters())
    assert found.macs == macs(theirs, (3, 224, 224))


@pytest.mark.parametrize("spec", ["resnet"])
def test_every_claim_and_check_holds(spec: str) -> None:
    assert archspec.load(spec).check_all() == []


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(n, marks=pytest.mark.slow) for n in ALL if n not in QUICK)])
@pytest.mark.parametrize(("side", "train"), [(64, False), (75, False), (64, True)])
def test_outputs_equal_torchvisions(torchvision: ModuleType, name: str, side: int, train: bool) -> None:
    assert_equal_outputs(reference(torchvision, name), archspec.load(name).elaborate(), side, train)
