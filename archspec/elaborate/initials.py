"""`init` clauses -> what weights begin with, by kind of operator and by path."""

from collections.abc import Sequence

from archspec.diagnostics import SpecError
from archspec.elaborate.errors import Clause, RepeatedArgument, UnknownName, UnknownOperator
from archspec.elaborate.evaluate import Environment, truth
from archspec.elaborate.models import Models
from archspec.elaborate.paths import PathPattern
from archspec.initializer import DEFAULT_INIT, INITIALIZERS, AnyInitializer
from archspec.ops import OPERATORS
from archspec.source import Span
from archspec.syntax import tree as t


class Initials:
    """The clauses of one network, elaborated with one set of parameters."""

    def __init__(self, clauses: Sequence[t.Init], models: Models, env: Environment) -> None:
        self.all = [initial for clause in clauses for initial in clause.initials]
        self.models = models
        self.env = env

    def of_kinds(self) -> dict[str, AnyInitializer]:
        """What weights begin with, by kind of operator; raises `SpecError`."""
        found: dict[str, AnyInitializer] = {}
        places: dict[str, Span] = {}
        for initial in self.all:
            target = initial.target
            if isinstance(target, t.Name):
                if target.id not in {*DEFAULT_INIT, *OPERATORS}:
                    raise SpecError([UnknownOperator(target.span, target.id, tuple(DEFAULT_INIT))])
                if target.id not in DEFAULT_INIT:
                    advice = "it takes " + ", ".join(f"`{kind}`" for kind in DEFAULT_INIT) + ", and paths in quotes"
                    raise SpecError([Clause(target.span, f"`init` does not take `{target.id}`", advice)])
                if target.id in places:
                    raise SpecError([RepeatedArgument(target.span, target.id, places[target.id])])
                places[target.id] = target.span
                found[target.id] = self.initializer(initial)
        return DEFAULT_INIT | found

    def of_paths(self) -> tuple[tuple[PathPattern, AnyInitializer], ...]:
        """What the weights at some paths begin with, the closest patterns last; raises `SpecError`."""
        found = [
            (PathPattern(initial.target.span, initial.target.value), self.initializer(initial))
            for initial in self.all
            if isinstance(initial.target, t.Text)
        ]
        return tuple(sorted(found, key=lambda pair: pair[0].letters))

    def initializer(self, initial: t.Initial) -> AnyInitializer:
        chosen = initial.condition is None or truth(initial.condition, self.env)
        reference = initial.distribution if chosen or initial.otherwise is None else initial.otherwise
        if reference.name.id not in INITIALIZERS:
            raise SpecError([UnknownName(reference.name.span, reference.name.id, tuple(INITIALIZERS))])
        cls = INITIALIZERS[reference.name.id]
        return self.models.make(cls, cls.positional, reference.name, reference.arguments or (), self.env)
