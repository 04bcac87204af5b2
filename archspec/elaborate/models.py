"""Arguments -> operators and distributions: pydantic checks them, a mistake points at the argument or its cell."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate.errors import BadArgument, MissingArgument
from archspec.elaborate.evaluate import Environment, Value, blame, describe, evaluate, places, plain
from archspec.elaborate.resolve import attributes
from archspec.ops import allowed
from archspec.syntax import tree as t

M = TypeVar("M", bound=BaseModel)


class Models:
    """Makes operators and distributions, each of the same arguments once."""

    def __init__(self) -> None:
        self.made: dict[object, BaseModel] = {}

    def make(
        self,
        cls: type[M],
        positional: tuple[str, ...],
        name: t.Name,
        arguments: tuple[t.Argument, ...],
        env: Environment,
    ) -> M:
        """The one of these arguments; raises `SpecError` for a value that it does not allow."""
        placed = places(name, positional, attributes(cls), arguments)
        values = {key: attribute(evaluate(argument.value, env)) for key, argument in placed.items()}
        key = (cls, tuple((k, type(v), v) for k, v in values.items()))
        found = self.made.get(key)
        if found is None:
            found = self.made[key] = validated(cls, name, values, placed, env)
        return found  # type: ignore[return-value]


def validated(
    cls: type[M], name: t.Name, values: dict[str, Value], placed: dict[str, t.Argument], env: Environment
) -> M:
    try:
        return cls(**values)
    except ValidationError as error:
        wrong = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors())
    missing = tuple(key for key in wrong if key not in placed)
    if missing:
        raise SpecError([MissingArgument(name.span, name.id, missing)])
    diagnostics: list[Diagnostic] = []
    for key in wrong:
        argument, field = placed[key].value, cls.model_fields[key]
        expected = f"it is {allowed(field.annotation, field.metadata)}"
        diagnostics.append(
            BadArgument(blame(argument, env), name.id, key, describe(values[key]), expected, argument.span)
        )
    raise SpecError(diagnostics)


def attribute(value: Value) -> Value:
    """A value as an operator wants it: whole floats as ints, words as texts."""
    if isinstance(value, tuple):
        return tuple(plain(side) for side in value)
    if isinstance(value, float):
        return plain(value)
    return str(value) if isinstance(value, str) else value
