"""The lessons beside each other show the ratios of the talk."""

from fractions import Fraction

import pytest

import archspec
from archspec.graph import Graph
from archspec.stats import Stats

LESSONS = ["standard_conv", "grouped_conv", "depthwise_separable", "residual", "inverted_residual"]


def lesson(name: str, **values: int) -> Graph:
    return archspec.load(f"lesson_{name}").elaborate(**values)


def stats(name: str, **values: int) -> Stats:
    return lesson(name, **values).stats()


@pytest.mark.parametrize("name", LESSONS)
def test_every_check_holds(name: str) -> None:
    assert archspec.load(f"lesson_{name}").check_all() == []


def test_all_are_about_one_map() -> None:
    assert {lesson(name).input.shape for name in LESSONS} == {(56, 56, 64)}


@pytest.mark.parametrize("groups", [2, 4, 8])
def test_groups_divide_parameters_and_macs(groups: int) -> None:
    grouped, standard = stats("grouped_conv", groups=groups), stats("standard_conv")
    assert Fraction(grouped.params, standard.params) == Fraction(1, groups)
    assert Fraction(grouped.macs, standard.macs) == Fraction(1, groups)


@pytest.mark.parametrize(("k", "n"), [(3, 128), (5, 128), (3, 32), (7, 256)])
def test_a_separable_convolution_costs_one_nth_and_one_ksquareth(k: int, n: int) -> None:
    separable, standard = stats("depthwise_separable", k=k, N=n), stats("standard_conv", k=k, N=n)
    assert Fraction(separable.params, standard.params) == Fraction(1, n) + Fraction(1, k * k)
    assert Fraction(separable.macs, standard.macs) == Fraction(1, n) + Fraction(1, k * k)


def channels(name: str) -> list[int]:
    """Of what every convolution gives, in their order."""
    return [node.shape[-1] for node in lesson(name).nodes if node.op.kind in ("conv", "dwconv")]


def test_the_residual_is_narrow_inside_and_the_inverted_one_wide() -> None:
    assert channels("residual") == [16, 16, 64]
    assert channels("inverted_residual") == [384, 384, 64]
    assert lesson("residual").output.op.kind == "relu"
    assert lesson("inverted_residual").output.op.kind == "add"  # linear to the end
