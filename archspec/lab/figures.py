"""What was measured -> two figures, as SVG or PNG; the same bytes for the same numbers."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from archspec.drawing.chart import settings, without_metadata
from archspec.drawing.palette import PALETTES
from archspec.lab.collapse import Array, Estimate, collapsed_share, invertible_share
from archspec.lab.experiment import Cell
from archspec.lab.spiral import Draw, spiral

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Form = Literal["svg", "png"]
COLORS = PALETTES["light"]
ALONG = ListedColormap(colormaps["viridis"](np.linspace(0.0, 0.92, 256)))
"""From the middle of the spiral outwards; the end of viridis is too pale for white paper."""
PIECES = 50
"""Of one colour each: a spiral of a thousand paths would be a file of megabytes."""
LINES = ("#0072b2", "#d55e00", "#009e73")
"""Of the Okabe-Ito palette, one for each n."""
MARKERS = "osD"
EXPANSION = 6
"""m / n in the bottlenecks of MobileNetV2."""
FEW = 10
"""A share stands on a logarithmic axis where at least so many of the draws are expected to count."""


def figure1(draws: Sequence[Draw], form: Form) -> bytes:
    """The spiral, and for each m what comes back: above by the pseudo-inverse, below by the best decoder."""
    with rc_context(settings(COLORS)):
        figure = Figure(figsize=(7.2, 2.75), facecolor=COLORS.ground, layout="constrained")
        grid = figure.add_gridspec(2, len(draws) + 1)
        first = figure.add_subplot(grid[:, 0])
        curl(first, spiral())
        first.set_title("input x", fontsize=9)
        for column, draw in enumerate(draws, start=1):
            above, below = (figure.add_subplot(grid[row, column]) for row in range(2))
            curl(above, draw.back, draw.r2_back)
            curl(below, draw.decoded, draw.r2_decoded)
            above.set_title(f"m = {draw.channels}", fontsize=9)
            below.set_xlabel(f"{draw.invertible:.0%} invertible", fontsize=7.5, color=COLORS.faint)
            if column == 1:
                above.set_ylabel("pseudo-inverse")
                below.set_ylabel("linear decoder")
        return saved(figure, form)


def curl(axes: "Axes", points: Array, explained: float | None = None) -> None:
    """Points in their order, joined, and coloured along it."""
    step = len(points) // PIECES
    pieces = [points[start : start + step + 1] for start in range(0, len(points), step)]
    axes.add_collection(
        LineCollection(pieces, array=np.arange(len(pieces)), cmap=ALONG, linewidths=1.2, capstyle="round")
    )
    axes.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set(color=COLORS.frame, linewidth=0.6)
    if explained is not None:
        axes.text(
            0.96, 0.04, f"R\u00b2 {explained:.2f}", transform=axes.transAxes, ha="right", va="bottom", fontsize=7,
            color=COLORS.faint,
        )  # fmt: skip


def curves(cells: "Sequence[Cell]", draws: int, form: Form) -> bytes:
    """Three panels against m: what is invertible, what vanishes, what a linear decoder finds again."""
    with rc_context(settings(COLORS)):
        figure = Figure(figsize=(7.2, 2.6), facecolor=COLORS.ground, layout="constrained")
        invertible, collapsed, decoded = figure.subplots(1, 3)
        most = max(cell.channels for cell in cells)
        for place, dim in enumerate(sorted({cell.dim for cell in cells})):
            look = (LINES[place], MARKERS[place])
            of_dim = [cell for cell in cells if cell.dim == dim]
            law(invertible, range(1, most + 1), partial(invertible_share, dim), LINES[place])
            dots(invertible, of_dim, lambda cell: cell.invertible, *look)
            ring(invertible, EXPANSION * dim, invertible_share(dim, EXPANSION * dim))
            seen = [cell for cell in of_dim if cell.collapsed_exact * draws >= FEW]
            dots(collapsed, seen, lambda cell: cell.collapsed, *look)
            decoded.plot([c.channels for c in of_dim], [c.r2_best for c in of_dim], color=LINES[place], linewidth=1.1)
            dots(decoded, of_dim, lambda cell: cell.r2, *look, label=f"n = {dim}")
        seen_until = max((cell.channels for cell in cells if cell.collapsed_exact * draws >= FEW), default=1)
        law(collapsed, range(1, seen_until + 2), collapsed_share, COLORS.text)
        collapsed.set_yscale("log", base=2)
        collapsed.yaxis.set_major_formatter(lambda value, _: f"1/{1 / value:.0f}" if value < 1 else f"{value:.0f}")
        collapsed.set_xticks(range(1, seen_until + 2, 2))
        collapsed.text(
            0.05, 0.04, "dots: measured\nlines: theory", transform=collapsed.transAxes, fontsize=7.5,
            color=COLORS.faint,
        )  # fmt: skip
        for axes in (invertible, decoded):
            axes.set_xscale("log", base=2)
            axes.set_xticks([2**power for power in range(most.bit_length() + 1)])
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
            axes.set_ylim(-0.04, 1.12)
        invertible.text(
            EXPANSION * 4, 1.055, f"m = {EXPANSION}n", ha="center", va="bottom", fontsize=7.5, color=COLORS.faint
        )  # fmt: skip
        named(invertible, "(a) x is determined by ReLU(Tx)", "share of inputs")
        named(collapsed, "(b) ReLU(Tx) = 0", "share of inputs")
        named(decoded, "(c) x by the linear decoder", "R\u00b2 on held-out points")
        decoded.legend(loc="lower right", frameon=False, fontsize=8, handletextpad=0.2)
        return saved(figure, form)


def law(axes: "Axes", channels: range, share: Callable[[int], float], color: str) -> None:
    axes.plot(channels, [share(m) for m in channels], color=color, linewidth=1.1, zorder=1)


def ring(axes: "Axes", x: float, y: float) -> None:
    axes.plot(x, y, "o", markersize=8, markerfacecolor="none", markeredgecolor=COLORS.text, zorder=4)


def dots(
    axes: "Axes",
    cells: "Sequence[Cell]",
    what: "Callable[[Cell], Estimate]",
    color: str,
    marker: str,
    *,
    label: str = "",
) -> None:
    """What was measured, with its standard errors."""
    found = [what(cell) for cell in cells]
    axes.errorbar(
        [cell.channels for cell in cells], [one.value for one in found], [one.error for one in found],
        color=color, fmt=marker, markersize=2.8, elinewidth=0.8, capsize=1.5, label=label or None, zorder=3,
    )  # fmt: skip


def named(axes: "Axes", title: str, label: str) -> None:
    axes.set_title(title, fontsize=8.5)
    axes.set_xlabel("channels m")
    axes.set_ylabel(label)
    axes.grid(color=COLORS.frame, linewidth=0.5, alpha=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def saved(figure: Figure, form: Form) -> bytes:
    """The figure's bytes; in SVG, places are rounded to a hundredth of a point."""
    made = BytesIO()
    figure.savefig(made, format=form, dpi=220, metadata={"Date": None} if form == "svg" else None)
    if form == "png":
        return made.getvalue()
    paths = re.compile(rb' d="[^"]*"')
    return paths.sub(lambda path: re.sub(rb"(\.\d{2})\d+", rb"\1", path[0]), without_metadata(made.getvalue()))
