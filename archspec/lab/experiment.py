"""What `archspec lab relu` measures: a cell for each n and m, the means that do not settle, and its files."""

import numpy as np
from msgspec import Struct

from archspec.lab import collapse
from archspec.lab.collapse import Estimate

CURVES = (2, 4, 8)
"""n of the curves."""
STEPS = (*range(1, 9), 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 60)
"""m of the curves."""
GROWING = (100, 1_000, 10_000, 100_000)
"""Numbers of T to average over."""
STREAM = 4


class Cell(Struct, frozen=True):
    """Inputs of `dim` numbers through `channels`."""

    dim: int
    channels: int
    invertible: Estimate
    invertible_exact: float
    collapsed: Estimate
    collapsed_exact: float
    r2: Estimate
    """of least squares from ReLU(Tx) to x, on points that it did not see"""
    r2_best: float
    """of the best linear decoder there is, by theory"""
    r2_inverse: float
    """of the pseudo-inverse, the median over the same T"""


def cell(dim: int, channels: int, draws: int, seed: int = 0) -> Cell:
    """Measure one; `draws` are those of the fractions."""
    counted = collapse.fractions(dim, channels, draws, seed)
    decoded = collapse.decoded(dim, channels, seed=seed)
    return Cell(
        dim, channels,
        collapse.proportion(counted.invertible, draws), collapse.invertible_share(dim, channels),
        collapse.proportion(counted.collapsed, draws), collapse.collapsed_share(channels),
        collapse.average(decoded.measured), collapse.best_mean(dim, channels, seed),
        float(np.median(decoded.inverse)),
    )  # fmt: skip


def curves(draws: int, seed: int = 0) -> list[Cell]:
    """The cells of the second figure."""
    return [cell(dim, channels, draws, seed) for dim in CURVES for channels in STEPS]


def inverse_means(seed: int = 0) -> dict[int, float]:
    """The mean R² of the pseudo-inverse at n = m = 2 over more and more T: it does not settle.

    A square Gaussian T has a smallest singular value as near to 0 as one likes, with a density that is not 0 there; the
    error grows with its inverse square, so that the expectation is minus infinity.
    """
    matrices = collapse.generator(seed, 2, 2, STREAM).standard_normal((GROWING[-1], 2, 2))
    found = collapse.inverse_r2(matrices)
    return {count: float(found[:count].mean()) for count in GROWING}
