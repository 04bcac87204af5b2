"""Pictures of networks: `render` writes them, for the paper, the slide and the screen."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from archspec.errors import Refusal
from archspec.escape import html_text
from archspec.files import whole_file
from archspec.graph import Graph

if TYPE_CHECKING:
    from archspec.drawing.columns import Direction
    from archspec.drawing.palette import Theme
    from archspec.drawing.view import Level

FORMATS = ("svg", "png", "pdf", "dot", "html")
MOST_PASSED = 5_000
"""Boxes that lines pass: Graphviz takes ten seconds for so many, and more than twice as long for twice as many."""
ROUGH = 1.5
"""Before the layout, a picture may be estimated as this many times longer than it is."""


class TooTangled(Refusal):
    """Lines of a picture pass so many boxes that nobody could follow them."""

    exit_code = 4

    def __init__(self, lines: int, passed: int) -> None:
        super().__init__(
            f"{lines:,} lines pass {passed:,} boxes in this picture, and Graphviz lays out {MOST_PASSED:,} at most",
            "draw less: `--level row`, `--level block` or `--at PART`; DOT and HTML need no layout (-o net.dot, "
            "-o net.html)",
        )


class WrongForm(Refusal):
    """Pictures of that kind are not drawn."""

    exit_code = 2


def render(graph: Graph | Sequence[Graph], path: str | Path, **options: Any) -> None:
    """Write the picture of a network, or of several side by side, whole or not at all.

    The suffix says in what form: `.svg`, `.png`, `.pdf`, `.dot` or `.html`. Options are those of `picture`. Raises
    `Refusal` (a form that there is not, Graphviz missing) and `OSError`.
    """
    form = Path(path).suffix.removeprefix(".").lower()
    made = picture(graph, form, **options)
    with whole_file(Path(path)) as temporary:
        temporary.write_bytes(made)


def picture(
    graph: Graph | Sequence[Graph],
    form: str = "svg",
    *,
    level: 'Level | Literal["filters"] | None' = None,
    at: str = "",
    fold: bool = True,
    theme: "Theme" = "light",
    direction: "Direction" = "portrait",
    columns: int | None = None,
    title: bool = True,
    legend: bool = True,
    dpi: int | None = None,
) -> bytes:
    """The picture as bytes, in one of `FORMATS`.

    `level`: the rows of the table, the blocks in them, every layer; or, of a few convolutions one after the other,
    their filters as solids, which is what is drawn of nothing but these. `at`: the path of one box, or the name of a
    block, to draw alone, every layer of it. `fold`: boxes alike once, as ×3. `theme`: light or dark. `direction`:
    portrait or landscape. `columns`: into how many a network is broken; None: as many as suit a page. `dpi`: of a PNG.
    A page (html) has all levels and both themes.

    Raises `Refusal`.
    """
    from archspec.drawing.columns import DIRECTIONS, length
    from archspec.drawing.palette import THEMES
    from archspec.drawing.scene import scene
    from archspec.drawing.view import LEVELS, view

    graphs = [graph] if isinstance(graph, Graph) else list(graph)
    if form not in FORMATS:
        said = f"there is no picture in the form {form!r}" if form else "a file without a suffix has no form"
        raise WrongForm(said, f"the suffix is one of {', '.join(FORMATS)}")
    for word, known in ((level, (*LEVELS, "filters", None)), (theme, THEMES), (direction, DIRECTIONS)):
        if word not in known:
            raise WrongForm(f"there is no {word!r} here, but {', '.join(filter(None, known))}")
    if form == "html" and (at or level == "filters"):
        raise WrongForm("a page shows the whole network", "another form shows a part: .svg, .png, .pdf, .dot")
    if columns is not None and len(graphs) > 1:
        raise WrongForm("columns are those of one network", "several stand side by side, each in one; leave it out")

    if form == "html":
        from archspec.drawing.page import page

        return page(graphs).encode()
    from archspec.drawing.filters import FORMATS as SOLID
    from archspec.drawing.filters import convolutions, filters

    if level is None:
        alone = len(graphs) == 1 and convolutions(graphs[0]) and not graphs[0].scopes and not at and form in SOLID
        level = "filters" if alone else "layer" if at else "row"
    if level == "filters":
        if form not in SOLID:
            raise WrongForm(f"filters are not drawn in the form {form!r}", f"the suffix is one of {', '.join(SOLID)}")
        if len(graphs) != 1 or at:
            raise WrongForm("filters are drawn of one whole network", "draw a part, or several, with --level layer")
        return filters(graphs[0], form, theme=theme, title=title, dpi=dpi)
    from archspec.drawing.dot import Style, dot

    views = [view(one, scene(one), level, fold, at) for one in graphs]
    style = Style(theme, direction, title, legend, columns)
    text = dot(views, style)
    if form == "dot":
        return text.encode()
    from archspec.drawing.graphviz import DPI, INCH, MOST_PIXELS, TooLarge, drawn

    passed = sum(one.passed for one in views)
    if passed > MOST_PASSED:
        raise TooTangled(sum(len(one.edges) for one in views), passed)
    pixels = max(length(one, 1 if len(views) > 1 else columns, direction) for one in views) * (dpi or DPI) / INCH
    if form == "png" and pixels > MOST_PIXELS * ROUGH:  # Graphviz would take minutes, and then scale it down
        raise TooLarge(pixels, dpi or DPI)
    return drawn(text, form, " and ".join(view.title for view in views), dpi or DPI)


def notebook_svg(graph: Graph) -> str | None:
    """What a notebook shows of a Graph."""
    try:
        return picture(graph, "svg").decode()
    except Refusal:
        return None


def notebook_html(graph: Graph) -> str:
    """The page of a Graph, in a frame."""
    import html

    page = html.escape(picture(graph, "html").decode())
    name = html_text(graph.title or graph.name)
    return f'<iframe sandbox="allow-scripts" title="{name}" width="100%" height="640" srcdoc="{page}"></iframe>'
