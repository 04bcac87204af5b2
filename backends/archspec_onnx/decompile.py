"""An ONNX model -> a flat model of our operators.

What a file computes of constants alone is computed here: exporters write shapes as small programs. What an exporter
had to spell out (`x · sigmoid(x)`, a group normalisation) is one operator of ours again where it is exactly that.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, ValueInfoProto, helper
from onnx.external_data_helper import uses_external_data
from pydantic import ValidationError

from archspec.decompile import Builder, Model, Module, Tensor, Unreadable, shape_of
from archspec.decompile.layouts import Layout, Lost, No, Reading, Restart, Site, Value, output_path, refused
from archspec.ops import AnyOp
from archspec.printable import printable
from archspec.tensor import Shape
from archspec_onnx.decompile_constants import VIEWS, Computed, Constant, array, computed, constant_of

BATCH = 7919
"""Stands for a batch of any size where shapes are computed: a prime that no model has as a side."""
DOMAINS = ("", "ai.onnx")
OLDEST, NEWEST = 7, 27
"""Versions of the operators that mean what they are read as."""
PRODUCER = "archspec"
NUMBER = re.compile(r"_[0-9]+$")


class Place(Site, frozen=True):
    """Where a node of ONNX is read."""

    reader: "Reader"
    node: NodeProto
    attributes: Mapping[str, Any]
    version: int

    def tensor(self, x: Any) -> Tensor:
        """A tensor of the network; raises `No`.

        Exporters merge vectors of equal numbers, as biases are that begin with zeros: each operator has its own again.
        Kernels and matrices are not equal by chance.
        """
        if not isinstance(x, Constant):
            raise No("its weights are computed")
        if x.array.dtype.kind != "f":
            raise No(f"its weights are {x.array.dtype} numbers")
        own = object() if x.array.size == max(x.array.shape, default=1) else None
        return Tensor(x.key or x.made, lambda: x.array, own)

    def add(self, op: AnyOp, inputs: Sequence[Value], layout: Layout | None = None, **tensors: Tensor | None) -> Value:
        given = [self.shape(x) for x in inputs]
        made = super().add(op, inputs, layout, **tensors)
        for name, shape in {**op.weights(*given), **op.buffers(*given)}.items():
            held = tensors[name]
            found = held.array().shape if held is not None else None
            if found != shape:
                raise No(f"its {name} is {found}, not {shape}")
        return made

    def made(self, x: Value) -> AnyOp:
        """The operator of a value."""
        return next(node.op for node in reversed(self.reading.builder.nodes) if node.path == x.path)

    def rounded_off(self, node: NodeProto) -> tuple[float, Constant]:
        """What a file adds to a variance because attributes are float32, and the variance; raises `No`."""
        found = [self.reader.values.get(name) for name in node.input]
        for one, other in (found, found[::-1]) if node.op_type == "Add" and len(found) == 2 else ():
            if isinstance(one, Constant) and isinstance(other, Constant) and other.array.size == 1 and one.key:
                return float(other.array.item()), one
        raise No("its variance is computed")

    def given(self, name: str, default: Any = None) -> Any:
        return self.attributes.get(name, default)

    def real(self, name: str, default: float) -> float:
        """A number that a file keeps as float32: where it computes in that, the shortest decimal that is the same."""
        value = float(self.attributes.get(name, default))
        return float(str(np.float32(value))) if self.reader.exact else value


def decompile(
    source: str, *, image: Shape | None = None, arguments: Mapping[str, Any] | None = None, name: str | None = None
) -> Model:
    """The model in an ONNX file; raises `BackendError` or `OSError`.

    `image` is the shape of the input, h×w×c or c, where the file leaves it open.
    """
    path = Path(source)
    if arguments:
        raise Unreadable(f"{source}: a file takes no arguments")
    return Reader(loaded(path), name or path.stem, path.name, image).read()


def loaded(path: Path) -> onnx.ModelProto:
    """The model in a file; raises `Unreadable` or `OSError`."""
    with path.open("rb"):
        pass
    try:
        model = onnx.load(path, load_external_data=False)
    except OSError:
        raise
    except Exception:  # damaged bytes make a parser raise whatever comes first
        raise Unreadable(f"{path}: this is no ONNX file, or it is damaged") from None
    check_whole(model, path)
    try:
        onnx.checker.check_model(model)
    except Exception as error:  # of its own, and those of protobuf
        first = printable(str(error).strip().partition("\n")[0][:200])
        raise Unreadable(f"{path}: this is no valid ONNX model ({first})") from None
    return model


def check_whole(model: onnx.ModelProto, path: Path) -> None:
    """Raise `Unreadable` where a file names others for its tensors to be read from."""
    held = [a.t for node in model.graph.node for a in node.attribute if a.type == a.TENSOR]
    if any(map(uses_external_data, [*model.graph.initializer, *held])):
        raise Unreadable(
            f"{path}: its weights are in another file, and only this one is read",
            "save it as one file: onnx.save(onnx.load(path), one_path)",
        )


@dataclass(slots=True)
class Reader:
    """Reads one file."""

    model: onnx.ModelProto
    name: str
    origin: str
    image: Shape | None = None
    undone: set[str] = field(default_factory=set)
    reading: Reading = field(init=False)
    values: dict[str, Any] = field(init=False)
    exact: bool = field(init=False)
    """whether an attribute, which is float32, has all the digits that the model computes with"""
    lost: dict[str, tuple[str, str, str]] = field(init=False)
    """values that cannot be read: the operator, its place, and why"""
    makers: dict[str, NodeProto] = field(init=False)
    """the node that makes each value"""
    batch: int = field(init=False)

    @property
    def builder(self) -> Builder:
        return self.reading.builder

    def read(self) -> Model:
        """The model; raises `CannotSay`."""
        self.makers = {name: node for node in self.model.graph.node for name in node.output}
        while True:
            try:
                return self.walk()
            except Restart:
                continue

    def walk(self) -> Model:
        graph, self.lost = self.model.graph, {}
        versions = {entry.domain: entry.version for entry in self.model.opset_import}
        weights = {tensor.name: Constant(array(tensor), tensor.name) for tensor in graph.initializer}
        self.values = {"": None, **weights}
        self.begin([value for value in graph.input if value.name not in weights])
        version = max(versions.get(domain, 0) for domain in DOMAINS)
        if not OLDEST <= version <= NEWEST:
            raise Unreadable(f"{self.origin} has opset {version}; read are {OLDEST} to {NEWEST}")
        for node in graph.node:
            self.node(node, version)
        return self.finish()

    def begin(self, images: Sequence[ValueInfoProto]) -> None:
        """Look at the input; raises `Unreadable`."""
        if len(images) != 1:
            raise Unreadable(f"{self.origin} takes {len(images)} inputs, and not one image")
        stated = images[0].type.tensor_type
        sides = [side.dim_value or None for side in stated.shape.dim]
        last = len(sides) == 4 and self.turned_first(images[0].name)
        if last:
            sides = [sides[0], sides[3], *sides[1:3]]
        if self.image is not None and len(sides) in {2, 4}:
            sides = [sides[0], self.image[-1], *self.image[:-1]]
        if len(sides) not in {2, 4} or None in sides[1:]:
            shown = "×".join("?" if side is None else str(side) for side in sides)
            raise Unreadable(
                f"{self.origin} takes {shown or 'a number'}: an input is N×c×h×w or N×c, all but N known",
                "--input 224x224x3 says what it is" if len(sides) in {2, 4} else None,
            )
        self.exact = stated.elem_type != TensorProto.DOUBLE
        self.batch = sides[0] or BATCH
        shape = shape_of([self.batch, *(side for side in sides[1:] if side is not None)])
        self.reading = Reading(Builder(self.name, self.origin, shape), self.undone)
        layout: Layout = "flat" if len(shape) == 1 else "hwc" if last else "chw"
        self.values[images[0].name] = Value(self.builder.input, layout)

    def turned_first(self, image: str) -> bool:
        """Whether an image is N×h×w×c, as TensorFlow has it: all that is done with it is to turn it."""
        users = [node for node in self.model.graph.node if image in node.input]
        turns = [node.op_type == "Transpose" and perm(node) == (0, 3, 1, 2) for node in users]
        return bool(turns) and all(turns)

    # ---- one node ----

    def node(self, node: NodeProto, version: int) -> None:
        """Read a node, or keep in mind why it cannot be read: it may be part of what is read as a whole."""
        label = f"`{node.domain}.{node.op_type}`" if node.domain not in DOMAINS else f"`{node.op_type}`"
        outputs = [name for name in node.output if name]
        try:
            found = self.read_node(node, version)
        except (No, ArithmeticError, LookupError, TypeError, ValueError) as error:
            malformed = "it has not the attributes or inputs that it should have"
            why = refused(error) if isinstance(error, (No, ValidationError)) else malformed
            for name in outputs:
                self.lost[name] = (label, node.name or name, why)
            found = Lost()
        several = found if isinstance(found, list) else [found] * len(node.output)
        self.values |= dict(zip(node.output, several, strict=False))

    def read_node(self, node: NodeProto, version: int) -> Any:
        """What a node gives, or a list of it; raises `No`."""
        from archspec_onnx.decompile_moves import HANDLERS
        from archspec_onnx.decompile_patterns import recognised

        if node.domain not in DOMAINS or any(a.type in {a.GRAPH, a.GRAPHS} for a in node.attribute):
            raise No("")
        inputs = [self.values.get(name) for name in node.input]
        folded = self.folded(node, inputs)
        if folded is not None:
            return folded
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        place = Place(self.reading, node.output[0], self.modules(node), self, node, attributes, version)
        found = recognised(place)
        if found is not None:
            return found
        handler = HANDLERS.get(node.op_type)
        if handler is None:
            raise No("")
        if any(isinstance(x, Lost) for x in inputs):
            return Lost()
        return handler(place, *inputs)

    def modules(self, node: NodeProto) -> list[Module]:
        """The scopes in a node's name, where we wrote the file: `row_2/bottleneck_1/dwconv.conv`."""
        if self.model.producer_name != PRODUCER:
            return []
        parts = node.name.split("/")[:-1]
        return [Module(part, "" if (of := NUMBER.sub("", part)) in {"row", "repeat"} else of) for part in parts]

    def note_lost(self, names: Sequence[str]) -> None:
        """Note why these values, and those that they come of, cannot be read."""
        pending, seen = list(names), set(names)
        found: set[str] = set()
        while pending:
            name = pending.pop()
            if name in self.lost:
                found.add(name)
            node = self.makers.get(name)
            above = [] if node is None else [i for i in node.input if isinstance(self.values.get(i), Lost)]
            pending += [i for i in above if i not in seen]
            seen.update(above)
        for name, (label, where, why) in self.lost.items():
            if name in found:
                self.builder.trouble(label, where, why)

    def folded(self, node: NodeProto, inputs: Sequence[Any]) -> "Constant | Computed | None":
        """What a node gives of constants alone; None where it is given a value of the network."""
        if node.op_type == "Constant":
            return Constant(constant_of(node), made=node.output[0])
        if node.op_type in {"Shape", "Size"}:
            return self.sizes(node, inputs[0])
        known = all(x is None or isinstance(x, (Constant, Computed)) for x in inputs)
        if not known or not any(inputs) or len(node.output) != 1:
            return None
        if any(isinstance(x, Computed) for x in inputs):
            return Computed(node)
        constants = [x for x in inputs if isinstance(x, Constant)]
        if node.op_type in VIEWS and constants[0].key:
            return Constant(computed(node, self.model, constants), constants[0].key)
        if any(x.key and x.array.size > 1 and x.array.dtype.kind == "f" for x in constants):
            return Computed(node)
        return Constant(computed(node, self.model, constants), made=node.output[0])

    def sizes(self, node: NodeProto, x: Any) -> Constant:
        """The shape of a value, the batch by its stand-in."""
        site = Site(self.reading, node.output[0], [])
        if isinstance(x, Constant):
            sides: tuple[int, ...] = x.array.shape
        else:
            sides = (self.batch, *site.laid(site.any(x)))
        chosen = {a.name: a.i for a in node.attribute}
        sides = sides[chosen.get("start", 0) : chosen.get("end", len(sides))]
        return Constant(np.asarray(sides if node.op_type == "Shape" else np.prod(sides), dtype=np.int64))

    # ---- the end ----

    def finish(self) -> Model:
        outputs: dict[str, str] = {}
        for position, value in enumerate(self.model.graph.output):
            found = self.values.get(value.name)
            try:
                if isinstance(found, Value):
                    outputs["output" if position == 0 else value.name] = output_path(self.builder, found)
                elif isinstance(found, Lost):
                    self.note_lost([value.name])
                else:
                    raise No("it is no tensor of the language")
            except No as error:
                self.builder.trouble("an output", value.name, str(error))
        if not self.model.graph.output:
            raise Unreadable(f"{self.origin} gives no tensor")
        return self.builder.finish(outputs, list(self.notes()), loose=True)

    def notes(self) -> Iterator[str]:
        """What of the file is not in the Graph."""
        yield "An ONNX file does not say what only training has: dropout, or the rates of stochastic depth."
        uses = Counter(tensor.key for tensor in self.builder.tensors.values())
        if several := sum(count > 1 for count in uses.values()):
            yield f"Operators share {several} of its vectors, as exporters merge equal ones: here each has its own."


def perm(node: NodeProto) -> tuple[int, ...]:
    """The order that a `Transpose` brings dimensions into; empty where it is the reverse one."""
    return next((tuple(a.ints) for a in node.attribute if a.name == "perm"), ())
