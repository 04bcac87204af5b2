"""A comparison -> its figures, by matplotlib, as SVG and PNG: the same numbers give the same bytes of SVG."""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from archspec.drawing.chart import drawable, settings, without_metadata
from archspec.drawing.palette import PALETTES
from archspec.drawing.scene import short
from archspec.train.compare import Comparison
from archspec.train.findings import Findings
from archspec.train.statistics import mean

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's."""
MARKS = "osD^vPX"
LINES = ("-", "--", "-.", ":")
Draw = Callable[[Axes], None]


def figures(comparison: Comparison, found: Findings, seconds: Mapping[str, Sequence[float]]) -> dict[str, Figure]:
    """The figures by their names; `seconds` are those that the runs of every member on all images took."""
    labels = comparison.labels
    style = {label: (COLORS[i % 7], MARKS[i % 7], LINES[i // 7 % 4]) for i, label in enumerate(labels)}

    def curves(axes: Axes) -> None:
        largest = max(comparison.protocol.fractions)
        for label in labels:
            color, _, line = style[label]
            runs = [run for run in comparison.of(label, largest) if not run.diverged]
            if not runs:
                continue
            steps = [point.step for point in runs[0].points]
            means = [mean([run.points[i].validation for run in runs]) for i in range(len(steps))]
            middle = np.array([m.value for m in means])
            half = np.nan_to_num(np.array([m.half for m in means]))
            axes.plot(steps, middle, color=color, linestyle=line, label=drawable(label, "png"), linewidth=1.6)
            low, high = np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
            axes.fill_between(steps, low, high, color=color, alpha=0.18, linewidth=0)
        axes.axhline(comparison.protocol.target, color="#555555", linewidth=0.8, linestyle=(0, (4, 3)))
        axes.annotate("target", (0, comparison.protocol.target), (2, 2), textcoords="offset points", fontsize=7)
        axes.set(xlabel="optimiser steps", ylabel="validation accuracy", ylim=(0, 1.02), xlim=(0, None))
        axes.legend(frameon=False, loc="lower right")

    def fractions(what: str, ylabel: str) -> Draw:
        def draw(axes: Axes) -> None:
            for i, label in enumerate(labels):
                color, mark, line = style[label]
                own = [accuracy for accuracy in found.accuracies if accuracy.label == label]
                # a little apart, so that error bars do not cover each other
                shift = 1.03 ** (i - (len(labels) - 1) / 2)
                values = [getattr(accuracy, what) for accuracy in own]
                axes.errorbar(
                    [accuracy.fraction * shift for accuracy in own], [value.value for value in values],
                    np.nan_to_num([value.half for value in values]), color=color, marker=mark, markersize=4.5,
                    linestyle=line, capsize=2.5, linewidth=1.4, elinewidth=0.9, label=drawable(label, "png"),
                )  # fmt: skip
            axes.set_xscale("log")
            ticks = sorted(comparison.protocol.fractions)
            axes.set_xticks(ticks, [f"{100 * fraction:g} %" for fraction in ticks])
            axes.set_xticks([], minor=True)
            axes.set(xlabel="share of the training images", ylabel=ylabel)
            axes.legend(frameon=False)

        return draw

    def costs(what: str, xlabel: str) -> Draw:
        def draw(axes: Axes) -> None:
            for member in comparison.members:
                color, mark, _ = style[member.label]
                value = next(a.test for a in found.accuracies if a.label == member.label)
                axes.errorbar([getattr(member, what)], [value.value], np.nan_to_num([value.half]), color=color,
                              marker=mark, markersize=6, capsize=2.5, elinewidth=0.9, linestyle="none",
                              label=drawable(member.label, "png"))  # fmt: skip
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter(lambda value, _: short(round(value)).replace(".00", "").replace(".0", ""))
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.margins(x=0.25)
            axes.set(xlabel=xlabel, ylabel="test accuracy")
            axes.legend(frameon=False)

        return draw

    def times(axes: Axes) -> None:
        for i, label in enumerate(labels):
            value = mean(seconds[label])
            axes.barh(i, value.value, 0.6, color=style[label][0], xerr=np.nan_to_num([value.half]),
                      error_kw={"elinewidth": 0.9, "capsize": 2.5})  # fmt: skip
            axes.annotate(f"{value.value:.3g} s", (value.value + np.nan_to_num(value.half), i), (4, 0),
                          textcoords="offset points", va="center", fontsize=8)  # fmt: skip
        axes.set_yticks(range(len(labels)), [drawable(label, "png") for label in labels])
        axes.invert_yaxis()
        axes.margins(x=0.2)
        axes.set(xlabel="processor seconds of a run")

    several = len(comparison.protocol.fractions) > 1
    drawn: dict[str, Draw] = {"curves": curves}
    if several:
        drawn |= {"fractions": fractions("test", "test accuracy"),
                  "overfitting": fractions("gap", "training minus test accuracy")}  # fmt: skip
    drawn |= {"macs": costs("macs", "MACs"), "params": costs("params", "parameters"), "time": times}
    return {name: figure(draw, len(labels) if name == "time" else None) for name, draw in drawn.items()}


def figure(draw: Draw, bars: int | None = None) -> Figure:
    with rc_context(settings(PALETTES["light"])):
        made = Figure(
            figsize=(5.4, 3.4 if bars is None else 1.0 + 0.36 * bars), facecolor="#ffffff", layout="constrained"
        )
        axes = made.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#a9b1b9", linewidth=0.4, alpha=0.5)
        axes.set_axisbelow(True)
        draw(axes)
    return made


def written(made: Figure, form: str) -> bytes:
    """A figure as svg or png."""
    buffer = BytesIO()
    with rc_context(settings(PALETTES["light"])):
        made.savefig(buffer, format=form, dpi=200, metadata={"Date": None} if form == "svg" else None)
    return without_metadata(buffer.getvalue()) if form == "svg" else buffer.getvalue()
