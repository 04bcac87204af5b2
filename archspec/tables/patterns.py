"""The patterns of `read` rules, matched token by token: a hole takes exactly one.

Tokens are numbers, words and single marks, so `conv3-64` is `conv` `3` `-` `64`; blanks between them carry no meaning.
Of two patterns that match a cell, the one with more letters of its own is the more specific.
"""

from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

from archspec.syntax import cell_tokens
from archspec.tables.cells import normalize

SUPERSCRIPTS = {"²": "2", "³": "3"}


class Token(Struct, frozen=True):
    """A piece of an operator cell or a pattern; `start` and `end` count within it."""

    text: str
    start: int
    end: int
    hole: str | None = None


class Match(Struct, frozen=True):
    """What the holes took, and how many letters were the pattern's own."""

    holes: dict[str, Token]
    specificity: int


@lru_cache(maxsize=4096)
def tokens(rule: str, text: str) -> tuple[Token, ...]:
    """The tokens of an `operator_cell` or a `pattern`; × however it is written."""
    found: list[Token] = []
    for kind, word, start, end in cell_tokens(rule, normalize(text)):
        if kind == "HOLE":
            found.append(Token(word, start, end, word[1:-1]))
        elif word in SUPERSCRIPTS:
            found += [Token("^", start, end), Token(SUPERSCRIPTS[word], start, end)]
        else:
            found.append(Token("×" if word in {"x", "X"} else word, start, end))
    return tuple(found)


def holes(pattern: str) -> set[str]:
    return {token.hole for token in tokens("pattern", pattern) if token.hole}


@lru_cache(maxsize=4096)
def match(pattern: str, text: str) -> Match | None:
    """How a pattern matches a whole cell; a hole that stands twice takes the same text twice."""
    wanted, given = tokens("pattern", pattern), tokens("operator_cell", text)
    if len(wanted) != len(given):
        return None
    return match_tokens(wanted, given)


def match_tokens(wanted: Sequence[Token], given: Sequence[Token]) -> Match | None:
    taken: dict[str, Token] = {}
    specificity = 0
    for expected, found in zip(wanted, given, strict=True):
        if expected.hole is None:
            if expected.text != found.text:
                return None
            specificity += len(found.text)
        elif taken.setdefault(expected.hole, found).text != found.text:
            return None
    return Match(taken, specificity)


def same_text(a: str, b: str) -> bool:
    """Whether two headers are the same but for blanks, case and the way × is written."""
    return key(a) == key(b)


@lru_cache(maxsize=1024)
def key(text: str) -> tuple[str, ...]:
    return tuple(token.text.casefold() for token in tokens("operator_cell", text))
