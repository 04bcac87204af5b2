"""Repetitions -> `Spread`.

Contestants take turns, so that a machine that slows down slows all of them.
"""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spread:
    """The repetitions of one measurement; a busy machine moves the quartiles apart and hardly the best."""

    best: float
    lower: float
    median: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        if len(values) == 1:
            return cls(values[0], values[0], values[0], values[0])
        lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
        return cls(min(values), lower, median, upper)


def alternate(
    contestants: Mapping[str, Callable[[], T]], rounds: Mapping[str, int], warmups: int
) -> dict[str, list[T]]:
    """What every contestant returned in each of its rounds, the warm-ups left out."""
    for contestant in contestants.values():
        for _ in range(warmups):
            contestant()
    returned: dict[str, list[T]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(max(rounds.values())):
        # another one begins each round, so that nobody always runs in the same one's wake
        first = number % len(names)
        for name in names[first:] + names[:first]:
            if number < rounds[name]:
                returned[name].append(contestants[name]())
    return returned


def settle() -> None:
    """Collect, and hide from the collector what there is already.

    The collector stays on, as it is for users: each run pays for its own garbage, none for the modules of another.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def timed(function: Callable[[], T]) -> tuple[float, T]:
    """Seconds that a call took, and what it returned."""
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result
