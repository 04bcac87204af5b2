"""A `Diagnostic` -> text with the source line and a caret, or a JSON object for tools."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from archspec.diagnostics import ASKED, Diagnostic, Edit, Label, Severity
from archspec.printable import printable, width
from archspec.source import Span

Style = Callable[[str, str], str]
"""Paints a text; the second argument names its part: `error`, `warning`, `place`, `help`, `label`."""
WIDEST = 120
"""Columns of a source line that are shown around its labels."""


def plain(text: str, part: str) -> str:
    return text


def text_of(diagnostic: Diagnostic, style: Style = plain) -> str:
    """The diagnostic as a person reads it: the fact, the place, the line with its caret, advice."""
    severity = diagnostic.severity.value
    head = f"{severity}[{diagnostic.code}]"
    lines = [f"{style(head, severity)}: {style(printable(diagnostic.message), 'message')}"]
    labels = labels_of(diagnostic)
    gutter = max(len(str(line_of(label.span))) for label in labels)
    lines.append(f"{' ' * gutter}{style('-->', 'place')} {printable(str(diagnostic.site))}")
    previous: str | None = diagnostic.site.source.name
    for source, group in groupby(labels, key=lambda label: label.span.source.name):
        here = sorted(group, key=lambda label: (label.span.start, label.span.end))
        if source != previous:
            lines.append(f"{' ' * gutter}{style(':::', 'place')} {printable(str(here[0].span))}")
        previous = source
        lines += snippet(here, diagnostic, gutter, style)
    lines += notes(diagnostic, gutter, style)
    return "\n".join(lines)


def labels_of(diagnostic: Diagnostic) -> list[Label]:
    """The labels, first the place where the reader can mend it, then by file; with what the first suggestion says."""
    advised = diagnostic.suggestions[0].labels if diagnostic.suggestions else ()
    places = {label.span for label in advised}
    labels = [*advised, *(label for label in diagnostic.labels if label.span not in places)]
    if diagnostic.site != diagnostic.primary:
        labels = [Label(diagnostic.site, ASKED), *(label for label in labels if label != Label(diagnostic.site, ASKED))]
    files = list(dict.fromkeys(label.span.source.name for label in labels))
    return sorted(labels, key=lambda label: files.index(label.span.source.name))


def line_of(span: Span) -> int:
    return span.source.position(span.start)[0]


def snippet(labels: list[Label], diagnostic: Diagnostic, gutter: int, style: Style) -> Iterator[str]:
    """The lines that the labels are on, each label under its place."""
    bar = style("|", "place")
    yield f"{' ' * gutter} {bar}"
    previous = None
    for number, group in groupby(labels, key=lambda label: line_of(label.span)):
        here = list(group)
        source = here[0].span.source
        if previous is not None and number > previous + 1:
            yield (
                f"{' ' * gutter} {bar} …"
                if number > previous + 2
                else line_text(between := source.line(previous + 1), previous + 1, gutter, bar, around(between, 0))
            )
        previous = number
        text, part = source.line(number), range(0)
        for label in here:
            start = label.span.start - source.line_starts[number - 1]
            if not part.start <= start < part.stop or not part:
                # labels that are far from each other have parts of the line of their own
                part = around(text, start)
                yield line_text(text, number, gutter, bar, part)
            yield f"{' ' * gutter} {bar} {underline(label, text, number, part, diagnostic, style)}".rstrip()


def around(text: str, place: int) -> range:
    """The part of a line that is shown for a place in it: as much as `WIDEST` columns hold, half of them before it."""
    if len(text) <= WIDEST and width(text) <= WIDEST:
        return range(len(text) + 1)
    start, room = place, WIDEST // 2
    while start > 0 and (room := room - width(text[start - 1])) >= 0:
        start -= 1
    stop, room = start, WIDEST
    while stop < len(text) and (room := room - width(text[stop])) >= 0:
        stop += 1
    return range(start, max(stop, place + 1))


def line_text(text: str, number: int, gutter: int, bar: str, part: range) -> str:
    shown = printable(text[part.start : part.stop])
    before, after = "…" if part.start else "", "…" if len(text) > part.stop else ""
    return f"{number:>{gutter}} {bar} {before}{shown}{after}".rstrip()


def underline(label: Label, text: str, number: int, part: range, diagnostic: Diagnostic, style: Style) -> str:
    """Carets under the place itself, dashes under what belongs to it."""
    cut = part.start
    start = label.span.start - label.span.source.line_starts[number - 1]
    stop = min(start + label.span.end - label.span.start, len(text), part.stop)
    column = width(text[cut:start]) + bool(cut)
    length = max(1, width(text[start:stop]))
    main = label.span in {diagnostic.primary, diagnostic.site}
    mark = ("^" if main else "-") * length
    words = f"{mark} {printable(label.text)}" if label.text else mark
    return " " * column + style(words, diagnostic.severity.value if main else "label")


def notes(diagnostic: Diagnostic, gutter: int, style: Style) -> Iterator[str]:
    """The instantiation stack and the advice."""
    equals = style("=", "place")
    if diagnostic.stack:
        stack = " → ".join(frame.label for frame in diagnostic.stack[-6:])
        yield f"{' ' * gutter} {equals} in {printable(stack)}"
    for advice in diagnostic.helps:
        yield f"{' ' * gutter} {equals} {style('help', 'help')}: {printable(advice)}"
    for number, suggestion in enumerate(diagnostic.suggestions):
        here = suggestion.edits[0].span == diagnostic.site and not number
        text = f"{'or ' if number else ''}{suggestion.text if here else suggestion.elsewhere}"
        yield f"{' ' * gutter} {equals} {style('help', 'help')}: {printable(text)}"


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    counts = [(severities.count(severity), severity.value) for severity in Severity]
    return ", ".join(f"{count} {name}{'s' * (count > 1)}" for count, name in counts if count) or "no errors"


def json_of(diagnostic: Diagnostic) -> dict[str, Any]:
    """The diagnostic as a tool reads it; lines and columns count from 1, bytes from 0, ends are exclusive."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        **place_of(diagnostic.site),
        "labels": [{**place_of(label.span), "text": label.text} for label in labels_of(diagnostic)],
        "help": "; ".join(diagnostic.helps) or None,
        "edits": edits_of(diagnostic.edits),
        "suggestions": [{"text": s.elsewhere, "edits": edits_of(s.edits)} for s in diagnostic.suggestions],
        "stack": [{**place_of(frame.span), "label": frame.label} for frame in diagnostic.stack],
    }


def edits_of(edits: Iterable[Edit]) -> list[dict[str, Any]]:
    return [{**place_of(edit.span), "text": edit.text} for edit in edits]


def place_of(span: Span) -> dict[str, Any]:
    source = span.source
    line, column = source.position(span.start)
    end_line, end_column = source.position(span.end)
    return {
        "file": source.name,
        "line": line, "column": column, "byte": source.byte(span.start),
        "end_line": end_line, "end_column": end_column, "end_byte": source.byte(span.end),
    }  # fmt: skip
