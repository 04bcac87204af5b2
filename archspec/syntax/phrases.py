"""Expressions, references and networks of the tree -> text on one line; parentheses only where they are needed.

Factors stand close in arguments (`conv(1, t*k)`) and with their sums in shapes (`h+1 x w//2`); elsewhere, in functions
and conditions, every operator has its blanks (`by * c`).
"""

import re
from collections.abc import Iterable
from enum import IntEnum

from msgspec.structs import replace

from archspec.source import Span
from archspec.syntax import tree as t


class Air(IntEnum):
    """Which operators have blanks around them."""

    OPEN = 0
    ARGUMENT = 1
    SHAPE = 2


CONDITIONAL, ANY, ALL, NOT, COMPARISON, SUM, PRODUCT, UNARY, POWER, PRIMARY = range(1, 11)
LEVELS: dict[type[t.Expr], int] = {
    t.Extent: 0, t.Conditional: CONDITIONAL, t.AnyOf: ANY, t.AllOf: ALL, t.Negation: NOT, t.Comparison: COMPARISON,
    t.Signed: UNARY, t.Power: POWER,
}  # fmt: skip
WORDS = {True: "true", False: "false", None: "none"}
QUANTITY = re.compile(r"([0-9_.]+(?:[eE][+-]?[0-9]+)?)([KkMGBT]?)((?:[×x*]10[^±]+)?)(?:±(.+)%)?")
IGNORED = re.compile(r"#[^\r\n]*|[ \t\f\r\n]+")


def expression(node: t.Expr, air: Air = Air.OPEN, least: int = 0) -> str:
    """An expression, in parentheses where it binds less than `least`."""
    text = bare(node, air)
    return f"({text})" if level(node) < least else text


def level(node: t.Expr) -> int:
    if isinstance(node, t.Chain):
        return SUM if node.rest[0][0] in "+-" else PRODUCT
    return LEVELS.get(type(node), PRIMARY)


def bare(node: t.Expr, air: Air) -> str:
    match node:
        case t.Number():
            return node.text
        case t.Text():
            return quoted(node)
        case t.Constant():
            return WORDS[node.value]
        case t.Name():
            return node.id
        case t.Call():
            return node.function.id + arguments(node.arguments, air)
        case t.Extent():
            return extent(node)
        case t.Conditional():
            value, condition = (expression(part, air, ANY) for part in (node.value, node.condition))
            return f"{value} if {condition} else {expression(node.otherwise, air, CONDITIONAL)}"
        case _:
            return operation(node, air)


def operation(node: t.Chain | t.Signed | t.Power | t.Comparison | t.AllOf | t.AnyOf | t.Negation, air: Air) -> str:
    match node:
        case t.AnyOf():
            return " or ".join(expression(operand, air, ALL) for operand in node.operands)
        case t.AllOf():
            return " and ".join(expression(operand, air, NOT) for operand in node.operands)
        case t.Negation():
            return f"not {expression(node.operand, air, NOT)}"
        case t.Comparison():
            return f"{expression(node.left, air, SUM)} {node.operator} {expression(node.right, air, SUM)}"
        case t.Chain():
            return chain(node, air)
        case t.Signed():
            return node.sign + expression(node.operand, air, UNARY)
        case t.Power():
            blank = "" if air else " "
            return f"{expression(node.base, air, PRIMARY)}{blank}**{blank}{expression(node.exponent, air, UNARY)}"


def chain(node: t.Chain, air: Air) -> str:
    own = level(node)
    close = air >= (Air.SHAPE if own == SUM else Air.ARGUMENT)
    blank, inner = ("", Air.SHAPE) if close else (" ", air)
    first = expression(node.first, inner, own + 1)
    return first + "".join(f"{blank}{sign}{blank}{expression(x, inner, own + 1)}" for sign, x in node.rest)


def extent(node: t.Extent) -> str:
    """`3x3`, and `k x k`, which without blanks would be a name."""
    joint = "x" if all(isinstance(side, t.Number) for side in node.sides) else " x "
    return joint.join(expression(side, Air.SHAPE, SUM) for side in node.sides)


def dimensions(sides: tuple[t.Expr, ...]) -> str:
    return " x ".join(expression(side, Air.SHAPE, SUM) for side in sides)


def quoted(text: t.Text) -> str:
    """The text between the quotes that it does not hold."""
    return f"'{text.value}'" if '"' in text.value else f'"{text.value}"'


def quantity(node: t.Quantity) -> str:
    """`3.4M`, `1.8×10^9`, `300M ± 1%`: its digits and signs as written, its blanks ours."""
    match = QUANTITY.fullmatch(IGNORED.sub("", node.text))
    assert match, node.text
    digits, unit, ten, tolerance = match.groups()
    blank = " " if unit and ten else ""  # `3Kx10^2` would hold the name `Kx10`
    return f"{digits}{unit}{blank}{ten}" + (f" ± {tolerance}%" if tolerance else "")


# ---- lists ----


def arguments(given: Iterable[t.Argument], air: Air = Air.ARGUMENT) -> str:
    return f"({', '.join(argument(one, air) for one in given)})"


def argument(one: t.Argument, air: Air) -> str:
    value = expression(one.value, air)
    return f"{one.name.id} = {value}" if one.name else value


def parameter(one: t.Parameter) -> str:
    return ", ".join(text for text, _ in parameter_pieces(one))


def parameter_pieces(one: t.Parameter) -> list[tuple[str, Span]]:
    """A parameter, parted behind the commas of its choices, where it may be broken."""
    default = f" = {expression(one.default)}" if one.default is not None else ""
    if not one.choices:
        return [(one.name.id + default, one.span)]
    texts, spans = list(map(expression, one.choices)), [choice.span for choice in one.choices]
    texts[0], spans[0] = f"{one.name.id} in {{{texts[0]}", replace(spans[0], start=one.span.start)
    texts[-1], spans[-1] = f"{texts[-1]}}}{default}", replace(spans[-1], end=one.span.end)
    return list(zip(texts, spans, strict=True))


def parameters(declared: Iterable[t.Parameter]) -> str:
    return f"({', '.join(map(parameter, declared))})"


def claim(one: t.Claim) -> str:
    return f"{one.what.id} = {quantity(one.quantity)}"


def initial(one: t.Initial) -> str:
    target = one.target.id if isinstance(one.target, t.Name) else quoted(one.target)
    if one.condition is None or one.otherwise is None:
        return f"{target} = {network(one.distribution)}"
    condition = expression(one.condition, least=ANY)
    return f"{target} = {network(one.distribution)} if {condition} else {network(one.otherwise)}"


def column(one: t.Column) -> str:
    meant = one.meaning.id if isinstance(one.meaning, t.Name) else " or ".join(map(quoted, one.meaning))
    return f"{quoted(one.header)}: {meant}"


def assignment(one: t.Assignment) -> str:
    return f"{one.name.id} = {expression(one.value)}"


# ---- networks ----


def network(net: t.Net) -> str:
    match net:
        case t.Reference():
            return net.name.id + (arguments(net.arguments) if net.arguments is not None else "")
        case t.Tap():
            return f"@{net.name.id}"
        case t.Group():
            return f"({network(net.body)})"
        case t.Fork():
            return f"({' | '.join(map(network, net.branches))})"
        case t.Sequence():
            return " -> ".join(map(network, net.steps))
        case t.Step():
            otherwise = network(net.otherwise) if net.otherwise else ""
            return network(net.atom) + before_else(net) + otherwise + alias(net)


def before_else(step: t.Step) -> str:
    """What stands between a step's atom and the atom after `else`."""
    count = f" * {expression(step.count, least=PRIMARY)}" if step.count is not None else ""
    condition = f" if {expression(step.condition, least=ANY)}" if step.condition is not None else ""
    return count + condition + (" else " if step.otherwise else "")


def alias(step: t.Step) -> str:
    return f" as {step.alias.id}" if step.alias else ""
