"""Rows of a table -> the reading whose conventions they follow, and the spec that says so.

Every reading that comes with archspec is tried: its rules must read all rows, and every claim of the table must hold.
Nothing is guessed silently: what the table leaves open is a parameter, or stands in a comment.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from archspec import driver, library
from archspec.diagnostics import Diagnostic, Severity, SpecError
from archspec.pasting.errors import NoReading
from archspec.pasting.steps import in_steps, legend
from archspec.pasting.tables import Found, one_line
from archspec.printable import printable
from archspec.syntax import parse, tree
from archspec.tables import patterns
from archspec.tables.align import aligned
from archspec.tables.cells import missing
from archspec.tables.table import Cell, RaggedRow, Row

SIDES = (224, 227, 299, 32, 28, 96, 64, 48)
"""Sides of images that are tried where a table does not say what it is given: ImageNet's first."""
CLASSES = 1000
FOLDER = "readings/"
CLAIMS = frozenset({"shape-claim", "number-claim"})
LAST = re.compile(r"\b([0-9]{1,6})[- ]?(?:d|D|way)\b.*(?:fc|fully[- ]connected)|^FC[- ]?([0-9]{1,6})$", re.IGNORECASE)
LOST = re.compile(r"([0-9]{1,4}?) ?2 ?[×xX] ?([0-9]{1,5}|[a-z])")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Pasted(Struct, frozen=True):
    """The spec of a table."""

    text: str
    found: Found
    """the table"""
    reading: str
    others: tuple[str, ...]
    """further readings that would do"""
    notes: tuple[str, ...]
    """what was assumed"""


@dataclass(slots=True)
class Attempt:
    """A reading, and what the network around the table must say for it."""

    reading: tree.Reading
    rows: Sequence[Row]
    name: str
    title: str
    parameters: dict[str, str] = field(default_factory=dict)
    """of the network, as they are declared"""
    side: int | None = None
    errors: list[Diagnostic] = field(default_factory=list)
    held: int = 0
    assumed: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        declared = ", ".join(self.parameters.values())
        given = [name for name in self.parameters if name in {p.name.id for p in self.reading.parameters}]
        arguments = ", ".join(f"{name} = {name}" for name in given)
        lines = [
            "arch 1",
            f'use "{FOLDER}{self.reading.name.id}"',
            "",
            f"network {self.name}" + (f"({declared})" if declared else "") + " {",
            *([f'title "{self.title}"'] if self.title else []),
            *([f"input {self.side} x {self.side} x 3"] if self.side else []),
            f"table {body(self.rows)}",
            f"read as {self.reading.name.id}" + (f"({arguments})" if arguments else ""),
            "}",
        ]
        return "\n".join(lines) + "\n"

    def row_of(self, error: Diagnostic) -> int:
        """The row that an error is about; 0 where it is none."""
        source = error.primary.source
        table = source.text.find("\ntable {")
        line, _ = source.position(error.primary.start)
        return max(line - source.position(table + 1)[0] - 2, 0) if table >= 0 else 0


def body(rows: Sequence[Row]) -> str:
    """The rows as a table with pipes."""
    lines = ["| " + " | ".join(map(shown, row.cells)) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0].cells))
    return aligned("{\n" + "".join(f"    {line}\n" for line in lines) + "  }")


def shown(cell: Cell) -> str:
    """A cell's text, its markup gone; where there was none it is as it was printed."""
    text = one_line(cell.text)
    if text != cell.text:
        text = re.sub(r"(?<=[0-9²³]) ?× ?(?=[0-9])", "×", re.sub(r" ?([²³]) ?", r"\1", text))
    return text.replace("|", "\\|")


def pasted(
    tables: Sequence[Found], reading: str | None = None, name: str | None = None, title: str | None = None
) -> Pasted:
    """The spec of the table, among these, that a reading takes as a whole, with all its claims.

    Raises `SpecError` with what is wrong with the best attempt where there is none.
    """
    whole = [found for found in tables if not list(ragged(found.rows))]
    if not whole:
        raise SpecError(list(ragged(tables[0].rows)))
    legends = [found for found in whole if legend(found)]
    whole = [found for found in whole if found not in legends] or whole
    for found in whole if reading is None else ():
        said = words(found.caption if title is None else title)
        text = in_steps(found, legends, name or "Pasted", said, body(found.rows))
        if text is not None:
            return Pasted(checked(text), found, "steps of the language", (), ())
    ranked, first, found, others = recognised(whole, reading, name, title)
    squared = [table for one in whole if (table := raised(one)) is not None] if first.errors else []
    if squared:
        again = recognised(squared, reading, name, title)
        if not again[1].errors:
            ranked, first, found, others = again
            first.assumed.append("Squares that the copy has lost are put back: 1122×32 is read as 112²×32.")
    if first.errors:
        judge(first, advise=True)
        raise SpecError(first.errors if not ranked[1] else [no_reading(first, found)])
    return Pasted(finished(first), found, first.reading.name.id, others, tuple(notes(first)))


Recognised = tuple[tuple[int, int, int, int], Attempt, Found, tuple[str, ...]]
"""How good the best attempt is, itself, its table, and the readings that would do as well."""


def recognised(tables: Sequence[Found], reading: str | None, name: str | None, title: str | None) -> Recognised:
    """The best of all attempts."""
    tried = [
        (rank(attempt), place, attempt.reading.name.id, attempt, found)
        for place, found in enumerate(tables)
        for one in readings(reading)
        for attempt in [
            best(Attempt(one, found.rows, name or "Pasted", words(found.caption if title is None else title)))
        ]
    ]
    ranked, _, _, first, found = min(tried, key=lambda one: one[:3])
    others = tuple(
        name for other, _, name, one, where in tried if other == ranked and where is found and one is not first
    )
    return ranked, first, found, others


def raised(found: Found) -> Found | None:
    """A table with the exponents that a copy out of a PDF has lost: `1122 × 32`; None where it has none of them."""
    cells = [cell for row in found.rows[1:] for cell in row.cells if LOST.fullmatch(cell.text.strip())]
    if len(cells) < 2:
        return None
    spans = {cell.span for cell in cells}

    def mended(cell: Cell) -> Cell:
        return Cell(cell.span, LOST.sub(r"\1²×\2", cell.text)) if cell.span in spans else cell

    rows = tuple(replace(row, cells=tuple(map(mended, row.cells))) for row in found.rows)
    return replace(found, rows=rows)


def rank(attempt: Attempt) -> tuple[int, int, int, int]:
    """How good an attempt is, the best first: how far it can read, what it cannot, the claims that fail, and hold."""
    unread = [error for error in attempt.errors if error.code not in CLAIMS]
    reads = min(map(attempt.row_of, unread), default=len(attempt.rows))
    return -reads, len(unread), len(attempt.errors) - len(unread), -attempt.held


def no_reading(attempt: Attempt, found: Found) -> NoReading:
    """What the nearest reading cannot read, shown in the text that was pasted."""
    unread = [error.primary.text for error in attempt.errors if error.code == "unread-operator"]
    cells = [cell for text in unread for row in found.rows[1:] for cell in row.cells if shown(cell) == text]
    spans = tuple(dict.fromkeys(cell.span for cell in cells))
    if not spans:
        head = found.rows[0].span
        return NoReading(head, attempt.reading.name.id, (), str(attempt.errors[0].message))
    return NoReading(spans[0], attempt.reading.name.id, spans[1:4], "", skeleton(cells[0].text))


def skeleton(text: str) -> str:
    """A rule for a cell, its numbers as holes."""
    letters = iter("abcdefghijklmnopqrstuvw")
    seen: dict[str, str] = {}

    def hole(match: re.Match[str]) -> str:
        if match[0] not in seen:
            seen[match[0]] = next(letters, "x")
        return f"{{{seen[match[0]]}}}"

    return f'read "{re.sub(r"[0-9]+", hole, " ".join(text.split()))}" = …'


def ragged(rows: Sequence[Row]) -> Iterator[RaggedRow]:
    """The rows that have not as many cells as there are headers."""
    wanted = len(rows[0].cells)
    for row in rows[1:]:
        if len(row.cells) != wanted:
            yield RaggedRow(row.span, len(row.cells), rows[0].span, wanted)


def words(title: str) -> str:
    """A title as a text of the language, which has no escapes."""
    return printable(" ".join(title.split()).replace('"', "'"))


def readings(wanted: str | None) -> Iterator[tree.Reading]:
    """The readings that come with archspec, or the one of that name."""
    for path in sorted(library.shared_names()):
        source = library.shared(path) if path.startswith(FOLDER) else None
        if source is not None and wanted in {None, path.removeprefix(FOLDER)}:
            declared = parse(source).declarations
            yield next(d for d in declared if isinstance(d, tree.Reading))


# ---- one reading ----


def best(attempt: Attempt) -> Attempt:
    """The attempt with what the network has to say besides, tried out until nothing is wrong or nothing helps."""
    attempt.parameters |= {p.name.id: p.span.text for p in attempt.reading.parameters} | choices(attempt)
    if "k" in {parameter.name.id for parameter in attempt.reading.parameters}:
        attempt.parameters["k"] = f"k = {classes(attempt.rows)}"
    attempt.parameters |= {word: f"{word} = {CLASSES}" for word in named(attempt.rows)}
    judge(attempt)
    if any(error.code == "clause" for error in attempt.errors):
        sized(attempt)
    return attempt


def sized(attempt: Attempt) -> None:
    """The side of the image with which most claims hold, of those that papers use."""
    found: list[tuple[int, int, list[Diagnostic], int]] = []
    for place, side in enumerate(SIDES):
        attempt.side = side
        judge(attempt)
        found.append((len(attempt.errors), place, attempt.errors, attempt.held))
        if not attempt.errors:
            return
    _, place, attempt.errors, attempt.held = min(found, key=lambda one: one[:2])
    attempt.side = SIDES[place]


def judge(attempt: Attempt, advise: bool = False) -> None:
    """Compile the text and keep what is wrong with it, and how many claims it makes."""
    attempt.held = 0
    try:
        spec = driver.parse(attempt.text, f"<pasted, read as {attempt.reading.name.id}>")
        spec.make.advise = advise
        attempt.errors = [d for d in spec.check_all() if d.severity is Severity.ERROR]
        attempt.held = 0 if attempt.errors else spec.claims()
    except SpecError as error:
        attempt.errors = list(error.diagnostics)


def choices(attempt: Attempt) -> dict[str, str]:
    """Parameters that pick a column: `{depth}-layer` has as many values as there are such headers."""
    own = {parameter.name.id for parameter in attempt.reading.parameters}
    columns = [c for clause in attempt.reading.clauses if isinstance(clause, tree.Columns) for c in clause.columns]
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


def named(rows: Sequence[Row]) -> Iterator[str]:
    """The names that stand in cells for numbers: alone, in a column of numbers, as `k` for the classes."""
    for column in zip(*(row.cells for row in rows[1:]), strict=True):
        texts = [cell.text for cell in column if not missing(cell)]
        if 2 * sum(text.isdecimal() for text in texts) > len(texts):
            yield from (text for text in texts if WORD.fullmatch(text))


# ---- the text ----


def notes(attempt: Attempt) -> Iterator[str]:
    """What the table does not say."""
    yield from attempt.assumed
    if attempt.side:
        yield f"The table does not say what it is given: {attempt.side}×{attempt.side}×3 is assumed; every claim holds."


def finished(attempt: Attempt) -> str:
    """The text with what came out as checks, and what was assumed as comments."""
    comments = "".join(f"# {printable(note)}\n" for note in notes(attempt))
    return checked(attempt.text.replace("\nnetwork ", f"\n{comments}network ", 1))


def checked(text: str) -> str:
    """The text of a network with what came out as checks; raises `SpecError`."""
    counted = driver.parse(text, "<pasted>").elaborate().stats()
    checks = f"check params = {counted.params:_}, macs = {counted.macs:_}  # as archspec counts them"
    return driver.format_text(text.rstrip().removesuffix("}") + f"\n{checks}\n}}\n")
