"""The plan: an elaborated network with its repetitions still shared.

A block asked for twice with the same arguments and the same input shape is one plan that stands in two places. So
every size is known, and checked against the limits, before a single node exists; and a million nodes cost no more
than the few plans they are made of.
"""

from typing import Literal

from msgspec import Struct

from archspec.elaborate.evaluate import Binding
from archspec.elaborate.inference import Inferred
from archspec.elaborate.paths import PathPattern
from archspec.graph import PrintedCell
from archspec.initializer import AnyInitializer
from archspec.ops import AnyOp
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.tensor import Shape


class Maker(Struct, frozen=True):
    """The step that gave a tensor its shape, as the text around a step sees it: an operator, a call, a row."""

    span: Span
    says: str = "makes"


class Flow(Struct, frozen=True, gc=False):
    """What runs from a step to the next: one tensor, the branches of a fork, or the parts of a split."""

    shapes: tuple[Shape, ...]
    kind: Literal["one", "branches", "parts"] = "one"
    makers: tuple[Maker, ...] = ()
    """of each tensor, as far as it is known"""
    branches: tuple[Span, ...] = ()
    """of a fork in the same body, where each branch stands"""


class Counts(Struct, frozen=True, gc=False):
    """Sums over the nodes of a plan."""

    nodes: int = 0
    params: int = 0
    macs: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.nodes + other.nodes, self.params + other.params, self.macs + other.macs)


class OpPlan(Struct, frozen=True, gc=False):
    """One operator, or one of each part for a split."""

    name: str
    ops: tuple[AnyOp, ...]
    shapes: tuple[Shape, ...]
    span: Span
    counts: Counts


class ScopePlan(Struct, frozen=True, gc=False):
    """A level of the hierarchy around a plan."""

    name: str
    kind: Literal["row", "repeat", "block", "group"]
    label: str
    of: str
    """what it is an instance of: the block's name"""
    span: Span
    closed: bool
    """a block: the names inside are its own"""
    body: "Plan"
    counts: Counts
    cells: tuple[PrintedCell, ...] = ()
    """of a row: what the table prints there"""


class SequencePlan(Struct, frozen=True, gc=False):
    steps: "tuple[Plan, ...]"
    counts: Counts


class ForkPlan(Struct, frozen=True, gc=False):
    branches: "tuple[Plan, ...]"
    parts: bool
    counts: Counts


class AliasPlan(Struct, frozen=True, gc=False):
    """Give the tensor that arrives here a name."""

    name: str
    counts: Counts = Counts()


class TapPlan(Struct, frozen=True, gc=False):
    """Go on with a named tensor."""

    name: str
    counts: Counts = Counts()


Plan = OpPlan | ScopePlan | SequencePlan | ForkPlan | AliasPlan | TapPlan
NOTHING = SequencePlan((), Counts())


class NetworkPlan(Struct, frozen=True):
    """An elaborated network, its repetitions still shared."""

    network: t.Network
    parameters: dict[str, Binding]
    input: Shape
    plans: tuple[Plan, ...]
    outputs: tuple[tuple[str, Plan], ...]
    """further outputs, each with the plan that leads to it"""
    counts: Counts
    init: dict[str, AnyInitializer]
    """by kind of operator"""
    init_of_paths: tuple[tuple[PathPattern, AnyInitializer], ...]
    at_defaults: bool
    """whether every parameter has its default"""
    claims: int = 0
    """how many claims were compared"""
    inferred: tuple[Inferred, ...] = ()
    changed: tuple[str, ...] = ()
    """parameters with other values than the printed claims are of"""


def sequence(steps: list[Plan]) -> Plan:
    """Steps in a row, those that are none left out."""
    real = tuple(step for step in steps if step is not NOTHING)
    if len(real) == 1:
        return real[0]
    return SequencePlan(real, total(real)) if real else NOTHING


def total(plans: tuple[Plan, ...]) -> Counts:
    nodes = params = macs = 0
    for plan in plans:
        nodes += plan.counts.nodes
        params += plan.counts.params
        macs += plan.counts.macs
    return Counts(nodes, params, macs)
