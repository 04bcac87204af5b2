"""A block as it is written: `Template`, its parameters and its steps, in which they stand for what differs."""

import re
from typing import Any

from msgspec import Struct

from archspec.emit.calls import REQUIRED, Argument, Call, Leaf, Reference
from archspec.emit.steps import Instance, Source, Step, is_chain

BY_PLACE = frozenset({"channels", "kernel"})
"""Kinds of parameters that are given by place."""


class Parameter(Struct, frozen=True):
    """What differs between the instances of a block."""

    name: str
    kind: str
    values: tuple[Any, ...]
    """in all instances"""
    default: Leaf = REQUIRED

    @property
    def annotation(self) -> str:
        """The type of its values; that of a function is the backend's to say."""
        kinds = {type(value) for value in self.values}
        found = [name for kind, name in NAMES.items() if kind in kinds]
        lengths = sorted({len(value) for value in self.values if isinstance(value, tuple)})
        found += [f"tuple[{', '.join(['int'] * length)}]" for length in lengths]
        return " | ".join([*found, *(["None"] if type(None) in kinds else [])])

    @property
    def by_name(self) -> bool:
        return self.kind not in BY_PLACE or self.default is not REQUIRED

    def argument(self, value: Any) -> Argument:
        return Argument(self.name, value, self.kind, self.default, by_name=self.by_name)


NAMES = {bool: "bool", int: "int", float: "float", str: "str"}


class Condition(Struct, frozen=True):
    """When a block has a step."""

    name: str
    """what an attribute that holds it is called"""
    text: str
    """of the parameters"""


class Place(Struct, frozen=True):
    """A step of a block, with parameters for values."""

    step: Step
    condition: Condition | None = None
    past: int = 0
    """which of its inputs stands for its value where it is absent"""
    count: Leaf = None
    """how many in a row"""

    @property
    def fixed(self) -> bool:
        """Whether it is a function of the same values in all instances."""
        if not self.step.function or self.count is not None:
            return False
        call = self.step.call
        return call is None or not any(isinstance(leaf.value, Reference) for leaf in call.leaves())


class Template(Struct, frozen=True):
    """A block, or a row or group that needs a class or function of its own."""

    name: str
    """of what it is written as"""
    members: tuple[Instance, ...]
    parameters: tuple[Parameter, ...]
    places: tuple[Place, ...]
    outputs: tuple[Source, ...]

    @property
    def inputs(self) -> int:
        return len(self.members[0].given)

    @property
    def chain(self) -> bool:
        return is_chain((place.step for place in self.places), self.outputs, self.inputs)

    def call(self, position: int) -> Call:
        """How one of the instances is made."""
        arguments = tuple(parameter.argument(parameter.values[position]) for parameter in self.parameters)
        return Call(self.name, arguments)


def camel(name: str) -> str:
    """`inverted_residual` as `InvertedResidual`; digits beside digits stay apart."""
    joined = ""
    for part in re.findall(r"[A-Za-z0-9]+", name):
        apart = joined[-1:].isdigit() and part[0].isdigit()
        joined += f"{'_' if apart else ''}{part[0].upper()}{part[1:]}"
    return joined if joined[:1].isalpha() else f"Net{joined}"


def family_name(name: str, network: str) -> str:
    """A class's name for a member of a family: `resnet50` of `ResNet` is `ResNet50`, others are `camel`."""
    rest = name
    for letter in network.replace("_", ""):
        rest = rest.lstrip("_")
        if rest[:1].lower() != letter.lower():
            return camel(name)
        rest = rest[1:]
    return camel(f"{network}{rest}") if network else camel(name)


def identifier(name: str) -> str:
    """The name of a step as part of a name in Python."""
    return re.sub(r"\W+", "_", name)


def unique(name: str, taken: set[str]) -> str:
    """A name that is not taken, which it joins: that name, or with the first number that makes it one."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}{'_' if name[-1:].isdigit() else ''}{number}", number + 1
    taken.add(found)
    return found
