"""`archspec weights …`: weights between programs."""

from pathlib import Path

import click

from archspec import driver
from archspec.cli.options import Parameters, one_spec, with_parameters
from archspec.files import whole_file


@click.group()
def weights() -> None:
    """Take weights in from the files of other programs."""


@weights.command("import")
@click.option(
    "--from",
    "origin",
    required=True,
    metavar="PROGRAM",
    help="Whose names the file has, as the spec calls it: torchvision.",
)
@click.argument("file", type=click.Path(path_type=Path))
@one_spec
@with_parameters
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FILE", help="A .safetensors file."
)
@click.option("--entry", metavar="NAME", help="The part of a checkpoint that holds the weights: model_ema.")
def import_(origin: str, file: Path, spec: str, params: Parameters, output: Path, entry: str | None) -> None:
    """Write the weights in FILE as those of SPEC, if they fit exactly.

    They are found by their names. What is missing, too many or misshapen is listed, and then nothing is written.
    Nothing in FILE is executed.

    \b
    Examples:
      archspec weights import --from torchvision resnet50.pth resnet50 -o resnet50.safetensors
      archspec weights import --from torchvision mine.pth mobilenet_v2 -p k=10 -o mine.safetensors
      archspec build resnet50 --weights resnet50.safetensors -o model.pt
    """
    from archspec.weights import SUFFIX, encode

    if output.suffix != SUFFIX:
        raise click.UsageError(f"weights are saved as {SUFFIX}, not {output.suffix or 'a file without suffix'}")
    graph, tensors = driver.import_weights(file, spec, origin, entry=entry, **dict(params))
    with whole_file(output) as temporary:
        temporary.write_bytes(encode(tensors, graph))
    trained = graph.stats().params
    click.echo(f"{len(tensors)} tensors, {trained:,} params of {graph.name}; saved to {output}")
