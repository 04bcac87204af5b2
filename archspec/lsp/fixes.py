"""A diagnostic -> the edits that mend it: its suggestions, and what its help amounts to."""

import re
from collections.abc import Iterator

from msgspec import Struct

from archspec import library
from archspec.diagnostics import Diagnostic, Edit
from archspec.elaborate.claims import StaleErratum
from archspec.elaborate.errors import UnknownFunction, UnknownName, UnknownOperator
from archspec.elaborate.unused_errors import Unused, UnusedColumn, UnusedNamed, UnusedParameter, UnusedTensor
from archspec.source import Span

MEANT = re.compile(r"did you mean `([^`]+)`\?|here it is `(\w+)`$")
"""Advice that amounts to another name; where more is said, the name alone would mean something else."""


class Fix(Struct, frozen=True):
    """A change that would mend it, and what it is called."""

    title: str
    edits: tuple[Edit, ...]


def fixes(diagnostic: Diagnostic) -> Iterator[Fix]:
    """The edits that the diagnostic states, and those that its help amounts to."""
    if diagnostic.suggestions:
        for suggestion in diagnostic.suggestions:
            yield Fix(suggestion.elsewhere, suggestion.edits)
    elif isinstance(diagnostic, StaleErratum):
        yield Fix("Delete this erratum", (Edit(diagnostic.primary, ""),))
    elif isinstance(diagnostic, Unused):
        yield from of_unused(diagnostic)
    else:
        match = MEANT.match(diagnostic.help or "")
        meant = match[1] or match[2] if match else None
        span = replaced(diagnostic, meant) if meant else None
        # the arguments by place of another program's layer mean something else here
        alone = span and re.fullmatch(r"\w+", span.text) and span.source.text[span.end : span.end + 1] != "("
        if match and meant and span and (match[1] or alone):
            yield Fix(f"Change to `{meant}`", (Edit(span, meant),))
    if isinstance(diagnostic, UnknownOperator | UnknownFunction | UnknownName):
        for path in library.declarations().get(diagnostic.name, ()):
            edit = use_edit(diagnostic.site, path)
            if edit:
                yield Fix(f'Use "{path}"', (edit,))


def of_unused(diagnostic: Unused) -> Iterator[Fix]:
    """Delete what nobody uses, or say that it is meant to be so."""
    match diagnostic:
        case UnusedParameter():
            yield Fix(f"Call it `_{diagnostic.name}`", diagnostic.renamed)
        case UnusedColumn():
            if diagnostic.noted is not None:
                yield Fix("Give it the role `note`", (diagnostic.noted,))
        case UnusedTensor():
            if diagnostic.whole != diagnostic.primary:
                yield Fix(f"Delete `as {diagnostic.name}`", (Edit(diagnostic.whole, ""),))
        case _:
            yield Fix("Delete it", (Edit(whole_lines(diagnostic.whole), ""),))
            if isinstance(diagnostic, UnusedNamed):
                yield Fix(f"Call it `_{diagnostic.name}`", (Edit(diagnostic.primary.part(0, 0), "_"),))


def whole_lines(span: Span) -> Span:
    """A span, with its lines where nothing else stands on them."""
    text = span.source.text
    start = len(text[: span.start].rstrip(" \t"))
    rest = REST_OF_LINE.match(text, span.end)
    alone = rest is not None and (start == 0 or text[start - 1] in "\r\n")
    return Span(span.source, start, rest.end()) if rest and alone else span


def replaced(diagnostic: Diagnostic, meant: str) -> Span | None:
    """The characters that stand for the name that was meant: those of the place, without quotes or `@`."""
    span, text = diagnostic.site, diagnostic.site.text
    if text[:1] in {'"', "'"}:
        return span.part(1, len(text) - 1)
    if meant.startswith("@") and span.source.text[span.start - 1 : span.start] == "@":
        return span.part(-1, len(text))
    return span if text and "\n" not in text and " " not in text else None


REST_OF_LINE = re.compile(r"[ \t]*(?:\r\n|\r|\n|\Z)")
EDITION = re.compile(r"\s*(?:#[^\r\n]*[\r\n]\s*)*arch[ \t]+1")
USE = re.compile(r"""^[ \t]*use[ \t]+(?:"[^"\r\n]*"|'[^'\r\n]*')""", re.MULTILINE)
REST = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?=[\r\n]|\Z)")
"""What may follow on the line without being parted from it."""


def use_edit(span: Span, path: str) -> Edit | None:
    """`use "path"` below the last `use` of the file that a span stands in, or else below its first line."""
    source = span.source
    edition = EDITION.match(source.text)
    if source.bundled or edition is None:
        return None
    above = [edition, *USE.finditer(source.text)][-1]
    rest = REST.match(source.text, above.end())
    at = rest.end() if rest else above.end()
    ending = "\r\n" if "\r\n" in source.text else "\n"
    return Edit(Span(source, at, at), f'{ending}use "{path}"')
