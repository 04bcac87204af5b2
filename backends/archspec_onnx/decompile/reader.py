"""Walking the nodes of an ONNX file: what each of its values is in a flat Graph.

What a file computes of constants alone is computed here: exporters write shapes as small programs. What an exporter
had to spell out (`x · sigmoid(x)`, a group normalisation) is one operator again where it is exactly that.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, ValueInfoProto
from pydantic import ValidationError

from archspec.decompile import Builder, Model, Module, Unreadable, shape_of
from archspec.decompile.layouts import Layout, Lost, No, Restart, Value, output_path, refused, settled
from archspec.limits import DEFAULT_LIMITS
from archspec.ops import Input
from archspec.tensor import Shape, shape_text
from archspec_onnx.constants import VIEWS, Budget, Computed, Constant, computed, fixed
from archspec_onnx.decompile.handlers import HANDLERS
from archspec_onnx.decompile.patterns import recognised
from archspec_onnx.decompile.shapes import Blaming, viewed, whole_sides
from archspec_onnx.decompile.troubles import reached, shapes_of
from archspec_onnx.decompile.walk import DOMAINS, Blamed, Links, OnnxPlace, OnnxWalk, attributes_of, named
from archspec_onnx.file import File, constant_of

BATCH, OTHER = 7919, 7907
"""Stand for a batch of any size where shapes are computed: primes that no model has as a side."""
OLDEST, NEWEST = 7, 27
"""Versions of the operators that mean what they are read as."""
REALS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
KEEPING = frozenset({"Add", "Sub", "Mul", "Div", "Cast", "Identity"})
"""What may be done to an image before it is turned."""
PRODUCER = "archspec"
NUMBER = re.compile(r"_[0-9]+$")


@dataclass(slots=True)
class OnnxReader:
    """Reads one file."""

    file: File
    name: str
    image: Shape | None = None
    undone: set[str] = field(default_factory=set)
    walk: OnnxWalk = field(init=False)
    links: Links = field(init=False)
    wishes: dict[str, frozenset[str]] = field(default_factory=dict)
    """values that could be read if these flattenings of one pixel were undone"""
    image_sides: tuple[int, ...] = ()
    """of the input as the file has it, the batch too"""
    guesses: dict[str, tuple[int, ...]] | None = None
    """the shapes that onnx infers"""
    budget: Budget = field(init=False)
    version: int = field(init=False)

    @property
    def builder(self) -> Builder:
        return self.walk.builder

    @property
    def origin(self) -> str:
        return self.file.path.name

    def read(self) -> Model:
        """The model; raises `CannotSay`."""
        model = self.file.model
        versions = {entry.domain: entry.version for entry in model.opset_import}
        self.version = max(versions.get(domain, 0) for domain in DOMAINS)
        if not OLDEST <= self.version <= NEWEST:
            raise Unreadable(f"{self.origin} has opset {self.version}; archspec reads {OLDEST} to {NEWEST}")
        self.links = Links.of(model)
        return settled(self.attempt)

    def attempt(self) -> Model:
        self.budget = Budget()
        self.begin(self.file.inputs)
        for name in self.file.sparse:
            self.walk.lost[name] = ("a sparse tensor", name, "")
            self.walk.values[name] = Lost()
        for node in self.file.model.graph.node:
            self.node(node)
        return self.finish()

    def begin(self, images: Sequence[ValueInfoProto]) -> None:
        """Look at the input; raises `Unreadable`."""
        if len(images) != 1:
            raise Unreadable(f"{self.origin} takes {len(images)} inputs, and not one image")
        stated = images[0].type.tensor_type
        if stated.elem_type not in REALS:
            raise Unreadable(f"{self.origin} does not take real numbers")
        # some write -1 for what is open
        sides = [side.dim_value if side.dim_value > 0 else None for side in stated.shape.dim]
        if not stated.HasField("shape"):
            sides = [None] * (1 + len(self.image or ()))
        last = len(sides) == 4 and self.turned_first(images[0].name)
        if last:
            sides = [sides[0], sides[3], *sides[1:3]]
        sides = self.filled(sides)
        if max((side or 0 for side in sides), default=0) > DEFAULT_LIMITS.size:
            raise Unreadable(f"{self.origin} takes an input with a side beyond {DEFAULT_LIMITS.size:,}")
        if len(sides) not in {2, 4} or None in sides[1:]:
            shown = "×".join("?" if side is None else str(side) for side in sides)
            raise Unreadable(
                f"{self.origin} takes {shown or 'a number'}: an input is N×c×h×w or N×c, all but N known",
                "--input 224x224x3 says what it is" if len(sides) in {1, 2, 4} else None,
            )
        batch, twin = sides[0] or BATCH, sides[0] or OTHER
        shape = shape_of([batch, *(side for side in sides[1:] if side is not None)])
        self.walk = OnnxWalk(
            Builder(self.name, self.origin, shape), self.undone, self.file, self.links,
            stated.elem_type != TensorProto.DOUBLE, batch, twin, self.wishes, {"": None, **self.file.weights},
        )  # fmt: skip
        layout: Layout = "flat" if len(shape) == 1 else "hwc" if last else "chw"
        self.image_sides = (batch, *(shape if last or len(shape) == 1 else (shape[-1], *shape[:-1])))
        self.walk.hold(images[0].name, Value(self.builder.input, layout))

    def filled(self, sides: Sequence[int | None]) -> list[int | None]:
        """The sides of the input, N and channels first, with those that the user says; raises `Unreadable`."""
        if self.image is None:
            return list(sides)
        said = [None, self.image[-1], *self.image[:-1]]
        if len(said) != len(sides) or any(a not in {None, b} for a, b in zip(sides[1:], said[1:], strict=True)):
            shown = "×".join("?" if side is None else str(side) for side in sides)
            raise Unreadable(f"{self.origin} takes {shown}, and --input says {shape_text(self.image)}")
        return [sides[0], *said[1:]]

    def turned_first(self, image: str) -> bool:
        """Whether an image is N×h×w×c, as TensorFlow has it: what is computed from it is turned."""
        pending, turns = [image], []
        while pending:
            for node in self.links.users.get(pending.pop(), ()):
                if node.op_type in KEEPING:
                    pending += node.output[:1]
                elif node.op_type not in {"Shape", "Size"}:
                    turns.append(node.op_type == "Transpose" and perm(node) == (0, 3, 1, 2))
        return bool(turns) and all(turns)

    # ---- one node ----

    def node(self, node: NodeProto) -> None:
        """Read a node, or keep in mind why it cannot be read: it may be part of what is read as a whole."""
        try:
            found = self.read_node(node)
        except (No, ValidationError) as error:
            label, where = (error.label, error.where) if isinstance(error, Blamed) else named(node)
            lack = (label, where, refused(error))
            for position, name in enumerate(filter(None, node.output)):
                self.walk.lost[name] = lack
                self.walk.hold(name, self.stand_in(node, name) if position == 0 else Lost())
            return
        several = found if isinstance(found, list) else [found]
        for position, name in enumerate(node.output):
            if position < len(several):
                self.walk.hold(name, several[position])
            elif name and not isinstance(found, Lost):
                self.walk.lost[name] = (*named(node), f"its output {position + 1} is taken")
            if position >= len(several):
                self.walk.hold(name, Lost())

    def stand_in(self, node: NodeProto, name: str) -> Value | Lost:
        """A node of the flat Graph for a value that cannot be read, where its shape is known."""
        if self.guesses is None:
            self.guesses = shapes_of(self.file, self.image_sides)
        sides = self.guesses.get(name, ())
        if len(sides) not in {2, 4} or sides[0] != self.walk.batch or min(sides) < 1:
            return Lost()
        above = [x for x in map(self.walk.values.get, node.input) if isinstance(x, Value)]
        layouts = [x.layout for x in above if (x.layout == "flat") == (len(sides) == 2)]
        layout: Layout = layouts[0] if layouts else "flat" if len(sides) == 2 else "chw"
        shape = tuple(sides[1:]) if layout == "hwc" else shape_of(sides)
        path = self.builder.fresh("lost")
        self.builder.place(path, Input(shape=shape), tuple(x.path for x in above), shape)
        self.walk.stands[path] = name
        return Value(path, layout)

    def read_node(self, node: NodeProto) -> Any:
        """What a node gives, or a list of it; raises `No`."""
        if not self.links.standard(node) or any(a.type in {a.GRAPH, a.GRAPHS} for a in node.attribute):
            raise No("the file defines it itself" if node.op_type in self.links.own and node.domain in DOMAINS else "")
        if not node.output or not node.output[0]:
            raise No("its first output has no name")
        inputs = [self.walk.values.get(name, Lost()) for name in node.input]
        place = OnnxPlace(self.walk, node.output[0], self.modules(node), node, attributes_of(node), self.version)
        folded = self.folded(place, inputs)
        if folded is not None:
            return folded
        found = recognised(place)
        if found is not None:
            return found
        handler = HANDLERS.get(node.op_type)
        if handler is None:
            raise No("")
        if any(isinstance(x, Lost) for x in inputs):
            return Lost()
        try:
            signature(handler).bind(place, *inputs)
        except TypeError:
            raise No(f"it has {len(inputs)} inputs") from None
        return handler(place, *inputs)

    def modules(self, node: NodeProto) -> list[Module]:
        """The scopes in a node's name, where we wrote the file: `row_2/bottleneck_1/dwconv.conv`."""
        if self.file.model.producer_name != PRODUCER:
            return []
        parts = node.name.split("/")[:-1]
        return [Module(part, "" if (of := NUMBER.sub("", part)) in {"row", "repeat"} else of) for part in parts]

    # ---- what is constant ----

    def folded(self, place: OnnxPlace, inputs: Sequence[Any]) -> Any:
        """What a node gives of constants alone; None where it is given a value of the network."""
        node = place.node
        if node.op_type == "Constant":
            return constant_of(node, self.file.path)
        if node.op_type in {"Shape", "Size"}:
            return self.sizes(place, inputs[0])
        known = all(x is None or isinstance(x, (Constant, Computed)) for x in inputs)
        if not known or all(x is None for x in inputs):
            return None
        if any(isinstance(x, Computed) for x in inputs):
            return [Computed(node) for _ in node.output]
        constants = [x for x in inputs if isinstance(x, Constant)]
        if node.op_type in VIEWS:
            return viewed(place, *inputs)
        if node.op_type == "Cast" and (wider := constants[0].wider(place.whole("to", 0))) is not None:
            return wider
        if any(x.key and x.size > 1 and x.real for x in constants):
            return [Computed(node) for _ in node.output]
        return computed(node, place.attributes, self.file.model, inputs, self.budget)

    def sizes(self, place: OnnxPlace, x: Any) -> Any:
        """The shape of a value, the batch by its stand-in."""
        if isinstance(x, Lost):
            return Lost()
        if isinstance(x, Constant):
            sides = x.shape
            others = sides if x.twin is None else x.twin.shape
        else:
            sides = whole_sides(place, x)
            if sides[:1] != (self.walk.batch,) and self.walk.batch != self.walk.twin:
                raise No("the batch is not its first dimension")
            others = (self.walk.twin, *sides[1:]) if sides[:1] == (self.walk.batch,) else sides
        if place.node.op_type == "Size":
            one, other = (np.asarray(int(np.prod(found, dtype=object)), dtype=object) for found in (sides, others))
        else:
            part = slice(place.whole("start", 0), place.whole("end", len(sides)))
            one, other = np.asarray(sides[part]), np.asarray(others[part])
        if max(map(int, one.reshape(-1)), default=0) >= 2**62:
            raise No("it is too large")
        one, other = one.astype(np.int64), other.astype(np.int64)
        return fixed(one, made=place.key, twin=None if np.array_equal(one, other) else other)

    # ---- the end ----

    def finish(self) -> Model:
        outputs: dict[str, str] = {}
        for position, value in enumerate(self.file.model.graph.output):
            found = self.walk.values.get(value.name, Lost())
            try:
                if isinstance(found, Value):
                    path = found.path if found.layout == "hwc" else output_path(self.builder, found)
                    outputs["output" if position == 0 else value.name] = path
                elif isinstance(found, Blaming):
                    raise found.refusal
                elif not isinstance(found, Lost):
                    raise No("it is not a tensor of the language")
            except No as error:
                place = (error.label, error.where) if isinstance(error, Blamed) else ("an output", value.name)
                self.walk.lost[value.name] = (*place, str(error))
                self.walk.values[value.name] = Lost()
        if not self.file.model.graph.output:
            raise Unreadable(f"{self.origin} gives no tensor")
        names = reached(self.walk, [value.name for value in self.file.model.graph.output])
        undone = frozenset[str]().union(*(self.wishes.get(name, ()) for name in names)) - self.undone
        if undone:
            self.undone |= undone
            raise Restart
        for lack in dict.fromkeys(self.walk.lost[name] for name in names):
            self.builder.trouble(*lack)
        kept = set[str]()
        for node in self.builder.nodes:
            if node.path not in self.walk.stands and kept.issuperset(node.inputs):
                kept.add(node.path)
        self.builder.nodes = [node for node in self.builder.nodes if node.path in kept]
        return self.builder.finish(outputs, list(self.notes(outputs)), loose=True)

    def notes(self, outputs: Mapping[str, str]) -> Iterator[str]:
        """What of the file is not in the Graph."""
        yield "An ONNX file does not say what only training has: dropout, or the rates of stochastic depth."
        alive = set(outputs.values())
        for node in reversed(self.builder.nodes):
            if node.path in alive:
                alive.update(node.inputs)
        held = [t.key for name, t in self.builder.tensors.items() if name.rpartition(".")[0] in alive]
        uses = Counter(key for key in held if key in self.file.weights)
        if several := sum(count > 1 for count in uses.values()):
            yield f"Operators share {several} of its vectors, as exporters merge equal ones: here each has its own."
        made = [at for at in alive & self.walk.affine.keys() if not self.walk.affine[at].plain]
        if made:
            count = "1 operator" if len(made) == 1 else f"{len(made)} operators"
            yield f"The numbers that it multiplies channels by or adds to them are trained here, in {count}."
        last = [
            v.name for v in self.file.model.graph.output if getattr(self.walk.values.get(v.name), "layout", "") == "hwc"
        ]
        if last:
            yield f"It gives {', '.join(last)} as N×h×w×c; what is built of this gives maps as its framework has them."


def perm(node: NodeProto) -> tuple[int, ...]:
    """The order that a `Transpose` brings dimensions into; empty where it is the reverse one."""
    return next((tuple(a.ints) for a in node.attribute if a.name == "perm"), ())
