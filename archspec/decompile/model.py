"""What a reader makes of a framework's model: a flat `Graph`, and the tensors that belong to it.

A reader adds operators in the order of computation; each stands in the modules of the source that it came from. What
has no operator in the language is noted, and all of it is reported at once.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from msgspec import Struct

from archspec.backend import Backend, ability
from archspec.errors import Refusal
from archspec.graph import Graph, Location, Node, Scope
from archspec.ops import AnyOp, Input
from archspec.printable import printable
from archspec.tensor import Shape

MOST_SHOWN = 100
"""Places of one kind of trouble that are named."""
LONGEST = 60
KEYWORDS = frozenset({"x", "and", "or", "not", "if", "else", "as", "true", "false", "none"})
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]+")


class CannotSay(Refusal):
    """A model has something that no operator of the language is exactly."""


class Unreadable(Refusal):
    """A source is not a model that can be read, or it is of another kind."""


class Tensor(Struct, frozen=True):
    """A tensor of the source."""

    key: str
    """what the source calls it"""
    array: Callable[[], Any]
    """gives it as an array in the canonical layout"""
    memory: object = None
    """what it shares with tensors of other names that are the same one"""
    direct: bool = False
    """whether files of the source have it under this key in the canonical layout"""


class Module(Struct, frozen=True):
    """A module of the source around an operator."""

    name: str
    """its own name, unique within the module around it: `0`, `conv1`"""
    of: str = ""
    """what it is an instance of: `BasicBlock`; empty where it only holds others"""


class Model(Struct, frozen=True):
    """A model, read."""

    origin: str
    """where it came from, for people"""
    graph: Graph
    """flat: every scope is a module of the source, of kind `block` where it has a class of its own"""
    tensors: Mapping[str, Tensor]
    """by the canonical names of `graph`"""
    notes: tuple[str, ...] = ()
    """what a reader of the text should know"""
    loose: bool = False
    """whether modules that are made alike may have names of their own: they are instances of one all the same"""


@ability("reads no models")
class Decompiles(Backend, Protocol):
    """A backend that reads its framework's models."""

    def decompile(self, source: str, **options: Any) -> Model:
        """The model that a source names; raises `Refusal` or `OSError`."""
        ...


@dataclass(slots=True)
class Builder:
    """Collects the operators of one model."""

    name: str
    origin: str
    input_shape: Shape
    nodes: list[Node] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)
    scopes: dict[str, Scope] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    troubles: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """an operator and why the language cannot express it, to the places where it stands"""
    counts: Counter[str] = field(default_factory=Counter)
    """of paths, the last number that made one of its own of it"""

    def __post_init__(self) -> None:
        self.place("input", Input(shape=self.input_shape), (), self.input_shape)

    @property
    def input(self) -> str:
        return "input"

    @property
    def location(self) -> Location:
        return Location(file=self.origin, line=1, column=1, end_line=1, end_column=1)

    def trouble(self, what: str, where: str, why: str = "") -> None:
        """Note what the language cannot express, and where it is."""
        self.troubles.setdefault((what, why), []).append(where)

    def place(self, path: str, op: AnyOp, inputs: tuple[str, ...], shape: Shape) -> None:
        self.nodes.append(Node(path=path, op=op, inputs=inputs, shape=shape, span=self.location))
        self.shapes[path] = shape

    def add(
        self,
        op: AnyOp,
        inputs: Sequence[str],
        name: str,
        modules: Sequence[Module] = (),
        tensors: Mapping[str, Tensor] | None = None,
    ) -> str:
        """One operator; the path of its node. Raises `Misfit` where its inputs do not suit it."""
        given = tuple(self.shapes[path] for path in inputs)
        scope = self.scope(modules)
        path = self.fresh(f"{scope}/{legal(name)}" if scope else legal(name))
        shape = op.infer(*given)
        self.place(path, op, tuple(inputs), shape)
        wanted = {**op.weights(*given), **op.buffers(*given)}
        given_tensors = dict(tensors or {})
        assert wanted.keys() == given_tensors.keys(), (op.kind, path)
        self.tensors |= {f"{path}.{name}": tensor for name, tensor in given_tensors.items()}
        return path

    def fresh(self, path: str) -> str:
        """A path that no node has yet."""
        found = path
        while found in self.shapes:
            self.counts[path] = max(2, self.counts[path] + 1)
            found = f"{path}_{self.counts[path]}"
        return found

    def scope(self, modules: Sequence[Module]) -> str:
        """The path of the innermost of these modules."""
        path = ""
        for module in modules:
            name = legal(module.name)
            path = f"{path}/{name}" if path else name
            if path not in self.scopes:
                kind = "block" if module.of else "group"
                self.scopes[path] = Scope(
                    path=path, kind=kind, label=module.of or module.name, name=module.of, span=self.location
                )
        return path

    def finish(self, outputs: Mapping[str, str], notes: Sequence[str] = (), loose: bool = False) -> Model:
        """The model; raises `CannotSay` with all that was noted."""
        if self.troubles:
            raise cannot_say(self.origin, self.troubles)
        named: dict[str, str] = {}
        for name, path in outputs.items():
            free = legal(name)
            while free in named:
                free += "_"
            named[free] = path
        graph = Graph(name=self.name, nodes=tuple(self.nodes), scopes=tuple(self.scopes.values()), outputs=named)
        return Model(self.origin, graph, self.tensors, tuple(notes), loose)


def cannot_say(origin: str, troubles: Mapping[tuple[str, str], Sequence[str]]) -> CannotSay:
    """Every operator that the language cannot express, with its places."""
    lines = []
    for (what, why), places in troubles.items():
        shown = ", ".join(places[:MOST_SHOWN])
        more = f" and {len(places) - MOST_SHOWN} more places" if len(places) > MOST_SHOWN else ""
        lines.append(printable(f"{what} at {shown}{more}" + (f": {why}" if why else "")))
    count = sum(map(len, troubles.values()))
    what = "1 operator is" if count == 1 else f"{count} operators are"
    head = f"{printable(origin)} cannot be converted exactly: {what} unsupported"
    return CannotSay("\n  ".join([head, *lines]))


def legal(name: str) -> str:
    """A name of a source as one of the language."""
    found = NOT_IN_NAMES.sub("_", name)[:LONGEST] or "_"
    found = f"_{found}" if found[0].isdigit() else found
    return f"{found}_" if found in KEYWORDS else found


def shape_of(sides: Sequence[int]) -> Shape:
    """N×c×h×w or N×c, as frameworks with the channels first write it, as height × width × channels."""
    return (*sides[2:], sides[1])
