"""`archspec import`: a pasted table, or a framework's model, as a spec."""

import ast
import errno
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec import driver
from archspec.cli.options import Image
from archspec.cli.output import give, say
from archspec.diagnostics import SpecError
from archspec.elaborate.modules import BUILT_IN
from archspec.elaborate.parameters import value_of
from archspec.limits import DEFAULT_LIMITS
from archspec.loading import STDIN, read_source
from archspec.pasting.errors import NoTable
from archspec.printable import UNKNOWN
from archspec.source import Span
from archspec.tensor import Shape

if TYPE_CHECKING:
    from archspec.pasting import Found, Pasted

CHANNELS = 3
"""Of an image whose shape is given by its sides alone."""
SUFFIX = ".safetensors"
FACTORY, MODELS = "torch:", frozenset({".onnx", ".pt2"})
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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
@click.option("--reading", metavar="NAME", help="Of a table: the conventions that it follows, instead of trying all.")
@click.option("--title", metavar="TEXT", help="Of a table: its title, instead of its caption.")
@click.option(
    "--draft", is_flag=True, help="Of a table that no reading takes: write a spec to fill in, instead of an error."
)
@click.option(
    "--table", "number", type=click.IntRange(1, 2**20), metavar="N", help="Of several tables in a text: which one."
)
def import_(
    source: str,
    output: Path | None,
    name: str | None,
    arguments: tuple[tuple[str, Any], ...],
    image: Shape | None,
    weights: Path | None,
    reading: str | None,
    title: str | None,
    draft: bool,
    number: int | None,
) -> None:
    """Write a pasted table, or a framework's model, as a spec.

    SOURCE is a file with a table (Markdown, LaTeX, HTML, tabs, columns, CSV), or - for standard input, alone or among
    other text: the conventions that it follows are recognised, and all of its claims checked. Or it is an ONNX file, a
    program that torch.export saved (.pt2), or torch:package.module:factory, which is imported and called; its spec is
    compiled and compared with the model before it is written. What cannot be converted exactly is an error.

    \b
    Examples:
      archspec import table.tex -o net.arch
      archspec import - --reading mobilenet_v2 | archspec build - --backend torch
      archspec import model.onnx -o model.arch
      archspec import torch:torchvision.models:resnet18 -o resnet18.arch --weights resnet18.safetensors
      archspec import torch:torchvision.models:resnet18 -a num_classes=10 --input 64x64x3
    """
    if source.startswith(FACTORY) or Path(source).suffix in MODELS:
        if reading or title or number or draft:
            raise click.UsageError("--reading, --title, --table and --draft are for tables, and this is a model")
        model(source, output, name, dict(arguments), image, weights)
    else:
        require_text(source)
        if arguments or image or weights:
            raise click.UsageError("--argument, --input and --weights are for models, and this is a table")
        table(source, output, name, reading, title, number, draft)


def require_text(source: str) -> None:
    """Raise an error with advice for a source that is not a file in which a table may be."""
    if source == STDIN:
        return
    if Path(source).is_dir():
        raise click.UsageError(f"{source} is a folder; name the file in it")
    if Path(source).exists():
        if Path(source).suffix == ".arch":
            raise click.UsageError(f"{source} is a spec already: `archspec check` and `build` take it")
        return
    if driver.bundled(source) is not None:
        raise click.UsageError(f"{source} is a bundled spec already: `archspec stats {source}`")
    advice = driver.meant(source)
    raise FileNotFoundError(errno.ENOENT, "no such file" + (f"; {advice}" if advice else ""), source)


def imported(
    source: str,
    name: str | None = None,
    reading: str | None = None,
    title: str | None = None,
    number: int | None = None,
    draft: bool = False,
) -> "tuple[Pasted, list[Found]]":
    """The spec of a table in a file, or its draft, and all tables that are in it; raises `SpecError` or `OSError`."""
    from archspec.pasting import drafted, pasted, tables_in

    text = read_source(source, DEFAULT_LIMITS)
    found = tables_in(text)
    if not found:
        raise SpecError([NoTable(Span(text, 0, 0))])
    if number is not None and number > len(found):
        raise click.UsageError(f"there are {len(found)} tables in {source}")
    wanted = found if number is None else [found[number - 1]]
    try:
        return pasted(wanted, reading, name, title), found
    except SpecError:
        made = drafted(wanted, reading, name, title) if draft else None
        if made is None:
            raise
        return made, found


def table(
    source: str,
    output: Path | None,
    name: str | None,
    reading: str | None,
    title: str | None,
    number: int | None,
    draft: bool,
) -> None:
    """The command, for a table."""
    from archspec import library
    from archspec.files import whole_file
    from archspec.pasting import FOLDER

    known = [path.removeprefix(FOLDER) for path in library.shared_names() if path.startswith(FOLDER)]
    if reading is not None and reading not in known:
        raise click.UsageError(f"there is no reading {reading!r}; known are {', '.join(sorted(known))}")
    if name is not None and not NAME.fullmatch(name):
        raise click.UsageError(f"{name!r} is not a name of a network")
    if name in BUILT_IN:
        raise click.UsageError(f"{name!r} is a name of the language itself; give the network another")
    made, found = imported(source, name, reading, title, number, draft)
    if output is None:
        give(made.text)
    else:
        with whole_file(output) as temporary:
            temporary.write_bytes(made.text.encode())
    others = f" (as would {', '.join(made.others)})" if made.others else ""
    where = f"the table at line {made.found.line}" if len(found) > 1 else f"{len(made.found.rows) - 1} rows"
    say(f"read {where} as {made.reading}{others}", err=True)
    if UNKNOWN in made.text:
        say(f"what cannot be seen in the table is written as `{UNKNOWN}`", err=True)
    for note in made.notes:
        say(note, err=True)


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
        give(found.text)
        return
    stats = found.graph.stats()
    say(
        f"{found.graph.name}: {stats.params:,} params, {stats.macs:,} MACs; saved to {output}"
        + (f", its weights to {file}" if file is not None else "")
    )
