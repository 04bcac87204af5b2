"""A row and the rules of its network and readings -> the rule that reads it, with the variables that it sees."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain

from msgspec import Struct

from archspec.diagnostics import SpecError
from archspec.elaborate.evaluate import Binding, Environment, truth
from archspec.elaborate.layout import Conventions, Layout, Owner, ReadRule
from archspec.elaborate.table_errors import AmbiguousOperator, TwoMeanings, UnreadOperator, refuse_ditto
from archspec.elaborate.table_rows import TableRow
from archspec.elaborate.variables import Variables, hole_variables, row_variables
from archspec.ops import WORDS
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.tables import patterns
from archspec.tables.table import Cell
from archspec.tensor import Shape

SIDES = {"h": "the height of the row's input", "w": "the width of the row's input"}
Meaning = tuple[str, Span | None]


class Chosen(Struct, frozen=True):
    """The rule that reads a row, and what the row gives it."""

    rule: ReadRule
    variables: Variables

    @property
    def env(self) -> Environment:
        """What the rule sees."""
        return self.rule.env.with_bindings(self.variables.values)

    def seen_by(self, owner: Owner) -> Environment:
        """What a clause of that network or reading sees: its own parameters, whoever wrote the rule."""
        return owner.env.with_bindings(self.variables.values)


class Rules:
    """The rules of one network and its readings."""

    def __init__(self, how: Conventions, env: Environment) -> None:
        self.how = how
        self.env = env
        self.mentioned = {id(rule): used_names(rule.rule.when, rule.rule.check, rule.rule.net) for rule in how.rules}
        self.anywhere = frozenset[str]().union(*self.mentioned.values())
        """the names that any rule computes with"""
        self.holes = set[str]().union(*(patterns.holes(rule.rule.pattern.value) for rule in how.rules))
        self.by_piece = ByPiece(rule.rule.pattern.value for rule in how.rules)
        self.likely: dict[str, list[ReadRule]] = {}
        self.used: dict[int, frozenset[str]] = {}
        """the names that a clause or guard computes with, found once for all rows"""
        self.clear: set[object] = set()
        """what was looked at, and means one thing"""

    def choose(self, row: TableRow, cell: Cell, shape: Shape) -> Chosen:
        """The most specific rule that reads an operator cell, given an input of this shape; raises `SpecError`."""
        refuse_ditto(cell)
        height, width = shape[:2] if len(shape) == 3 else (1, 1)
        sides = {"h": Binding(height, cell.span), "w": Binding(width, cell.span)}
        variables = row_variables(row.row, row.layout, self.env).before(Variables(sides, {}))
        found: list[tuple[tuple[int, bool, bool], Chosen]] = []
        guarded: list[str] = []
        for rule in self.that_may_read(cell.text):
            match = patterns.match(rule.rule.pattern.value, cell.text)
            if match is None:
                continue
            chosen = Chosen(rule, hole_variables(match, cell, self.env).before(variables))
            when = rule.rule.when
            if when is None or self.holds(when, chosen, row.layout):
                found.append(((match.specificity, when is not None, rule.own), chosen))
            else:
                guarded.append(rule.rule.pattern.value)
        if not found:
            known = tuple(rule.rule.pattern.value for rule in self.how.rules)
            raise SpecError([UnreadOperator(cell.span, cell.shown, known, tuple(guarded))])
        best = max(rank for rank, _ in found)
        first, *others = [chosen for rank, chosen in found if rank == best]
        if others:
            spans = tuple(chosen.rule.rule.pattern.span for chosen in (first, *others))
            raise SpecError([AmbiguousOperator(cell.span, cell.shown, spans)])
        mentioned = self.mentioned[id(first.rule)]
        hidden = patterns.holes(first.rule.rule.pattern.value) & row.layout.variables.keys()
        self.refuse_twofold(first.rule.rule, mentioned | hidden, first.rule.owner, first.rule, row.layout)
        first.variables.need(mentioned)
        return first

    def that_may_read(self, text: str) -> list[ReadRule]:
        """The rules that have a piece in common with an operator cell, in their order."""
        if text not in self.likely:
            self.likely[text] = [self.how.rules[place] for place in self.by_piece.places(text)]
        return self.likely[text]

    def holds(self, when: t.Expr, chosen: Chosen, layout: Layout) -> bool:
        """Whether a guard holds."""
        names = self.names(when)
        self.refuse_twofold(when, names, chosen.rule.owner, chosen.rule, layout)
        chosen.variables.need(names)
        return truth(when, chosen.env)

    def names(self, clause: t.Tree) -> frozenset[str]:
        if id(clause) not in self.used:
            self.used[id(clause)] = used_names(clause)
        return self.used[id(clause)]

    def seen(self, clause: t.Tree, owner: Owner, chosen: Chosen, layout: Layout) -> Environment:
        """What a clause beside the rules sees of a row; raises `SpecError`."""
        names = self.names(clause)
        self.refuse_twofold(clause, names, owner, chosen.rule, layout)
        chosen.variables.need(names)
        return chosen.seen_by(owner)

    # ---- names that mean two things ----

    def refuse_twofold(self, used: t.Tree, names: Iterable[str], owner: Owner, rule: ReadRule, layout: Layout) -> None:
        """Raise `SpecError` where a name that is used means two things."""
        key = id(used), id(rule), id(layout)
        if key in self.clear:
            return
        for name in sorted(names):
            meanings = self.meanings(name, owner, rule, layout)
            if len(meanings) > 1:
                place = next((node.span for node in t.names(used) if node.id == name), None)
                primary = place or next(span for _, span in meanings if span is not None)
                raise SpecError([TwoMeanings(primary, name, tuple(meanings))])
        self.clear.add(key)

    def meanings(self, name: str, owner: Owner, rule: ReadRule, layout: Layout) -> list[Meaning]:
        """What a name means to a clause or rule of an owner, in a row that a rule reads."""
        found: list[Meaning] = []
        pattern = rule.rule.pattern
        for token in patterns.tokens("pattern", pattern.value):
            if token.hole == name and not found:
                found.append(("a hole of this pattern", pattern.span.part(1 + token.start, 1 + token.end)))
        if name in layout.variables:
            found.append(("a column of the table", layout.variables[name].span))
        if not found:
            found += self.set_by_clauses(name)
        if name in owner.parameters:
            found.append((f"a parameter of `{owner.name}`", owner.parameters[name]))
        numbering = self.how.numbering
        for counted in (numbering.position, numbering.total) if numbering else ():
            if counted is not None and counted.id == name:
                found.append(("what `number` counts", counted.span))
        if found and name in SIDES:
            found.append((SIDES[name], None))
        if found and name in WORDS:
            found.append(("a word of the language", None))
        return found

    def set_by_clauses(self, name: str) -> list[Meaning]:
        """What gives a variable to rows without a cell for it."""
        solved = [("what `infer` solves for", infer.name.span) for infer, _ in self.how.infer if infer.name.id == name]
        then = self.how.repeat[0].then if self.how.repeat else ()
        given = [("what `then` sets", assignment.name.span) for assignment in then if assignment.name.id == name]
        return [*solved[:1], *(given[:1] if not solved else [])]


class ByPiece:
    """The places of patterns, each under the piece that fewest others have; "" where all of it is holes."""

    def __init__(self, texts: Iterable[str]) -> None:
        pieces = [patterns.own(text) for text in texts]
        times = Counter(chain.from_iterable(pieces))
        self.found: dict[str, list[int]] = {}
        for place, own in enumerate(pieces):
            self.found.setdefault(min(sorted(own), key=times.__getitem__, default=""), []).append(place)

    def places(self, text: str) -> list[int]:
        """Those that have a piece in common with a cell, in their order: no other pattern matches it."""
        return sorted(place for piece in {"", *patterns.said(text)} for place in self.found.get(piece, ()))


def used_names(*trees: t.Tree | None) -> frozenset[str]:
    """The names that clauses compute with."""
    return frozenset(name.id for tree in trees if tree is not None for name in t.names(tree))
