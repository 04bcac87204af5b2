"""What the zoo has beyond torchvision's own: the papers' versions, each against a model not made from its spec."""

from pathlib import Path
from types import ModuleType

import pytest
from archspec_torch.runtime import build
from torch import nn
from zoo.equality import assert_equal_outputs, assert_same_outputs, carried, randomize, reference

import archspec
from archspec import library
from archspec.ops import BatchNorm


@pytest.mark.parametrize("spec", sorted(library.specs()))
def test_every_claim_and_check_holds(spec: str) -> None:
    assert archspec.load(str(library.specs()[spec])).check_all() == []


# The widths that the authors released; torchvision's name has only the whole one.
@pytest.mark.parametrize("alpha", [0.35, 0.5, 0.75, 1.4])
def test_outputs_of_narrow_and_wide_mobilenets(torchvision: ModuleType, tmp_path: Path, alpha: float) -> None:
    theirs = reference(torchvision, "mobilenet_v2", width_mult=alpha)
    randomize(theirs)
    ours = carried(theirs, "mobilenet_v2", tmp_path, alpha=alpha)
    theirs = theirs.double()
    for side, train in (96, False), (65, False), (65, True):
        assert_same_outputs(theirs, ours, side, train)


def test_alexnet_of_2012_has_the_kernels_of_the_paper() -> None:
    model = build(archspec.load("alexnet_2012").elaborate())
    kernels = [tuple(layer.weight.shape) for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    assert kernels == [(96, 3, 11, 11), (256, 48, 5, 5), (384, 256, 3, 3), (384, 192, 3, 3), (256, 192, 3, 3)]


def test_googlenet_by_its_paper_and_by_its_name() -> None:
    """A path is the paper's network, the name is torchvision's."""
    assert archspec.load(str(library.specs()["googlenet"])).elaborate().stats().params == 6_998_552
    assert archspec.load("googlenet").elaborate().stats().params == 13_004_888
    assert archspec.load("GoogLeNet").elaborate().stats().params == 6_998_552


@pytest.mark.parametrize("name", ["googlenet_no_aux", "inception_v3_no_aux"])
def test_outputs_without_auxiliary_heads(torchvision: ModuleType, tmp_path: Path, name: str) -> None:
    theirs = reference(torchvision, name.removesuffix("_no_aux"), aux_logits=False)
    found = archspec.load(name).elaborate().stats()
    assert found.params == sum(p.numel() for p in theirs.parameters())
    randomize(theirs)
    ours = carried(theirs, name, tmp_path)
    theirs = theirs.double()
    # At 97 and 130 poolings with ceil hang over the edge; 75 is the least that Inception v3 takes.
    for side, train in (130, False), (97, False), (111, True):
        assert_same_outputs(theirs, ours, side, train)


@pytest.mark.parametrize(("side", "train"), [(64, False), (75, True)])
def test_the_papers_resnet_strides_on_the_first_convolution(
    torchvision: ModuleType, tmp_path: Path, side: int, train: bool
) -> None:
    theirs = reference(torchvision, "resnet50")
    for module in theirs.modules():
        if type(module).__name__ == "Bottleneck":
            first, second = module.conv1, module.conv2
            assert isinstance(first, nn.Conv2d)
            assert isinstance(second, nn.Conv2d)
            first.stride, second.stride = second.stride, first.stride
    randomize(theirs)
    ours = carried(theirs, "resnet50_v1", tmp_path)
    assert_same_outputs(theirs.double(), ours, side, train)


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
