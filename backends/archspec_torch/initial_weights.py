"""The first values of a module's weights, as the Graph's `init` says."""

from math import sqrt

import torch
from torch import nn

from archspec.backend import BackendError
from archspec.graph import Graph, Node
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


@torch.no_grad()
def initialize(model: nn.Module, graph: Graph, names: dict[str, str], generator: torch.Generator) -> None:
    """Give every weight its first value, in the order of the Graph's nodes."""
    modules = dict(model.named_modules())
    for node in graph.nodes:
        layer = modules.get(names.get(node.path, ""))
        if layer is not None and node.path in names:
            initialize_layer(layer, node, graph.initializer(node), generator)


def initialize_layer(layer: nn.Module, node: Node, how: Initializer | None, generator: torch.Generator) -> None:
    for name, parameter in layer.named_parameters(recurse=False):
        if name == "weight" and how is not None:
            draw(parameter, how, generator)
        else:
            parameter.fill_(first_value(node, name))
    for name, buffer in layer.named_buffers(recurse=False):
        buffer.fill_(1 if name == "running_var" else 0)


def first_value(node: Node, name: str) -> float:
    """What a weight that is not drawn begins with."""
    if name == "bias":
        return 0.0
    if isinstance(node.op, PRelu):
        return node.op.slope
    return node.op.init if isinstance(node.op, LayerScale) else 1.0


def draw(weight: torch.Tensor, how: Initializer, generator: torch.Generator) -> None:
    """Draw a weight (out, in, …) from its distribution."""
    match how:
        case Normal(std=std):
            weight.normal_(0, std, generator=generator)
        case TruncatedNormal(std=std):
            # drawn at a spread of 1: torch divides by the spread, which may be 0
            nn.init.trunc_normal_(weight, 0, 1, -2, 2, generator=generator).mul_(std)
        case Uniform(bound=bound):
            weight.uniform_(-bound, bound, generator=generator)
        case KaimingNormal(mode=mode, gain=gain):
            weight.normal_(0, abs(gain) / sqrt(fan(weight, mode)), generator=generator)
        case KaimingUniform(mode=mode, gain=gain):
            bound = abs(gain) * sqrt(3 / fan(weight, mode))
            weight.uniform_(-bound, bound, generator=generator)
        case XavierNormal():
            weight.normal_(0, sqrt(2 / (fan(weight, "fan_in") + fan(weight, "fan_out"))), generator=generator)
        case XavierUniform():
            bound = sqrt(6 / (fan(weight, "fan_in") + fan(weight, "fan_out")))
            weight.uniform_(-bound, bound, generator=generator)


def fan(weight: torch.Tensor, mode: str) -> int:
    """The values that make one output of a weight (out, in, …), or that one input goes to."""
    if weight.dim() < 2:
        raise BackendError(f"a weight of {tuple(weight.shape)} has no fan for its initial distribution")
    return weight[0].numel() if mode == "fan_in" else weight[:, 0].numel()
