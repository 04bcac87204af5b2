"""The `Graph`: what a spec means. A published, frozen, JSON-serialisable form; backends know nothing else.

Nodes stand in an order in which every input comes before its user. Whoever elaborates a Graph builds it valid;
one that is read from JSON is checked, its shapes inferred anew.
"""

from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from archspec.initializer import DEFAULT_INIT, AnyInitializer
from archspec.ops import AnyOp, Input, Misfit
from archspec.tensor import AnyShape, Shape, shape_text

if TYPE_CHECKING:
    import networkx

    from archspec.stats import By, Stats

Value = bool | int | float | str | tuple[int | float, ...] | None
PATH = r"^[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*$"


class Frozen(BaseModel):
    """A value that does not change and has no fields but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @classmethod
    def valid(cls, **fields: Any) -> Self:
        """One of all its fields, which are not looked at: validation would cost more than all else.

        The set of their names, which each model has, is one for all of a class.
        """
        return cast(Self, cls.model_construct(names_of(cls), **fields))


@cache
def names_of(kind: type[BaseModel]) -> set[str]:
    """The names of the fields of a model."""
    return {*kind.model_fields}


class Location(Frozen):
    """A range of a spec's text; lines and columns count from 1, the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


class PrintedCell(Frozen):
    """A cell of the row of a table, errata corrected."""

    header: str
    text: str
    role: str
    """of its column: `operator`, `repeat`, `variable`, … (docs/language.md)"""


class Scope(Frozen):
    """A level of the hierarchy: a row of the table, one pass of a repeat, an instance of a block, a named group."""

    path: Annotated[str, Field(pattern=PATH)]
    kind: Literal["row", "repeat", "block", "group"]
    label: str
    """what it is an instance of, with its arguments: `bottleneck(6, 24, 2)`"""
    name: str
    """its name without arguments: `bottleneck`"""
    span: Location
    cells: tuple[PrintedCell, ...] = ()
    """of a row: what the table prints there, columns that mean nothing for this network left out"""


class Node(Frozen):
    """One operator at its place."""

    path: Annotated[str, Field(pattern=PATH)]
    """unique; the parts before the last `/` are its scopes: `row_3/bottleneck_2/dwconv`"""
    op: AnyOp
    inputs: tuple[str, ...]
    """paths of the nodes whose outputs it takes"""
    shape: AnyShape
    """of its output: h×w×c"""
    span: Location

    @property
    def scope(self) -> str:
        """Path of the scope it stands in; empty at the top."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class Graph(Frozen):
    """A network, elaborated: every shape and number is known."""

    format: Literal["archspec-graph-1"] = "archspec-graph-1"
    name: str
    title: str | None = None
    cite: tuple[str, ...] = ()
    parameters: dict[str, Value] = {}
    """what the network was elaborated with"""
    changed: tuple[str, ...] = ()
    """those that do not have their default, at which tables are printed; without those that only pick a column"""
    nodes: tuple[Node, ...]
    scopes: tuple[Scope, ...] = ()
    outputs: dict[str, str]
    """name to path of the node that gives it; `output` is the network's own"""
    training: tuple[str, ...] = ()
    """names of the outputs that are given in training alone: evaluation computes nothing of them"""
    init: dict[str, AnyInitializer] = {}
    """kind of operator, or path of a node, to the distribution that weights begin with; a path goes first"""
    inference: bool = False
    """whether it is for inference alone: what only training has is not there, and weights are folded"""

    def initializer(self, node: Node) -> AnyInitializer | None:
        """What the weight of a node begins with; None where it is not drawn."""
        return self.init.get(node.path) or self.init.get(node.op.kind) or DEFAULT_INIT.get(node.op.kind)

    @cached_property
    def by_path(self) -> dict[str, Node]:
        return {node.path: node for node in self.nodes}

    @cached_property
    def scope_by_path(self) -> dict[str, Scope]:
        return {scope.path: scope for scope in self.scopes}

    @property
    def input(self) -> Node:
        return self.nodes[0]

    @property
    def output(self) -> Node:
        return self.by_path[self.outputs["output"]]

    def input_shapes(self, node: Node) -> tuple[Shape, ...]:
        return tuple(self.by_path[path].shape for path in node.inputs)

    @property
    def given(self) -> dict[str, str]:
        """The outputs in the order in which a model gives them: `output`, the others, then those of training alone."""
        own = {"output": self.outputs["output"], **self.outputs}
        return {name: own[name] for name in sorted(own, key=self.training.__contains__)}

    def only_in_training(self) -> set[str]:
        """Paths of the nodes that outputs of training need and no other output does."""
        if not self.training:
            return set()
        always = [path for name, path in self.outputs.items() if name not in self.training]
        return self.needed(self.outputs.values()) - self.needed(always)

    def needed(self, paths: Iterable[str]) -> set[str]:
        """The paths of some nodes and of all that leads to them."""
        found = set(paths)
        for node in reversed(self.nodes):
            if node.path in found:
                found.update(node.inputs)
        return found

    def in_evaluation(self) -> "Graph":
        """What is computed in evaluation, where outputs of training are not given."""
        if not self.training:
            return self
        gone = self.only_in_training()
        return self.with_fields(
            nodes=tuple(node for node in self.nodes if node.path not in gone),
            outputs={name: path for name, path in self.outputs.items() if name not in self.training},
            training=(),
            init={key: how for key, how in self.init.items() if key not in gone},
        )

    def with_all_outputs(self) -> "Graph":
        """The same network, every output of which is given in evaluation too."""
        return self.with_fields(training=()) if self.training else self

    def with_fields(self, **fields: Any) -> "Graph":
        """The same with some fields otherwise, which are valid; nothing that this Graph has cached is taken along."""
        return Graph.model_construct(**{name: getattr(self, name) for name in Graph.model_fields} | fields)

    def stack(self, path: str) -> Iterator[Scope]:
        """The scopes around a path, the outermost first."""
        parts = path.split("/")
        for depth in range(1, len(parts)):
            scope = self.scope_by_path.get("/".join(parts[:depth]))
            if scope is not None:
                yield scope

    def tensors(self) -> dict[str, Shape]:
        """Every tensor by its canonical name, in the layouts of docs/weights.md: `row_1/conv.weight`."""
        return {
            name: shape for node in self.nodes for name, shape in tensor_names(node, self.input_shapes(node)).items()
        }

    def stats(self, by: "By" = "row") -> "Stats":
        """Exact parameters, buffers and MACs, in all and by row, block or layer."""
        from archspec.stats import summarize

        return summarize(self, by)

    def _repr_svg_(self) -> str | None:
        """The picture that a notebook shows; None, so that it shows the text, where Graphviz is missing."""
        from archspec.drawing import notebook_svg

        return notebook_svg(self)

    def _repr_html_(self) -> str:
        """The page that a notebook shows: it runs in a frame that can reach neither the notebook nor the network."""
        from archspec.drawing import notebook_html

        return notebook_html(self)

    def to_networkx(self) -> "networkx.DiGraph[str]":
        """The nodes' paths and the edges between them, each node with its `op` and `shape`."""
        import networkx

        graph: networkx.DiGraph[str] = networkx.DiGraph()
        for node in self.nodes:
            graph.add_node(node.path, op=node.op, shape=node.shape)
            graph.add_edges_from((path, node.path) for path in node.inputs)
        return graph

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse a graph whose nodes are not a network: raises `ValueError` (within pydantic's ValidationError)."""
        shapes: dict[str, Shape] = {}
        for position, node in enumerate(self.nodes):
            if (position == 0) != isinstance(node.op, Input):
                raise ValueError("the first node, and no other, is the input")
            if node.path in shapes:
                raise ValueError(f"two nodes have the path {node.path}")
            missing = [path for path in node.inputs if path not in shapes]
            if missing:
                raise ValueError(f"{node.path} takes {missing[0]}, which is not a node before it")
            shapes[node.path] = node_shape(node, tuple(shapes[path] for path in node.inputs))
        if not shapes or "output" not in self.outputs:
            raise ValueError("a network has an input and an output")
        lost = [path for path in self.outputs.values() if path not in shapes]
        if lost:
            raise ValueError(f"the output {lost[0]} is not a node")
        self.check_training()
        return self

    def check_training(self) -> None:
        """Refuse unknown outputs of training, and nodes of training that share a scope with nodes of evaluation."""
        unknown = [name for name in self.training if name not in self.outputs or name == "output"]
        if unknown:
            raise ValueError(f"{unknown[0]} cannot be an output of training alone")
        own = self.only_in_training()
        scopes = {path.partition("/")[0] for path in own}
        for node in self.nodes:
            top, inside, _ = node.path.partition("/")
            if (node.path in own and not inside) or (node.path not in own and inside and top in scopes):
                raise ValueError(f"{node.path} and what training alone computes are not in different scopes")


def tensor_names(node: Node, inputs: tuple[Shape, ...]) -> dict[str, Shape]:
    """The tensors of a node, trained and running, with their shapes: `row_1/conv.weight`."""
    tensors = {**node.op.weights(*inputs), **node.op.buffers(*inputs)}
    return {f"{node.path}.{name}": shape for name, shape in tensors.items()}


def node_shape(node: Node, inputs: tuple[Shape, ...]) -> Shape:
    """The stated shape of a node, after a check that its operator gives it."""
    arity = node.op.arity
    if len(inputs) != arity and (arity is not None or not inputs):
        raise ValueError(f"{node.path} has {len(inputs)} inputs, and {node.op.kind} takes {arity or 'one or more'}")
    try:
        shape = node.op.infer(*inputs)
    except Misfit as misfit:
        raise ValueError(f"{node.path}: {misfit}") from misfit
    if shape != node.shape:
        raise ValueError(f"{node.path} gives {shape_text(shape)}, not {shape_text(node.shape)}")
    return shape
