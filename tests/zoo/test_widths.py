"""A family that has a width is, at every width, the network of the implementation that its spec names."""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from math import prod
from types import ModuleType
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest
import torch
from torch import nn
from zoo.test_by_hand import mobilenet

import archspec
from archspec.weights.match import trimmed

FEW = [0.07, 0.35, 0.37, 0.56, 1.13, 2.22]
"""Below and above 1, round and not, and so thin that the rule's least channels show."""
MANY = sorted(
    {*FEW, *(i / 20 for i in range(1, 41)), 0.01, 0.02, 0.66, 0.77, 0.81, 0.99, 1.01, 1.27, 1.33, 1.77, 2.5, 3.0}
)
QUICK_IN_KERAS = {("mobilenet_keras", 0.07), ("mobilenet_v2_keras", 0.56), ("mobilenet_v3_small_keras", 0.37)}
"""Keras takes a second for each."""
Named = dict[str, tuple[int, ...]]


def widths(few: list[float], many: list[float]) -> list[Any]:
    """The few in the quick tests, all others in the slow ones."""
    slow = [pytest.param(width, marks=pytest.mark.slow) for width in many if width not in few]
    return [*few, *slow]


def theirs(build: Callable[[], nn.Module]) -> Named:
    """The names and shapes of a reference's tensors, without drawing any."""
    with torch.device("meta"):
        state = build().state_dict()
    return {name: trimmed(tuple(tensor.shape)) for name, tensor in state.items() if tensor.dim()}


def ours(name: str, **values: Any) -> Named:
    """The same of a spec, by the names that it says torchvision has."""
    spec = archspec.load(name)
    graph = spec.elaborate(**values)
    keys = spec.weight_keys("torchvision", graph)
    return {keys[path][0]: trimmed(shape) for path, shape in graph.tensors().items()}


@pytest.mark.parametrize("alpha", widths(FEW, MANY))
@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small"])
def test_mobilenets(torchvision: ModuleType, name: str, alpha: float) -> None:
    assert ours(name, alpha=alpha) == theirs(lambda: getattr(torchvision, name)(width_mult=alpha))


@pytest.mark.parametrize("alpha", widths(FEW, MANY))
def test_mnasnet(torchvision: ModuleType, alpha: float) -> None:
    assert ours("mnasnet", alpha=alpha) == theirs(lambda: torchvision.MNASNet(alpha))


@pytest.mark.parametrize("depth", [1.0, pytest.param(0.3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("width", widths(FEW, MANY))
def test_efficientnet_in_torchvision(torchvision: ModuleType, width: float, depth: float) -> None:
    expected = theirs(lambda: efficientnet(torchvision, width, depth))
    assert ours("efficientnet_b0", width=width, depth=depth) == expected


@pytest.mark.parametrize("depth", widths([0.01, 0.37, 1.13], [i / 10 for i in range(1, 32)]))
def test_depths_of_efficientnet(torchvision: ModuleType, depth: float) -> None:
    assert ours("efficientnet_b0", depth=depth) == theirs(lambda: efficientnet(torchvision, 1.0, depth))


def efficientnet(torchvision: ModuleType, width: float, depth: float) -> nn.Module:
    """torchvision's, for which its builders know eight pairs only."""
    module = torchvision.efficientnet
    stages, last = module._efficientnet_conf("efficientnet_b0", width_mult=width, depth_mult=depth)
    found = module.EfficientNet(stages, 0.2, last_channel=last)
    assert isinstance(found, nn.Module)
    return found


@pytest.mark.parametrize(("width", "groups"), [(1, 1), (4, 32), (37, 1), (48, 2), (100, 1), (256, 1)])
def test_widths_of_resnet(torchvision: ModuleType, width: int, groups: int) -> None:
    expected = theirs(lambda: torchvision.resnet50(width_per_group=width, groups=groups))
    assert ours("resnet50", width=width, groups=groups) == expected


@pytest.mark.parametrize("option", [{"width": 128}, {"groups": 2}], ids=str)
def test_what_torchvision_refuses_of_resnet_is_refused(torchvision: ModuleType, option: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="groups=1 and base_width=64"):
        torchvision.resnet18(width_per_group=option.get("width", 64), groups=option.get("groups", 1))
    with pytest.raises(archspec.SpecError) as raised:
        archspec.load("resnet18").elaborate(**option)
    assert raised.value.diagnostics[0].code == "unread-operator"


@pytest.mark.parametrize("growth", [4, 12, 37, 64])
def test_growths_of_densenet(torchvision: ModuleType, growth: int) -> None:
    expected = theirs(lambda: torchvision.DenseNet(growth, (6, 12, 24, 16), 2 * growth))
    assert ours("densenet121", growth=growth) == expected


@pytest.mark.parametrize("alpha", widths(FEW, MANY))
def test_mobilenet_of_its_authors_has_eight_channels_at_least(alpha: float) -> None:
    with torch.device("meta"):
        expected = mobilenet(alpha, nn.ReLU, least=8)
    assert archspec.load("mobilenet_v1").elaborate(alpha=alpha).stats().params == sum(
        parameter.numel() for parameter in expected.parameters()
    )


BUILDERS = {
    "mobilenet_keras": "MobileNet",
    "mobilenet_v2_keras": "MobileNetV2",
    "mobilenet_v3_large_keras": "MobileNetV3Large",
    "mobilenet_v3_small_keras": "MobileNetV3Small",
}


@pytest.mark.parametrize(
    ("name", "alpha"),
    [
        (name, alpha) if (name, alpha) in QUICK_IN_KERAS else pytest.param(name, alpha, marks=pytest.mark.slow)
        for name in BUILDERS
        for alpha in MANY
        if alpha >= 0.05
    ],
)
def test_mobilenets_in_keras(name: str, alpha: float) -> None:
    from keras import applications

    model = getattr(applications, BUILDERS[name])(weights=None, alpha=alpha, input_shape=(32, 32, 3))
    assert sizes(archspec.load(name).elaborate(alpha=alpha).tensors().values()) == in_keras(model)


def test_a_width_that_leaves_no_channel_is_refused_as_in_keras() -> None:
    from keras import applications

    with pytest.raises(ValueError, match="`filters`"):
        applications.MobileNet(weights=None, alpha=0.03, input_shape=(32, 32, 3))
    with pytest.raises(archspec.SpecError):
        archspec.load("mobilenet_keras").elaborate(alpha=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("width", "depth"), [(0.1, 1), (0.37, 1.3), (0.56, 1), (0.81, 0.4), (1.13, 1), (2.22, 1)])
def test_efficientnet_in_keras(width: float, depth: float) -> None:
    from keras.src.applications.efficientnet import EfficientNet

    model = EfficientNet(width, depth, 32, weights=None, input_shape=(32, 32, 3), name="efficientnet")
    found = archspec.load("efficientnet_b0_keras").elaborate(width=width, depth=depth)
    assert sizes(found.tensors().values()) == in_keras(model)


def in_keras(model: Any) -> Counter[int]:
    """How many tensors of which size a model has, those that prepare its images left out."""
    layers = [layer for layer in model.layers if type(layer).__name__ != "Normalization"]
    return sizes(variable.shape for layer in layers for variable in layer.weights)


def sizes(shapes: Iterable[tuple[int, ...]]) -> Counter[int]:
    return Counter(prod(shape) for shape in shapes)
