"""`verify` sees what differs: every kind of difference is put in, one at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy
import pytest
import torch
from archspec_torch import Backend as Torch
from msgspec.structs import replace

import archspec
from archspec.backend import Measured
from archspec.graph import Graph
from archspec.verify import BOUNDS, differences, random_images, random_tensors, verify

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
    verdict = verify(graph.name, graph, [Torch(), Other()])
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
    verdict = verify(graph.name, graph, [Torch(), Other(**change)])
    (comparison,) = verdict.comparisons
    assert verdict.holds == (path is None)
    assert (comparison.parting.path if comparison.parting else None) == path


@pytest.mark.slow
def test_rounding_does_not_grow_with_depth() -> None:
    graph = archspec.load("efficientnet_v2_m").elaborate((32, 32))
    weights, images = dict(random_tensors(graph, 0)), random_images(graph, 0)
    exact, rounded = (
        Torch().run(Torch().build(graph, weights=weights, dtype=kind), graph, images.astype(kind))
        for kind in ("float64", "float32")
    )
    assert differences(exact, rounded)["output"] < 1e-5


@pytest.mark.parametrize("measured", [{"params": 1}, {"macs": 1}])
def test_other_counts_are_reported(graph: Graph, measured: dict[str, int]) -> None:
    verdict = verify(graph.name, graph, [Torch(), Other(measured=measured)])
    assert verdict.miscounts == ["other"]
    assert not verdict.holds


def test_what_is_no_number_differs(graph: Graph) -> None:
    weights = dict(random_tensors(graph, 0))
    assert all(numpy.isfinite(values).all() for values in weights.values())
    broken = Other(ops={"norm": {"eps": float("nan")}})
    assert not verify(graph.name, graph, [Torch(), broken]).holds


# Where frameworks and papers differ without anybody's noticing: what is right, what is taken for it, the image's side.
TRAPS = {
    "stride 2 pads below, not around": ("conv(3, 4, 2)", "conv(3, 4, 2, pad = same_upper)", 12),
    "a row below is not SAME on odd maps": (
        "conv(3, 4, 2, pad = same_upper)",
        "pad(0x1x0x1) -> conv(3, 4, 2, pad = valid)",
        13,
    ),
    "dilation, with a stride": ("conv(3, 4, 2, dilation = 2)", "conv(3, 4, 2, dilation = 2, pad = same_upper)", 12),
    "an even kernel": ("conv(4, 4, 2, pad = 2x1x2x1)", "conv(4, 4, 2, pad = 1x2x1x2)", 12),
    "a maximum over zeros": ("bn -> maxpool(3, 2)", "bn -> pad(1) -> maxpool(3, 2, pad = valid)", 12),
    "pooling that rounds up": ("maxpool(3, 2, pad = 0, ceil = true)", "maxpool(3, 2, pad = 0)", 12),
    "the mean of the padding": ("avgpool(3, 1)", "avgpool(3, 1, include_pad = false)", 12),
    "windows of an adaptive mean": ("adaptive_avgpool(5)", "avgpool(3, 2, pad = valid)", 12),
    "the order of a flattened map": ("flatten -> linear(5)", "flatten(order = hwc) -> linear(5)", 12),
    "the epsilon of Keras": ("bn", "bn(eps = 1e-3)", 12),
    "no scale": ("bn", "bn(scale = false)", 12),
    "normalisation before the activation": ("bn -> relu -> conv(1, 4)", "relu -> bn -> conv(1, 4)", 12),
    "an activation that is cut": ("conv(1, 8) -> bn -> relu6", "conv(1, 8) -> bn -> relu", 12),
    "a linear bottleneck": ("conv(1, 4) -> bn", "conv(1, 4) -> bn -> relu6", 12),
    "the exact gelu": ("gelu", "gelu(approximate = tanh)", 12),
    "swish for hard swish": ("hardswish", "silu", 12),
    "sigmoid for hard sigmoid": ("hardsigmoid", "sigmoid", 12),
    "which convolution has the stride": (
        "conv(1, 4, 2) -> relu -> conv(3, 4)",
        "conv(1, 4) -> relu -> conv(3, 4, 2)",
        12,
    ),
    "the order of branches": (
        "(conv(1, 2) as a | conv(1, 2) as b) -> concat -> shuffle(2)",
        "(conv(1, 2) as a | conv(1, 2) as b) -> concat",
        12,
    ),
    "logits": ("global_avgpool -> flatten -> softmax", "global_avgpool -> flatten", 12),
    "a normalisation over channels": ("layernorm(eps = 1e-6)", "groupnorm(1, eps = 1e-6)", 12),
}


def given(body: str, side: int) -> Graph:
    return archspec.parse(f"arch 1\nnetwork N {{ input {side} x {side} x 3 body {body} }}").elaborate()


@pytest.mark.parametrize("trap", TRAPS)
def test_what_is_drawn_shows_every_trap(trap: str) -> None:
    right, wrong, side = TRAPS[trap]
    a, b = given(right, side), given(wrong, side)
    weights, images = dict(random_tensors(a, 0)), random_images(a, 0)
    kept = {name: values for name, values in weights.items() if name in b.tensors()}
    torch_, other = Torch(), Torch()
    one = torch_.run(torch_.build(a, weights=weights, dtype="float64"), a, images)
    two = other.run(other.build(b, weights=kept, dtype="float64"), b, images)
    assert differences(one, two)["output"] > 1000 * BOUNDS["float64"]


@pytest.mark.parametrize(
    ("body", "mistake"),
    [
        ("dwconv(3)", lambda w: w.transpose(0, 1, 3, 2)),
        ("dwconv(3, multiplier = 2)", lambda w: w.reshape(3, 2, 1, 3, 3).swapaxes(0, 1).reshape(w.shape)),
        ("conv(3, 3)", lambda w: w.swapaxes(0, 1)),
        ("conv(3, 6, groups = 3)", lambda w: w.reshape(3, 2, 1, 3, 3).swapaxes(0, 1).reshape(w.shape)),
        ("conv(1x3, 4, pad = 0x0x1x1)", lambda w: w[..., ::-1]),
        ("linear(3)", lambda w: w.T),
    ],
)
def test_what_is_drawn_shows_a_wrong_layout(body: str, mistake: Any) -> None:
    graph = given(f"global_avgpool -> flatten -> {body}" if "linear" in body else body, 12)
    weights = dict(random_tensors(graph, 0))
    (name,) = (name for name in weights if name.endswith(".weight"))
    backend, images = Torch(), random_images(graph, 0)
    one, two = (
        backend.run(backend.build(graph, weights=given, dtype="float64"), graph, images)
        for given in (weights, {**weights, name: numpy.ascontiguousarray(mistake(weights[name]))})
    )
    assert differences(one, two)["output"] > 1000 * BOUNDS["float64"]
