"""Tables of HTML, parsed by the standard library; formulas as arXiv writes them are taken once."""

import re
from html import unescape
from html.parser import HTMLParser

from archspec.diagnostics import SpecError
from archspec.printable import printable, visible
from archspec.source import Span
from archspec.tables import markup
from archspec.tables.grid import Grid, Text
from archspec.tables.table import UnreadableTable

SILENT = frozenset({"script", "style", "template", "noscript", "svg", "math", "caption", "title"})
"""Elements whose content is not text of a cell."""
ALT = re.compile(r"""\balttext\s*=\s*("[^"]*"|'[^']*')""", re.IGNORECASE)
PLAIN = re.compile(r"<(t[dh])>([^<&]*)</\1>\s*")
"""A cell without attributes and markup."""
BLANK = re.compile(r"\s")
ENTITY = re.compile(r"&#?\w+;")
SHOWN = 12
"""Characters of a tag that a message quotes."""
BARE = re.compile(r"&#(?![0-9]|[xX][0-9a-fA-F])")
"""`&#` where no character reference follows."""
MOST = 1000
"""Rows or columns that one cell may reach over."""


def read_html(text: str, span: Span) -> Grid:
    """The grid of a `<table>`, or of its rows alone.

    Raises `SpecError` for a tag or a comment that nothing closes: what follows it might be text of it, or rows.
    """
    reader = Reader(text)
    reader.feed(BARE.sub("& ", text))
    rest = reader.rawdata
    if rest.startswith("<"):
        begun = span.part(len(text) - len(rest), len(text))
        reason = f"nothing closes the tag or comment that begins with `{printable(rest[:SHOWN])}`"
        end = "-->" if rest.startswith("<!--") else ">"
        raise SpecError([UnreadableTable(begun, reason, f"write `{end}` where it ends")])
    reader.close()
    return reader.grid


class Reader(HTMLParser):
    """Takes down the cells of a table, each as text of the length that its element has."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.length = len(text)
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.grid = Grid(headers=0)
        self.begin: int | None = None
        """where the cell that is being read has its content"""
        self.pieces: list[tuple[int, str]] = []
        self.reach = (1, 1)
        self.silent: list[str] = []
        self.raised = False
        self.headers = True
        """whether the row has header cells alone"""

    @property
    def place(self) -> int:
        line, column = self.getpos()
        return self.starts[line - 1] + column

    # ---- what the parser finds ----

    def parse_starttag(self, i: int) -> int:
        """The end of the tag that begins at a place; cells without markup, as most are, are taken down at once."""
        end, between = i, self.begin is None and not self.silent and not self.raised
        while between and (cell := PLAIN.match(self.rawdata, end)):
            self.headers = self.headers and cell[1] == "th"
            self.add(Text(self.place + cell.start(2) - i, BLANK.sub(" ", markup.inline(cell[2]))))
            end = cell.end()
        return end if end > i else super().parse_starttag(i)

    def parse_html_declaration(self, i: int) -> int:
        """The end of what begins with `<!` and is not a comment: the next `>`, in a marked section, too."""
        return super().parse_html_declaration(i) if self.rawdata[i : i + 3] != "<![" else self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        written = self.get_starttag_text() or ""
        if tag in {"tr", "td", "th"}:
            self.finish_cell(self.place)
        if tag == "tr":
            self.finish_row()
            self.grid.rows.append([])
        elif tag in {"td", "th"}:
            self.headers = self.headers and tag == "th"
            given = {name: value or "" for name, value in attrs}
            self.reach = reach(given, "colspan"), reach(given, "rowspan")
            self.begin, self.pieces, self.raised = self.place + len(written), [], False
        elif tag == "sup":
            self.raised = True
        if tag == "math" and (alt := ALT.search(written)):
            self.say(self.place + alt.start(1) + 1, markup.inline(f"${unescaped(alt[1][1:-1])}")[1:])
        if tag in SILENT:
            self.silent.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.silent and tag == self.silent[-1]:
            self.silent.pop()
        elif tag == "sup":
            self.raised = False
        elif tag in {"td", "th", "tr", "table"}:
            self.finish_cell(self.place)

    def handle_data(self, data: str) -> None:
        if self.raised:
            # a number above the line is a power, for which there is room where its tag stands; all else is a note
            digits = data.strip()
            power = markup.EXPONENTS.get(digits, f"^{digits}") if digits.isdecimal() else ""
            self.say(self.place + data.find(digits) + len(digits) - len(power), power)
        else:
            self.say(self.place, markup.inline(data))

    def handle_entityref(self, name: str) -> None:
        self.say(self.place, unescaped(f"&{name};"))

    def handle_charref(self, name: str) -> None:
        self.say(self.place, unescaped(f"&#{name};"))

    def close(self) -> None:
        super().close()
        self.finish_cell(self.length)
        self.finish_row()
        self.grid.headers = max(1, self.grid.headers)

    # ---- cells ----

    def say(self, place: int, plain: str) -> None:
        if self.begin is not None and not self.silent:
            self.pieces.append((place, plain))

    def finish_cell(self, end: int) -> None:
        if self.begin is None:
            return
        mask = markup.Mask(" " * (end - self.begin))
        for place, plain in self.pieces:
            at = place - self.begin
            mask.put(at, at + len(plain), BLANK.sub(" ", plain))
        self.add(Text(self.begin, str(mask), *self.reach))
        self.begin = None

    def add(self, cell: Text) -> None:
        if not self.grid.rows:
            self.grid.rows.append([])
        self.grid.rows[-1].append(cell)

    def finish_row(self) -> None:
        """Rows of header cells at the beginning are headers."""
        if self.grid.rows and self.grid.rows[-1]:
            if self.headers and self.grid.headers == len(self.grid.rows) - 1:
                self.grid.headers += 1
            self.headers = True


def reach(given: dict[str, str], name: str) -> int:
    value = given.get(name, "")
    return min(max(int(value), 1), MOST) if value.isascii() and value.isdecimal() and len(value) < 9 else 1


def unescaped(text: str) -> str:
    """A text with its entities as signs and blanks."""
    return ENTITY.sub(lambda match: visible(unescape(match[0])[:1]).replace("\u00a0", " ").ljust(len(match[0])), text)
