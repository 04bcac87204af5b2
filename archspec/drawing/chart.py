"""Counts against a number of each network, as papers chart them: a bubble each, its area the other count."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from itertools import product
from math import hypot, pi, sqrt
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal
from warnings import catch_warnings, filterwarnings

from msgspec import Struct

from archspec.drawing.palette import PALETTES, Palette, Theme
from archspec.drawing.scene import Family, short
from archspec.errors import Refusal
from archspec.optional import needing
from archspec.printable import printable, spelled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

FORMATS = ("svg", "png", "pdf")
COUNTS = {"macs": "MACs", "params": "parameters"}
LARGEST = 1400
"""Points², the area of the largest bubble."""
SHARES = (1.0, 0.3, 0.1)
"""Of the largest count: the bubbles of the key."""
FILLS: tuple[Family, ...] = ("convolution", "linear", "join", "pooling", "block", "activation")
"""The colours of families of networks, in their order."""
STYLES = (("", "-"), ("////", "--"), ("....", ":"), ("xxxx", "-."))
"""Hatches and lines of families: of the first six, of the next, …: with a colour they tell each from the others."""
STARTS = {"left": 0.0, "right": 1.0, "bottom": 0.0, "top": 1.0, "center": 0.5}
"""The part of a name that is before its place."""
FAR = (16, 30, 46, 64, 84)
"""Points from a bubble at which its name may stand with a line to it, if the room beside it is taken."""
SIDES = (
    (1, 0, "left", "center"), (-1, 0, "right", "center"), (0, -1, "center", "top"), (0, 1, "center", "bottom"),
    (0.75, -0.75, "left", "top"), (0.75, 0.75, "left", "bottom"), (-0.75, -0.75, "right", "top"),
    (-0.75, 0.75, "right", "bottom"),
)  # fmt: skip
"""Of a bubble, where its name may stand."""


class WrongChart(Refusal):
    """Charts of that kind are not drawn."""

    exit_code = 2


class Point(Struct, frozen=True):
    """A network in a chart."""

    name: str
    params: int
    macs: int
    number: float
    """what it is charted against: its accuracy, its latency"""
    family: str
    """networks of one family are joined by a line"""


def chart(
    points: Sequence[Point],
    form: str = "svg",
    *,
    against: Literal["macs", "params"] = "macs",
    label: str = "top-1 accuracy (%)",
    theme: Theme = "light",
    width: float = 5.4,
) -> bytes:
    """The chart as svg, png or pdf, `width` inches wide; raises `Refusal`."""
    if form not in FORMATS:
        raise WrongChart(f"there is no chart in the form {form!r}", f"the suffix is one of {', '.join(FORMATS)}")
    if any(getattr(point, what) <= 0 for point in points for what in COUNTS):
        raise WrongChart("a network without parameters or MACs has no place on a logarithmic axis")
    with needing("a chart", "draw"):
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    colors = PALETTES[theme]
    size = "params" if against == "macs" else "macs"
    made = BytesIO()
    with rc_context(settings(colors)), glyphs():
        figure = Figure(figsize=(width, width * 0.72), facecolor=colors.ground, layout="constrained")
        axes = figure.add_subplot()
        placed = [
            (drawable(text, form), x, y, radius)
            for text, x, y, radius in bubbles(axes, points, against, size, colors.line)
        ]
        axes.set_xscale("log")
        axes.set_xlabel(COUNTS[against])
        axes.set_ylabel(drawable(label, form))
        axes.xaxis.set_major_formatter(lambda value, _: short(round(value)).replace(".00", "").replace(".0", ""))
        axes.xaxis.set_minor_formatter("")
        axes.margins(0.16)
        axes.grid(color=colors.frame, linewidth=0.5, alpha=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        key(axes, points, size, colors.line, form)
        figure.draw_without_rendering()
        name(axes, placed, colors.line)
        figure.savefig(made, format=form, dpi=200, metadata={"Date": None} if form == "svg" else None)
    return without_metadata(made.getvalue()) if form == "svg" else made.getvalue()


def settings(colors: Palette) -> Any:
    """What matplotlib draws with; its own settings of this machine do not count."""
    return {
        "svg.fonttype": "none", "svg.hashsalt": "archspec", "font.family": "sans-serif", "font.size": 9,
        "font.sans-serif": ["Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"], "text.parse_math": False,
        "text.color": colors.text, "axes.labelcolor": colors.text, "axes.edgecolor": colors.line,
        "xtick.color": colors.text, "ytick.color": colors.text, "axes.facecolor": colors.ground,
        "axes.unicode_minus": False,
    }  # fmt: skip


@contextmanager
def glyphs() -> Iterator[None]:
    """Matplotlib does not warn of a text whose signs none of its fonts has: see `drawable`."""
    with catch_warnings():
        filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        yield


def drawable(text: str, form: str, weight: str = "normal") -> str:
    """A text as a picture can show it.

    An SVG has it as a text, for which its reader has fonts; in other forms what no font here has is spelled out.
    """
    shown = printable(text)
    if form == "svg" or shown.isascii():
        return shown
    found = fonts(weight)
    return "".join(c if any(font.get_char_index(ord(c)) for font in found) else spelled(c) for c in shown)


def fonts(weight: str) -> list[Any]:
    """The fonts that matplotlib draws a text with."""
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties, findfont, get_font

    found = []
    for family in rcParams["font.sans-serif"]:
        with suppress(ValueError):  # it is not there
            found.append(get_font(findfont(FontProperties(family=[family], weight=weight), fallback_to_default=False)))
    return found


def bubbles(
    axes: "Axes", points: Sequence[Point], against: str, size: str, line: str
) -> list[tuple[str, float, float, float]]:
    """A bubble for each network, coloured and joined by family; gives their names, places and radii in points."""
    most = max(getattr(point, size) for point in points)
    placed = []
    for (color, hatch, dashes), members in styled(points):
        members.sort(key=lambda point: getattr(point, against))
        xs, ys = [getattr(point, against) for point in members], [point.number for point in members]
        axes.plot(xs, ys, color=line, linewidth=0.8, linestyle=dashes, zorder=1)
        for point, x, y in zip(members, xs, ys, strict=True):
            share = getattr(point, size) / most
            area = max(14.0, LARGEST * share)
            # the smaller on top of the larger
            axes.scatter(
                [x], [y], s=[area], facecolor=color, hatch=hatch, edgecolors=line, linewidths=0.8, alpha=0.92,
                zorder=3 - share,
            )  # fmt: skip
            placed.append((point.name, x, y, sqrt(area / pi)))
    return placed


def styled(points: Sequence[Point]) -> Iterator[tuple[tuple[str, str, str], list[Point]]]:
    """The families in their order, each with its colour, hatch and line."""
    fills = [PALETTES["light"].fills[kind] for kind in FILLS]
    families: dict[str, list[Point]] = {}
    for point in points:
        families.setdefault(point.family, []).append(point)
    for i, members in enumerate(families.values()):
        hatch, dashes = STYLES[i // len(fills) % len(STYLES)]
        yield (fills[i % len(fills)], hatch, dashes), members


def name(axes: "Axes", placed: Sequence[tuple[str, float, float, float]], line: str) -> None:
    """The bubbles' names, each at the first place beside its bubble, or with a line to it, where it covers nothing."""
    from matplotlib.transforms import Bbox

    scale = axes.figure.dpi / 72
    circles = [(*axes.transData.transform((x, y)), radius * scale) for _, x, y, radius in placed]
    taken: list[Bbox] = []
    for text, x, y, radius in sorted(placed, key=lambda bubble: bubble[3]):
        label = axes.annotate(text, (x, y), fontsize=8, parse_math=False, zorder=4)
        size = label.get_window_extent()
        label.remove()
        tried: list[tuple[int, int, tuple[float, float], str, str, Bbox, int]] = []
        for far, (dx, dy, horizontal, vertical) in product((0, *FAR), SIDES):
            off = radius + 3 + far
            cx, cy = axes.transData.transform((x, y))
            left = cx + dx * off * scale - STARTS[horizontal] * size.width
            low = cy + dy * off * scale - STARTS[vertical] * size.height
            box = Bbox.from_bounds(left, low, size.width, size.height)
            way = [(cx + dx * part * scale, cy + dy * part * scale) for part in range(round(radius), round(off), 4)]
            wrong = faults(box, way if far else [], taken, circles, axes.bbox)
            tried.append((wrong, len(tried), (dx * off, dy * off), horizontal, vertical, box, far))
            if not wrong:
                break
        _, _, place, horizontal, vertical, box, far = min(tried, key=lambda found: found[:2])
        shaft = {"arrowstyle": "-", "color": line, "linewidth": 0.6, "shrinkA": 0, "shrinkB": radius}
        axes.annotate(
            text, (x, y), place, textcoords="offset points", ha=horizontal, va=vertical, fontsize=8, parse_math=False,
            zorder=4, arrowprops=shaft if far else None,
        )  # fmt: skip
        taken.append(box)


def faults(
    box: "Bbox",
    way: Sequence[tuple[float, float]],
    taken: Sequence["Bbox"],
    circles: Sequence[tuple[float, float, float]],
    inside: "Bbox",
) -> int:
    """What a name in a place, and the line to it, would cover."""
    names = sum(box.overlaps(other) or any(other.contains(x, y) for x, y in way) for other in taken)
    bubbles = sum(
        hypot(cx - min(max(cx, box.x0), box.x1), cy - min(max(cy, box.y0), box.y1)) < r for cx, cy, r in circles
    )
    # outside it would cover the key, or be cut off
    out = box.x0 < inside.x0 or box.x1 > inside.x1 or box.y0 < inside.y0 or box.y1 > inside.y1
    return int(2 * names + bubbles + 9 * out)


def key(axes: "Axes", points: Sequence[Point], size: str, line: str, form: str) -> None:
    """What the bubbles' areas mean; which families are joined, where there are others."""
    found = list(styled(points))
    joined = [(style, members) for style, members in found if len(members) > 1 and len(found) > 1]
    handles = [
        axes.scatter(
            [], [], s=60, facecolor=color, hatch=hatch, edgecolors=line, linewidths=0.8,
            label=drawable(PurePath(members[0].family).stem or members[0].family, form),
        )
        for (color, hatch, _), members in joined
    ]  # fmt: skip
    if handles:
        families = axes.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8, handletextpad=1.0
        )
        axes.add_artist(families)
    most = max(getattr(point, size) for point in points)
    handles = [
        axes.scatter([], [], s=LARGEST * share, facecolors="none", edgecolors=line, label=short(round(most * share)))
        for share in SHARES
    ]
    axes.legend(
        handles=handles, title=COUNTS[size], loc="lower left" if joined else "center left", labelspacing=3.2,
        bbox_to_anchor=(1.0, 0.0 if joined else 0.5), frameon=False, handletextpad=2.2, borderpad=1.2,
        title_fontsize=8, fontsize=8,
    )  # fmt: skip


def without_metadata(drawing: bytes) -> bytes:
    """An SVG without the addresses that matplotlib notes in it."""
    from xml.etree import ElementTree

    space = "http://www.w3.org/2000/svg"
    ElementTree.register_namespace("", space)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ElementTree.fromstring(drawing)
    for element in root.findall(f"{{{space}}}metadata"):
        root.remove(element)
    made = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{made}\n'.encode()
