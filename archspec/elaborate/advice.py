"""A change that mends a mistake -> `Suggestion`: what is said of it at its place, and elsewhere."""

from collections.abc import Sequence

from archspec.diagnostics import Diagnostic, Edit, Label, Suggestion
from archspec.elaborate.changes import Change
from archspec.elaborate.claims import NumberClaim, ShapeClaim, interval
from archspec.tensor import shape_text

EXACT = 1e-4
"""Of a printed number, how far its bounds may be apart for others to be solved for."""


def suggestion(error: Diagnostic, changes: Sequence[Change]) -> Suggestion:
    """A change in words."""
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
    """What is said at the place of a change."""
    what = f"`{change.column}`" if change.whole else f"`{change.old}`"
    text = f"{what} should be {change.new or 'empty'}"
    if isinstance(error, ShapeClaim) and error.giver == f"row {change.row}" and change.cell.span != error.claim:
        return f"{text}: that gives {shape_text(error.claimed)}, as {error.claimer} says"
    return text


def exact(error: Diagnostic) -> bool:
    """Whether it is about a printed number that is so exact that another can be computed of it."""
    low, high = interval(error.claimed) if isinstance(error, NumberClaim) else (0.0, 1.0)
    return high - low <= EXACT * high
