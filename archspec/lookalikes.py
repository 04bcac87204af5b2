"""A character -> what Unicode calls it, and the ASCII that it looks like or stands for."""

import re
from collections.abc import Iterator
from unicodedata import category, decimal, decomposition, name, normalize

from archspec.printable import hidden

LETTERS = dict(
    zip(
        "асеорхуіјѕԁһԛԝѵкАВЕКМНОРСТУХІЈЅԚԜαονυικρχϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧօսıɡɑ",
        "aceopxyijsdhqwvkABEKMHOPCTYXIJSQWaovuikpxcjABEZHIKMNOPTYXouiga",
        strict=True,
    )
)
"""Letters of Cyrillic, Greek, Armenian and phonetics that are drawn as letters of ASCII are."""
SIGNS = {
    sign: meant
    for signs, meant in (
        ("“”„‟″", '"'), ("‘’‚‛′", "'"), ("−–—‐‑‒―", "-"), ("→⟶➔➝⇒", "->"), ("✕✖⨯", "x"), ("·⋅∙•∗", "*"), ("÷∕⁄", "/"),
        ("≤⩽", "<="), ("≥⩾", ">="), ("≠", "!="), ("∣¦", "|"), ("、", ","), ("۔", "."),
    )
    for sign in signs
}  # fmt: skip
RAISED = ("<super>", "<sub>")
WORD, ASCII = re.compile(r"[^\W\d_]+"), re.compile("[A-Za-z]")
SHOWN = 200
"""Characters of a place that are looked at."""


def called(character: str) -> str:
    """`о` (U+043E CYRILLIC SMALL LETTER O); what cannot be seen, by its code point alone."""
    point = f"U+{ord(character):04X} {name(character, '')}".rstrip()
    return f"`{character}` ({point})" if character.isprintable() and not hidden(character) else point


def lookalike(character: str) -> str | None:
    """The ASCII that a character looks like, empty for what cannot be seen; None where it looks like nothing else."""
    if character.isascii():
        return "" if hidden(character) and not character.isspace() else None
    if character.isspace() or category(character) == "Zs":
        return " "
    if character in LETTERS or character in SIGNS:
        return LETTERS.get(character) or SIGNS[character]
    digit = decimal(character, None)
    if digit is not None:
        return str(digit)
    plain = normalize("NFKC", character)
    if plain.isascii() and plain.isprintable() and not decomposition(character).startswith(RAISED):
        return plain
    return "" if hidden(character) else None


def notes(text: str) -> Iterator[str]:
    """What a reader cannot see in a text: letters that look like their neighbours of ASCII, and what takes no room.

    A word that has no letter of ASCII is of another script: nothing is said of it unless all of it looks like ASCII.
    Greek letters alone are symbols, as papers write them.
    """
    shown = text[:SHOWN]
    if not shown.isascii():
        mixed = "".join(word for word in WORD.findall(shown) if ASCII.search(word) or disguised(word))
        strange = (c for c in shown if not c.isascii() and (hidden(c) or is_digit(c) or (c in LETTERS and c in mixed)))
        yield from map(note, dict.fromkeys(strange))


def disguised(word: str) -> bool:
    """Whether all letters of a word look like letters of ASCII, and none is Greek."""
    return LETTERS.keys() >= {*word} and not any(name(letter).startswith("GREEK") for letter in word)


def is_digit(character: str) -> bool:
    """Whether a character is a digit of another script, and not another form of 0 to 9."""
    return decimal(character, None) is not None and not decomposition(character)


def note(character: str) -> str:
    meant = (lookalike(character) or "").strip()
    return f"{called(character)} stands in it, " + (f"which is not `{meant}`" if meant else "which cannot be seen")
