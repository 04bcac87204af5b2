"""A network that is trained in a second, and a run of it."""

from pathlib import Path
from typing import Any

import archspec
from archspec.graph import Graph
from archspec.train.data import Data, prepare
from archspec.train.images import Side
from archspec.train.protocol import Recipe
from archspec.train.scale import Scale, scaled
from archspec.train.task import Task

SPEC = """arch 1
network Small(c = 8, drop = 0.2, k = 10) {
  input 32 x 32 x 3
  body conv(3, c, 2) -> bn -> relu -> conv(3, 2*c, 2) -> bn -> relu -> global_avgpool -> flatten -> dropout(drop)
       -> linear(k)
}
"""
RECIPE = Recipe(steps=12, interval=4, batch=16, warmup=2)


def small(**values: Any) -> Graph:
    return archspec.parse(SPEC).elaborate(**values)


def digits(folder: Path, side: Side = (16, 16)) -> Data:
    return prepare("digits", side, folder)


def task(data: Data, recipe: Recipe = RECIPE, **others: Any) -> Task:
    said: dict[str, Any] = {"seed": 0, "fraction": 1.0, "rate": 0.01, "backend": "torch", **others}
    graph = said.pop("graph", None) or scaled(small(), Scale(image=(16, 16, 3)))
    return Task(graph, data, recipe, **said)
