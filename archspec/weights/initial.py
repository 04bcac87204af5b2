"""The first values of a Graph's tensors, as its `init` says: the same for every backend."""

from collections.abc import Iterator
from math import prod, sqrt
from typing import Any

from archspec.graph import Graph, Node, tensor_names
from archspec.initializer import (
    Initializer,
    KaimingNormal,
    KaimingUniform,
    Normal,
    TruncatedNormal,
    Uniform,
    XavierNormal,
    XavierUniform,
)
from archspec.ops import LayerScale, PRelu
from archspec.tensor import Shape, shape_text
from archspec.weights.libraries import numpy
from archspec.weights.match import Array, WeightsError

CUT = 2
"""A truncated normal is drawn again beyond so many standard deviations."""


def draw(graph: Graph, seed: int) -> Iterator[tuple[str, Array]]:
    """Every tensor by its canonical name, in the order of the nodes; what is drawn is drawn in float32.

    A tensor depends on the seed and its own name alone, so that weights keep their values when other parts of the
    network change. Raises `WeightsError` for a distribution that a tensor cannot have.
    """
    np = numpy()
    for node in graph.nodes:
        how = graph.initializer(node)
        for name, shape in tensor_names(node, graph.input_shapes(node)).items():
            tensor = name.rpartition(".")[2]
            if tensor == "weight" and how is not None:
                entropy = [seed, int.from_bytes(name.encode(), "little")]
                yield name, drawn(np.random.default_rng(entropy), shape, how)
            else:
                yield name, np.full(shape, first_value(node, tensor))


def first_value(node: Node, tensor: str) -> float:
    """What a tensor that is not drawn begins with."""
    if tensor in {"bias", "running_mean"}:
        return 0.0
    match node.op:
        case PRelu(slope=slope):
            return slope
        case LayerScale(init=init):
            return init
        case _:
            return 1.0


def drawn(generator: Any, shape: Shape, how: Initializer) -> Array:
    """A weight (out, in, …) from its distribution."""
    match how:
        case Normal(std=std):
            return normal(generator, shape, std)
        case TruncatedNormal(std=std):
            return truncated(generator, shape, std)
        case Uniform(bound=bound):
            return uniform(generator, shape, bound)
        case KaimingNormal(mode=mode, gain=gain):
            return normal(generator, shape, abs(gain) / sqrt(fan(shape, mode)))
        case KaimingUniform(mode=mode, gain=gain):
            return uniform(generator, shape, abs(gain) * sqrt(3 / fan(shape, mode)))
        case XavierNormal():
            return normal(generator, shape, sqrt(2 / (fan(shape, "fan_in") + fan(shape, "fan_out"))))
        case XavierUniform():
            return uniform(generator, shape, sqrt(6 / (fan(shape, "fan_in") + fan(shape, "fan_out"))))
    raise NotImplementedError(how.kind)


def normal(generator: Any, shape: Shape, std: float) -> Array:
    values = generator.standard_normal(shape, dtype="float32")
    values *= std
    return values


def truncated(generator: Any, shape: Shape, std: float) -> Array:
    values = generator.standard_normal(prod(shape), dtype="float32")
    while (beyond := abs(values) > CUT).any():
        values[beyond] = generator.standard_normal(int(beyond.sum()), dtype="float32")
    values *= std
    return values.reshape(shape)


def uniform(generator: Any, shape: Shape, bound: float) -> Array:
    values = generator.random(shape, dtype="float32")
    values *= 2 * bound
    values -= bound
    return values


def fan(shape: Shape, mode: str) -> int:
    """The values that make one output of a weight (out, in, …), or that one input goes to."""
    if len(shape) < 2:
        raise WeightsError(f"a weight of {shape_text(shape)} has no fan for its initial distribution")
    return prod(shape[1:]) if mode == "fan_in" else shape[0] * prod(shape[2:])
