"""`archspec import`: a framework's model as a spec."""

import ast
import gc
from pathlib import Path
from typing import Any

import click

from archspec.cli.options import Image
from archspec.elaborate.parameters import value_of
from archspec.printable import printable
from archspec.tensor import Shape

CHANNELS = 3
"""Of an image whose shape is given by its sides alone."""
SUFFIX = ".safetensors"


class Argument(click.ParamType[tuple[str, Any]]):
    """`name=value`, the value a literal."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        name, equals, text = str(value).partition("=")
        if not equals or not name.strip().isidentifier():
            self.fail(f"{value!r} is not name=value", param, ctx)
        return name.strip(), literal(text.strip())


def literal(text: str) -> Any:
    """A literal of Python, or a value as our own command lines have it; anything else is a text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return value_of(text)


@click.command("import")
@click.argument("source")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to; else to stdout.")
@click.option("--name", metavar="NAME", help="What the network is called, instead of what the source calls it.")
@click.option(
    "-a", "--argument", "arguments", type=Argument(), multiple=True, metavar="NAME=VALUE",
    help="An argument of the factory, a literal; may be given several times.",
)  # fmt: skip
@click.option(
    "--input", "image", type=Image(), metavar="HxWxC",
    help="The input of a factory's model: 224x224x3 unless given; one number is a vector.",
)  # fmt: skip
@click.option(
    "--weights", type=click.Path(path_type=Path), metavar="FILE", help="Write its weights too, in the canonical form."
)
def import_(
    source: str,
    output: Path | None,
    name: str | None,
    arguments: tuple[tuple[str, Any], ...],
    image: Shape | None,
    weights: Path | None,
) -> None:
    """Write a framework's model as a spec that means exactly it.

    SOURCE is an ONNX file, a program that torch.export saved (.pt2), or torch:package.module:factory, which is imported
    and called. What is literally the same is folded into blocks and repeats. The spec is compiled and compared with
    the model before it is written; what cannot be said exactly is an error that names every such operator.

    \b
    Examples:
      archspec import model.onnx -o model.arch
      archspec import torch:torchvision.models:resnet18 -o resnet18.arch --weights resnet18.safetensors
      archspec import torch:torchvision.models:resnet18 -a num_classes=10 --input 64x64x3
    """
    model(source, output, name, dict(arguments), image, weights)


def model(
    source: str,
    output: Path | None,
    name: str | None,
    arguments: dict[str, Any],
    image: Shape | None,
    file: Path | None,
) -> None:
    """The command, for a framework's model."""
    from archspec import decompile, weights
    from archspec.files import whole_file

    if file is not None and file.suffix != SUFFIX:
        raise click.UsageError(f"weights are saved as {SUFFIX}, not {file.suffix or 'a file without suffix'}")
    gc.enable()  # a framework is more than a short run
    whole = (*image, CHANNELS) if image is not None and len(image) == 2 else image
    found = decompile.load(source, name=name, image=whole, arguments=arguments)
    data = None
    if file is not None:
        data = weights.encode({key: tensor.array() for key, tensor in found.tensors.items()}, found.graph)
    for path, content in ((file, data), (output, found.text.encode())):
        if path is not None and content is not None:
            with whole_file(path) as temporary:
                temporary.write_bytes(content)
    if output is None:
        click.echo(found.text, nl=False)
        return
    stats = found.graph.stats()
    click.echo(
        f"{printable(found.graph.name)}: {stats.params:,} params, {stats.macs:,} MACs; saved to {output}"
        + (f", its weights to {file}" if file is not None else "")
    )
