"""Operators -> layers of the written file: `lower`, with a recorder in place of Keras.

What is recorded is what a model in float32 is built of, so the two cannot part. What Keras takes by default is left
out. The few operators that take several layers at every size are functions of the file instead.
"""

from collections.abc import Callable, Iterator
from functools import partial
from inspect import Parameter, signature
from typing import Any

from archspec import ops
from archspec.emit.calls import REQUIRED, Argument, Call, Code, Constant
from archspec.emit.steps import Piece, Role
from archspec.graph import Node
from archspec.tensor import Shape
from archspec_keras.lower import lower
from archspec_keras.names import layer_name
from archspec_keras.site import Site
from archspec_keras.source_functions import SEVERAL

BY_PLACE = {
    "Conv2D": ("filters", "kernel_size"), "DepthwiseConv2D": ("kernel_size",), "Dense": ("units",),
    "Activation": ("activation",), "Dropout": ("rate",), "MaxPooling2D": ("pool_size",),
    "AveragePooling2D": ("pool_size",), "ZeroPadding2D": ("padding",), "Cropping2D": ("cropping",),
    "Reshape": ("target_shape",), "Permute": ("dims",), "UpSampling2D": ("size",), "GroupNormalization": ("groups",),
    "Rescaling": ("scale",),
}  # fmt: skip
"""What a layer is given by place."""
KINDS = {
    "filters": "channels", "units": "channels", "kernel_size": "kernel", "pool_size": "kernel", "strides": "stride",
    "padding": "padding", "dilation_rate": "dilation", "groups": "groups", "rate": "rate", "activation": "activation",
}  # fmt: skip
UNSAID = frozenset({"name", "dtype", "data_format", "seed"})
"""What a file leaves to Keras' settings, and what is drawn while training to chance."""
ACTIVATIONS: dict[type[ops.Op], str] = {ops.Relu: "relu", ops.Relu6: "relu6"}
"""Activations that `lower` builds of another layer, as a word, so that a block can be given them or any other."""


class Traced:
    """A value by its place: among the inputs of a node, and after them the layers that were applied."""

    def __init__(self, place: int) -> None:
        self.place = place


class Recorder(Site):
    """Takes down the layers of a node."""

    def __init__(self, node: Node, inputs: int) -> None:
        super().__init__(node, "float32", 0)
        self.inputs = inputs
        self.pieces: list[Piece] = []

    def layer(self, kind: Callable[..., Any], x: Any, helps: str | None = None, **options: Any) -> Any:
        given: tuple[Any, ...] = ()
        made: object = kind
        if isinstance(made, partial):
            kind, given, options = made.func, made.args, {**made.keywords, **options}
        name = kind.__name__
        for place, value in zip(BY_PLACE.get(name, ()), given, strict=False):
            options[place] = value
        defaults = signature(kind).parameters
        kept = {key: value for key, value in options.items() if said(key, value)}
        arguments = [argument(name, key, value, options, defaults) for key, value in kept.items()]
        return self.taken(Call(f"layers.{name}", in_order(name, arguments)), x, helps)

    def operation(self, function: Callable[..., Any], x: Any, helps: str | None = None, **options: Any) -> Any:
        arguments = tuple(Argument(key, constant(value), by_name=True) for key, value in options.items())
        return self.taken(Call(f"keras.ops.{function.__name__}", arguments), x, helps)

    def taken(self, call: Call, x: Any, helps: str | None) -> Traced:
        suffix = self.name(helps).removeprefix(layer_name(self.node.path))
        several = isinstance(x, list)
        takes = tuple(value.place for value in (x if several else [x]))
        self.pieces.append(Piece(self.role(helps), call, SEVERAL if several else "", suffix, takes))
        return Traced(self.inputs + len(self.pieces) - 1)

    def role(self, helps: str | None) -> Role:
        if helps is not None:
            return "other"
        return "concat" if self.node.op.kind == "concat" else "join" if self.node.op.kind in {"add", "mul"} else "other"


def pieces(node: Node, shapes: tuple[Shape, ...]) -> Iterator[Piece]:
    """The steps of a node with inputs of these shapes, its own last; raises `Unsupported`."""
    made = special(node.op, shapes)
    if made is not None:
        yield Piece("other", made)
        return
    recorder = Recorder(node, len(shapes))
    lower(node.op, recorder, shapes, *map(Traced, range(len(shapes))))
    yield from recorder.pieces


def special(op: ops.Op, shapes: tuple[Shape, ...]) -> Call | None:
    """What is written otherwise than `lower` says it: the same layers, as a function or with first weights."""
    if type(op) in ACTIVATIONS:
        return Call("layers.Activation", (Argument("activation", ACTIVATIONS[type(op)], "activation"),))
    match op:
        case ops.Shuffle():
            return Call("channel_shuffle", (Argument("groups", op.groups),))
        case ops.Split():
            size = shapes[0][-1] // op.parts
            ends = Argument("start", op.index * size, "channels"), Argument("stop", (op.index + 1) * size, "channels")
            return Call("channels", ends)
        case ops.Slice():
            return Call("channels", (Argument("start", op.start, "channels"), Argument("stop", op.stop, "channels")))
        case ops.LayerScale():
            return Call("layer_scale", (Argument("init", op.init),))
        case ops.LocalResponseNorm():
            values = {"size": op.size, "alpha": op.alpha, "beta": op.beta, "k": op.k}
            return Call("local_response_norm", tuple(Argument(key, value) for key, value in values.items()))
        case ops.PRelu():
            rank = len(shapes[0])
            axes = tuple(range(1, rank + 1 if op.shared else rank))
            first = Code(f"keras.initializers.Constant({op.slope!r})")
            shared = Argument("shared_axes", axes or None, default=None, by_name=True)
            return Call("layers.PReLU", (Argument("alpha_initializer", first, by_name=True), shared))
    return None


def said(key: str, value: Any) -> bool:
    """Whether an option is written: what is drawn is left to Keras."""
    return key not in UNSAID and not (key.endswith("_initializer") and value == "zeros")


def argument(layer: str, key: str, value: Any, options: dict[str, Any], defaults: Any) -> Argument:
    default: Any = defaults[key].default if key in defaults else Parameter.empty
    if key == "strides" and "pool_size" in options:
        default = options["pool_size"]
    kind = "sides" if layer in {"ZeroPadding2D", "Cropping2D"} else KINDS.get(key, "other")
    by_name = key not in BY_PLACE.get(layer, ())
    needed = default is Parameter.empty or not by_name
    as_one = around if kind == "sides" else plain
    return Argument(key, as_one(value), kind, REQUIRED if needed else plain(default), by_name)


def in_order(layer: str, arguments: list[Argument]) -> tuple[Argument, ...]:
    places = BY_PLACE.get(layer, ())
    return tuple(sorted(arguments, key=lambda a: places.index(a.name) if a.name in places else len(places)))


def plain(value: Any) -> Constant:
    """A value as a constant; a pair as one number where that says the same."""
    if isinstance(value, list | tuple):
        parts = tuple(map(plain, value))
        return parts[0] if len(parts) == 2 and parts[0] == parts[1] else parts  # type: ignore[return-value]
    return constant(value)


def around(value: Any) -> Constant:
    """Rows and columns at the sides of a map, (top, bottom), (left, right), as Keras takes them in fewer numbers."""
    down, across = value
    if down[0] != down[1] or across[0] != across[1]:
        return constant(value)
    return down[0] if down == across else (down[0], across[0])


def constant(value: Any) -> Constant:
    if isinstance(value, list | tuple):
        return tuple(constant(part) for part in value)  # type: ignore[misc]
    assert value is None or isinstance(value, bool | int | float | str), value
    return value
