"""Changes that mend a mistake -> `Suggestion`: its text at the place of the mistake, and elsewhere."""

from collections.abc import Sequence

from archspec.diagnostics import Diagnostic, Edit, Label, Suggestion
from archspec.elaborate.changes import Change
from archspec.elaborate.claims import NumberClaim, ShapeClaim, interval
from archspec.tensor import shape_text

EXACT = 1e-4
"""Relative distance of a printed number's bounds, up to which other numbers are solved from it."""


def suggestion(error: Diagnostic, changes: Sequence[Change]) -> Suggestion:
    """The changes in words."""
    first, *others = changes
    edits = tuple(Edit(change.span, change.new) for change in changes)
    labels = tuple(Label(change.span, should(error, change)) for change in changes)
    shapes = isinstance(error, ShapeClaim)
    holds = "makes every shape hold" if shapes else "makes it hold"
    columns = {change.column for change in changes}
    if not others:
        text = f"{first.new} here instead of {first.old} {holds}"
        elsewhere = f"{first.new} instead of {first.old} in `{first.column}` of row {first.row} {holds}"
        return Suggestion(text, edits, labels, elsewhere)
    rows = sorted({change.row for change in changes})
    what = f"`{first.column}` of rows" if len(columns) == 1 else "rows"
    text = f"exchange {what} {rows[0]} and {rows[1]}: then {'every shape' if shapes else 'it'} holds"
    return Suggestion(text, edits, labels, text)


def should(error: Diagnostic, change: Change) -> str:
    """The label at the place of a change."""
    what = f"`{change.column}`" if change.whole else f"`{change.old}`"
    text = f"{what} should be {change.new or 'empty'}"
    if isinstance(error, ShapeClaim) and error.giver == f"row {change.row}" and change.cell.span != error.claim:
        return f"{text}: that gives {shape_text(error.printed)}, as {error.claimer} says"
    return text


def exact(error: Diagnostic) -> bool:
    """Whether a printed number is exact enough for others to be solved from it."""
    low, high = interval(error.claimed) if isinstance(error, NumberClaim) else (0.0, 1.0)
    return high - low <= EXACT * high
