"""AlexNet, VGG, GoogLeNet, Inception v3 and SqueezeNet from their printed tables, against torchvision's own."""

from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn
from zoo.equality import assert_equal_outputs, macs

import archspec

VGG = [f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")]


def reference(torchvision: ModuleType, name: str, **options: Any) -> nn.Module:
    model = getattr(torchvision, name)(weights=None, **options)
    assert isinstance(model, nn.Module)
    return model


@pytest.mark.parametrize("name", ["alexnet", *VGG, "squeezenet1_0", "squeezenet1_1"])
def test_counts_equal_torchvisions(torchvision: ModuleType, name: str) -> None:
    with torch.device("meta"):
        theirs = reference(torchvision, name).eval()
    found = archspec.load(name).elaborate().stats()
    assert found.params == sum(p.numel() for p in theirs.parameters())
    assert found.macs == macs(theirs, (3, 224, 224))


@pytest.mark.parametrize("spec", ["alexnet", "vgg", "googlenet", "inception_v3", "squeezenet"])
def test_every_claim_and_check_holds(spec: str) -> None:
    assert archspec.load(spec).check_all() == []


# Vectors of 25088 and 4096 weigh the most, so few of the VGGs are proved by default. At 33 and 70 the last maps are
# 1×1 and 2×2, which torchvision pools to 7×7 all the same.
@pytest.mark.parametrize(("name", "side"), [("vgg16", 33), ("vgg11_bn", 70)])
def test_outputs_of_vgg_equal_torchvisions(torchvision: ModuleType, name: str, side: int) -> None:
    assert_equal_outputs(reference(torchvision, name), archspec.load(name).elaborate(), side)


@pytest.mark.slow
@pytest.mark.parametrize("name", VGG)
@pytest.mark.parametrize(("side", "train"), [(224, False), (97, False), (64, True)])
def test_outputs_of_every_vgg_equal_torchvisions(torchvision: ModuleType, name: str, side: int, train: bool) -> None:
    assert_equal_outputs(reference(torchvision, name), archspec.load(name).elaborate(), side, train)


@pytest.mark.parametrize("side", [96, 79])
def test_outputs_of_alexnet_equal_torchvisions(torchvision: ModuleType, side: int) -> None:
    assert_equal_outputs(reference(torchvision, "alexnet"), archspec.load("alexnet").elaborate(), side)


def test_alexnet_of_2012_is_that_of_two_towers() -> None:
    """Its groups are the paper's two GPUs: the same as two halves that meet in the third convolution."""
    graph = archspec.load("alexnet_2012").elaborate()
    assert [node.attributes["groups"] for node in graph.nodes if node.op == "conv"] == [1, 2, 1, 2, 2]


# 13×13 windows at 224, where maps are halved evenly; at 97 and 130 the poolings with ceil go beyond the edge.
@pytest.mark.parametrize(("side", "train"), [(130, False), (97, False), (64, True)])
def test_outputs_of_googlenet_equal_torchvisions(torchvision: ModuleType, side: int, train: bool) -> None:
    theirs = reference(torchvision, "googlenet", aux_logits=False, init_weights=False)
    assert_equal_outputs(theirs, archspec.load("googlenet_torchvision").elaborate(), side, train)


@pytest.mark.parametrize("side", [96, 129])
def test_googlenet_trains_with_torchvisions_auxiliary_heads(torchvision: ModuleType, side: int) -> None:
    theirs = reference(torchvision, "googlenet", aux_logits=True, init_weights=False)
    ours = archspec.load("googlenet_torchvision_aux").elaborate()
    assert_equal_outputs(theirs, ours, side, train=True, last=("aux2", "aux1"))
