"""`weights` clauses -> what each tensor of a Graph is called in the files of another program.

A rule is chosen by the path of the node, so every tensor has one key, whatever stands in a file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from archspec.diagnostics import SpecError
from archspec.elaborate.evaluate import Binding, Environment, Value, describe, evaluate
from archspec.elaborate.table_errors import WeightKey
from archspec.graph import Graph, tensor_names
from archspec.source import Span
from archspec.syntax import parse_cell
from archspec.syntax import tree as t

INDEX = "index"
HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
BRACES = re.compile(r"\{([^{}]*)\}")

Keys = dict[str, tuple[str, ...]]
"""`row_1/conv.weight` to its keys, the usual one first."""


def origins(network: t.Network) -> tuple[str, ...]:
    """The programs that a network has `weights` clauses for."""
    return tuple(dict.fromkeys(clause.origin.id for clause in clauses(network)))


def clauses(network: t.Network) -> list[t.Weights]:
    return [clause for clause in network.clauses if isinstance(clause, t.Weights)]


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
        for name in names or [node.path]:
            rule = chosen(rules, name)
            if rule is None and name != node.path:
                raise SpecError([WeightKey(found[0].origin.span, f"no rule says what `{name}` is called")])
            if rule is None:
                continue
            made = tuple(rule.keys(name, env, counters))
            if name == node.path:
                continue
            for key in made:
                if owners.setdefault(key, name) != name:
                    both = f"`{owners[key]}` and `{name}` are both called `{key}`"
                    raise SpecError([WeightKey(rule.tree.path.span, both)])
            keys[name] = made
    return keys


Piece = str | t.Expr
Counters = dict[str, dict[tuple[Value, ...], int]]
"""The beginning of a key to what was counted there."""


@dataclass(slots=True)
class Rule:
    """A rule of a `weights` clause, made ready to match."""

    tree: t.WeightKey
    pattern: re.Pattern[str] = field(init=False)
    letters: int = field(init=False)
    """how many are the rule's own"""
    whole: bool = field(init=False)
    """whether it names the tensor too"""
    templates: tuple[tuple["Piece", ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        text = self.tree.path.value
        self.whole = "." in text
        self.letters = len(HOLE.sub("", text))
        seen: set[str] = set()
        regex, end = "", 0
        for hole in HOLE.finditer(text):
            regex += re.escape(text[end : hole.start()])
            regex += f"(?P={hole[1]})" if hole[1] in seen else f"(?P<{hole[1]}>[^/.]+)"
            seen.add(hole[1])
            end = hole.end()
        self.pattern = re.compile(regex + re.escape(text[end:]))
        self.templates = tuple(tuple(pieces(key)) for key in self.tree.keys)

    def match(self, name: str) -> re.Match[str] | None:
        return self.pattern.fullmatch(name if self.whole else name.partition(".")[0])

    def keys(self, name: str, env: Environment, counters: Counters) -> Iterator[str]:
        """What a tensor is called; `name` is one that the rule matches."""
        match = self.match(name)
        assert match is not None
        span = self.tree.path.span
        holes = {
            hole: Binding(int(text) if text.isascii() and text.isdigit() else text, span)
            for hole, text in match.groupdict().items()
        }
        tensor = name.partition(".")[2]
        for template in self.templates:
            key = filled(template, env.with_bindings(holes), counters)
            yield key if self.whole or not tensor else f"{key}.{tensor}"


def chosen(rules: list[Rule], name: str) -> Rule | None:
    """The matching rule with the most letters of its own; raises `SpecError` where two have as many."""
    found = [rule for rule in rules if rule.match(name)]
    best = max((rule.letters for rule in found), default=0)
    closest = [rule for rule in found if rule.letters == best]
    if len(closest) > 1:
        also = f'"{closest[0].tree.path.value}" matches `{name}` as well, and as closely'
        raise SpecError([WeightKey(closest[1].tree.path.span, also)])
    return closest[0] if closest else None


def pieces(template: t.Text) -> Iterator["Piece"]:
    """A key, parted into texts and what stands in braces."""
    text, end = template.value, 0
    inside = template.span.part(1, 1 + len(text))
    for braces in BRACES.finditer(text):
        yield text[end : braces.start()]
        span = inside.part(braces.start(1), braces.end(1))
        yield parse_cell("value_cell", span.source, span.start, braces[1])
        end = braces.end()
    yield text[end:]


def filled(template: tuple["Piece", ...], env: Environment, counters: Counters) -> str:
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
