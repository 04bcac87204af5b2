"""Walking an exported program: what each of its tensors is in a flat Graph.

Operators that change a tensor in place are followed: whoever holds that tensor sees the change.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from msgspec import Struct
from pydantic import ValidationError
from torch import fx
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind
from torch.utils import _pytree as pytree

from archspec.decompile import Builder, Model, Module, Tensor, Unreadable, shape_of
from archspec.decompile.layouts import Layout, Lost, No, Reading, Restart, Site, Value, output_path, refused
from archspec.printable import printable
from archspec.tensor import shape_text
from archspec_torch.checkpoint import array


class Constant(Struct, frozen=True):
    """A tensor that the model holds, perhaps in another shape."""

    key: str
    tensor: torch.Tensor
    trained: bool
    turned: bool = False
    """whether its dimensions stand in another order than in the model"""


@dataclass(slots=True, eq=False)
class Cell:
    """What a tensor holds at this moment."""

    value: Any
    storage: object
    """the memory, which views share"""


class Place(Site, frozen=True):
    """Where an operator of torch is read."""

    reader: "Reader"
    node: fx.Node

    @property
    def sides(self) -> tuple[int, ...]:
        """The shape that torch says, without the batch; raises `No` where the batch is not the first dimension."""
        shape = tuple(self.node.meta["val"].shape)
        if not shape or shape[0] != self.reader.batch:
            raise No(f"it gives {printable('×'.join(map(str, shape)))}, which is no batch")
        if not all(isinstance(side, int) for side in shape[1:]):
            raise No("the size of what it gives is not known")
        return shape[1:]

    def tensor(self, x: Any) -> Tensor:
        """A weight, or running statistics; raises `No`."""
        if not isinstance(x, Constant):
            raise No("its weights are computed")
        # two names may be of one tensor
        return Tensor(x.key, lambda: array(x.key, x.tensor), x.tensor.data_ptr() or None, not x.turned)

    def trained(self, x: Any) -> Constant:
        """A parameter; raises `No`."""
        if not isinstance(x, Constant):
            raise No("its weights are computed")
        if not x.trained:
            raise No(f"its weight `{x.key}` is not trained")
        return x


@dataclass(slots=True)
class Reader:
    """Reads one program."""

    program: ExportedProgram
    name: str
    origin: str
    undone: set[str] = field(default_factory=set)
    reading: Reading = field(init=False)
    cells: dict[fx.Node, Cell] = field(init=False)
    batch: Any = field(init=False)
    order: dict[fx.Node, int] = field(init=False)

    @property
    def builder(self) -> Builder:
        return self.reading.builder

    def read(self) -> Model:
        """The model; raises `CannotSay`."""
        while True:
            try:
                return self.walk()
            except Restart:
                continue

    def walk(self) -> Model:
        nodes = list(self.program.graph.nodes)
        self.order = {node: place for place, node in enumerate(nodes)}
        self.cells = {}
        constants = dict(self.constants())
        self.begin([node for node in nodes if node.op == "placeholder" and node.name not in constants])
        for node in nodes:
            match node.op:
                case "placeholder":
                    layout: Layout = "chw" if len(self.builder.input_shape) == 3 else "flat"
                    self.hold(node, constants.get(node.name) or Value(self.builder.input, layout))
                case "get_attr":
                    self.hold(node, Constant(str(node.target), self.attribute(str(node.target)), False))
                case "call_function":
                    self.call(node)
                case "output":
                    return self.finish(node)
        raise AssertionError("a graph has an output")

    def begin(self, images: Sequence[fx.Node]) -> None:
        """Look at the input; raises `Unreadable`."""
        if len(images) != 1 or not isinstance(images[0].meta.get("val"), torch.Tensor):
            raise Unreadable(f"{self.origin} takes {len(images)} inputs, and not one image")
        shape = tuple(images[0].meta["val"].shape)
        if len(shape) not in {2, 4} or not all(isinstance(side, int) for side in shape[1:]):
            sides = printable("×".join(map(str, shape)))
            raise Unreadable(f"{self.origin} takes {sides}: an input is N×c×h×w or N×c, all but N known")
        self.batch = shape[0]
        self.reading = Reading(Builder(self.name, self.origin, shape_of(shape)), self.undone)

    def constants(self) -> Iterator[tuple[str, Constant]]:
        """What placeholders stand for."""
        for spec in self.program.graph_signature.input_specs:
            key = spec.target
            if key is None or spec.kind is InputKind.USER_INPUT:
                continue
            held = self.program.state_dict.get(key, self.program.constants.get(key))
            if isinstance(held, torch.Tensor):
                yield spec.arg.name, Constant(key, held.detach(), spec.kind is InputKind.PARAMETER)

    def attribute(self, target: str) -> torch.Tensor:
        found: Any = self.program.graph_module
        for part in target.split("."):
            found = getattr(found, part, None)
        if not isinstance(found, torch.Tensor):
            raise Unreadable(f"{self.origin} holds `{printable(target)}`, which is no tensor")
        return found.detach()

    # ---- one operator ----

    def hold(self, node: fx.Node, value: Any, cell: Cell | None = None, storage: object = None) -> None:
        """A node's value, in a cell of its own or in one that others hold as well."""
        if cell is None:
            cell = Cell(value, storage if storage is not None else object())
        cell.value = value
        self.cells[node] = cell

    def values(self, argument: Any) -> Any:
        """An argument with the values of the nodes in it."""
        if isinstance(argument, fx.Node):
            return self.cells[argument].value
        if isinstance(argument, (list, tuple)):
            return [self.values(part) for part in argument]
        return argument

    def call(self, node: fx.Node) -> None:
        from archspec_torch.decompile_aten import SHARING, split_name
        from archspec_torch.decompile_moves import HANDLERS

        kind, in_place = split_name(node.target)
        sources = node.all_input_nodes
        storage = self.cells[sources[0]].storage if sources and kind in SHARING else None
        cell = self.cells[sources[0]] if in_place and sources else None
        handler = HANDLERS.get(kind)
        if handler is None and isinstance(node.meta.get("val"), (int, torch.SymInt)):
            self.hold(node, node.meta["val"])  # the size of something, which shapes tell as well
            return
        try:
            value = self.handled(handler, node, sources[0] if in_place and sources else None)
        except (No, ValidationError) as error:
            if not any(isinstance(self.cells[source].value, Lost) for source in sources):
                self.builder.trouble(f"`{node.target}`", self.where(node), refused(error))
            value = Lost()
        self.hold(node, value, cell, storage)

    def handled(self, handler: "Handler | None", node: fx.Node, changed: fx.Node | None) -> Any:
        """What an operator gives; raises `No`."""
        if handler is None:
            self.builder.trouble(f"`{node.target}`", self.where(node))
            return Lost()
        if changed is not None:
            self.check_seen(node, changed)
        place = Place(self.reading, node.name, self.modules(node), self, node)
        value = handler(place, bound(node, self.values))
        if isinstance(value, Value) and place.sides != place.laid(value):
            raise No(f"it gives {shape_text(place.sides)}, and ours would give {shape_text(place.laid(value))}")
        return value

    def check_seen(self, node: fx.Node, changed: fx.Node) -> None:
        """Raise `No` where a change in place is seen through a view that is used later."""
        own = self.cells[changed]
        for holder, cell in self.cells.items():
            seen = cell is not own and cell.storage is own.storage
            if seen and any(self.order[user] > self.order[node] for user in holder.users):
                raise No("it changes a tensor in place that is used later in another form")

    def where(self, node: fx.Node) -> str:
        """The place of a node: its module, or its own name."""
        stack = list((node.meta.get("nn_module_stack") or {}).values())
        return (stack[-1][0] if stack else "") or node.name

    def modules(self, node: fx.Node) -> list[Module]:
        """The modules around a node, without the model itself."""
        found: list[Module] = []
        above = ""
        for key, (path, kind) in (node.meta.get("nn_module_stack") or {}).items():
            if not path:
                continue
            name = path.removeprefix(f"{above}.") if above else path
            call = str(key).rpartition("@")[2] if "@" in str(key) else ""
            qualified = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
            of = "" if qualified.startswith("torch.nn.") else qualified.rpartition(".")[2]
            found.append(Module(f"{name}_call_{call}" if call else name, of))
            above = path
        return found

    # ---- the end ----

    def finish(self, node: fx.Node) -> Model:
        outputs: dict[str, str] = {}
        found = [argument for argument in pytree.tree_leaves(node.args) if isinstance(argument, fx.Node)]
        if not found:
            raise Unreadable(f"{self.origin} gives no tensor")
        for argument, name in zip(found, self.output_names(len(found)), strict=True):
            value = self.cells[argument].value
            try:
                if isinstance(value, Value):
                    outputs[name] = output_path(self.builder, value)
                elif not isinstance(value, Lost):
                    raise No("it is no tensor of the language")
            except No as error:
                self.builder.trouble("an output", argument.name, str(error))
        return self.builder.finish(outputs, [] if self.builder.troubles else list(self.notes()))

    def notes(self) -> Iterator[str]:
        """What of the model is not in the Graph."""
        held = {name for name in self.program.state_dict if not name.endswith("num_batches_tracked")}
        left = sorted(held - {tensor.key for tensor in self.builder.tensors.values()})
        if left:
            tops = ", ".join(dict.fromkeys(key.partition(".")[0] for key in left))
            yield f"Evaluation does not use {len(left)} of its tensors ({tops}): they are left out."

    def output_names(self, count: int) -> list[str]:
        """What the outputs are called: `output` the first, the others by the keys of a dictionary or numbered."""
        spec = self.program.call_spec.out_spec
        names = [f"output_{place}" for place in range(1, count + 1)]
        if spec is not None and spec.type is dict and len(spec.context) == count:
            names = [str(key) for key in spec.context]
        return ["output", *names[1:]]


Handler = Callable[[Place, dict[str, Any]], Any]
"""Reads one kind of operator, its arguments by their names; raises `No`."""


def bound(node: fx.Node, values: Callable[[Any], Any]) -> dict[str, Any]:
    """The arguments of a call by their names, defaults too."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return {"arguments": values(node.args)}
    found: dict[str, Any] = {}
    for place, argument in enumerate(schema.arguments):
        if place < len(node.args):
            found[argument.name] = values(node.args[place])
        elif argument.name in node.kwargs:
            found[argument.name] = values(node.kwargs[argument.name])
        else:
            found[argument.name] = argument.default_value if argument.has_default_value() else None
    # one thing under two names
    for name, other in (("self", "input"), ("input", "self")):
        if name in found:
            found.setdefault(other, found[name])
    return found
