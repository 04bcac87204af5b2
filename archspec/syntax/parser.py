"""Text -> syntax tree, by what earlier runs remember or else by Lark, which is imported for it."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from archspec.diagnostics import Diagnostic, SpecError
from archspec.limits import DEFAULT_LIMITS, Limits
from archspec.source import Source, Span
from archspec.syntax import tree as t
from archspec.syntax.cache import kept_in, remembered
from archspec.syntax.errors import LimitReached
from archspec.syntax.mending import BEGINS, another_kind, strangers

if TYPE_CHECKING:
    from archspec.syntax.lalr import Tokens

ROUGH_TOKEN = re.compile(
    r"""["'][^"'\r\n]*["']|#[^\r\n]*|(?P<table>\btable\s*(?:["'][^"'\r\n]*["']\s*)?\{[^\r\n}]*(?=[\r\n]))"""
    r"|[A-Za-z0-9_.]+|[^\s]"
)
"""Near enough to count: a word, a mark, a text, a comment, the beginning of a table."""
TABLE_END = re.compile(r"[\r\n][ \t]*\}")
CELLS = 4096
"""Cells whose trees are at hand: a table is read again for every variant, and for every change that is tried out."""


def parse(source: Source, limits: Limits = DEFAULT_LIMITS) -> t.SpecFile:
    """The syntax tree of a file; raises `SpecError`."""
    check_length(source, limits)
    if wrong := strangers(source):
        raise SpecError(wrong)

    def parsed() -> t.SpecFile:
        from archspec.syntax.lalr import parsed_file

        return parsed_file(source, limits)

    # what is remembered is nested no deeper than the default allows
    usual = limits.nesting == DEFAULT_LIMITS.nesting
    return remembered("start", source, 0, source.text, parsed) if usual else parsed()


def parse_once(source: Source, limits: Limits) -> t.SpecFile:
    """The same of a text that is only tried, so that nothing of it is kept."""
    from archspec.syntax.lalr import parsed_file

    check_length(source, limits)
    return parsed_file(source, limits)


def check_length(source: Source, limits: Limits) -> None:
    """Raise `SpecError` where a text is so long that parsing it would take longer than anybody waits."""
    length = len(source.text)
    if length > limits.source:
        raise SpecError([too_long(source, f"{length} characters", limits.source, "--max-source")])
    if length > limits.tokens:
        tokens = words_and_marks(source.text)
        if tokens > limits.tokens:
            raise SpecError([too_long(source, f"{tokens} words and marks", limits.tokens, "--max-tokens")])


def words_and_marks(text: str) -> int:
    """How many there are outside of tables, in linear time; a table is one, whatever its form."""
    found, place, closed = 0, 0, True
    while token := ROUGH_TOKEN.search(text, place):
        found, place = found + 1, token.end()
        if token["table"] and closed:
            end = TABLE_END.search(text, place)
            place, closed = (end.end(), True) if end else (place, False)
    return found


def too_long(source: Source, found: str, limit: int, option: str) -> Diagnostic:
    """It is long, or a long file of another kind."""
    kind = None if BEGINS.match(source.text) else another_kind(source, 0)
    return kind or LimitReached(Span(source, 0, 0), "the text is too long", found, limit, option)


def parse_cell(rule: str, source: Source, start: int, text: str) -> Any:
    """A cell by the start rule of its column's role; `text` stands at `start` of the source. Raises `SpecError`."""
    return cell_at_hand(kept_in(), rule, source, start, text)


@lru_cache(maxsize=CELLS)
def cell_at_hand(kept_in: object, rule: str, source: Source, start: int, text: str) -> Any:
    def parsed() -> Any:
        from archspec.syntax.lalr import cell

        return cell(rule, source, start, text)

    return remembered(rule, source, start, text, parsed)


def parsed_cell(rule: str, source: Source, start: int, text: str) -> Any | None:
    """The same; None where the cell is something else, which costs less than the diagnostic that says so."""
    return cell_if_any_at_hand(kept_in(), rule, source, start, text)


@lru_cache(maxsize=CELLS)
def cell_if_any_at_hand(kept_in: object, rule: str, source: Source, start: int, text: str) -> Any | None:
    def parsed() -> Any | None:
        from archspec.syntax.lalr import cell_if_any

        return cell_if_any(rule, source, start, text)

    return remembered(f"{rule} or none", source, start, text, parsed)


@lru_cache(maxsize=CELLS)
def cell_tokens(rule: str, text: str) -> "Tokens":
    """The tokens of an operator cell or a pattern."""

    def parsed() -> "Tokens":
        from archspec.syntax.lalr import tokens

        return tokens(rule, text)

    return remembered(rule, Source("", text), 0, text, parsed)
