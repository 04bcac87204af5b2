"""The tree of a network: what it consists of, the blocks that it asks for, and ways through it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from msgspec import Struct

from archspec.decompile.values import Value, Vector, literal, most_common
from archspec.ops import AnyOp


@dataclass(slots=True, eq=False)
class Leaf:
    """An operator."""

    op: AnyOp
    path: str
    alias: str = ""


@dataclass(slots=True, eq=False)
class Unit:
    """A module with one input and one output."""

    of: str
    body: "Net"
    path: str
    alias: str = ""


@dataclass(slots=True, eq=False)
class Fork:
    """Branches, which a join follows; `parts` are the paths of the parts where a split comes before them."""

    branches: "list[Net]"
    parts: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Tap:
    """A value that was named before."""

    alias: str


@dataclass(slots=True, eq=False)
class Here:
    """A name for the value that comes in."""

    alias: str


@dataclass(slots=True, eq=False)
class Parameter:
    """A parameter of a block; its name is known when all are."""

    category: str
    base: str
    values: Vector
    name: str = ""
    default: Value = None
    has_default: bool = False

    def value(self, instance: int) -> Value:
        """The argument of an instance; any will do where it plays no part."""
        if instance in self.values:
            return self.values[instance]
        return self.default if self.has_default else most_common(self.values)


@dataclass(slots=True, eq=False)
class Block:
    """A block of the language."""

    name: str
    parameters: tuple[Parameter, ...]
    signature: str
    body: str
    conditional: bool
    """whether parts of it are not in all of its instances"""
    forks: bool
    """whether branches are added or concatenated in it"""

    def parameter(self, name: str) -> Parameter:
        return next(parameter for parameter in self.parameters if parameter.name == name)

    @property
    def text(self) -> str:
        given = ", ".join(map(declared, self.parameters))
        head = f"block {self.name}" + (f"({given})" if given else "")
        return f"{head}{self.signature} = {self.body}"


@dataclass(slots=True, eq=False)
class Call:
    """An instance of a block, with its arguments and the paths of all its nodes."""

    block: Block
    arguments: dict[str, Value]
    paths: tuple[str, ...]
    alias: str = ""


Step = Leaf | Unit | Call | Fork | Tap | Here
Net = list[Step]
"""Steps one after the other; without any it is the identity."""


class Tree(Struct, frozen=True):
    """A network, and its further outputs by their names."""

    body: Net
    outputs: Mapping[str, Net]

    @property
    def nets(self) -> tuple[Net, ...]:
        return (self.body, *self.outputs.values())


def declared(parameter: Parameter) -> str:
    return f"{parameter.name} = {literal(parameter.default)}" if parameter.has_default else parameter.name


def steps_in(nets: Iterable[Net]) -> Iterator[Step]:
    """Every step, in the order of the text; what a unit holds has names of its own."""
    for net in nets:
        for step in net:
            yield step
            if isinstance(step, Fork):
                yield from steps_in(step.branches)


def nets_in(nets: Iterable[Net]) -> Iterator[Net]:
    """These networks and all within them."""
    pending = list(nets)
    while pending:
        net = pending.pop()
        yield net
        for step in net:
            if isinstance(step, Fork):
                pending += step.branches
            elif isinstance(step, Unit):
                pending.append(step.body)


def forks(nets: Iterable[Net]) -> list[Fork]:
    return [step for net in nets_in(nets) for step in net if isinstance(step, Fork)]


def leaves(nets: Iterable[Net]) -> list[Leaf]:
    return [step for net in nets_in(nets) for step in net if isinstance(step, Leaf)]


def in_order(net: Net) -> Iterator[str]:
    """The paths of the nodes as the text has them."""
    for step in net:
        match step:
            case Leaf():
                yield step.path
            case Unit():
                yield from in_order(step.body)
            case Call():
                yield from step.paths
            case Fork():
                yield from step.parts
                for branch in step.branches:
                    yield from in_order(branch)
