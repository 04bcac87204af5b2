"""`archspec weights …`: weights between programs."""

from pathlib import Path
from typing import Any

import click

from archspec.cli.options import Decorated, Parameters, allow_nonfinite, one_spec, with_memory, with_parameters
from archspec.cli.output import say

PROGRAM = "As the spec calls it (torchvision), or a backend whose model has these names (torch)."


@click.group()
def weights() -> None:
    """Move weights between programs and archspec's own form, by their names.

    What is missing, too many or misshapen is listed, and then nothing is written. Nothing in a file is executed.
    """


def command(name: str, *options: Decorated) -> Decorated:
    """A command of a FILE, a SPEC and its parameters, and an output."""

    def decorate(function: Decorated) -> Decorated:
        made: Any = function
        output = click.option(
            "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Where to."
        )
        file = click.argument("file", type=click.Path(path_type=Path))
        decorators: tuple[Decorated, ...] = (
            output,
            allow_nonfinite,
            with_memory,
            with_parameters,
            one_spec,
            file,
            *options,
        )
        for decorator in decorators:
            made = decorator(made)
        return weights.command(name)(made)

    return decorate


def program(flag: str, name: str) -> Decorated:
    return click.option(flag, name, required=True, metavar="PROGRAM", help=PROGRAM)


ENTRY = click.option("--entry", metavar="NAME", help="The part of a checkpoint that holds the weights: model_ema.")


DROP = click.option(
    "--drop", multiple=True, metavar="PREFIX", help="Leave out what begins so: AuxLogits. May be given several times."
)


@command("import", DROP, ENTRY, program("--from", "source"))
def import_(
    source: str,
    file: Path,
    spec: str,
    params: Parameters,
    output: Path,
    entry: str | None,
    drop: tuple[str, ...],
    allow_nonfinite: bool,
) -> None:
    """Write the weights in another program's FILE in archspec's own form.

    \b
    Examples:
      archspec weights import --from torchvision resnet50.pth resnet50 -o resnet50.safetensors
      archspec weights import --from torchvision mine.pth mobilenet_v2 -p k=10 -o mine.safetensors
      archspec weights import --from torchvision i3.pth inception_v3_no_aux --drop AuxLogits -o i3.safetensors
      archspec build resnet50 --weights resnet50.safetensors -o resnet50.pt
    """
    converted(file, spec, output, params, source=source, entry=entry, drop=drop, finite=not allow_nonfinite)


@command("export", program("--to", "target"))
def export(target: str, file: Path, spec: str, params: Parameters, output: Path, allow_nonfinite: bool) -> None:
    """Write the weights in a FILE of archspec's own form for another program.

    \b
    Examples:
      archspec weights export --to torchvision resnet50.safetensors resnet50 -o resnet50.pth
    """
    converted(file, spec, output, params, target=target, finite=not allow_nonfinite)


@command("convert", DROP, ENTRY, program("--to", "target"), program("--from", "source"))
def convert(
    source: str,
    target: str,
    file: Path,
    spec: str,
    params: Parameters,
    output: Path,
    entry: str | None,
    drop: tuple[str, ...],
    allow_nonfinite: bool,
) -> None:
    """Write the weights in one program's FILE for another.

    \b
    Examples:
      archspec weights convert --from torch model.pth --to torchvision resnet50 -o resnet50.pth
    """
    converted(
        file, spec, output, params, source=source, target=target, entry=entry, drop=drop, finite=not allow_nonfinite
    )


def converted(file: Path, spec: str, output: Path, params: Parameters, **options: Any) -> None:
    from archspec import exchange

    def told(note: str) -> None:
        say(note, err=True)

    graph = exchange.convert(file, spec, output, **options, parameters=dict(params), told=told)
    stats = graph.stats()
    say(f"{len(graph.tensors())} tensors, {stats.params:,} params of {graph.name}; saved to {output}")
