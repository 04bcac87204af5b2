"""Graphviz' text -> SVG, PNG or PDF, by the program `dot`."""

from io import BytesIO
from xml.etree import ElementTree

from archspec.drawing.labels import APART
from archspec.errors import Refusal
from archspec.optional import needing
from archspec.printable import printable

MOST_PIXELS = 32_767
"""The most pixels on a side of a PNG: Graphviz scales down a larger one, and viewers do not open it."""

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
DPI = 160
"""Dots per inch of a PNG, at which a figure of one column is sharp on paper and on a screen."""
INCH = 72
"""Points of an inch."""
TRIES = 4
"""Graphviz 2.43 reads memory that it has freed where it packs columns, and crashes of it once in a great while."""
KEPT = frozenset({"svg", "g", "path", "polygon", "polyline", "ellipse", "text"})
"""What Graphviz draws with; no element of any other kind is let through."""
INSTALL = (
    "install it: `apt-get install graphviz`, `brew install graphviz`, `conda install graphviz` or "
    "https://graphviz.org/download; DOT and HTML need no program (-o net.dot, -o net.html)"
)


class TooLarge(Refusal):
    """A picture has more pixels than a PNG may have."""

    exit_code = 2

    def __init__(self, pixels: float | None, dpi: int) -> None:
        about = f"about {round(pixels, -3):,.0f} pixels long" if pixels else "larger"
        less = int(dpi * MOST_PIXELS / pixels * 0.8) if pixels else 0  # the length is estimated
        fewer = f", `--dpi {less}`" if less >= 40 else ""  # what is smaller cannot be read
        super().__init__(
            f"a PNG holds {MOST_PIXELS:,} pixels on a side, and this picture is {about} at {dpi} dots per inch",
            f"an SVG or PDF has no pixels (-o net.svg); or draw less: `--level row`, `--at PART`{fewer}",
        )


class NoProgram(Refusal):
    """Graphviz is not installed."""

    exit_code = 3

    def __init__(self) -> None:
        super().__init__("a picture needs Graphviz' program `dot`, which is not on the PATH", INSTALL)


class Undrawn(Refusal):
    """Graphviz gave up."""

    exit_code = 3


def drawn(text: str, form: str, title: str, dpi: int = DPI) -> bytes:
    """The picture as svg, png or pdf. Raises `NoProgram`, `MissingFramework`, `TooLarge` and `Undrawn`."""
    if form == "png":
        text = text.replace("graph [", f"graph [dpi={dpi} ", 1)
    made = piped(text, form)
    return clean(made, title) if form == "svg" else sized(made, dpi) if form == "png" else made


def piped(text: str, form: str, tries: int = TRIES) -> bytes:
    """What the program gives out; a crash is tried again."""
    with needing("a picture", "draw"):
        import graphviz
    try:
        made: bytes = graphviz.pipe("dot", form, text.encode(), quiet=True)
        return made
    except graphviz.ExecutableNotFound:
        raise NoProgram from None
    except graphviz.CalledProcessError as error:
        if error.returncode < 0 and tries > 1:  # a signal's number
            return piped(text, form, tries - 1)
        said = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        reason = said[0] if said else f"it ended with {error.returncode}"
        raise Undrawn(f"Graphviz cannot draw this: {reason}", "a lower level of detail may do (--level row)") from None


def sized(drawing: bytes, dpi: int) -> bytes:
    """A PNG that says how large it is on paper, which Graphviz' does not."""
    with needing("a picture as png", "draw"):
        from PIL import Image

    made = BytesIO()
    with Image.open(BytesIO(drawing)) as image:
        if max(image.size) >= MOST_PIXELS - 1:  # Graphviz has scaled it down to that
            raise TooLarge(None, dpi)
        image.save(made, "png", dpi=(dpi, dpi))
    return made.getvalue()


def clean(drawing: bytes, title: str) -> bytes:
    """An SVG that is a picture and nothing else: no reference outside, no script, no names as tooltips."""
    for prefix, space in (("", SVG), ("xlink", XLINK)):
        ElementTree.register_namespace(prefix, space)
    root = ElementTree.fromstring(drawing)
    for element in root.iter():
        element[:] = [child for child in element if str(child.tag).removeprefix(f"{{{SVG}}}") in KEPT]
        element.attrib.pop("id", None)
        element.tail = None
        if element.text:
            element.text = element.text.replace(APART, "")
    root.set("role", "img")
    heading = ElementTree.Element(f"{{{SVG}}}title")
    heading.text = printable(title)
    root.insert(0, heading)
    made = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{made}\n'.encode()
