"""A table whose cells are steps of the language, as `archspec table` prints it -> its spec.

A second table, `Block | Definition`, says what the steps mean: blocks, further outputs, `default` and `repeat`.
"""

import re
from collections.abc import Iterator, Sequence

from archspec.elaborate.modules import BUILT_IN
from archspec.pasting.tables import Found
from archspec.source import Source, Span
from archspec.tables import cells, patterns
from archspec.tables.table import Row, shown
from archspec.tensor import channels_first

LEGEND = ("Block", "Definition")
"""The headers of the table of definitions."""
OPERATOR, INPUT = "operator", "input"
ARROW = "→"
TIMES = re.compile(r"\s*×\s*")
PASTED = "<pasted>"
"""The source of the text that is made of a table."""
STEPS = "steps of the language"
"""What such a table is read as."""
NAME = re.compile(r" *([a-z_][a-z0-9_]*)")
LONG = 10
"""No side of a shape has so many digits."""
CLAUSES = re.compile(r"(default|repeat|output [A-Za-z_][A-Za-z0-9_]*)")


def legend(found: Found) -> bool:
    """Whether a table says what the steps of another mean."""
    return tuple(patterns.key(cell.text) for cell in found.rows[0].cells) == tuple(map(patterns.key, LEGEND))


def in_steps(found: Found, legends: Sequence[Found], name: str, title: str, table: str) -> str | None:
    """The text of a table as one in steps, its rows as `table`; None where no column has the operators."""
    headers = headers_of(found)
    if OPERATOR not in headers:
        return None
    texts = dict.fromkeys(said(row, headers.index(OPERATOR)) for row in found.rows[1:])
    defined = [(said(row, 0), said(row, 1)) for one in legends for row in one.rows[1:]]
    lines = [
        "arch 1",
        *(f"block {block} = {body}" for block, body in defined if not CLAUSES.fullmatch(block)),
        f"network {name} {{",
        *([f'title "{title}"'] if title else []),
        *given(found, headers),
        f"table {table}",
        *(f"{clause} {body}" for clause, body in defined if clause in {"default", "repeat"}),
        *([f"read {rules(texts)}"] if texts else []),
        *(f"{clause} = {body}" for clause, body in defined if clause.startswith("output ")),
        "}",
    ]
    return "\n".join(lines) + "\n"


def headers_of(found: Found) -> list[str]:
    return [cell.text.casefold() for cell in found.rows[0].cells]


def seems_in_steps(found: Found) -> bool:
    """Whether most steps of a table are operators of the language, with arrows between them."""
    place = headers_of(found).index(OPERATOR)
    steps = [step for row in found.rows[1:] for step in said(row, place).split("->")]
    known = [step for step in steps if (name := NAME.match(step)) is not None and name[1] in BUILT_IN]
    return len(steps) >= len(found.rows) and 2 * len(known) > len(steps)


def origins(text: str, found: Found) -> Iterator[tuple[Span, Span]]:
    """The steps in the rules of a text, and the cells that say them."""
    source, place = Source(PASTED, text), headers_of(found).index(OPERATOR)
    for row in found.rows[1:]:
        steps = said(row, place)
        start = text.find(f'" = {steps}\n', text.rfind("\nread "))
        if start >= 0:
            yield Span(source, start + 4, start + 4 + len(steps)), row.cells[place].span


def given(found: Found, headers: Sequence[str]) -> Iterator[str]:
    """The `input` clause of a network that is given a vector, or a map that a cell alone does not state.

    Every other map is what the first Input cell says.
    """
    if INPUT in headers:
        sides = TIMES.split(found.rows[1].cells[headers.index(INPUT)].text.strip())
        decimal = all(side.isdecimal() and len(side) < LONG for side in sides)
        if decimal and (len(sides) == 1 or channels_first(tuple(map(int, sides)))):
            yield f"input {' x '.join(sides)}"


def rules(texts: Sequence[str] | dict[str, None]) -> str:
    """A rule for each of the texts: it means what it says."""
    return "\n".join(f'"{text.replace("->", ARROW)}" = {text}' for text in texts)


def said(row: Row, place: int) -> str:
    """What a cell says, as the language writes it."""
    text = shown(cells.normalize(row.cells[place].text))
    text = re.sub(r"(?<=[0-9]) ?× ?(?=[0-9])", "x", text).replace(" × ", " x ")
    return text.replace(ARROW, "->")
