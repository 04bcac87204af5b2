"""`archspec render`: pictures of networks."""

from pathlib import Path
from typing import Any

import click

from archspec import driver
from archspec.cli.options import Parameters, many_specs, with_image, with_limits, with_parameters
from archspec.cli.output import give_bytes, say
from archspec.drawing import picture, render
from archspec.drawing.palette import THEMES
from archspec.drawing.view import LEVELS
from archspec.limits import Limits
from archspec.tensor import Shape


@click.command("render")
@many_specs
@with_parameters
@with_image
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Where to: .svg, .png, .pdf, .dot or .html; without it, DOT to stdout.",
)  # fmt: skip
@click.option(
    "--level", type=click.Choice([*LEVELS, "filters"]),
    help="The rows of the table (which is usual), the blocks in them, every layer; or a few convolutions as solids.",
)  # fmt: skip
@click.option(
    "--at", default="", metavar="PART", help="One part alone, every layer of it: a block's name, or a path (row_3)."
)
@click.option("--unfold", is_flag=True, help="Draw boxes alike each, instead of once as ×3.")
@click.option("--theme", type=click.Choice(THEMES), default="light", show_default=True, help="The ground.")
@click.option("--landscape", is_flag=True, help="From left to right.")
@click.option(
    "--columns",
    type=click.IntRange(1, 50),
    metavar="N",
    help="Into how many columns one network is broken; as suits a page.",
)
@click.option("--no-title", is_flag=True, help="No title and counts above it, for a figure with a caption.")
@click.option("--no-legend", is_flag=True, help="No legend of the colours.")
@click.option("--dpi", type=click.IntRange(20, 1200), metavar="N", help="Dots per inch of a PNG.")
@with_limits
def render_command(
    specs: tuple[str, ...],
    params: Parameters,
    image: Shape | None,
    output: Path | None,
    level: str | None,
    at: str,
    unfold: bool,
    theme: str,
    landscape: bool,
    columns: int | None,
    no_title: bool,
    no_legend: bool,
    dpi: int | None,
    limits: Limits,
) -> None:
    """Draw a network, or several side by side, aligned where their maps have the same share of the image.

    SVG, PNG and PDF are drawn by Graphviz; DOT is its text. HTML is one page that needs no network access: blocks open
    and close, the table stands beside the diagram, and everything can be searched.

    \b
    Examples:
      archspec render mobilenet_v2 -o net.svg
      archspec render mobilenet_v2 --at row_3/bottleneck_2 -o bottleneck.pdf
      archspec render inception_v3 --level layer --theme dark -o net.png
      archspec render resnet152 -o net.html
      archspec render mobilenet_v2 vgg16 -o pair.svg
      archspec render lesson_grouped_conv -o groups.svg
    """
    graphs = []
    for spec in specs:
        graphs.append(driver.load(spec, limits).elaborate(image, **dict(params)))
    options: dict[str, Any] = {
        "level": level, "at": at, "fold": not unfold, "theme": theme, "columns": columns, "title": not no_title,
        "direction": "landscape" if landscape else "portrait", "legend": not no_legend, "dpi": dpi,
    }  # fmt: skip
    if output is None:
        give_bytes(picture(graphs, "dot", **options))
        return
    render(graphs, output, **options)
    say(f"saved to {output}")
