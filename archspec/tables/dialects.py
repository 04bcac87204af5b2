"""The forms in which tables come: LaTeX, HTML, pipes and boxes, tabs, columns, commas.

Each is one function that takes the text of a table and gives its grid, or None where the text is not in its form;
`DIALECTS` is the order in which they are asked, those that say what they are before those that only look like it.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from archspec.diagnostics import SpecError
from archspec.source import Span
from archspec.syntax import tree
from archspec.tables import markup
from archspec.tables.grid import Grid, Text
from archspec.tables.table import RaggedRow, Row, Table, UnknownMarkup, UnreadableTable

Lines = list[tuple[int, str]]
"""Offset and text of every line that is not blank."""
LINE = re.compile(r"[^\r\n]+")
QUOTE = re.compile(r"^[ \t]*>(?:[ \t]*>)*", re.MULTILINE)
HEADERS_ALONE = "it has headers and no rows"
PIPE = re.compile(r"(?<!\\)\|")
SEPARATOR = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?")
RULE = re.compile(r"[\s+\-=|─━═│┃║┌┬┐├┼┤└┴┘┏┳┓┡╇┩┠┼┨┗┻┛╔╦╗╠╬╣╚╩╝╒╤╕╞╪╡╘╧╛╭╮╰╯┯┷┿╂]+")
BARS = str.maketrans({"│": "|", "┃": "|", "║": "|", "¦": "|"})
GAP = re.compile(r"[ \u00a0]{2,}")
ENVIRONMENTS = {
    "tabular": 0, "tabularx": 1, "tabulary": 1, "longtable": 0, "supertabular": 0, "xltabular": 1, "mpsupertabular": 0,
    "NiceTabular": 0, "NiceTabularX": 1, "tblr": 0, "longtblr": 0, "array": 0,
}  # fmt: skip
"""Tables of LaTeX, and their arguments before the one that says what the columns are."""
NAMES = "|".join(ENVIRONMENTS)
TABULAR = re.compile(rf"\\begin\{{({NAMES})\*?\}}")
BOUND = re.compile(rf"\\(begin|end)\{{(?:{NAMES})\*?\}}")
ROW_END = re.compile(r"(?:\\\\\*?|\\tabularnewline(?![A-Za-z]))([ \t]*\[[^\[\]]*\])?")
CELL_END = re.compile("&")
PARTING = re.compile(r"[\\{}%&]")
"""What may part rows and cells, or keep others from it."""
BEGIN_OR_END = re.compile(r"\\(begin|end|left|right)\b|\\.", re.DOTALL)
SPANS = re.compile(r"\\(multirow|multicolumn)\s*(?:\[[^\]]*\])?\s*\{\s*(-?[0-9]+)\s*\}")
ELEMENT = re.compile(r"<(table|tr)\b", re.IGNORECASE)
FIELD = r'[ ]*"(?:[^"]|"")*"[ ]*|[^{0}\r\n]*'


def read_table(clause: tree.TableClause) -> Table:
    """Headers and rows of a `table` clause; raises `SpecError` with every line that does not fit."""
    text = f" {clause.body[1:-1]} "
    rows = rows_of(text, clause.body_span)
    if not rows:
        reason = "it is empty" if not text.strip() else "it is in no form that is known"
        raise SpecError([UnreadableTable(clause.span, reason)])
    head, *body = rows
    wrong = list(ragged(rows))
    if wrong:
        raise SpecError(wrong)
    if not body:
        raise SpecError([UnreadableTable(clause.span, HEADERS_ALONE)])
    return Table(clause.name.value if clause.name else None, head.cells, tuple(body))


def ragged(rows: Sequence[Row]) -> Iterator[RaggedRow]:
    """The rows that have not as many cells as there are headers."""
    head = rows[0]
    for row in rows[1:]:
        if len(row.cells) != len(head.cells):
            yield RaggedRow(row.span, len(row.cells), head.span, len(head.cells))


@lru_cache(maxsize=32)  # every variant of a network is made of the same tables
def rows_of(text: str, span: Span) -> tuple[Row, ...]:
    """The rows of a table's text, the headers first; none where it is in no known form. Raises `SpecError`."""
    text = unquoted(text)
    for dialect in DIALECTS:
        grid = dialect(text, span)
        if grid is not None and (rows := grid.table(span)):
            return tuple(rows)
    return ()


def unquoted(text: str) -> str:
    """A text whose lines are all quoted, as in a mail, with blanks for the `>`; another text as it is."""
    lines = [line for _, line in lines_of(text)]
    if not lines or not all(line.lstrip().startswith(">") for line in lines):
        return text
    return QUOTE.sub(lambda mark: " " * len(mark[0]), text)


def lines_of(text: str) -> Lines:
    return [(match.start(), match[0]) for match in LINE.finditer(text) if match[0].strip()]


def html(text: str, span: Span) -> Grid | None:
    """`<table>`, or its rows alone."""
    if not ELEMENT.search(text):
        return None
    from archspec.tables.html import read_html

    return read_html(text, span)


# ---- LaTeX ----


def latex(text: str, span: Span) -> Grid | None:
    """`a & b \\\\`, in an environment or alone."""
    begin = TABULAR.search(text)
    if begin and "&" in text[: begin.start()]:
        begin = None  # it is one within a cell
    if begin is None and not ("&" in text and ROW_END.search(text)):
        return None
    start, end = inside(text, begin) if begin else (0, len(text))
    grid = Grid(padded=True, headers=0)
    below = False  # the headers: what the table is called may have a line of its own
    for first, last in parts(text, start, end, ROW_END):
        here = text[first:last]
        rule = markup.rule(here)
        said = markup.LINE_COMMENT.sub("", here)
        below = below or (bool(grid.rows) and len(grid.rows[-1]) > 1)
        if below and not grid.headers and rule and not here[: rule.start()].strip():
            grid.headers = len(grid.rows)
        if here.strip() and ("&" in said or cells_said(said)):
            grid.rows.append([latex_cell(text, a, b, span) for a, b in parts(text, first, last, CELL_END)])
    if grid.headers in {0, len(grid.rows)}:  # a line below all rows says nothing of headers
        grid.headers = 1
    return grid


def cells_said(text: str) -> bool:
    """Whether a row of LaTeX is more than rules."""
    try:
        return bool(markup.latex(text).strip())
    except markup.Unknown:
        return True


def inside(text: str, begin: re.Match[str]) -> tuple[int, int]:
    """The content of an environment."""
    place = begin.end()
    while option := markup.OPTION.match(text, place):
        place = option.end()
    for _ in range(ENVIRONMENTS[begin[1]] + begin[0].endswith("*}") + 1):
        place = markup.group(text, markup.blanks(text, place))
    depth = 1
    for match in BOUND.finditer(text, place):
        depth += 1 if match[1] == "begin" else -1
        if depth == 0:
            return place, match.start()
    return place, len(text)


def environments(text: str) -> Iterator[tuple[int, int]]:
    """The stretches of a text that are a table of LaTeX, which none of another holds."""
    text = markup.LINE_COMMENT.sub(lambda comment: " " * len(comment[0]), text)
    place = 0
    while begin := TABULAR.search(text, place):
        place = text.find("}", inside(text, begin)[1]) + 1 or len(text)
        if begin[1] != "array":
            yield begin.start(), place


def parts(text: str, start: int, end: int, separator: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """The stretches between separators that stand in no braces, in no environment and in no comment."""
    depth, first, place = 0, start, start
    while mark := PARTING.search(text, place, end):
        place = mark.start()
        found = separator.match(text, place)
        if found and depth <= 0:
            yield first, place
            first = place = found.end()
        elif mark[0] == "%":
            comment = markup.LINE_COMMENT.match(text, place)
            place = min(comment.end() if comment else place + 1, end)
        elif mark[0] == "\\":
            word = BEGIN_OR_END.match(text, place)
            depth += {"begin": 1, "end": -1}.get(word[1] if word else "", 0)
            place = word.end() if word else place + 1
        else:
            depth += (mark[0] == "{") - (mark[0] == "}")
            place += 1
    yield first, end


def latex_cell(text: str, start: int, end: int, span: Span) -> Text:
    """A cell of LaTeX; raises `SpecError` for a command that may mean anything."""
    reach = {"multirow": 1, "multicolumn": 1}
    for match in SPANS.finditer(text, start, end):
        reach[match[1]] = min(max(abs(int(match[2])), 1), 1000)
    try:
        plain = markup.latex(text[start:end])
    except markup.Unknown as unknown:
        at = span.part(start + unknown.start, start + unknown.end)
        raise SpecError([UnknownMarkup(at, unknown.name)]) from None
    if re.fullmatch(r"\s*-{2,3}\s*", plain):
        plain = "-".rjust(plain.index("-") + 1).ljust(len(plain))
    return Text(start, plain, reach["multicolumn"], reach["multirow"])


# ---- lines ----


def pipes(text: str, span: Span) -> Grid | None:
    """Markdown, with or without the outer pipes, and boxes of a terminal."""
    lines = [(offset, line.translate(BARS)) for offset, line in lines_of(text)]
    shown = [line for number, line in enumerate(lines) if not frame(line[1], number)]
    if not shown or "|" not in shown[0][1] or 2 * sum("|" in line for _, line in shown) <= len(shown):
        return None
    outer = shown[0][1].lstrip().startswith("|")
    barred = [line.lstrip().startswith("|") for _, line in shown if "|" in line]
    if not all(barred) and (outer or len(shown) == len(lines)):
        return None
    extents = [(offset + len(line) - len(line.lstrip()), offset + len(line.rstrip())) for offset, line in shown]
    rows = [list(piped(offset, line, outer)) for offset, line in shown]
    if outer and not shown[0][1].rstrip().endswith("|"):
        # where lines have no pipe at their end, one that ends with a pipe has an empty cell behind it
        for row, (_, end) in zip(rows, extents, strict=True):
            if len(row) == len(rows[0]) - 1 and text[end - 1] == "|":
                row.append(Text(end, ""))
    return Grid(rows, extents=extents)


def markdown(text: str) -> bool:
    """Whether a text is a table of Markdown, which has dashes below its headers: GitHub fills its short rows."""
    lines = lines_of(unquoted(text))
    return len(lines) > 1 and "|" in lines[0][1] + lines[1][1] and SEPARATOR.fullmatch(lines[1][1].strip()) is not None


def frame(line: str, number: int) -> bool:
    """Whether a line is not a row: the dashes below headers, or a rule of a box."""
    if SEPARATOR.fullmatch(line.strip()):
        return number == 1 or "--" in line
    return RULE.fullmatch(line) is not None and re.search("[+─━═┼╪╬]", line) is not None


def piped(offset: int, line: str, outer: bool) -> Iterator[Text]:
    """The cells of a line between its pipes; `outer`: the first one begins the line."""
    outer = outer and line.lstrip().startswith("|")
    text = line.strip() if outer else line.rstrip()
    start = offset + line.index(text)
    cuts = [cut.start() for cut in PIPE.finditer(text)]
    if not outer:
        cuts.insert(0, -1)
    if cuts[-1] != len(text) - 1 or len(cuts) == 1 or not outer:
        cuts.append(len(text))
    for a, b in itertools.pairwise(cuts):
        yield Text(start + a + 1, markup.inline(markup.markdown(text[a + 1 : b])))


def tabs(text: str, span: Span) -> Grid | None:
    """Cells between tabs, as they are copied out of slides, sheets and PDFs."""
    lines = lines_of(text)
    if not lines or "\t" not in lines[0][1].strip() or 2 * sum("\t" in line for _, line in lines) <= len(lines):
        return None
    # in a file the whole table may be indented, even by tabs
    indent = min(len(line) - len(line.lstrip(" \t")) for _, line in lines)
    return Grid([list(cut(offset + indent, line[indent:], re.compile("\t"))) for offset, line in lines])


def cut(offset: int, line: str, separator: re.Pattern[str]) -> Iterator[Text]:
    place = 0
    for match in separator.finditer(line):
        yield Text(offset + place, markup.inline(line[place : match.start()]))
        place = match.end()
    yield Text(offset + place, markup.inline(line[place:]))


def aligned(text: str, span: Span) -> Grid | None:
    """Columns that stand below each other, with two blanks or more between them."""
    lines = [(offset, line) for offset, line in lines_of(text) if not re.fullmatch(r"[\s\-=─━]+", line)]
    indent = min((len(line) - len(line.lstrip()) for _, line in lines), default=0)
    wide = [GAP.search(line[indent:].rstrip()) is not None for _, line in lines]
    if len(lines) < 2 or not wide[0] or 2 * sum(wide) <= len(wide):
        return None
    width = max(len(line) for _, line in lines)
    free = [all(place >= len(line) or line[place] in " \u00a0" for _, line in lines) for place in range(width)]
    columns = [
        (run[0], run[-1] + 1)
        for filled, group in itertools.groupby(range(width), key=lambda place: gap(free, place))
        if not filled and (run := list(group))
    ]
    if len(columns) >= 2 and all(fits(line, columns) for _, line in lines):
        ends = [begin for begin, _ in columns[1:]] + [width]
        return Grid(
            [
                [
                    Text(offset + min(begin, len(line)), markup.inline(line[begin:end]))
                    for (begin, _), end in zip(columns, ends, strict=True)
                ]
                for offset, line in lines
            ]
        )
    rows = [list(cut(offset + len(line) - len(line.lstrip()), line.strip(), GAP)) for offset, line in lines]
    alike = sum(len(row) == len(rows[0]) for row in rows)
    return Grid(rows) if 2 * alike > len(rows) else None


def gap(free: list[bool], place: int) -> bool:
    """Whether a place lies between columns: it and one beside it are blank in every line."""
    beside = [n for n in (place - 1, place + 1) if 0 <= n < len(free)]
    return free[place] and (place == 0 or any(free[n] for n in beside))


def fits(line: str, columns: list[tuple[int, int]]) -> bool:
    """Whether what stands in each column of a line has no gap in it."""
    return not any(GAP.search(line[begin:end].strip()) for begin, end in columns)


def separated(text: str, span: Span) -> Grid | None:
    """Comma- or semicolon-separated values."""
    for mark in ";,":
        rows = [list(fields(offset, line, mark)) for offset, line in logical(text)]
        alike = sum(len(row) == len(rows[0]) for row in rows)
        if len(rows) > 1 and len(rows[0]) > 1 and (alike == len(rows) or (len(rows[0]) > 2 and 2 * alike > len(rows))):
            return Grid(rows)
    return None


def logical(text: str) -> Lines:
    """The lines of CSV, in which a quoted field may have several."""
    pattern = re.compile(r'(?:"(?:[^"]|"")*"|[^"\r\n])+')
    return [(match.start(), match[0]) for match in pattern.finditer(text) if match[0].strip()]


def fields(offset: int, line: str, mark: str) -> Iterator[Text]:
    pattern = re.compile(FIELD.format(mark))
    place = 0
    while place <= len(line):
        match = pattern.match(line, place)
        assert match is not None
        content = match[0]
        if content.strip().startswith('"'):
            inner = content.strip()[1:-1]
            start = place + content.index('"') + 1
            yield Text(offset + start, markup.inline(inner.replace('""', '" ').replace("\n", " ").replace("\r", " ")))
        else:
            yield Text(offset + place, markup.inline(content))
        place = match.end() + 1


Dialect = Callable[[str, Span], Grid | None]
DIALECTS: tuple[Dialect, ...] = (html, latex, pipes, tabs, aligned, separated)
