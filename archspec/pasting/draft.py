"""A table with rows that no reading takes -> a spec to fill in, which nobody can take for a network.

It is what the nearest reading makes of the table, or the table alone, and a rule for each kind of row that is left.
Each of these rules asks for a block that there is not.
"""

from collections.abc import Iterator, Sequence

from archspec import driver
from archspec.pasting.attempt import Attempt, body, rows_read, unread_operators
from archspec.pasting.columns import CLAIMS, called, default_meaning_of
from archspec.pasting.recognise import Pasted, operators_in, pattern_of, quotable, recognised, tables_of
from archspec.pasting.rules import Reworded
from archspec.pasting.tables import Found
from archspec.pasting.vocabulary import fits, groups, groups_of

OPEN = "fill_in"
"""The block that there is not."""
COMMENT = f"""# A draft: replace each `{OPEN}` by what such a row is, for example `conv(3, c, s) -> bn -> relu`.
# A name in braces stands for a number of the cell; the other columns are variables of their names.
"""


def drafted(tables: Sequence[Found], reading: str | None, name: str | None, title: str | None) -> Pasted | None:
    """The spec to fill in; None where every row is read, so that something else is wrong. Raises `SpecError`."""
    first, found, _ = recognised(tables_of(tables)[0], reading, name, title)
    near = reading is not None or rows_read(first) > 0
    cells = [cell.shown for cell in (unread_operators(first) if near else operators_in(found))]
    kinds = dict.fromkeys(pattern_of(cell, cells) for cell in cells if not set('"{}') & set(cell))
    if not kinds or not first.errors:
        return None
    rules = [Reworded(kind, f'"{kind}" = {OPEN}') for kind in kinds]
    first.rules += rules
    text = first.text if near else "\n".join(alone(first, found, rules)) + "\n"
    text = driver.format_text(text.replace("\nnetwork ", f"\n{COMMENT}network ", 1))
    count = f"{len(kinds)} kinds of rows" if len(kinds) > 1 else "one kind of row"
    return Pasted(text, found, "a draft", (), (f"Replace each `{OPEN}`: it stands for {count}.",))


def alone(attempt: Attempt, found: Found, rules: Sequence[Reworded]) -> Iterator[str]:
    """The lines of a network with the table and rules of its own."""
    yield "arch 1"
    yield f"network {attempt.name} {{"
    if attempt.title:
        yield f'title "{quotable(attempt.title)}"'
    if stated := list(meanings(found)):
        yield f"columns {', '.join(stated)}"
    yield f"table {body(attempt.rows)}"
    yield "read " + "\n".join(rule.text for rule in rules)
    yield "}"


def meanings(found: Found) -> Iterator[str]:
    """What the columns of a table mean whose headers do not say it by themselves, as far as a table alone tells."""
    operators = {cell.span for cell in operators_in(found)}
    taken = set[str]()
    for i, header in enumerate(found.rows[0].cells):
        texts = [row.cells[i].shown for row in found.rows[1:]]
        role = next((r for r in CLAIMS if r in groups_of(header.shown) and fits(groups()[r].cells, texts)), "")
        role = "operator" if any(row.cells[i].span in operators for row in found.rows[1:]) else role
        if role and role not in taken and default_meaning_of(header.shown) != role and called(header.shown):
            yield f"{called(header.shown)}: {role}"
        taken.add(role)
