"""A table to print -> plain columns, Markdown, LaTeX, CSV, HTML."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from archspec.escape import csv_line, html_text, latex_cell, latex_text, markdown_cell
from archspec.printable import printable, width

Cell = str | int | float
"""A text, a count, or a measure."""
SIGNIFICANT = 100
"""A measure from here on is shown as a whole number, a smaller one with three digits."""


class Sheet(Struct, frozen=True):
    """A table to print: numbers are ints and floats, all else is text; `total` is its last row, set apart."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] | None = None
    note: str = ""

    @property
    def body(self) -> list[tuple[Cell, ...]]:
        """The rows, and the last one."""
        return [*self.rows, *([self.total] if self.total else [])]

    @property
    def numeric(self) -> list[bool]:
        """Which columns hold numbers."""
        return [any(isinstance(row[i], (int, float)) for row in self.body) for i in range(len(self.headers))]


def cell(value: Cell, text: Callable[[str], str] = printable) -> str:
    """A cell as it is shown; `text` is how the kind of output writes a text."""
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= SIGNIFICANT else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else text(value)


def plain(sheet: Sheet) -> str:
    """Aligned columns, two blanks between them."""
    texts = [[cell(value) for value in row] for row in (sheet.headers, *sheet.body)]
    widths = [max(width(row[i]) for row in texts) for i in range(len(sheet.headers))]
    right = sheet.numeric
    lines = ["  ".join(pad(text, widths[i], right[i]) for i, text in enumerate(row)).rstrip() for row in texts]
    head = [printable(sheet.title), ""] if sheet.title else []
    note = ["", *map(printable, sheet.note.split("\n"))] if sheet.note else []
    return "\n".join([*head, *lines, *note])


def pad(text: str, columns: int, right: bool) -> str:
    blanks = " " * (columns - width(text))
    return blanks + text if right else text + blanks


def markdown(sheet: Sheet) -> str:
    """A GitHub table."""
    head, *body = ([cell(value, markdown_cell) for value in line] for line in (sheet.headers, *sheet.body))
    rule = ["---:" if right else "---" for right in sheet.numeric]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *body))


LONG, PARAGRAPH = 60, r"p{0.55\linewidth}"
"""Columns with cells of more characters than this are broken into lines."""


def latex(sheet: Sheet) -> str:
    """A `tabular` with the rules of booktabs, in a float whose caption is the title where there is one."""

    def line(row: Sequence[Cell]) -> str:
        first, *rest = row
        return " & ".join([cell(first, latex_cell), *(cell(value, latex_text) for value in rest)]) + r" \\"

    longest = [max(len(cell(row[i])) for row in (sheet.headers, *sheet.body)) for i in range(len(sheet.headers))]
    columns = "".join(
        "r" if right else PARAGRAPH if length > LONG else "l"
        for right, length in zip(sheet.numeric, longest, strict=True)
    )
    body = [line(row) for row in sheet.rows]
    total = [r"\midrule", line(sheet.total)] if sheet.total else []
    start = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", line(sheet.headers), r"\midrule"]
    tabular = "\n".join([*start, *body, *total, r"\bottomrule", r"\end{tabular}"])
    if not sheet.title:
        return tabular
    caption = rf"\caption{{{latex_text(sheet.title)}}}"
    return "\n".join([r"\begin{table}", r"\centering", caption, tabular, r"\end{table}"])


def comma_separated(sheet: Sheet) -> str:
    """CSV, numbers without separators, the total left out."""
    return "\n".join(map(csv_line, (sheet.headers, *sheet.rows)))


def web(sheet: Sheet) -> str:
    """An HTML `<table>`; all text is escaped."""
    right = sheet.numeric

    def line(row: Sequence[Cell], tag: str) -> str:
        cells = (
            f"<{tag}{' align=right' if right[i] else ''}>{cell(value, html_text)}</{tag}>"
            for i, value in enumerate(row)
        )
        return f"<tr>{''.join(cells)}</tr>"

    caption = [f"<caption>{html_text(sheet.title)}</caption>"] if sheet.title else []
    total = ["<tfoot>", line(sheet.total, "td"), "</tfoot>"] if sheet.total else []
    return "\n".join([
        "<table>", *caption, "<thead>", line(sheet.headers, "th"), "</thead>", "<tbody>",
        *(line(row, "td") for row in sheet.rows), "</tbody>", *total, "</table>",
    ])  # fmt: skip


FORMATS: dict[str, Callable[[Sheet], str]] = {
    "markdown": markdown, "latex": latex, "csv": comma_separated, "html": web,
}  # fmt: skip
