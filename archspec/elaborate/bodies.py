"""What the steps of one body see of each other, and of the text around them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import Struct

from archspec.elaborate.evaluate import Environment
from archspec.elaborate.naming import Names
from archspec.source import Span
from archspec.tensor import Shape


@dataclass
class Body:
    """What the steps of one body share: the names that they see, the tensors that they named, their own names."""

    env: Environment
    names: Names
    tensors: dict[str, tuple[Shape, Span]] = field(default_factory=dict)


class Later(Struct, frozen=True):
    """The bodies of the passes of a repeat after the first."""

    body: Callable[[int], Body]
    alike: bool
    """whether it is one body for all of them"""
