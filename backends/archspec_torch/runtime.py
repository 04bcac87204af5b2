"""`Graph` -> module, weights, file.

Every scope of the Graph is a module with a forward of its own: `nn.Sequential` where it is a chain of layers, else a
`torch.fx.GraphModule`. No class of ours is among them, so a saved module needs no archspec to be loaded.
"""

import operator
from collections import OrderedDict
from math import sqrt
from pathlib import Path
from typing import Any

import torch
from torch import fx, nn

from archspec.backend import BackendError, extra_help
from archspec.files import whole_file
from archspec.graph import Graph, Node
from archspec.hierarchy import Level, levels
from archspec.initializer import (
    DEFAULT_INIT,
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
from archspec_torch.lower import Site, lower
from archspec_torch.names import class_name, legal


def build(
    graph: Graph,
    *,
    seed: int = 0,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> nn.Module:
    """The module of a Graph, in training mode as torch's own models are.

    It takes N×C×H×W (or N×C) and gives its output, a vector as N×C; where the Graph has further outputs, a tuple of
    all in their order. The weights of node `row_3/bottleneck_2/dwconv` are at `row_3.bottleneck_2.dwconv.weight`. They
    are drawn as the Graph's `init` says by a generator of their own, seeded with `seed`; on device `meta` they have no
    values. Raises `Unsupported`.
    """
    with torch.device("meta"):
        made, names = Builder(graph).run()
    made.to(dtype)
    if torch.device(device).type != "meta":
        made.to_empty(device=device)
        initialize(made, graph, names, torch.Generator(device=device).manual_seed(seed))
    return made


class Builder:
    """Builds the modules of one Graph, the innermost first."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.names: dict[str, str] = {}
        """path of a node to the name of its module"""

    def run(self) -> tuple[nn.Module, dict[str, str]]:
        return self.level(levels(self.graph), ""), self.names

    def level(self, level: Level, prefix: str) -> nn.Module:
        """The module of a scope, whose own name is `prefix`."""
        owner, graph = nn.Module(), fx.Graph()
        siblings: set[str] = set()
        values = {path: graph.placeholder(placeholder(i, level)) for i, path in enumerate(level.inputs)}
        for child in level.children:
            name = legal(child.name, siblings)
            if isinstance(child, Level):
                owner.add_module(name, self.level(child, f"{prefix}{name}."))
                values |= self.call(graph, name, child, values)
            else:
                site = Site(graph, owner, child, name)
                inputs = [values[path] for path in child.inputs]
                values[child.path] = lower(child.op, site, self.graph.input_shapes(child), *inputs)
                self.names[child.path] = prefix + name
        outputs = [values[path] for path in level.outputs]
        graph.output(outputs[0] if len(outputs) == 1 else tuple(outputs))
        if chain(graph):
            return nn.Sequential(OrderedDict(owner.named_children()))
        return fx.GraphModule(owner, graph, class_name(level.label))

    def call(self, graph: fx.Graph, name: str, child: Level, values: dict[str, fx.Node]) -> dict[str, fx.Node]:
        """What the module of an inner scope gives."""
        out = graph.call_module(name, tuple(values[path] for path in child.inputs))
        if len(child.outputs) == 1:
            return {child.outputs[0]: out}
        return {
            path: graph.call_function(operator.getitem, (out, position)) for position, path in enumerate(child.outputs)
        }


def placeholder(position: int, level: Level) -> str:
    """Name of an argument of `forward`."""
    return "x" if position == 0 else f"x{position}"


def chain(graph: fx.Graph) -> bool:
    """Whether a graph is layers in a row, each used once, and nothing else."""
    previous: fx.Node | None = None
    called: set[object] = set()
    for node in graph.nodes:
        if node.op == "output":
            return bool(node.args == (previous,))
        if node.op == "placeholder" and previous is None:
            previous = node
        elif node.op == "call_module" and node.args == (previous,) and node.target not in called:
            called.add(node.target)
            previous = node
        else:
            return False
    return False


# ---- initial weights ----


@torch.no_grad()
def initialize(model: nn.Module, graph: Graph, names: dict[str, str], generator: torch.Generator) -> None:
    """Give every weight its first value, in the order of the Graph's nodes."""
    modules = dict(model.named_modules())
    for node in graph.nodes:
        layer = modules.get(names.get(node.path, ""))
        if layer is not None and node.path in names:
            initialize_layer(layer, node, graph.init.get(node.op.kind, DEFAULT_INIT.get(node.op.kind)), generator)


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
    receptive = weight[0][0].numel()
    fan_in, fan_out = weight.shape[1] * receptive, weight.shape[0] * receptive
    match how:
        case Normal(std=std):
            weight.normal_(0, std, generator=generator)
        case TruncatedNormal(std=std):
            nn.init.trunc_normal_(weight, 0, std, -2 * std, 2 * std, generator=generator)
        case Uniform(bound=bound):
            weight.uniform_(-bound, bound, generator=generator)
        case KaimingNormal(mode=mode, gain=gain):
            weight.normal_(0, gain / sqrt(fan_in if mode == "fan_in" else fan_out), generator=generator)
        case KaimingUniform(mode=mode, gain=gain):
            bound = gain * sqrt(3 / (fan_in if mode == "fan_in" else fan_out))
            weight.uniform_(-bound, bound, generator=generator)
        case XavierNormal():
            weight.normal_(0, sqrt(2 / (fan_in + fan_out)), generator=generator)
        case XavierUniform():
            bound = sqrt(6 / (fan_in + fan_out))
            weight.uniform_(-bound, bound, generator=generator)


# ---- files ----


def save(model: nn.Module, graph: Graph, path: Path) -> None:
    """Write a module in the form that the suffix says; raises `BackendError` or `OSError`."""
    with whole_file(path) as temporary:
        match path.suffix:
            case ".pth":
                torch.save(model.state_dict(), temporary)
            case ".pt":
                torch.save(model, temporary)
            case ".safetensors":
                save_safetensors(model, temporary)
            case ".pt2":
                torch.export.save(exported(model, graph), temporary)
            case suffix:
                raise BackendError(f"the torch backend does not save as {suffix or 'a file without suffix'}")


def save_safetensors(model: nn.Module, path: Path) -> None:
    try:
        from safetensors.torch import save_file
    except ModuleNotFoundError:
        raise BackendError("saving as .safetensors needs `safetensors`", extra_help("torch")) from None
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, path)


def exported(model: nn.Module, graph: Graph) -> Any:
    """The model in evaluation mode as a program of any batch size; the model itself keeps its mode."""
    *sides, channels = graph.input.shape
    example = torch.zeros(2, channels, *sides, dtype=next(model.parameters()).dtype)
    training = model.training
    try:
        model.eval()
        return torch.export.export(model, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    finally:
        model.train(training)
