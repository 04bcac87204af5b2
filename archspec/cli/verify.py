"""`archspec verify`: networks, the same in every backend."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archspec import driver
from archspec.cli import tables
from archspec.cli.many import Many
from archspec.cli.options import Parameters, many_specs, with_image, with_memory, with_parameters
from archspec.cli.output import complain, fail, say
from archspec.diagnostics import SpecError
from archspec.spec import Spec
from archspec.tensor import Shape

if TYPE_CHECKING:
    from archspec.backend import Builds
    from archspec.verify import Verdict

WRONG = 1
Network = tuple[str, Spec]


@click.command()
@many_specs
@click.option(
    "--backend", "names", multiple=True, metavar="NAME", help="Only these; the first is what others are held against."
)
@with_parameters
@with_image
@click.option(
    "--optimize", is_flag=True, help="Hold what `build --optimize` makes in every backend against the network itself."
)
@click.option(
    "--weights", type=click.Path(path_type=Path), metavar="FILE",
    help="Of one SPEC, instead of random ones; a file in the canonical form.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32), default=0, show_default=True, help="Seed of weights and inputs.")
@with_memory
def verify(
    specs: tuple[str, ...],
    names: tuple[str, ...],
    params: Parameters,
    image: Shape | None,
    optimize: bool,
    weights: Path | None,
    seed: int,
) -> None:
    """Build each SPEC in every installed backend, with the same random weights, and compare.

    A file stands for all its networks and variants, a folder for its files. Outputs agree to 1e-9 of their size where
    both compute in float64, to 1e-4 otherwise; the parameters and MACs that a framework counts are those that archspec
    counts. Where outputs differ, the first node that does is named. Exit code 1 when anything differs. A file that
    cannot be read or is wrong is told, and the others are compared.

    With --optimize the network itself, in the most precise backend, is what the optimised one in each is held against;
    in float32 it may be off by 1e-5.

    \b
    Examples:
      archspec verify mobilenet_v2
      archspec verify resnet50 vgg16 --input 64x64 --backend torch --backend onnx
      archspec verify resnet50 --optimize --weights resnet50.safetensors
      archspec verify my_specs/
    """
    from archspec.verify import usable

    backends, left_out = usable(names, 1 if optimize else 2)
    for name, why in left_out:
        say(f"{name} is left out: {why}", err=True)
    wrong: list[int] = []

    def networks_of(path: str) -> list[Network]:
        try:
            return list(driver.networks(path))
        except SpecError as error:
            complain(error.diagnostics)
            wrong.append(error.exit_code)
            return []

    many = Many(specs)
    networks = [found for every in many.each(networks_of) for found in every]
    if weights is not None and len(networks) > 1:
        advice = f"name one: {specs[0]}:{networks[0][1].name}"
        raise click.UsageError(f"--weights are those of one network, and here are {len(networks)}; {advice}")
    verdicts = [
        found
        for name, spec in followed(networks)
        for found in verified(name, spec, backends, params, image, optimize, weights, seed)
    ]
    tables.print_sheet(tables.verdicts_sheet(verdicts))
    for verdict in verdicts:
        for line in complaints(verdict):
            fail(line)
    if len(verdicts) < len(networks) or not all(verdict.holds for verdict in verdicts):
        wrong.append(WRONG)
    if code := max([*wrong, many.exit_code]):
        raise click.exceptions.Exit(code)


def followed(networks: Sequence[Network]) -> Iterable[Network]:
    """The networks, with a bar on a terminal that tells how far we are."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(networks, "verify", console=console, transient=True, disable=not console.is_terminal)


def verified(
    name: str,
    spec: Spec,
    backends: "Sequence[Builds]",
    params: Parameters,
    image: Shape | None,
    optimize: bool,
    weights: Path | None,
    seed: int,
) -> "Iterator[Verdict]":
    """What came out for a network; nothing, and diagnostics on stderr, if the spec is wrong with this input."""
    from archspec.verify import verify as compared

    try:
        graph = spec.elaborate(image, **dict(params))
    except SpecError as error:
        complain(error.diagnostics)
    else:
        yield compared(name, graph, backends, seed, optimized=optimize, weights=driver.stored(weights, graph))


def complaints(verdict: "Verdict") -> list[str]:
    """What differs, in words."""
    lines = [f"{verdict.name}: {name} cannot build it: {why}" for name, why in verdict.unbuilt.items()]
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
