"""Where the instances of a template differ -> the parameters of a block, and expressions of them.

What is the same in all instances is a literal. What follows from the channels of the input, or from another parameter,
by a whole factor is written so; only what is left is a parameter of its own.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from archspec.decompile.steps import Call, Parameter
from archspec.decompile.templates import ACT, Slot, Template, present, values_of
from archspec.decompile.values import Value, Vector, literal, most_common, typed
from archspec.ops import AnyOp
from archspec.tensor import Shape

CHANNELS, STRIDE, KERNEL, FLAG = "channels", "stride", "kernel", "flag"
CATEGORIES = {"groups": CHANNELS, "start": CHANNELS, "stop": CHANNELS}
"""What attributes count the same things; others are a category of their own."""
LETTERS = {"channels": "c", "kernel": "f", "stride": "s"}
PLACED = ("f", "c", "s")
"""The letters of parameters that are given by place, in this order."""
INPUT = "k"
"""The channels of a block's input, in its signature."""
Usual = Mapping[str, Mapping[str, Value]]
"""Kinds of operators to what the network's `default` gives all of them."""


class Expr(Struct, frozen=True, eq=False):
    """A literal, or a text with the names of parameters to be put in."""

    text: str
    values: Vector
    parameters: tuple[Parameter, ...] = ()
    literal: bool = False
    category: str = ""
    channels: bool = False
    """whether it is of the input's channels"""

    def __str__(self) -> str:
        return self.text.format(*(parameter.name for parameter in self.parameters))


class Condition(Struct, frozen=True):
    """When a part of a block is there, and when it is not."""

    holds: Expr
    fails: Expr


@dataclass(slots=True)
class Solver:
    """Finds the parameters of one template."""

    inputs: Mapping[int, Shape]
    """of each instance, the shape of what it is given"""
    use_input: bool = True
    """whether expressions may name the channels of the input"""
    usual: Usual = field(default_factory=dict)
    parameters: list[Parameter] = field(default_factory=list)
    exprs: dict[tuple[int, str], Expr] = field(default_factory=dict)
    """by the identity of a slot and the name of an attribute"""
    compared: set[Parameter] = field(default_factory=set)
    """parameters that a condition is about"""
    conditions: dict[tuple[frozenset[int], frozenset[int]], Condition] = field(default_factory=dict)

    @property
    def everyone(self) -> set[int]:
        return set(self.inputs)

    @property
    def input(self) -> Expr:
        return Expr(INPUT, {i: shape[-1] for i, shape in self.inputs.items()}, channels=True)

    @property
    def names_input(self) -> bool:
        """Whether anything is said of the input's channels."""
        used = [*self.exprs.values(), *(c.holds for c in self.conditions.values())]
        return any(expr.channels for expr in used)

    # ---- attributes ----

    def solve(self, template: Template, context: set[int]) -> None:
        """Find an expression for every attribute, in the order of the text."""
        for slot in template:
            if slot.key == (ACT,):
                self.activation(slot, context)
            for payload in list(slot.at.values())[:1]:
                if payload is not None and slot.key != (ACT,):
                    self.attributes(slot, payload)
            for branch, there in zip(slot.branches, slot.there, strict=True):
                self.solve(branch, there)

    def widen(self) -> None:
        """What is the same in the few instances that have it is a parameter of all where it is its value in those."""
        for key, expr in self.exprs.items():
            if expr.literal and expr.category in {CHANNELS, STRIDE} and 1 not in expr.values.values():
                wider = next(
                    (p for p in self.parameters if p.category == expr.category and covers(p.values, expr.values)), None
                )
                if wider is not None:
                    self.exprs[key] = Expr("{}", expr.values, (wider,))

    def activation(self, slot: Slot, context: set[int]) -> None:
        """What an activation is; `id` where an instance has none."""
        kinds: Vector = {i: op.kind for i, op in slot.at.items() if op is not None and not isinstance(op, Call)}
        kinds |= {i: "id" for i in present(slot, context) if i not in kinds}
        self.exprs[id(slot), ACT] = self.expr(kinds, ACT, "act")

    def attributes(self, slot: Slot, some: AnyOp | Call) -> None:
        rows = {i: values_of(payload) for i, payload in slot.at.items() if payload is not None}
        for name in values_of(some):
            category, base = category_of(some, name)
            vector = {i: row[name] for i, row in rows.items()}
            self.exprs[id(slot), name] = self.expr(vector, category, base)

    def expr(self, vector: Vector, category: str, base: str) -> Expr:
        """The shortest expression that has these values."""
        if len({typed(value) for value in vector.values()}) == 1:
            value = next(iter(vector.values()))
            return Expr(literal(value), vector, literal=True, category=category)
        same = next((p for p in self.parameters if p.category == category and agree(p.values, vector)), None)
        if same is not None:
            same.values |= vector
            return Expr("{}", vector, (same,))
        if category == CHANNELS:
            found = next(self.multiples(vector), None)
            if found is not None:
                return found
        made = Parameter(category, base, dict(vector))
        self.parameters.append(made)
        return Expr("{}", vector, (made,))

    def multiples(self, vector: Vector) -> Iterator[Expr]:
        """What is a whole number of times, or a whole part of, the input's channels or of a parameter."""
        terms = [self.input] if self.use_input else []
        terms += [Expr("{}", p.values, (p,)) for p in self.parameters if p.category == CHANNELS]
        for term in terms:
            if not vector.keys() <= term.values.keys():
                continue
            pairs = [(a, b) for i, a in vector.items() if type(a) is int and type(b := term.values[i]) is int]
            factor = factor_of(pairs) if len(pairs) == len(vector) else None
            if factor is not None and len({b for _, b in pairs}) > 1:
                text = factor.replace("{}", term.text)
                yield Expr(text, vector, term.parameters, channels=term.channels)

    # ---- conditions ----

    def condition(self, there: set[int], context: set[int], keeps: bool, base: str) -> Condition:
        """What holds for some of the instances alone; `keeps` where it is that the shape is kept."""
        key = frozenset(there), frozenset(context)
        if key not in self.conditions:
            found = next(self.comparisons(there, context), None) if keeps else None
            found = found or self.given(there, context) or self.flag(there, context, base)
            self.conditions[key] = found
        return self.conditions[key]

    def comparisons(self, there: set[int], context: set[int]) -> Iterator[Condition]:
        """`s == 1 and c == k`, and its parts."""
        strides = [p for p in self.parameters if p.category == STRIDE and context <= p.values.keys()]
        steps: list[tuple[str, str, tuple[Parameter, ...], set[int]]] = [("", "", (), set(context))]
        for p in strides:
            ones = {i for i in context if p.value(i) == 1}
            steps.append(("{} == 1", "{} != 1", (p,), ones))
        widths: list[tuple[Expr | None, set[int]]] = [(None, set(context))]
        if self.use_input:
            wanted = self.input.values
            terms = [Expr("{}", p.values, (p,)) for p in self.parameters if p.category == CHANNELS]
            terms += [e for e in self.exprs.values() if e.parameters and "*" in e.text and not e.channels]
            for term in terms:
                if context <= term.values.keys():
                    widths.append((term, {i for i in context if term.values[i] == wanted[i]}))
        pairs = [(step, width) for width in widths[::-1] for step in steps[::-1]]
        for (holds, fails, parameters, ones), (width, equal) in pairs:
            if ones & equal != there or there == context:
                continue
            parts = [holds] if holds else []
            others = [fails] if fails else []
            own = parameters
            if width is not None:
                parts.append(f"{width.text} == {INPUT}")
                others.append(f"{width.text} != {INPUT}")
                own += width.parameters
            self.compared.update(own)
            yield Condition(
                Expr(" and ".join(parts), {}, own, channels=width is not None),
                Expr(" or ".join(others), {}, own, channels=width is not None),
            )

    def given(self, there: set[int], context: set[int]) -> Condition | None:
        """`m != none`: that a parameter is given that means nothing elsewhere."""
        for p in self.parameters:
            alone = set(p.values) == there and None not in p.values.values() and p not in self.compared
            if alone and p.category == CHANNELS and context == self.everyone:
                p.values |= dict.fromkeys(context - there)
                p.default, p.has_default = None, True
                return Condition(Expr("{} != none", {}, (p,)), Expr("{} == none", {}, (p,)))
        return None

    def flag(self, there: set[int], context: set[int], base: str) -> Condition:
        """A parameter of its own."""
        values: Vector = {i: i in there for i in context}
        same = next((p for p in self.parameters if p.category == FLAG and agree(p.values, values)), None)
        if same is None:
            same = Parameter(FLAG, base, values)
            self.parameters.append(same)
        same.values |= values
        return Condition(Expr("{}", {}, (same,)), Expr("not {}", {}, (same,)))

    # ---- names and defaults ----

    def name_parameters(self, outputs: Mapping[int, Shape], taken: Collection[str]) -> None:
        """Give the parameters their names, defaults and order."""
        widths = {i: shape[-1] for i, shape in outputs.items()}
        counts = Counter(p.base for p in self.parameters)
        seen: Counter[str] = Counter()
        own: set[str] = {INPUT, "h", "w"}
        last = next((p for p in self.parameters if p.base == "c" and p.values == widths), None)
        for p in self.parameters:
            seen[p.base] += 1
            name = p.base if counts[p.base] == 1 else f"{p.base}{'_' * (len(p.base) > 1)}{seen[p.base]}"
            if p is last:
                name = "c"
            elif last is not None and p.base == "c" and counts["c"] == 2:
                name = "m"
            while name in own or name in taken:
                name += "_"
            own.add(name)
            p.name = name
            if not p.has_default:
                partial = p.values.keys() != self.everyone and p not in self.compared
                p.default, p.has_default = (None, True) if partial else default_of(p)
        self.parameters.sort(key=lambda p: (p.has_default, p.default is None, place_of(p)))


def place_of(parameter: Parameter) -> int:
    return PLACED.index(parameter.base) if parameter.base in PLACED else len(PLACED)


def category_of(payload: AnyOp | Call, name: str) -> tuple[str, str]:
    """The category and the first name of a parameter for an attribute."""
    if isinstance(payload, Call):
        inner = payload.block.parameter(name)
        return inner.category, inner.base
    return CATEGORIES.get(name, name), LETTERS.get(name, name)


def agree(one: Vector, other: Vector) -> bool:
    """Whether two values are the same wherever both are there, and one is there wherever the other is."""
    common = one.keys() & other.keys()
    return len(common) == min(len(one), len(other)) and all(typed(one[i]) == typed(other[i]) for i in common)


def covers(one: Vector, other: Vector) -> bool:
    """Whether a value says more than another, and the same where both are there."""
    return len(one) > len(other) and all(i in one and typed(one[i]) == typed(v) for i, v in other.items())


def factor_of(pairs: list[tuple[int, int]]) -> str | None:
    """`2*{}`, `{}//4` or `{}`: how the first numbers come of the second ones."""
    first, second = pairs[0]
    if second and first % second == 0 and all(a == first // second * b for a, b in pairs):
        return "{}" if first == second else f"{first // second}*{{}}"
    if first and second % first == 0 and all(b == second // first * a for a, b in pairs):
        return f"{{}}//{second // first}"
    return None


def default_of(parameter: Parameter) -> tuple[Value, bool]:
    """The default of a parameter, and whether it has one."""
    values = list(parameter.values.values())
    if parameter.base in {"f", "c"}:
        return None, False
    if parameter.category in {STRIDE, "dilation"} and 1 in values:
        return 1, True
    common = most_common(parameter.values)
    often = sum(typed(value) == typed(common) for value in values)
    return (common, True) if 2 * often > len(values) or parameter.category in {FLAG, "bias"} else (None, False)
