"""Text from a spec, made safe to show: a terminal must not obey what it prints."""

import unicodedata

TAB = 4
HIDDEN = frozenset(
    "\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)


def shown(character: str) -> str:
    """A character as it is safe to print: controls and marks that steer direction or lines are spelled out."""
    if character == "\t":
        return " " * TAB
    if character in HIDDEN or unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"}:
        return f"<{ord(character):02X}>"
    return character


def printable(text: str) -> str:
    """A text that moves no cursor, rings no bell and breaks no line."""
    return text if text.isascii() and text.isprintable() else "".join(map(shown, text))


def width(text: str) -> int:
    """Columns that a text takes in a terminal, as `printable` shows it."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(character_width(character) for character in printable(text))


def character_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
