"""`archspec sweep`: count many networks of a family, and keep those that suit."""

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archspec import driver
from archspec.cli import tables
from archspec.cli.options import many_specs, with_limits
from archspec.cli.output import on_terminal, say, show_lines
from archspec.cli.searching import counting, for_each_measure
from archspec.files import whole_file
from archspec.limits import Limits
from archspec.search.space import MOST
from archspec.sheet import Sheet

if TYPE_CHECKING:
    from archspec.search.figure import Cloud
    from archspec.search.select import Front, Line, Wish
    from archspec.search.sweep import Sweep, Tallied

LARGE = "-params,-macs"
"""The front that is charted unless another is asked for: the largest networks that are kept."""
SHOWN = 3
"""Reasons for refusals that are told."""


@click.command()
@many_specs
@click.option(
    "-p", "--param", "params", multiple=True, metavar="NAME=VALUES",
    help="Values of a parameter: 0.1:2.0:0.01 (from:to:step, both included), or 18,34,50; `input` is the image's size.",
)  # fmt: skip
@for_each_measure("most", lambda flag: (f"--max-{flag}",), "Keep networks with at most so many")
@for_each_measure("least", lambda flag: (f"--min-{flag}",), "Keep networks with at least so many")
@click.option("--sort", metavar="[-]COLUMN", help="Sort by a column; -macs: the largest first.")
@click.option("--top", type=click.IntRange(1, 2**40), metavar="N", help="Give the first N only, as a table.")
@click.option(
    "--front", metavar="[-]COLUMN,...",
    help="Give only those that no other is better than: little of each column, or much (-).",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to: .csv, .json, .jsonl, .parquet."
)
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="FILE",
    help="Chart parameters, MACs and the front (of -params,-macs unless --front says another): .svg, .png, .pdf.",
)  # fmt: skip
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 4096), default=1, show_default=True, metavar="N", help="Processes."
)
@click.option("--ray", metavar="ADDRESS", help="A Ray cluster, HOST:PORT, instead; `local` starts one here.")
@click.option("--cluster", metavar="URL", help="dask://HOST:PORT or ray://HOST:PORT instead.")
@click.option(
    "--max-candidates", "candidates", type=click.IntRange(1, 2**40), default=MOST, show_default=True, metavar="N",
    help="Limit: candidates of a sweep.",
)  # fmt: skip
@with_limits
def sweep(
    specs: tuple[str, ...],
    params: tuple[str, ...],
    most: dict[str, int],
    least: dict[str, int],
    sort: str | None,
    top: int | None,
    front: str | None,
    output: Path | None,
    plot: Path | None,
    jobs: int,
    ray: str | None,
    cluster: str | None,
    candidates: int,
    limits: Limits,
) -> None:
    """Count every combination of parameters, exactly and without building anything, and keep those that suit.

    Rows come as they are found, in the order of the parameters, the last one changing fastest: as CSV, or with --top as
    a table. --sort without --top holds all rows that are kept in memory. Networks that the spec refuses are counted.

    \b
    Examples:
      archspec sweep mobilenet_v2 -p alpha=0.1:2.0:0.01 -p input=96:320:32 --max-macs 100M --sort -macs --top 10
      archspec sweep resnet18 resnet50 -p input=160,192,224 -o counts.csv
      archspec sweep net.arch -p width=8:256:8 -p depth=1:30:1 --max-file-size 10MB --plot front.svg -j 8
    """
    from archspec.search.figure import Cloud
    from archspec.search.figure import form_of as chart_form
    from archspec.search.select import Front, Selection, Wish
    from archspec.search.sweep import Tallied
    from archspec.search.write import form_of as table_form

    for name in least.keys() & most.keys():
        if least[name] > most[name]:
            raise click.UsageError(f"nothing has at least {least[name]:,} and at most {most[name]:,} {name}")
    asked = [part.strip().removeprefix("-") for text in (sort, front) if text for part in text.split(",")]
    made = planned(specs, params, least, most, asked, candidates, limits)
    chosen = wishes(front, made.columns)
    selection = Selection(Wish.of(sort, made.columns) if sort else None, top, chosen)
    cloud, members = Cloud(), Front.of(chosen or wishes(LARGE, made.columns), made.columns)
    if output is not None:
        table_form(output)
    form = "" if plot is None else chart_form(plot)
    if plot is not None and not plot.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(plot))
    tallied, began = Tallied(), time.perf_counter()
    with counting(made.size, hidden=output is None and top is None and on_terminal()) as told:

        def lines() -> "Iterator[Line]":
            for rows, found in made.run(jobs, address(ray, cluster)):
                tallied.add(found)
                tallied.seconds = time.perf_counter() - began
                told(tallied.done)
                for row in rows:
                    line = made.line(row)
                    if plot is not None:
                        cloud.add(*(row.measures[made.measures.index(what)] for what in ("params", "macs")))
                        members.add(line)
                    yield line

        every = lines()
        deliver(made, selection.of(every, made.columns), top, output)
        if plot is not None:
            for _ in every:  # a chart is of all, also where --top has enough
                pass
            chart(made, cloud, members, plot, form)
    summary(made, tallied)


def planned(
    specs: tuple[str, ...],
    params: tuple[str, ...],
    least: dict[str, int],
    most: dict[str, int],
    columns: list[str],
    candidates: int,
    limits: Limits,
) -> "Sweep":
    """The sweep that is asked for, measuring what is bounded or asked for; raises `Refusal` and `SpecError`."""
    from archspec.search.measures import ALWAYS, MEASURES
    from archspec.search.space import axis, space
    from archspec.search.sweep import Sweep

    axes = [axis(text) for text in params]
    measures = tuple(dict.fromkeys((*ALWAYS, *most, *least, *(name for name in columns if name in MEASURES))))
    loaded = tuple(driver.load(spec, limits) for spec in specs)
    made = Sweep(loaded, space(axes, candidates), {}, measures, least, most)
    made.check()
    return made


def wishes(text: str | None, columns: tuple[str, ...]) -> "tuple[Wish, ...]":
    from archspec.search.select import Wish

    return tuple(Wish.of(part, columns) for part in text.split(",")) if text else ()


def address(ray: str | None, cluster: str | None) -> str | None:
    """The cluster that options name; None for this machine."""
    if ray is None:
        return cluster
    if cluster is not None:
        raise click.UsageError("give --ray or --cluster")
    return "ray://" if ray == "local" else f"ray://{ray.removeprefix('ray://')}"


def deliver(made: "Sweep", lines: "Iterator[Line]", top: int | None, output: Path | None) -> None:
    """Write the rows to a file, whole or not at all, or print them."""
    from archspec.search.write import csv_lines, simple, write

    if output is not None:
        with whole_file(output) as temporary:
            write(lines, made.columns, made.samples, temporary)
        say(f"saved to {output}")
    elif top is not None:
        rows = tuple(tuple(v if type(v) in {int, str} else str(simple(v)) for v in line) for line in lines)
        tables.print_sheet(Sheet("", made.columns, rows))  # type: ignore[arg-type]
    else:
        show_lines(csv_lines(lines, made.columns))


def chart(made: "Sweep", cloud: "Cloud", members: "Front", plot: Path, form: str) -> None:
    from archspec.search.figure import figure
    from archspec.search.write import simple

    params, macs = made.columns.index("params"), made.columns.index("macs")
    named = made.columns[: -len(made.measures)]
    front = [
        (line[params], line[macs], ", ".join(f"{name}={simple(v)}" for name, v in zip(named, line, strict=False)))
        for line in members.lines
    ]
    drawing = figure(cloud, front, form)  # type: ignore[arg-type]
    with whole_file(plot) as temporary:
        temporary.write_bytes(drawing)
    say(f"saved to {plot}")


def summary(made: "Sweep", tallied: "Tallied") -> None:
    """What became of the candidates, on stderr; raises `SpecError` where the spec refuses all of them."""
    refused = sum(tallied.refused.values())
    if refused == tallied.done:
        raise made.refusal(0)
    said = f"{tallied.done:,} candidates counted, {tallied.kept:,} kept, {refused:,} refused"
    say(f"{said}; {tallied.seconds:.1f} s, {tallied.done / tallied.seconds:,.0f} a second", err=True)
    for code, count in tallied.refused.most_common(SHOWN):
        say(f"  {count:,} {code}, the first at {made.reason(tallied.first[code])}", err=True)
