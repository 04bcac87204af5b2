"""A text that stands in or beside a pasted table -> the parts of a network that it names, and what it says otherwise.

The words are those of `vocabulary.toml`, and all the names of layers that other programs have (`foreign.toml`). A
negation without an object that is known, and a word of change, say something that nothing can be compared with.
"""

import re
from collections.abc import Sequence
from functools import cache

from msgspec import Struct

from archspec.foreign import meaning
from archspec.pasting.vocabulary import named, vocabulary

TOKEN = re.compile(r"[a-z0-9_]+")
LONGEST = 6
"""No name has more words."""


class Naming(Struct, frozen=True):
    """What a text names."""

    parts: tuple[tuple[str, bool], ...]
    """the name of each part, and whether it is said to be there"""
    changes: tuple[str, ...]
    """what is said to be otherwise, and names no part"""


def names_in(text: str) -> Sequence[tuple[str, bool]]:
    """What a text names, and whether it is said to be there."""
    return naming(text).parts


def naming(text: str) -> Naming:
    """What a text names and says to be otherwise."""
    tokens = TOKEN.findall(text.casefold().replace("w/o", "without").replace("nbn", "no bn"))
    parts: list[tuple[str, bool]] = []
    changes: list[str] = []
    place, negated = 0, None
    while place < len(tokens):
        name, length = part_at(tokens[place : place + LONGEST])
        if name:
            parts.append((name, negated is None))
            negated = None
        elif tokens[place] in changing():
            changes.append(tokens[place])
        elif tokens[place] in negations():
            negated = place if negated is None else negated
        place += length
    if negated is not None:
        changes.append(" ".join(tokens[negated : negated + LONGEST]))
    return Naming(tuple(parts), tuple(changes))


def part_at(tokens: Sequence[str]) -> tuple[str, int]:
    """The part that the first of some words name, and how many they are; empty and 1 where they name none."""
    lengths = range(len(tokens), 0, -1)
    ours = ((phrases()[tuple(tokens[:n])], n) for n in lengths if tuple(tokens[:n]) in phrases())
    theirs = ((name, n) for n in lengths if (name := foreign("".join(tokens[:n]))))
    return next(ours, None) or next(theirs, None) or ("", 1)


@cache
def foreign(word: str) -> str:
    """What another program's name of a layer is here; the name itself where archspec has no such layer."""
    found = None if word in ordinary() or len(word) < 3 else meaning("step", word)
    if found is None:
        return ""
    return (found.name or "") if found.write else word


@cache
def phrases() -> dict[tuple[str, ...], str]:
    """The phrases that name a part of a network."""
    return {tuple(TOKEN.findall(text)): name for name, texts in named().items() for text in texts}


@cache
def negations() -> frozenset[str]:
    return frozenset(vocabulary()["said"]["negations"])


@cache
def changing() -> frozenset[str]:
    return frozenset(vocabulary()["said"]["changes"])


@cache
def ordinary() -> frozenset[str]:
    """Names of layers that are words of any sentence, too."""
    return frozenset(vocabulary()["said"]["ordinary"])
