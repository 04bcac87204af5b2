"""`archspec compare`: train networks side by side."""

import os
from pathlib import Path
from typing import Any

import click

from archspec.cli.options import Folder, Parameters, with_image, with_limits, with_parameters
from archspec.cli.output import say, show
from archspec.cli.training import Numbers, prepared, progress, recipe, with_training
from archspec.limits import Limits
from archspec.optional import needing
from archspec.tensor import Shape

TRIO = (
    "mobilenet_v2@alpha=0.35,stride=16",
    "vgg=vgg11_bn@width=0.125,stride=16",
    "inception_v3=inception_v3_no_aux@width=0.1875,stride=4,drop=0.2",
)
"""The talk's three networks, scaled so that each converges on the digits within minutes. Inception v3 pads little, and
needs a smaller stride for so few pixels; its own dropout of 0.5 is too much for so few channels."""
TRIO_SIDE, TRIO_STEPS = (22, 22), 380
"""To what the digits are enlarged for them, which have 8×8 pixels of their own; and their steps."""


@click.command()
@click.argument("specs", metavar="[LABEL=]SPEC[@NAME=VALUE,...]...", nargs=-1)
@with_training
@with_parameters
@with_image
@click.option("--seeds", type=click.IntRange(1, 10**4), default=5, show_default=True, metavar="N",
              help="How many times each is trained.")  # fmt: skip
@click.option(
    "--fractions", type=Numbers(), metavar="F,...", help="Of the training images.  [default: 1,0.25,0.1,0.05]"
)
@click.option("--target", type=click.FloatRange(0, 1, min_open=True), default=0.95, show_default=True,
              help="The validation accuracy whose first reaching is counted.")  # fmt: skip
@click.option("-o", "--output", type=Folder(), default=Path("archspec-compare"),
              show_default=True, metavar="DIR", help="Where the report and the runs go.")  # fmt: skip
@click.option("-j", "--jobs", type=click.IntRange(1, 4096), metavar="N", help="Processes.  [default: one per core]")
@click.option("--cluster", metavar="URL", help="dask://HOST:PORT or ray://HOST:PORT instead of this machine.")
@with_limits
def compare(
    specs: tuple[str, ...],
    source: str,
    backend: str,
    params: Parameters,
    image: Shape | None,
    seeds: int,
    fractions: tuple[float, ...] | None,
    target: float,
    output: Path,
    jobs: int | None,
    cluster: str | None,
    rates: tuple[float, ...],
    width: float | None,
    stride: int | None,
    limits: Limits,
    **training: Any,
) -> None:
    """Train networks side by side, fairly, and say which is better at what, or that nobody can tell.

    Every network gets the same images in the same order, the same number of steps, and its learning rate from the same
    grid. Without a SPEC, the trio of the talk: MobileNetV2, VGG and Inception v3, scaled to 22 pixels. What is said
    after @ is of one network: its parameters, and width, stride and input.

    Stopped or killed, the same command goes on where it was. docs/compare.md has the protocol and its reasons.

    \b
    Examples:
      archspec compare
      archspec compare mobilenet_v2@alpha=0.35 vgg11_bn@width=0.25 --stride 8 --data clutter
      archspec compare coarse=vgg11_bn fine=vgg11_bn@stride=8 --width 0.125 --data cifar10:cifar-10-batches-py
      archspec compare net.arch:A net.arch:B --data folder:photos --input 64x64 --steps 2000 --seeds 3
    """
    with needing("training", "train"):
        from archspec.train import members as m
        from archspec.train.compare import compare as compared
        from archspec.train.protocol import ADDITIONS, GRID, Protocol
        from archspec.train.report import write
        from archspec.train.scale import Scale

        usual = (1.0, 0.25, 0.1, 0.05) if specs else (1.0, 0.1)
        protocol = Protocol(
            recipe=recipe(240 if specs else TRIO_STEPS, **training),
            rates=rates or GRID,
            additions=0 if rates else ADDITIONS,
            seeds=seeds,
            fractions=checked(fractions or usual),
            target=target,
        )
        usual_side = TRIO_SIDE if source == "digits" and not specs else None
        data = prepared(source, image or usual_side, output / "data", limits)
        scale = Scale(stride=stride, width=width or 1.0)
        chosen = m.members(specs or TRIO, dict(params), scale, len(data.classes), data.side, limits)
        runs = output / "runs"
        try:
            with progress(runs) as told:
                found = compared(
                    chosen, data, protocol, backend, runs, jobs=jobs or os.cpu_count() or 1, cluster=cluster, told=told
                )
        except KeyboardInterrupt:
            say(f"stopped; the runs that have ended are in {runs}, and the same command goes on from there", err=True)
            raise
        show(write(found, runs, output))


def checked(fractions: tuple[float, ...]) -> tuple[float, ...]:
    if max(fractions) > 1:
        raise click.UsageError("--fractions are at most 1")
    return fractions
