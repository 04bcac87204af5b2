"""What a message says to write for a layer of PyTorch computes what that layer does with PyTorch's defaults."""

import pytest
import torch
from torch import nn

import archspec
from archspec import foreign
from archspec.backend import Builds, get

LAYERS = {
    "nn.LocalResponseNorm": nn.LocalResponseNorm(5),
    "nn.BatchNorm2d": nn.BatchNorm2d(16),
    "nn.InstanceNorm2d": nn.InstanceNorm2d(16),
    "nn.GroupNorm": nn.GroupNorm(4, 16),
    "nn.ReLU6": nn.ReLU6(),
    "nn.SiLU": nn.SiLU(),
    "nn.Hardswish": nn.Hardswish(),
    "nn.Hardsigmoid": nn.Hardsigmoid(),
    "nn.Sigmoid": nn.Sigmoid(),
    "nn.Tanh": nn.Tanh(),
    "nn.Softmax2d": nn.Softmax2d(),
    "nn.LeakyReLU": nn.LeakyReLU(0.2),
    "nn.MaxPool2d": nn.MaxPool2d(3, 2),
    "nn.AvgPool2d": nn.AvgPool2d(3, 2),
    "nn.AdaptiveAvgPool2d": nn.AdaptiveAvgPool2d(4),
    "nn.ChannelShuffle": nn.ChannelShuffle(4),
    "nn.UpsamplingNearest2d": nn.UpsamplingNearest2d(scale_factor=2),
    "nn.ZeroPad2d": nn.ZeroPad2d(1),
}
NAMES = "kernel = 3, channels = 16, stride = 2, size = 4, groups = 4, slope = 0.2, scale = 2, rate = 0.1, amount = 1"


@pytest.mark.parametrize("name", LAYERS)
def test_advice_computes_what_the_layer_does(name: str) -> None:
    entry = foreign.meaning("step", name)
    assert entry is not None
    graph = archspec.parse(f"arch 1 network N({NAMES}) {{ input 9 x 9 x 16 body id -> {entry.write} }}").elaborate()
    images = 3 * torch.randn(2, 16, 9, 9, generator=torch.Generator().manual_seed(0))
    made = get("torch", Builds).build(graph).eval()
    torch.testing.assert_close(made(images), LAYERS[name].eval()(images))
