"""Where a node of ONNX is read: what is known of the file so far, and what the node says, is given and becomes.

Attributes may say anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec import Struct
from onnx import ModelProto, NodeProto, helper

from archspec.decompile import Tensor
from archspec.decompile.layouts import Layout, No, Reading, Site, Value, only
from archspec.ops import AnyOp
from archspec_onnx.constants import Constant
from archspec_onnx.file import File

DOMAINS = ("", "ai.onnx")


Lack = tuple[str, str, str]
"""An operator that the language cannot express, its place, and why."""


class Blamed(No):
    """A node cannot be expressed because of what another one gives it."""

    def __init__(self, label: str, where: str, why: str) -> None:
        super().__init__(why)
        self.label, self.where = label, where


class Held(Tensor, frozen=True):
    """A tensor of a file, whose shape is known before it is read."""

    shape: tuple[int, ...] = ()


class OnnxAffine(Struct, frozen=True):
    """A value as another one times factors, plus constants, for each channel."""

    x: Value
    factor: Constant | None
    shift: Constant | None

    @property
    def plain(self) -> bool:
        """Whether it is a trained factor for each channel, as the file has it."""
        return self.shift is None and self.factor is not None and bool(self.factor.key)


@dataclass(slots=True)
class Links:
    """How the nodes of a file hang together."""

    own: frozenset[str]
    """operators that the file defines itself"""
    makers: dict[str, NodeProto] = field(default_factory=dict)
    """the node that makes each value"""
    users: dict[str, list[NodeProto]] = field(default_factory=dict)
    """the nodes that take each value"""

    @classmethod
    def of(cls, model: ModelProto) -> "Links":
        found = cls(frozenset(function.name for function in model.functions if function.domain in DOMAINS))
        for node in model.graph.node:
            if found.standard(node):
                found.makers |= {name: node for name in node.output if name}
            for name in set(node.input):
                found.users.setdefault(name, []).append(node)
        return found

    def standard(self, node: NodeProto) -> bool:
        """Whether a node is an operator of ONNX."""
        return node.domain in DOMAINS and node.op_type not in self.own


@dataclass(slots=True)
class OnnxWalk(Reading):
    """What is known while a file is read, node by node."""

    file: File
    links: Links
    exact: bool
    """whether an attribute, which is float32, has all the digits that the model computes with"""
    batch: int
    twin: int
    """another batch, to see what depends on it"""
    wishes: dict[str, frozenset[str]]
    """values that could be read if these flattenings of one pixel were undone"""
    values: dict[str, Any]
    names: dict[str, set[str]] = field(default_factory=dict)
    """what the file calls the value of a node of the flat Graph"""
    affine: dict[str, OnnxAffine] = field(default_factory=dict)
    """factors and constants for each channel that a value of the flat Graph was made by"""
    lost: dict[str, Lack] = field(default_factory=dict)
    """values that cannot be read"""
    stands: dict[str, str] = field(default_factory=dict)
    """nodes of the flat Graph that stand for what cannot be read, so that what comes after is looked at too"""

    def hold(self, name: str, found: Any) -> None:
        """Keep what a value of the file is."""
        if name:
            self.values[name] = found
            if isinstance(found, Value):
                self.names.setdefault(found.path, set()).add(name)

    def takers(self, path: str) -> set[str]:
        """The first outputs of the nodes that take a value under any of its names; empty text if it is an output."""
        names = self.names[path]
        nodes = [
            node for name in names for node in self.links.users.get(name, ()) if node.op_type not in {"Shape", "Size"}
        ]
        found = {node.output[0] for node in nodes if not names.issuperset(filter(None, node.output))}
        outputs = {value.name for value in self.file.model.graph.output}
        return found | {""} if names & outputs else found


class OnnxPlace(Site, frozen=True):
    """Where a node of ONNX is read."""

    reading: OnnxWalk
    node: NodeProto
    attributes: Mapping[str, Any]
    version: int

    # ---- what a node says ----

    def stated(self, name: str, default: Any, kind: type | tuple[type, ...], what: str) -> Any:
        """An attribute; raises `No` where it is of another kind."""
        found = self.attributes.get(name, default)
        if found is not default and not isinstance(found, kind):
            raise No(f"its `{name}` is not {what}")
        return found

    def whole(self, name: str, default: int) -> int:
        """An attribute that is a whole number."""
        return int(self.stated(name, default, int, "a whole number"))

    def wholes(self, name: str, default: Sequence[int], count: int | None = None) -> tuple[int, ...]:
        """An attribute that is whole numbers, so many of them; raises `No`."""
        found = tuple(self.stated(name, default, list, "a list of whole numbers"))
        only(all(isinstance(number, int) for number in found), f"its `{name}` are not whole numbers")
        only(count is None or len(found) == count, f"its `{name}` are {len(found)} numbers, not {count}")
        return found

    def word(self, name: str, default: str) -> str:
        """An attribute that is a text; raises `No`."""
        found = self.stated(name, default, bytes, "a text")
        try:
            return found if isinstance(found, str) else str(found, "utf-8")
        except UnicodeDecodeError:
            raise No(f"its `{name}` is not UTF-8") from None

    def real(self, name: str, default: float) -> float:
        """A number that a file keeps as float32: where it computes in that, the shortest decimal that is the same."""
        value = float(self.stated(name, default, (int, float), "a number"))
        return float(str(np.float32(value))) if self.reading.exact else value

    def dimension(self, axis: int, rank: int) -> int:
        """A dimension, which may be counted from the last one; raises `No`."""
        only(-rank <= axis < rank, f"it names dimension {axis} of {rank}")
        return axis % rank

    def along(self, x: Value, dimension: int) -> bool:
        """Whether a dimension is that of the channels; raises `No` where it is none."""
        return super().along(x, self.dimension(dimension, 1 + len(self.laid(x))))

    # ---- what a node is given ----

    def blame(self, why: str) -> Blamed:
        """What says that this node is in the way of a later one."""
        return Blamed(*named(self.node), why)

    def tensor(self, x: Any) -> Held:
        """A tensor of the network; raises `No`.

        Exporters merge vectors of equal numbers, as biases are that begin with zeros: each operator has its own again.
        Kernels and matrices are not equal by chance.
        """
        if not isinstance(x, Constant):
            raise No("its weights are computed")
        only(x.real, f"its weights are {x.type} numbers")
        only(x.twin is None, "its weights depend on how many images there are")
        own = object() if x.size == max(x.shape, default=1) else None
        return Held(x.key or x.made, lambda: x.array, own, shape=x.shape)

    def alone(self, x: Value) -> bool:
        """Whether nothing but this node takes a value."""
        return self.reading.takers(x.path) <= {self.node.output[0]}

    def made(self, x: Value) -> AnyOp:
        """The operator of a value."""
        return next(node.op for node in reversed(self.reading.builder.nodes) if node.path == x.path)

    def rounded_off(self, node: NodeProto) -> tuple[float, Constant]:
        """What a file adds to a variance because attributes are float32, and the variance; raises `No`."""
        found = [self.reading.values.get(name) for name in node.input]
        for one, other in (found, found[::-1]) if node.op_type == "Add" and len(found) == 2 else ():
            if isinstance(one, Constant) and isinstance(other, Constant) and other.size == 1 and other.real and one.key:
                return float(other.array.item()), one
        raise No("its variance is computed")

    # ---- what it becomes ----

    def add(self, op: AnyOp, inputs: Sequence[Value], layout: Layout | None = None, **tensors: Tensor | None) -> Value:
        given = [self.shape(x) for x in inputs]
        made = super().add(op, inputs, layout, **tensors)
        for name, shape in {**op.weights(*given), **op.buffers(*given)}.items():
            held = tensors[name]
            found = held.shape if isinstance(held, Held) else None
            only(found == shape, f"its {name} is {found}, not {shape}")
        return made


def attributes_of(node: NodeProto) -> dict[str, Any]:
    """The attributes of a node by their names; raises `No`."""
    try:
        return {a.name: helper.get_attribute_value(a) for a in node.attribute}
    except ValueError:  # of a kind that onnx does not know
        raise No("it has attributes of an unknown kind") from None


def named(node: NodeProto) -> tuple[str, str]:
    """What a node is called, and where it is."""
    label = f"`{node.op_type}`" if node.domain in DOMAINS else f"`{node.domain}.{node.op_type}`"
    return label, node.name or next((name for name in node.output if name), "")
