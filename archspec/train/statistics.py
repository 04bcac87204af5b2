"""Numbers of runs -> means with intervals, and verdicts: which of two networks is better, or that nobody can tell.

Runs are paired by their seed, which gives both the same training images in the same order. A verdict is a paired
bootstrap of the studentised mean difference (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 12
and 16): unlike the percentile interval, which is too short for five seeds, it keeps its level for few. Holm's procedure
corrects for the pairs that are compared at a time.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal

import numpy as np
from msgspec import Struct
from scipy import stats

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
LEVEL = 0.05
RESAMPLES = 9999
TINY = 1e-300
FEWEST = 3
"""Seeds: two numbers say nothing of how far they scatter."""


class Mean(Struct, frozen=True):
    """A mean over seeds, and half the width of its 95 % interval (Student's); NaN for one seed."""

    value: float
    half: float

    @property
    def known(self) -> bool:
        return bool(np.isfinite(self.half))


class Verdict(Struct, frozen=True):
    """Which of two networks is better by some number."""

    first: str
    second: str
    difference: Mean
    """first minus second"""
    p: float
    """corrected for the pairs compared at a time"""
    better: str | None
    """None: undecided"""

    @property
    def size(self) -> Mean:
        """The difference without its sign."""
        return Mean(abs(self.difference.value), self.difference.half)


def mean(values: Sequence[float]) -> Mean:
    """Mean and 95 % confidence interval."""
    count = len(values)
    average = float(np.mean(values)) if count else float("nan")
    if count < 2:
        return Mean(average, float("nan"))
    error = float(np.std(values, ddof=1)) / count**0.5
    return Mean(average, float(stats.t.ppf(1 - LEVEL / 2, count - 1)) * error)


def verdicts(values: Mapping[str, Sequence[float]], best: Literal["most", "least"], unit: float) -> list[Verdict]:
    """Every pair of networks, by numbers of one per seed; `unit` is the least difference that can be measured."""
    pairs = list(combinations(values, 2))
    ps = holm([paired(np.subtract(values[a], values[b]), unit) for a, b in pairs])
    found = []
    for (a, b), p in zip(pairs, ps, strict=True):
        difference = mean(np.subtract(values[a], values[b]).tolist())
        ahead = a if (difference.value > 0) == (best == "most") else b
        found.append(Verdict(a, b, difference, p, ahead if p <= LEVEL and difference.value else None))
    return found


def paired(differences: Vector, unit: float) -> float:
    """The two-sided p-value of differences whose mean should be 0, by the bootstrap of its studentised mean.

    What is measured in steps of `unit` is known no better than those: resamples are smoothed by as much (Efron and
    Tibshirani, section 16.5), without which five equal differences would be proof.
    """
    count = len(differences)
    if count < FEWEST:
        return 1.0
    generator = np.random.default_rng(0)

    def studentised(sample: Vector, axis: int = -1) -> Vector:
        smooth = sample + generator.uniform(-unit / 2, unit / 2, sample.shape)
        error = np.std(smooth, axis=axis, ddof=1) / count**0.5
        return np.mean(smooth, axis=axis) / np.maximum(error, TINY)  # type: ignore[no-any-return]

    error = ((np.var(differences, ddof=1) + unit**2 / 12) / count) ** 0.5
    found = abs(differences.mean()) / max(error, TINY)
    drawn = stats.bootstrap(
        (differences - differences.mean(),), studentised, n_resamples=RESAMPLES, method="percentile", vectorized=True,
        rng=generator,
    ).bootstrap_distribution  # fmt: skip
    return float((1 + np.sum(np.abs(drawn) >= found)) / (1 + RESAMPLES))


def holm(ps: Sequence[float]) -> list[float]:
    """P-values corrected for being several (Holm, 1979)."""
    corrected, least = [1.0] * len(ps), 0.0
    for rank, place in enumerate(np.argsort(ps)):
        least = max(least, min(1.0, (len(ps) - rank) * ps[place]))
        corrected[int(place)] = least
    return corrected
