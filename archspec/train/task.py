"""A run: one network trained once, from its own address among the results to its end.

A backend that `Trains` is given the `Task`, and tells a `Watch` how it goes.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from pathlib import Path
from typing import Any, Literal, Protocol

from msgspec import Struct

from archspec.backend import Builds, ability, get
from archspec.graph import Graph
from archspec.train.batches import Batches
from archspec.train.data import Data
from archspec.train.protocol import Recipe
from archspec.train.record import Point, best, merit

OURS = ("archspec-compiler", "numpy")
"""Distributions that what comes out depends on, besides the backend's own."""
Measured = tuple[float, float]
"""Loss and accuracy."""


class Task(Struct, frozen=True, dict=True):
    """What is to be trained, and how."""

    graph: Graph
    data: Data
    recipe: Recipe
    backend: str
    seed: int
    fraction: float
    rate: float
    accelerator: Literal["cpu", "gpu"] = "cpu"
    devices: int = 1
    threads: int = 1
    every: float = 30.0
    """seconds at least from one checkpoint to the next"""
    weights: Mapping[str, Any] | None = None
    """to begin with, instead of what the seed draws"""

    @cached_property
    def about(self) -> dict[str, Any]:
        """What the outcome depends on, as JSON; names and places in texts are not among it."""
        graph = self.graph.model_dump(mode="json", include={"nodes", "outputs", "init"})
        return {
            "graph": digest(
                [[n["path"], n["op"], n["inputs"]] for n in graph["nodes"]], graph["outputs"], graph["init"]
            ),
            "data": self.data.digest,
            "normal": [self.data.mean, self.data.deviation],
            "recipe": self.recipe.model_dump(mode="json"),
            "backend": self.backend,
            "seed": self.seed,
            "fraction": self.fraction,
            "rate": self.rate,
            "where": [self.accelerator, self.devices, self.threads],
            "weights": None if self.weights is None else digest_of(self.weights),
            "versions": versions(self.backend),
        }

    @cached_property
    def key(self) -> str:
        """The name of its folder among the results."""
        return digest(self.about)[:24]

    def batches(self) -> Batches:
        return Batches(self.data, self.recipe, self.seed, self.fraction)


@dataclass
class Watch:
    """What an engine tells a run's story to."""

    keep: Callable[[Mapping[str, Any]], None]
    """takes the averaged weights, by their canonical names, whenever they are the best so far"""
    told: Callable[[Point], None] = lambda point: None
    points: list[Point] = field(default_factory=list)

    def evaluate(
        self, step: int, loss: float, measure: Callable[[], Measured], weights: Callable[[], Mapping[str, Any]]
    ) -> bool:
        """An evaluation after a step, and the loss in training before it; says whether it makes sense to go on."""
        validation_loss, validation = measure()
        point = Point(step=step, loss=number(loss), validation_loss=number(validation_loss), validation=validation)
        if not self.points or merit(point) > merit(best(self.points)):
            self.keep(weights())
        self.points.append(point)
        self.told(point)
        return point.loss is not None and point.validation_loss is not None


@ability("trains no networks")
class Trains(Builds, Protocol):
    """A backend that trains the models that it builds."""

    trains_with: tuple[str, ...]
    """The distributions whose versions decide what `fit` comes to."""

    def fit(self, task: Task, watch: Watch, folder: Path) -> None:
        """Train a network as a task says.

        After every interval of steps, and the last, `watch` is told; checkpoints lie in `folder`, from whose last one
        training goes on, to the same end to the last bit.
        """
        ...


def digest(*what: Any) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def digest_of(arrays: Mapping[str, Any]) -> str:
    found = hashlib.sha256()
    for name in sorted(arrays):
        found.update(name.encode() + arrays[name].tobytes())
    return found.hexdigest()


def versions(backend: str) -> dict[str, str]:
    """The versions of what a backend trains with."""
    found = {}
    for name in (*OURS, *get(backend, Trains).trains_with):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def number(value: float) -> float | None:
    return value if isfinite(value) else None
