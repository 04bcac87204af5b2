"""The headers of a pasted table, and what a reading wants of its columns -> what each column is read as.

A column that nothing reads is ignored only where it says nothing about the network: notes, an index, words.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from archspec.elaborate.layout import ROLES, default_meaning
from archspec.pasting.naming import names_in, naming
from archspec.pasting.vocabulary import fits, groups, groups_of, words
from archspec.source import Source, Span
from archspec.syntax import tree
from archspec.tables import patterns
from archspec.tables.cells import MISSING, TICKS
from archspec.tables.table import Cell, Row

CLAIMS = ("input", "output", "params", "macs")
COMPARED = ("kernel", "given", "weighted", "groups", "NL", "c")
"""Groups of columns that the finished network is compared with where no reading needs them."""
PART = "part"
"""What a column of yes and no is compared as whose header names a part of a row: `bias`, `SE`, `residual`."""
NOTE = "note"
MEASURED = frozenset({"time", "latency", "memory", "rf", "field"})
HOLE = re.compile(r"\{(\w+)\}")
ONE_NUMBER = re.compile(r"([^0-9]*)([0-9]+)([^0-9]*)")


class Wanted(Struct, frozen=True):
    """A column that a reading wants: its header, if a `columns` clause says it, and what it means."""

    header: str | None
    meaning: str
    """a role, a variable, or patterns as they are written"""
    pattern: bool = False

    def is_called(self, header: str) -> bool:
        """Whether a header is this column without a `columns` clause of the network."""
        if self.header is not None:
            return patterns.same_text(header, self.header)
        return default_meaning_of(header) == self.meaning

    def groups(self) -> set[str]:
        """The groups of names that its header may be one of."""
        own = {self.meaning} & groups().keys()
        if self.pattern or not own:
            return set(groups_of(self.header or "")) - {"operator", NOTE}
        return own


@dataclass(slots=True)
class Columned:
    """How the columns of a table are read."""

    stated: dict[int, str] = field(default_factory=dict)
    """the meanings that the network has to state, as its `columns` clause writes them"""
    meanings: dict[int, str] = field(default_factory=dict)
    """the role or variable of each column that is read"""
    compared: dict[int, str] = field(default_factory=dict)
    """the groups of the columns that the finished network is compared with"""
    unread: list[int] = field(default_factory=list)
    """columns with numbers that nothing reads"""
    missing: dict[str, str] = field(default_factory=dict)
    """variables that no column gives, and what the reading calls their columns"""
    whole: bool = True
    """whether the table has every column that the reading's own clauses name"""


def columned(reading: tree.Reading, rows: Sequence[Row]) -> Columned:
    """What each column of a table is read as, for one reading."""
    headers = [cell.text for cell in rows[0].cells]
    texts = [[row.cells[i].shown for row in rows[1:]] for i in range(len(headers))]
    found = Columned()
    handled = {i for i, header in enumerate(headers) if any(is_choice(c, header) for c in columns_of(reading))}
    missing: list[Wanted] = []
    for one in wanted(reading):
        at = next((i for i, header in enumerate(headers) if i not in handled and one.is_called(header)), None)
        if at is None:
            missing.append(one)
            continue
        handled.add(at)
        found.meanings[at] = one.meaning
    for i in set(found.meanings) - found.stated.keys():
        group = compared_as(groups_of(headers[i]), texts[i]) if found.meanings[i] == NOTE else None
        if group is not None:
            found.compared[i] = group
    found.whole = all(one.header is None for one in missing)
    for i, header in enumerate(headers):
        shared = two_of(header, missing) if i not in handled else None
        if shared is not None:
            handled.add(i)
            found.meanings[i] = NOTE
            found.stated[i] = both(shared[1].meaning, texts[i])
            missing = [one for one in missing if one not in shared]
    for one in missing:
        ranked = sorted(
            (place, i)
            for i, header in enumerate(headers)
            if i not in handled
            for group, place in groups_of(header).items()
            if group in one.groups() and fits(groups()[group].cells, texts[i])
        )
        if ranked:
            at = ranked[0][1]
            handled.add(at)
            found.meanings[at] = one.meaning
            found.stated[at] = one.meaning
    given = set(found.meanings.values())
    for one in missing:
        if one.meaning not in given:
            found.missing |= dict.fromkeys(HOLE.findall(one.meaning) or [one.meaning], one.header or one.meaning)
    for i, meaning in found.meanings.items():
        written = as_written(meaning, texts[i])
        if written != meaning and (i in found.stated or not any(is_stated(c, headers[i]) for c in columns_of(reading))):
            found.stated[i] = written
    for i in range(len(headers)):
        if i not in handled:
            left(i, headers[i], texts[i], found)
    return found


def left(i: int, header: str, texts: list[str], found: Columned) -> None:
    """Decide about a column that the reading does not want: a claim, a note, a comparison, or an error."""
    of = groups_of(header)
    claim = next((role for role in CLAIMS if role in of and fits(groups()[role].cells, texts)), None)
    taken = set(found.meanings.values())
    compared = compared_as([group for group in of if group not in taken], texts) or part_of(header, texts)
    said = [text for text in texts if text not in MISSING]
    if claim and claim not in taken:
        found.meanings[i] = claim
        if default_meaning_of(header) != claim:
            found.stated[i] = claim
    elif not said or is_note(header, of, said):
        if default_meaning_of(header):
            found.stated[i] = NOTE
    elif compared:
        found.compared[i] = compared
        found.stated[i] = NOTE
    else:
        found.unread.append(i)


def compared_as(of: Collection[str], texts: Sequence[str]) -> str | None:
    """The group that the finished network is compared with, of those that a header may belong to."""
    return next((group for group in COMPARED if group in of and fits(groups()[group].cells, texts)), None)


def part_of(header: str, texts: Sequence[str]) -> str | None:
    """Whether a column says with yes and no which rows have the one part that its header names."""
    said = [text for text in texts if text not in MISSING]
    sole = [wanted for _, wanted in names_in(header)] == [True] and not naming(header).changes
    return PART if sole and said and all(text in TICKS for text in said) else None


def two_of(header: str, missing: Sequence[Wanted]) -> tuple[Wanted, Wanted] | None:
    """The note and the column of numbers that share one header, as in `Type / Stride`."""
    first, slash, second = header.partition("/")
    note = next((one for one in missing if one.meaning == NOTE and one.is_called(first.strip())), None)
    number = next((one for one in missing if one.pattern and one.is_called(second.strip())), None)
    return (note, number) if slash and note and number else None


def both(pattern: str, texts: Sequence[str]) -> str:
    """Patterns for cells of a note and a number, which `pattern` reads: `"Conv dw / s{s}" or "FC / s{s}"`."""
    notes = [before for text in texts for before, slash, _ in [text.rpartition("/")] if slash]
    plain = [note.strip() for note in notes if not re.search('["{}]', note)]
    return " or ".join(f'"{note} / {pattern[1:]}' for note in dict.fromkeys(plain)) or NOTE


def is_note(header: str, of: Collection[str], said: Sequence[str]) -> bool:
    """Whether a column says nothing of the network by its header: words, measures and the numbers of rows.

    The numbers of rows never fall. Yes and no say something, unless the header is that of a note.
    """
    if NOTE not in of:
        numbered = any(re.search("[0-9]", text) and not re.search("[A-Za-z]{2}", text) for text in said)
        return not (of or numbered or all(text in TICKS for text in said))
    numbers = [int(text) for text in said if text.isdecimal()]
    indexed = len(numbers) < 2 or (numbers == sorted(numbers) and len(set(numbers)) > 1)
    return indexed or len(numbers) < len(said) or not MEASURED.isdisjoint(words(header))


def as_written(meaning: str, texts: Sequence[str]) -> str:
    """A variable, or the pattern that its cells have around their numbers: `×3` is `"×{n}"`."""
    said = [text for text in texts if text not in MISSING]
    around = {(m[1], m[3]) for text in said if (m := ONE_NUMBER.fullmatch(text))}
    plain = not meaning.isidentifier() or meaning in ROLES or not said
    if plain or len(around) != 1 or not all(map(ONE_NUMBER.fullmatch, said)):
        return meaning
    before, after = next(iter(around))
    marks = f"{before}{after}"
    if not marks.strip() or not re.fullmatch(r"[×x/=sn\s]*", marks):
        return meaning
    return f'"{before}{{{meaning}}}{after}"'


def default_meaning_of(header: str) -> str:
    """The role or variable that a header has by default; empty where it has neither."""
    meant = default_meaning(Cell(Span(Source("", header), 0, len(header)), header))
    return meant.text if meant.role == "variable" else meant.role


# ---- what a reading wants ----


def wanted(reading: tree.Reading) -> Iterator[Wanted]:
    """The columns that a reading's clauses name, the roles, and the variables of its rules."""
    given: set[str] = set()
    for column in columns_of(reading):
        holes = patterns.holes(column.header.value)
        own = {column.meaning.id} if isinstance(column.meaning, tree.Name) else holes_of(column.meaning)
        given |= own
        if not holes:
            yield Wanted(column.header.value, written(column), not isinstance(column.meaning, tree.Name))
    for role in ("operator", *CLAIMS):
        if role not in given:
            yield Wanted(None, role)
    for name in sorted(variables(reading) - given):
        yield Wanted(None, name)


def variables(reading: tree.Reading) -> set[str]:
    """The variables of rows that the rules of a reading compute with, and its `repeat`: those that columns may give."""
    own = {parameter.name.id for parameter in reading.parameters}
    found: set[str] = set()
    for clause in reading.clauses:
        if isinstance(clause, tree.RepeatClause):
            found |= names(clause.count)
        for rule in clause.rules if isinstance(clause, tree.Read) else ():
            found |= names(rule) - patterns.holes(rule.pattern.value)
    inferred = {clause.name.id for clause in reading.clauses if isinstance(clause, tree.Infer)}
    return (found & groups().keys()) - own - inferred


def names(root: tree.Tree) -> set[str]:
    """The names that a rule or an expression computes with."""
    return {name.id for name in tree.names(root)}


def holes_of(texts: Sequence[tree.Text]) -> set[str]:
    return set().union(*(patterns.holes(text.value) for text in texts))


def written(column: tree.Column) -> str:
    """What a column means, as a `columns` clause writes it."""
    meaning = column.meaning
    return meaning.id if isinstance(meaning, tree.Name) else " or ".join(text.span.text for text in meaning)


def columns_of(reading: tree.Reading) -> list[tree.Column]:
    return [c for clause in reading.clauses if isinstance(clause, tree.Columns) for c in clause.columns]


def choices_of(reading: tree.Reading) -> list[tree.Column]:
    """The columns of a reading that a parameter picks."""
    return [column for column in columns_of(reading) if patterns.holes(column.header.value)]


def is_choice(column: tree.Column, header: str) -> bool:
    """Whether a header is one of those that a parameter picks from."""
    return bool(patterns.holes(column.header.value)) and patterns.match(column.header.value, header) is not None


def is_stated(column: tree.Column, header: str) -> bool:
    return patterns.same_text(column.header.value, header)


def called(header: str) -> str:
    """A header as a text of the language; empty where the language has no text for it."""
    return quoted(header) if words(header) else ""


def quoted(text: str) -> str:
    """A text in quotes; empty where it has both kinds of quotes, since the language has no escapes."""
    quote = next((mark for mark in "\"'" if mark not in text), "")
    return f"{quote}{text}{quote}" if quote else ""
