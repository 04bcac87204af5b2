"""Verdicts: they keep their level for few seeds, and see what is there."""

import numpy as np
import pytest

from archspec.train import statistics
from archspec.train.findings import area, speed
from archspec.train.record import Point, Record
from archspec.train.statistics import holm, mean, paired, verdicts


@pytest.fixture(autouse=True)
def fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "RESAMPLES", 999)


@pytest.mark.parametrize("seeds", [3, 5, 8])
@pytest.mark.parametrize("kind", ["normal", "skewed", "counts"])
def test_equal_networks_are_undecided_in_95_of_100(seeds: int, kind: str) -> None:
    generator = np.random.default_rng([seeds, len(kind)])
    wrong = 0
    for _ in range(300):
        if kind == "normal":
            found, unit = generator.normal(size=seeds), 0.002
        elif kind == "skewed":
            found, unit = generator.exponential(size=seeds) - generator.exponential(size=seeds), 0.002
        else:
            found, unit = (generator.binomial(450, 0.97, seeds) - generator.binomial(450, 0.97, seeds)) / 450, 1 / 450
        wrong += paired(found, unit) <= 0.05
    # 15 are expected at the level itself; 22 are two standard deviations more
    assert wrong <= 22


def test_a_difference_of_four_deviations_is_seen() -> None:
    generator = np.random.default_rng(1)
    seen = sum(paired(generator.normal(4, 1, 5), 0.002) <= 0.05 for _ in range(100))
    assert seen >= 80


def test_two_seeds_decide_nothing() -> None:
    assert paired(np.array([100.0, 100.0]), 1e-6) == 1


def test_equal_differences_smaller_than_what_is_measured_are_no_proof() -> None:
    assert paired(np.array([0.1] * 5), 1.0) > 0.05


def test_holm_multiplies_the_least_by_how_many_there_are() -> None:
    # Holm (1979), the procedure's own steps: 3·0.01, 2·0.02, 1·0.04
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.6, 0.5]) == [1.0, 1.0]


def test_an_interval_is_students() -> None:
    # t(0.975, 4) = 2.776
    assert mean([1, 2, 3, 4, 5]).half == pytest.approx(2.776445 * 1.5811388 / 5**0.5)


def test_fewer_steps_are_better() -> None:
    (verdict,) = verdicts({"a": [10, 11, 12, 10, 11, 12], "b": [50, 52, 49, 51, 50, 53]}, "least", 1)
    assert verdict.better == "a"
    assert verdict.difference.value == pytest.approx(-39.83, abs=0.01)


def curve(*accuracies: float, images: int = 10_000) -> Record:
    points = tuple(
        Point(step=10 * (i + 1), loss=1.0, validation_loss=1.0, validation=value) for i, value in enumerate(accuracies)
    )
    return Record(points=points, test=0.5, train=0.5, images=images)


def test_a_target_is_reached_when_the_median_of_three_does() -> None:
    assert curve(0.1, 0.99, 0.2, 0.95, 0.96, 0.97).reached(0.95) == 40
    assert curve(0.1, 0.99, 0.2, 0.3, 0.96).reached(0.95) is None
    assert curve(0.1, 0.99, 0.2, 0.3).reached(0.95) is None


def test_runs_that_never_reach_it_are_shown() -> None:
    fast, slow = curve(1, 1, 1, 1), curve(0, 0, 0, 0)
    assert speed("a", [fast, slow, slow, slow, fast], 0.95, 240).text == "> 240 (2/5)"
    assert speed("a", [fast, slow, fast], 0.95, 240).text == "30 (2/3)"


def test_a_run_that_still_learns_has_not_converged() -> None:
    assert curve(0.1, 0.5, 0.6, 0.7, 0.8, 0.9).status == "not converged"
    assert curve(0.1, 0.9, 0.9, 0.9, 0.9, 0.9).status == "converged"
    assert curve(0.1, 0.1, 0.1, 0.1, 0.1, 0.1).status == "not converged"
    assert curve(1.0, 1.0, 1.0, 1.0, 1.0, 1.0).status == "converged"
    point = Point(step=10, loss=None, validation_loss=None, validation=0.1)
    assert Record(points=(point,), test=0, train=0, images=100).status == "diverged"


@pytest.mark.parametrize(
    ("before", "last", "images", "status"),
    [
        (0.98, 0.9895, 400, "converged"),  # 1.645 · √(0.98 · 0.02 / 400) = 0.0115
        (0.98, 0.9925, 400, "not converged"),
        (0.98, 0.9895, 10_000, "not converged"),
        (0.98, 0.984, 10_000, "converged"),
        (1.0, 1.0, 400, "converged"),
        (0.5, 0.55, 50, "converged"),
    ],
)
def test_a_gain_that_chance_explains_is_none(before: float, last: float, images: int, status: str) -> None:
    assert curve(0.1, *[before] * 5, *[last] * 3, images=images).status == status


def test_a_run_that_fell_apart_has_not_converged() -> None:
    assert curve(0.1, 0.9, 0.9, 0.9, 0.2, 0.2, 0.2, 0.2, 0.2).status == "not converged"
    assert curve(0.1, 0.9, 0.9, 0.9, 0.87, 0.87, 0.87, 0.87, 0.87).status == "converged"


def test_the_area_of_a_constant_is_the_constant() -> None:
    assert area([0.05, 0.1, 1.0], [0.7, 0.7, 0.7]) == pytest.approx(0.7)
    assert area([0.1, 1.0], [0.5, 1.0]) == pytest.approx(0.75)
