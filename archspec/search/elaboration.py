"""Elaboration with traced numbers: the elaborator as it is, except where it would ask for bare numbers without need."""

from collections.abc import Mapping
from typing import Any, TypeVar

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AllowInfNan, BaseModel, Strict

from archspec.elaborate.evaluate import Budget, Value
from archspec.elaborate.instantiate import Instantiator
from archspec.elaborate.models import Given, Models
from archspec.limits import Limits
from archspec.ops.base import Says
from archspec.search.traced import Traced, is_traced, pinned
from archspec.syntax import tree as t

M = TypeVar("M", bound=BaseModel)
BOUNDS = ((Gt, "gt", ">"), (Ge, "ge", ">="), (Lt, "lt", "<"), (Le, "le", "<="))
HOLDS = (Strict, AllowInfNan, Says)
"""What else may be said of a number's field: all that are computed within the language's range hold it."""


class ByStructure(dict[Any, Any]):
    """A memory whose keys have traced numbers in them: the same number is one that was computed in the same way.

    Two that only happen to be equal are told apart, which costs a second computation and pins neither.
    """

    def __getitem__(self, key: object) -> Any:
        return super().__getitem__(structure(key))

    def __setitem__(self, key: object, value: Any) -> None:
        super().__setitem__(structure(key), value)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(structure(key))

    def get(self, key: object, default: Any = None) -> Any:
        return super().get(structure(key), default)


def structure(key: object) -> object:
    if type(key) is tuple:
        return tuple(map(structure, key))
    return (Traced, key.index) if type(key) is Traced else key


class TracedBudget(Budget):
    """Calls functions on traced numbers as one operation each."""

    def built_in(self, name: str, numbers: list[int | float]) -> int | float:
        for number in numbers:
            if is_traced(number):
                found: int | float = number.trace.apply(f"call {name}", *numbers)
                return found
        return super().built_in(name, numbers)


class TracedModels(Models):
    """Makes operators whose numbers are traced: pydantic checks the bare ones, guards say what it checked."""

    def __init__(self) -> None:
        super().__init__()
        self.made = ByStructure()

    def validated(self, cls: type[M], name: t.Name, placed: Mapping[str, Given]) -> M:
        traced: dict[str, Traced] = {}
        plain: dict[str, Given] = {}
        for key, given in placed.items():
            if is_traced(given.value) and guarded(cls, key, given.value):
                traced[key] = given.value
                plain[key] = given.holding(given.value.value)
            else:
                plain[key] = given.holding(pinned(given.value))
        made = super().validated(cls, name, plain)
        return made.model_copy(update=traced) if traced else made


def guarded(cls: type[BaseModel], key: str, value: Traced) -> bool:
    """Whether guards say all that the type of a field says of its number; they are written down."""
    field = cls.model_fields[key]
    if field.annotation is not type(value.value):
        return False
    bounds = [
        (sign, getattr(said, attribute))
        for said in field.metadata
        for kind, attribute, sign in BOUNDS
        if isinstance(said, kind)
    ]
    if len(bounds) + sum(isinstance(said, HOLDS) for said in field.metadata) < len(field.metadata):
        return False
    for sign, bound in bounds:
        if not value.trace.decide(sign, value, bound):
            break
    return True


class TracedInstantiator(Instantiator):
    """Makes plans whose shapes and counts are traced."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.budget = TracedBudget(limits.nodes, results=ByStructure())
        self.blocks = ByStructure()
        self.audited = ByStructure()
        self.models = TracedModels()
        self.advise = False

    def call_text(self, name: str, values: tuple[Value, ...]) -> str:
        return name
