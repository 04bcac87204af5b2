"""Verdicts on what is known: a network against itself, and differences that were planted."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from training import recorded
from training.small import digits, small

from archspec.lab import bottleneck
from archspec.limits import DEFAULT_LIMITS
from archspec.train.compare import Comparison, compare
from archspec.train.data import Data, prepare
from archspec.train.findings import Findings, findings
from archspec.train.members import Member, members
from archspec.train.protocol import Protocol, Recipe
from archspec.train.record import Record
from archspec.train.scale import Scale
from archspec.train.statistics import Verdict

COMPARISONS, SEEDS = 100, 5


@pytest.fixture(scope="module")
def undecided(tmp_path_factory: pytest.TempPathFactory) -> list[Findings]:
    """A network against itself: each side has seeds of its own out of those that were recorded."""
    images, runs = recorded.read()
    data = digits(tmp_path_factory.mktemp("data"))
    assert data.sizes["test"] == images
    generator = np.random.default_rng(0)
    return [
        against(
            data,
            runs,
            dict(zip("AB", generator.permutation(recorded.SEEDS)[: 2 * SEEDS].reshape(2, SEEDS), strict=True)),
        )
        for _ in range(COMPARISONS)
    ]


def against(
    data: Data, runs: dict[float, list[Record]], seeds: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]
) -> Findings:
    graph = small(c=12)
    protocol = Protocol(recipe=recorded.RECIPE, rates=(recorded.RATE,), seeds=SEEDS, fractions=tuple(runs), target=0.8)
    sides = [Member(label, graph, "", {}, Scale(), (4, 4), 1, 1, (1, 1)) for label in seeds]
    records = {
        (label, fraction, place): found[seed]
        for label, own in seeds.items() for fraction, found in runs.items() for place, seed in enumerate(own)
    }  # fmt: skip
    return findings(Comparison(sides, data, protocol, "torch", {}, dict.fromkeys(seeds, recorded.RATE), records, {}))


@pytest.mark.parametrize(
    "verdicts",
    [lambda found: found.speed_verdicts, lambda found: found.accuracy_verdicts, lambda found: found.area_verdicts],
    ids=["steps to the target", "accuracy", "fewer images"],
)
def test_a_network_against_itself_is_undecided_in_95_of_100_comparisons(
    undecided: list[Findings], verdicts: Callable[[Findings], list[Verdict]]
) -> None:
    decided = sum(verdict.better is not None for found in undecided for verdict in verdicts(found))
    print(f"{COMPARISONS - decided} of {COMPARISONS} undecided")
    assert decided <= 5


def test_the_recorded_runs_differ_enough_to_be_compared() -> None:
    _, runs = recorded.read()
    reached = [run.reached(0.8) for run in runs[1.0]]
    assert len({step for step in reached if step}) > 3
    assert len({run.test for run in runs[1.0]}) > 10


def told(comparison: Comparison) -> Findings:
    found = findings(comparison)
    for verdict in (*found.speed_verdicts, *found.accuracy_verdicts):
        print(f"{verdict.first} against {verdict.second}: {verdict.better}, p = {verdict.p:.4g}, {verdict.difference}")
    return found


def compared(texts: list[str], data: Data, folder: Path, protocol: Protocol, scale: Scale) -> Findings:
    """A comparison as `archspec compare` makes it, on all cores."""
    chosen = members(texts, {}, scale, len(data.classes), data.side, DEFAULT_LIMITS)
    return told(compare(chosen, data, protocol, "torch", folder / "runs", jobs=os.cpu_count() or 1))


@pytest.mark.slow
def test_vgg_is_better_with_batch_norm(tmp_path: Path) -> None:
    """Ioffe and Szegedy, arXiv:1502.03167: fewer steps to the same accuracy, and a higher one."""
    protocol = Protocol(
        recipe=Recipe(steps=150, interval=7, warmup=15), rates=(0.001,), seeds=8, fractions=(1.0,), target=0.8
    )
    data = prepare("digits", None, tmp_path / "data")
    found = compared(["without=vgg16", "with=vgg16_bn"], data, tmp_path, protocol, Scale(width=0.125))
    assert [verdict.better for verdict in (*found.speed_verdicts, *found.accuracy_verdicts)] == ["with", "with"]


@pytest.mark.slow
def test_a_stride_of_8_sees_digits_in_clutter_better_than_one_of_32(tmp_path: Path) -> None:
    protocol = Protocol(recipe=Recipe(steps=240), rates=(0.004, 0.016), seeds=5, fractions=(1.0,), target=0.5)
    data = prepare("clutter", None, tmp_path / "data")
    found = compared(["coarse=vgg11_bn@stride=32", "fine=vgg11_bn@stride=8"], data, tmp_path, protocol,
                     Scale(width=0.0625))  # fmt: skip
    assert [verdict.better for verdict in found.accuracy_verdicts] == ["fine"]


@pytest.mark.slow
def test_linear_bottlenecks_are_better_than_such_that_end_in_relu6(tmp_path: Path) -> None:
    """Sandler et al., arXiv:1801.04381v4, Figure 6a; the numbers stand in docs/lab.md."""
    found = told(bottleneck.trained(tmp_path, os.cpu_count() or 1, lambda what, tasks: None))
    assert [verdict.better for verdict in (*found.speed_verdicts, *found.accuracy_verdicts)] == ["linear", "linear"]
