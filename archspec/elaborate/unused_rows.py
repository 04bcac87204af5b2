"""The tables of a network and its conventions -> the rules that may read a row, and the columns that something reads.

Nothing is computed: a header with a hole fits whatever the parameter may be, and a guard may hold or not. So what is
left over is left over with all parameters.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from archspec.elaborate.layout import ColumnMeaning, default_meaning, meaning, reading_of
from archspec.elaborate.mentions import Mentions
from archspec.elaborate.modules import Module
from archspec.elaborate.rows import COUNT
from archspec.elaborate.rules import ByPiece, used_names
from archspec.syntax import tree as t
from archspec.tables import patterns
from archspec.tables.dialects import read_table
from archspec.tables.table import Cell, Table

HOLE = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")


@dataclass(slots=True)
class Read:
    """What the tables of a network use; raises `SpecError` where they cannot be read."""

    network: t.Network
    module: Module
    conventions: list[tuple[t.Clause, int]] = field(init=False)
    """the clauses of the network and its readings, with how far from the network they are"""
    ranked: list[tuple[t.Rule, int]] = field(init=False)
    """their rules, likewise"""
    by_piece: ByPiece = field(init=False)
    names: dict[bool, frozenset[str]] = field(init=False)
    """what rules and clauses compute with, by whether a column has the role `repeat`"""
    rules: set[int] = field(default_factory=set)
    """the `id` of each rule that may win for a row"""
    columns: set[int] = field(default_factory=set)
    """the `id` of each column of a `columns` clause that something reads"""
    idle: list[tuple[t.TableClause, Cell]] = field(default_factory=list)
    """headers of columns that nothing reads, and no clause gives a meaning"""
    cells: Mentions = field(default_factory=Mentions)
    """what the cells that are read use"""

    def __post_init__(self) -> None:
        self.conventions = list(conventions_of(self.network, self.module))
        self.ranked = [
            (rule, depth) for clause, depth in self.conventions if isinstance(clause, t.Read) for rule in clause.rules
        ]
        self.by_piece = ByPiece(rule.pattern.value for rule, _ in self.ranked)
        self.names = {stated: self.variables(stated) for stated in (False, True)}
        columns = [
            column for clause, _ in self.conventions if isinstance(clause, t.Columns) for column in clause.columns
        ]
        for clause in self.network.clauses:
            if isinstance(clause, t.TableClause):
                self.table(clause, read_table(clause), columns)
        # what an erratum writes may be an operator
        self.operators(clause.correction.value for clause in self.network.clauses if isinstance(clause, t.Erratum))

    def variables(self, stated: bool) -> frozenset[str]:
        """The names that rules and clauses compute with; `stated`: where a column has the role `repeat`."""
        found: list[t.Tree | None] = []
        repeated = stated
        for clause, _ in self.conventions:
            match clause:
                case t.Read():
                    found += [part for rule in clause.rules for part in (rule.when, rule.check, rule.net)]
                case t.RepeatClause():
                    repeated = True
                    found += [None if stated else clause.count, *(assignment.value for assignment in clause.then)]
                case t.Infer():
                    found += clause.usual
        return used_names(*found) | (frozenset() if repeated else {COUNT})

    def table(self, clause: t.TableClause, table: Table, columns: list[t.Column]) -> None:
        """Note what a table uses."""
        of_headers = [next((one for one in columns if fits(one.header.value, header.text)), None)
                      for header in table.headers]  # fmt: skip
        meanings = [meaning(header, column.meaning) if column else default_meaning(header)
                    for header, column in zip(table.headers, of_headers, strict=True)]  # fmt: skip
        read = self.names[any(what.role == "repeat" for what in meanings)]
        for i, (header, column, what) in enumerate(zip(table.headers, of_headers, meanings, strict=True)):
            cells = [row.cells[i].text.strip() for row in table.rows]
            if not is_read(what, read) or (column is None and is_nameless(what, cells)):
                if column is None:
                    self.idle.append((clause, header))
                continue
            if column is not None:
                self.columns.add(id(column))
            texts = set(cells)
            if what.role == "operator":
                self.operators(texts)
            elif what.role in {"input", "output", "repeat", "variable", "pattern"}:
                for text in texts:
                    self.cells.cell(text)

    def operators(self, texts: Iterable[str]) -> None:
        """Note the rules that may read operator cells, and what the holes take."""
        for text in texts:
            ranked = []
            for rule, depth in (self.ranked[place] for place in self.by_piece.places(text)):
                match = patterns.match(rule.pattern.value, text)
                if match is not None:
                    ranked.append(((match.specificity, rule.when is not None, depth == 0), rule, match))
            for _, rule, match in sorted(ranked, key=lambda one: one[0], reverse=True):
                self.rules.add(id(rule))
                for token in match.holes.values():
                    self.cells.cell(token.text)
                if rule.when is None:
                    break  # it reads the cell, if none before it does


def conventions_of(network: t.Network, module: Module) -> Iterator[tuple[t.Clause, int]]:
    """The clauses of a network and then those of its readings, and theirs; raises `SpecError`."""
    pending = [(clause, module, 0) for clause in network.clauses]
    seen: set[int] = set()
    for clause, place, depth in pending:
        yield clause, depth
        if isinstance(clause, t.ReadAs):
            there, reading = reading_of(clause, place)
            if id(reading) not in seen:
                seen.add(id(reading))
                pending += [(part, there, depth + 1) for part in reading.clauses]


def is_read(what: ColumnMeaning, read: frozenset[str]) -> bool:
    """Whether a column has another use than to give variables, or one of these is used."""
    return what.role not in {"variable", "pattern"} or not what.variables or not what.variables.isdisjoint(read)


def is_nameless(what: ColumnMeaning, cells: list[str]) -> bool:
    """Whether a column has a header that names no variable (`#`, `×`), and is more than the numbers of the rows."""
    numbers = [str(number) for number in range(1, len(cells) + 1)]
    named = what.role != "variable" or what.variables or not what.header.text.strip()
    return not named and cells != numbers and any(cells)


@lru_cache(maxsize=4096)
def fits(wanted: str, header: str) -> bool:
    """Whether a header is one that a `columns` clause means, whatever its holes are."""
    pieces = HOLE.split(wanted)
    if len(pieces) == 1:
        return patterns.same_text(wanted, header)
    regex = ".*".join(re.escape("".join(patterns.key(piece))) for piece in pieces)
    return re.fullmatch(regex, "".join(patterns.key(header))) is not None
