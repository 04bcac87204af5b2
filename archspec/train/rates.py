"""The runs of every member at the rates of a grid -> the learning rate of each, and where the grid should grow.

A best rate at an edge of the grid says only that a better one may lie beyond it. The grid grows for every member alike:
the budget for tuning stays the same for all.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from archspec.errors import Refusal
from archspec.train.record import Record, merit

Tried = Mapping[float, Record]
"""The runs of one member by their learning rates."""


class NoRate(Refusal):
    """A network cannot be trained."""


def best(tried: Tried) -> float | None:
    """The learning rate whose run was best on the validation images; None where all runs diverged.

    Best is the highest median of three validation accuracies, then the least validation loss at the best evaluation.
    """
    fine = {rate: record for rate, record in tried.items() if not record.diverged}
    return max(fine, key=lambda rate: (max(fine[rate].smooth()), merit(fine[rate].best)), default=None)


def chosen(label: str, tried: Tried) -> float:
    """The best learning rate of a member; raises `NoRate`."""
    found = best(tried)
    if found is None:
        raise NoRate(f"{label} diverges at every learning rate that was tried", "smaller ones: --lr 1e-4,1e-3")
    return found


def edge(rate: float | None, tried: Iterable[float]) -> Literal["smallest", "largest"] | None:
    """At which end of several rates one is; None is taken for smaller than all, since with them all runs diverged."""
    several = sorted(tried)
    if len(several) < 2:
        return None
    if rate is None or rate == several[0]:
        return "smallest"
    return "largest" if rate == several[-1] else None


def further(tried: Iterable[Tried]) -> list[float]:
    """The rates by which the grid of members grows: one beyond each edge that some member's best rate is at."""
    found = set()
    for own in tried:
        several = sorted(own)
        match edge(best(own), several):
            case "smallest":
                found.add(several[0] ** 2 / several[1])
            case "largest":
                found.add(several[-1] ** 2 / several[-2])
    return sorted(float(f"{rate:.6g}") for rate in found)
