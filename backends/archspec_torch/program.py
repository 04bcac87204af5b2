"""A program of torch, step by step, as our reader takes it: by `torch.export` in this process, or out of a file."""

import operator
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import prod
from typing import Any

import torch
from msgspec import Struct
from torch import fx
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind
from torch.utils import _pytree as pytree

from archspec.decompile import Module, Unreadable
from archspec.printable import printable

NAMESPACE = "aten"
"""Operators of other libraries are not what their names say."""


class Told(Struct, frozen=True):
    """What is said of a tensor."""

    shape: tuple[int | None, ...]
    """None for a size that nobody knows"""
    dtype: torch.dtype


class NotKnown(Struct, frozen=True):
    """A number that only the content of an image tells, or an argument that is not read."""


class Constant(Struct, frozen=True):
    """A tensor that the model holds, perhaps in another shape."""

    key: str
    tensor: torch.Tensor
    trained: bool
    turned: bool = False
    """whether its dimensions stand in another order than in the model"""


class Called(Struct, frozen=True):
    """A module that a step is called in."""

    path: str
    of: str
    """its class, with the package that it is from"""
    call: str = ""
    """which of several calls"""


@dataclass(slots=True, eq=False)
class Step:
    """One value of a program, and how it is made."""

    name: str
    target: str = ""
    """what makes it, for people; empty for what the program is given"""
    overload: Any = None
    """the operator of torch, where it is one of ATen"""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """by their names, defaults too; other steps among them"""
    told: Any = None
    """what is said of its value: of a tensor, a number, or a list of such; None where nothing is"""
    around: Sequence[Called] = ()
    """outermost first"""
    whole: bool = False
    """whether a tensor is one piece of memory from its start, its last dimension the fastest"""
    users: list["Step"] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The operator without its overload and without what says that it works in place; empty if it is of others."""
        if self.target == GETITEM:
            return GETITEM
        name = self.schema_name
        return name[:-1] if self.in_place else name

    @property
    def in_place(self) -> bool:
        """Whether it changes its first argument."""
        return self.schema_name.endswith("_") and not self.schema_name.startswith("__")

    @property
    def schema_name(self) -> str:
        return self.overload._schema.name.partition("::")[2] if self.overload is not None else ""

    @property
    def sources(self) -> list["Step"]:
        """The steps among its arguments, each once."""
        return list(dict.fromkeys(steps_in(self.arguments)))


GETITEM = "getitem"


class Program(Struct, frozen=True):
    """What a model computes."""

    steps: Sequence[Step]
    """in the order of computation, what it is given first"""
    images: Sequence[Step]
    """what is given by whoever calls it"""
    constants: Mapping[str, Constant]
    """by the names of their steps"""
    outputs: Sequence[Step]
    keys: Collection[str]
    """of all tensors that the model holds"""
    names: Sequence[str] = ()
    """of the outputs, where the model gives a dictionary"""
    changed: Sequence[str] = ()
    """what it holds and changes"""
    claimed: bool = False
    """whether the sizes are what a file says, and torch has not computed them"""


def steps_in(value: Any) -> Iterator[Step]:
    """All steps in a value, those in lists too."""
    if isinstance(value, Step):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from steps_in(part)
    elif isinstance(value, Mapping):
        yield from steps_in(list(value.values()))


def linked(steps: Sequence[Step]) -> Sequence[Step]:
    """The steps, each knowing its users."""
    for step in steps:
        for source in step.sources:
            source.users.append(step)
    return steps


def bound(overload: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an operator by their names, defaults too."""
    found: dict[str, Any] = {}
    for argument in overload._schema.arguments:
        default = argument.default_value if argument.has_default_value() else None
        found[argument.name] = given.get(argument.name, default)
    return found


# ---- of torch.export ----


def program_of(exported: ExportedProgram, origin: str) -> Program:
    """The program that torch exported in this process; raises `Unreadable`."""
    made: dict[fx.Node, Step] = {}
    outputs: list[Step] = []
    constants = dict(constants_of(exported))
    for node in exported.graph.nodes:
        match node.op:
            case "placeholder":
                made[node] = Step(node.name, told=told(node.meta.get("val")), whole=whole(node.meta.get("val")))
            case "get_attr":
                made[node] = Step(node.name, told=told(node.meta.get("val")))
                constants[node.name] = Constant(str(node.target), attribute(exported, str(node.target), origin), False)
            case "call_function":
                made[node] = step_of(node, lambda part: made[part])
            case "output":
                outputs = [made[part] for part in pytree.tree_leaves(node.args) if isinstance(part, fx.Node)]
    images = [step for node, step in made.items() if node.op == "placeholder" and step.name not in constants]
    spec = exported.call_spec.out_spec
    return Program(
        steps=linked(list(made.values())),
        images=images,
        constants=constants,
        outputs=[step for step in outputs if step.name in set(exported.graph_signature.user_outputs)],
        keys=tuple(exported.state_dict),
        names=[str(key) for key in spec.context] if spec is not None and spec.type is dict else (),
        changed=changed(exported),
    )


def changed(exported: ExportedProgram) -> list[str]:
    """What of its own it changes."""
    mutations = {OutputKind.BUFFER_MUTATION, OutputKind.PARAMETER_MUTATION}
    return [str(spec.target) for spec in exported.graph_signature.output_specs if spec.kind in mutations]


def constants_of(exported: ExportedProgram) -> Iterator[tuple[str, Constant]]:
    """What placeholders stand for."""
    for spec in exported.graph_signature.input_specs:
        key = spec.target
        if key is None or spec.kind is InputKind.USER_INPUT:
            continue
        held = exported.state_dict.get(key, exported.constants.get(key))
        if isinstance(held, torch.Tensor):
            yield spec.arg.name, Constant(key, held.detach(), spec.kind is InputKind.PARAMETER)


def attribute(exported: ExportedProgram, target: str, origin: str) -> torch.Tensor:
    found: Any = exported.graph_module
    for part in target.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, torch.Tensor):
        raise Unreadable(f"{origin} holds `{printable(target)}`, which is not a tensor")
    return found.detach()


def step_of(node: fx.Node, made: Callable[[fx.Node], Step]) -> Step:
    """A call of an operator."""

    def argument(value: Any) -> Any:
        if isinstance(value, fx.Node):
            return made(value)
        return [argument(part) for part in value] if isinstance(value, (list, tuple)) else value

    target: Any = node.target
    overload = target if isinstance(target, torch._ops.OpOverload) and target.namespace == NAMESPACE else None
    names = [argument.name for argument in overload._schema.arguments] if overload is not None else map(str, count())
    given = {name: argument(value) for name, value in [*zip(names, node.args, strict=False), *node.kwargs.items()]}
    return Step(
        name=node.name,
        target=GETITEM if target is operator.getitem else str(target),
        overload=overload,
        arguments=given if overload is None else bound(overload, given),
        told=told(node.meta.get("val")),
        whole=whole(node.meta.get("val")),
        around=[
            Called(path, kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}", call_number(key))
            for key, (path, kind) in (node.meta.get("nn_module_stack") or {}).items()
        ],
    )


def call_number(key: object) -> str:
    """Which call of a module it is, as the key of its entry says: `L__self___relu@1`."""
    return str(key).rpartition("@")[2] if "@" in str(key) else ""


def told(value: Any) -> Any:
    """What torch says of a value."""
    if isinstance(value, torch.Tensor):
        return Told(tuple(side if isinstance(side, int) else None for side in value.shape), value.dtype)
    if isinstance(value, (list, tuple)):
        return [told(part) for part in value]
    if isinstance(value, (torch.SymInt, torch.SymFloat, torch.SymBool)):
        return NotKnown()
    return value if isinstance(value, (int, float)) else None


def whole(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_contiguous() and value.storage_offset() == 0


def strides(shape: Sequence[int]) -> list[int]:
    """The steps between the numbers of a tensor that is one piece of memory."""
    return [prod(shape[place + 1 :]) for place in range(len(shape))]


# ---- the modules around a step ----


def modules(step: Step) -> list[Module]:
    """The modules around a step, without the model itself."""
    found: list[Module] = []
    above = ""
    for called in step.around:
        if not called.path:
            continue
        name = called.path.removeprefix(f"{above}.") if above else called.path
        of = "" if called.of.startswith("torch.nn.") else called.of.rpartition(".")[2]
        found.append(Module(f"{name}_call_{called.call}" if called.call else name, of))
        above = called.path
    return found
