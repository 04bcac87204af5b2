"""A spiral -> T -> ReLU -> back to two dimensions: what Figure 1 of MobileNetV2 shows (arXiv:1801.04381v4).

The paper does not say which T it shows. Here it is the median one of many by the error of what comes back, so that a
picture is neither luck nor choice.
"""

import numpy as np
from msgspec import Struct

from archspec.lab.collapse import Array, generator, predicted, r2, relu

CHANNELS = (2, 3, 5, 15, 30)
"""The dimensions that the paper shows."""
POINTS = 1000
TURNS = 2.5
DRAWS = 101
"""Odd, so that one is the median."""
STREAM = 3


class Draw(Struct, frozen=True):
    """A T and what comes back through it."""

    channels: int
    matrix: Array
    back: Array
    """T⁺ ReLU(Tx), as in the paper; T⁺ is the pseudo-inverse"""
    decoded: Array
    """what the best linear decoder of these points makes of ReLU(Tx)"""
    r2_back: float
    r2_decoded: float
    invertible: float
    """share of the points that can be computed from ReLU(Tx)"""


def spiral(points: int = POINTS) -> Array:
    """Points at equal steps along the radius of an Archimedean spiral, from the middle outwards, N×2."""
    radius = np.linspace(0.0, 1.0, points + 1)[1:]
    angle = 2 * np.pi * TURNS * radius
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def returned(matrices: Array, points: Array) -> Array:
    """T⁺ ReLU(Tx) for each T."""
    return relu(points @ matrices.mT) @ np.linalg.pinv(matrices).mT


def errors(matrices: Array, points: Array) -> Array:
    """The mean squared distance of each point from what comes back of it, for each T."""
    return np.asarray(((returned(matrices, points) - points) ** 2).sum(axis=-1).mean(axis=-1))


def drawn(channels: int, draws: int = DRAWS, seed: int = 0) -> Array:
    """T, `draws` times."""
    return generator(seed, 2, channels, STREAM).standard_normal((draws, channels, 2))


def median(matrices: Array, points: Array) -> int:
    """Which of an odd number of T has the median error."""
    return int(np.argsort(errors(matrices, points))[len(matrices) // 2])


def median_draw(channels: int, seed: int = 0) -> Draw:
    """The T of median error, and what comes back through it."""
    points = spiral()
    matrices = drawn(channels, seed=seed)
    matrix = matrices[median(matrices, points)]
    features = relu(points @ matrix.T)
    back = returned(matrix, points)
    decoded = predicted(features, points, features)
    invertible = float(((features > 0).sum(axis=1) >= 2).mean())
    return Draw(
        channels, matrix, back, decoded, float(r2(points, back)), float(r2(points, decoded)), invertible
    )  # fmt: skip
