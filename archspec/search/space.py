"""`alpha=0.1:2.0:0.01` -> the values of a parameter; several of them -> the candidates of a sweep, in their order."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from math import prod
from typing import overload

from msgspec import Struct

from archspec.elaborate import parameters
from archspec.elaborate.evaluate import Value
from archspec.errors import Refusal
from archspec.printable import printable

NUMBER = r"[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(?:[eE][+-]?[0-9])?"
RANGE = re.compile(f"({NUMBER}):({NUMBER}):({NUMBER})")
NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
MOST = 10_000_000
"""Candidates of a sweep, unless more are allowed."""
MOST_STEPS = 2**40
"""Values of a range; `len` of Python ends at 2^63."""
KEPT = 2**16
"""Values of an axis that are worked out once."""


class WrongRange(Refusal):
    """What is given as a parameter's values cannot be read as values."""

    exit_code = 2


class TooMany(Refusal):
    """A sweep has more candidates than are allowed."""

    exit_code = 4


@dataclass(frozen=True)
class Steps(Sequence[int | float]):
    """The numbers from one to another, both included: each the nearest float to its decimal, or whole."""

    first: Decimal
    step: Decimal
    length: int

    @cached_property
    def whole(self) -> bool:
        return self.first == self.first.to_integral_value() and self.step == self.step.to_integral_value()

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, place: int) -> int | float: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[int | float]: ...
    def __getitem__(self, place: int | slice) -> int | float | Sequence[int | float]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(self.length))]
        if not -self.length <= place < self.length:
            raise IndexError(place)
        exact = self.first + self.step * (place % self.length)
        return int(exact) if self.whole else float(exact) + 0.0  # no -0.0


def steps(text: str) -> Steps:
    """`0.1:2.0:0.01`; raises `WrongRange` and `TooMany`."""
    match = RANGE.fullmatch(text)
    if match is None:
        raise WrongRange(f"`{printable(text)}` is not a range", "write from:to:step, both included: 0.1:2.0:0.01")
    first, last, step = map(Decimal, match.groups())
    if step == 0:
        raise WrongRange(f"the step of `{text}` is 0")
    if (last - first) * step < 0:
        other = f"{first}:{last}:{-step}".replace("+", "")
        raise WrongRange(f"`{text}` steps away from its end and has no values", f"write {other}")
    length = int(Fraction(last - first) / Fraction(step)) + 1
    if length > MOST_STEPS:
        raise TooMany(f"`{text}` has {length:,} values, and the limit is {MOST_STEPS:,}", "give larger steps")
    return Steps(first, step, length)


class Axis(Struct, frozen=True, dict=True):
    """A parameter, and the values that it takes in a sweep."""

    name: str
    parts: tuple[Sequence[Value], ...]

    @cached_property
    def ends(self) -> list[int]:
        return list(accumulate(map(len, self.parts)))

    def __len__(self) -> int:
        return self.ends[-1]

    @cached_property
    def kept(self) -> Sequence[Value]:
        """The values, worked out once unless they are very many."""
        return [self[place] for place in range(len(self))] if len(self) <= KEPT else self  # type: ignore[return-value]

    def __getitem__(self, place: int) -> Value:
        if not 0 <= place < len(self):
            raise IndexError(place)
        part = bisect_right(self.ends, place)
        return self.parts[part][place - (self.ends[part - 1] if part else 0)]

    @property
    def samples(self) -> list[Value]:
        """A value of each range, and all others: what the types of the axis' values follow from."""
        return [value for part in self.parts for value in (part[:1] if isinstance(part, Steps) else part)]


def axis(text: str) -> Axis:
    """`alpha=0.1:2.0:0.01`, `depth=18,34,50`, `alpha=0.35,0.5:1.4:0.1`; raises `WrongRange` or `SpecError`."""
    name, equals, values = text.partition("=")
    name = name.strip()
    if not equals or not NAME.fullmatch(name):
        raise WrongRange(f"`{printable(text)}` is not name=values", "write alpha=0.1:2.0:0.01, or depth=18,34,50")
    return Axis(name, tuple(parts(name, values)))


def parts(name: str, values: str) -> Iterator[Sequence[Value]]:
    for part in map(str.strip, values.split(",")):
        if not part:
            raise WrongRange(f"a value of `{name}` is missing", f"write {name}=1,2,3, or {name}=1:3:1")
        yield steps(part) if ":" in part else (parameters.value_of(part),)


def axis_of(name: str, values: "str | Iterable[Value]") -> Axis:
    """The axis of a program: a text as the command line has it, or any values; raises `WrongRange` or `SpecError`."""
    if isinstance(values, str):
        return axis(f"{name}={values}")
    found = tuple(values) if isinstance(values, Iterable) else (values,)
    if not found:
        raise WrongRange(f"`{name}` has no values")
    return Axis(name, (tuple(parameters.number(value) for value in found),))


class Space(Struct, frozen=True, dict=True):
    """The candidates: every combination of the axes' values, those of the last axis changing fastest."""

    axes: tuple[Axis, ...]

    @cached_property
    def size(self) -> int:
        return prod(map(len, self.axes))

    def candidates(self, first: int, last: int) -> Iterator[tuple[Value, ...]]:
        """Those with the numbers from `first` up to `last`, without it."""
        places = [(axis.kept, len(axis)) for axis in reversed(self.axes)]
        for number in range(first, last):
            values: list[Value] = []
            for kept, length in places:
                number, place = divmod(number, length)
                values.append(kept[place])
            yield tuple(values[::-1])


def space(axes: Sequence[Axis], most: int = MOST) -> Space:
    """The candidates of some axes; raises `WrongRange` where one stands twice and `TooMany`."""
    names = [axis.name for axis in axes]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise WrongRange(f"`{twice}` is given twice", f"give all its values at once: {twice}=0.5,1:2:0.1")
    made = Space(tuple(axes))
    if made.size > most:
        raise TooMany(f"these are {made.size:,} candidates, and the limit is {most:,}", "raise it by --max-candidates")
    return made
