"""Proof that a spec that was decompiled is the model that it came from: outputs, counts, and Graphs that are alike."""

from collections import Counter
from typing import Any

import numpy as np
import torch
from archspec_torch.decompile import read
from archspec_torch.runtime import build, run
from torch import nn

import archspec
from archspec.decompile import Decompiled, decompiled
from archspec.decompile.normal import normal_graph
from archspec.graph import Graph
from archspec.tensor import Shape

BOUND = 1e-9


def arrays(found: Decompiled) -> dict[str, Any]:
    """The weights of a decompiled model by their canonical names."""
    return {name: tensor.array() for name, tensor in found.tensors.items()}


def from_torch(model: nn.Module, *shape: int) -> Decompiled:
    """The spec of a module, which has nothing that nobody uses."""
    found = decompiled(read(model, shape, "net", "a test"))
    assert archspec.parse(found.text).unused() == []
    return found


def outputs(model: nn.Module, images: Any) -> list[Any]:
    """What a module gives in evaluation for images N×h×w×c."""
    x = torch.from_numpy(images)
    with torch.no_grad():
        found = model.eval()(x.permute(0, 3, 1, 2).contiguous() if x.dim() == 4 else x)
    several = list(found.values()) if isinstance(found, dict) else found if isinstance(found, tuple) else [found]
    return [(y.permute(0, 2, 3, 1) if y.dim() == 4 else y).numpy() for y in several]


def off(wanted: Any, found: Any) -> float:
    """The largest difference, as a part of the largest value."""
    assert wanted.shape == found.shape
    assert np.isfinite(wanted).all()
    return float(np.abs(wanted - found).max() / np.abs(wanted).max())


def assert_equal(model: nn.Module, found: Decompiled, *shapes: Shape) -> None:
    """The text, compiled again with the module's weights, gives its outputs on images of these shapes too."""
    weights = arrays(found)
    for shape in shapes:
        graph = archspec.parse(found.text).elaborate(shape)
        images = np.random.default_rng(5).standard_normal((2, *shape))
        wanted = outputs(model, images)
        made = run(build(graph, weights=weights, dtype="float64"), graph, images)
        assert len(made) == len(wanted)
        assert max(off(a, b) for a, b in zip(wanted, made.values(), strict=True)) < BOUND


def kinds(graph: Graph) -> tuple[Counter[Any], list[Any]]:
    """What a Graph is, whatever its nodes are called and in what order they stand: each node by all that it comes of
    and all that comes of it.
    """
    colours: dict[str, Any] = {node.path: str(node.op) for node in graph.nodes}
    for _ in range(8):
        above = {node.path: tuple(colours[path] for path in node.inputs) for node in graph.nodes}
        below: dict[str, list[Any]] = {path: [] for path in colours}
        for node in graph.nodes:
            for place, path in enumerate(node.inputs):
                below[path].append((place, colours[node.path]))
        ends = {path: [n for n, out in enumerate(graph.outputs.values()) if out == path] for path in colours}
        colours = {
            path: hash((colours[path], above[path], tuple(sorted(below[path], key=str)), tuple(ends[path])))
            for path in colours
        }
    return Counter(colours.values()), [colours[path] for path in graph.outputs.values()]


def alike(one: Graph, other: Graph) -> bool:
    """Whether two Graphs are one but for names and order, in normal form."""
    return kinds(normal_graph(one)) == kinds(normal_graph(other))
