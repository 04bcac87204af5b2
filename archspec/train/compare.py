"""A comparison: members, data, protocol -> the learning rate of each, its runs, and what they say."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from archspec.backend import get
from archspec.train import pool
from archspec.train.data import Data
from archspec.train.members import Member
from archspec.train.protocol import Protocol
from archspec.train.rates import chosen, further
from archspec.train.record import Record
from archspec.train.task import Task, Trains, versions

TUNING = 1_000_000
"""The seed of the runs that choose the learning rate; no other run has it."""
Told = Callable[[str, Sequence[Task]], None]
"""Is told what is being done and the runs for it, when it begins and whenever one of them has ended."""


class Comparison(Struct, frozen=True):
    """What was compared, and every run of it."""

    members: Sequence[Member]
    data: Data
    protocol: Protocol
    backend: str
    tuning: Mapping[str, Mapping[float, Record]]
    """label -> learning rate -> run, where there was a choice"""
    rates: Mapping[str, float]
    records: Mapping[tuple[str, float, int], Record]
    """label, fraction, seed -> run"""
    tasks: Mapping[tuple[str, float, int], Task]

    def of(self, label: str, fraction: float) -> list[Record]:
        """The runs of a member on a fraction of the images, by seed."""
        return [self.records[label, fraction, seed] for seed in range(self.protocol.seeds)]

    def tried(self, label: str) -> list[float]:
        """The learning rates that a member was trained with, in ascending order."""
        return sorted(self.tuning.get(label, [self.rates[label]]))

    @property
    def labels(self) -> list[str]:
        return [member.label for member in self.members]

    @property
    def versions(self) -> dict[str, str]:
        return versions(self.backend)


def compare(
    members: Sequence[Member],
    data: Data,
    protocol: Protocol,
    backend: str,
    folder: Path,
    *,
    jobs: int = 1,
    cluster: str | None = None,
    told: Told = lambda what, tasks: None,
) -> Comparison:
    """Train all members and gather their runs; raises `Refusal`.

    Runs lie in `folder`, and those that are there are not made again: the same call after a stop goes on.
    """
    get(backend, Trains).ready()

    def task(member: Member, seed: int, fraction: float, rate: float) -> Task:
        return Task(member.graph, data, protocol.recipe, backend, seed, fraction, rate)

    def made(what: str, tasks: Sequence[Task]) -> list[Record]:
        told(what, tasks)
        return pool.run(tasks, folder, jobs, cluster, lambda: told(what, tasks))

    tuning: dict[str, dict[float, Record]] = {}

    def tune(what: str, rates: Sequence[float]) -> None:
        tried = [(member, rate) for member in members for rate in rates]
        found = made(what, [task(member, TUNING, 1.0, rate) for member, rate in tried])
        for (member, rate), record in zip(tried, found, strict=True):
            tuning.setdefault(member.label, {})[rate] = record

    if len(protocol.rates) > 1:
        tune("choosing learning rates", protocol.rates)
        left = protocol.additions
        while left and (more := further(tuning.values())[:left]):
            tune(f"trying {' and '.join(f'{rate:g}' for rate in more)} too", more)
            left -= len(more)
    rates = {
        member.label: chosen(member.label, tuning[member.label]) if tuning else protocol.rates[0] for member in members
    }
    keys = [
        (member, fraction, seed)
        for fraction in protocol.fractions
        for seed in range(protocol.seeds)
        for member in members
    ]
    tasks = {(m.label, fraction, seed): task(m, seed, fraction, rates[m.label]) for m, fraction, seed in keys}
    records = made("training", list(tasks.values()))
    return Comparison(
        members, data, protocol, backend, tuning, rates, dict(zip(tasks, records, strict=True)), tasks
    )  # fmt: skip


def unique(tasks: Sequence[Task]) -> dict[str, Task]:
    """Tasks by their address: equal networks under two names are trained once."""
    return {task.key: task for task in tasks}


def recorded(comparison: Comparison) -> dict[str, Any]:
    """Everything needed to repeat a comparison, and all that came out of it but the time that it took; JSON."""
    runs = [
        {"label": label, "fraction": fraction, "seed": seed, "address": comparison.tasks[label, fraction, seed].key,
         "status": record.status, "steps_to_target": record.reached(comparison.protocol.target),
         **record.model_dump(mode="json")}
        for (label, fraction, seed), record in comparison.records.items()
    ]  # fmt: skip
    data = comparison.data
    return {
        "format": "archspec-comparison-1",
        "versions": comparison.versions,
        "backend": comparison.backend,
        "protocol": comparison.protocol.model_dump(mode="json"),
        "data": {"source": data.source, "sha256": data.digest, "sizes": dict(data.sizes), "classes": list(data.classes),
                 "side": list(data.side)},
        "members": [
            {"label": member.label, "spec": member.spec, "said": dict(member.said), "width": member.scale.width,
             "stride": member.strides[1], "stride_of_paper": member.strides[0], "params": member.params,
             "macs": member.macs, "rate": comparison.rates[member.label],
             "graph": member.graph.model_dump(mode="json")}
            for member in comparison.members
        ],
        "tuning": {label: [{"rate": rate, **record.model_dump(mode="json")} for rate, record in tried.items()]
                   for label, tried in comparison.tuning.items()},
        "runs": runs,
    }  # fmt: skip
