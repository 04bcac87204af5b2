"""`Graph`, `Device` -> `Estimate`: what a network needs of a device, for one image, without anything being built.

Time is that of the roofline model (Williams, Waterman, Patterson: Roofline, CACM 52(4), 2009), operator by operator: it
computes at the device's peak or moves its bytes at the device's bandwidth, whichever takes longer. An operator reads
its inputs and its tensors and writes its output, each once; nothing stays in a cache from one operator to the next,
none are fused. What gives out a view moves nothing.
"""

from math import prod
from typing import Literal

from msgspec import Struct

from archspec.devices.device import Device
from archspec.graph import Graph, Node
from archspec.memory import Storages, best_order, liveness, peak, storages
from archspec.stats import By, Line, count, grouped
from archspec.tensor import BYTES, NumberType

Bound = Literal["compute", "memory", ""]
"""What the time of an operator depends on; empty where it takes none."""
CONVENTION = (
    "moved: what each operator reads (inputs and tensors) and writes, by itself, none fused. "
    "alive: activations while an operator computes, the image among them. For one image."
)


class Layer(Struct, frozen=True):
    """What a line of the network needs: one operator, or those of a block or a row together."""

    counts: Line
    moved: int
    """bytes"""
    alive: int
    """the most bytes of activations at once, every operator writing to memory of its own"""
    alive_in_place: int
    """the same, operators writing over their inputs where they can"""
    seconds: float
    bound: Bound
    """what most of the time depends on"""

    @property
    def intensity(self) -> float:
        """Multiply-accumulates per byte moved; 0 where none is."""
        return self.counts.macs / self.moved if self.moved else 0.0


class Activations(Struct, frozen=True):
    """The most bytes of activations at once."""

    order: Literal["own", "best"]
    """of the operators: the network's, or the best one that was found"""
    in_place: bool
    """whether operators write over their inputs where they can"""
    bytes: int
    at: str
    """path of the first operator where it is so many"""
    at_least: int
    """bytes that every order needs: `bytes`, where the best order is proven to be"""
    fits: bool
    """into RAM, beside the weights if there is no flash"""
    nodes: tuple[str, ...]
    """paths of the nodes in the best order; empty for the network's own"""


class Weights(Struct, frozen=True):
    """The size of the tensors in numbers of one type."""

    numbers: NumberType
    params: int
    """bytes"""
    buffers: int
    """bytes of running statistics"""
    fits: bool | None
    """into flash, both; None if the device has no flash"""


class Share(Struct, frozen=True):
    """The operators whose time depends on the same."""

    bound: Bound
    operators: int
    seconds: float


class Estimate(Struct, frozen=True):
    """What a network needs of a device."""

    network: str
    device: Device
    numbers: NumberType
    layers: tuple[Layer, ...]
    activations: tuple[Activations, ...]
    """in its own order and in the best one, each also in place"""
    weights: tuple[Weights, ...]
    """in each type of number"""
    shares: tuple[Share, ...]
    """of the time: bound by compute, and by memory"""

    @property
    def macs(self) -> int:
        return sum(layer.counts.macs for layer in self.layers)

    @property
    def moved(self) -> int:
        """Bytes that are read and written."""
        return sum(layer.moved for layer in self.layers)

    @property
    def seconds(self) -> float:
        """One operator after the other."""
        return sum(share.seconds for share in self.shares)


class Time(Struct, frozen=True):
    """Of one operator."""

    moved: int
    seconds: float
    bound: Bound


def estimate(graph: Graph, device: Device, numbers: NumberType = "fp32", by: By = "row") -> Estimate:
    """What a network needs of a device in evaluation, with weights and activations of one type of number.

    Raises `UnknownDevice` where the device states no rate for that type.
    """
    graph, rate = graph.in_evaluation(), device.rate(numbers)
    memory = storages(graph)
    alive = [[count * BYTES[numbers] for count in liveness(memory, in_place)] for in_place in (False, True)]
    times = [time_of(graph, node, rate, device.bandwidth, BYTES[numbers]) for node in graph.nodes]
    layers: list[Layer] = []
    first = 1  # after the input
    for path, nodes in grouped(graph, by):
        here = slice(first, first + len(nodes))
        first = here.stop
        seconds, bound = together(times[here])
        moved = sum(time.moved for time in times[here])
        most, in_place = (max(counts[here]) for counts in alive)
        layers.append(Layer(count(graph, path, nodes), moved, most, in_place, seconds, bound))
    weights = tuple(weights_of(layers, device, each) for each in BYTES)
    return Estimate(
        graph.name, device, numbers, tuple(layers), peaks(memory, device, weights, numbers), weights,
        (share("compute", times), share("memory", times)),
    )  # fmt: skip


def time_of(graph: Graph, node: Node, rate: float, bandwidth: float, width: int) -> Time:
    """The time of an operator; the input, and what gives out a view, take none."""
    inputs = graph.input_shapes(node)
    if not inputs or node.op.placement(*inputs) == "view":
        return Time(0, 0.0, "")
    read = sum(prod(graph.by_path[path].shape) for path in dict.fromkeys(node.inputs))
    tensors = sum(map(prod, (node.op.weights(*inputs) | node.op.buffers(*inputs)).values()))
    moved = (read + tensors + prod(node.shape)) * width
    computing, moving = node.op.macs(*inputs) / rate, moved / bandwidth
    return Time(moved, max(computing, moving), "compute" if computing > moving else "memory")


def together(times: list[Time]) -> tuple[float, Bound]:
    """The time of several operators, and what most of it depends on."""
    seconds = sum(time.seconds for time in times)
    computing = sum(time.seconds for time in times if time.bound == "compute")
    return seconds, "" if not seconds else "compute" if computing > seconds / 2 else "memory"


def share(bound: Bound, times: list[Time]) -> Share:
    its = [time.seconds for time in times if time.bound == bound]
    return Share(bound, len(its), sum(its))


def weights_of(layers: list[Layer], device: Device, numbers: NumberType) -> Weights:
    params = sum(layer.counts.params for layer in layers) * BYTES[numbers]
    buffers = sum(layer.counts.buffers for layer in layers) * BYTES[numbers]
    return Weights(numbers, params, buffers, params + buffers <= device.flash if device.flash else None)


def peaks(
    memory: Storages, device: Device, weights: tuple[Weights, ...], numbers: NumberType
) -> tuple[Activations, ...]:
    """The peaks in the network's own order and in the best, each also in place."""
    width = BYTES[numbers]
    loaded = 0 if device.flash else sum(each.params + each.buffers for each in weights if each.numbers == numbers)
    found: list[Activations] = []
    for in_place in (False, True):
        own, best = peak(memory, in_place), best_order(memory, in_place)
        sizes = own.numbers * width, best.peak.numbers * width
        fits = [size + loaded <= device.ram for size in sizes]
        least = best.at_least * width
        found.append(Activations("own", in_place, sizes[0], own.node, least, fits[0], ()))
        found.append(Activations("best", in_place, sizes[1], best.peak.node, least, fits[1], best.order))
    return tuple(found)
