"""Text from a spec, made safe to show: a terminal must not obey what it prints."""

import unicodedata

TAB = 4
UNKNOWN = "\ufffd"
BLANKS = frozenset("\t\n\r\f")
UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
"""What takes no room or is a blank, and is in none of `STEERING`."""
STEERING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of controls, of marks that steer direction or have no width, of what no text has, of line ends."""
TAGS = range(0xE0100, 0xE01F0)
"""Selectors of variants, with which any text can be hidden behind a letter."""


def hidden(character: str) -> bool:
    """Whether a character steers what is around it, or cannot be seen."""
    return unicodedata.category(character) in STEERING or character in UNSEEN or ord(character) in TAGS


def spelled(character: str) -> str:
    """`<202E>`, by its code point."""
    return f"<{ord(character):02X}>"


def shown(character: str) -> str:
    """A character as it is safe to print."""
    if character == "\t":
        return " " * TAB
    return spelled(character) if hidden(character) else character


def printable(text: str) -> str:
    """A text that moves no cursor, rings no bell and breaks no line."""
    return text if text.isascii() and text.isprintable() else "".join(map(shown, text))


def visible(text: str) -> str:
    """A text of as many characters, in which what steers or cannot be seen is `�` or a blank; lines and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in BLANKS or not hidden(c) else " " if c.isspace() else UNKNOWN for c in text)


def holds(encoding: str, text: str) -> bool:
    """Whether an encoding has all characters of a text."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def encodable(text: str) -> str:
    """A text that UTF-8 can hold: of a file's name, the bytes that are not UTF-8 are spelled out, as `<DCFF>`."""
    return text if holds("utf-8", text) else "".join(c if holds("utf-8", c) else spelled(c) for c in text)


def width(text: str) -> int:
    """Columns that a text takes in a terminal, as `printable` shows it."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(character_width(character) for character in printable(text))


def character_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
