"""`weights` clauses -> what each tensor of a Graph is called in the files of another program.

A rule is chosen by the path of the node, so every tensor has one key, whatever stands in a file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec import Struct

from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate.evaluate import Binding, Environment, Value, describe, evaluate
from archspec.elaborate.paths import HOLE, PathPattern, bad_holes
from archspec.elaborate.table_errors import WeightKey
from archspec.graph import Graph, tensor_names
from archspec.source import Span
from archspec.syntax import parse_cell
from archspec.syntax import tree as t

INDEX = "index"
BRACES = re.compile(r"\{([^{}]*[^{}\s][^{}]*)\}")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Keys = dict[str, tuple[str, ...]]
"""`row_1/conv.weight` to its keys, the usual one first."""


def origins(network: t.Network) -> tuple[str, ...]:
    """The programs that a network has `weights` clauses for."""
    return tuple(dict.fromkeys(clause.origin.id for clause in clauses(network)))


def clauses(network: t.Network) -> list[t.Weights]:
    return [clause for clause in network.clauses if isinstance(clause, t.Weights)]


def depends_on(network: t.Network, origin: str, graph: Graph, tensors: tuple[str, ...]) -> object:
    """What the keys of a Graph with these tensors depend on: two Graphs for which it is equal have the same ones."""
    texts = [
        key.value for clause in clauses(network) if clause.origin.id == origin for r in clause.rules for key in r.keys
    ]
    words = {word for text in texts for part in BRACES.findall(text) for word in WORD.findall(part)}
    values = tuple((name, value) for name, value in graph.parameters.items() if name in words)
    return id(network), origin, values, tuple(node.path for node in graph.nodes), tensors


def weight_keys(network: t.Network, origin: str, env: Environment, graph: Graph, used: set[Span] | None = None) -> Keys:
    """The keys of every tensor of the graph; raises `SpecError` where one has none, or two have the same.

    The places of the rules that name something, or count it, are added to `used`.
    """
    found = [clause for clause in clauses(network) if clause.origin.id == origin]
    if not found:
        others = f"; it does for {', '.join(origins(network))}" if origins(network) else ""
        reason = f"`{network.name.id}` does not say what {origin} calls its weights{others}"
        raise SpecError([WeightKey(network.name.span, reason)])
    wrong = [bad for clause in found for rule in clause.rules for bad in bad_braces(rule)]
    if wrong:
        raise SpecError(wrong)
    counters: Counters = {}
    rules = [Rule(rule, env, counters) for clause in found for rule in clause.rules]
    of_nodes = [rule for rule in rules if not rule.pattern.of_tensors]
    of_tensors = [rule for rule in rules if rule.pattern.of_tensors]
    keys: Keys = {}
    owners: dict[str, tuple[str, Span]] = {}
    for node in graph.nodes:
        here = [rule for rule in of_nodes if rule.pattern.matches(node.path)]
        names = tensor_names(node, graph.input_shapes(node))
        if not names and (rule := closest(here, node.path)):
            rule.keys(node.path)  # it may count for `index`
        for name in names:
            rule = closest([*here, *(rule for rule in of_tensors if rule.pattern.matches(name))], name)
            if rule is None:
                raise SpecError([WeightKey(found[0].origin.span, f"no rule says what `{name}` is called")])
            keys[name] = rule.keys(name)
            for key in keys[name]:
                place = rule.tree.path.span
                owner, first = owners.setdefault(key, (name, place))
                if owner != name:
                    both = f"`{owner}` and `{name}` are both called `{key}`"
                    raise SpecError([WeightKey(place, both, first if first != place else None)])
    if used is not None:
        used.update(rule.tree.span for rule in rules if rule.made)
    return keys


def bad_braces(rule: t.WeightKey) -> Iterator[Diagnostic]:
    """The braces of a rule that are neither holes nor expressions of them."""
    yield from bad_holes(rule.path.span, HOLE, "{n}")
    for key in rule.keys:
        yield from bad_holes(key.span, BRACES, "{n - 1}")


class Blank(Struct, frozen=True):
    """What stands in braces in a key."""

    span: Span
    parts: tuple[t.Expr, ...]
    counts: bool
    """whether it is `index`, and the parts its arguments"""
    holes: tuple[str, ...]
    """those that its value may depend on"""


Piece = str | Blank
Counters = dict[str, dict[tuple[Value, ...], int]]
"""The beginning of a key to what was counted there."""


@dataclass(slots=True)
class Rule:
    """A rule of a `weights` clause, made ready to match the nodes of one Graph."""

    tree: t.WeightKey
    env: Environment
    counters: Counters
    pattern: PathPattern = field(init=False)
    templates: tuple[tuple[Piece, ...], ...] = field(init=False)
    made: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """what the templates give for a path; it is the same for all tensors of a node"""
    values: dict[tuple[Value, ...], tuple[Value, ...]] = field(default_factory=dict)
    """what stands in braces, by the values that holes have there"""

    def __post_init__(self) -> None:
        self.pattern = PathPattern(self.tree.path.span, self.tree.path.value)
        holes = frozenset(self.pattern.regex.groupindex)
        self.templates = tuple(tuple(pieces(key, holes)) for key in self.tree.keys)

    def keys(self, name: str) -> tuple[str, ...]:
        """What a tensor is called; `name` is one that the rule matches."""
        path, _, tensor = (name, "", "") if self.pattern.of_tensors else name.partition(".")
        if path not in self.made:
            holes = self.pattern.match(path) or {}
            self.made[path] = tuple(self.filled(template, holes) for template in self.templates)
        return tuple(f"{key}.{tensor}" if tensor else key for key in self.made[path])

    def filled(self, template: tuple[Piece, ...], holes: dict[str, Binding]) -> str:
        """A key, the expressions in its braces replaced by their values."""
        made = ""
        for piece in template:
            if isinstance(piece, str):
                made += piece
            elif piece.counts:
                made += str(self.counted(made, self.evaluated(piece, holes)))
            else:
                (value,) = self.evaluated(piece, holes)
                made += printed(value, piece.span)
        return made

    def evaluated(self, blank: Blank, holes: dict[str, Binding]) -> tuple[Value, ...]:
        key = (id(blank), *[holes[word].value for word in blank.holes])
        if key not in self.values:
            inside = self.env.with_bindings(holes)
            self.values[key] = tuple(evaluate(part, inside) for part in blank.parts)
        return self.values[key]

    def counted(self, before: str, values: tuple[Value, ...]) -> int:
        """`index(a, b)`: the place, from 0, of these values among all that were counted after the same beginning."""
        seen = self.counters.setdefault(before, {})
        return seen.setdefault(values, len(seen))


def closest(matching: list[Rule], name: str) -> Rule | None:
    """Of the rules that match, the one with the most letters of its own; raises `SpecError` where two have as many."""
    best = max((rule.pattern.letters for rule in matching), default=0)
    found = [rule for rule in matching if rule.pattern.letters == best]
    if len(found) > 1:
        one, other, *_ = sorted((rule.tree.path for rule in found), key=lambda path: path.span.start)
        also = f'"{one.value}" matches `{name}` as well, and as closely'
        raise SpecError([WeightKey(other.span, also, one.span)])
    return found[0] if found else None


def pieces(template: t.Text, holes: frozenset[str]) -> Iterator[Piece]:
    """A key, parted into texts and what stands in braces."""
    text, end = template.value, 0
    inside = template.span.part(1, 1 + len(text))
    for braces in BRACES.finditer(text):
        yield text[end : braces.start()]
        span = inside.part(braces.start(1), braces.end(1))
        named = tuple(sorted(holes.intersection(WORD.findall(braces[1]))))
        yield blank(parse_cell("value_cell", span.source, span.start, braces[1]), named)
        end = braces.end()
    yield text[end:]


def blank(expression: t.Expr, holes: tuple[str, ...]) -> Blank:
    if isinstance(expression, t.Call) and expression.function.id == INDEX:
        return Blank(expression.span, tuple(argument.value for argument in expression.arguments), True, holes)
    return Blank(expression.span, (expression,), False, holes)


def printed(value: Value, span: Span) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise SpecError([WeightKey(span, f"a key is made of texts and whole numbers, and this is {describe(value)}")])
    return str(value)
