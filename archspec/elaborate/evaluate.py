"""Expressions -> values.

A value is a number, a truth, a text, a word (the name of an operator, a block or an attribute's choice), none, or an
extent `1x7`. A binding remembers where its value was written, so that a mistake points into the cell it came from.
"""

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from msgspec import Struct

from archspec.diagnostics import SpecError
from archspec.elaborate.errors import BadArithmetic, MissingArgument, RepeatedArgument, UnknownArgument, UnknownName
from archspec.elaborate.functions import FUNCTIONS
from archspec.elaborate.modules import Module
from archspec.ops import WORDS
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.syntax.errors import LimitReached

LARGEST = 2**63
TRUTHS = "a cell that is true is `✓`, `yes` or `true`, one that is false `✗`, `no`, `false` or `-`"
OUT_OF_RANGE = "the result is out of range (numbers reach up to 2^63)"


class Word(str):
    """A name that stands for itself: `same`, `relu6`; where it names a block, the file that declares it goes along."""

    module: Module

    @classmethod
    def of(cls, name: str, module: Module) -> "Word":
        word = cls(name)
        word.module = module
        return word


Value = bool | int | float | str | None | tuple[int | float, ...]


class Binding(Struct, frozen=True):
    """A value and the text that gave it."""

    value: Value
    span: Span
    printed: bool = False
    """whether the text is a cell of a table"""


@dataclass(slots=True)
class Budget:
    """How many blocks and functions one elaboration may still ask for: what doubles at every call must end."""

    limit: int
    spent: int = 0
    results: dict[object, Value] = field(default_factory=dict)
    """what functions gave for which arguments"""

    def spend(self, span: Span, cost: int = 1) -> None:
        self.spent += cost
        if self.spent > self.limit:
            found = f"more than {self.limit} calls of blocks and functions"
            raise SpecError([LimitReached(span, "this asks for too much", found, self.limit, "--max-nodes")])

    def built_in(self, name: str, numbers: list[int | float]) -> int | float:
        """What a function that is built in gives."""
        return FUNCTIONS[name][0](*map(plain, numbers))


class Environment(Struct, frozen=True):
    """What a name means: the bindings of one block, rule or function, and the file whose names it sees."""

    module: Module
    bindings: Mapping[str, Binding]
    budget: Budget

    def with_bindings(self, more: Mapping[str, Binding]) -> "Environment":
        return Environment(self.module, {**self.bindings, **more}, self.budget)


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip
ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def evaluate(expr: t.Expr, env: Environment) -> Value:
    """The value of an expression; raises `SpecError`."""
    match expr:
        case t.Name():
            return lookup(expr, env)
        case t.Number() | t.Text() | t.Constant():
            return expr.value
        case t.Chain():
            return chain(expr, env)
        case t.Call():
            return call(expr, env)
        case t.Signed():
            number = numeric(expr.operand, env)
            return -number if expr.sign == "-" else number
        case t.Power():
            return power(expr, env)
        case t.Comparison():
            return compare(expr, env)
        case t.AllOf():
            return all_true(expr.operands, env)
        case t.AnyOf():
            return any_true(expr.operands, env)
        case t.Negation():
            return not truth(expr.operand, env)
        case t.Conditional():
            return evaluate(expr.value if truth(expr.condition, env) else expr.otherwise, env)
        case t.Extent():
            return tuple(numeric(side, env) for side in expr.sides)


def lookup(name: t.Name, env: Environment) -> Value:
    binding = env.bindings.get(name.id)
    if binding is not None:
        return binding.value
    if env.module.is_word(name.id):
        return Word.of(name.id, env.module)
    raise SpecError([UnknownName(name.span, name.id, (*env.bindings, *WORDS))])


def origin(expr: t.Expr, env: Environment) -> tuple[Span, bool]:
    """Where the value of an expression was written, and whether that is a cell.

    Of a lone name it is where that got its value; of anything else the one cell that it is computed from.
    """
    if isinstance(expr, t.Name) and expr.id in env.bindings:
        binding = env.bindings[expr.id]
        return binding.span, binding.printed
    printed = {name: binding.span for name, binding in env.bindings.items() if binding.printed}
    found = {printed[name.id] for name in t.names(expr) if name.id in printed} if printed else set()
    return (found.pop(), True) if len(found) == 1 else (expr.span, False)


def blame(expr: t.Expr, env: Environment) -> Span:
    return origin(expr, env)[0]


def fail(expr: t.Expr, reason: str, env: Environment, advice: str | None = None) -> NoReturn:
    """Raise `SpecError` at the cell that an expression is computed from, or else at the expression."""
    at = blame(expr, env)
    raise SpecError([BadArithmetic(at, reason, expr.span if at != expr.span else None, advice)])


def numeric(expr: t.Expr, env: Environment) -> int | float:
    """The number that an expression gives; raises `SpecError` where it gives something else."""
    value = evaluate(expr, env)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        fail(expr, f"a number is needed here, and this is {describe(value)}", env)
    return value


def truth(expr: t.Expr, env: Environment) -> bool:
    """A condition; numbers are not true or false, none is false."""
    value = evaluate(expr, env)
    if value is None or isinstance(value, bool):
        return bool(value)
    reason = f"a condition is needed here, and this is {describe(value)}"
    fail(expr, reason, env, TRUTHS if origin(expr, env)[1] else None)


def all_true(operands: tuple[t.Expr, ...], env: Environment) -> bool:
    for operand in operands:
        if not truth(operand, env):
            return False
    return True


def any_true(operands: tuple[t.Expr, ...], env: Environment) -> bool:
    for operand in operands:
        if truth(operand, env):
            return True
    return False


def describe(value: Value) -> str:
    """A value as a diagnostic names it."""
    match value:
        case None:
            return "missing (`-`)"
        case bool():
            return "true" if value else "false"
        case Word():
            return f"the word `{value}`"
        case str():
            return f'the text "{value[:40]}"'
        case tuple():
            return "x".join(map(str, value))
        case _:
            return str(value)


def in_range(expr: t.Expr, value: int | float, env: Environment) -> int | float:
    if isinstance(value, complex) or not abs(value) <= LARGEST:
        fail(expr, OUT_OF_RANGE, env)
    return value


def chain(expr: t.Chain, env: Environment) -> int | float:
    total = numeric(expr.first, env)
    for sign, operand in expr.rest:
        number = numeric(operand, env)
        if sign in {"/", "//", "%"} and number == 0:
            fail(operand, "this divides by zero", env)
        total = in_range(expr, ARITHMETIC[sign](total, number), env)
    return total


def power(expr: t.Power, env: Environment) -> int | float:
    base, exponent = numeric(expr.base, env), numeric(expr.exponent, env)
    if abs(exponent) > 64 and abs(base) > 1:
        fail(expr, OUT_OF_RANGE, env)
    try:
        return in_range(expr, base**exponent, env)
    except ZeroDivisionError:
        fail(expr, "this divides by zero", env)
    except OverflowError:
        fail(expr, OUT_OF_RANGE, env)


def compare(expr: t.Comparison, env: Environment) -> bool:
    if expr.operator in {"==", "!="}:
        left, right = evaluate(expr.left, env), evaluate(expr.right, env)
        refuse_unlike(expr, left, right, env)
        return same(left, right) == (expr.operator == "==")
    return ORDER[expr.operator](numeric(expr.left, env), numeric(expr.right, env))


def refuse_unlike(expr: t.Comparison, left: Value, right: Value, env: Environment) -> None:
    """Raise `SpecError` where a cell is compared with true or false and is neither (`Y` is a text), or the reverse."""
    if None in (left, right) or isinstance(left, bool) is isinstance(right, bool):
        return
    for side, value, other in ((expr.left, left, right), (expr.right, right, left)):
        if origin(side, env)[1]:
            reason = f"this cell is compared with {describe(other)}, and it is {describe(value)}"
            fail(side, reason, env, TRUTHS)


def same(a: Value, b: Value) -> bool:
    """Equality that never takes true for 1; a word equals the text of its letters."""
    if isinstance(a, bool) is not isinstance(b, bool):
        return False
    return a == b


def call(expr: t.Call, env: Environment) -> Value:
    name = expr.function.id
    if name in FUNCTIONS:
        return built_in(expr, env)
    module, definition = env.module.definition(expr.function)
    inside = Environment(module, {}, env.budget)
    bindings = bind(expr.function, definition.parameters, expr.arguments, env, inside)
    key = (id(definition), tuple((type(binding.value), binding.value) for binding in bindings.values()))
    if key not in env.budget.results:
        env.budget.spend(expr.span)
        env.budget.results[key] = evaluate(definition.body, inside.with_bindings(bindings))
    return env.budget.results[key]


def built_in(expr: t.Call, env: Environment) -> int | float:
    numbers = [numeric(argument.value, env) for argument in expr.arguments]
    if expr.function.id == "make_divisible" and (numbers[1] < 1 or numbers[1] != int(numbers[1])):
        fail(expr.arguments[1].value, "the divisor is a whole number from 1", env)
    if expr.function.id == "make_divisible" and numbers[0] <= 0:
        reason = f"only a number above 0 has a multiple nearest to it, and this is {numbers[0]}"
        fail(expr.arguments[0].value, reason, env)
    return in_range(expr, env.budget.built_in(expr.function.id, numbers), env)


def plain(number: int | float) -> int | float:
    """A float that is whole, as an int: 16.0 channels are 16 channels."""
    return math.trunc(number) if isinstance(number, float) and number.is_integer() else number


def places(
    what: t.Name, positional: tuple[str, ...], known: tuple[str, ...], arguments: tuple[t.Argument, ...]
) -> dict[str, t.Argument]:
    """Arguments by the name of what they are for; raises `SpecError` for one too many or given twice."""
    placed: dict[str, t.Argument] = {}
    for position, argument in enumerate(arguments):
        if argument.name is None:
            if position >= len(positional):
                raise SpecError([UnknownArgument(argument.span, what.id, "", positional)])
            name = positional[position]
        else:
            name = argument.name.id
            if name not in known:
                raise SpecError([UnknownArgument(argument.name.span, what.id, name, known)])
        if name in placed:
            raise SpecError([RepeatedArgument(argument.span, name, placed[name].span)])
        placed[name] = argument
    return placed


def bind(
    what: t.Name,
    parameters: tuple[t.Parameter, ...],
    arguments: tuple[t.Argument, ...],
    caller: Environment,
    inside: Environment,
) -> dict[str, Binding]:
    """A call's arguments, and the defaults of those that it leaves out, by parameter."""
    names = tuple(parameter.name.id for parameter in parameters)
    placed = places(what, names, names, arguments)
    missing = tuple(p.name.id for p in parameters if p.name.id not in placed and p.default is None)
    if missing:
        raise SpecError([MissingArgument(what.span, what.id, missing)])
    bindings: dict[str, Binding] = {}
    for parameter in parameters:
        name = parameter.name.id
        if name in placed:
            value = placed[name].value
            bindings[name] = Binding(evaluate(value, caller), *origin(value, caller))
        elif parameter.default is not None:
            bindings[name] = Binding(evaluate(parameter.default, inside.with_bindings(bindings)), parameter.span)
    return bindings
