"""`weights` clauses -> what each tensor of a Graph is called in the files of another program.

A rule is chosen by the path of the node, so every tensor has one key, whatever stands in a file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from archspec.diagnostics import SpecError
from archspec.elaborate.evaluate import Environment, Value, describe, evaluate
from archspec.elaborate.paths import PathPattern
from archspec.elaborate.table_errors import WeightKey
from archspec.graph import Graph, tensor_names
from archspec.source import Span
from archspec.syntax import parse_cell
from archspec.syntax import tree as t

INDEX = "index"
BRACES = re.compile(r"\{([^{}]*)\}")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Keys = dict[str, tuple[str, ...]]
"""`row_1/conv.weight` to its keys, the usual one first."""


def origins(network: t.Network) -> tuple[str, ...]:
    """The programs that a network has `weights` clauses for."""
    return tuple(dict.fromkeys(clause.origin.id for clause in clauses(network)))


def clauses(network: t.Network) -> list[t.Weights]:
    return [clause for clause in network.clauses if isinstance(clause, t.Weights)]


def depends_on(network: t.Network, origin: str, graph: Graph) -> object:
    """What the keys of a Graph depend on: two Graphs for which it is equal have the same ones."""
    texts = [
        key.value for clause in clauses(network) if clause.origin.id == origin for r in clause.rules for key in r.keys
    ]
    words = {word for text in texts for part in BRACES.findall(text) for word in WORD.findall(part)}
    values = tuple((name, value) for name, value in graph.parameters.items() if name in words)
    return id(network), origin, values, tuple(node.path for node in graph.nodes), tuple(graph.tensors())


def weight_keys(network: t.Network, origin: str, env: Environment, graph: Graph) -> Keys:
    """The keys of every tensor of the graph; raises `SpecError` where one has none, or two have the same."""
    found = [clause for clause in clauses(network) if clause.origin.id == origin]
    if not found:
        others = f"; it does for {', '.join(origins(network))}" if origins(network) else ""
        reason = f"`{network.name.id}` does not say what {origin} calls its weights{others}"
        raise SpecError([WeightKey(network.name.span, reason)])
    rules = [Rule(rule) for clause in found for rule in clause.rules]
    counters: Counters = {}
    keys: Keys = {}
    owners: dict[str, str] = {}
    for node in graph.nodes:
        names = tensor_names(node, graph.input_shapes(node))
        if not names and (rule := chosen(rules, node.path)):
            rule.keys(node.path, env, counters)  # it may count for `index`
        for name in names:
            rule = chosen(rules, name)
            if rule is None:
                raise SpecError([WeightKey(found[0].origin.span, f"no rule says what `{name}` is called")])
            keys[name] = rule.keys(name, env, counters)
            for key in keys[name]:
                if owners.setdefault(key, name) != name:
                    both = f"`{owners[key]}` and `{name}` are both called `{key}`"
                    raise SpecError([WeightKey(rule.tree.path.span, both)])
    return keys


Piece = str | t.Expr
Counters = dict[str, dict[tuple[Value, ...], int]]
"""The beginning of a key to what was counted there."""


@dataclass(slots=True)
class Rule:
    """A rule of a `weights` clause, made ready to match."""

    tree: t.WeightKey
    pattern: PathPattern = field(init=False)
    templates: tuple[tuple[Piece, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        self.pattern = PathPattern(self.tree.path.span, self.tree.path.value)
        self.templates = tuple(tuple(pieces(key)) for key in self.tree.keys)

    def keys(self, name: str, env: Environment, counters: Counters) -> tuple[str, ...]:
        """What a tensor is called; `name` is one that the rule matches."""
        inside = env.with_bindings(self.pattern.match(name) or {})
        tensor = "" if self.pattern.of_tensors else name.partition(".")[2]
        made = (filled(template, inside, counters) for template in self.templates)
        return tuple(f"{key}.{tensor}" if tensor else key for key in made)


def chosen(rules: list[Rule], name: str) -> Rule | None:
    """The matching rule with the most letters of its own; raises `SpecError` where two have as many."""
    found = [rule for rule in rules if rule.pattern.match(name) is not None]
    best = max((rule.pattern.letters for rule in found), default=0)
    closest = [rule for rule in found if rule.pattern.letters == best]
    if len(closest) > 1:
        also = f'"{closest[0].tree.path.value}" matches `{name}` as well, and as closely'
        raise SpecError([WeightKey(closest[1].tree.path.span, also)])
    return closest[0] if closest else None


def pieces(template: t.Text) -> Iterator[Piece]:
    """A key, parted into texts and what stands in braces."""
    text, end = template.value, 0
    inside = template.span.part(1, 1 + len(text))
    for braces in BRACES.finditer(text):
        yield text[end : braces.start()]
        span = inside.part(braces.start(1), braces.end(1))
        yield parse_cell("value_cell", span.source, span.start, braces[1])
        end = braces.end()
    yield text[end:]


def filled(template: tuple[Piece, ...], env: Environment, counters: Counters) -> str:
    """A key, the expressions in its braces replaced by their values."""
    made = ""
    for part in template:
        if isinstance(part, str):
            made += part
        elif isinstance(part, t.Call) and part.function.id == INDEX:
            made += str(counted(made, part, env, counters))
        else:
            made += printed(evaluate(part, env), part.span)
    return made


def counted(before: str, call: t.Call, env: Environment, counters: Counters) -> int:
    """`index(a, b)`: the place, from 0, of these values among all that were counted after the same beginning."""
    values = tuple(evaluate(argument.value, env) for argument in call.arguments)
    seen = counters.setdefault(before, {})
    return seen.setdefault(values, len(seen))


def printed(value: Value, span: Span) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise SpecError([WeightKey(span, f"a key is made of texts and whole numbers, and this is {describe(value)}")])
    return str(value)
