"""`archspec lab`: experiments that measure what papers argue."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archspec.cli import tables
from archspec.cli.options import Folder
from archspec.cli.output import say, show, show_json
from archspec.cli.training import progress
from archspec.optional import needing
from archspec.sheet import Sheet

if TYPE_CHECKING:
    from archspec.lab.collapse import Estimate
    from archspec.lab.experiment import Cell

HEADERS = ("n", "m", "invertible", "theory", "ReLU(Tx) = 0", "theory", "R² of decoder", "theory", "R² of T⁺")


@click.group()
def lab() -> None:
    """Measure what papers argue."""


@lab.command()
@click.option(
    "-o", "--output", type=Folder(), metavar="DIR",
    help="Write both figures (SVG, PNG) and all numbers (JSON) into this folder.",
)  # fmt: skip
@click.option(
    "--dims", type=click.IntRange(1, 256), multiple=True, default=(2,), show_default=True, metavar="N",
    help="How many numbers an input has; may be given several times.",
)  # fmt: skip
@click.option(
    "--draws", type=click.IntRange(1, 10**9), default=100_000, show_default=True, metavar="N",
    help="Random matrices of a share.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Seed of all draws.")
@click.option(
    "--train", is_flag=True,
    help="Train bottlenecks that are linear and such that end in ReLU6 too, a minute or two; needs -o.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form."
)
def relu(output: Path | None, dims: tuple[int, ...], draws: int, seed: int, train: bool, form: str) -> None:
    """Measure what ReLU leaves of n numbers in m channels (MobileNetV2, Figure 1).

    Inputs x go through ReLU(Tx), T a random matrix. How many can be computed from it, how many vanish, and how much of
    them a linear decoder finds again, with standard errors and beside theory.

    \b
    Examples:
      archspec lab relu
      archspec lab relu --dims 2 --dims 8 --draws 100000
      archspec lab relu -o relu/
      archspec lab relu -o relu/ --train
    """
    if train and output is None:
        raise click.UsageError("--train needs a folder for its runs and report: -o DIR")
    from archspec.lab import ready

    ready()
    from archspec.lab.experiment import cell, inverse_means
    from archspec.lab.results import json_text, write
    from archspec.lab.spiral import CHANNELS

    cells = [cell(dim, channels, draws, seed) for dim in sorted(set(dims)) for channels in CHANNELS]
    if form == "json":
        show_json(json_text(cells, draws, seed))
    else:
        tables.print_sheet(relu_sheet(cells, inverse_means(seed)))
    if output is not None:
        for path in write(output, cells, draws, seed):
            say(f"saved to {path}", err=form == "json")
        if train:
            show(train_bottlenecks(output / "bottleneck"), err=form == "json")


def train_bottlenecks(folder: Path) -> str:
    """Train, write the report, and give what it says."""
    with needing("training", "train"):
        from archspec.lab.bottleneck import trained
        from archspec.train.report import write

        with progress(folder / "runs") as told:
            found = trained(folder, os.cpu_count() or 1, told)
        return write(found, folder / "runs", folder)


def relu_sheet(cells: "Sequence[Cell]", means: dict[int, float]) -> Sheet:
    """A line for each n and m."""
    rows = tuple(
        (
            one.dim,
            one.channels,
            measured(one.invertible, 5),
            f"{one.invertible_exact:.5f}",
            measured(one.collapsed, 5),
            f"{one.collapsed_exact:.5f}",
            measured(one.r2, 4),
            f"{one.r2_best:.4f}",
            f"{one.r2_inverse:.2f}",
        )
        for one in cells
    )
    unsettled = ", ".join(f"{mean:,.0f} over {count:,}" for count, mean in means.items())
    note = (
        "Theory: P(Bin(m, 1/2) ≥ n), 2^-m, and the best linear decoder there is.\n"
        f"R² of T⁺, the pseudo-inverse, is the median over T. At n = m = 2 it has no mean:\n"
        f"{unsettled} T."
    )
    return Sheet("Inputs of n numbers through ReLU(Tx), m channels", HEADERS, rows, note=note)


def measured(found: "Estimate", digits: int) -> str:
    return f"{found.value:.{digits}f} ± {found.error:.{digits}f}"
