"""Mutations that know what a spec is made of: words, numbers, lines and cells, its own and those of other texts."""

import random
import re
from collections.abc import Callable
from functools import cache

from archspec.highlight import functions, keywords
from archspec.ops import WORDS
from fuzz.targets import CORPUS

WORD = re.compile(r"[A-Za-z_]+|[0-9]+|[^\sA-Za-z0-9]|\s+")
LONGEST = 6000
MARKS = (
    "->", "|", "(", ")", "{", "}", "@", "=", ",", ":", '"', "'", "#", "*", "**", "//", "%", "x", "×", "²", "^2", "-",
    "–", "\n", "\r\n", "\r", "\t", "\u2028", "\ufeff", "\0", "😀", "e\u0301", "{f}", "$", "\\", "&", "\\\\",
    "\\hline",
    "\\multirow{2}{*}{", "\\begin{tabular}{ll}", "\\end{tabular}", "<td>", "</td>", "<table>", "<sup>", "&times;", "¦",
    "|---|---|", "±", "10^9", "K", "M", "0", "1", "2", "3", "007", "1e9", ".5", "99999999999999999999", "h", "w",
)  # fmt: skip


@cache
def texts() -> tuple[str, ...]:
    """All texts of the corpus."""
    files = sorted(path for path in CORPUS.rglob("*") if path.is_file())
    return tuple(path.read_bytes().decode("utf-8", "replace") for path in files)


@cache
def dictionary() -> tuple[str, ...]:
    return (*keywords(), *functions(), *sorted(WORDS), *MARKS)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Another text, near this one."""
    text = data.decode("utf-8", "replace")
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        text = rng.choice(MUTATIONS)(text, rng)
    return text[:LONGEST].encode("utf-8", "replace")


def word(text: str, rng: random.Random) -> str:
    """A word replaced by one of the language, or left out, or doubled."""
    found = list(WORD.finditer(text))
    if not found:
        return rng.choice(dictionary())
    match = rng.choice(found)
    new = rng.choice((rng.choice(dictionary()), rng.choice(dictionary()), "", match[0] * 2))
    return text[: match.start()] + new + text[match.end() :]


def number(text: str, rng: random.Random) -> str:
    """A number made another one."""
    found = list(re.finditer(r"[0-9]+", text))
    if not found:
        return text
    match = rng.choice(found)
    value = int(match[0][:30])
    new = rng.choice((value + 1, value - 1, value * 2, value // 2, 0, 1, 2, rng.randrange(300), 10**9))
    return text[: match.start()] + str(new) + text[match.end() :]


def line(text: str, rng: random.Random) -> str:
    """A line left out, doubled, moved, or taken from another text."""
    lines = text.split("\n")
    place = rng.randrange(len(lines))
    match rng.randrange(4):
        case 0:
            del lines[place]
        case 1:
            lines.insert(place, lines[place])
        case 2:
            lines.insert(rng.randrange(len(lines)), lines.pop(place))
        case _:
            other = rng.choice(texts()).split("\n")
            start = rng.randrange(len(other))
            lines[place:place] = other[start : start + rng.randrange(1, 6)]
    return "\n".join(lines)


def cell(text: str, rng: random.Random) -> str:
    """The cell of a table replaced by another, of this text or of another one."""
    mark = rng.choice("|&\t,")
    parts = text.split(mark)
    others = rng.choice((text, rng.choice(texts()))).split(mark)
    parts[rng.randrange(len(parts))] = rng.choice(others)
    return mark.join(parts)


def wrapped(text: str, rng: random.Random) -> str:
    """A word in parentheses, many times over."""
    found = list(re.finditer(r"[A-Za-z_0-9]+", text))
    if not found:
        return text
    match, count = rng.choice(found), rng.choice((1, 2, 30, 200))
    return f"{text[: match.start()]}{'(' * count}{match[0]}{')' * count}{text[match.end() :]}"


MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (word, word, number, number, line, cell, cell, wrapped)
