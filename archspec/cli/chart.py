"""`archspec chart`: counts against a number, as papers chart them."""

from math import isnan
from pathlib import Path
from typing import Any

import click

from archspec import driver
from archspec.cli.options import with_limits
from archspec.cli.output import say
from archspec.files import whole_file
from archspec.limits import Limits

LARGEST = 1e100
"""A number that can be charted: of larger ones, the differences are none that an axis can hold."""


class Pointed(click.ParamType[tuple[str, float]]):
    """`SPEC=NUMBER`."""

    name = "spec=number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        spec, equals, number = str(value).rpartition("=")
        try:
            found = float(number)
        except ValueError:
            found = float("nan")
        if not equals or not spec or isnan(found):
            self.fail(f"{value!r} is not SPEC=NUMBER: mobilenet_v2=71.9", param, ctx)
        if abs(found) > LARGEST:
            self.fail(f"{number} is too large for a chart: at most {LARGEST:g}, or -{LARGEST:g}", param, ctx)
        return spec, found


@click.command()
@click.argument("points", metavar="SPEC=NUMBER...", type=Pointed(), nargs=-1, required=True)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Where to: .svg, .png, .pdf."
)
@click.option(
    "--against", type=click.Choice(["macs", "params"]), default="macs", show_default=True,
    help="What the number stands against; the other is the bubbles' area.",
)  # fmt: skip
@click.option("--label", default="top-1 accuracy (%)", show_default=True, metavar="TEXT", help="What the number is.")
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", show_default=True, help="The ground.")
@with_limits
def chart(
    points: tuple[tuple[str, float], ...], output: Path, against: str, label: str, theme: str, limits: Limits
) -> None:
    """Chart the MACs or parameters of networks against a number of each, as papers do.

    Networks of one spec are joined by a line. The axis of the counts is logarithmic.

    \b
    Examples:
      archspec chart mobilenet_v2=71.9 vgg16=71.6 resnet50=76.1 googlenet=69.8 -o chart.svg
      archspec chart mobilenet_v2=75 nets/mine.arch=81 --label "latency (ms)" --against params -o chart.png
    """
    from archspec.drawing.chart import Point
    from archspec.drawing.chart import chart as drawn

    made = []
    for spec, number in points:
        loaded = driver.load(spec, limits)
        stats = loaded.elaborate().stats()
        made.append(Point(loaded.name, stats.params, stats.macs, number, loaded.source.name))
    drawing = drawn(
        made, output.suffix.removeprefix(".").lower(), against=against, label=label, theme=theme  # type: ignore[arg-type]
    )  # fmt: skip
    with whole_file(output) as temporary:
        temporary.write_bytes(drawing)
    say(f"saved to {output}")
