"""Contests in a process of their own, one framework in each, and the table of what came out.

The process runs `python -m benchmarks.PART FRAMEWORK [--quick]` and prints its repetitions as JSON.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.markdown import milliseconds, ratio, table, verdict
from benchmarks.samples import Spread, alternate, settle, timed

ROOT = Path(__file__).parent.parent
Task = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Contest:
    """What contestants do in turn; the first of them is what the others are held against."""

    name: str
    contestants: Mapping[str, Task]
    rounds: int
    warmups: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """The repetitions of a contest."""

    name: str
    spreads: Mapping[str, Spread]

    @property
    def peer(self) -> Spread:
        return next(iter(self.spreads.values()))

    def ratio(self, name: str) -> float:
        return self.spreads[name].median / self.peer.median

    def not_slower(self, name: str) -> bool:
        """Whether the median is no longer than the peer's, or not to be told from it: the quartiles overlap."""
        return self.ratio(name) <= 1 or self.spreads[name].lower <= self.peer.upper


def hold(contests: Iterable[Contest], quick: bool) -> None:
    """Print the repetitions of all contests, in seconds, as JSON; a quick run has few."""
    found = {}
    for contest in contests:
        tasks = {name: partial(seconds, task) for name, task in contest.contestants.items()}
        rounds = min(contest.rounds, 3) if quick else contest.rounds
        found[contest.name] = alternate(tasks, dict.fromkeys(tasks, rounds), contest.warmups)
        print(f"  {contest.name}", file=sys.stderr)
    print(json.dumps(found))


def seconds(task: Task) -> float:
    settle()
    return timed(task)[0]


def results(part: str, framework: str, quick: bool, threads: int = 1, cores: int | None = None) -> list[Result]:
    """What a process of its own measured, on that many cores or on all; raises `CalledProcessError`."""
    command = [sys.executable, "-m", f"benchmarks.{part}", framework, *["--quick"] * quick]
    env = {**os.environ, "OMP_NUM_THREADS": str(threads), "TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(
        command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores]),
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    return [Result(name, {who: Spread.of(values) for who, values in taken.items()}) for name, taken in found.items()]


def results_table(title: str, found: list[Result]) -> str:
    """A line for each contest: the peer's median, the others' ratios to it, quartiles of their own behind them."""
    names = list(dict.fromkeys(name for result in found for name in result.spreads))
    rows = [(result.name, *(cell(result, name) for name in names)) for result in found]
    return table((title, *names), rows)


def cell(result: Result, name: str) -> str:
    spread = result.spreads.get(name)
    if spread is None:
        return ""
    quartiles = f"{milliseconds(spread.lower)} – {milliseconds(spread.upper)}"
    median = milliseconds(spread.median) if spread is result.peer else ratio(spread.median, result.peer.median)
    return f"{median} ({quartiles})"


def judged(found: list[Result], name: str, holds: Callable[[Result], bool]) -> str:
    """`met in 7 of 8; missed: …`."""
    there = [result for result in found if name in result.spreads]
    missed = [f"{result.name} ({result.ratio(name):.2f}×)" for result in there if not holds(result)]
    if not missed:
        return f"{verdict(True)} in all {len(there)}"
    return f"{verdict(True)} in {len(there) - len(missed)} of {len(there)}, {verdict(False)} for {', '.join(missed)}"


def compared(found: list[Result], name: str) -> str:
    """`no slower in 6 of 8, not to be told apart in 1: … (1.12×), slower in 1: … (1.33×)`."""
    slower = [result for result in found if result.ratio(name) > 1]
    said = [f"no slower in {len(found) - len(slower)} of {len(found)}"]
    for what, holds in (("not to be told apart", True), ("slower", False)):
        named = [f"{r.name} ({r.ratio(name):.2f}×)" for r in slower if r.not_slower(name) is holds]
        if named:
            said.append(f"{what} in {len(named)}: {', '.join(named)}")
    return "; ".join(said)


def main(frameworks: Mapping[str, Callable[[], Iterator[Contest]]]) -> None:
    """What such a process does."""
    framework, *flags = sys.argv[1:]
    hold(frameworks[framework](), "--quick" in flags)
