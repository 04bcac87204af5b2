"""Values of attributes, in one instance or in all of them, and how the language writes them."""

from collections import Counter

Value = bool | int | float | str | tuple[int, ...] | None
"""An attribute of an operator; a word is a text."""
Vector = dict[int, Value]
"""A value for each instance that has one."""


def typed(value: Value) -> tuple[type, Value]:
    """A value that is not mistaken for an equal one of another type."""
    return type(value), value


def most_common(values: Vector) -> Value:
    return Counter(map(typed, values.values())).most_common(1)[0][0][1]


def literal(value: Value) -> str:
    """A value as the language writes it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    if isinstance(value, float):
        return number(value)
    return str(value)


def number(value: float) -> str:
    """A number that reads as the same one: `1e-5`, `0.001`, `1`."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    digits, e, exponent = repr(value).partition("e")
    return f"{digits}{e}{int(exponent)}" if e else digits
