"""Arguments -> operators and distributions: pydantic checks them, a mistake points at the argument or its cell."""

from collections.abc import Mapping
from copy import copy
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate.calls import attributes
from archspec.elaborate.errors import BadArgument, MissingArgument
from archspec.elaborate.evaluate import Environment, Value, blame, describe, evaluate, places, plain
from archspec.ops import allowed
from archspec.syntax import tree as t

M = TypeVar("M", bound=BaseModel)


class Given:
    """An argument, its value, and the names that it may use."""

    __slots__ = ("argument", "env", "value")

    def __init__(self, argument: t.Argument, env: Environment) -> None:
        self.argument, self.env = argument.value, env
        self.value = attribute(evaluate(argument.value, env))

    def holding(self, value: Value) -> "Given":
        """The same argument with another value."""
        other = copy(self)
        other.value = value
        return other


Defaults = Mapping[type[BaseModel], Mapping[str, Given]]
"""What operators are given where the text says nothing: a network's `default` clauses."""


class Models:
    """Makes operators and distributions, each of the same arguments once."""

    def __init__(self) -> None:
        self.made: dict[object, BaseModel] = {}
        self.defaults: Defaults = {}
        self.key: tuple[object, ...] = ()
        """what makes these defaults others"""

    def settle(self, defaults: Defaults) -> None:
        """Take these defaults from now on."""
        self.defaults = defaults
        self.key = tuple((cls, k, type(g.value), g.value) for cls, every in defaults.items() for k, g in every.items())

    def make(
        self,
        cls: type[M],
        positional: tuple[str, ...],
        name: t.Name,
        arguments: tuple[t.Argument, ...],
        env: Environment,
    ) -> M:
        """The one of these arguments, and for the others the network's defaults.

        Raises `SpecError` for a value that it does not allow.
        """
        placed = dict(self.defaults.get(cls, {}))
        for key, argument in places(name, positional, attributes(cls), arguments).items():
            placed[key] = Given(argument, env)
        same = (cls, *((key, type(one.value), one.value) for key, one in placed.items()))
        found = self.made.get(same)
        if found is None:
            found = self.made[same] = self.validated(cls, name, placed)
        return found  # type: ignore[return-value]

    def validated(self, cls: type[M], name: t.Name, placed: Mapping[str, Given]) -> M:
        """A new one; raises `SpecError`."""
        return validated(cls, name, placed)


def validated(cls: type[M], name: t.Name, placed: Mapping[str, Given]) -> M:
    try:
        return cls(**{key: one.value for key, one in placed.items()})
    except ValidationError as error:
        wrong = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors())
    missing = tuple(key for key in wrong if key not in placed)
    if missing:
        raise SpecError([MissingArgument(name.span, name.id, missing)])
    diagnostics: list[Diagnostic] = []
    for key in wrong:
        one, field = placed[key], cls.model_fields[key]
        expected = f"it is {allowed(field.annotation, field.metadata)}"
        at = blame(one.argument, one.env)
        text = one.value if isinstance(one.value, str) else None
        diagnostics.append(BadArgument(at, name.id, key, describe(one.value), expected, one.argument.span, text))
    raise SpecError(diagnostics)


def attribute(value: Value) -> Value:
    """A value as an operator wants it: whole floats as ints, words as texts."""
    if isinstance(value, tuple):
        return tuple(plain(side) for side in value)
    if isinstance(value, float):
        return plain(value)
    return str(value) if isinstance(value, str) else value
