"""What the steps of one body see of each other, and of the text around them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import Struct

from archspec.elaborate.evaluate import Environment
from archspec.elaborate.naming import Names
from archspec.elaborate.plan import Flow
from archspec.source import Span

Tensors = dict[str, tuple[Flow, Span]]
"""The tensors that have names, and where they were named."""


@dataclass
class Body:
    """What the steps of one body share: the names that they see, the tensors that they named, their own names."""

    env: Environment
    names: Names
    tensors: Tensors = field(default_factory=dict)


class Later(Struct, frozen=True):
    """The bodies of the passes of a repeat after the first."""

    body: Callable[[int], Body]
    alike: bool
    """whether it is one body for all of them"""
