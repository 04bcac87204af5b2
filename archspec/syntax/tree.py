"""The syntax tree: what was written, before it means anything. Frozen dataclasses, each with its span.

Spans do not take part in equality: two texts that differ in layout alone have equal trees.
"""

from dataclasses import dataclass, field

from archspec.source import Source, Span


@dataclass(frozen=True, slots=True)
class Tree:
    """Anything that was written."""

    span: Span = field(compare=False, repr=False)


# ---- expressions ----


@dataclass(frozen=True, slots=True)
class Number(Tree):
    value: int | float
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Text(Tree):
    value: str


@dataclass(frozen=True, slots=True)
class Constant(Tree):
    """`true`, `false` or `none`."""

    value: bool | None


@dataclass(frozen=True, slots=True)
class Name(Tree):
    id: str


@dataclass(frozen=True, slots=True)
class Chain(Tree):
    """Operands of one precedence, computed from the left: `a * b // c`."""

    first: "Expr"
    rest: "tuple[tuple[str, Expr], ...]"


@dataclass(frozen=True, slots=True)
class Signed(Tree):
    sign: str
    operand: "Expr"


@dataclass(frozen=True, slots=True)
class Power(Tree):
    base: "Expr"
    exponent: "Expr"


@dataclass(frozen=True, slots=True)
class Comparison(Tree):
    left: "Expr"
    operator: str
    right: "Expr"


@dataclass(frozen=True, slots=True)
class AllOf(Tree):
    operands: "tuple[Expr, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf(Tree):
    operands: "tuple[Expr, ...]"


@dataclass(frozen=True, slots=True)
class Negation(Tree):
    operand: "Expr"


@dataclass(frozen=True, slots=True)
class Conditional(Tree):
    """`value if condition else otherwise`."""

    value: "Expr"
    condition: "Expr"
    otherwise: "Expr"


@dataclass(frozen=True, slots=True)
class Extent(Tree):
    """Numbers joined by `x`: `1x7`."""

    sides: "tuple[Expr, ...]"


@dataclass(frozen=True, slots=True)
class Call(Tree):
    """A function and its arguments: `ceil(h / 2)`."""

    function: Name
    arguments: "tuple[Argument, ...]"


Expr = (
    Number | Text | Constant | Name | Chain | Signed | Power | Comparison
    | AllOf | AnyOf | Negation | Conditional | Extent | Call
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Argument(Tree):
    name: Name | None
    value: Expr


# ---- networks ----


@dataclass(frozen=True, slots=True)
class Reference(Tree):
    """An operator or a block, with its arguments where it was given parentheses."""

    name: Name
    arguments: tuple[Argument, ...] | None


@dataclass(frozen=True, slots=True)
class Tap(Tree):
    """`@name`: a tensor that was named before."""

    name: Name


@dataclass(frozen=True, slots=True)
class Group(Tree):
    """A network in parentheses."""

    body: "Net"


@dataclass(frozen=True, slots=True)
class Fork(Tree):
    branches: "tuple[Net, ...]"


@dataclass(frozen=True, slots=True)
class Sequence(Tree):
    steps: "tuple[Net, ...]"


@dataclass(frozen=True, slots=True)
class Step(Tree):
    """An atom with its postfixes, in their one order: `atom * count if condition else otherwise as alias`."""

    atom: "Atom"
    count: Expr | None
    condition: Expr | None
    otherwise: "Atom | None"
    alias: Name | None


Atom = Reference | Tap | Group | Fork
Net = Atom | Sequence | Step


# ---- clauses ----


@dataclass(frozen=True, slots=True)
class Parameter(Tree):
    name: Name
    default: Expr | None
    choices: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Title(Tree):
    text: Text


@dataclass(frozen=True, slots=True)
class Cite(Tree):
    text: Text


@dataclass(frozen=True, slots=True)
class InputClause(Tree):
    sides: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class TableClause(Tree):
    """A table; `body` is its text with the braces around it, still opaque."""

    name: Text | None
    body: str
    body_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Body(Tree):
    net: Net


@dataclass(frozen=True, slots=True)
class Output(Tree):
    name: Name
    net: Net


@dataclass(frozen=True, slots=True)
class Quantity(Tree):
    """A number as papers print it: `300M ± 1%`; its last digit says how exact it is."""

    value: float
    resolution: float
    """what one unit of the last printed digit stands for"""
    tolerance: float | None
    """in per cent"""
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Claim(Tree):
    what: Name
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class Check(Tree):
    arguments: tuple[Argument, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Erratum(Tree):
    place: Text
    correction: Text
    reason: Text


@dataclass(frozen=True, slots=True)
class Default(Tree):
    """What operators are given where they say nothing."""

    operators: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Initial(Tree):
    """What weights begin with: those of a kind of operator (a name), or of the nodes of some paths (a text)."""

    target: Name | Text
    distribution: Reference


@dataclass(frozen=True, slots=True)
class Init(Tree):
    initials: tuple[Initial, ...]


@dataclass(frozen=True, slots=True)
class WeightKey(Tree):
    """The paths of nodes, with holes, and what their weights are called elsewhere: the first of these that is there."""

    path: Text
    keys: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Weights(Tree):
    """What the weights are called in the files of `origin`."""

    origin: Name
    rules: tuple[WeightKey, ...]


@dataclass(frozen=True, slots=True)
class Column(Tree):
    """What a header means: a role or a variable (a name), or a pattern with holes (a text)."""

    header: Text
    meaning: Name | Text


@dataclass(frozen=True, slots=True)
class Columns(Tree):
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Assignment(Tree):
    name: Name
    value: Expr


@dataclass(frozen=True, slots=True)
class RepeatClause(Tree):
    count: Expr
    then: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Numbering(Tree):
    """`number i of m`: names for the place of a pass and for how many there are."""

    position: Name
    total: Name | None


@dataclass(frozen=True, slots=True)
class Infer(Tree):
    name: Name


@dataclass(frozen=True, slots=True)
class Rule(Tree):
    pattern: Text
    when: Expr | None
    check: Expr | None
    net: Net


@dataclass(frozen=True, slots=True)
class Read(Tree):
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class ReadAs(Tree):
    reading: Reference


Convention = Columns | RepeatClause | Numbering | Infer | Default | Read | ReadAs
Told = Title | Cite | Check | Erratum | Init | Weights
Clause = InputClause | TableClause | Body | Output | Told | Convention


# ---- declarations ----


@dataclass(frozen=True, slots=True)
class Use(Tree):
    path: Text


@dataclass(frozen=True, slots=True)
class Definition(Tree):
    name: Name
    parameters: tuple[Parameter, ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class Signature(Tree):
    input: tuple[Expr, ...]
    output: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Block(Tree):
    name: Name
    parameters: tuple[Parameter, ...]
    signature: Signature | None
    body: Net


@dataclass(frozen=True, slots=True)
class Variant(Tree):
    name: Name
    network: Reference


@dataclass(frozen=True, slots=True)
class Network(Tree):
    name: Name
    parameters: tuple[Parameter, ...]
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Reading(Tree):
    name: Name
    parameters: tuple[Parameter, ...]
    clauses: tuple[Convention, ...]


Declaration = Use | Definition | Block | Variant | Network | Reading


@dataclass(frozen=True, slots=True)
class SpecFile:
    source: Source = field(compare=False, repr=False)
    declarations: tuple[Declaration, ...]
