"""`archspec verify`: one network, the same in every backend."""

import gc
from typing import TYPE_CHECKING

import click

from archspec import driver
from archspec.cli import tables
from archspec.cli.options import Parameters, many_specs, with_image, with_parameters
from archspec.tensor import Shape

if TYPE_CHECKING:
    from archspec.verify import Verdict

WRONG = 1


@click.command()
@many_specs
@click.option(
    "--backend", "names", multiple=True, metavar="NAME", help="Only these; the first is what others are held against."
)
@with_parameters
@with_image
@click.option("--seed", type=click.IntRange(0, 2**32), default=0, show_default=True, help="Seed of weights and inputs.")
def verify(specs: tuple[str, ...], names: tuple[str, ...], params: Parameters, image: Shape | None, seed: int) -> None:
    """Build each SPEC in every installed backend, with the same random weights, and compare.

    Outputs agree to 1e-9 of their size where both compute in float64, to 1e-4 otherwise; the parameters and MACs that
    a framework counts are those that archspec counts. Where outputs differ, the first node that does is named.
    Exit code 1 when anything differs.

    \b
    Examples:
      archspec verify mobilenet_v2
      archspec verify resnet50 vgg16 --input 64x64 --backend torch --backend onnx
    """
    from archspec.verify import usable
    from archspec.verify import verify as verified

    gc.enable()
    backends, left_out = usable(names)
    for name, framework in left_out:
        click.echo(f"{name} is left out: `{framework}` is not installed", err=True)
    verdicts = [verified(driver.load(spec).elaborate(image, **dict(params)), backends, seed) for spec in specs]
    text = tables.show(tables.verdicts_sheet(verdicts))
    if text is not None:
        click.echo(text)
    for verdict in verdicts:
        for line in complaints(verdict):
            click.echo(f"error: {line}", err=True)
    if not all(verdict.holds for verdict in verdicts):
        raise click.exceptions.Exit(WRONG)


def complaints(verdict: "Verdict") -> list[str]:
    """What differs, in words."""
    lines = []
    for name in verdict.miscounts:
        found = verdict.measured[name]
        lines.append(f"{verdict.name}: {name} counts {found.params:,} params and {found.macs:,} MACs")
    for comparison in verdict.comparisons:
        if not comparison.holds:
            where = f", first at {comparison.parting.path}" if comparison.parting else ""
            lines.append(
                f"{verdict.name}: {comparison.backend} and {comparison.against} differ by {comparison.error:.1e}{where}"
            )
    return lines
