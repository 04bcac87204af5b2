"""What an experiment measured -> its files: both figures, and all numbers as JSON."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from archspec.files import whole_file
from archspec.lab import collapse, figures, spiral
from archspec.lab.experiment import Cell, curves, inverse_means


def write(folder: Path, cells: Sequence[Cell], draws: int, seed: int) -> Iterator[Path]:
    """Both figures, and all numbers as JSON; each file whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = [spiral.median_draw(channels, seed) for channels in spiral.CHANNELS]
    measured = curves(draws, seed)
    made = {
        "figure1.svg": figures.figure1(shown, "svg"),
        "figure1.png": figures.figure1(shown, "png"),
        "curves.svg": figures.curves(measured, draws, "svg"),
        "curves.png": figures.curves(measured, draws, "png"),
        "relu.json": (json_text(cells, draws, seed, shares=measured, figure1=shown) + "\n").encode(),
    }
    for name, content in made.items():
        with whole_file(folder / name) as temporary:
            temporary.write_bytes(content)
        yield folder / name


def json_text(
    cells: Sequence[Cell], draws: int, seed: int, shares: Sequence[Cell] = (), figure1: Sequence[spiral.Draw] = ()
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
    if shares:
        found["curves"] = [to_builtins(cell) for cell in shares]
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
