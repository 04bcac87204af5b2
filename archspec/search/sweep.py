"""The candidates of a sweep -> those that are kept, in their order, wherever they are counted.

Candidates are numbered and counted in chunks of consecutive ones. Chunks come back in their order, so that a sweep
gives the same rows on one core, on several, and on a cluster. Only what is kept of some chunks is in memory at a time.
"""

import pickle
from collections import Counter as Tally
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import islice
from typing import NamedTuple
from warnings import warn

from msgspec import Struct

from archspec.diagnostics import SpecError, did_you_mean
from archspec.elaborate.evaluate import Value
from archspec.limits import Limits
from archspec.optional import needing
from archspec.printable import printable
from archspec.search.counting import Counter, Refused
from archspec.search.measures import ALWAYS, MEASURES, amount
from archspec.search.space import Space, WrongRange, axis_of, space
from archspec.spec import Spec
from archspec.syntax.depth import allow, deep

CHUNK = 4000
"""Candidates of a chunk: some tenths of a second."""
WAVE = 64
"""Chunks that are asked for together where the workers' library gives nothing back before all are done."""
COUNTERS = 4
"""Sweeps that a process remembers."""


class Row(NamedTuple):
    """A candidate that is kept."""

    number: int
    """its place among all candidates"""
    values: tuple[Value, ...]
    measures: tuple[int, ...]


@dataclass
class Tallied:
    """What became of candidates."""

    done: int = 0
    seconds: float = 0.0
    kept: int = 0
    refused: Tally[str] = field(default_factory=Tally)
    """by the code of what is wrong with them"""
    first: dict[str, int] = field(default_factory=dict)
    """of each code, the number of the first candidate"""

    def add(self, other: "Tallied") -> None:
        self.done += other.done
        self.kept += other.kept
        self.refused.update(other.refused)
        for code, number in other.first.items():
            self.first.setdefault(code, number)


class Sweep(Struct, frozen=True, dict=True):
    """What is counted, and what is kept of it."""

    specs: tuple[Spec, ...]
    space: Space
    fixed: Mapping[str, Value]
    measures: tuple[str, ...]
    """names of `MEASURES`"""
    least: Mapping[str, int]
    """of a measure, how much a network that is kept has at least"""
    most: Mapping[str, int]

    @property
    def size(self) -> int:
        return self.space.size * len(self.specs)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of a row's values and measures."""
        names = tuple(axis.name for axis in self.space.axes)
        return (*(("network",) if len(self.specs) > 1 else ()), *names, *self.measures)

    def line(self, row: Row) -> tuple[Value, ...]:
        """A row in the order of the columns."""
        name = (self.specs[row.number // self.space.size].name,) if len(self.specs) > 1 else ()
        return (*name, *row.values, *row.measures)

    @property
    def samples(self) -> list[Sequence[Value]]:
        """Values of each column, from which its type follows."""
        counters = self.counters[:1]
        names = [("",)] if len(self.specs) > 1 else []
        values = [[c.suited(axis.name, v) for c in counters for v in axis.samples] for axis in self.space.axes]
        return [*names, *values, *((0,) for _ in self.measures)]

    def given(self, number: int) -> dict[str, Value]:
        """The values of a candidate."""
        (values,) = self.space.candidates(number % self.space.size, number % self.space.size + 1)
        return dict(zip((axis.name for axis in self.space.axes), values, strict=True))

    def refusal(self, number: int) -> SpecError:
        """Why a candidate was refused."""
        try:
            self.counters[number // self.space.size].elaborated(tuple(self.given(number).values()))
        except SpecError as error:
            return error
        raise AssertionError("what is refused here is refused by elaborate")

    def reason(self, number: int) -> str:
        """The values of a candidate that was refused, and why, as a line of text."""
        values = ", ".join(f"{name}={value}" for name, value in self.given(number).items())
        return f"{printable(values)}: {printable(self.refusal(number).diagnostics[0].message)}"

    @cached_property
    def counters(self) -> tuple[Counter, ...]:
        """Raises `SpecError` for a parameter that a network does not have."""
        names = [axis.name for axis in self.space.axes]
        return tuple(Counter(spec, names, self.fixed, [MEASURES[m].of for m in self.measures]) for spec in self.specs)

    def check(self) -> None:
        """Raise `SpecError` for a parameter that a network does not have."""
        assert self.counters

    def count(self, first: int, last: int) -> tuple[list[Row], Tallied]:
        """What is kept of the candidates from one number up to another, without it."""
        rows: list[Row] = []
        tallied = Tallied(done=last - first)
        bounds = [(self.least.get(m, 0), self.most.get(m)) for m in self.measures]
        for spec, counter in enumerate(self.counters):
            start = spec * self.space.size
            own = range(max(first, start), min(last, start + self.space.size))
            candidates = self.space.candidates(own.start - start, own.stop - start)
            for number, given in zip(own, candidates, strict=True):
                values = tuple(map(counter.suited, counter.names, given))
                found = counter(values)
                if isinstance(found, Refused):
                    tallied.refused[found.code] += 1
                    tallied.first.setdefault(found.code, number)
                elif all(
                    low <= n and (high is None or n <= high) for n, (low, high) in zip(found, bounds, strict=True)
                ):
                    rows.append(Row(number, values, found))
        tallied.kept = len(rows)
        return rows, tallied

    def run(self, jobs: int = 1, cluster: str | None = None) -> Iterator[tuple[list[Row], Tallied]]:
        """What is kept, chunk by chunk, in the order of the candidates.

        `jobs` processes, or a `cluster`'s: ray://HOST:PORT, dask://HOST:PORT. Raises `Refusal`.
        """
        self.check()
        chunks = ((first, min(first + CHUNK, self.size)) for first in range(0, self.size, CHUNK))
        if cluster is None and (jobs == 1 or self.size <= CHUNK):
            yield from (self.count(first, last) for first, last in chunks)
            return
        yield from spread(self, chunks, jobs, cluster)


def spread(
    sweep: Sweep, chunks: Iterator[tuple[int, int]], jobs: int, cluster: str | None
) -> Iterator[tuple[list[Row], Tallied]]:
    """The same on several processes."""
    from archspec.workers import answered, workers

    with needing("a sweep on several processes", "sweep"):
        from joblib import delayed
    limits = sweep.specs[0].limits
    with deep(limits, sweep.specs[0].source):
        packed = pickle.dumps(sweep)
    name = sha256(packed).hexdigest()
    with workers(jobs, cluster):
        while wave := list(islice(chunks, WAVE)):
            yield from answered(delayed(counted)(name, packed, limits, first, last) for first, last in wave)


remembered: OrderedDict[str, Sweep] = OrderedDict()


def counted(name: str, packed: bytes, limits: Limits, first: int, last: int) -> tuple[list[Row], Tallied]:
    """What a worker does; it keeps the sweep that it was given."""
    if name not in remembered:
        allow(limits)
        remembered[name] = pickle.loads(packed)
        while len(remembered) > COUNTERS:
            remembered.popitem(last=False)
    return remembered[name].count(first, last)


def sweep(
    spec: Spec,
    values: Mapping[str, str | Iterable[Value]],
    most: Mapping[str, int | str],
    least: Mapping[str, int | str],
    jobs: int,
    cluster: str | None,
) -> Iterator[dict[str, Value]]:
    """The rows of `Spec.sweep`."""
    bounds = [bounded(given) for given in (least, most)]
    measures = tuple(dict.fromkeys((*ALWAYS, *most, *least)))
    made = Sweep((spec,), space([axis_of(*named) for named in values.items()]), {}, measures, *bounds)
    made.check()
    return rows_of(made, jobs, cluster)


def bounded(given: Mapping[str, int | str]) -> dict[str, int]:
    """Bounds as numbers; raises `WrongRange`."""
    for name in given.keys() - MEASURES.keys():
        raise WrongRange(f"a sweep measures no `{name}`", did_you_mean(name, MEASURES))
    return {name: amount(bound) if isinstance(bound, str) else bound for name, bound in given.items()}


def rows_of(made: Sweep, jobs: int, cluster: str | None) -> Iterator[dict[str, Value]]:
    tallied = Tallied()
    for rows, found in made.run(jobs, cluster):
        tallied.add(found)
        for row in rows:
            yield dict(zip(made.columns, made.line(row), strict=True))
    refused = sum(tallied.refused.values())
    if refused == tallied.done:
        raise made.refusal(0)
    if refused:
        first = made.reason(min(tallied.first.values()))
        warn(f"{refused:,} of {tallied.done:,} candidates are refused, the first at {first}", stacklevel=2)
