"""What `lower` says of an operator -> a layer of torch's own, or steps of a scope's graph.

A saved module loads without archspec, so none of its layers is a helper of `layers`: what a helper's `forward` does
becomes steps of the graph, and the class of torch's that it extends is that of its layer.
"""

import operator
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from inspect import signature
from types import CodeType
from typing import Any

from torch import fx, nn
from torch.fx.node import map_aggregate
from torch.fx.proxy import GraphAppendingTracer

from archspec.emit.calls import Call
from archspec.emit.steps import Piece
from archspec_torch import layers

Tensors = Mapping[str, Any]
"""Device and type of weights."""


class NotALayer(Exception):
    """An operator is more than one layer."""


# ---- layers ----


@cache
def vacant(kind: type[nn.Module]) -> type[nn.Module]:
    """The class of a layer while it is made: its weights are left as they are, since they are given others.

    Its `forward`, which a helper calls as that of its `super()`, is a step of a graph.
    """
    own = next(base for base in kind.__mro__ if base.__module__.startswith("torch."))
    made = type(own.__name__, (own,), {"own": own, "reset_parameters": lambda layer: None, "forward": applied})
    return made if kind is own else type(kind.__name__, (kind, made), {})


def applied(layer: nn.Module, x: fx.Proxy) -> fx.Proxy:
    assert isinstance(x.tracer, Helped)
    return x.tracer.proxy(x.tracer.site.module(layer, x.node))


@cache
def found(name: str) -> tuple[Callable[..., Any], frozenset[str]]:
    """What a name of a written file means, and what it takes if it is a class."""
    _, of_torch, own = name.rpartition("nn.")
    thing = getattr(nn if of_torch else layers, own)
    return (vacant(thing), frozenset(signature(thing).parameters)) if isinstance(thing, type) else (thing, frozenset())


def constructed(call: Call, options: Mapping[str, Any]) -> Any:
    """What a call makes, given those of the options that it takes and does not say."""
    make, takes = found(call.function if isinstance(call.function, str) else call.function.text)
    given = {name: options[name] for name in options if name in takes}
    by_place = []
    for argument in call.arguments:
        value = argument.value
        if type(value) is Call:
            value = constructed(value, options)
        if argument.by_name:
            given[argument.name] = value
        else:
            by_place.append(value)
    return make(*by_place, **given)


def layer_of(piece: Piece, overwrites: bool, tensors: Tensors) -> Any:
    """The layer of a step, of the class that it has while it is made."""
    assert piece.call is not None
    return constructed(piece.call, {**tensors, "inplace": overwrites} if piece.role == "activation" else tensors)


def settled(layer: Any) -> nn.Module:
    """A layer that is made, as one of torch's own class."""
    object.__setattr__(layer, "__class__", layer.own)
    return layer  # type: ignore[no-any-return]


def helps(layer: Any) -> bool:
    """Whether a layer is a helper's."""
    return layer.own not in type(layer).__bases__


def alone(pieces: Iterable[Piece], overwrites: bool, tensors: Tensors) -> nn.Module:
    """An operator that is one layer of torch; raises `NotALayer`."""
    piece, *more = pieces
    if more or piece.call is None:
        raise NotALayer
    layer = layer_of(piece, overwrites, tensors)
    if helps(layer):
        raise NotALayer
    return settled(layer)


# ---- steps of a graph ----


class Term(fx.Proxy):
    """A value in the text of a step; what is added to one that nothing else needs takes its place."""

    def __init__(self, node: fx.Node, tracer: GraphAppendingTracer, fresh: bool) -> None:
        super().__init__(node, tracer)
        self.fresh = fresh

    def __add__(self, other: fx.Proxy) -> fx.Proxy:
        add = operator.iadd if self.fresh else operator.add
        return self.tracer.proxy(self.tracer.graph.call_function(add, (self.node, other.node)))

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> fx.Proxy:
        """The same as a proxy's own, in a third of its time where a dense block joins many."""
        first, *_ = args[0] if isinstance(args[0], list) else args
        given = map_aggregate((args, kwargs or {}), lambda part: part.node if isinstance(part, fx.Proxy) else part)
        return first.tracer.proxy(first.tracer.graph.call_function(function, *given))  # type: ignore[no-any-return]


class Terms(GraphAppendingTracer):
    """Adds to a graph what a text says; each value that it makes is used once."""

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return Term(node, self, fresh=True)


@cache
def compiled(function: str, inputs: int) -> CodeType:
    """The text of a step, whose inputs are called `x0`, `x1` and so on."""
    return compile(function.format(*(f"x{position}" for position in range(inputs))), "<step>", "eval")


class Site:
    """Where a node is built: adds to the graph of its scope, and to the scope's module under the node's name."""

    def __init__(self, graph: fx.Graph, owner: nn.Module, name: str, overwrites: bool, tensors: Tensors) -> None:
        self.graph, self.owner, self.name, self.overwrites, self.tensors = graph, owner, name, overwrites, tensors

    def run(self, pieces: Iterable[Piece], inputs: list[fx.Node]) -> fx.Node:
        """The value of a node of these steps."""
        for piece in pieces:
            # what helps the node's own layer is a function where it can be: it has no name in the Graph
            step = self.function if piece.call is None or piece.suffix else self.layer
            inputs = [step(piece, *inputs)]
        return inputs[0]

    def layer(self, piece: Piece, x: fx.Node) -> fx.Node:
        layer = layer_of(piece, self.overwrites, self.tensors)
        return self.helped(layer, x) if helps(layer) else self.module(layer, x)

    def module(self, layer: nn.Module, x: fx.Node) -> fx.Node:
        self.owner.add_module(self.name, settled(layer))
        return self.graph.call_module(self.name, (x,))

    def helped(self, layer: nn.Module, x: fx.Node) -> fx.Node:
        """What a helper does; what it holds that no layer of torch does is kept under the node's name."""
        tracer = Helped(self)
        held = dict(layer.to(**self.tensors).named_parameters()) if layer.own is nn.Module else {}
        if held:
            self.owner.add_module(self.name, nn.Module())
        for name, value in held.items():
            self.owner.get_submodule(self.name).register_parameter(name, value)
            vars(layer)[name] = tracer.proxy(self.graph.get_attr(f"{self.name}.{name}"))
        return layer.forward(tracer.proxy(x)).node  # type: ignore[no-any-return]

    def function(self, piece: Piece, *inputs: fx.Node) -> fx.Node:
        """What the text says that stands for a step in a written file."""
        tracer, first = Terms(self.graph), inputs[0] if self.overwrites else None
        values = {f"x{position}": Term(node, tracer, node is first) for position, node in enumerate(inputs)}
        made = eval(compiled(piece.function, len(inputs)), vars(layers), values)
        return (made[piece.part] if piece.parts else made).node  # type: ignore[no-any-return]


class Helped(GraphAppendingTracer):
    """Adds to a graph what a helper does at a site."""

    def __init__(self, site: Site) -> None:
        super().__init__(site.graph)
        self.site = site
