"""What `archspec lab relu` measures: a cell for each n and m, the means that do not settle, and its files."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct, to_builtins

from archspec.files import whole_file
from archspec.lab import collapse, spiral
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


def write(folder: Path, cells: Sequence[Cell], draws: int, seed: int) -> Iterator[Path]:
    """Both figures, and all numbers as JSON; each file whole or not at all."""
    from archspec.lab import figures

    folder.mkdir(parents=True, exist_ok=True)
    shown = [spiral.median_draw(channels, seed) for channels in spiral.CHANNELS]
    measured = curves(draws, seed)
    made = {
        "figure1.svg": figures.figure1(shown, "svg"),
        "figure1.png": figures.figure1(shown, "png"),
        "curves.svg": figures.curves(measured, draws, "svg"),
        "curves.png": figures.curves(measured, draws, "png"),
        "relu.json": (json_text(cells, draws, seed, curves=measured, figure1=shown) + "\n").encode(),
    }
    for name, content in made.items():
        with whole_file(folder / name) as temporary:
            temporary.write_bytes(content)
        yield folder / name


def json_text(
    cells: Sequence[Cell], draws: int, seed: int, curves: Sequence[Cell] = (), figure1: Sequence[spiral.Draw] = ()
) -> str:
    """All numbers, and what drew them."""
    found: dict[str, Any] = {
        "source": "arXiv:1801.04381v4, Figure 1 and section 3.2",
        "seed": seed,
        "draws": draws,
        "matrices": collapse.MATRICES,
        "points": collapse.POINTS,
        "held_out": collapse.HELD_OUT,
        "cells": [to_builtins(cell) for cell in cells],
        "r2_of_the_pseudo_inverse_at_n_2_m_2": {"means": inverse_means(seed)},
    }
    if curves:
        found["curves"] = [to_builtins(cell) for cell in curves]
    if figure1:
        found["figure1"] = [
            {
                "channels": draw.channels,
                "matrix": draw.matrix.tolist(),
                "r2_back": draw.r2_back,
                "r2_decoded": draw.r2_decoded,
                "invertible": draw.invertible,
            }
            for draw in figure1
        ]
    return json.dumps(found, indent=2)
