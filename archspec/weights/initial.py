"""The first values of a Graph's tensors, as its `init` says: the same for every backend."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
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
from archspec.room import check_weights
from archspec.tensor import Shape, shape_text
from archspec.weights.libraries import numpy
from archspec.weights.match import Array, WeightsError
from archspec.weights.memory import fresh

CUT = 2
"""A truncated normal is drawn again beyond so many standard deviations."""
PART = 2**20
"""Values that are drawn by one generator: a large tensor is the work of several cores."""
Fill = Callable[[Any, Array], None]
"""Fills an array by a generator of numpy's."""


def draw(graph: Graph, seed: int) -> Iterator[tuple[str, Array]]:
    """Every tensor by its canonical name, in the order of the nodes; what is drawn is drawn in float32.

    A tensor depends on the seed and its own name alone, so that weights keep their values when other parts of the
    network change. Drawing begins at once, on all cores, and goes on while the tensors are taken. Raises `WeightsError`
    for a distribution that a tensor cannot have, and `TooLarge` before anything is drawn.
    """
    check_weights(graph)
    np = numpy()
    begun: deque[tuple[str, Array, list[Future[None]]]] = deque()
    work: list[tuple[Array, list[Future[None]], Callable[[], None]]] = []
    for node in graph.nodes:
        how = graph.initializer(node)
        for name, shape in tensor_names(node, graph.input_shapes(node)).items():
            tensor = name.rpartition(".")[2]
            parts: list[Future[None]] = []
            if tensor == "weight" and how is not None:
                values, fill = fresh(shape, "float32"), filler(shape, how)
                entropy = seed, int.from_bytes(name.encode(), "little")
                flat = values.reshape(-1)
                for number, start in enumerate(range(0, flat.size, PART)):
                    part = flat[start : start + PART]
                    work.append((part, parts, partial(filled, fill, *entropy, number, part)))
            else:
                values = np.full(shape, first_value(node, tensor))
            begun.append((name, values, parts))
    # the largest first: between two parts a thread waits for whoever builds the model, within one it does not
    work.sort(key=lambda todo: -todo[0].size)
    pool = ThreadPoolExecutor(os.cpu_count())
    for _, parts, todo in work:
        parts.append(pool.submit(todo))
    pool.shutdown(wait=False)
    return finished(begun)


def finished(begun: "deque[tuple[str, Array, list[Future[None]]]]") -> Iterator[tuple[str, Array]]:
    """The tensors, each when it is whole, and then no longer held."""
    while begun:
        name, values, parts = begun.popleft()
        for part in parts:
            part.result()
        yield name, values


def filled(fill: Fill, seed: int, name: int, number: int, part: Array) -> None:
    fill(numpy().random.default_rng([seed, name, number]), part)


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


def filler(shape: Shape, how: Initializer) -> Fill:
    """What fills a part of a weight (out, in, …) from its distribution."""
    match how:
        case Normal(std=std):
            return partial(normal, std)
        case TruncatedNormal(std=std):
            return partial(truncated, std)
        case Uniform(bound=bound):
            return partial(uniform, bound)
        case KaimingNormal(mode=mode, gain=gain):
            return partial(normal, abs(gain) / sqrt(fan(shape, mode)))
        case KaimingUniform(mode=mode, gain=gain):
            return partial(uniform, abs(gain) * sqrt(3 / fan(shape, mode)))
        case XavierNormal():
            return partial(normal, sqrt(2 / (fan(shape, "fan_in") + fan(shape, "fan_out"))))
        case XavierUniform():
            return partial(uniform, sqrt(6 / (fan(shape, "fan_in") + fan(shape, "fan_out"))))
    raise NotImplementedError(how.kind)


def normal(std: float, generator: Any, values: Array) -> None:
    generator.standard_normal(out=values, dtype="float32")
    values *= std


def truncated(std: float, generator: Any, values: Array) -> None:
    generator.standard_normal(out=values, dtype="float32")
    while (beyond := abs(values) > CUT).any():
        values[beyond] = generator.standard_normal(int(beyond.sum()), dtype="float32")
    values *= std


def uniform(bound: float, generator: Any, values: Array) -> None:
    generator.random(out=values, dtype="float32")
    values *= 2 * bound
    values -= bound


def fan(shape: Shape, mode: str) -> int:
    """The values that make one output of a weight (out, in, …), or that one input goes to."""
    if len(shape) < 2:
        raise WeightsError(f"a weight of {shape_text(shape)} has no fan for its initial distribution")
    return prod(shape[1:]) if mode == "fan_in" else shape[0] * prod(shape[2:])
