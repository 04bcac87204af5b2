"""The operator cells of a pasted table, and the rules of a reading -> rules for the cells in other words.

A cell that a pattern matches needs no new rule. Another cell takes the rule whose pattern says the same, or whose
network is that operator. A number that the rule does not use is compared with the finished network.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from archspec.pasting.columns import names
from archspec.pasting.vocabulary import Saying, built, saying
from archspec.syntax import tree
from archspec.tables import patterns


class Reworded(Struct, frozen=True):
    """A rule for a cell, as the language writes it, and the size that the network must have in its rows."""

    pattern: str
    text: str
    size: tuple[str, ...] = ()


class Fit(Struct, frozen=True):
    """How a rule reads a cell in other words: what its holes take, and which holes the cell leaves open."""

    rule: tree.Rule
    taken: dict[str, tuple[patterns.Token, ...]]
    left: frozenset[str]
    """holes for which the cell says nothing"""
    size: tuple[str, ...]
    """the size of the cell, where the pattern has none"""


def reworded(reading: tree.Reading, cells: Sequence[str]) -> list[Reworded]:
    """Rules for the cells that no pattern of a reading matches, as far as a rule can be found."""
    rules = rules_of(reading)
    found: dict[str, Reworded] = {}
    for cell in dict.fromkeys(cells):
        if '"' in cell or "{" in cell or any(patterns.match(rule.pattern.value, cell) for rule in rules):
            continue
        said = saying("operator_cell", cell)
        fits = [fit for rule in rules if (fit := fit_of(rule, said)) is not None]
        close = [fit for fit in fits if not fit.left and not fit.size] or fits
        made = [rewritten(fit, cell) for fit in close] or list(by_network(rules, said, cell))
        found |= {one.text: one for one in made}
    return list(found.values())


def rules_of(reading: tree.Reading) -> list[tree.Rule]:
    """The rules of a reading."""
    return [rule for clause in reading.clauses if isinstance(clause, tree.Read) for rule in clause.rules]


def fit_of(rule: tree.Rule, said: Saying) -> Fit | None:
    """How a rule reads a cell, if its pattern says the same."""
    wanted = saying("pattern", rule.pattern.value)
    if len(wanted.words) != len(said.words) or not said.words:
        return None
    pairs = list(zip(wanted.words, said.words, strict=True))
    left: frozenset[str] = frozenset()
    size: tuple[str, ...] = ()
    if wanted.size and said.size:
        pairs += zip(wanted.size, said.size, strict=True)
    elif wanted.size:
        left = frozenset(token.hole for token in wanted.size if token.hole)
        needed = names(rule.net) | (names(rule.when) if rule.when else set())
        if left & needed or not all(token.hole for token in wanted.size):
            return None
    elif said.size:
        size = tuple(token.text for token in said.size)
    taken: dict[str, tuple[patterns.Token, ...]] = {}
    for expected, found in pairs:
        if expected.hole is None:
            if expected.text.casefold() != found.text.casefold():
                return None
        elif taken.setdefault(expected.hole, (found,))[0].text != found.text:
            return None
        else:
            taken[expected.hole] = (*taken[expected.hole], found)
    return Fit(rule, taken, left, size)


def rewritten(fit: Fit, cell: str) -> Reworded:
    """The rule for the cell, its numbers as the holes that take them."""
    holes = {(token.start, token.end): hole for hole, tokens in fit.taken.items() for token in tokens}
    pattern = with_holes(cell, holes)
    when = f" when {fit.rule.when.span.text}" if fit.rule.when else ""
    stated = conditions(fit.rule.check, fit.left)
    return Reworded(pattern, f'"{pattern}"{when}{checked(stated)} = {fit.rule.net.span.text}', fit.size)


def by_network(rules: Sequence[tree.Rule], said: Saying, cell: str) -> Iterator[Reworded]:
    """The rules for a cell that is one operator, made of the only pattern whose network is that operator.

    A pattern that prints more than the operator, such as the units of `FC-1000`, says more than the cell does. Each
    rule keeps its guard, and the pattern's rules with other guards come with it.
    """
    steps = built().get(said.words[0].text, ()) if len(said.words) == 1 else ()
    found: dict[str, tree.Rule] = {}
    for rule in rules:
        used = steps_of(rule)
        holes = patterns.holes(rule.pattern.value)
        if steps and steps[0] in used <= set(steps) and not holes & names(rule.net) and not numbered(rule):
            found.setdefault(rule.net.span.text, rule)
    if len(found) != 1:
        return
    (own,) = found.values()
    beside = [
        rule
        for rule in rules
        if own.when and rule.when and rule.pattern.value == own.pattern.value and steps[0] in steps_of(rule)
    ]
    for rule in beside or [own]:
        yield from renamed(rule, steps[0], said, cell)


def steps_of(rule: tree.Rule) -> set[str]:
    """The steps of a rule's network."""
    return {node.name.id for node in tree.walk(rule.net) if isinstance(node, tree.Reference)}


def numbered(rule: tree.Rule) -> bool:
    """Whether a pattern prints a number that is not its size."""
    return any(token.text.isdecimal() for token in saying("pattern", rule.pattern.value).words)


def renamed(rule: tree.Rule, step: str, said: Saying, cell: str) -> Iterator[Reworded]:
    """A rule for a cell that says its operator in other words."""
    stated = conditions(rule.check, frozenset(patterns.holes(rule.pattern.value)))
    pattern = cell
    if said.size:
        first, second = said.size
        if first.text != second.text or "pool" not in step:
            return
        pattern = with_holes(cell, {(token.start, token.end): "window" for token in said.size})
        stated = [*stated, "window == h"]
    when = f" when {rule.when.span.text}" if rule.when else ""
    yield Reworded(pattern, f'"{pattern}"{when}{checked(stated)} = {rule.net.span.text}')


def last_of(reading: tree.Reading, made: Sequence[Reworded], cell: str, given: Mapping[str, str]) -> list[Reworded]:
    """The rule for the linear layer below a pooling that prints a number where the reading's guard wants nothing.

    `given` are the cells of the row by their variables. Its channels tell the row from others of its words.
    """
    texts = {one.text.split(" = ", 1)[-1] for one in made if one.pattern == cell}
    for rule in rules_of(reading):
        parts = operands(rule.when)
        none = [name for name in given if f"{name} == none" in parts]
        read = patterns.match(rule.pattern.value, cell) or rule.net.span.text in texts
        if none and read and steps_of(rule) <= set(built()["fc"]) and "c" in given:
            wanted = [part for part in parts if part not in {f"{name} == none" for name in none}]
            when = " and ".join([*wanted, f"c == {given['c']}"])
            stated = operands(rule.check) + [f"{name} == 1" for name in given if name in none or given[name] == "1"]
            return [Reworded(cell, f'"{cell}" when {when}{checked(stated)} = {rule.net.span.text}')]
    return []


def operands(condition: tree.Expr | None) -> list[str]:
    """The parts of a condition that all hold."""
    parts = condition.operands if isinstance(condition, tree.AllOf) else (condition,) if condition else ()
    return [part.span.text for part in parts]


def conditions(check: tree.Expr | None, left: frozenset[str]) -> list[str]:
    """The conditions of a `check`, except those about holes for which a cell says nothing."""
    parts = check.operands if isinstance(check, tree.AllOf) else (check,) if check else ()
    return [part.span.text for part in parts if not names(part) & left]


def checked(stated: Sequence[str]) -> str:
    return f" check {' and '.join(stated)}" if stated else ""


def with_holes(cell: str, holes: dict[tuple[int, int], str]) -> str:
    """A cell with holes in some places."""
    for (start, end), hole in sorted(holes.items(), reverse=True):
        cell = f"{cell[:start]}{{{hole}}}{cell[end:]}"
    return cell
