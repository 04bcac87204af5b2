"""`archspec check`: shapes, claims and errata of files, and what was inferred from their claims."""

import click
from msgspec import Struct

from archspec import driver, report
from archspec.cli import tables
from archspec.cli.many import Many
from archspec.cli.options import many_specs, with_limits
from archspec.cli.output import complain, inferred_text, say, show_json
from archspec.diagnostics import Diagnostic, SpecError, is_error
from archspec.elaborate.audit import Audited
from archspec.elaborate.inference import Inferred
from archspec.limits import Limits


@click.command()
@many_specs
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@with_limits
def check(specs: tuple[str, ...], form: str, strict: bool, limits: Limits) -> None:
    """Check shapes, claims and errata; exit code 1 when one fails.

    A folder stands for all the .arch files in it. Every network and variant of a file is checked. The errata that hold
    are listed with their sources. A file that cannot be read is told, and the others are checked; the exit code is 3.

    \b
    Examples:
      archspec check mine.arch
      archspec check specs/ --format json
      cat mine.arch | archspec check -
    """
    many, every = Many(specs), list[Checked]()
    for one in many.each(lambda path: checked(path, limits)):
        every.append(one)
        if form == "text":
            complain(one.found)
            say(f"{one.path}: {one.summary}")
            for name, inferred in one.inferred.items():
                say(f"  {inferred_text(name, inferred)}")
            for erratum in one.errata:
                say(f"  {erratum}")
    found = [diagnostic for one in every for diagnostic in one.found]
    if form == "json":
        errata = [erratum for one in every for erratum in one.errata]
        show_json(tables.checked_json(found, errata, [one.inferred for one in every], many.unread))
    wrong = [d.exit_code for d in found if strict or is_error(d)]
    if code := max([many.exit_code, *wrong]):
        raise click.exceptions.Exit(code)


class Checked(Struct, frozen=True):
    """What `check` finds in one file; only the diagnostics if one is an error."""

    path: str
    found: list[Diagnostic]
    claims: int | None = None
    errata: list[Audited] = []
    inferred: dict[str, tuple[Inferred, ...]] = {}

    @property
    def summary(self) -> str:
        """`no errors (12 claims, 1 erratum)`."""
        held = [counted(self.claims, "claim", "claims")]
        held += [counted(len(self.errata), "erratum", "errata")] * bool(self.errata)
        return report.summary(self.found) + (f" ({', '.join(held)})" if self.claims is not None else "")


def checked(path: str, limits: Limits) -> Checked:
    """What there is to say of every network and variant of a file."""
    try:
        spec = driver.load(path, limits)
        found = spec.check() if driver.names_member(path) else spec.check_all()
        if any(map(is_error, found)):
            return Checked(path, found)
        return Checked(path, [*found, *spec.unused(), *spec.unclaimed()], spec.claims(), spec.errata(), spec.inferred())
    except SpecError as error:
        return Checked(path, list(error.diagnostics))


def counted(count: int | None, one: str, many: str) -> str:
    return f"1 {one}" if count == 1 else f"{count} {many}"
