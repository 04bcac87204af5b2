"""Numbers -> Markdown."""

import textwrap
from collections.abc import Iterable, Sequence

from benchmarks.samples import Spread

SPREAD = ("best", "median", "quartiles")
WIDTH = 120


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A pipe table, its first column to the left and the others to the right."""
    ruler = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, ruler, *rows))


def prose(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def milliseconds(seconds: float) -> str:
    """Three significant digits: `1,230 ms`, `4.56 ms`."""
    value = seconds * 1e3
    return f"{value:,.{max(0, 3 - len(str(int(value))))}f} ms"


def spread_cells(spread: Spread) -> tuple[str, str, str]:
    quartiles = f"{milliseconds(spread.lower)} – {milliseconds(spread.upper)}"
    return milliseconds(spread.best), milliseconds(spread.median), quartiles


def ratio(value: float, unit: float) -> str:
    quotient = value / unit
    return f"{quotient:.2g}×" if quotient < 1 else f"{quotient:.2f}×" if quotient < 10 else f"{quotient:,.0f}×"


def verdict(holds: bool) -> str:
    return "met" if holds else "missed"
