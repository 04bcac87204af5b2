"""Numbers that remember how they were computed: an elaboration with them -> what it does for other numbers.

A traced number behaves as the one it stands for. What is computed from it is traced; what is asked of it (which of
two is larger, whether it is whole) is answered and written down as a guard: with other numbers that give the same
answers, elaboration takes the same way. It is not a subclass of `int` or `float`, so that nothing can look at its value
unseen: whoever needs the bare number asks for it by `int()`, `hash()` or as an index, and pins it.
"""

import math
import operator
from collections.abc import Callable
from typing import Any, TypeGuard

from archspec.elaborate.evaluate import plain
from archspec.elaborate.functions import FUNCTIONS

MOST = 200_000
"""Operations and guards of a trace; what needs more is counted without one."""

Operand = Any
"""A `Traced`, or a plain number."""


class TooLong(Exception):
    """A trace has reached `MOST`."""


def built_in(name: str) -> Callable[..., int | float]:
    """A function of the language, whole floats taken as ints."""
    function = FUNCTIONS[name][0]
    return lambda *numbers: function(*map(plain, numbers))


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "neg": operator.neg, "abs": abs, "trunc": math.trunc, "ceil": math.ceil, "floor": math.floor,
    "round": round,
}  # fmt: skip
"""Of these the type of the operands decides the type of the result."""
CALLS = {"**": operator.pow, **{f"call {name}": built_in(name) for name in FUNCTIONS}}
"""Of these the values decide it, so that it is asked for."""
QUESTIONS: dict[str, Callable[..., bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
    "whole": float.is_integer, "float": lambda number: isinstance(number, float),
}  # fmt: skip
OPERATIONS = {**ARITHMETIC, **CALLS, **QUESTIONS}


class Trace:
    """What one elaboration computed with its traced numbers, and what it asked."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, tuple[Operand, ...]]] = []
        """the operation that gives each number, by its index; `input` for those that are given"""
        self.guards: dict[tuple[str, tuple[object, ...]], tuple[str, tuple[Operand, ...], object]] = {}
        """a question with its operands, and the answer"""
        self.known: dict[object, Traced] = {}

    def input(self, value: int | float) -> "Traced":
        """A number that is given anew for every other elaboration."""
        return self.new("input", (), value)

    def new(self, name: str, operands: tuple[Operand, ...], value: int | float) -> "Traced":
        if len(self.steps) + len(self.guards) > MOST:
            raise TooLong
        self.steps.append((name, operands))
        return Traced(self, len(self.steps) - 1, value)

    def apply(self, name: str, *operands: Operand) -> Any:
        """The result of an operation, traced; the same one for the same operands."""
        key = (name, *map(reference, operands))
        found = self.known.get(key)
        if found is None:
            try:
                value = OPERATIONS[name](*map(bare, operands))
            except (ArithmeticError, ValueError):
                for operand in operands:
                    pinned(operand)
                raise
            if isinstance(value, complex):  # a root of a negative number, which the language refuses
                return pinned(operands[0]) ** pinned(operands[1])
            found = self.known[key] = self.new(name, operands, value)
            if name in CALLS:
                self.decide("float", found)
        return found

    def decide(self, name: str, *operands: Operand) -> bool:
        """The answer to a question, which becomes a guard."""
        answer = OPERATIONS[name](*map(bare, operands))
        self.guards.setdefault((name, tuple(map(reference, operands))), (name, operands, answer))
        return bool(answer)

    def pin(self, number: "Traced") -> int | float:
        """The bare number; only the same one takes the same way from here on."""
        self.guards.setdefault(("is", (number.index,)), ("is", (number,), number.value))
        return number.value

    @property
    def pinned(self) -> set[int]:
        """The inputs that are pinned, themselves or by a number that is another one for each of their values."""
        found: set[int] = set()
        for name, operands, _ in self.guards.values():
            index: int | None = operands[0].index if name == "is" else None
            while index is not None:
                step, inner = self.steps[index]
                traced = [operand.index for operand in inner if type(operand) is Traced]
                if step == "input":
                    found.add(index)
                index = traced[0] if step in {"+", "-", "neg"} and len(traced) == 1 else None
        return found


def is_traced(value: object) -> TypeGuard["Traced"]:
    return type(value) is Traced


def reference(operand: Operand) -> object:
    """What tells operands apart: traced numbers by how they were computed, others by type and value."""
    return operand.index if type(operand) is Traced else (type(operand), operand)


def bare(operand: Operand) -> Any:
    return operand.value if type(operand) is Traced else operand


def pinned(value: Any) -> Any:
    """A value without traced numbers in it."""
    if isinstance(value, tuple):
        return tuple(map(pinned, value))
    return value.trace.pin(value) if type(value) is Traced else value


class Traced:
    """A number in a trace; an `int` or a `float` to those who ask by `isinstance`."""

    __slots__ = ("index", "trace", "value")

    def __init__(self, trace: Trace, index: int, value: int | float) -> None:
        self.trace, self.index, self.value = trace, index, value

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self.value)

    # ---- what is computed ----

    def binary(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:  # type: ignore[misc]  # noqa: N805
        def forward(self: "Traced", other: Operand) -> Any:
            return self.trace.apply(name, self, other) if isinstance(other, (int, float)) else NotImplemented

        def reflected(self: "Traced", other: Operand) -> Any:
            return self.trace.apply(name, other, self) if isinstance(other, (int, float)) else NotImplemented

        return forward, reflected

    __add__, __radd__ = binary("+")
    __sub__, __rsub__ = binary("-")
    __mul__, __rmul__ = binary("*")
    __truediv__, __rtruediv__ = binary("/")
    __floordiv__, __rfloordiv__ = binary("//")
    __mod__, __rmod__ = binary("%")
    __pow__, __rpow__ = binary("**")

    def unary(name: str) -> Callable[..., Any]:  # type: ignore[misc]  # noqa: N805
        def applied(self: "Traced") -> Any:
            return self.trace.apply(name, self)

        return applied

    __neg__ = unary("neg")
    __abs__ = unary("abs")
    __trunc__ = unary("trunc")
    __ceil__ = unary("ceil")
    __floor__ = unary("floor")

    def __pos__(self) -> "Traced":
        return self

    def __round__(self, digits: None = None) -> Any:
        return self.trace.apply("round", self)

    # ---- what is asked ----

    def question(name: str) -> Callable[..., Any]:  # type: ignore[misc]  # noqa: N805
        def asked(self: "Traced", other: Operand) -> Any:
            return self.trace.decide(name, self, other) if isinstance(other, (int, float)) else NotImplemented

        return asked

    __lt__ = question("<")
    __le__ = question("<=")
    __gt__ = question(">")
    __ge__ = question(">=")
    __eq__ = question("==")

    def is_integer(self) -> bool:
        return self.trace.decide("whole", self)

    def __bool__(self) -> bool:
        return not self.trace.decide("==", self, 0)

    # ---- the bare number ----

    def __hash__(self) -> int:
        return hash(pinned(self))

    def __int__(self) -> int:
        return int(pinned(self))

    def __index__(self) -> int:
        return operator.index(pinned(self))

    def __float__(self) -> float:
        return float(pinned(self))

    def __format__(self, form: str) -> str:
        """As text; without a form it is for people to read, and nothing follows from it."""
        return format(pinned(self) if form else self.value, form)

    def __str__(self) -> str:
        return str(self.value)

    __repr__ = __str__
