"""The colours of every picture, one home for static ones and the page.

Fills are tints of the Okabe-Ito palette (https://jfly.uni-koeln.de/color/), which people who confuse red and green can
tell apart; they differ in lightness too, and every box says in words what it is, so that a grey print loses nothing.
"""

from dataclasses import dataclass

from archspec.drawing import Theme
from archspec.drawing.scene import Family


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a theme."""

    ground: str
    text: str
    faint: str
    """of what is said besides: shapes, counts"""
    line: str
    """of edges and of boxes' borders"""
    frame: str
    """of the border around boxes"""
    shade: str
    """of the ground inside such a border"""
    skip: str
    """of edges that go around boxes"""
    fills: dict[Family, str]


PALETTES: dict[Theme, Palette] = {
    "light": Palette(
        ground="#ffffff", text="#16191d", faint="#51585f", line="#5b636b", frame="#a9b1b9", shade="#f6f7f9",
        skip="#b3470a",
        fills={
            "input": "#ffffff", "convolution": "#9fc8e8", "depthwise": "#d3ebf8", "linear": "#f2ab84",
            "pooling": "#f7d08a", "normalisation": "#e4e6e9", "activation": "#fbf3b4", "join": "#a5dcc6",
            "regularisation": "#eef0f2", "layout": "#f3ecdf", "block": "#d8cdea",
        },
    ),
    "dark": Palette(
        ground="#14171b", text="#edf0f3", faint="#c6cdd4", line="#8a949e", frame="#4b545d", shade="#1b1f24",
        skip="#f0985a",
        fills={
            "input": "#14171b", "convolution": "#1f5c8a", "depthwise": "#3a7da6", "linear": "#95471a",
            "pooling": "#80590d", "normalisation": "#434a52", "activation": "#696118", "join": "#1c6e52",
            "regularisation": "#30363c", "layout": "#4d4432", "block": "#5a4585",
        },
    ),
}  # fmt: skip
SAID: dict[Family, str] = {
    "convolution": "convolution", "depthwise": "depthwise convolution", "linear": "linear", "pooling": "pooling",
    "normalisation": "normalisation", "activation": "activation", "join": "add, concat", "block": "block",
    "regularisation": "dropout, scale", "layout": "reshape", "input": "input",
}  # fmt: skip
"""What the legend calls them, in its order."""
FONT = "Helvetica,Arial,Liberation Sans,DejaVu Sans,sans-serif"
