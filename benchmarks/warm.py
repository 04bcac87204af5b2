"""One process that has everything imported: archspec from the text, the others from a model already built."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

import archspec
from archspec.stats import Stats
from benchmarks.counters import TORCH, torchvision_model
from benchmarks.markdown import SPREAD, milliseconds, prose, ratio, spread_cells, table, verdict
from benchmarks.samples import Spread, alternate, settle, timed

NETWORK, SIDE = "mobilenet_v2", 224
SPEC = Path(__file__).parent.parent / "specs" / "mobilenet_v2.arch"
ARCHSPEC = "archspec: parse, elaborate, stats"
COUNT = "archspec: `Spec.count((224,), alpha=1.0)`"
TARGET = 0.010
FASTER = 100
"""The target of what counts again: times as fast as the best of the others"""


def archspec_count(text: str) -> Stats:
    return archspec.parse(text).elaborate().stats()


def seconds(function: Callable[[], Any]) -> float:
    """Seconds of the second of two calls: the first brings back what other turns drove out of the caches."""
    settle()
    function()
    return timed(function)[0]


def measure(quick: bool) -> str:
    """The section of MobileNetV2 in one process."""
    torch.set_num_threads(1)
    model = torchvision_model(NETWORK)
    text = SPEC.read_text(encoding="utf-8")
    assert archspec_count(text).params == TORCH["torchinfo"](model, SIDE).total_params
    counts: dict[str, Callable[[], Any]] = {
        ARCHSPEC: partial(archspec_count, text),
        COUNT: partial(archspec.parse(text).count, (SIDE,), alpha=1.0),
        **{name: partial(count, model, SIDE) for name, count in TORCH.items()},
    }
    contestants = {name: partial(seconds, count) for name, count in counts.items()}
    taken = alternate(contestants, dict.fromkeys(counts, 7 if quick else 51), warmups=3)
    spreads = {name: Spread.of(values) for name, values in taken.items()}
    reached = spreads[ARCHSPEC].median
    faster = min(spreads[name].median for name in TORCH) / spreads[COUNT].median
    rows = [(name, *spread_cells(spread), ratio(spread.median, reached)) for name, spread in spreads.items()]
    remarks = (
        f"Targets: archspec from the text within {milliseconds(TARGET)}: {milliseconds(reached)}, "
        f"{verdict(reached <= TARGET)}; a spec that is read {FASTER} times as fast as the best of the others: "
        f"{faster:,.0f} times, {verdict(faster >= FASTER)}; it counts by the functions that searching makes. "
        "The text is the same each time, as for somebody who tries parameters: archspec has its cells and its blocks "
        "parsed already. The others are given the built model, and run it once on one thread."
    )
    return f"{table(('one count', *SPREAD, 'ratio'), rows)}\n\n{prose(remarks)}"
