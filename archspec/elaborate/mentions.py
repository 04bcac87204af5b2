"""A declaration -> the names that it uses: those it computes with, calls, takes up, and those that stand in texts.

What gives a name to something is not a use of it: `k = 10` in a variant, `as wide`, `then s = 1`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from archspec.syntax import tree as t
from archspec.tables import cells, patterns

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
BRACES = re.compile(r"\{([^{}]*)\}")
GIVES: dict[type[t.Tree], frozenset[str]] = {
    t.Argument: frozenset({"name"}), t.Step: frozenset({"alias"}), t.Parameter: frozenset({"name"}),
    t.Output: frozenset({"name"}), t.Claim: frozenset({"what"}), t.Infer: frozenset({"name"}),
    t.Assignment: frozenset({"name"}), t.Numbering: frozenset({"position", "total"}), t.Network: frozenset({"name"}),
    t.Reading: frozenset({"name"}), t.Block: frozenset({"name"}), t.Definition: frozenset({"name"}),
    t.Variant: frozenset({"name"}), t.Title: frozenset({"text"}), t.Cite: frozenset({"text"}),
}  # fmt: skip
"""Fields that give a name, or say something to readers alone."""


@dataclass(slots=True)
class Mentions:
    """The names that a part of a text uses."""

    names: set[str] = field(default_factory=set)
    """computed with, or a step"""
    calls: set[str] = field(default_factory=set)
    """functions"""
    taps: set[str] = field(default_factory=set)
    """tensors that are taken up"""
    readings: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    """texts, which may be names of blocks"""
    paths: set[str] = field(default_factory=set)
    """words of the paths of nodes"""

    def words(self, text: str, but: Iterable[str] = ()) -> None:
        """The words of a text that is computed with, except some."""
        found = set(WORD.findall(text)).difference(but)
        self.names |= found
        self.calls |= found

    def cell(self, text: str) -> None:
        """The words of a cell: parameters, functions and blocks may stand in it."""
        self.words(cells.normalize(text))

    def add(self, root: object) -> "Mentions":
        """What a tree uses too, found without recursion."""
        pending = [root]
        while pending:
            node = pending.pop()
            if isinstance(node, tuple):
                pending += node
            elif isinstance(node, t.Name):
                self.names.add(node.id)
            elif isinstance(node, t.Tree):
                pending += self.inside(node)
        return self

    def inside(self, node: t.Tree) -> list[object]:
        """The parts of a node to look at, what it says itself being noted."""
        match node:
            case t.Text():
                self.texts.add(node.value)
            case t.Tap():
                self.taps.add(node.name.id)
                return []
            case t.Call():
                self.calls.add(node.function.id)
                return [node.arguments]
            case t.ReadAs():
                self.readings.add(node.reading.name.id)
                return [node.reading.arguments]
            case t.Column():
                self.names |= patterns.holes(node.header.value)
                return []
            case t.Rule():
                return [node.when, node.check, node.net]
            case t.Erratum():
                self.cell(node.correction.value)
                return []
            case t.Initial(target=t.Text(value=path)):
                self.paths.update(WORD.findall(path))
            case t.Weights():
                for rule in node.rules:
                    self.weight_key(rule)
                return []
        gives = GIVES.get(type(node), frozenset())
        return [getattr(node, part) for part in t.parts(type(node)) if part not in gives]

    def weight_key(self, rule: t.WeightKey) -> None:
        """What the expressions of a key compute with, except the holes of its path."""
        self.paths.update(WORD.findall(rule.path.value))
        for key in rule.keys:
            for inside in BRACES.findall(key.value):
                self.words(inside, BRACES.findall(rule.path.value))
