"""A budget -> the largest value of a parameter with which a network keeps to it.

Counts are step functions of a width, and not always growing ones, so nothing is interpolated: on the grid that was
asked for, every value above the answer was counted.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from archspec.elaborate.evaluate import Budget, Environment, Value, evaluate
from archspec.errors import Refusal
from archspec.search.counting import IMAGE, Counter, Refused
from archspec.search.measures import ALWAYS, MEASURES
from archspec.search.space import Axis, Steps, TooMany
from archspec.spec import Spec
from archspec.syntax import tree as t
from archspec.syntax.errors import LimitReached

START = 100
"""Values of the grid that is looked at first; it is doubled while its upper half has a network within the budget."""
MOST = START * 2**17
"""Values of the largest grid that is looked at unasked."""
MOST_GIVEN = 100_000
"""Values of a grid that is given: all of them may have to be counted."""
MOST_REFUSED = START * 2**5
"""Of one that has no network at all."""
PATIENCE = 1000
"""Values beyond a declared limit before it is said, of a grid that grows, that the limit is too low for the budget."""
Numbers = Sequence[int | float]
Told = Callable[[int], None]
"""Is told how many values have been counted."""


class NothingFits(Refusal):
    """No value keeps to the budget."""


class NoNumber(Refusal):
    """A parameter is not a number that is to be found."""

    exit_code = 2


class Unbounded(Refusal):
    """The largest value is beyond the largest grid."""

    exit_code = 4


class Found(Struct, frozen=True):
    """A value and what is measured with it; None where the spec refuses it."""

    value: int | float
    measures: Mapping[str, int] | None
    refused: Refused | None = None

    def within(self, budget: Mapping[str, int]) -> bool:
        """Whether it is a network that keeps to a budget."""
        measures = self.measures
        return measures is not None and all(measures[what] <= most for what, most in budget.items())


class Fit(Struct, frozen=True):
    """The largest value within a budget, the next one that was counted and is not, and all that were looked at."""

    best: Found
    after: Found | None
    grid: Numbers

    @property
    def at_the_end(self) -> bool:
        """Whether it is the last value of a grid that was given, so that larger ones may fit."""
        return self.best.value == self.grid[-1]


def numbers(axis: Axis) -> Numbers:
    """The values of an axis, the smallest first; raises `NoNumber`, and `TooMany` for more than are looked at."""
    if len(axis) > MOST_GIVEN:
        advice = "larger steps, or a range that is closer to the answer"
        raise TooMany(f"`{axis.name}` has {len(axis):,} values, and the limit is {MOST_GIVEN:,}", advice)
    (only, *others) = axis.parts
    if isinstance(only, Steps) and not others:
        return only if only.step > 0 else Steps(only.first + only.step * (len(only) - 1), -only.step, len(only))
    values = [axis[place] for place in range(len(axis))]
    if not all(type(value) in {int, float} for value in values):
        raise NoNumber(f"`{axis.name}` has values that are not numbers", "fit varies a number")
    return sorted(set(values))  # type: ignore[arg-type]


class Fitter:
    """Measures networks of one spec that differ in one number, and holds them against a budget."""

    def __init__(
        self, spec: Spec, name: str, budget: Mapping[str, int], fixed: Mapping[str, Value], told: Told
    ) -> None:
        self.budget, self.told = budget, told
        self.counted = self.networks = 0
        """how many values, and how many of them the spec does not refuse"""
        self.measures = tuple(dict.fromkeys((*ALWAYS, *budget)))
        self.counter = Counter(spec, [name], fixed, [MEASURES[measure].of for measure in self.measures])
        self.name = name

    def found(self, value: int | float) -> Found:
        measured = self.counter([self.counter.suited(self.name, value)])
        self.counted += 1
        self.told(self.counted)
        if isinstance(measured, Refused):
            return Found(value, None, measured)
        self.networks += 1
        return Found(value, dict(zip(self.measures, measured, strict=True)))

    def last(self, grid: Numbers, low: int, high: int, patience: int | None = None) -> int | None:
        """The last place from `low` up to `high`, without it, that keeps to the budget.

        Raises `Unbounded` where more values than `patience` are beyond a declared limit.
        """
        limited = 0
        for place in range(high - 1, low - 1, -1):
            found = self.found(grid[place])
            if found.within(self.budget):
                return place
            if found.refused is not None and found.refused.code == LimitReached.code:
                limited += 1
                if patience is not None and limited > patience:
                    advice = f"raise the limit, or give a grid: --vary {self.name}=FROM:TO:STEP"
                    raise Unbounded(f"{self.name} = {found.value} meets a limit: {found.refused.message}", advice)
        return None

    def growing(self, step: Decimal) -> tuple[Numbers, int | None]:
        """A grid of whose upper half nothing fits, and the last place on it that does; raises `Unbounded`."""
        low, high = 0, START
        best = self.last(Steps(step, step, high), low, high, PATIENCE)
        while self.networks == 0 if best is None else best >= high // 2:
            if high >= (MOST if self.networks else MOST_REFUSED):
                break
            low, high = high, 2 * high
            place = self.last(Steps(step, step, high), low, high, PATIENCE)
            best = best if place is None else place
        grid = Steps(step, step, high)
        if best is not None and best >= high // 2:
            raise self.unbounded(grid)
        return grid, best

    def unbounded(self, grid: Numbers) -> Unbounded:
        first, last = self.found(grid[START]).measures, self.found(grid[-1]).measures
        said = f"{self.name} = {grid[-1]}, after {len(grid):,} values, is still within the budget"
        if first is not None and last is not None and all(first[what] == last[what] for what in self.budget):
            return Unbounded(f"{said}: the budget does not seem to depend on {self.name}")
        return Unbounded(said, f"larger steps, --step, or a grid: --vary {self.name}=FROM:TO:STEP")


def fit(
    spec: Spec,
    name: str,
    budget: Mapping[str, int],
    fixed: Mapping[str, Value] | None = None,
    grid: Numbers | None = None,
    step: Decimal | None = None,
    told: Told = lambda counted: None,
) -> Fit:
    """The largest number for a parameter, or for the image's size, with which a network keeps to a budget.

    `budget` is by names of `MEASURES`. A `grid` grows from place to place; without one it is the parameter's choices,
    or else goes from one `step` (0.01, of whole numbers 1) up to where nothing in its upper half fits. Raises
    `Refusal`, and `SpecError` where the spec refuses every value.
    """
    fixed = fixed or {}
    fitter = Fitter(spec, name, budget, fixed, told)
    if name in fixed or (name in IMAGE and name not in fitter.counter.own and set(IMAGE) & set(fixed)):
        raise NoNumber(f"`{name}` is given, and is to be found", "leave out one of -p and --vary")
    kind = int if name == fitter.counter.image else fitter.counter.types.get(name, float)
    if kind not in {int, float}:
        raise NoNumber(f"`{name}` is not a number that could grow", "fit varies a number")
    if grid is None and step is None:
        grid = choices(spec, fitter.counter.own.get(name))
    if grid is None:
        grid, place = fitter.growing(step or Decimal("0.01" if kind is float else 1))
    else:
        place = fitter.last(grid, 0, len(grid))
    if place is None:
        raise nothing(fitter, grid)
    after: Found | None = None
    if isinstance(grid, Steps):
        after = fitter.found(Steps(grid.first, grid.step, place + 2)[place + 1])
    elif place + 1 < len(grid):
        after = fitter.found(grid[place + 1])
    return Fit(fitter.found(grid[place]), after, grid)


def choices(spec: Spec, parameter: t.Parameter | None) -> Numbers | None:
    """The numbers among which a parameter chooses, the smallest first; None where it may be any."""
    if parameter is None or not parameter.choices:
        return None
    env = Environment(spec.module, {}, Budget(spec.limits.nodes))
    return numbers(Axis(parameter.name.id, (tuple(evaluate(choice, env) for choice in parameter.choices),)))


def nothing(fitter: Fitter, grid: Numbers) -> Refusal:
    """Why no value fits; raises `SpecError` where that is the spec's own reason."""
    least = next((found for found in map(fitter.found, grid) if found.measures is not None), None)
    if least is None or least.measures is None:
        fitter.counter.elaborated([grid[-1]])
        raise AssertionError("what is refused here is refused by elaborate")
    said = ", ".join(f"{what} = {least.measures[what]:,}" for what in fitter.budget)
    return NothingFits(f"no {fitter.name} from {grid[0]} to {grid[-1]} keeps to the budget: {least.value} gives {said}")
