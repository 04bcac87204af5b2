"""The sizes that an exported program writes as text -> numbers. The text is parsed and never evaluated as code.

torch writes `Add(Mul(Integer(2), Symbol('s0', positive=True, integer=True)), Integer(1))` for a size, `2*s0 + 1` as the
key of a range, and `L['x'].size()[2] <= 64` for what must hold of an image.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from math import prod

LONGEST = 2_000
"""Characters of an expression that is read."""
LARGEST = 2**62
"""No size is beyond this."""

Number = int | bool
DIVIDE: Mapping[type, Callable[[int, int], int]] = {ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod}
COMPUTE: Mapping[type, Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, **DIVIDE,
}  # fmt: skip
COMPARE: Mapping[type, Callable[[int, int], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
FUNCTIONS: Mapping[str, Callable[[list[int]], int]] = {
    "Add": sum,
    "Mul": prod,
    "Max": max,
    "max": max,
    "Min": min,
    "min": min,
    "FloorDiv": lambda given: reduce(operator.floordiv, given),
    "CleanDiv": lambda given: reduce(operator.floordiv, given),
    "CeilDiv": lambda given: -(-given[0] // given[1]),
    "Mod": lambda given: reduce(operator.mod, given),
    "PythonMod": lambda given: reduce(operator.mod, given),
}


class Unknown(Exception):
    """An expression is not one that is read, or names a size that is not known."""


def number(text: str, symbols: Mapping[str, int], image: Sequence[int] = ()) -> Number:
    """What an expression is for these symbols and this image, N×c×h×w; raises `Unknown`."""
    tree = parsed(text)
    try:
        return value(tree, symbols, image)
    except (ArithmeticError, IndexError, RecursionError):
        raise Unknown(text) from None


def symbols_in(text: str) -> set[str]:
    """The symbols that an expression names; raises `Unknown`."""
    nodes = list(ast.walk(parsed(text)))
    calls = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    found = {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in calls}
    return found | {symbol for node in nodes if isinstance(node, ast.Call) and (symbol := named(node)) is not None}


def parsed(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise Unknown(text[:LONGEST])
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unknown(text) from None


def named(call: ast.Call) -> str | None:
    """The symbol that `Symbol('s0', …)` names."""
    match call:
        case ast.Call(func=ast.Name(id="Symbol"), args=[ast.Constant(value=str(name))]):
            return name
    return None


def value(node: ast.expr, symbols: Mapping[str, int], image: Sequence[int]) -> Number:
    """What a part of an expression is; raises `Unknown`, or an error of arithmetic."""

    def of(part: ast.expr) -> Number:
        return value(part, symbols, image)

    match node:
        case ast.Constant(value=int(found)):
            return within(found)
        case ast.Name(id=name) if name in symbols:
            return symbols[name]
        case ast.UnaryOp(op=ast.USub(), operand=part):
            return -of(part)
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return not of(part)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in COMPUTE:
            return within(COMPUTE[type(sign)](of(left), of(right)))
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(map(of, parts))
        case ast.BoolOp(op=ast.Or(), values=parts):
            return any(map(of, parts))
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in COMPARE:
            return COMPARE[type(sign)](of(left), of(right))
        case ast.Subscript(value=ast.Call(func=ast.Attribute(attr="size"), args=[]), slice=ast.Constant(value=int(at))):
            return image[at]
        case ast.Call(func=ast.Name(id="Integer"), args=[part]):
            return of(part)
        case ast.Call(func=ast.Name(id="Symbol")) if (symbol := named(node)) is not None and symbol in symbols:
            return symbols[symbol]
        case ast.Call(func=ast.Name(id=name), args=[_, _, *_] as parts, keywords=[]) if name in FUNCTIONS:
            return within(FUNCTIONS[name](list(map(of, parts))))
    raise Unknown(ast.unparse(node))


def within(found: int) -> int:
    if abs(found) > LARGEST:
        raise Unknown(str(found.bit_length()))
    return found
