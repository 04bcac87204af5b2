"""ResNet, DenseNet, ShuffleNet V2, MnasNet and MobileNet from their tables, against models not made from them."""

from types import ModuleType

import pytest
import torch
from torch import nn
from zoo.equality import assert_equal_outputs, macs

import archspec
from archspec.ops import BatchNorm

RESNETS = [f"resnet{depth}" for depth in (18, 34, 50, 101, 152)]
WIDE = ["resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"]
DENSENETS = [f"densenet{depth}" for depth in (121, 161, 169, 201)]
SHUFFLENETS = [f"shufflenet_v2_x{scale}" for scale in ("0_5", "1_0", "1_5", "2_0")]
MNASNETS = [f"mnasnet{alpha}" for alpha in ("0_5", "0_75", "1_0", "1_3")]
ALL = [*RESNETS, *WIDE, *DENSENETS, *SHUFFLENETS, *MNASNETS]
# The small ones, with every kind of block among them; the others are slow.
QUICK = ["resnet18", "resnet50", "resnext50_32x4d", "densenet121", "shufflenet_v2_x0_5", "mnasnet0_5", "mnasnet1_3"]
CASES = [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in ALL if name not in QUICK)]


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


@pytest.mark.parametrize("spec", ["resnet", "densenet", "shufflenet_v2", "mnasnet", "mobilenet_v1"])
def test_every_claim_and_check_holds(spec: str) -> None:
    assert archspec.load(spec).check_all() == []


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("side", "train"), [(64, False), (75, False), (64, True)])
def test_outputs_equal_torchvisions(torchvision: ModuleType, name: str, side: int, train: bool) -> None:
    assert_equal_outputs(reference(torchvision, name), archspec.load(name).elaborate(), side, train)


@pytest.mark.parametrize("name", ["shufflenet_v2_x1_0", "mnasnet1_0"])
def test_batch_normalisations_are_torchvisions(torchvision: ModuleType, name: str) -> None:
    """An output does not show the momentum."""
    theirs = [module for module in reference(torchvision, name).modules() if isinstance(module, nn.BatchNorm2d)]
    ours = [node.op for node in archspec.load(name).elaborate().nodes if isinstance(node.op, BatchNorm)]
    assert [(op.eps, op.momentum) for op in ours] == [(m.eps, pytest.approx(m.momentum)) for m in theirs]


@pytest.mark.parametrize(("side", "train"), [(64, False), (75, False), (64, True)])
def test_the_papers_resnet_strides_on_the_first_convolution(torchvision: ModuleType, side: int, train: bool) -> None:
    theirs = reference(torchvision, "resnet50")
    for module in theirs.modules():
        if type(module).__name__ == "Bottleneck":
            first, second = module.conv1, module.conv2
            assert isinstance(first, nn.Conv2d)
            assert isinstance(second, nn.Conv2d)
            first.stride, second.stride = second.stride, first.stride
    assert_equal_outputs(theirs, archspec.load("resnet50_v1").elaborate(), side, train)


def mobilenet(alpha: float, act: type[nn.Module]) -> nn.Module:
    """MobileNet as its paper's text has it, written by hand for torch."""
    layers: list[nn.Module] = []

    def add(given: int, channels: int, kernel: int, stride: int, groups: int = 1) -> None:
        convolution = nn.Conv2d(given, channels, kernel, stride, kernel // 2, groups=groups, bias=False)
        layers.extend([convolution, nn.BatchNorm2d(channels, eps=0.001, momentum=0.0003), act()])

    channels = int(32 * alpha)
    add(3, channels, 3, 2)
    pairs = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for width, stride in pairs:
        add(channels, channels, 3, stride, channels)
        add(channels, int(width * alpha), 1, 1)
        channels = int(width * alpha)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


@pytest.mark.parametrize(("alpha", "side", "train"), [(0.25, 64, False), (0.5, 75, False), (0.75, 64, True)])
@pytest.mark.parametrize(("act", "layer"), [("relu", nn.ReLU), ("relu6", nn.ReLU6)])
def test_outputs_of_mobilenet_equal_those_of_one_written_by_hand(
    alpha: float, side: int, train: bool, act: str, layer: type[nn.Module]
) -> None:
    ours = archspec.load("mobilenet_v1").elaborate(alpha=alpha, act=act, pad="same")
    assert_equal_outputs(mobilenet(alpha, layer), ours, side, train)


# In the head of https://github.com/tensorflow/models/blob/master/research/slim/nets/mobilenet_v1.py: convolutions only.
@pytest.mark.parametrize(
    ("name", "alpha", "weights", "multiplies"),
    [("mobilenet_v1_1_0_224", 1.0, 3_185_088, 567_716_352), ("mobilenet_v1_0_75_128", 0.75, 1_800_144, 106_002_432)],
)
def test_mobilenet_has_the_counts_of_its_authors(name: str, alpha: float, weights: int, multiplies: int) -> None:
    graph = archspec.load(name).elaborate()
    channels = round(1024 * alpha)
    normalised = sum(2 * node.shape[-1] for node in graph.nodes if isinstance(node.op, BatchNorm))
    assert graph.stats().params == weights + normalised + channels * 1000 + 1000
    assert graph.stats().macs == multiplies + channels * 1000
