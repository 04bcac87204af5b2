"""`verify` sees what differs: every kind of difference is put in, one at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy
import pytest
import torch
from archspec_torch import Backend as Torch

import archspec
from archspec.backend import Measured
from archspec.graph import Graph
from archspec.verify import random_tensors, verify

SPEC = """arch 1
network Small {
  input 12 x 12 x 3
  body conv(3, 4, 2) as first -> bn as norm -> relu -> dwconv(3) as second -> prelu as act -> global_avgpool -> flatten
       -> linear(5) as head
}
"""


@dataclass
class Other(Torch):
    """torch again, with one thing changed in what it builds."""

    name: str = "other"
    ops: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """path to attributes that are not the Graph's"""
    transposed: bool = False
    measured: Mapping[str, int] = field(default_factory=dict)

    def build(self, graph: Graph, *, weights: Any = None, **options: Any) -> torch.nn.Module:
        nodes = [
            node.model_copy(update={"op": node.op.model_copy(update=dict(self.ops.get(node.path, {})))})
            for node in graph.nodes
        ]
        if self.transposed:
            weights = {**weights, "second.weight": weights["second.weight"].transpose(0, 1, 3, 2)}
        return super().build(graph.model_copy(update={"nodes": tuple(nodes)}), weights=weights, **options)

    def measure(self, model: Any, graph: Graph) -> Measured:
        return replace(super().measure(model, graph), **self.measured)


@pytest.fixture
def graph() -> Graph:
    return archspec.parse(SPEC).elaborate()


def test_equal_backends_are_equal(graph: Graph) -> None:
    verdict = verify(graph, [Torch(), Other()])
    assert verdict.holds
    assert [comparison.error for comparison in verdict.comparisons] == [0.0]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"ops": {"norm": {"eps": 1e-3}}}, "norm"),
        ({"ops": {"first": {"pad": "same_upper"}}}, "first"),
        ({"ops": {"head": {"bias": True}}}, None),
        ({"transposed": True}, "second"),
    ],
)
def test_the_first_node_that_differs_is_named(graph: Graph, change: dict[str, Any], path: str | None) -> None:
    verdict = verify(graph, [Torch(), Other(**change)])
    (comparison,) = verdict.comparisons
    assert verdict.holds == (path is None)
    assert (comparison.parting.path if comparison.parting else None) == path


@pytest.mark.parametrize("measured", [{"params": 1}, {"macs": 1}])
def test_other_counts_are_reported(graph: Graph, measured: dict[str, int]) -> None:
    verdict = verify(graph, [Torch(), Other(measured=measured)])
    assert verdict.miscounts == ["other"]
    assert not verdict.holds


def test_what_is_no_number_differs(graph: Graph) -> None:
    weights = dict(random_tensors(graph, 0))
    assert all(numpy.isfinite(values).all() for values in weights.values())
    broken = Other(ops={"norm": {"eps": float("nan")}})
    assert not verify(graph, [Torch(), broken]).holds
