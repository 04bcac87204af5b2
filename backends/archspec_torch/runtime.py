"""`Graph` -> module, and module -> file.

Every scope of the Graph is a module with a forward of its own: `nn.Sequential` where it is a chain of layers, else a
`torch.fx.GraphModule`. No class of archspec's is among them, so a saved module loads without archspec.
"""

import io
import operator
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch import fx, nn
from torch.utils.flop_counter import FlopCounterMode

from archspec import ops
from archspec.backend import BackendError, Measured
from archspec.emit.steps import Piece
from archspec.files import whole_file
from archspec.graph import Graph, Node
from archspec.hierarchy import Entangled, Level, levels
from archspec.weights import draw, encode
from archspec_torch.checkpoint import array
from archspec_torch.lower import pieces
from archspec_torch.names import class_name, legal
from archspec_torch.site import NotALayer, Site, alone

FRESH = (ops.Conv, ops.DwConv, ops.Linear, ops.BatchNorm)
"""Operators whose value is memory of its own, which their gradients do not look at."""


def build(
    graph: Graph,
    *,
    seed: int = 0,
    weights: Mapping[str, Any] | None = None,
    device: str | torch.device = "cpu",
    dtype: str | torch.dtype = torch.float32,
) -> nn.Module:
    """The module of a Graph, in training mode as torch's own models are.

    One for inference is in evaluation mode, and has the weights of its convolutions laid out so that they compute in
    the layout channels_last.

    It takes N×C×H×W (or N×C) and gives its output, a vector as N×C; where the Graph has further outputs, a tuple: the
    output, then the others in the order of `graph.given`. Outputs of training alone are given in training mode; in
    evaluation mode nothing of them is computed, and the tuple is without them. The weights of node
    `row_3/bottleneck_2/dwconv` are at `row_3.bottleneck_2.dwconv.weight`. They are drawn as the Graph's `init` says,
    with `seed`, or else copied from `weights`, arrays for every name in `graph.tensors()`; on device `meta` they have
    no values. Raises `Unsupported`, or `BackendError` for a Graph whose scopes cannot be modules.
    """
    numbers, place = type_of(dtype), torch.device(device)
    if place.type == "meta":
        weights = {}
    given = draw(graph, seed) if weights is None else weights.items()
    made, names = Builder(graph, place, numbers).run()
    if place.type != "meta":
        fill(made, names, given, copy=weights is not None)
    if graph.inference:
        made.eval()
        made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # which the stub does not know
    return made


def type_of(dtype: str | torch.dtype) -> torch.dtype:
    """A type of numbers by its name; raises `BackendError`."""
    found = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise BackendError(f"torch has no floating-point type `{dtype}`")
    return found


@torch.no_grad()
def fill(model: nn.Module, names: dict[str, str], weights: Iterable[tuple[str, Any]], copy: bool) -> None:
    """Give arrays, by their canonical names, to the tensors of a module; counters of batches begin at 0.

    Unless they are to be copied, the tensors lie in the memory of the arrays where their types and devices agree.
    """
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    for key, tensor in tensors.items():
        if key.endswith("num_batches_tracked"):
            tensor.zero_()
    for name, values in weights:
        path, _, own = name.rpartition(".")
        tensor, array = tensors[f"{names[path]}.{own}"], torch.from_numpy(values)
        if copy or array.dtype != tensor.dtype or array.device != tensor.device:
            tensor.copy_(array)
        else:
            tensor.data = array


def canonical(model: nn.Module, names: dict[str, str]) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of a module by their canonical names, in the canonical layouts, which are torch's own."""
    modules = dict(model.named_modules())
    for path, module in names.items():
        layer = modules.get(module)
        for name, tensor in layer.state_dict().items() if layer is not None else ():
            if name != "num_batches_tracked":
                yield f"{path}.{name}", tensor


class Builder:
    """Builds the modules of one Graph, the innermost first."""

    def __init__(self, graph: Graph, device: str | torch.device = "meta", dtype: torch.dtype = torch.float32) -> None:
        self.graph = graph
        self.tensors = {"device": device, "dtype": dtype}
        self.names: dict[str, str] = {}
        """path of a node to the name of its module"""
        self.training = {path.partition("/")[0] for path in graph.only_in_training()}
        """the scopes that training alone computes"""
        self.users = Counter([*(path for node in graph.nodes for path in node.inputs), *graph.outputs.values()])

    def overwrites(self, node: Node) -> bool:
        """Whether a node may put its value where its first input's is: no other node needs that, nor does a gradient.

        What its scope is given is left as it is: that scope may be called by itself.
        """
        source = self.graph.by_path[node.inputs[0]]
        joins = isinstance(source.op, (ops.Add, ops.Concat)) and len(source.inputs) > 1
        fresh = self.users[source.path] == 1 and (joins or isinstance(source.op, FRESH))
        return fresh and f"/{source.path}".startswith(f"/{node.scope}/" if node.scope else "/")

    def run(self) -> tuple[nn.Module, dict[str, str]]:
        try:
            root = levels(self.graph)
        except Entangled as error:
            raise BackendError(f"the scopes cannot be modules: {error}") from None
        return self.level(root, ""), self.names

    def level(self, level: Level, prefix: str) -> nn.Module:
        """The module of a scope, whose own name is `prefix`."""
        if in_a_row(level):
            with suppress(NotALayer):
                return self.row(level, prefix)
        owner, graph = nn.Module(), fx.Graph()
        siblings: set[str] = set()
        scopes: dict[str, nn.Module] = {}
        named = [(legal(child.name, siblings), child) for child in level.children]
        values = {path: graph.placeholder(placeholder(i, level)) for i, path in enumerate(level.inputs)}
        only = InTraining(graph, owner, siblings) if self.graph.training and not level.path else None
        for name, child in named:
            if isinstance(child, Level):
                scopes[name] = self.level(child, f"{prefix}{name}.")
                owner.add_module(name, nn.Module())
                training = only is not None and child.path in self.training
                values |= self.call(graph, name, child, values, only if training else None)
            else:
                site = Site(graph, owner, name, self.overwrites(child), self.tensors)
                values[child.path] = site.run(self.pieces(child), [values[path] for path in child.inputs])
                self.names[child.path] = prefix + name
        outputs = [values[path] for path in level.outputs]
        graph.output(together(outputs) if only is None else only.outputs(outputs, len(self.graph.training)))
        made = fx.GraphModule(owner, graph, class_name(level.label))
        # only now: a GraphModule compiles again those that it is made of
        for name, module in scopes.items():
            made.add_module(name, module)
        return made

    def row(self, level: Level, prefix: str) -> nn.Module:
        """The same for layers in a row, without a graph; raises `NotALayer` where an operator is more than one."""
        siblings: set[str] = set()
        children = [(legal(child.name, siblings), child) for child in level.children]
        # the scopes within come last, so that none is built twice
        layers = {
            name: alone(self.pieces(child), self.overwrites(child), self.tensors)
            for name, child in children
            if not isinstance(child, Level)
        }
        for name, child in children:
            if isinstance(child, Level):
                layers[name] = self.level(child, f"{prefix}{name}.")
            else:
                self.names[child.path] = prefix + name
        return nn.Sequential(OrderedDict((name, layers[name]) for name, _ in children))

    def pieces(self, node: Node) -> Iterator[Piece]:
        return pieces(node, self.graph.input_shapes(node))

    def call(
        self, graph: fx.Graph, name: str, child: Level, values: dict[str, fx.Node], only: "InTraining | None"
    ) -> dict[str, fx.Node]:
        """What the module of an inner scope gives; nothing in evaluation mode, if `only` training computes it."""
        inputs = tuple(values[path] for path in child.inputs)
        out = only.call(name, inputs, len(child.outputs)) if only else graph.call_module(name, inputs)
        found = {
            path: graph.call_function(operator.getitem, (out, position)) if len(child.outputs) > 1 else out
            for position, path in enumerate(child.outputs)
        }
        if only:
            only.made.update(found.values())
        return found


class InTraining:
    """Says in a graph what is computed in training mode alone.

    A graph has no `if`, and one that is loaded is traced anew, whereby a mode would be taken for a constant. What a
    module gives is never taken for one: here an `nn.Identity` gives out itself, whose mode is then looked up, and pairs
    of modules and of values, of which the mode picks one.
    """

    def __init__(self, graph: fx.Graph, owner: nn.Module, siblings: set[str]) -> None:
        self.graph, self.owner, self.siblings = graph, owner, siblings
        self.made: set[fx.Node] = set()
        """values that are nothing in evaluation mode"""
        self.name = self.added("in_training", nn.Identity())
        self.module = graph.get_attr(self.name)
        self.mode = graph.call_function(getattr, (graph.call_module(self.name, (self.module,)), "training"))

    def added(self, name: str, module: nn.Module) -> str:
        found = legal(name, self.siblings)
        self.owner.add_module(found, module)
        return found

    def either(self, evaluation: Any, training: Any) -> fx.Node:
        """The first in evaluation mode, the second in training mode."""
        both = self.graph.call_module(self.name, ((evaluation, training),))
        return self.graph.call_function(operator.getitem, (both, self.mode))

    def kept(self, value: fx.Node) -> fx.Node:
        """A value in training mode; nothing in evaluation mode, in which it would be held until the heads are due."""
        if value in self.made:
            return value
        with self.graph.inserting_after(self.mode if value.op == "placeholder" else value):
            both = self.graph.call_module(self.name, ((None, value),))
        with self.graph.inserting_after(both):
            return self.graph.call_function(operator.getitem, (both, self.mode))

    def call(self, name: str, inputs: Iterable[fx.Node], outputs: int) -> fx.Node:
        """What a module gives in training mode; in evaluation mode nothing, as often as it has outputs."""
        given = [self.kept(value) for value in inputs]
        nothing = self.module
        if (len(given), outputs) != (1, 1):
            graph = fx.Graph()
            first, *_ = [graph.placeholder(f"x{position}") for position in range(len(given))]
            graph.output(together([first] * outputs))
            nothing = self.graph.get_attr(self.added(f"without_{name}", fx.GraphModule(nn.Module(), graph)))
        # not `__call__`: a GraphModule has one of its own, which torch.compile does not look into
        return self.graph.call_method("_call_impl", (self.either(nothing, self.graph.get_attr(name)), *given))

    def outputs(self, values: list[fx.Node], training: int) -> fx.Node:
        """What the network gives, whose last outputs are those of training."""
        always, last = values[:-training], values[-training:]
        return self.either(together(always), (*always, *map(self.kept, last)))


def together(values: list[fx.Node]) -> fx.Node | tuple[fx.Node, ...]:
    """What a module of these outputs gives."""
    return values[0] if len(values) == 1 else tuple(values)


def placeholder(position: int, level: Level) -> str:
    """Name of an argument of `forward`."""
    return "x" if position == 0 else f"x{position}"


def in_a_row(level: Level) -> bool:
    """Whether each child takes what the one before it gives, and nothing else."""
    value = level.inputs
    for child in level.children:
        if list(child.inputs) != value or len(value) != 1:
            return False
        value = child.outputs if isinstance(child, Level) else [child.path]
    return bool(level.children) and value == level.outputs


# ---- what a model gives, and what torch counts of it ----


@torch.no_grad()
def run(model: nn.Module, graph: Graph, images: Any) -> dict[str, Any]:
    """The outputs of a module in evaluation, by name; arrays N×h×w×c or N×c, in and out."""
    names = list(graph.in_evaluation().given)
    some = next(model.parameters(), torch.zeros(()))
    x = torch.from_numpy(images).to(some.device)
    with evaluating(model):
        found = model(x.permute(0, 3, 1, 2) if x.dim() == 4 else x)
    outputs = found if isinstance(found, tuple) else (found,)
    laid = (value.permute(0, 2, 3, 1) if value.dim() == 4 else value for value in outputs)
    return {name: value.cpu().numpy() for name, value in zip(names, laid, strict=True)}


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode for a while; every module keeps its own."""
    training = {module: module.training for module in model.modules()}
    try:
        model.eval()
        yield
    finally:
        for module, mode in training.items():
            module.training = mode


def measure(model: nn.Module, graph: Graph) -> Measured:
    """Elements of the parameters, and half of the operations that torch counts for one image."""
    some = next(model.parameters(), torch.zeros(()))
    image = torch.zeros((1, *graph.input.shape), dtype=some.dtype).numpy()
    with FlopCounterMode(display=False) as counter:
        run(model, graph, image)
    return Measured(sum(p.numel() for p in model.parameters()), counter.get_total_flops() // 2)


def keys(graph: Graph) -> dict[str, str]:
    """Canonical names to keys of the `state_dict`."""
    names = Builder(graph).run()[1]
    parted = ((name, *name.rsplit(".", 1)) for name in graph.tensors())
    return {name: f"{names[path]}.{tensor}" for name, path, tensor in parted}


# ---- files ----


def save(model: nn.Module, graph: Graph, path: Path) -> None:
    """Write a module in the form that the suffix says; raises `BackendError` or `OSError`."""
    encode = ENCODERS.get(path.suffix)
    if encode is None:
        raise BackendError(f"the torch backend does not save as {path.suffix or 'a file without suffix'}")
    with whole_file(path) as temporary:
        # Not torch's own writer: on a full disk it raises no OSError, or aborts the process; and it writes the
        # temporary name into the file, so that equal models would differ.
        temporary.write_bytes(encode(model, graph))


def encode_state(model: nn.Module, graph: Graph) -> bytes:
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    return buffer.getvalue()


def encode_module(model: nn.Module, graph: Graph) -> bytes:
    buffer = io.BytesIO()
    torch.save(model, buffer)
    return buffer.getvalue()


def encode_safetensors(model: nn.Module, graph: Graph) -> bytes:
    names = Builder(graph).run()[1]
    return encode({name: array(name, tensor.cpu()) for name, tensor in canonical(model, names)}, graph)


def encode_program(model: nn.Module, graph: Graph) -> bytes:
    buffer = io.BytesIO()
    torch.export.save(exported(model, graph), buffer)
    return buffer.getvalue()


ENCODERS: dict[str, Callable[[nn.Module, Graph], bytes]] = {
    ".pth": encode_state,
    ".pt": encode_module,
    ".safetensors": encode_safetensors,
    ".pt2": encode_program,
}


def exported(model: nn.Module, graph: Graph) -> torch.export.ExportedProgram:
    """The model in evaluation mode as a program of any batch size; every module keeps its own mode."""
    *sides, channels = graph.input.shape
    some = next(model.parameters(), torch.zeros(()))
    example = torch.zeros(2, channels, *sides, dtype=some.dtype, device=some.device)
    with evaluating(model):
        return torch.export.export(model, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
