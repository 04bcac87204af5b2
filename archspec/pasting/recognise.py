"""Rows of a table -> the reading whose conventions they follow, and the spec that says so.

Every reading that comes with archspec is tried: its rules must read all rows, and every claim of the table must hold.
Nothing is guessed silently: what the table leaves open becomes a parameter or a comment.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from archspec import driver, library
from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate.claims import NumberClaim, number_holds
from archspec.elaborate.evaluate import Value
from archspec.lookalikes import notes as notes_on
from archspec.pasting.attempt import (
    FOLDER,
    WORD,
    Attempt,
    best,
    body,
    choice_of,
    judge,
    left_unread,
    rows_read,
    unread_operators,
    with_other_image,
)
from archspec.pasting.blame import blamed
from archspec.pasting.columns import CLAIMS, Columned, called, default_meaning_of, left
from archspec.pasting.compared import compared
from archspec.pasting.errors import NoReading, TooMuch
from archspec.pasting.footers import Total, parted
from archspec.pasting.remarks import remarked
from archspec.pasting.steps import PASTED, STEPS, in_steps, legend, origins, seems_in_steps
from archspec.pasting.tables import AROUND, MOST_CELLS, MOST_CHARACTERS, MOST_TABLES, Found, with_footnotes
from archspec.pasting.vocabulary import fits, groups_of
from archspec.printable import printable
from archspec.source import Source
from archspec.syntax import parse, tree
from archspec.tables.cells import ditto, missing
from archspec.tables.table import Cell, Row

CLAIM_CODES = frozenset(
    {"shape-claim", "number-claim", "not-as-printed", "no-reading", "channels-first", "bad-arithmetic", "unread-cell"}
)
"""What may be wrong with a network although all its rows are read."""
MOST_SAID = 200
"""Characters of a column that are said; all of them stand in the table."""
CELL_CODES = frozenset({"bad-cell", "unclear-cell", "nothing-above"})
"""What may be wrong with a cell by itself, whatever reads its row."""
OF_CELL = re.compile(r"(?<![0-9])[0-9]+(?![0-9])(?![^\W\d_xX]|[xX](?![0-9]))")
"""A number of an operator cell; what stands before a letter is part of a word, as in `conv2d`, except before `x3`."""
TIMES = re.compile(r" ?[×xX*] ?")
LOST = re.compile(r"([0-9]{1,4}?) ?2 ?[×xX] ?([0-9]{1,5}|[a-z])")


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


def pasted(
    tables: Sequence[Found], reading: str | None = None, name: str | None = None, title: str | None = None
) -> Pasted:
    """The spec of the table, among these, that a reading takes as a whole, with all its claims.

    Raises `SpecError` with what is wrong with the best attempt where there is none.
    """
    broken = [diagnostic for found in tables for diagnostic in found.wrong]
    whole, legends = tables_of(tables)
    steps: list[Diagnostic] = []
    for found in whole if reading is None else ():
        said = quotable(found.caption if title is None else title)
        text = in_steps(found, legends, name or "Pasted", said, body(found.rows))
        if text is None:
            continue
        known = False
        try:
            driver.parse(text, PASTED)
            known = True
            said_too = (*found.notes, *beyond_steps(found, legends, text))
            return Pasted(checked(commented(text, said_too)), found, STEPS, (), said_too)
        except SpecError as error:
            wrong = blamed(error.diagnostics, Source(PASTED, text), found.rows, found.span, STEPS, origins(text, found))
            if known or legends:
                raise SpecError(wrong) from None
            steps += wrong if seems_in_steps(found) else []
    first, found, others = recognised(whole, reading, name, title)
    squared = [table for one in whole if (table := raised(one)) is not None] if first.errors else []
    if squared:
        again = recognised(squared, reading, name, title)
        if not again[0].errors:
            first, found, others = again
            first.assumed.append("The copy lost its squares: 1122×32 is read as 112²×32.")
    if first.errors:
        raise SpecError(
            [*broken, *(steps if steps and not rows_read(first) else reported(first, found, bool(reading)))]
        )
    first.assumed += found.notes
    return Pasted(finished(first), found, first.reading.name.id, others, tuple(notes(first)))


def tables_of(tables: Sequence[Found]) -> tuple[list[Found], list[Found]]:
    """Those that can be read, and those of them that say what the steps of the others mean; raises `SpecError`."""
    whole = [found for found in tables if not found.wrong]
    if not whole:
        raise SpecError([diagnostic for found in tables for diagnostic in found.wrong])
    bounded(whole)
    whole = [with_footnotes(found) for found in whole]
    legends = [found for found in whole if legend(found)]
    return [found for found in whole if found not in legends] or whole, legends


def bounded(tables: Sequence[Found]) -> None:
    """Raise `SpecError` where trying all readings would take longer than anybody waits."""
    if len(tables) > MOST_TABLES:
        advice = "name the one that you mean: `--table N`"
        raise SpecError([TooMuch(tables[MOST_TABLES].span, "tables", len(tables), MOST_TABLES, advice)])
    for found in tables:
        cells, characters = len(found.rows) * len(found.rows[0].cells), found.span.end - found.span.start
        for what, number, most in (("cells", cells, MOST_CELLS), ("characters", characters, MOST_CHARACTERS)):
            if number > most:
                raise SpecError([TooMuch(found.rows[0].span, what, number, most, AROUND)])


def beyond_steps(found: Found, legends: Sequence[Found], text: str) -> list[str]:
    """What a table in steps prints besides them, in words; raises `SpecError` where its network does not have it."""
    rows, headers = found.rows, [cell.text for cell in found.rows[0].cells]
    operator = next(i for i, header in enumerate(headers) if header.casefold() == "operator")
    steps = [row.cells[operator].text for row in rows[1:]]
    names = {"n", *WORD.findall(" ".join([*steps, *(row.span.text for one in legends for row in one.rows)]))}
    columns = Columned()
    for i, header in enumerate(headers):
        meaning = default_meaning_of(header)
        if meaning in {"operator", *CLAIMS, *names}:
            columns.meanings[i] = meaning
        else:
            left(i, header, [row.cells[i].shown for row in rows[1:]], columns)
    unread = [*columns.unread, *(i for i, meaning in columns.stated.items() if meaning in CLAIMS)]
    errors: list[Diagnostic] = [
        NoReading(rows[0].cells[i].span, STEPS, (), f"nothing reads its column `{headers[i]}`") for i in unread
    ]
    graph = driver.parse(text, PASTED).elaborate()
    errors += compared(graph, rows, columns, ())
    beside = [one for one in found.beside if one.text != found.caption]
    errors += remarked(graph, rows, columns, [operator], beside, set())
    if errors:
        raise SpecError(errors)
    return [not_read(rows, i) for i in range(len(headers)) if i not in {*columns.meanings, *columns.compared}]


Recognised = tuple[Attempt, Found, tuple[str, ...]]
"""The best attempt, its table, and the readings that would do as well."""


def recognised(tables: Sequence[Found], reading: str | None, name: str | None, title: str | None) -> Recognised:
    """The best of all attempts."""
    tried = []
    for place, table in enumerate(tables):
        parts = parted(table.rows)
        found = replace(table, rows=parts.rows)
        said = quotable(found.caption if title is None else title)
        for one, uses in readings(reading):
            attempt = Attempt(one, uses, parts.rows, found.span, name or "Pasted", said)
            attempt.totals, attempt.assumed = parts.totals, list(parts.notes)
            if found.caption:
                kept = "; it is the title." if title is None else f": {found.caption}"
                attempt.assumed.append(f"The caption is not read{kept}")
            attempt.beside = tuple(one for one in found.beside if title is None or one.text != found.caption)
            tried.append((rank(best(attempt)), place, one.name.id, attempt, found))
    ranked, _, _, first, found = min(tried, key=lambda one: one[:3])
    others = tuple(
        name for other, _, name, one, where in tried if other == ranked and where is found and one is not first
    )
    return first, found, others


def raised(found: Found) -> Found | None:
    """A table with the squares that a copy out of a PDF has lost, as in `1122 × 32`; None where none is lost."""
    cells = [cell for row in found.rows[1:] for cell in row.cells if LOST.fullmatch(cell.text.strip())]
    if len(cells) < 2:
        return None
    spans = {cell.span for cell in cells}

    def mended(cell: Cell) -> Cell:
        return Cell(cell.span, LOST.sub(r"\1²×\2", cell.text)) if cell.span in spans else cell

    rows = tuple(replace(row, cells=tuple(map(mended, row.cells))) for row in found.rows)
    return replace(found, rows=rows)


def rank(attempt: Attempt) -> tuple[int, ...]:
    """The rank of an attempt, the best is the least.

    It goes by whether nothing is wrong, the operators that it has rules for, the rows read, the cells unread, the
    claims that fail, the claims that hold, and the headers that it knows.
    """
    unread = unread_by(attempt)
    reads = min(map(attempt.row_of, unread), default=len(attempt.rows))
    wrong = len(attempt.errors) - len(unread)
    known = len(attempt.columns.meanings) - len(attempt.columns.missing)
    return bool(attempt.errors), -rows_read(attempt), -reads, len(unread), wrong, -attempt.held, -known


def unread_by(attempt: Attempt) -> list[Diagnostic]:
    """What is wrong with an attempt that does not read all rows."""
    return [error for error in attempt.errors if error.code not in CLAIM_CODES]


def reported(attempt: Attempt, found: Found, asked: bool) -> Sequence[Diagnostic]:
    """What is wrong with the best attempt, in the text that was pasted; `asked` where its reading was asked for."""
    if not any(isinstance(error, NoReading) for error in attempt.errors):
        judge(attempt, advise=True)
        with_other_image(attempt)
    if not unread_by(attempt):
        return attempt.errors
    name, unread = attempt.reading.name.id, unread_operators(attempt)
    if not asked and not rows_read(attempt):
        return [none_near(found)]
    if unread:
        spans = tuple(dict.fromkeys(cell.span for cell in unread))
        odd = [error for error in attempt.errors if error.code in CELL_CODES]
        return [
            NoReading(spans[0], name, spans[1:4], "", pattern_of(unread[0].shown, [cell.shown for cell in unread])),
            *odd,
        ]
    odd = [error for error in attempt.errors if error.code != "rule-check" and error.site != found.rows[0].span]
    other = next((error for error in attempt.errors if error not in odd), None)
    if other is None or isinstance(other, NoReading):
        return attempt.errors
    return [NoReading(other.site, name, (), other.message), *odd]


def none_near(found: Found) -> NoReading:
    """No reading reads a row: a header with odd letters, or the first cell of what seems to be the operators."""
    headers = found.rows[0].cells
    for cell in headers:
        if any(notes_on(cell.shown)):
            return NoReading(cell.span, "", (), f"no reading knows the header `{cell.shown}`")
    said = operators_in(found)
    if not said:
        return NoReading(found.rows[0].span, "", ())
    return NoReading(said[0].span, "", (), "", pattern_of(said[0].shown, [cell.shown for cell in said]))


def operators_in(found: Found) -> list[Cell]:
    """The cells of what seems to be the column of operators, except those that say nothing."""
    headers = found.rows[0].cells
    texts = [i for i in range(len(headers)) if fits("text", [row.cells[i].shown for row in found.rows[1:]])]
    called = {i: place for i in texts if (place := groups_of(headers[i].text).get("operator")) is not None}
    place = min(called, key=called.__getitem__) if called else next(iter(texts), None)
    cells = (row.cells[place] for row in found.rows[1:]) if place is not None else ()
    return [cell for cell in cells if not missing(cell) and not ditto(cell.text)]


def pattern_of(text: str, others: Iterable[str] = ()) -> str:
    """A pattern for a cell, its numbers as holes.

    Equal numbers are one hole where that is so in all of several cells of its form, and in the sides of a square.
    """
    plain = " ".join(text.split())
    form = OF_CELL.sub("0", plain)
    alike = {tuple(OF_CELL.findall(other)) for other in (plain, *others) if OF_CELL.sub("0", other) == form}
    found = list(OF_CELL.finditer(plain))
    holes: list[str] = []
    for i, match in enumerate(found):
        same = [j for j in range(i) if all(numbers[i] == numbers[j] for numbers in alike)]
        square = bool(same) and TIMES.fullmatch(plain, found[same[-1]].end(), match.start()) is not None
        holes.append(holes[same[-1]] if square or (same and len(alike) > 1) else next(letters_left(holes)))
    numbered = iter(holes)
    return OF_CELL.sub(lambda _: f"{{{next(numbered)}}}", plain)


def letters_left(taken: Sequence[str]) -> Iterator[str]:
    """Names for holes that no other has."""
    yield from (letter for letter in "abcdefghijklmnopqrstuvw" if letter not in taken)
    yield f"n{len(taken)}"


def quotable(title: str) -> str:
    """A title as a text of the language, which has no escapes."""
    return printable(" ".join(title.split()).replace('"', "'"))


def readings(wanted: str | None) -> Iterator[tuple[tree.Reading, tuple[str, ...]]]:
    """The readings that come with archspec, or the one of that name, and the files that they use."""
    for path in sorted(library.shared_names()):
        source = library.shared(path) if path.startswith(FOLDER) else None
        if source is not None and wanted in {None, path.removeprefix(FOLDER)}:
            declared = parse(source).declarations
            uses = tuple(d.path.value for d in declared if isinstance(d, tree.Use))
            yield next(d for d in declared if isinstance(d, tree.Reading)), uses


# ---- the text ----


def notes(attempt: Attempt) -> Iterator[str]:
    """What the table does not say, as comments."""
    yield from attempt.assumed
    for i in attempt.columns.compared:
        yield f"No rule reads the column {headed(attempt.rows, i)}; every row of the network was compared with it."
    yield from (not_read(attempt.rows, i) for i in left_unread(attempt))
    claims = claimed(attempt)
    if attempt.side:
        holds = ", and every claim holds." if claims else "."
        yield f"The table does not state its input: {attempt.side}×{attempt.side}×3 is assumed{holds}"
    if not claims:
        yield "The table claims nothing: it prints no shapes and no counts, so that nothing was compared with them."


def claimed(attempt: Attempt) -> bool:
    """Whether the table prints a shape or a count that the network is compared with."""
    columns = [i for i, meaning in attempt.columns.meanings.items() if meaning in CLAIMS]
    return bool(attempt.totals) or any(not missing(row.cells[i]) for row in attempt.rows[1:] for i in columns)


def headed(rows: Sequence[Row], i: int) -> str:
    """A column by its header."""
    header = rows[0].cells[i].shown
    return called(header) or f"`{header}`" if header else f"{i + 1}, which has no header,"


def not_read(rows: Sequence[Row], i: int) -> str:
    """That a column is not read, and what stands in it."""
    cells = ", ".join(dict.fromkeys(row.cells[i].shown for row in rows[1:] if not missing(row.cells[i])))
    shortened = cells if len(cells) <= MOST_SAID else f"{cells[:MOST_SAID]}…"
    return f"The column {headed(rows, i)} is not read" + (f": {shortened}" if cells else ".")


def commented(text: str, notes: Iterable[str]) -> str:
    """A spec with notes about its network above it."""
    comments = "".join(f"# {printable(note)}\n" for note in notes)
    return text.replace("\nnetwork ", f"\n{comments}network ", 1)


def finished(attempt: Attempt) -> str:
    """The text with what came out as checks, and what was assumed as comments."""
    stated = list(totals(attempt))
    return checked(commented(attempt.text, notes(attempt)), stated)


def totals(attempt: Attempt) -> Iterator[str]:
    """The claims about the whole that the table prints, as checks; raises `SpecError` where one does not hold."""
    spec = driver.parse(attempt.text, PASTED)
    for total in attempt.totals:
        values = choice_of(attempt, total.column)
        stats = spec.elaborate(**values).stats()
        found = {"params": stats.params, "macs": stats.macs}[total.what]
        if number_holds(total.quantity, found):
            given = ", ".join(f"{name} = {said(value)}" for name, value in values.items())
            yield f"check {f'({given}) ' if given else ''}{total.what} = {total.text}  # totals of the table"
        elif otherwise := total.holds_otherwise(found):
            attempt.assumed.append(f"The table prints {total.text} for {found:,} {total.what.upper()}: {otherwise}.")
        else:
            raise SpecError([wrong(total, found)])


def said(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value}"


def wrong(total: Total, found: int) -> NumberClaim:
    return NumberClaim(total.cell.span, total.what, "the network", found, total.quantity)


def checked(text: str, stated: Sequence[str] = ()) -> str:
    """The text of a network with what came out as checks; raises `SpecError`."""
    counted = driver.parse(text, PASTED).elaborate().stats()
    own = f"check params = {counted.params:_}, macs = {counted.macs:_}  # as archspec counts them"
    checks = "\n".join([*stated, own])
    return driver.format_text(text.rstrip().removesuffix("}") + f"\n{checks}\n}}\n")
