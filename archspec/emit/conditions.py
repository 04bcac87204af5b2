"""When a block has a step: an expression of its parameters that is true for just those instances that have it."""

from collections.abc import Iterator
from itertools import combinations

from msgspec import Struct

from archspec.emit.merging import ABSENT, Column

Known = list[tuple[str, str, Column]]
"""Name, kind and values of the parameters."""
Candidate = tuple[str, tuple[bool, ...]]
COUNTS = frozenset({"channels", "groups", "rate", "count", "sides"})
"""Kinds of arguments whose value 0 means that the thing is absent."""


class Ends(Struct, frozen=True):
    """The channels of a block's input and output."""

    first: Column
    last: Column
    given: str
    """an expression of those of the input, where they are not a parameter"""


def condition_for(present: tuple[bool, ...], known: Known, used: list[str], ends: Ends) -> str | None:
    """The first expression that says it; None where a parameter of its own must.

    `used` are the parameters that the step takes.
    """
    whole = [one for one in known if ABSENT not in one[2]]
    if ends.given and all(column != ends.first for _, _, column in whole):
        whole.append((ends.given, "channels", ends.first))
        used = [*used, ends.given]
    for text, values in candidates([one for one in known if ABSENT in one[2]], whole, used, ends):
        if values == present:
            return text
    return None


def candidates(partial: Known, whole: Known, used: list[str], ends: Ends) -> Iterator[Candidate]:
    yield from keeping(whole, ends)
    for name, kind, column in partial:
        if name in used and kind in COUNTS and not any(isinstance(value, tuple) for value in column):
            yield f"{name} > 0", tuple(value is not ABSENT and value > 0 for value in column)
        if name in used and kind == "activation":
            yield f"{name} is not None", tuple(value is not ABSENT for value in column)
    channels = [(name, column) for name, kind, column in whole if kind == "channels" and name in used]
    for (one, a), (other, b) in combinations(channels, 2):
        same = tuple(x == y for x, y in zip(a, b, strict=True))
        yield f"{other} != {one}", opposite(same)
        yield f"{other} == {one}", same
    for name, kind, column in whole:
        if kind == "stride":
            yield f"{name} != 1", tuple(value != 1 for value in column)
            yield f"{name} == 1", tuple(value == 1 for value in column)


def keeping(whole: Known, ends: Ends) -> Iterator[Candidate]:
    """Whether the block keeps the shape of its input, and whether it changes it."""
    names = [
        next((n for n, k, column in whole if k == "channels" and column == end), "") for end in (ends.first, ends.last)
    ]
    if not all(names) or names[0] == names[1]:
        return
    same = tuple(a == b for a, b in zip(ends.first, ends.last, strict=True))
    for name, kind, column in whole:
        if kind == "stride":
            kept = tuple(equal and step == 1 for equal, step in zip(same, column, strict=True))
            yield f"{name} == 1 and {names[0]} == {names[1]}", kept
            yield f"{name} != 1 or {names[0]} != {names[1]}", opposite(kept)
            break
    yield f"{names[0]} == {names[1]}", same
    yield f"{names[0]} != {names[1]}", opposite(same)


def opposite(values: tuple[bool, ...]) -> tuple[bool, ...]:
    return tuple(not value for value in values)
