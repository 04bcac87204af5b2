"""Rows -> the chart of their parameters and MACs, those of the front joined by a line."""

from collections.abc import Sequence
from io import BytesIO
from math import log10
from pathlib import Path

from archspec.drawing.chart import COUNTS, FORMATS, WrongChart, drawable, glyphs, name, settings, without_metadata
from archspec.drawing.palette import PALETTES, Theme
from archspec.drawing.scene import short
from archspec.optional import needing

FINENESS = 100
"""Points of the chart for each power of ten: of rows that fall together, one is kept."""
LABELS = 8
"""Members of the front that are named."""
RADIUS = 2.0
"""Points, of a member of the front."""


class Cloud:
    """The places of rows in a chart, so many at most as can be told apart."""

    def __init__(self) -> None:
        self.points: dict[tuple[int, int], tuple[int, int]] = {}

    def add(self, params: int, macs: int) -> None:
        if params > 0 and macs > 0:  # else it has no place on a logarithmic axis
            place = round(log10(params) * FINENESS), round(log10(macs) * FINENESS)
            self.points.setdefault(place, (params, macs))


def form_of(path: Path) -> str:
    """The form that the suffix of a file says; raises `WrongChart`."""
    form = path.suffix.removeprefix(".").lower()
    if form not in FORMATS:
        raise WrongChart(f"there is no chart in the form {form!r}", f"the suffix is one of {', '.join(FORMATS)}")
    return form


def figure(
    cloud: Cloud, front: Sequence[tuple[int, int, str]], form: str = "svg", theme: Theme = "light", width: float = 5.4
) -> bytes:
    """The chart as svg, png or pdf, `width` inches wide; `front` are parameters, MACs and names.

    Raises `MissingFramework`.
    """
    with needing("a chart", "draw"):
        from matplotlib import rc_context
        from matplotlib.figure import Figure
        from matplotlib.ticker import LogLocator
    colors = PALETTES[theme]
    placed = [member for member in front if member[0] > 0 and member[1] > 0]
    made = BytesIO()
    with rc_context(settings(colors)), glyphs():
        drawn = Figure(figsize=(width, width * 0.72), facecolor=colors.ground, layout="constrained")
        axes = drawn.add_subplot()
        points = cloud.points.values()
        xs, ys = [params for params, _ in points], [macs for _, macs in points]
        axes.scatter(xs, ys, s=5, color=colors.frame, linewidths=0, zorder=1)
        xs, ys = [params for params, _, _ in placed], [macs for _, macs, _ in placed]
        fill = colors.fills["convolution"]
        axes.plot(
            xs, ys, color=colors.line, linewidth=0.9, marker="o", markersize=2 * RADIUS, markerfacecolor=fill, zorder=2
        )
        for axis, what in ((axes.xaxis, "params"), (axes.yaxis, "macs")):
            axis.set_label_text(COUNTS[what])
        if cloud.points:
            axes.set_xscale("log")
            axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(lambda value, _: short(round(value)).replace(".00", "").replace(".0", ""))
            axis.set_minor_formatter("")
        axes.grid(color=colors.frame, linewidth=0.5, alpha=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(0.16)
        drawn.draw_without_rendering()
        named = placed[:: -(-len(placed) // LABELS) or 1]
        name(axes, [(drawable(text, form), params, macs, RADIUS) for params, macs, text in named], colors.line)
        drawn.savefig(made, format=form, dpi=200, metadata={"Date": None} if form == "svg" else None)
    return without_metadata(made.getvalue()) if form == "svg" else made.getvalue()
