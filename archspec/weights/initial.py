"""The first values of a Graph's tensors, as its `init` says: the same for every backend."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import pi, prod, sqrt
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
SHARED = 2**17
"""Values from which a part is the work of another thread; a smaller one is drawn before such a thread has begun."""
BLOCK = 2**15
"""Values of a step: what it works on stays in the cache of a core."""
WORDS = 2**32
"""A word of 32 random bits is below this."""
Fill = Callable[[Any, Array], None]
"""Fills an array by a generator of numpy's."""
Finish = Callable[[], None]
"""Returns when a part of a tensor is drawn."""
Begun = deque[tuple[str, Array, list[Finish]]]
"""Tensors that are being drawn, by their canonical names."""


def draw(graph: Graph, seed: int) -> Iterator[tuple[str, Array]]:
    """Every tensor by its canonical name, in the order of the nodes; what is drawn is drawn in float32.

    A tensor depends on the seed and its own name alone, so that weights keep their values when other parts of the
    network change. On one machine they are the same bits for every backend, process and number of cores; another
    processor or version of numpy may compute a logarithm or a sine otherwise, by a few units in the last place of a
    value. Drawing begins when the first tensor is taken, on all cores, and goes on while the others are. Raises
    `WeightsError` for a distribution that a tensor cannot have, and `TooLarge`, before anything is drawn.
    """
    check_weights(graph)
    np = numpy()
    begun: Begun = deque()
    work: list[tuple[Array, list[Finish], Finish]] = []
    for node in graph.nodes:
        how = graph.initializer(node)
        for name, shape in tensor_names(node, graph.input_shapes(node)).items():
            tensor = name.rpartition(".")[2]
            parts: list[Finish] = []
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
    return finished(begun, work)


def finished(begun: Begun, work: list[tuple[Array, list[Finish], Finish]]) -> Iterator[tuple[str, Array]]:
    """The tensors, each when it is whole, and then no longer held; work on them begins with the first."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # the largest first, which are waited for longest
    work.sort(key=lambda todo: -todo[0].size)
    pool = ThreadPoolExecutor(cores)
    for part, parts, todo in work:
        parts.append(pool.submit(todo).result if cores > 1 and part.size >= SHARED else todo)
    pool.shutdown(wait=False)
    work.clear()
    while begun:
        name, values, parts = begun.popleft()
        for finish in parts:
            finish()
        yield name, values


def filled(fill: Fill, seed: int, name: int, number: int, part: Array) -> None:
    np = numpy()
    fill(np.random.Generator(np.random.SFC64([seed, name, number])), part)


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
    """By the transform of Box and Muller (1958): two uniform numbers give the radius and the angle of two normal ones.

    numpy's own method takes three times as long, as it decides for each value where it lies.
    """
    np = numpy()
    scratch = np.empty((2, BLOCK // 2), "float32")
    for start in range(0, values.size, BLOCK):
        part = values[start : start + BLOCK]
        count = (part.size + 1) // 2
        words = generator.bit_generator.random_raw(count).view("uint32")
        radius, angle = scratch[:, :count]
        np.copyto(radius, words[:count], casting="unsafe")
        radius *= 1 / WORDS
        radius += 1 / (4 * WORDS)  # the logarithm of 0 is infinite
        np.minimum(radius, 1, out=radius)
        np.log(radius, out=radius)
        radius *= -2 * std**2
        np.sqrt(radius, out=radius)
        np.copyto(angle, words[count:].view("int32"), casting="unsafe")
        angle *= 2 * pi / WORDS
        np.multiply(radius, np.cos(angle), out=part[:count])
        np.sin(angle, out=angle)
        np.multiply(radius[: part.size - count], angle[: part.size - count], out=part[count:])


def truncated(std: float, generator: Any, values: Array) -> None:
    np = numpy()
    normal(std, generator, values)
    outside = np.flatnonzero(abs(values) > CUT * std)
    while outside.size:
        again = np.empty(outside.size, "float32")
        normal(std, generator, again)
        values[outside] = again
        outside = outside[abs(again) > CUT * std]


def uniform(bound: float, generator: Any, values: Array) -> None:
    generator.random(out=values, dtype="float32")
    values *= 2 * bound
    values -= bound


def fan(shape: Shape, mode: str) -> int:
    """The values that make one output of a weight (out, in, …), or that one input goes to."""
    if len(shape) < 2:
        raise WeightsError(f"a weight of {shape_text(shape)} has no fan for its initial distribution")
    return prod(shape[1:]) if mode == "fan_in" else shape[0] * prod(shape[2:])
