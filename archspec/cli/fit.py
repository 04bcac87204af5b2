"""`archspec fit`: the largest network of a family within a budget."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

from archspec import driver
from archspec.cli.options import Parameters, one_spec, with_limits, with_parameters
from archspec.cli.searching import counting, for_each_measure
from archspec.cli.tables import print_sheet
from archspec.limits import Limits
from archspec.sheet import Sheet

if TYPE_CHECKING:
    from archspec.search.fit import Fit, Found, Numbers


class Step(click.ParamType[Decimal]):
    """A decimal above 0."""

    name = "step"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            found = Decimal(str(value))
        except InvalidOperation:
            self.fail(f"{value!r} is not a step: 0.01", param, ctx)
        if not found.is_finite() or not Decimal("1e-9") <= found <= Decimal("1e9"):
            self.fail(f"{value!r} is not a step from 1e-9 to 1e9", param, ctx)
        return found


@click.command()
@one_spec
@click.option(
    "--vary", required=True, metavar="NAME[=VALUES]",
    help="The number that grows: alpha, or within alpha=0.1:4:0.01, or depth=18,34,50; `input` is the image's size.",
)  # fmt: skip
@for_each_measure(
    "budget", lambda flag: (f"--{flag}", *(("--size",) if flag == "file-size" else ())), "At most so many"
)
@click.option("--step", type=Step(), metavar="X", help="Steps of the grid.  [default: 0.01; of whole numbers 1]")
@with_parameters
@with_limits
def fit(spec: str, vary: str, budget: dict[str, int], step: Decimal | None, params: Parameters, limits: Limits) -> None:
    """Find the largest value of a parameter with which a network keeps to a budget.

    The answer is exact on the grid: every value above it was counted, up to where the grid ends, and is over the budget
    or refused. Without VALUES the grid grows until nothing in its upper half fits.

    \b
    Examples:
      archspec fit mobilenet_v2 --macs 150M --vary alpha
      archspec fit mobilenet_v2 --macs 300M --size 10MB --vary alpha -p input=192
      archspec fit mobilenet_v2 --macs 150M --vary input=96:320:32
    """
    from archspec.search.fit import fit as fitted

    if not budget:
        raise click.UsageError("a budget is missing: --macs 150M, --params 3M or --size 10MB")
    name, grid = varied(vary)
    if grid is not None and step is not None:
        raise click.UsageError("give the step within --vary, or --step, not both")
    with counting(None) as told:
        found = fitted(driver.load(spec, limits), name, budget, dict(params), grid, step, told)
    print_sheet(sheet(found, name, budget))


def varied(text: str) -> "tuple[str, Numbers | None]":
    """The name and the grid that `--vary` says; raises `Refusal`."""
    from archspec.search.fit import numbers
    from archspec.search.space import axis

    if "=" not in text:
        return text.strip(), None
    found = axis(text)
    return found.name, numbers(found)


def sheet(found: "Fit", name: str, budget: dict[str, int]) -> Sheet:
    """The answer, what the next value would cost, and the budget."""
    measures = tuple(found.best.measures or ())
    rows = [row("", found.best, measures), *([row("next", found.after, measures)] if found.after else [])]
    limit = ("budget", "", *(budget.get(measure, "") for measure in measures))
    values = f"{len(found.grid):,} values" if len(found.grid) > 1 else "1 value"
    note = f"{name} from {found.grid[0]} to {found.grid[-1]}, {values}; {ending(found, budget)}."
    return Sheet("", ("", name, *measures), tuple(rows), limit, note)


def ending(found: "Fit", budget: dict[str, int]) -> str:
    """What is known of larger values."""
    if not found.at_the_end:
        return "none above the first line fits"
    if found.after is not None and found.after.within(budget):
        return "the largest of them fits, and so does the next: give --vary a longer grid"
    return "the largest of them fits"


def row(label: str, found: "Found", measures: tuple[str, ...]) -> tuple[str | int, ...]:
    if found.measures is None:
        return (label, str(found.value), *("refused" for _ in measures))
    return (label, str(found.value), *(found.measures[measure] for measure in measures))
