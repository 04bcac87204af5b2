"""n numbers -> T, a Gaussian m×n matrix -> ReLU: what is left of them. Measured, and beside it what theory says.

Every fraction is of independent pairs of a matrix and one point, so that a count is exactly binomial. An R² is of many
points for each matrix, and its error is that over matrices.
"""

from math import sqrt

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.stats import binom

Array = NDArray[np.float64]

AT_ONCE = 4_000_000
"""Numbers drawn at once: what a run needs of memory does not grow with its draws."""
RANKED = 100
"""Matrices of a cell whose rank is computed; of the others it is known."""
MATRICES = 50
"""Matrices that are decoded for an R²."""
POINTS, HELD_OUT = 8000, 2000
"""Points that a decoder learns from, and that it is tried on."""
SOLVED = 1000
"""Matrices whose best decoder is known by theory: more than those that are decoded, so that its mean is sharper."""
FRACTIONS, DECODERS, THEORY = range(3)
"""Streams of random numbers: what one experiment draws does not depend on another."""


class Estimate(Struct, frozen=True):
    """A measured number with its standard error."""

    value: float
    error: float


class Fractions(Struct, frozen=True):
    """Of random inputs, how many come through ReLU(Tx) and how many vanish."""

    draws: int
    invertible: int
    """the rows of T with (Tx)_i > 0 have rank n: x can be computed from ReLU(Tx)"""
    collapsed: int
    """ReLU(Tx) = 0"""


class Decoded(Struct, frozen=True):
    """R² of x as decoded from ReLU(Tx), for each T."""

    measured: Array
    """of the least squares decoder, on points that it did not see"""
    best: Array
    """of the best linear decoder there is, by theory"""
    inverse: Array
    """of the pseudo-inverse of T, on the same points"""


def generator(seed: int, dim: int, channels: int, stream: int) -> np.random.Generator:
    """Each cell draws from a generator of its own, so that it does not matter what else is asked for."""
    return np.random.default_rng([seed, dim, channels, stream])


def fractions(dim: int, channels: int, draws: int, seed: int = 0) -> Fractions:
    """Count over `draws` pairs of a T and an x."""
    rng = generator(seed, dim, channels, FRACTIONS)
    size = max(1, AT_ONCE // (dim * channels))
    invertible = collapsed = 0
    for start in range(0, draws, size):
        found = active_ranks(rng, dim, channels, min(size, draws - start))
        invertible += int((found == dim).sum())
        collapsed += int((found == 0).sum())
    return Fractions(draws, invertible, collapsed)


def active_ranks(rng: np.random.Generator, dim: int, channels: int, draws: int) -> NDArray[np.int64]:
    """The rank of the active rows of each T at its x.

    With probability 1 any n rows of a Gaussian matrix are independent, so that k active rows have the rank min(k, n).
    """
    matrices = rng.standard_normal((draws, channels, dim))
    active = np.einsum("kmn,kn->km", matrices, rng.standard_normal((draws, dim))) > 0
    ranks: NDArray[np.int64] = np.minimum(active.sum(axis=1), dim)
    ranks[:RANKED] = rank_of_rows(matrices[:RANKED], active[:RANKED])
    return ranks


def rank_of_rows(matrices: Array, active: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The rank of the active rows of each matrix, by their singular values."""
    return np.asarray(np.linalg.matrix_rank(np.where(active[:, :, None], matrices, 0.0)))


def invertible_share(dim: int, channels: int) -> float:
    """P(Bin(m, 1/2) ≥ n): each row is active with probability 1/2, whatever x is, and n active rows determine x."""
    return float(binom.sf(dim - 1, channels, 0.5))


def collapsed_share(channels: int) -> float:
    """2^-m: no row is active."""
    return float(binom.pmf(0, channels, 0.5))


def proportion(count: int, draws: int) -> Estimate:
    """A share; a half is added to both counts in its error, so that a count of zero has an error, too."""
    near = (count + 0.5) / (draws + 1)
    return Estimate(count / draws, sqrt(near * (1 - near) / (draws + 1)))


def average(values: Array) -> Estimate:
    """A mean over matrices."""
    return Estimate(float(values.mean()), float(values.std(ddof=1) / sqrt(len(values))))


def decoded(dim: int, channels: int, matrices: int = MATRICES, points: int = POINTS, seed: int = 0) -> Decoded:
    """Decode Gaussian points of n numbers from ReLU(Tx), for many T."""
    rng = generator(seed, dim, channels, DECODERS)
    size = max(1, AT_ONCE // ((points + HELD_OUT) * (dim + channels)))
    parts = [
        decoded_at_once(rng, dim, channels, min(size, matrices - start), points) for start in range(0, matrices, size)
    ]
    return Decoded(*(np.concatenate([getattr(part, name) for part in parts]) for name in Decoded.__struct_fields__))


def decoded_at_once(rng: np.random.Generator, dim: int, channels: int, matrices: int, points: int) -> Decoded:
    t = rng.standard_normal((matrices, channels, dim))
    seen = rng.standard_normal((matrices, points, dim))
    held_out = rng.standard_normal((matrices, HELD_OUT, dim))
    kept = relu(held_out @ t.mT)
    inverse = np.linalg.pinv(t)
    return Decoded(r2(held_out, predicted(relu(seen @ t.mT), seen, kept)), best_r2(t), r2(held_out, kept @ inverse.mT))


def relu(values: Array) -> Array:
    return np.maximum(values, 0.0)


def predicted(features: Array, targets: Array, others: Array) -> Array:
    """What least squares with an intercept, learned from features and targets, says of other features."""
    center = features.mean(axis=-2, keepdims=True)
    level = targets.mean(axis=-2, keepdims=True)
    centered = features - center
    weights = solve(centered.mT @ centered, centered.mT @ (targets - level))
    return np.asarray((others - center) @ weights + level)


def solve(gram: Array, right: Array) -> Array:
    """`gram` \\ `right`, where rows of T that are nearly parallel make a matrix that is nearly singular."""
    size = gram.shape[-1]
    ridge = 1e-10 * np.trace(gram, axis1=-2, axis2=-1)[..., None, None] / size
    return np.asarray(np.linalg.solve(gram + ridge * np.eye(size), right))


def r2(targets: Array, found: Array) -> Array:
    """The share of the targets' variance that is explained, for each matrix."""
    spread = targets - targets.mean(axis=-2, keepdims=True)
    return np.asarray(1 - ((targets - found) ** 2).sum(axis=(-2, -1)) / (spread**2).sum(axis=(-2, -1)))


def best_r2(matrices: Array) -> Array:
    """R² of the best linear decoder of ReLU(Tx) for x ~ N(0, I): tr(C' S⁻¹ C) / n, exactly.

    C = Cov(ReLU(Tx), x) is T/2 by Stein's lemma, and S = Cov(ReLU(Tx)) is the moments less the product of the means,
    |t| |t'| / 2π. The length of a row changes nothing, so that all are made 1.
    """
    rows = matrices / np.linalg.norm(matrices, axis=-1, keepdims=True)
    covariance = moments(rows) - 1 / (2 * np.pi)
    return np.asarray((rows / 2 * solve(covariance, rows / 2)).sum(axis=(-2, -1)) / rows.shape[-1])


def best_mean(dim: int, channels: int, seed: int = 0) -> float:
    """The R² of the best linear decoder, over many T."""
    return float(best_r2(generator(seed, dim, channels, THEORY).standard_normal((SOLVED, channels, dim))).mean())


def inverse_r2(matrices: Array) -> Array:
    """R² of the pseudo-inverse A of a T with n independent rows, for x ~ N(0, I): 1 - tr(A M A') / n, exactly.

    Of E|x - A ReLU(Tx)|² = n - 2 tr(A T/2) + tr(A M A'), the first two cancel as A T = I. It is below 3/4 whatever T
    is: as ReLU(z) = z/2 + |z|/2, what comes back is x/2 and something even in x, which no x/2 makes up for.
    """
    inverse = np.linalg.pinv(matrices)
    return np.asarray(1 - (inverse @ moments(matrices) * inverse).sum(axis=(-2, -1)) / matrices.shape[-1])


def moments(matrices: Array) -> Array:
    """M = E[ReLU(Tx) ReLU(Tx)'] for x ~ N(0, I): the arc-cosine kernel of degree 1 (Cho and Saul, NIPS 2009)."""
    lengths = np.linalg.norm(matrices, axis=-1, keepdims=True)
    cosine = np.clip(matrices @ matrices.mT / (lengths * lengths.mT), -1.0, 1.0)
    angle = np.arccos(cosine)
    return np.asarray(lengths * lengths.mT * (np.sqrt(1 - cosine**2) + (np.pi - angle) * cosine) / (2 * np.pi))
