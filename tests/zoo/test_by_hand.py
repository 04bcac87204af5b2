"""Networks that torchvision does not have, against ones written by hand for torch."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional
from zoo.equality import assert_equal_outputs, macs

import archspec
from archspec.ops import BatchNorm


def mobilenet(alpha: float, act: type[nn.Module], least: int = 0) -> nn.Module:
    """MobileNet as its paper's text has it, written by hand for torch; its authors' code has 8 channels at `least`."""
    layers: list[nn.Module] = []

    def add(given: int, channels: int, kernel: int, stride: int, groups: int = 1) -> None:
        convolution = nn.Conv2d(given, channels, kernel, stride, kernel // 2, groups=groups, bias=False)
        layers.extend([convolution, nn.BatchNorm2d(channels, eps=0.001, momentum=0.0003), act()])

    channels = max(least, int(32 * alpha))
    add(3, channels, 3, 2)
    pairs = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for width, stride in pairs:
        add(channels, channels, 3, stride, channels)
        thin = max(least, int(width * alpha))
        add(channels, thin, 1, 1)
        channels = thin
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


class Residual(nn.Module):
    """Two branches and their sum."""

    def __init__(self, shortcut: nn.Module, branch: nn.Module) -> None:
        super().__init__()
        self.shortcut, self.branch = shortcut, branch

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.shortcut(x) + self.branch(x)


class SamePool(nn.Module):
    """Largest values of 3×3 windows in steps of 2, padded as TensorFlow's SAME."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        missing = [max(0, 2 * math.ceil(side / 2) + 1 - side) for side in (x.shape[3], x.shape[2])]
        pads = [pixels for total in missing for pixels in (total // 2, total - total // 2)]
        return functional.max_pool2d(functional.pad(x, pads, value=-math.inf), 3, 2)


def normalised(given: int, channels: int, kernel: int, stride: int = 1) -> nn.Sequential:
    norm = nn.BatchNorm2d(channels, eps=0.001, momentum=0.01)
    return nn.Sequential(nn.Conv2d(given, channels, kernel, stride, bias=False), norm)


def separable(given: int, channels: int) -> nn.Sequential:
    depthwise = nn.Conv2d(given, given, 3, padding=1, groups=given, bias=False)
    return nn.Sequential(depthwise, *normalised(given, channels, 1))


def halving(given: int, inner: int, channels: int) -> Residual:
    layers = [nn.ReLU(), separable(given, inner), nn.ReLU(), separable(inner, channels), SamePool()]
    return Residual(normalised(given, channels, 1, 2), nn.Sequential(*layers[given == 64 :]))


def middle() -> Residual:
    return Residual(nn.Identity(), nn.Sequential(*[nn.Sequential(nn.ReLU(), separable(728, 728)) for _ in range(3)]))


def xception() -> nn.Module:
    """Xception as keras.applications has it, written by hand for torch (Keras itself is not among our dependencies)."""
    return nn.Sequential(
        *[normalised(3, 32, 3, 2), nn.ReLU(), normalised(32, 64, 3), nn.ReLU()],
        *[halving(64, 128, 128), halving(128, 256, 256), halving(256, 728, 728)],
        *[middle() for _ in range(8)],
        *[halving(728, 728, 1024), separable(1024, 1536), nn.ReLU(), separable(1536, 2048), nn.ReLU()],
        *[nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000)],
    )


def test_xception_has_the_counts_of_keras() -> None:
    """`keras.applications.Xception().count_params()` counts the running statistics as well."""
    graph = archspec.load("xception").elaborate()
    statistics = sum(2 * node.shape[-1] for node in graph.nodes if isinstance(node.op, BatchNorm))
    assert (graph.stats().params, graph.stats().params + statistics) == (22_855_952, 22_910_480)
    assert graph.stats().macs == macs(xception().to("meta").eval(), (3, 299, 299))


@pytest.mark.parametrize(("side", "train"), [(96, False), (107, False), (96, True)])
def test_outputs_of_xception_equal_those_of_one_written_by_hand(side: int, train: bool) -> None:
    assert_equal_outputs(xception(), archspec.load("xception").elaborate(side=side), side, train)
