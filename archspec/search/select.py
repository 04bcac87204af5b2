"""Rows -> the first of them in an order, and those that no other is better than; in bounded memory."""

from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest, nsmallest
from itertools import islice
from operator import le

from msgspec import Struct

from archspec.diagnostics import did_you_mean
from archspec.elaborate.evaluate import Value
from archspec.errors import Refusal

Line = tuple[Value, ...]


class UnknownColumn(Refusal):
    """A name is that of no column."""

    exit_code = 2


class Wish(Struct, frozen=True):
    """A column, and whether one wants much of it."""

    column: str
    much: bool

    @classmethod
    def of(cls, text: str, columns: Iterable[str]) -> "Wish":
        """`macs`, or `-macs` for much; raises `UnknownColumn`."""
        name = text.strip().removeprefix("-")
        known = list(columns)
        if name not in known:
            raise UnknownColumn(f"there is no column `{name}`", did_you_mean(name, known))
        return cls(name, text.strip().startswith("-"))


def order(value: Value) -> tuple[int, float, str]:
    """What a value is sorted by: numbers first, then texts."""
    return (0, value, "") if isinstance(value, (int, float)) else (1, 0, str(value))


def ordered(lines: Iterable[Line], place: int, much: bool, top: int | None) -> Iterator[Line]:
    """The lines by one of their values, those with the same in the order that they came in.

    With `top`, no more than so many are kept; without it all are.
    """

    def key(line: Line) -> tuple[int, float, str]:
        return order(line[place])

    if top is None:
        yield from sorted(lines, key=key, reverse=much)
    else:
        yield from (nlargest if much else nsmallest)(top, lines, key=key)


class Selection(Struct, frozen=True):
    """Which lines of a sweep are given, and in what order."""

    sort: Wish | None = None
    top: int | None = None
    front: tuple[Wish, ...] = ()
    """where it is not empty, only the front's lines are given"""

    def of(self, lines: Iterable[Line], columns: Sequence[str]) -> Iterator[Line]:
        """The lines; as they come, unless they are sorted or a front."""
        if self.front:
            found = Front.of(self.front, columns)
            for line in lines:
                found.add(line)
            lines = found.lines
        if self.sort is not None:
            yield from ordered(lines, columns.index(self.sort.column), self.sort.much, self.top)
        else:
            yield from islice(lines, self.top)


class Front:
    """Those lines of which no other is as good in every wish and better in one; of equal ones the first."""

    def __init__(self, wishes: Iterable[tuple[int, bool]]) -> None:
        self.wishes = tuple(wishes)
        """the places of numbers in a line, and whether one wants much"""
        self.members: list[tuple[tuple[float, ...], Line]] = []

    @classmethod
    def of(cls, wishes: Iterable[Wish], columns: Sequence[str]) -> "Front":
        return cls((columns.index(wish.column), wish.much) for wish in wishes)

    def add(self, line: Line) -> None:
        """Take a line in, unless another is as good."""
        costs = tuple(self.cost(line[place], much) for place, much in self.wishes)
        for place, (other, _) in enumerate(self.members):
            if all(map(le, other, costs)):
                if place:  # it is likely to be as good as the next line, too
                    self.members.insert(0, self.members.pop(place))
                return
        self.members = [member for member in self.members if not all(map(le, costs, member[0]))]
        self.members.append((costs, line))

    def cost(self, value: Value, much: bool) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UnknownColumn(f"`{value}` is not a number, and a front is made of numbers", "name other columns")
        return -value if much else value

    @property
    def lines(self) -> list[Line]:
        """The members by their first wish, the best first."""
        return [line for _, line in sorted(self.members, key=lambda member: member[0])]
