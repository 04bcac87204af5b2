"""A call's arguments against what is called: an operator, a function, a block or a `def`."""

from collections.abc import Iterator

from pydantic import BaseModel

from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate.errors import MissingArgument, UnknownArgument
from archspec.elaborate.evaluate import places
from archspec.elaborate.functions import FUNCTIONS
from archspec.elaborate.modules import IDENTITY, Module
from archspec.ops import OPERATORS, Op
from archspec.syntax import tree as t

SET_BY_ELABORATION = frozenset({"kind", "index"})


def attributes(op: type[BaseModel]) -> tuple[str, ...]:
    """What a spec may give an operator, by name."""
    return tuple(name for name in op.model_fields if name not in SET_BY_ELABORATION)


def signature(op: type[Op]) -> str:
    """`kernel, channels, stride = 1`."""
    names = [*op.positional, *(name for name in attributes(op) if name not in op.positional)]
    return ", ".join(
        name if (field := op.model_fields[name]).is_required() else f"{name} = {default_text(field.default)}"
        for name in names
    )


def default_text(value: object) -> str:
    """A default as the language writes it; a pooling's stride is its kernel."""
    if value is None:
        return "kernel"
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_step(name: t.Name, module: Module, arguments: tuple[t.Argument, ...]) -> Iterator[Diagnostic]:
    """The mistakes in a step that names an operator or a block; raises `SpecError` for another name."""
    if name.id == IDENTITY:
        places(name, (), (), arguments)
    elif name.id in OPERATORS:
        yield from check_operator(name, OPERATORS[name.id], arguments)
    else:
        yield from check_call_of(name, module.block(name)[1].parameters, arguments)


def check_word(name: t.Name, module: Module, arguments: tuple[t.Argument, ...]) -> None:
    """The arguments of what a parameter names, which nobody could check before; raises `SpecError`."""
    found = list(check_step(name, module, () if name.id == IDENTITY else arguments))
    if found:
        raise SpecError(found)


def check_operator(name: t.Name, op: type[Op], arguments: tuple[t.Argument, ...]) -> Iterator[Diagnostic]:
    given = places(name, op.positional, attributes(op), arguments)
    fields = op.model_fields.items()
    missing = tuple(key for key, field in fields if field.is_required() and key not in given)
    if missing:
        yield MissingArgument(name.span, name.id, missing)


def check_call(node: t.Call, module: Module) -> Iterator[Diagnostic]:
    name = node.function
    if name.id not in FUNCTIONS:
        _, definition = module.definition(name)
        yield from check_call_of(name, definition.parameters, node.arguments)
        return
    _, fewest, most = FUNCTIONS[name.id]
    for argument in node.arguments:
        if argument.name is not None:
            yield UnknownArgument(argument.name.span, name.id, argument.name.id, ())
    if len(node.arguments) < fewest:
        yield MissingArgument(
            name.span, name.id, tuple(f"argument {i + 1}" for i in range(len(node.arguments), fewest))
        )
    if len(node.arguments) > most:
        yield UnknownArgument(node.arguments[most].span, name.id, "", tuple(f"argument {i + 1}" for i in range(most)))


def check_call_of(
    name: t.Name, parameters: tuple[t.Parameter, ...], arguments: tuple[t.Argument, ...]
) -> Iterator[Diagnostic]:
    names = tuple(parameter.name.id for parameter in parameters)
    given = places(name, names, names, arguments)
    missing = tuple(p.name.id for p in parameters if p.default is None and p.name.id not in given)
    if missing:
        yield MissingArgument(name.span, name.id, missing)
