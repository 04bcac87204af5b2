"""Every convolutional classifier of torchvision: our spec of its name is the same network.

Same counts, same normalisations and rates, and with its weights, carried over by `archspec weights import`, the same
outputs.
"""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn
from zoo.equality import assert_same_outputs, builders, carried, macs, on_meta, randomize, reference

import archspec
from archspec.ops import BatchNorm, Dropout, LayerNorm, StochasticDepth

NAMES = [
    "alexnet",
    *(f"convnext_{size}" for size in ("tiny", "small", "base", "large")),
    *(f"densenet{depth}" for depth in (121, 161, 169, 201)),
    *(f"efficientnet_b{number}" for number in range(8)),
    *(f"efficientnet_v2_{size}" for size in "sml"),
    "googlenet",
    "inception_v3",
    *(f"mnasnet{alpha}" for alpha in ("0_5", "0_75", "1_0", "1_3")),
    "mobilenet_v2",
    *(f"mobilenet_v3_{size}" for size in ("large", "small")),
    *(f"regnet_x_{size}" for size in ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")),
    *(f"regnet_y_{size}" for size in ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf", "128gf")),
    *(f"resnet{depth}" for depth in (18, 34, 50, 101, 152)),
    *("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d"),
    *(f"shufflenet_v2_x{scale}" for scale in ("0_5", "1_0", "1_5", "2_0")),
    *("squeezenet1_0", "squeezenet1_1"),
    *(f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")),
    *("wide_resnet50_2", "wide_resnet101_2"),
]
# One of each family that takes a second or two, and every kind of block; the others are slow.
QUICK = {
    "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small",
    "regnet_y_400mf", "resnet18", "shufflenet_v2_x0_5", "squeezenet1_0",
}  # fmt: skip
HUGE = {
    "convnext_large", "efficientnet_v2_l", "regnet_x_32gf", "regnet_y_128gf", "regnet_y_32gf", "resnext101_64x4d",
    "wide_resnet101_2",
}  # fmt: skip
CASES = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.huge if name in HUGE else pytest.mark.slow)
    for name in NAMES
]
FAMILIES = QUICK | {"alexnet", "efficientnet_v2_s", "inception_v3", "resnet50", "vgg11_bn"}
SPREADS = [case for name, case in zip(NAMES, CASES, strict=True) if name in FAMILIES]


def test_these_are_all(torchvision: ModuleType) -> None:
    """68 of 80: all but those with attention."""
    assert len(NAMES) == 68
    assert sorted(NAMES) == builders(torchvision)


@pytest.mark.parametrize("name", NAMES)
def test_counts(torchvision: ModuleType, name: str) -> None:
    theirs = on_meta(torchvision, name).train()  # the auxiliary heads answer in training
    graph = archspec.load(name).elaborate()
    found = graph.stats()
    height, width, channels = graph.input.shape
    assert found.params == sum(p.numel() for p in theirs.parameters())
    assert found.macs == macs(theirs, (channels, height, width))


@pytest.mark.parametrize("name", NAMES)
def test_normalisations_and_rates(torchvision: ModuleType, name: str) -> None:
    """What an output in evaluation does not show."""
    theirs = dict(on_meta(torchvision, name).named_modules())
    spec = archspec.load(name)
    graph = spec.elaborate()
    keys = spec.weight_keys("torchvision", graph)
    for node in graph.nodes:
        if isinstance(node.op, (BatchNorm, LayerNorm)):
            module = theirs[keys[f"{node.path}.weight"][0].rpartition(".")[0]]
            assert isinstance(module, (nn.BatchNorm2d, nn.LayerNorm))
            assert node.op.eps == module.eps
            if isinstance(node.op, BatchNorm):
                assert node.op.momentum == pytest.approx(module.momentum, rel=1e-12)
    modules: list[Any] = list(theirs.values())
    ops = [node.op for node in graph.nodes]
    # Blocks without a residual have a stochastic depth in torchvision, too, and do not use it; nor is a rate of 0 any.
    depths = [
        m.stochastic_depth.p for m in modules if getattr(m, "use_res_connect", True) and hasattr(m, "stochastic_depth")
    ]
    rates = [op.rate for op in ops if isinstance(op, StochasticDepth)]
    assert rates == pytest.approx(depths, rel=1e-12)
    dropouts = sorted(m.p for m in modules if isinstance(m, nn.Dropout) and m.p)
    assert sorted(op.rate for op in ops if isinstance(op, Dropout) and op.rate) == dropouts


@pytest.mark.parametrize("name", CASES)
def test_outputs(torchvision: ModuleType, tmp_path: Path, name: str) -> None:
    """In evaluation at an even and an odd size, in training with dropout and stochastic depth off."""
    theirs = reference(torchvision, name)
    randomize(theirs)
    ours = carried(theirs, name, tmp_path)
    theirs = theirs.double()
    # in training, the auxiliary head of Inception v3 takes a map of 17×17
    for side, train in (96, False), (75, False), (299 if name == "inception_v3" else 75, True):
        assert_same_outputs(theirs, ours, side, train)


@pytest.mark.parametrize("name", SPREADS)
def test_first_weights(torchvision: ModuleType, name: str) -> None:
    """They are drawn with the same spread; which numbers come out is each program's own."""
    torch.manual_seed(0)
    own = {"init_weights": True} if name in {"googlenet", "inception_v3"} else {}
    theirs = reference(torchvision, name, **own).state_dict()
    spec = archspec.load(name)
    keys = spec.weight_keys("torchvision", spec.elaborate())
    ours = archspec.build(name)
    assert isinstance(ours, nn.Module)
    state = ours.state_dict()
    for path, found in keys.items():
        # what is smaller says little of its spread; biases all begin at 0 here, at PyTorch's own in some of theirs
        if path.endswith("weight") and theirs[found[0]].numel() > 2000:
            spread = float(theirs[found[0]].std())
            assert float(state[path.replace("/", ".")].std()) == pytest.approx(spread, rel=0.1), path
