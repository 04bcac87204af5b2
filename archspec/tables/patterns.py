"""The patterns of `read` rules, matched token by token: a hole takes exactly one.

Tokens are numbers, words and single marks, so `conv3-64` is `conv` `3` `-` `64`; blanks between them carry no meaning.
Of two patterns that match a cell, the one with more letters of its own is the more specific. Sizes are one and the same
however they are printed: `3×3`, `3 x 3`, `3*3`, `(3×3)`, `(3, 3)`; and `->` is `→`.
"""

from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

from archspec.syntax import cell_tokens
from archspec.tables.cells import normalize

SUPERSCRIPTS = {"²": "2", "³": "3"}
TIMES = frozenset({"x", "X", "*"})
LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
"""Letters that a printer set as one, as PDFs hold them."""


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
    """The tokens of an `operator_cell` or a `pattern`; × and → however they are written."""
    found: list[Token] = []
    for kind, printed, start, end in cell_tokens(rule, normalize(text)):
        word = printed.translate(LIGATURES)
        if kind == "HOLE":
            found.append(Token(word, start, end, word[1:-1]))
        elif word in SUPERSCRIPTS:
            found += [Token("^", start, end), Token(SUPERSCRIPTS[word], start, end)]
        elif len(word) > 1 and word[0] in TIMES and found and found[-1].end == start and is_size(found[-1]):
            found += [Token("×", start, start + 1), Token(word[1:], start + 1, end)]  # `16xk` is 16×k
        elif word == ">" and found and found[-1].text == "-" and found[-1].end == start:
            found[-1] = Token("→", found[-1].start, end)
        else:
            found.append(Token("×" if word in TIMES else word, start, end))
    return tuple(found)


def is_size(token: Token) -> bool:
    """Whether a token is a number, or the hole for one."""
    return token.hole is not None or token.text[:1].isdigit()


@lru_cache(maxsize=4096)
def bare_sizes(rule: str, text: str) -> tuple[Token, ...]:
    """The tokens of a text, its sizes without their parentheses: `(3×3)` is `3×3`, and in a cell `(3, 3)` is, too.

    The comma of a pattern is its own: `({a}, {b})` may be something else than a size.
    """
    given = tokens(rule, text)
    joints = frozenset({"×", ","} if rule == "operator_cell" else {"×"})
    found: list[Token] = []
    place = 0
    while place < len(given):
        end = size_end(given, place, joints)
        if end == place:
            found.append(given[place])
        else:
            found += [Token("×", t.start, t.end) if t.text == "," else t for t in given[place + 1 : end - 1]]
        place = max(end, place + 1)
    return tuple(found)


def size_end(given: Sequence[Token], place: int, joints: frozenset[str]) -> int:
    """The place behind the size in parentheses that begins at a place; the place itself where none does."""
    end = place + 1
    while end + 1 < len(given) and given[place].text == "(" and is_size(given[end]):
        if given[end + 1].text == ")":
            return end + 2 if end > place + 1 else place
        if given[end + 1].text not in joints or thousands(*given[end : end + 3]):
            return place
        end += 2
    return place


def thousands(number: Token, mark: Token, digits: Token | None = None) -> bool:
    """Whether a comma stands within a number: `1,024`."""
    tight = digits is not None and number.end == mark.start and mark.end == digits.start
    return mark.text == "," and tight and digits is not None and len(digits.text) == 3


def holes(pattern: str) -> set[str]:
    return {token.hole for token in tokens("pattern", pattern) if token.hole}


def own(pattern: str) -> frozenset[str]:
    """The pieces of a pattern that stand in every cell that it matches."""
    return frozenset(token.text for token in bare_sizes("pattern", pattern) if token.hole is None)


def said(text: str) -> set[str]:
    """The pieces of an operator cell, by which patterns can match it."""
    return {token.text for form in (tokens, bare_sizes) for token in form("operator_cell", text)}


@lru_cache(maxsize=4096)
def match(pattern: str, text: str) -> Match | None:
    """How a pattern matches a whole cell, as it is printed or else by its sizes.

    A hole that stands twice takes the same text twice.
    """
    found = match_tokens(tokens("pattern", pattern), tokens("operator_cell", text))
    return found or match_tokens(bare_sizes("pattern", pattern), bare_sizes("operator_cell", text))


def match_tokens(wanted: Sequence[Token], given: Sequence[Token]) -> Match | None:
    if len(wanted) != len(given):
        return None
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
    """Whether two headers are the same, whatever their blanks, their case and the sign for ×."""
    return key(a) == key(b)


@lru_cache(maxsize=1024)
def key(text: str) -> tuple[str, ...]:
    return tuple(token.text.casefold() for token in tokens("operator_cell", text))
