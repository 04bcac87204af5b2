"""The tables of a network and its conventions -> the rules that may read a row, and the columns that something reads.

Nothing is computed: a header with a hole fits whatever the parameter may be, and a guard may hold or not. So what is
left over is left over with all parameters.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from archspec.elaborate.layout import ColumnMeaning, default_meaning, meaning
from archspec.elaborate.modules import Module
from archspec.elaborate.rows import COUNT
from archspec.elaborate.rules import ByPiece, used_names
from archspec.elaborate.uses import inner
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.tables import patterns
from archspec.tables.dialects import read_table
from archspec.tables.table import Cell, Table

Reader = t.Network | t.Reading
Convention = tuple[t.Clause, Reader, int]
"""A clause, whose it is, and how far that is from who reads the tables."""
HOLE = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")


@dataclass(slots=True)
class Read:
    """What the tables of a network use; raises `SpecError` where they cannot be read."""

    network: t.Network
    module: Module
    conventions: list[Convention] = field(init=False)
    ranked: list[tuple[t.Rule, int]] = field(init=False)
    """its rules and those of its readings, with how far from the network they are"""
    by_piece: ByPiece = field(init=False)
    names: dict[bool, frozenset[str]] = field(init=False)
    """what rules and clauses compute with, by whether a column has the role `repeat`"""
    rules: set[int] = field(default_factory=set)
    """the `id` of each rule that may win for a row"""
    columns: set[int] = field(default_factory=set)
    """the `id` of each column of a `columns` clause that something reads"""
    idle: list[tuple[t.TableClause, Cell]] = field(default_factory=list)
    """headers of columns that nothing reads, and no clause gives a meaning"""
    texts: dict[str, list[Span]] = field(default_factory=dict)
    """what is computed with of the cells that are read, with its places"""

    def __post_init__(self) -> None:
        self.conventions = list(conventions_of(self.network, self.module))
        self.ranked = [
            (rule, depth)
            for clause, _, depth in self.conventions
            if isinstance(clause, t.Read)
            for rule in clause.rules
        ]
        self.by_piece = ByPiece(rule.pattern.value for rule, _ in self.ranked)
        self.names = {stated: self.variables(stated) for stated in (False, True)}
        clauses = [clause for clause, *_ in self.conventions if isinstance(clause, t.Columns)]
        columns = Stated(column for clause in clauses for column in clause.columns)
        for clause in self.network.clauses:
            if isinstance(clause, t.TableClause):
                self.table(clause, read_table(clause), columns)
        # what an erratum writes may be an operator
        errata = (clause.correction for clause in self.network.clauses if isinstance(clause, t.Erratum))
        self.operators({text.value: [inner(text)] for text in errata})

    def variables(self, stated: bool) -> frozenset[str]:
        """The names that rules and clauses compute with; `stated`: where a column has the role `repeat`."""
        found: list[t.Tree | None] = []
        repeated = stated
        for clause, *_ in self.conventions:
            match clause:
                case t.Read():
                    found += [part for rule in clause.rules for part in (rule.when, rule.check, rule.net)]
                case t.RepeatClause():
                    repeated = True
                    found += [None if stated else clause.count, *(assignment.value for assignment in clause.then)]
                case t.Infer():
                    found += clause.usual
        return used_names(*found) | (frozenset() if repeated else {COUNT})

    def table(self, clause: t.TableClause, table: Table, columns: "Stated") -> None:
        """Note what a table uses."""
        of_headers = [columns.column(header) for header in table.headers]
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
            texts: dict[str, list[Span]] = {}
            for cell in {row.cells[i].span: row.cells[i] for row in table.rows}.values():
                texts.setdefault(cell.text, []).append(cell.span)
            if what.role == "operator":
                self.operators(texts)
            elif what.role in {"input", "output", "repeat", "variable", "pattern"}:
                for text, spans in texts.items():
                    self.texts.setdefault(text, []).extend(spans)

    def operators(self, texts: Mapping[str, list[Span]]) -> None:
        """Note the rules that may read operator cells, and what the holes take."""
        for text, spans in texts.items():
            ranked = []
            for rule, depth in (self.ranked[place] for place in self.by_piece.places(text)):
                match = patterns.match(rule.pattern.value, text)
                if match is not None:
                    ranked.append(((match.specificity, rule.when is not None, depth == 0), rule, match))
            for _, rule, match in sorted(ranked, key=lambda one: one[0], reverse=True):
                self.rules.add(id(rule))
                for token in match.holes.values():
                    places = self.texts.setdefault(token.text, [])
                    places += [span.part(token.start, token.end) for span in spans]
                if rule.when is None:
                    break  # it reads the cell, if none before it does


def conventions_of(named: Reader, module: Module) -> Iterator[Convention]:
    """The clauses of a network or reading and then those of its readings, and theirs, as far as these are known."""
    pending = [(clause, named, module, 0) for clause in named.clauses]
    seen: set[int] = set()
    for clause, owner, place, depth in pending:
        yield clause, owner, depth
        if isinstance(clause, t.ReadAs) and (found := place.seen(clause.reading.name.id, t.Reading)) is not None:
            there, reading = found
            if isinstance(reading, t.Reading) and id(reading) not in seen:
                seen.add(id(reading))
                pending += [(part, reading, there, depth + 1) for part in reading.clauses]


def is_read(what: ColumnMeaning, read: frozenset[str]) -> bool:
    """Whether a column has another use than to give variables, or one of these is used."""
    return what.role not in {"variable", "pattern"} or not what.variables or not what.variables.isdisjoint(read)


def is_nameless(what: ColumnMeaning, cells: list[str]) -> bool:
    """Whether a column has a header that names no variable (`#`, `×`), and is more than the numbers of the rows."""
    numbers = [str(number) for number in range(1, len(cells) + 1)]
    named = what.role != "variable" or what.variables or not what.header.text.strip()
    return not named and cells != numbers and any(cells)


class Stated:
    """The columns that `columns` clauses name, to be found by their headers, whatever the holes of these are."""

    def __init__(self, columns: Iterable[t.Column]) -> None:
        self.columns = list(columns)
        self.literal: dict[tuple[str, ...], int] = {}
        self.patterned: list[tuple[int, re.Pattern[str]]] = []
        for place, column in enumerate(self.columns):
            pieces = HOLE.split(column.header.value)
            if len(pieces) == 1:
                self.literal.setdefault(patterns.key(column.header.value), place)
            else:
                regex = ".*".join(re.escape("".join(patterns.key(piece))) for piece in pieces)
                self.patterned.append((place, re.compile(regex)))

    def column(self, header: Cell) -> t.Column | None:
        """The first of a header."""
        key = patterns.key(header.text)
        places = [place for place, regex in self.patterned if regex.fullmatch("".join(key))]
        place = min([*places[:1], *([self.literal[key]] if key in self.literal else [])], default=None)
        return None if place is None else self.columns[place]
