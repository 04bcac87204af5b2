"""What torch allocates when it runs the models that we build, to the byte.

Storages are counted as they come and go, after every operator that torch dispatches. The model is taken as one flat
function (torch.fx), which lets go of a value after its last use. As it is built, of modules within modules, it holds
more: a call of a module holds what it was given until it returns, which is computed here from the Graph's scopes.
As it is built, it writes some values over others, too; that is turned off except for the last test.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
import torch
from torch import fx, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import archspec
from archspec.backend import Builds, get
from archspec.graph import Graph, Node
from archspec.hierarchy import left, place_of
from archspec.memory import best_order, liveness, peak, storages
from archspec.tensor import BYTES

NUMBER = BYTES["fp32"]
slow = pytest.mark.slow
NETWORKS = pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v2", "resnet18", "googlenet", "alexnet", "shufflenet_v2_x1_0",
        *(pytest.param(name, marks=slow) for name in (
            "vgg16", "resnet50", "densenet121", "inception_v3", "convnext_tiny", "efficientnet_b0", "squeezenet1_1",
            "mobilenet_v3_large", "regnet_y_400mf", "regnet_x_16gf",
        )),
    ],
)  # fmt: skip


@dataclass
class Step:
    """An operator of torch that wrote to new memory: all that is alive then, in bytes."""

    name: str
    alive: int
    new: list[int] = field(default_factory=list)


class Storages(TorchDispatchMode):
    """Counts the bytes of all storages that operators make, and of the image, while they are referred to."""

    def __init__(self, image: torch.Tensor, model: nn.Module) -> None:
        super().__init__()
        self.weights = {tensor.untyped_storage()._cdata for tensor in (*model.parameters(), *model.buffers())}
        self.there: dict[int, tuple[Any, int]] = {}
        self.steps: list[Step] = []
        self.add(image)

    def add(self, tensor: torch.Tensor) -> int | None:
        """The bytes of a tensor's storage if it is a new one."""
        storage = tensor.untyped_storage()
        if storage._cdata in self.weights or storage._cdata in self.there:
            return None
        self.there[storage._cdata] = StorageWeakRef(storage), storage.nbytes()
        return storage.nbytes()

    def __torch_dispatch__(self, call: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.there = {key: found for key, found in self.there.items() if not found[0].expired()}
        result = call(*args, **(kwargs or {}))
        new = [self.add(leaf) for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
        made = [size for size in new if size]
        if made:
            self.steps.append(Step(str(call), sum(size for _, size in self.there.values()), made))
        return result

    @property
    def peak(self) -> int:
        return max(step.alive for step in self.steps)


def flat(model: nn.Module) -> Callable[[torch.Tensor], object]:
    """The model as one function that lets go of its argument, too."""
    traced = fx.symbolic_trace(model)
    image = next(iter(traced.graph.nodes))
    image.target = image.name  # `input` is no name that its code sets to None
    traced.recompile()
    return traced.forward


def run(call: Callable[[torch.Tensor], object], graph: Graph, model: nn.Module) -> Storages:
    height, width, channels = graph.input.shape
    image = [torch.zeros(1, channels, height, width)]
    with torch.inference_mode(), Storages(image[0], model) as found:
        call(image.pop())
    return found


def apart(model: Any) -> Any:
    """A model every value of which has memory of its own."""
    for module in model.modules():
        if getattr(module, "inplace", False):
            module.inplace = False
        if isinstance(module, fx.GraphModule):
            for node in module.graph.nodes:
                node.target = operator.add if node.target is operator.iadd else node.target
            module.recompile()
    return model


@cache
def counted(name: str) -> tuple[Graph, Storages, Storages]:
    """A network; what torch allocates when it runs flat, and as it is built."""
    graph = archspec.load(name).elaborate().in_evaluation()
    model = apart(archspec.build(name).eval())
    return graph, run(flat(model), graph, model), run(model, graph, model)


@NETWORKS
def test_the_peak_is_what_torch_allocates_at_its_peak(name: str) -> None:
    graph, found, _ = counted(name)
    assert found.peak == peak(graph).numbers * NUMBER


@NETWORKS
def test_every_layer_has_alive_what_torch_has(name: str) -> None:
    graph, found, _ = counted(name)
    memory = storages(graph)
    ours = [alive * NUMBER for alive, size in zip(liveness(memory), memory.size, strict=True) if size]
    assert [step.alive - temporary(step) for step in found.steps] == ours[1:]  # the first is the image


@pytest.mark.parametrize("name", ["shufflenet_v2_x2_0", pytest.param("regnet_x_16gf", marks=slow)])
def test_torch_needs_less_in_the_best_order(name: str) -> None:
    graph = archspec.load(name).elaborate()
    best = best_order(graph)
    ordered = reordered(graph, best.order)
    model = apart(get("torch", Builds).build(ordered).eval())
    found = run(flat(model), ordered, model)
    assert found.peak == best.peak.numbers * NUMBER < peak(graph).numbers * NUMBER


def reordered(graph: Graph, order: Sequence[str]) -> Graph:
    """The network without its scopes, so that its nodes can stand in any order."""
    plain = {path: path.replace("/", "_") for path in order}
    nodes = tuple(
        node.model_copy(update={"path": plain[node.path], "inputs": tuple(plain[path] for path in node.inputs)})
        for node in map(graph.by_path.__getitem__, order)
    )
    return Graph(name="Net", nodes=nodes, outputs={name: plain[path] for name, path in graph.outputs.items()})


def temporary(step: Step) -> int:
    """What an operator of torch gives out that nobody takes.

    A max pooling gives the places of the maxima, a normalisation of layers the statistics.
    """
    return sum(step.new[1:])


@NETWORKS
def test_modules_hold_what_they_were_given_until_they_return(name: str) -> None:
    graph, _, found = counted(name)
    assert found.peak == max(held(graph)) * NUMBER


def held(graph: Graph) -> list[int]:
    """The numbers alive while each node computes, if each call of a module holds what it was given."""
    memory = storages(graph)
    place = {node.path: position for position, node in enumerate(graph.nodes)}
    end = {scope: place[node.path] for node in graph.nodes for scope in scopes(node)}
    until = list(range(len(graph.nodes)))
    until[0] = len(graph.nodes)  # the whole network was given the image
    for node in graph.nodes:
        for path in node.inputs:
            entered = next(iter(left(node.path, place_of(path, graph))), None)
            storage = memory.of[place[path]]
            until[storage] = max(until[storage], place[node.path] if entered is None else end[entered])
    for path in graph.outputs.values():
        until[memory.of[place[path]]] = len(graph.nodes)
    return [
        sum(size for size, last in zip(memory.size[: now + 1], until, strict=False) if last >= now)
        for now in range(len(graph.nodes))
    ]


def scopes(node: Node) -> Iterator[str]:
    parts = node.path.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


@NETWORKS
def test_a_model_that_overwrites_lies_between_both_figures(name: str) -> None:
    graph = archspec.load(name).elaborate()
    model = archspec.build(name).eval()
    found = run(flat(model), graph, model).peak
    assert peak(graph, in_place=True).numbers * NUMBER <= found <= peak(graph).numbers * NUMBER
