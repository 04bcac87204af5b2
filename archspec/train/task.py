"""A run: one network trained once, from its own address among the results to its end."""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from msgspec import Struct

from archspec.backend import load
from archspec.graph import Graph
from archspec.train.batches import Batches
from archspec.train.data import Data
from archspec.train.protocol import Recipe

OURS = ("archspec-compiler", "numpy")
"""Distributions that what comes out depends on, besides the backend's own."""


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
    for name in (*OURS, *load(backend).trains_with):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found
