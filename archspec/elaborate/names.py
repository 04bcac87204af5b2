"""One declaration -> every name in it, each with the scope that it is looked up in, and what is wrong with them.

What a rule may name beyond its holes and parameters depends on the table, so its expressions are left to elaboration;
its operators and its calls are checked here.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property, partial

from msgspec.structs import replace

from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate.calls import check_call, check_step
from archspec.elaborate.errors import UnknownName, UnknownOperator
from archspec.elaborate.network import COUNTED
from archspec.elaborate.scopes import CALLED, WORD, Declaration, Look, Scope
from archspec.elaborate.uses import (
    Use,
    declared,
    distribution,
    given_by,
    holes_in,
    holes_of,
    inner,
    language,
    of_distribution,
    operator,
)
from archspec.elaborate.weight_keys import BRACES
from archspec.ops import WORDS
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.syntax.tree import walk


class Names:
    """The names of one declaration."""

    def __init__(self, here: Declaration) -> None:
        self.here = here
        self.module = here.module
        self.noted: list[tuple[Span, str, Look, bool]] = []
        """every name: its place, itself, where it is looked up, and whether it gives something"""
        self.wrong: list[Diagnostic] = []
        self.find()

    @cached_property
    def uses(self) -> list[Use]:
        """The names with what they stand for, as far as they are known."""
        looked = ((span, look(name), gives) for span, name, look, gives in self.noted)
        return [Use(span, target, gives) for span, target, gives in looked if target is not None]

    def note(self, name: t.Name, look: Look, gives: bool = False) -> None:
        self.noted.append((name.span, name.id, look, gives))

    def find(self) -> None:
        """Note every name, and what is wrong."""
        named = self.here.named
        self.note(named.name, lambda _: self.here.shelf.once(declared, named), gives=True)
        if isinstance(named, t.Variant):
            self.note(named.network.name, self.here.network)
            of_network = partial(self.here.shelf.parameter, named.network.name.id, (t.Network,))
            self.arguments(named.network.arguments or (), of_network, Scope(self.here, closed=True))
            return
        scope = Scope(self.here, closed=isinstance(named, t.Definition | t.Block))
        for parameter in named.parameters:
            self.note(parameter.name, self.here.own.get, gives=True)
            self.trees([parameter.default, *parameter.choices], scope)
        match named:
            case t.Definition():
                self.tree(named.body, scope)
            case t.Block():
                if named.signature is not None:
                    self.trees([*named.signature.input, *named.signature.output], scope)
                self.tree(named.body, scope)
            case _:
                for clause in named.clauses:
                    self.clause(clause, scope)

    # ---- clauses ----

    def clause(self, clause: t.Clause, scope: Scope) -> None:
        match clause:
            case t.InputClause():
                self.trees(clause.sides, scope)
            case t.Body():
                self.tree(clause.net, Scope(self.here, closed=True))
            case t.Output():
                self.note(clause.name, partial(self.here.output, clause), gives=True)
                self.tree(clause.net, Scope(self.here, closed=True))
            case t.Check():
                self.arguments(clause.arguments, self.here.own.get, scope)
                for claim in clause.claims:
                    self.note(claim.what, lambda name: language("count", name) if name in COUNTED else None)
            case t.Erratum():
                self.words(clause.correction, 0, len(clause.correction.value), scope)
            case t.Init():
                for initial in clause.initials:
                    self.initial(initial, Scope(self.here, checked=False))
            case t.Weights():
                self.note(clause.origin, partial(language, "program"))
                for rule in clause.rules:
                    self.weight_key(rule)
            case t.Columns() | t.RepeatClause() | t.Numbering() | t.Infer() | t.Default() | t.Read() | t.ReadAs():
                self.convention(clause, Scope(self.here, rows=True))

    def convention(self, clause: t.Convention, scope: Scope) -> None:
        match clause:
            case t.Columns():
                for column in clause.columns:
                    self.column(column)
            case t.RepeatClause():
                self.tree(clause.count, scope)
                for assignment in clause.then:
                    self.note(assignment.name, scope.named, gives=True)
                    self.tree(assignment.value, scope)
            case t.Numbering():
                for name in filter(None, (clause.position, clause.total)):
                    self.note(name, scope.named, gives=True)
            case t.Infer():
                self.note(clause.name, scope.named, gives=True)
                self.trees(clause.usual, scope)
            case t.Default():
                for reference in clause.operators:
                    self.note(reference.name, operator)
                    inside = Scope(self.here, checked=False)
                    self.arguments(reference.arguments or (), partial(inside.attribute, reference.name.id), inside)
            case t.Read():
                for rule in clause.rules:
                    self.rule(rule)
            case t.ReadAs():
                name = clause.reading.name
                self.note(name, self.here.reading)
                of_reading = partial(self.here.shelf.parameter, name.id, (t.Reading,))
                self.arguments(clause.reading.arguments or (), of_reading, Scope(self.here, checked=False))
                if self.module.seen(name.id, t.Reading) is None:
                    self.wrong.append(UnknownName(name.span, name.id, tuple(self.module.names(t.Reading))))

    def column(self, column: t.Column) -> None:
        for span, name in holes_in(column.header):
            self.noted.append((span, name, self.here.own.get, False))
        self.noted += [(span, name, self.here.meaning, True) for span, name in given_by(column)]

    def rule(self, rule: t.Rule) -> None:
        holes = self.here.shelf.once(holes_of, rule)
        scope = Scope(self.here, holes, rows=True)
        self.noted += [(span, name, scope.named, True) for span, name in holes_in(rule.pattern)]
        self.trees([rule.when, rule.check, rule.net], scope)

    def initial(self, initial: t.Initial, scope: Scope) -> None:
        target = initial.target
        if isinstance(target, t.Name):
            self.note(target, operator)
        else:
            self.path(target)
        for how in filter(None, (initial.distribution, initial.otherwise)):
            self.note(how.name, distribution)
            self.arguments(how.arguments or (), partial(of_distribution, how.name.id), scope)
        self.trees([initial.condition], scope)

    def weight_key(self, rule: t.WeightKey) -> None:
        holes = holes_of(rule)
        self.noted += [(span, name, holes.get, True) for span, name in holes_in(rule.path)]
        self.path(rule.path)
        scope = Scope(self.here, holes)
        for key in rule.keys:
            for braces in BRACES.finditer(key.value):
                self.words(key, *braces.span(1), scope)

    def path(self, path: t.Text) -> None:
        """Note the names of tensors in a path; what stands in braces is a hole."""
        for word in WORD.finditer(path.value):
            if path.value[word.start() - 1 : word.start()] != "{":
                self.noted.append((inner(path).part(*word.span()), word[0], self.here.tensor, False))

    # ---- networks, expressions and texts ----

    def trees(self, roots: Iterable[t.Tree | None], scope: Scope) -> None:
        for root in roots:
            if root is not None:
                self.tree(root, scope)

    def tree(self, root: t.Tree, scope: Scope) -> None:
        """Note the names of a network or an expression."""
        for node in walk(root):
            match node:
                case t.Name():
                    self.note(node, scope.value)
                    if scope.closed and node.id not in self.here.own and not self.module.is_word(node.id):
                        self.wrong.append(UnknownName(node.span, node.id, (*self.here.own, *WORDS)))
                case t.Reference():
                    self.note(node.name, scope.step)
                    self.labels(node.arguments or (), partial(scope.attribute, node.name.id))
                    if scope.checked and not self.here.is_step(node.name.id, scope):
                        self.check(check_step(node.name, self.module, node.arguments or ()))
                case t.Call():
                    self.note(node.function, self.here.function)
                    self.labels(node.arguments, partial(self.here.shelf.parameter, node.function.id, (t.Definition,)))
                    if scope.checked:
                        self.check(check_call(node, self.module))
                case t.Tap():
                    self.note(node.name, self.here.tensor)
                case t.Step() if node.alias is not None:
                    self.note(node.alias, self.here.tensors.get, gives=True)
                case t.Text():
                    self.noted.append((inner(node), node.value, self.here.block, False))

    def arguments(self, arguments: tuple[t.Argument, ...], known: Look, scope: Scope) -> None:
        self.labels(arguments, known)
        self.trees([argument.value for argument in arguments], scope)

    def labels(self, arguments: tuple[t.Argument, ...], known: Look) -> None:
        for argument in arguments:
            if argument.name is not None:
                self.note(argument.name, known, gives=True)

    def words(self, text: t.Text, start: int, end: int, scope: Scope) -> None:
        """Note the words of a part of a text that is computed with."""
        place = inner(text).part(start, end)
        self.noted += [
            (place.part(a, b), name, look, False) for a, b, name, look in words(text.value[start:end], scope)
        ]

    def check(self, wrong: Iterator[Diagnostic]) -> None:
        """Note what is wrong with a step or a call, an unknown step known to be a tensor's name that lacks its `@`."""
        try:
            found = list(wrong)
        except SpecError as error:
            found = list(error.diagnostics)
        for one in found:
            lacks = isinstance(one, UnknownOperator) and one.name in self.here.tensors
            self.wrong.append(replace(one, known=(f"@{one.name}",)) if lacks else one)  # type: ignore[attr-defined]


def words(text: str, scope: Scope) -> Iterator[tuple[int, int, str, Look]]:
    """The words of a text that is computed with, as a cell is, and where each is looked up."""
    for word in WORD.finditer(text):
        yield *word.span(), word[0], scope.of.function if CALLED.match(text, word.end()) else scope.word
