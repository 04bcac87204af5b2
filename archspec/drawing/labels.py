"""Texts of a spec -> what stands in Graphviz' HTML-like labels, where no character of them means anything to it."""

import html
import re
import textwrap

from archspec.drawing.scene import Counts, short

APART = "\u200b"
"""Parts what Graphviz would read as more than a text; a text of a spec never has one, see `printable`."""
LINE = 46
"""Characters of a line before it is broken."""
LINES = 4
"""Lines of a text before the rest of it is left out."""


def cell(inside: str, fill: str = "") -> str:
    color = f' BGCOLOR="{fill}"' if fill else ""
    return f'<TR><TD ALIGN="LEFT" BALIGN="LEFT"{color}>{inside}</TD></TR>'


def counts_text(*counts: Counts) -> str:
    """`928 params · 10.8M MACs`; nothing where there is nothing to count; from the least to the most of several."""
    said = []
    for numbers, what in (([each.params for each in counts], "params"), ([each.macs for each in counts], "MACs")):
        least, most = short(min(numbers)), short(max(numbers))
        said += [f"{least}–{most} {what}" if least != most else f"{most} {what}"] * (max(numbers) > 0)
    return " · ".join(said)


def broken(text: str, longest: int) -> list[str]:
    """A text in lines; what does not fit is left out."""
    lines = textwrap.wrap(text, longest) or [text]
    return lines if len(lines) <= LINES else [*lines[: LINES - 1], f"{lines[LINES - 1][: longest - 1]}…"]


def escaped(text: str) -> str:
    """A text in an HTML-like label; Graphviz takes neither an empty one nor apostrophes by name."""
    # it writes what looks like an entity into an SVG as one, `&amp;#0;` as `&#0;`, and replaces \N, \G and the like by
    # names of its own: a space of no width prevents both, and does not stay in an SVG
    text = re.sub(r"&(?=#?\w+;)|\\", lambda match: match[0] + APART, text)
    return html.escape(text, quote=False).replace('"', "&quot;").replace(APART, f"&#{ord(APART)};") or " "


def quoted(word: str) -> str:
    """A word of the language as an attribute's value."""
    return f'"{word}"'
