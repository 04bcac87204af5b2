"""A budget -> the largest value of a parameter with which a network keeps to it.

Counts are step functions of a width, and not always growing ones, so nothing is interpolated: on the grid that was
asked for, every value above the answer was counted.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from archspec.backend import BackendError
from archspec.elaborate.evaluate import Value
from archspec.search.counting import Counter, Refused
from archspec.search.measures import ALWAYS, MEASURES
from archspec.search.space import Axis, Steps
from archspec.spec import Spec

START = 100
"""Values of the grid that is looked at first; it is doubled while its upper half has a network within the budget."""
MOST = 2**17
"""Values of the largest grid that is looked at unasked."""
Numbers = Sequence[int | float]


class NothingFits(BackendError):
    """No value keeps to the budget."""


class NoNumber(BackendError):
    """A parameter is not a number."""

    exit_code = 2


class Found(Struct, frozen=True):
    """A value and what is measured with it; None where the spec refuses it."""

    value: int | float
    measures: Mapping[str, int] | None


class Fit(Struct, frozen=True):
    """The largest value within a budget, the next one that was counted and is not, and all that were looked at."""

    best: Found
    after: Found | None
    grid: Numbers


def numbers(axis: Axis) -> Numbers:
    """The values of an axis, the smallest first; raises `NoNumber`."""
    (only, *others) = axis.parts
    if isinstance(only, Steps) and not others:
        return only if only.step > 0 else Steps(only.first + only.step * (len(only) - 1), -only.step, len(only))
    values = [axis[place] for place in range(len(axis))]
    if not all(type(value) in {int, float} for value in values):
        raise NoNumber(f"`{axis.name}` has values that are no numbers", "fit varies a number")
    return sorted(set(values))  # type: ignore[arg-type]


class Fitter:
    """Measures networks of one spec that differ in one number, and holds them against a budget."""

    def __init__(self, spec: Spec, name: str, budget: Mapping[str, int], fixed: Mapping[str, Value]) -> None:
        self.budget = budget
        self.measures = tuple(dict.fromkeys((*ALWAYS, *budget)))
        self.counter = Counter(spec, [name], fixed, [MEASURES[measure].of for measure in self.measures])
        self.name = name

    def found(self, value: int | float) -> Found:
        measured = self.counter([self.counter.suited(self.name, value)])
        return Found(value, None if isinstance(measured, Refused) else dict(zip(self.measures, measured, strict=True)))

    def fits(self, found: Found) -> bool:
        measures = found.measures
        return measures is not None and all(measures[what] <= most for what, most in self.budget.items())

    def last(self, grid: Numbers, low: int, high: int) -> tuple[int | None, bool]:
        """The last place from `low` up to `high`, without it, that keeps to the budget; whether any was a network."""
        counted = False
        for place in range(high - 1, low - 1, -1):
            found = self.found(grid[place])
            if self.fits(found):
                return place, True
            counted = counted or found.measures is not None
        return None, counted

    def growing(self, step: Decimal) -> tuple[Numbers, int | None]:
        """A grid whose upper half is over the budget, and the last place on it that is not."""
        best, low, high = None, START // 2, START
        while True:
            place, counted = self.last(Steps(step, step, high), low, high)
            best = best if place is None else place
            if high >= MOST or (place is None and counted):
                break
            low, high = high, 2 * high
        grid = Steps(step, step, high)
        return grid, self.last(grid, 0, START // 2)[0] if best is None else best


def fit(
    spec: Spec,
    name: str,
    budget: Mapping[str, int],
    fixed: Mapping[str, Value] | None = None,
    grid: Numbers | None = None,
    step: Decimal | None = None,
) -> Fit:
    """The largest number for a parameter, or for the image's size, with which a network keeps to a budget.

    `budget` is by names of `MEASURES`. A `grid` grows from place to place; without one it goes from one `step` (0.01,
    of whole numbers 1) up to where all networks of its upper half are over the budget. Raises `BackendError`, and
    `SpecError` where the spec refuses every value.
    """
    fitter = Fitter(spec, name, budget, fixed or {})
    kind = int if name == fitter.counter.image else fitter.counter.types.get(name, float)
    if kind not in {int, float}:
        raise NoNumber(f"`{name}` is no number that could grow", "fit varies a number")
    if grid is None:
        grid, place = fitter.growing(step or Decimal("0.01" if kind is float else 1))
    else:
        place, _ = fitter.last(grid, 0, len(grid))
    if place is None:
        raise nothing(fitter, grid)
    after: Found | None = None
    if isinstance(grid, Steps):
        after = fitter.found(Steps(grid.first, grid.step, place + 2)[place + 1])
    elif place + 1 < len(grid):
        after = fitter.found(grid[place + 1])
    return Fit(fitter.found(grid[place]), after, grid)


def nothing(fitter: Fitter, grid: Numbers) -> BackendError:
    """Why no value fits; raises `SpecError` where that is the spec's own reason."""
    least = next((found for found in map(fitter.found, grid) if found.measures is not None), None)
    if least is None or least.measures is None:
        fitter.counter.elaborated([grid[-1]])
        raise AssertionError("what is refused here is refused by elaborate")
    said = ", ".join(f"{least.measures[what]:,} {what}" for what in fitter.budget)
    return NothingFits(
        f"no {fitter.name} from {grid[0]} to {grid[-1]} keeps to the budget: at {least.value} there are {said}"
    )
