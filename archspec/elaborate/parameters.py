"""A network's parameters: typed by their defaults, or by their choices."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from archspec.diagnostics import Diagnostic, SpecError, nearest
from archspec.elaborate.errors import BadParameter, MissingArgument, UnknownArgument
from archspec.elaborate.evaluate import (
    LARGEST,
    Binding,
    Budget,
    Environment,
    Value,
    blame,
    describe,
    evaluate,
    places,
    plain,
    same,
)
from archspec.elaborate.layout import reading_of
from archspec.elaborate.modules import Module
from archspec.elaborate.variables import cell_value
from archspec.limits import Limits
from archspec.source import Source, Span
from archspec.syntax import tree as t
from archspec.syntax.errors import LimitReached
from archspec.tables import patterns
from archspec.tensor import Shape, channels_first, channels_last, shape_text

GIVEN = "<parameters>"
"""The source of what a program or the command line gives."""
NUMERAL = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")
"""A number: one that is out of range is not a text."""


def given(
    what: t.Name, parameters: tuple[t.Parameter, ...], arguments: tuple[t.Argument, ...], env: Environment
) -> dict[str, Binding]:
    """The arguments of a variant or a check, by parameter; raises `SpecError`."""
    names = tuple(parameter.name.id for parameter in parameters)
    placed = places(what, names, names, arguments)
    return {name: Binding(evaluate(a.value, env), blame(a.value, env)) for name, a in placed.items()}


def of_variant(module: Module, variant: t.Variant, budget: Budget) -> tuple[t.Network, dict[str, Binding]] | None:
    """The network of a variant, and the arguments that it gives it; None where the file has no such network.

    Raises `SpecError`.
    """
    name, network = variant.network.name, module.own.get(variant.network.name.id)
    if not isinstance(network, t.Network):
        return None
    return network, given(name, network.parameters, variant.network.arguments or (), Environment(module, {}, budget))


def members(module: Module, budget: Budget) -> Iterator[tuple[t.Network, dict[str, Binding]]]:
    """The networks of a file that need no parameter, and its variants' networks with theirs; raises `SpecError`."""
    for named in module.own.values():
        if isinstance(named, t.Network) and not required(named):
            yield named, {}
        elif isinstance(named, t.Variant) and (found := of_variant(module, named, budget)) is not None:
            yield found


def checked_image(image: Shape | int | None) -> Shape | None:
    """The sides of an input that a program or the command line gives; raises `SpecError` where they are none."""
    if image is None:
        return None
    if not isinstance(image, Sequence):
        image = (number(image),)
    if not 1 <= len(image) <= 3 or any(isinstance(s, bool) or not isinstance(s, int) or s < 1 for s in image):
        text = "x".join(map(str, image))[:40] or "nothing"
        advice = "it is height x width, or height x width x channels"
        raise SpecError([BadParameter(given_image(image).span, "input", text, advice)])
    return tuple(image)


def given_image(image: Shape) -> Binding:
    """An input that a program or the command line gives, as a parameter would be."""
    text = f"input={'x'.join(map(str, image))[:40]}"
    return Binding(image, Span(Source(GIVEN, text), 0, len(text)))


def limited(image: Shape, limits: Limits) -> None:
    """Raise `SpecError` for an input that a program or the command line gives where a side of it is beyond a limit."""
    if max(image) > limits.size:
        found = shape_text(image)
        raise SpecError([LimitReached(given_image(image).span, "too large", found, limits.size, "--max-size")])


def refuse_channels_first(image: Shape, printed: Shape) -> None:
    """Raise `SpecError` for an input that is given with its channels first, unless the text states it so."""
    if channels_first(image) and not channels_first(printed):
        text, last = "x".join(map(str, image)), "x".join(map(str, channels_last(image)))
        advice = f"it is height x width x channels, as in `{last}`"
        raise SpecError([BadParameter(given_image(image).span, "input", text, advice)])


def number(value: Any) -> Any:
    """A number of another library, such as numpy, as one of Python's; anything else as it is."""
    if type(value) in {bool, int, float} or isinstance(value, (str, tuple)):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def from_values(values: Mapping[str, Value]) -> dict[str, Binding]:
    """Arguments that a program or the command line gives; their span is the text that they would have."""
    bindings: dict[str, Binding] = {}
    wrong: list[Diagnostic] = []
    for name, value in ((name, number(value)) for name, value in values.items()):
        large = isinstance(value, int) and abs(value) > LARGEST
        text = f"{name}={'…' if large else value}"
        span = Span(Source(GIVEN, text), 0, len(text))
        bindings[name] = Binding(value, span)
        if large or (isinstance(value, float) and not abs(value) <= LARGEST):
            wrong.append(BadParameter(span, name, "a number out of range", "numbers reach up to 2^63"))
        elif not isinstance(value, (bool, int, float, str, tuple, type(None))):
            wrong.append(BadParameter(span, name, f"of type {type(value).__name__}", "it is a number, text or truth"))
        elif isinstance(value, tuple) and not all(type(side) in {int, float} for side in value):
            wrong.append(BadParameter(span, name, "a tuple of other things than numbers", "it is numbers, as in 1x7"))
    if wrong:
        raise SpecError(wrong)
    return bindings


def value_of(text: str) -> Value:
    """A value as the command line gives it: a number, true, false, none, an extent, or else a text."""
    module = Module(t.SpecFile(Source(GIVEN, text), ()))
    value = cell_value(Span(module.file.source, 0, len(text)), text, Environment(module, {}, Budget(0)))
    return float(text) if isinstance(value, str) and NUMERAL.fullmatch(text) else value


def bound(module: Module, network: t.Network, arguments: Mapping[str, Binding], budget: Budget) -> dict[str, Binding]:
    """Every parameter's value: the one given, or the default; raises `SpecError` where one does not suit."""
    names = tuple(parameter.name.id for parameter in network.parameters)
    unknown = [
        UnknownArgument(binding.span, network.name.id, name, names)
        for name, binding in arguments.items()
        if name not in names
    ]
    if unknown:
        raise SpecError(unknown)
    bindings: dict[str, Binding] = {}
    for parameter in network.parameters:
        env = Environment(module, bindings, budget)
        default = default_of(parameter, env)
        argument = arguments.get(parameter.name.id)
        if argument is None and default is None:
            raise SpecError([MissingArgument(parameter.name.span, network.name.id, (parameter.name.id,))])
        bindings[parameter.name.id] = suited(parameter, argument, default, env) if argument else default  # type: ignore[assignment]
    return bindings


def default_of(parameter: t.Parameter, env: Environment) -> Binding | None:
    """The default; of a choice without one, the first."""
    expr = parameter.default or (parameter.choices[0] if parameter.choices else None)
    if expr is None:
        return None
    binding = Binding(evaluate(expr, env), parameter.span)
    return suited(parameter, binding, None, env) if parameter.choices else binding


def suited(parameter: t.Parameter, argument: Binding, default: Binding | None, env: Environment) -> Binding:
    """The argument in the type of its parameter; raises `SpecError`."""
    name, value = parameter.name.id, argument.value
    if parameter.choices:
        choices = [evaluate(choice, env) for choice in parameter.choices]
        for choice in choices:
            if same(choice, value):
                return Binding(choice, argument.span)
        texts = [f'"{choice}"' if isinstance(choice, str) else describe(choice) for choice in choices]
        near = nearest(str(value), [choice for choice in choices if isinstance(choice, str)])
        expected = f"it is one of {', '.join(texts)}" + (f"; did you mean `{near}`?" if near else "")
        raise SpecError([BadParameter(argument.span, name, describe(value), expected)])
    wanted = default.value if default else None
    cast = converted(value, wanted)
    if cast is None and wanted is not None:
        expected = f"it is {type_text(wanted)}, as its default {describe(wanted)} is"
        raise SpecError([BadParameter(argument.span, name, describe(value), expected)])
    return Binding(value if wanted is None else cast, argument.span)


def converted(value: Value, wanted: Value) -> Value:
    """The value in the type of the default; None where it has another."""
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value if isinstance(wanted, bool) and isinstance(value, bool) else None
    if isinstance(wanted, int) and isinstance(value, (int, float)):
        number = plain(value)
        return number if isinstance(number, int) else None
    if isinstance(wanted, float) and isinstance(value, (int, float)):
        return value if isinstance(value, float) else float(value)
    return value if type(wanted) is type(value) or (isinstance(wanted, str) and isinstance(value, str)) else None


def type_text(value: Value) -> str:
    match value:
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case tuple():
            return "numbers joined by `x`"
        case _:
            return "a text"


def required(network: t.Network) -> set[str]:
    """The parameters without a default."""
    return {p.name.id for p in network.parameters if p.default is None and not p.choices}


def picks_column(module: Module, network: t.Network) -> set[str]:
    """Parameters that only choose which column of a table is read; no claim depends on their default."""
    found = set(holes_of(network.clauses))
    for clause in network.clauses:
        if isinstance(clause, t.ReadAs):
            _, reading = reading_of(clause, module)
            names = tuple(parameter.name.id for parameter in reading.parameters)
            given = places(clause.reading.name, names, names, clause.reading.arguments or ())
            chosen = [given[name].value for name in holes_of(reading.clauses) if name in given]
            found |= {value.id for value in chosen if isinstance(value, t.Name)}
    return found


def holes_of(clauses: Iterable[t.Clause]) -> Iterator[str]:
    """The holes of the headers that clauses give roles to."""
    for clause in clauses:
        if isinstance(clause, t.Columns):
            for column in clause.columns:
                yield from patterns.holes(column.header.value)


def other_values(module: Module, network: t.Network, budget: Budget) -> Iterator[dict[str, Value]]:
    """Parameters with which a network may have other nodes: those of its checks, other choices, flags turned round."""
    if required(network):
        return
    bindings = bound(module, network, {}, budget)
    env = Environment(module, bindings, budget)
    for check in (clause for clause in network.clauses if isinstance(clause, t.Check) and clause.arguments):
        placed = given(network.name, network.parameters, check.arguments, env)
        yield {name: binding.value for name, binding in placed.items()}
    for parameter in network.parameters:
        default = bindings[parameter.name.id].value
        others = [evaluate(choice, env) for choice in parameter.choices]
        others += [not default] if isinstance(default, bool) and not others else []
        yield from ({parameter.name.id: value} for value in others if not same(value, default))
