"""MobileNetV2 from its printed table, against torchvision's own."""

from types import ModuleType

import pytest
from zoo.equality import assert_equal_outputs, macs

import archspec

COUNTS = {0.35: 1_677_128, 0.5: 1_968_680, 0.75: 2_636_424, 1.0: 3_504_872, 1.4: 6_108_776}


@pytest.mark.parametrize(("alpha", "params"), COUNTS.items())
def test_the_members_have_the_published_parameters(alpha: float, params: int) -> None:
    assert archspec.load("mobilenet_v2").elaborate(alpha=alpha).stats().params == params


def test_the_macs_are_those_of_the_paper() -> None:
    assert archspec.load("mobilenet_v2").elaborate().stats().macs == 300_774_272


@pytest.mark.parametrize("alpha", COUNTS)
def test_variants_are_the_members(alpha: float) -> None:
    name = f"mobilenet_v2_{str(alpha).replace('.', '_')}"
    assert archspec.load(name).elaborate().stats().params == COUNTS[alpha]


def test_every_check_of_the_spec_holds() -> None:
    assert archspec.load("mobilenet_v2").check_all() == []


@pytest.mark.parametrize("alpha", COUNTS)
@pytest.mark.parametrize("side", [96, 65])
def test_outputs_equal_torchvisions_with_its_weights_and_statistics(
    torchvision: ModuleType, alpha: float, side: int
) -> None:
    theirs = torchvision.mobilenet_v2(weights=None, width_mult=alpha)
    assert_equal_outputs(theirs, archspec.load("mobilenet_v2").elaborate(alpha=alpha), side)


def test_training_outputs_equal_torchvisions(torchvision: ModuleType) -> None:
    theirs = torchvision.mobilenet_v2(weights=None)
    assert_equal_outputs(theirs, archspec.load("mobilenet_v2").elaborate(), 64, train=True)


def test_macs_equal_those_that_hooks_count_on_torchvisions(torchvision: ModuleType) -> None:
    theirs = torchvision.mobilenet_v2(weights=None).to("meta")
    assert macs(theirs.eval(), (3, 224, 224)) == archspec.load("mobilenet_v2").elaborate().stats().macs
