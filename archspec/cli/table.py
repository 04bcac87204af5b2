"""`archspec table`: the table that a paper prints of a network."""

from pathlib import Path

import click

from archspec import driver
from archspec.cli import tables
from archspec.cli.options import Parameters, one_spec, with_image, with_limits, with_parameters
from archspec.cli.output import say
from archspec.files import whole_file
from archspec.limits import Limits
from archspec.tensor import Shape


@click.command()
@one_spec
@with_parameters
@with_image
@click.option(
    "--format", "form", type=click.Choice([*tables.FORMATS]), default="table", show_default=True, help="Form."
)
@click.option(
    "--columns", metavar="NAME,…",
    help="Which columns: input, output, operator, params, macs, n, s, or any that the table has; with + before them "
    "besides its own.",
)  # fmt: skip
@click.option(
    "--style", type=click.Choice(["printed", "steps"]),
    help="The table of the paper, or the steps of the network; else the first that reads back.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to; else to stdout.")
@with_limits
def table(
    spec: str,
    params: Parameters,
    image: Shape | None,
    form: str,
    columns: str | None,
    style: str | None,
    output: Path | None,
    limits: Limits,
) -> None:
    """Print the table of a network as a paper has it: its own, or one of its steps.

    A network that has a table prints it, misprints corrected. Any other, or one with other parameters, is printed step
    by step, what is repeated as one row with `n`, and its blocks in a table of their own. What is printed is read again
    and compared: `archspec import` makes the same network of it. Where it would not, a line on stderr says so.

    \b
    Examples:
      archspec table mobilenet_v2 --format latex
      archspec table mobilenet_v2 -p alpha=0.5 --columns +params,macs
      archspec table inception_v3 --format markdown | archspec import - -o again.arch
      archspec table decompiled.arch --columns input,operator,n --format html -o table.html
    """
    from archspec.tabling import tables_of

    loaded = driver.load(spec, limits)
    graph = loaded.elaborate(image, **dict(params))
    write = tables.FORMATS[form]
    wanted = [name for name in (columns or "").split(",") if name.strip()]
    made = tables_of(loaded, graph, write, style, wanted)  # type: ignore[arg-type]
    if not made.whole:
        say("note: this table alone does not say the whole network; `archspec import` cannot read it back", err=True)
    if output is not None:
        text = "\n\n".join(map(write, made.sheets))
        with whole_file(output) as temporary:
            temporary.write_bytes(f"{text}\n".encode())
        return
    for position, sheet in enumerate(made.sheets):
        if position:
            say("")
        tables.print_sheet(sheet, form)
