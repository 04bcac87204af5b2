"""A spec and values of its parameters -> counts, many times a second.

An elaboration is traced once (`traced`), and the trace answers for every candidate that takes the same way through the
spec; one that does not is elaborated itself, and leaves a trace of its own. So the counts are those of
`Spec.elaborate(…)`, to the last digit, and a candidate is refused where `elaborate` refuses it.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from archspec.diagnostics import SpecError
from archspec.elaborate import parameters
from archspec.elaborate.errors import UnknownArgument
from archspec.elaborate.evaluate import LARGEST, Value, plain
from archspec.elaborate.flatten import flatten
from archspec.elaborate.instantiate import Instantiator
from archspec.elaborate.run import elaborate
from archspec.graph import Graph
from archspec.search.compiled import compiled
from archspec.search.elaboration import TracedInstantiator
from archspec.search.measures import MEASURES
from archspec.search.traced import TooLong, Trace, Traced, bare
from archspec.spec import Spec
from archspec.syntax.depth import deep
from archspec.syntax.errors import LimitReached

IMAGE = ("input", "resolution")
"""Names by which the image's size is given where the network has no such parameter."""
STEPS = 500_000
"""Of all traces that are kept together, the latest used ones."""
PATIENCE, WORTH = 100, 4
"""After so many traces each must have answered for so many candidates, or no more are made: one takes about as long as
five elaborations.
"""
KEPT = 200
"""Elaborations without a trace after which what was kept of them is forgotten."""

Measure = Callable[[Graph], int]
Way = tuple[Callable[..., tuple[int, ...] | None], "Refused | None", int]
"""A trace: its function, whether it ends in a refusal, its length."""


class Refused(Struct, frozen=True):
    """A candidate that is not a network."""

    code: str
    message: str


class LimitMet(Exception):
    """A declared limit was reached."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused)
        self.refused = refused


class Counter:
    """Measures networks of one spec; the candidates differ in the parameters that have `names`."""

    def __init__(
        self, spec: Spec, names: Sequence[str], fixed: Mapping[str, Value], measures: Sequence[Measure]
    ) -> None:
        self.spec, self.names, self.fixed, self.measures = spec, tuple(names), dict(fixed), tuple(measures)
        self.network, self.arguments = spec.choice
        self.own = {parameter.name.id: parameter for parameter in self.network.parameters}
        """the parameters of the network by name"""
        given = parameters.from_values(dict.fromkeys((*self.names, *self.fixed), "…"))
        wrong = [
            UnknownArgument(binding.span, self.network.name.id, name, (*self.own, IMAGE[0]))
            for name, binding in given.items()
            if name not in self.own and name not in IMAGE
        ]
        if wrong:
            raise SpecError(wrong)
        self.image = next((name for name in IMAGE if name in given and name not in self.own), None)
        self.keyed = {name for name in self.names if name in self.own and self.own[name].choices}
        """names whose values decide the way: each has traces of its own"""
        self.ways: OrderedDict[tuple[object, ...], list[Way]] = OrderedDict()
        self.steps = 0
        self.made = self.answered = 0
        """how many traces were made, and how many candidates one answered for"""
        self.traceable = True
        self.settled, self.refused, self.solved = (
            set(spec.make.settled),
            dict(spec.make.refused),
            dict(spec.make.solved),
        )
        self.make, self.used = self.prepared(Instantiator(spec.limits)), 0
        self.types = self.default_types()

    def prepared(self, make: Instantiator) -> Instantiator:
        """What makes plans, knowing what holds at the defaults."""
        make.settled, make.refused, make.solved, make.advise = self.settled, self.refused, self.solved, False
        return make

    def default_types(self) -> dict[str, type]:
        """The types that parameters have by their defaults."""
        missing = parameters.required(self.network) - set(self.arguments)
        if missing:
            return {}
        bound = parameters.bound(self.spec.module, self.network, self.arguments, self.make.budget)
        return {name: type(binding.value) for name, binding in bound.items()}

    def suited(self, name: str, value: Value) -> Value:
        """A value in the type of its parameter, as elaboration will take it."""
        wanted = self.types.get(name)
        if type(value) is int and wanted is float:
            return float(value)
        return plain(value) if type(value) is float and wanted is int else value

    def __call__(self, values: Sequence[Value]) -> tuple[int, ...] | Refused:
        """What is measured of the network with these values, in the order of `names`."""
        key, given, _ = self.parted(values)
        ways = self.ways.get(key, [])
        for place, (function, refused, _) in enumerate(ways):
            try:
                found = function(*given)
            except (ArithmeticError, ValueError):
                continue
            if found is not None:
                self.answered += 1
                self.ways.move_to_end(key)
                if place:
                    ways.insert(0, ways.pop(place))
                return refused or found
        return self.new(values)

    def parted(self, values: Sequence[Value]) -> tuple[tuple[object, ...], list[Any], list[str]]:
        """What chooses among traces: types, and the values of keyed names; and the numbers given to one, with names."""
        key: list[object] = []
        given: list[Value] = []
        names: list[str] = []
        for name, value in zip(self.names, values, strict=True):
            key.append(type(value))
            if name in self.keyed or type(value) not in {int, float}:
                key.append(value)
            else:
                given.append(value)
                names.append(name)
        return tuple(key), given, names

    def new(self, values: Sequence[Value]) -> tuple[int, ...] | Refused:
        """Measure a candidate that no trace is for, and leave one."""
        key, given, names = self.parted(values)
        if not given or not self.traceable:
            return self.untraced(values)
        self.made += 1
        if self.made > PATIENCE and self.answered < WORTH * self.made:
            self.traceable = False
            self.ways.clear()
            return self.untraced(values)
        trace = Trace()
        traced = {name: trace.input(value) for name, value in zip(names, given, strict=True)}
        try:
            found = self.measured(values, traced, self.prepared(TracedInstantiator(self.spec.limits)))
        except TooLong:
            self.traceable = False
            return self.untraced(values)
        except LimitMet:
            # a trace computes twice what may be computed once, so that it may meet a limit before its time
            return self.untraced(values)
        refused = found if isinstance(found, Refused) else None
        outputs = () if isinstance(found, Refused) else found
        function = compiled(trace, outputs)
        pinned = {name for name, number in traced.items() if number.index in trace.pinned}
        if pinned:
            # a kernel, a number of repeats: no trace is for two of its values
            self.keyed |= pinned
            self.ways.clear()
            self.steps = 0
        else:
            self.keep(key, (function, refused, len(trace.steps)))
        return refused or tuple(map(bare, outputs))

    def keep(self, key: tuple[object, ...], way: Way) -> None:
        """Remember a trace, and forget those that were not used for longest where they get too many."""
        self.ways.setdefault(key, []).insert(0, way)
        self.ways.move_to_end(key)
        self.steps += way[2]
        while self.steps > STEPS:
            oldest = next(iter(self.ways))
            self.steps -= self.ways[oldest].pop()[2]
            if not self.ways[oldest]:
                del self.ways[oldest]

    def untraced(self, values: Sequence[Value]) -> tuple[int, ...] | Refused:
        """Measure a candidate by itself."""
        self.used += 1
        if self.used > KEPT:
            self.make, self.used = self.prepared(Instantiator(self.spec.limits)), 0
        try:
            return self.measured(values, {}, self.make)
        except LimitMet as met:
            return met.refused

    def arguments_of(self, values: Sequence[Value]) -> tuple[Any, dict[str, Value]]:
        """What `Spec.elaborate` takes for a candidate: the image's size, if it is given, and the parameters."""
        given = {**self.fixed, **dict(zip(self.names, values, strict=True))}
        if self.image is None:
            return None, given
        image = given.pop(self.image)
        return image if isinstance(image, tuple) else (image,), given

    def elaborated(self, values: Sequence[Value]) -> Graph:
        """The Graph of a candidate; raises `SpecError` where it is refused."""
        image, given = self.arguments_of(values)
        return self.spec.elaborate(image, **given)

    def measured(
        self, values: Sequence[Value], traced: Mapping[str, Traced], make: Instantiator
    ) -> tuple[int, ...] | Refused:
        """Elaborate a candidate, some of its numbers traced, and measure it; raises `LimitMet`."""
        image, given = self.arguments_of(values)
        if self.image is not None and self.image in traced:
            image = (traced[self.image],)
        try:
            for number in traced.values():
                number.trace.decide("<=", abs(number), LARGEST)  # as `from_values` asks of the bare ones
            bindings = {**self.arguments, **parameters.from_values(given)}
            for name in given.keys() & traced.keys():
                bindings[name] = replace(bindings[name], value=cast(Value, traced[name]))
            with deep(self.spec.limits, self.spec.source):
                sides = parameters.checked_image(image)
                plan, _ = elaborate(self.spec.module, self.network, make, bindings, sides)
                graph = flatten(plan, self.spec.name)
                return tuple(measure(graph) for measure in self.measures)
        except SpecError as error:
            first = error.diagnostics[0]
            refused = Refused(first.code, str(first.message))
            if any(isinstance(diagnostic, LimitReached) for diagnostic in error.diagnostics):
                raise LimitMet(refused) from None
            return refused


def count(spec: Spec, image: tuple[int, ...] | int | None, values: Mapping[str, Value]) -> dict[str, int]:
    """What `MEASURES` measure of one network; raises `SpecError`. The spec remembers how it was counted."""
    given = {name: parameters.number(value) for name, value in values.items()}
    if image is not None:
        sides = tuple(image) if isinstance(image, Sequence) else (parameters.number(image),)
        given[IMAGE[0]] = sides[0] if len(sides) == 1 else sides
    counter = spec.counters.get(tuple(given))
    if counter is None:
        measures = [measure.of for measure in MEASURES.values()]
        counter = spec.counters[tuple(given)] = Counter(spec, tuple(given), {}, measures)
    suited = [counter.suited(name, value) for name, value in given.items()]
    found = counter(suited)
    if isinstance(found, Refused):
        counter.elaborated(suited)
        raise AssertionError("what is refused here is refused by elaborate")
    return dict(zip(MEASURES, found, strict=True))
