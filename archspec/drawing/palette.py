"""The colours of every picture, one home for static ones and the page.

Fills are tints of the Okabe-Ito palette (https://jfly.uni-koeln.de/color/), which people who confuse red and green can
tell apart. Those of what computes, joins or stands for several differ in lightness by the same steps, so that a grey
print tells them apart too, and every box says in words what it is.
"""

from typing import Literal, get_args

from msgspec import Struct

from archspec.drawing.scene import Family

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)


class Palette(Struct, frozen=True):
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
            "input": "#ffffff", "linear": "#e8946a", "convolution": "#8fbfe6", "pooling": "#f2bb62",
            "join": "#a9e0c9", "block": "#ddd3f0", "depthwise": "#d3ebf8", "normalisation": "#e9ebee",
            "layout": "#f6f0e4", "activation": "#fdf7c4", "regularisation": "#f4f5f7",
        },
    ),
    "dark": Palette(
        ground="#14171b", text="#edf0f3", faint="#c6cdd4", line="#8a949e", frame="#4b545d", shade="#1b1f24",
        skip="#f0985a",
        fills={
            "input": "#14171b", "linear": "#63290c", "convolution": "#194f78", "pooling": "#6f4d0b",
            "join": "#1d7a5b", "block": "#7059a0", "depthwise": "#3f83b0", "normalisation": "#434a52",
            "layout": "#4d4432", "activation": "#6f671c", "regularisation": "#30363c",
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
