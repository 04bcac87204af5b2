"""A comparison -> what its report says: three tables and the verdicts that go with them, as plain numbers.

(a) steps to the target, (b) accuracy when trained fully, (c) accuracy from fewer images.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import log
from statistics import median

from msgspec import Struct

from archspec.train.compare import Comparison
from archspec.train.record import Record, Status
from archspec.train.statistics import Mean, Verdict, mean, verdicts


class Speed(Struct, frozen=True):
    """Steps until a target was reached."""

    label: str
    steps: tuple[int | None, ...]
    """by seed; None where it never was"""
    median: float | None
    """None where half of the runs or more never reached it"""
    limit: int
    """steps that every run had"""

    @property
    def reached(self) -> int:
        return sum(step is not None for step in self.steps)

    @property
    def text(self) -> str:
        """`96 (5/5)`, or where the median is not known `> 240 (2/5)`: those that reached it."""
        said = f"> {self.limit}" if self.median is None else f"{self.median:g}"
        return f"{said} ({self.reached}/{len(self.steps)})"


class Accuracy(Struct, frozen=True):
    """How good a member is on a fraction of the training images."""

    label: str
    fraction: float
    test: Mean
    train: Mean
    gap: Mean
    statuses: tuple[Status, ...]

    @property
    def status(self) -> str:
        """`converged`, or how many runs are not."""
        others = [status for status in self.statuses if status != "converged"]
        return ", ".join(
            f"{status} ({others.count(status)}/{len(self.statuses)})" for status in sorted(set(others))
        ) or ("converged")


class Findings(Struct, frozen=True):
    """What a report says."""

    speeds: Sequence[Speed]
    speed_verdicts: Sequence[Verdict]
    accuracies: Sequence[Accuracy]
    """of every member on every fraction, the largest first"""
    accuracy_verdicts: Sequence[Verdict]
    """on the largest fraction"""
    areas: dict[str, Mean]
    """test accuracy, mean over the logarithm of the fraction"""
    area_verdicts: Sequence[Verdict]


def findings(comparison: Comparison) -> Findings:
    """The tables and verdicts of a comparison."""
    protocol = comparison.protocol
    largest = max(protocol.fractions)
    whole = {label: comparison.of(label, largest) for label in comparison.labels}
    recipe, images = protocol.recipe, comparison.data.sizes["test"]
    speeds = [speed(label, runs, protocol.target, recipe.steps) for label, runs in whole.items()]
    # a run that never reached the target has taken at least one interval more than it was given
    censored = {s.label: [float(step or recipe.steps + recipe.interval) for step in s.steps] for s in speeds}
    tests = {label: [run.test for run in runs] for label, runs in whole.items()}
    areas = {label: area_by_seed(comparison, label) for label in comparison.labels}
    several = len(protocol.fractions) > 1
    return Findings(
        speeds,
        verdicts(censored, "least", recipe.interval),
        [accuracy(label, fraction, comparison.of(label, fraction))
         for fraction in sorted(protocol.fractions, reverse=True) for label in comparison.labels],
        verdicts(tests, "most", 1 / images),
        {label: mean(values) for label, values in areas.items()} if several else {},
        verdicts(areas, "most", 1 / images) if several else [],
    )  # fmt: skip


def speed(label: str, runs: Sequence[Record], target: float, limit: int) -> Speed:
    steps = tuple(run.reached(target) for run in runs)
    middle = median(float("inf") if step is None else float(step) for step in steps)
    return Speed(label, steps, middle if middle < float("inf") else None, limit)


def accuracy(label: str, fraction: float, runs: Sequence[Record]) -> Accuracy:
    return Accuracy(
        label,
        fraction,
        mean([run.test for run in runs]),
        mean([run.train for run in runs]),
        mean([run.gap for run in runs]),
        tuple(run.status for run in runs),
    )


def area_by_seed(comparison: Comparison, label: str) -> list[float]:
    """For every seed the area under test accuracy against the logarithm of the fraction, of 1."""
    fractions = sorted(comparison.protocol.fractions)
    by_fraction = [[run.test for run in comparison.of(label, fraction)] for fraction in fractions]
    return [area(fractions, values) for values in zip(*by_fraction, strict=True)]


def area(fractions: Sequence[float], values: Sequence[float]) -> float:
    """The mean of values over the logarithm of the fractions, by trapezia."""
    if len(fractions) < 2:
        return values[0]
    total = sum(
        (b - a) * (u + v) / 2
        for (a, u), (b, v) in pairwise((log(f), v) for f, v in zip(fractions, values, strict=True))
    )
    return total / log(fractions[-1] / fractions[0])
