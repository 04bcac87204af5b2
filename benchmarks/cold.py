"""Whole processes: what somebody waits for who types a command, and the memory that it takes."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.markdown import SPREAD, prose, ratio, spread_cells, table, verdict
from benchmarks.samples import Spread, alternate

ROOT = Path(__file__).parent.parent
ARCHSPEC = str(Path(sys.executable).with_name("archspec"))
IMPORTS, STATS, NEW, UNCACHED = (
    "`import pydantic, lark, click`",
    "`archspec stats mobilenet_v2`",
    "the same, of a text that no run has parsed",
    "the same, without any cache",
)
LIBRARIES = [sys.executable, "-c", "import pydantic, lark, click"]
COMMAND = [ARCHSPEC, "stats", "mobilenet_v2"]
TARGET = 2.0
FRAMEWORKS = ("torch", "tensorflow", "keras", "onnx", "numpy", "networkx")
MODULES = (
    "import sys; from archspec.cli.commands import run; assert run(['stats', 'mobilenet_v2']) == 0; "
    "print(*sys.modules, sep='\\n', file=sys.stderr)"
)
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
"""bytes that `ru_maxrss` counts in"""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process took."""

    seconds: float
    peak: int
    """bytes"""


def usage(command: list[str], cache: str | None) -> Usage:
    """Run a process to its end, with this cache folder or a fresh one; raises `CalledProcessError`."""
    with tempfile.TemporaryDirectory() as fresh:
        env = {**os.environ, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": cache or fresh}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # modules are compiled once, as for any user
        started = time.perf_counter()
        process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    peak = used.ru_maxrss
    # Linux counts the pages that a child shares with its parent before exec: nothing large may be imported here
    assert peak > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, "this process is larger than its child"
    return Usage(seconds, peak * PEAK_UNIT)


def unparsed(command: list[str], cache: str) -> Usage:
    """The same with the tables of the grammar in the cache, and nothing that was parsed."""
    for file in Path(cache, "archspec").glob("parsed-*"):
        file.unlink()
    return usage(command, cache)


def imported() -> list[str]:
    """The modules of a process that ran `archspec stats`; no framework is among them."""
    done = subprocess.run([sys.executable, "-c", MODULES], capture_output=True, text=True, check=True)
    modules = done.stderr.split()
    heavy = sorted({name.partition(".")[0] for name in modules} & set(FRAMEWORKS))
    assert not heavy, f"archspec imported {', '.join(heavy)}"
    return modules


def measure(quick: bool) -> str:
    """The section of whole processes."""
    modules = imported()
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as other:
        contestants = {
            IMPORTS: partial(usage, LIBRARIES, cache),
            STATS: partial(usage, COMMAND, cache),
            NEW: partial(unparsed, COMMAND, other),
            UNCACHED: partial(usage, COMMAND, None),
        }
        taken = alternate(contestants, dict.fromkeys(contestants, 3 if quick else 15), warmups=1)
    spreads = {name: Spread.of([one.seconds for one in used]) for name, used in taken.items()}
    unit = spreads[IMPORTS].median
    rows = [
        (
            name,
            *spread_cells(spread),
            ratio(spread.median, unit),
            f"{Spread.of([one.peak for one in taken[name]]).median / 2**20:.0f} MiB",
        )
        for name, spread in spreads.items()
    ]
    reached = spreads[STATS].median / unit
    remarks = (
        f"Target: `archspec stats` within {TARGET:g}× of importing these three libraries: {reached:.2f}×, "
        f"{verdict(reached <= TARGET)}. Its process imported {len(modules)} modules and none of "
        f"{', '.join(FRAMEWORKS)}. What a run has parsed is kept, so that Lark is imported for new texts alone. "
        "Without any cache, as the first time, it computes the tables of the grammar (and Lark examines them where "
        "`interegular` is installed, as it is here and for developers only: about half of that time)."
    )
    return f"{table(('process', *SPREAD, 'ratio', 'peak memory'), rows)}\n\n{prose(remarks)}"
