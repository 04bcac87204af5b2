"""AlexNet, VGG, GoogLeNet, Inception v3 and SqueezeNet from their printed tables, against torchvision's own."""

from types import ModuleType
from typing import Any

import pytest
import torch
from archspec_torch.runtime import build
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


@pytest.mark.parametrize(
    "spec", ["alexnet", "alexnet_2012", "vgg", "googlenet", "inception_v3", "squeezenet", "squeezenet1_1"]
)
def test_every_claim_and_check_holds(spec: str) -> None:
    assert archspec.load(spec).check_all() == []


# Vectors of 25088 and 4096 weigh the most, so few of the VGGs are proved by default. At 33 and 70 the last maps are
# 1×1 and 2×2, which torchvision pools to 7×7 all the same.
@pytest.mark.parametrize(("name", "side", "train"), [("vgg16", 33, False), ("vgg11_bn", 70, True)])
def test_outputs_of_vgg_equal_torchvisions(torchvision: ModuleType, name: str, side: int, train: bool) -> None:
    assert_equal_outputs(reference(torchvision, name), archspec.load(name).elaborate(), side, train)


@pytest.mark.slow
@pytest.mark.parametrize("name", VGG)
@pytest.mark.parametrize(("side", "train"), [(224, False), (97, False), (64, True)])
def test_outputs_of_every_vgg_equal_torchvisions(torchvision: ModuleType, name: str, side: int, train: bool) -> None:
    assert_equal_outputs(reference(torchvision, name), archspec.load(name).elaborate(), side, train)


# Nothing but its dropout differs while training.
@pytest.mark.parametrize(("side", "train"), [(96, False), (79, True)])
def test_outputs_of_alexnet_equal_torchvisions(torchvision: ModuleType, side: int, train: bool) -> None:
    assert_equal_outputs(reference(torchvision, "alexnet"), archspec.load("alexnet").elaborate(), side, train)


def test_alexnet_of_2012_has_the_kernels_of_the_paper() -> None:
    model = build(archspec.load("alexnet_2012").elaborate())
    kernels = [tuple(layer.weight.shape) for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    assert kernels == [(96, 3, 11, 11), (256, 48, 5, 5), (384, 256, 3, 3), (384, 192, 3, 3), (256, 192, 3, 3)]


# At 97 and 130 the poolings with ceil hang over the edge.
@pytest.mark.parametrize(("side", "train"), [(130, False), (97, False), (64, True)])
def test_outputs_of_googlenet_equal_torchvisions(torchvision: ModuleType, side: int, train: bool) -> None:
    theirs = reference(torchvision, "googlenet", aux_logits=False, init_weights=False)
    assert_equal_outputs(theirs, archspec.load("googlenet_torchvision").elaborate(), side, train)


@pytest.mark.parametrize("side", [96, 129])
def test_googlenet_trains_with_torchvisions_auxiliary_heads(torchvision: ModuleType, side: int) -> None:
    theirs = reference(torchvision, "googlenet", aux_logits=True, init_weights=False)
    ours = archspec.load("googlenet_torchvision_aux").elaborate()
    assert_equal_outputs(theirs, ours, side, train=True, last=("aux2", "aux1"))


# 75 is the least that torchvision's takes.
@pytest.mark.parametrize(("side", "train"), [(98, False), (75, False), (111, True)])
def test_outputs_of_inception_v3_equal_torchvisions(torchvision: ModuleType, side: int, train: bool) -> None:
    theirs = reference(torchvision, "inception_v3", aux_logits=False, init_weights=False)
    assert_equal_outputs(theirs, archspec.load("inception_v3_no_aux").elaborate(), side, train)


# The auxiliary head needs a map of 17×17.
@pytest.mark.parametrize("side", [299, pytest.param(320, marks=pytest.mark.slow)])
def test_inception_v3_trains_with_torchvisions_auxiliary_head(torchvision: ModuleType, side: int) -> None:
    theirs = reference(torchvision, "inception_v3", aux_logits=True, init_weights=False)
    ours = archspec.load("inception_v3").elaborate()
    assert_equal_outputs(theirs, ours, side, train=True, last=("AuxLogits",))


@pytest.mark.parametrize("name", ["squeezenet1_0", "squeezenet1_1"])
@pytest.mark.parametrize(("side", "train"), [(96, False), (77, False), (64, True)])
def test_outputs_of_squeezenet_equal_torchvisions(torchvision: ModuleType, name: str, side: int, train: bool) -> None:
    assert_equal_outputs(reference(torchvision, name), archspec.load(name).elaborate(), side, train)


# The reference, our name without and with auxiliary heads, the heads and what they are given, the side of the input.
HEADS = [
    (
        "googlenet",
        "googlenet_torchvision",
        "googlenet_torchvision_aux",
        {"aux1": (512, 14, 14), "aux2": (528, 14, 14)},
        224,
    ),
    ("inception_v3", "inception_v3_no_aux", "inception_v3", {"AuxLogits": (768, 17, 17)}, 299),
]


@pytest.mark.parametrize(("name", "without", "with_heads", "heads", "side"), HEADS)
def test_counts_with_auxiliary_heads_equal_torchvisions(
    torchvision: ModuleType, name: str, without: str, with_heads: str, heads: dict[str, tuple[int, ...]], side: int
) -> None:
    with torch.device("meta"):
        theirs = reference(torchvision, name, aux_logits=True, init_weights=False).eval()
    main, everything = (archspec.load(spec).elaborate().stats() for spec in (without, with_heads))
    of_heads = [theirs.get_submodule(head) for head in heads]
    params = sum(p.numel() for p in theirs.parameters())
    assert everything.params == params
    assert main.params == params - sum(p.numel() for head in of_heads for p in head.parameters())
    assert main.macs == macs(theirs, (3, side, side))
    assert everything.macs == main.macs + sum(macs(theirs.get_submodule(h), shape) for h, shape in heads.items())
