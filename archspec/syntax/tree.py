"""The syntax tree: what was written, before it means anything. Frozen structs, each with its span.

Spans do not take part in equality: two texts that differ in layout alone have equal trees.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from msgspec import Struct

from archspec.source import Source, Span


class Written(Struct, frozen=True, gc=False):
    """Equal to what means the same, however it is laid out."""

    layout: ClassVar[frozenset[str]] = frozenset({"source", "span", "body_span", "text"})
    """fields that do not take part in equality"""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.meant() == other.meant()

    def __hash__(self) -> int:
        return hash((type(self), *self.meant()))

    def meant(self) -> list[Any]:
        """The values of all fields but those of the layout."""
        return [getattr(self, name) for name in self.__struct_fields__ if name not in self.layout]


class Tree(Written, frozen=True):
    """A part of a file, at its place."""

    span: Span


# ---- expressions ----


class Number(Tree, frozen=True):
    value: int | float
    text: str


class Text(Tree, frozen=True):
    value: str


class Constant(Tree, frozen=True):
    """`true`, `false` or `none`."""

    value: bool | None


class Name(Tree, frozen=True):
    id: str


class Chain(Tree, frozen=True):
    """Operands of one precedence, computed from the left: `a * b // c`."""

    first: "Expr"
    rest: "tuple[tuple[str, Expr], ...]"


class Signed(Tree, frozen=True):
    sign: str
    operand: "Expr"


class Power(Tree, frozen=True):
    base: "Expr"
    exponent: "Expr"


class Comparison(Tree, frozen=True):
    left: "Expr"
    operator: str
    right: "Expr"


class AllOf(Tree, frozen=True):
    operands: "tuple[Expr, ...]"


class AnyOf(Tree, frozen=True):
    operands: "tuple[Expr, ...]"


class Negation(Tree, frozen=True):
    operand: "Expr"


class Conditional(Tree, frozen=True):
    """`value if condition else otherwise`."""

    value: "Expr"
    condition: "Expr"
    otherwise: "Expr"


class Extent(Tree, frozen=True):
    """Numbers joined by `x`: `1x7`."""

    sides: "tuple[Expr, ...]"


class Call(Tree, frozen=True):
    """A function and its arguments: `ceil(h / 2)`."""

    function: Name
    arguments: "tuple[Argument, ...]"


Expr = (
    Number | Text | Constant | Name | Chain | Signed | Power | Comparison
    | AllOf | AnyOf | Negation | Conditional | Extent | Call
)  # fmt: skip


class Argument(Tree, frozen=True):
    name: Name | None
    value: Expr


# ---- networks ----


class Reference(Tree, frozen=True):
    """An operator or a block, with its arguments where it was given parentheses."""

    name: Name
    arguments: tuple[Argument, ...] | None


class Tap(Tree, frozen=True):
    """`@name`: a tensor that was named before."""

    name: Name


class Group(Tree, frozen=True):
    """A network in parentheses."""

    body: "Net"


class Fork(Tree, frozen=True):
    branches: "tuple[Net, ...]"


class Sequence(Tree, frozen=True):
    steps: "tuple[Net, ...]"


class Step(Tree, frozen=True):
    """An atom with its postfixes, in their one order: `atom * count if condition else otherwise as alias`."""

    atom: "Atom"
    count: Expr | None
    condition: Expr | None
    otherwise: "Atom | None"
    alias: Name | None


Atom = Reference | Tap | Group | Fork
Net = Atom | Sequence | Step


# ---- clauses ----


class Parameter(Tree, frozen=True):
    name: Name
    default: Expr | None
    choices: tuple[Expr, ...]


class Title(Tree, frozen=True):
    text: Text


class Cite(Tree, frozen=True):
    text: Text


class InputClause(Tree, frozen=True):
    sides: tuple[Expr, ...]


class TableClause(Tree, frozen=True):
    """A table; `body` is its text with the braces around it, still opaque."""

    name: Text | None
    body: str
    body_span: Span


class Body(Tree, frozen=True):
    net: Net


class Output(Tree, frozen=True):
    name: Name
    net: Net
    training: bool
    """whether it is given in training alone"""


class Quantity(Tree, frozen=True):
    """A number as papers print it: `300M ± 1%`; its last digit says how exact it is."""

    value: float
    resolution: float
    """what one unit of the last printed digit stands for"""
    tolerance: float | None
    """in per cent"""
    text: str


class Claim(Tree, frozen=True):
    what: Name
    quantity: Quantity


class Check(Tree, frozen=True):
    arguments: tuple[Argument, ...]
    claims: tuple[Claim, ...]


class Erratum(Tree, frozen=True):
    place: Text
    correction: Text
    reason: Text


class Default(Tree, frozen=True):
    """What operators are given where they say nothing."""

    operators: tuple[Reference, ...]


class Initial(Tree, frozen=True):
    """What weights begin with: those of a kind of operator (a name), or of the nodes of some paths (a text)."""

    target: Name | Text
    distribution: Reference
    condition: Expr | None = None
    otherwise: Reference | None = None


class Init(Tree, frozen=True):
    initials: tuple[Initial, ...]


class WeightKey(Tree, frozen=True):
    """The paths of nodes, with holes, and what their weights are called elsewhere: the first of these that is there."""

    path: Text
    keys: tuple[Text, ...]


class Weights(Tree, frozen=True):
    """What the weights are called in the files of `origin`."""

    origin: Name
    rules: tuple[WeightKey, ...]


class Column(Tree, frozen=True):
    """What a header means: a role or a variable (a name), or patterns with holes, of which the first that fits."""

    header: Text
    meaning: "Name | tuple[Text, ...]"


class Columns(Tree, frozen=True):
    columns: tuple[Column, ...]


class Assignment(Tree, frozen=True):
    name: Name
    value: Expr


class RepeatClause(Tree, frozen=True):
    count: Expr
    then: tuple[Assignment, ...]


class Numbering(Tree, frozen=True):
    """`number i of m`: names for the place of a pass and for how many there are."""

    position: Name
    total: Name | None


class Infer(Tree, frozen=True):
    """`infer s in {1, 2}`: a variable that the claims decide, and the values that are usual."""

    name: Name
    usual: tuple[Expr, ...]


class Rule(Tree, frozen=True):
    pattern: Text
    when: Expr | None
    check: Expr | None
    net: Net


class Read(Tree, frozen=True):
    rules: tuple[Rule, ...]


class ReadAs(Tree, frozen=True):
    reading: Reference


Convention = Columns | RepeatClause | Numbering | Infer | Default | Read | ReadAs
Told = Title | Cite | Check | Erratum | Init | Weights
Clause = InputClause | TableClause | Body | Output | Told | Convention


# ---- declarations ----


class Use(Tree, frozen=True):
    path: Text


class Definition(Tree, frozen=True):
    name: Name
    parameters: tuple[Parameter, ...]
    body: Expr


class Signature(Tree, frozen=True):
    input: tuple[Expr, ...]
    output: tuple[Expr, ...]


class Block(Tree, frozen=True):
    name: Name
    parameters: tuple[Parameter, ...]
    signature: Signature | None
    body: Net


class Variant(Tree, frozen=True):
    name: Name
    network: Reference


class Network(Tree, frozen=True):
    name: Name
    parameters: tuple[Parameter, ...]
    clauses: tuple[Clause, ...]


class Reading(Tree, frozen=True):
    name: Name
    parameters: tuple[Parameter, ...]
    clauses: tuple[Convention, ...]


Declaration = Use | Definition | Block | Variant | Network | Reading


class SpecFile(Written, frozen=True):
    source: Source
    declarations: tuple[Declaration, ...]


# ---- walking ----

LEAVES = (str, float, Span)
"""Types of fields that hold no nodes."""
SAYING: dict[type[Tree], frozenset[str]] = {
    Argument: frozenset({"name"}), Call: frozenset({"function"}), Reference: frozenset({"name"}),
    Step: frozenset({"alias"}), Tap: frozenset({"name"}), Parameter: frozenset({"name"}),
    Title: frozenset({"text"}), Cite: frozenset({"text"}), TableClause: frozenset({"name"}),
    Output: frozenset({"name"}), Claim: frozenset({"what"}), Initial: frozenset({"target"}),
    Weights: frozenset({"origin"}), Column: frozenset({"header", "meaning"}), Assignment: frozenset({"name"}),
    Numbering: frozenset({"position", "total"}), Infer: frozenset({"name"}), Rule: frozenset({"pattern"}),
    Definition: frozenset({"name"}), Block: frozenset({"name"}), Variant: frozenset({"name"}),
    Network: frozenset({"name"}), Reading: frozenset({"name"}),
}  # fmt: skip
"""Fields that say what is meant or name it, and are not computed with."""
PARTS: dict[type[Tree], tuple[str, ...]] = {}


def parts(cls: type[Tree]) -> tuple[str, ...]:
    """The fields of a kind of node that may hold nodes to walk, the last first; found once."""
    if cls not in PARTS:
        saying = SAYING.get(cls, frozenset())
        found = (name for name, kind in cls.__annotations__.items() if kind not in LEAVES and name not in saying)
        PARTS[cls] = tuple(found)[::-1]
    return PARTS[cls]


def walk(root: Tree) -> Iterator[Tree]:
    """Every node of a tree in the order of the text, except what `SAYING` holds; without recursion."""
    pending: list[object] = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, Tree):
            yield node
            pending += [getattr(node, part) for part in parts(type(node))]
        elif isinstance(node, tuple):
            pending += node[::-1]


def names(root: Tree) -> Iterator[Name]:
    """The names that a tree computes with, those of steps among them."""
    for node in walk(root):
        if isinstance(node, Name):
            yield node
        elif isinstance(node, Reference):
            yield node.name
