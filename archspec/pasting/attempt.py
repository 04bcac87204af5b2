"""One reading, and rows of a pasted table -> the network that says how they are read, and what is wrong with it.

What the table leaves open becomes a parameter, and what it prints in other words becomes a clause.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from archspec import driver
from archspec.diagnostics import Diagnostic, SpecError, is_error, similar
from archspec.elaborate.advice import suggestion
from archspec.elaborate.changes import Change, stated
from archspec.elaborate.claims import ShapeClaim
from archspec.elaborate.errors import UnknownName
from archspec.elaborate.evaluate import Value
from archspec.elaborate.inference import IMAGE_SIDES
from archspec.elaborate.layout import ROLES
from archspec.elaborate.parameters import value_of
from archspec.elaborate.suggest import identity
from archspec.graph import Graph
from archspec.lookalikes import LETTERS as LETTERS_ALIKE
from archspec.pasting.blame import blamed
from archspec.pasting.columns import (
    NOTE,
    Columned,
    called,
    choices_of,
    columned,
    columns_of,
    is_choice,
    quoted,
    written,
)
from archspec.pasting.compared import LETTERS, compared
from archspec.pasting.corrections import Correction, corrections
from archspec.pasting.errors import NoReading
from archspec.pasting.footers import Total
from archspec.pasting.naming import names_in
from archspec.pasting.remarks import numbers, remarked
from archspec.pasting.rules import Reworded, last_of, reworded, rules_of
from archspec.pasting.tables import Beside
from archspec.pasting.vocabulary import NUMBER, class_names, groups, words
from archspec.source import Source, Span
from archspec.spec import Spec
from archspec.syntax import tree
from archspec.tables import patterns
from archspec.tables.align import aligned
from archspec.tables.cells import ditto, missing
from archspec.tables.table import Cell, Row

CLASSES = 1000
FOLDER = "readings/"
LAST = re.compile(r"\b([0-9]{1,6})[- ]?(?:d|D|way)\b.*(?:fc|fully[- ]connected)|^FC[- ]?([0-9]{1,6})$", re.IGNORECASE)
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(slots=True)
class Attempt:
    """A reading, and what the network around the table must state for it."""

    reading: tree.Reading
    uses: tuple[str, ...]
    """the files that the reading uses"""
    rows: Sequence[Row]
    span: Span
    """where the table was pasted"""
    name: str
    title: str
    parameters: dict[str, str] = field(default_factory=dict)
    """of the network, as they are declared"""
    side: int | None = None
    columns: Columned = field(default_factory=Columned)
    rules: list[Reworded] = field(default_factory=list)
    errata: list[Correction] = field(default_factory=list)
    errors: list[Diagnostic] = field(default_factory=list)
    held: int = 0
    assumed: list[str] = field(default_factory=list)
    totals: tuple[Total, ...] = ()
    """what the table prints of the whole"""
    beside: tuple[Beside, ...] = ()
    """what stands around the table and is not read"""

    @property
    def text(self) -> str:
        name = self.reading.name.id
        declared = ", ".join(self.parameters.values())
        given = [name for name in self.parameters if name in {p.name.id for p in self.reading.parameters}]
        arguments = ", ".join(f"{name} = {name}" for name in given)
        own = not self.columns.whole or self.rules
        lines = [
            "arch 1",
            f'use "{FOLDER}{name}"',
            *([f'use "{path}"' for path in self.uses] if own else []),
            "",
            f"network {self.name}" + (f"({declared})" if declared else "") + " {",
            *([f'title "{self.title}"'] if self.title else []),
            *([f"input {self.side} x {self.side} x 3"] if self.side else []),
            *self.stated(),
            f"table {body(self.rows)}",
            *self.corrected(),
            *([f"read as {name}" + (f"({arguments})" if arguments else "")] if self.columns.whole else self.clauses()),
            *(["read " + "\n".join(rule.text for rule in self.rules)] if self.rules else []),
            "}",
        ]
        return "\n".join(lines) + "\n"

    def stated(self) -> Iterator[str]:
        """The `columns` clause: meanings that the reading does not state, or states for a column that is missing."""
        headers = [cell.text for cell in self.rows[0].cells]
        said = dict(self.columns.stated)
        if not self.columns.whole:
            for column in columns_of(self.reading):
                at = next((i for i, h in enumerate(headers) if patterns.same_text(h, column.header.value)), None)
                if at is not None:
                    said.setdefault(at, written(column))
        texts = [f"{called(headers[i])}: {meaning}" for i, meaning in sorted(said.items()) if called(headers[i])]
        if not self.columns.whole:
            texts += [c.span.text for c in choices_of(self.reading) if any(is_choice(c, h) for h in headers)]
        if texts:
            yield "columns " + ", ".join(texts)

    def clauses(self) -> Iterator[str]:
        """The clauses of the reading, except what it says of columns."""
        for clause in self.reading.clauses:
            if not isinstance(clause, tree.Columns):
                yield clause.span.text

    def corrected(self) -> Iterator[str]:
        """The errata, except those that the language has no text for."""
        for one in self.errata:
            place = quoted(f"row {one.row}, {self.rows[0].cells[one.column].text}")
            if place and quoted(one.text):
                yield f'erratum {place} = {quoted(one.text)} because "{one.because}"'

    def row_of(self, error: Diagnostic) -> int:
        """The row that an error is about; 0 where it is about no row."""
        return next((i for i, row in enumerate(self.rows[1:], 1) if within(error.primary, row.span)), 0)


def within(place: Span, span: Span) -> bool:
    return place.source == span.source and span.start <= place.start <= span.end


def body(rows: Sequence[Row]) -> str:
    """The rows as a table with pipes."""
    lines = ["| " + " | ".join(cell.shown.replace("|", "\\|") for cell in row.cells) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0].cells))
    return aligned("{\n" + "".join(f"    {line}\n" for line in lines) + "  }")


def best(attempt: Attempt) -> Attempt:
    """The attempt with its parameters, clauses and input, tried out until nothing is wrong or nothing helps."""
    attempt.parameters |= {p.name.id: p.span.text for p in attempt.reading.parameters} | choices(attempt)
    if "k" in {parameter.name.id for parameter in attempt.reading.parameters}:
        attempt.parameters["k"] = f"k = {classes(attempt.rows)}"
    prepare(attempt)
    counts = numbers_of(attempt)
    named = classes_named(attempt, counts)
    if named is not None:
        attempt.parameters.setdefault(named.text, f"{named.text} = {CLASSES}")
    judge(attempt)
    if any(error.code == "clause" for error in attempt.errors):
        sized(attempt)
    attempt.errors = attempt.errors or [
        NoReading(header.span, attempt.reading.name.id, (), f"nothing reads its column `{header.text}`")
        for header in (attempt.rows[0].cells[i] for i in attempt.columns.unread)
    ]
    attempt.errors = list(plainly(attempt)) or attempt.errors
    mended = [(one.column, attempt.rows[one.row].cells[one.column]) for one in attempt.errata]
    attempt.errors = attempt.errors or [
        NoReading(cell.span, attempt.reading.name.id, (), f"`{cell.shown}` stands where a number is expected")
        for i, column in counts.items()
        for cell in column
        if cell is not named
        and re.search(r"[^\W\d_]", cell.shown)
        and not said_as_number(cell)
        and (i, cell) not in mended
    ]
    return attempt


def plainly(attempt: Attempt) -> Sequence[Diagnostic]:
    """The errors in words of the table: columns that it does not have, and letters that stand for no activation."""
    name, absent = attempt.reading.name.id, attempt.columns.missing
    unknown = {error.name for error in attempt.errors if isinstance(error, UnknownName)}
    own = len(unread_operators(attempt, own=True)) < len(operator_cells(attempt))
    if unknown & absent.keys() and own and not unread_operators(attempt):
        return [no_column(attempt, header) for header in dict.fromkeys(absent[one] for one in absent if one in unknown)]
    letters = [i for i, meaning in attempt.columns.meanings.items() if meaning == "NL"]
    rows = sorted({attempt.row_of(error) for error in attempt.errors if error.code == "rule-check"} - {0})
    cells = [attempt.rows[row].cells[i] for row in rows for i in letters]
    known = " and ".join(f"`{one.upper()}`" for one in LETTERS)
    return [
        NoReading(cell.span, name, (), f"`{cell.shown}` stands where {known} are expected")
        for cell in cells
        if not missing(cell) and cell.shown not in {one.upper() for one in LETTERS}
    ][:1]


def no_column(attempt: Attempt, wanted: str) -> NoReading:
    """That a reading needs a column, said at the header that is most like it, of those that it does not read."""
    free = [cell for i, cell in enumerate(attempt.rows[0].cells) if attempt.columns.meanings.get(i, NOTE) == NOTE]
    alike = {in_letters(cell.shown): cell for cell in reversed(free)}
    near = similar(in_letters(wanted), alike)
    place = alike[near].span if near is not None else attempt.rows[0].span
    advice = f"if this is that column, call it `{wanted}`" if near is not None else ""
    return NoReading(place, attempt.reading.name.id, (), f"it needs a column `{wanted}`", "", advice)


def in_letters(text: str) -> str:
    """A text whose letters of other scripts are those of ASCII that they look like."""
    return "".join(LETTERS_ALIKE.get(letter, letter) for letter in text)


def operator_cells(attempt: Attempt) -> list[Cell]:
    """The cells of all columns of operators, except those that say nothing of their own."""
    picked = chosen(attempt)
    columns = [i for i in operators_of(attempt) if picked.get(i, "operator") == "operator"]
    found = (row.cells[i] for i in columns for row in attempt.rows[1:])
    return [cell for cell in found if not missing(cell) and not ditto(cell.text)]


def unread_operators(attempt: Attempt, own: bool = False) -> list[Cell]:
    """The operator cells for which there is no rule; no rule of the reading's `own`, if that is asked."""
    texts = [rule.pattern.value for rule in rules_of(attempt.reading)]
    texts += [] if own else [rule.pattern for rule in attempt.rules]
    cells = operator_cells(attempt)
    unread = {said for said in {cell.shown for cell in cells} if not any(patterns.match(text, said) for text in texts)}
    return [cell for cell in cells if cell.shown in unread]


def rows_read(attempt: Attempt) -> int:
    """How many rows have operators, and rules for all of them.

    Where the table lacks columns of the reading, its own words alone show that it is meant.
    """
    unread = {cell.span.start for cell in unread_operators(attempt, own=bool(attempt.columns.missing))}
    said = {cell.span.start for cell in operator_cells(attempt)}
    return sum(
        any(cell.span.start in said for cell in row.cells) and not any(cell.span.start in unread for cell in row.cells)
        for row in attempt.rows[1:]
    )


def prepare(attempt: Attempt) -> None:
    """Find the clauses for what the table calls otherwise than the reading does."""
    found = attempt.columns = columned(attempt.reading, attempt.rows)
    attempt.rules = reworded(attempt.reading, [cell.shown for cell in operator_cells(attempt)])
    attempt.rules = last_rule(attempt) + attempt.rules
    if any(meaning_of(c) == "operator" for c in choices_of(attempt.reading)):
        # the network is compared with what is printed at the defaults alone
        attempt.rules = [rule for rule in attempt.rules if not rule.size]
    # what is read by a pattern needs none
    plain = {i: m for i, m in found.meanings.items() if found.stated.get(i, m).isidentifier()}
    attempt.errata = corrections(attempt.rows, plain)


def last_rule(attempt: Attempt) -> list[Reworded]:
    """A rule for the last row where it stands below a pooling."""
    place = next((i for i, meaning in attempt.columns.meanings.items() if meaning == "operator"), None)
    if place is None or len(attempt.rows) < 3:
        return []
    above, last = (row.cells[place].shown for row in attempt.rows[-2:])
    if not any(name == "avgpool" for name, _ in names_in(above)) or not quoted(last):
        return []
    cells = {m: attempt.rows[-1].cells[i] for i, m in attempt.columns.meanings.items()}
    return last_of(attempt.reading, attempt.rules, last, {m: c.shown for m, c in cells.items() if not missing(c)})


def operators_of(attempt: Attempt) -> list[int]:
    """The columns of operators, and all from which a parameter picks one."""
    return [i for i, meaning in attempt.columns.meanings.items() if meaning == "operator"] + list(chosen(attempt))


def configurations(attempt: Attempt) -> list[int]:
    """The columns of operators, and where there are several, those that no parameter can pick but rules can read."""
    read, texts = operators_of(attempt), [rule.pattern.value for rule in rules_of(attempt.reading)]
    for i in range(len(attempt.rows[0].cells)) if chosen(attempt) else ():
        cells = [row.cells[i].shown for row in attempt.rows[1:] if not missing(row.cells[i])]
        if i not in read and cells and all(any(patterns.match(text, cell) for text in texts) for cell in cells):
            read.append(i)
    return read


def left_unread(attempt: Attempt) -> list[int]:
    """The columns that say nothing of the network by their headers."""
    read = {*operators_of(attempt), *attempt.columns.compared}
    meanings = {**attempt.columns.meanings, **attempt.columns.stated}
    return [i for i in range(len(attempt.rows[0].cells)) if meanings.get(i, NOTE) == NOTE and i not in read]


def whole(spec: Spec, attempt: Attempt) -> Graph:
    """The network with the softmax that tables print and readings leave off."""
    return spec.elaborate(**({"probabilities": True} if "probabilities" in attempt.parameters else {}))


def sized(attempt: Attempt) -> None:
    """The side of the image with which most rows and claims hold, of those that papers use."""
    found: list[tuple[tuple[bool, int, int, int], list[Diagnostic], int]] = []
    for place, side in enumerate(IMAGE_SIDES):
        attempt.side = side
        judge(attempt)
        if all(error.code != "clause" for error in attempt.errors):
            first = min(map(attempt.row_of, attempt.errors), default=len(attempt.rows))
            found.append(((not attempt.held, -first, len(attempt.errors), place), attempt.errors, attempt.held))
        if not attempt.errors or not found:
            return
    (*_, place), attempt.errors, attempt.held = min(found, key=lambda one: one[0])
    attempt.side = IMAGE_SIDES[place]


def with_other_image(attempt: Attempt) -> None:
    """Let the first error say so where another image than the one that the first row prints mends it."""
    wrong, printed = attempt.errors, attempt.side
    known = set(map(identity, wrong))
    for side in IMAGE_SIDES if printed and isinstance(wrong[0], ShapeClaim) and attempt.row_of(wrong[0]) == 2 else ():
        attempt.side = side
        judge(attempt)
        claim, *others = attempt.errors or wrong
        left = set(map(identity, others))
        if isinstance(claim, ShapeClaim) and attempt.row_of(claim) == 1 and left < known and side != printed:
            at, cell = next((i, c) for i, c in enumerate(attempt.rows[1].cells) if c.span == claim.claim)
            change = stated(Change(cell, 0, cell.text, cell.text, attempt.rows[0].cells[at].shown, 1), claim.found)
            assert change is not None
            judge(attempt, advise=True)
            others = [error for error in attempt.errors if identity(error) in left]
            wrong = [replace(wrong[0], suggestions=(suggestion(wrong[0], [change]),), stopped=False), *others]
            break
    attempt.errors, attempt.side = wrong, printed


def meaning_of(column: tree.Column) -> str:
    return column.meaning.id if isinstance(column.meaning, tree.Name) else ""


def choice_of(attempt: Attempt, column: int) -> dict[str, Value]:
    """The parameters that pick a column of a table; empty where no parameter picks it."""
    header = attempt.rows[0].cells[column].text
    for one in choices_of(attempt.reading):
        match = patterns.match(one.header.value, header)
        if match is not None and is_choice(one, header):
            return {hole: value_of(token.text) for hole, token in match.holes.items()}
    return {}


def judge(attempt: Attempt, advise: bool = False) -> None:
    """Compile the text and keep what is wrong with it, and how many claims it makes."""
    attempt.held, text = 0, attempt.text
    try:
        spec = driver.parse(text, f"<pasted, read as {attempt.reading.name.id}>")
        source = spec.source
        spec.make.advise = advise
        errors = [d for d in spec.check_all() if is_error(d) or d.code == "unread-cell"]
        attempt.held = 0 if errors else spec.claims()
        errors = errors or compared(spec.elaborate(), attempt.rows, attempt.columns, attempt.rules)
        read, known = configurations(attempt), numbers(" ".join(attempt.parameters.values()))
        errors = errors or list(
            remarked(whole(spec, attempt), attempt.rows, attempt.columns, read, attempt.beside, known)
        )
    except SpecError as error:
        errors = list(error.diagnostics)
        source = next((d.primary.source for d in errors if d.primary.source.text == text), Source("", text))
    attempt.errors = blamed(errors, source, attempt.rows, attempt.span, attempt.reading.name.id)


def choices(attempt: Attempt) -> dict[str, str]:
    """Parameters that pick a column: `{depth}-layer` has as many values as there are such headers."""
    own = {parameter.name.id for parameter in attempt.reading.parameters}
    columns = columns_of(attempt.reading)
    headers = [cell.text for cell in attempt.rows[0].cells]
    plain = [c.header.value for c in columns if not patterns.holes(c.header.value)]
    found: dict[str, list[str]] = {}
    for column in columns:
        for hole in patterns.holes(column.header.value) & own:
            for header in headers:
                match = patterns.match(column.header.value, header)
                if match and not any(patterns.same_text(header, other) for other in plain):
                    found.setdefault(hole, []).append(match.holes[hole].text)
    return {
        hole: f"{hole} in {{{', '.join(map(literal, values))}}} = {literal(values[0])}"
        for hole, values in found.items()
    }


def literal(text: str) -> str:
    return text if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) else f'"{text}"'


def classes(rows: Sequence[Row]) -> int:
    """The classes, where one of the last cells says them: `1000-d fc`, `FC-10`; else ImageNet's."""
    for row in reversed(rows[1:]):
        for cell in row.cells:
            match = LAST.search(cell.text)
            if match and int(match[1] or match[2]) > 1:
                return int(match[1] or match[2])
    return CLASSES


def numbers_of(attempt: Attempt) -> dict[int, list[Cell]]:
    """The cells of the columns whose numbers the rules compute with."""
    patterned = {i for i, meaning in attempt.columns.stated.items() if not meaning.isidentifier()}
    read = {i: m for i, m in attempt.columns.meanings.items() if m not in ROLES and i not in patterned}
    read |= chosen(attempt)
    cells = {i: [row.cells[i] for row in attempt.rows[1:] if not missing(row.cells[i])] for i in read}
    return {
        i: column
        for i, column in cells.items()
        if meaning_of_numbers(read[i]) or 2 * sum(cell.text.isdecimal() for cell in column) > len(column)
    }


def meaning_of_numbers(meaning: str) -> bool:
    """Whether papers have numbers in the columns of a variable."""
    return meaning in groups() and groups()[meaning].cells == "number"


def chosen(attempt: Attempt) -> dict[int, str]:
    """What the columns mean that a parameter picks."""
    headers = enumerate(attempt.rows[0].cells)
    choices = choices_of(attempt.reading)
    return {i: meaning_of(one) for i, header in headers for one in choices if is_choice(one, header.text)}


def said_as_number(cell: Cell) -> bool:
    """Whether a cell is a number with a sign or a unit: `/2`, `×3`, `4K`."""
    return NUMBER.fullmatch(cell.shown) is not None and cell.shown[0] != "x"


def classes_named(attempt: Attempt, counts: Mapping[int, Sequence[Cell]]) -> Cell | None:
    """The cell that stands for the classes: the last one of the channels, if no other cell has its name."""
    called = {i for i, meaning in attempt.columns.meanings.items() if meaning == "c"}
    called |= {i for i, meaning in chosen(attempt).items() if meaning == "c"}
    every = [cell.text for column in counts.values() for cell in column]
    last = [counts[i][-1] for i in sorted(called & counts.keys()) if counts[i]]
    return next(
        (
            cell
            for cell in last
            if words(cell.text) in class_names() and every.count(cell.text) == 1 and WORD.fullmatch(cell.text)
        ),
        None,
    )
