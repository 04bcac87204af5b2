"""Calls -> Python. Blocks in a row that differ in a value or two become a loop over these values."""

from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Any

from msgspec import Struct

from archspec.emit.calls import Argument, Call, Code, Many, Reference, alike

FEWEST = 3
"""So many calls in a row are worth a loop."""
MOST_VARYING = 2
"""So many values may differ from pass to pass."""


def text(value: Any) -> str:
    """A value as Python."""
    match value:
        case Call(function, arguments):
            called = function if isinstance(function, str) else function.text
            return f"{called}({', '.join(written(arguments))})"
        case Many(call, count):
            return f"*({text(call)} for _ in range({text(count)}))"
        case Code() | Reference():
            return value.text
        case tuple():
            return f"({', '.join(map(text, value))}{',' * (len(value) == 1)})"
        case float() if value in (float("inf"), float("-inf")):
            return f'float("{value}")'
        case bool() | int() | float() | str() | None:
            return repr(value)
        case _:
            raise AssertionError(value)


def written(arguments: tuple[Argument, ...]) -> Iterator[str]:
    """The arguments that must be written, by place as long as none before them is left out."""
    by_place = True
    for _, group in groupby(arguments, gathers):
        together = tuple(group)
        if gathers(together[0]):
            yield from in_row([argument.value for argument in together])
            continue
        for argument in together:
            if not argument.needed:
                by_place = False
                continue
            by_place = by_place and not argument.by_name
            yield text(argument.value) if by_place else f"{argument.name}={text(argument.value)}"


def gathers(argument: Argument) -> object:
    """What arguments share that may be passes of one loop; None for one that is not a step of a row."""
    return argument.value.form if not argument.name and isinstance(argument.value, Call) else None


# ---- loops ----


class Varying(Struct, frozen=True):
    """A value that differs from pass to pass."""

    name: str
    values: tuple[Any, ...]


def in_row(calls: list[Call]) -> Iterator[str]:
    """Calls of one form as arguments: equal ones and those that count told once."""
    start = 0
    while start < len(calls):
        stop = start + 1
        while stop < len(calls) and calls[stop] == calls[start]:
            stop += 1
        if stop - start == 1:
            stop = differing(calls, start)
        yield from shortest(calls[start:stop])
        start = stop


def differing(calls: list[Call], start: int) -> int:
    """Where the calls end that a call begins, each unlike the next, which a loop can make."""
    stop = start + 1
    while stop < len(calls) and calls[stop] != calls[stop - 1] and calls[stop] not in calls[stop + 1 : stop + 2]:
        stop += 1
    while stop - start >= FEWEST and not loop(calls[start:stop]):
        stop -= 1
    return stop if stop - start >= FEWEST else start + 1


def shortest(calls: list[Call]) -> Iterator[str]:
    """Calls as a loop where that is less text, else one by one."""
    made = loop(calls) if len(calls) > 1 else ""
    yield from [made] if made else map(text, calls)


def run_length(column: tuple[Any, ...]) -> int:
    """How many values at the beginning of a column are the same."""
    for position, value in enumerate(column):
        if not alike(value, column[0]):
            return position
    return len(column)


def loop(calls: list[Call]) -> str:
    """A loop that makes these calls; empty where too much differs, or less text would do."""
    varying: list[Varying] = []
    columns = list(zip(*(list(call.leaves()) for call in calls), strict=True))
    chosen: list[str | None] = []
    for column in columns:
        values = tuple(argument.value for argument in column)
        if run_length(values) == len(values):
            chosen.append(None)
            continue
        if any(isinstance(value, Reference | Code) for value in values):
            return ""
        found = next((one for one in varying if all(map(alike, one.values, values))), None)
        if found is None:
            if len(varying) == MOST_VARYING:
                return ""
            taken = {one.name for one in varying}
            name = column[0].name if column[0].name not in taken else f"{column[0].name}_"
            found = Varying(name, values)
            varying.append(found)
        chosen.append(found.name)
    names = iter(chosen)

    def named(argument: Argument) -> Any:
        name = next(names)
        return argument.value if name is None else Reference(name)

    body = text(calls[0].changed(named))
    each = f"{', '.join(one.name for one in varying)} in {passes(varying)}" if varying else f"_ in range({len(calls)})"
    made = f"*({body} for {each})"
    return made if len(made) < sum(len(text(call)) for call in calls) else ""


def passes(varying: list[Varying]) -> str:
    """The values of all passes."""
    if len(varying) > 1:
        return text(tuple(zip(*(one.values for one in varying), strict=True)))
    values = varying[0].values
    steps = {b - a for a, b in pairwise(values)} if all(type(value) is int for value in values) else set()
    if len(steps) == 1:
        (step,) = steps
        return f"range({values[0]}, {values[-1] + (1 if step > 0 else -1)}{f', {step}' if step != 1 else ''})"
    return text(values)
