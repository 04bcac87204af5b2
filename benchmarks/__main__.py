"""Run from the repository root: `python -m benchmarks [--quick] [--only PART …]`."""

import argparse
import importlib
import sys
from pathlib import Path

from benchmarks import machine
from benchmarks.markdown import prose

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
# In this order: a part is imported when its turn comes, so that no part runs beside the modules of a later one.
PARTS = {
    "cold": "A whole process",
    "counting": "Counting, against what else counts",
    "pictures": "Pictures",
    "scaling": "Networks of growing size",
    "warm": "MobileNetV2, everything imported",
    "keystroke": "From a keystroke to its diagnostics",
    "searching": "Searching among networks",
    "building": "Building a model",
    "running": "Running a model",
}
PREFACE = """\
# Benchmarks

Written by `make bench`. The numbers of a section are of one run; contestants take turns, so that a machine that slows
down slows all of them. Ratios are those of the medians. The best repetition says what is possible, the distance of the
quartiles how busy the machine was. "Met" is said of medians.
"""


def main() -> None:
    """Measure, then write the page; a quick run prints it instead."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions; print, and write nothing")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=[*PARTS], help="leave the other sections as they are"
    )
    given = parser.parse_args()
    sections = {} if given.quick else sections_of(PAGE.read_text(encoding="utf-8"))
    head = [PREFACE, prose(machine.description()) + "\n"]
    for part in given.only:
        print(f"{part} …", file=sys.stderr)
        sections[PARTS[part]] = f"{importlib.import_module(f'benchmarks.{part}').measure(given.quick)}\n"
    found = [f"## {title}\n\n{sections[title]}" for title in PARTS.values() if title in sections]
    page = "\n".join([*head, *found])
    if given.quick:
        print(page)
        return
    PAGE.write_text(page, encoding="utf-8")
    print(f"wrote docs/{PAGE.name}")


def sections_of(page: str) -> dict[str, str]:
    """The text of each section by its title."""
    _, *sections = page.split("\n## ")
    return {title: text for title, _, text in (section.partition("\n\n") for section in sections)}


if __name__ == "__main__":
    main()
