"""Run from the repository root: `python -m benchmarks [--quick]`."""

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

Written by `make bench`. The numbers of a table are of one run; contestants take turns, so that a machine that slows
down slows all of them. Ratios are those of the medians. The best repetition says what is possible, the distance of the
quartiles how busy the machine was. "Met" is said of medians.
"""


def main() -> None:
    """Measure, then write the page; a quick run prints it instead."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions; print, and write nothing")
    quick = parser.parse_args().quick
    sections = [PREFACE, prose(machine.description()) + "\n"]
    for part, title in PARTS.items():
        print(f"{part} …", file=sys.stderr)
        sections.append(f"## {title}\n\n{importlib.import_module(f'benchmarks.{part}').measure(quick)}\n")
    page = "\n".join(sections)
    if quick:
        print(page)
        return
    PAGE.write_text(page, encoding="utf-8")
    print(f"wrote docs/{PAGE.name}")


if __name__ == "__main__":
    main()
