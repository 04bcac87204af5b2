"""Weights that are drawn: of the distribution that the spec states, the same however many cores draw them."""

import hashlib
import subprocess
import sys
from typing import Any

import numpy
import pytest
from scipy import stats

import archspec
from archspec.weights import draw
from archspec.weights.initial import BLOCK


def values(init: str, channels: int = 300, seed: int = 0) -> Any:
    """The values of one weight of 225,000, or of that many channels times 750."""
    spec = archspec.parse(f"arch 1 network N {{ input 1 x 1 x 750 body conv(1, {channels}) init conv = {init} }}")
    return dict(draw(spec.elaborate(), seed))["conv.weight"].ravel()


@pytest.mark.parametrize(
    ("init", "distribution"),
    [
        ("normal(0.5)", stats.norm(0, 0.5)),
        ("truncated_normal(0.5)", stats.truncnorm(-2, 2, 0, 0.5)),
        ("uniform(0.5)", stats.uniform(-0.5, 1)),
    ],
)
def test_values_are_of_their_distribution(init: str, distribution: Any) -> None:
    found = values(init)
    assert stats.kstest(found, distribution.cdf).pvalue > 0.001
    assert found.std() == pytest.approx(distribution.std(), rel=0.005)


def test_the_two_values_of_a_pair_are_independent() -> None:
    found = values("normal(1)", 2 * BLOCK // 750)[:BLOCK]
    one, other = found[: BLOCK // 2], found[BLOCK // 2 :]
    for power in (1, 2):
        assert abs(numpy.corrcoef(one**power, other**power)[0, 1]) < 0.03


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_a_weight_of_any_size_is_filled(channels: int) -> None:
    spec = archspec.parse(f"arch 1 network N {{ input 1 x 1 x 1 body conv(1, {channels}) init conv = normal(1) }}")
    found = dict(draw(spec.elaborate(), 1))["conv.weight"]
    assert numpy.isfinite(found).all()
    assert (found != 0).all()


def test_one_core_draws_what_several_draw() -> None:
    script = """
import hashlib, os, archspec
from archspec.weights import draw
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
for name, values in draw(archspec.load("squeezenet1_1").elaborate(), 3):
    print(name, hashlib.sha256(values.tobytes()).hexdigest())
"""
    alone = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    here = draw(archspec.load("squeezenet1_1").elaborate(), 3)
    assert alone.splitlines() == [f"{name} {hashlib.sha256(drawn.tobytes()).hexdigest()}" for name, drawn in here]
