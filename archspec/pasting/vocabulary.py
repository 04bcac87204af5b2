"""The words of papers in `vocabulary.toml` -> what a header may mean, and what an operator cell says.

A header belongs to groups of names with one meaning. A cell and a pattern of a `read` rule say the same if they have
the same operators, the same size, and the same further words.
"""

import re
import tomllib
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from archspec.tables import patterns
from archspec.tables.cells import MISSING, TICKS, normalize
from archspec.tables.markup import in_ascii

FILE = Path(__file__).with_name("vocabulary.toml")
Words = tuple[str, ...]
UNIT = re.compile(r"[(\[]\s*(?:[x×/]?\s*(10\s*\^?\s*[0-9³⁶⁹]+)|([KkMGBT]))\s*[)\]]|/\s*(10\s*\^?\s*[0-9³⁶⁹]+)")
"""The unit of all numbers below a header: `Params (M)`."""
NUMBER = re.compile(
    r"[×x/]?\s*[0-9][0-9.,_]*\s*[KMGBTk]?\s*[×x]?\s*[*†‡§]*|[0-9]+\s*[×x*,]\s*[0-9]+|\([0-9]+,\s*[0-9]+\)"
)
SIDES = re.compile(r"[0-9]+")
PIECE = re.compile(r"[0-9]+(?:\.[0-9]+)?|[^\W\d_]+")
MARKED_PIECE = re.compile(rf"{PIECE.pattern}|[^\w\s]")
FILLERS = frozenset({",", "(", ")", "-", "–", "_", ".", ":", ";", "/", "layer", "layers", "block", "op"})
TRUTHS = frozenset({"0", "1", "Y", "N", "y", "n", "✔️"})
"""What stands for yes and no, too; the language has it otherwise, and says so."""
LARGE = 15
"""No kernel is so large, and every image is larger."""


class Group(Struct, frozen=True):
    """Names of columns that mean one thing, and what stands in their cells."""

    cells: str
    names: dict[Words, int]
    """each with its place: the first are preferred"""

    def place(self, header: Words) -> int | None:
        """Where a header stands among the names, alone or as two of them: `stride s`."""
        if header in self.names:
            return self.names[header]
        pairs = [(header[:cut], header[cut:]) for cut in range(1, len(header))]
        return next((self.names[a] for a, b in pairs if a in self.names and b in self.names), None)


class Saying(Struct, frozen=True):
    """What an operator cell or a pattern says: its operators and other words, and its size."""

    words: tuple[patterns.Token, ...]
    size: tuple[patterns.Token, ...]


@cache
def groups() -> dict[str, Group]:
    """The groups of columns by their names."""
    return {
        name: Group(group["cells"], {words(text): place for place, text in reversed(list(enumerate(group["names"])))})
        for name, group in vocabulary()["columns"].items()
    }


@cache
def phrases() -> dict[Words, str]:
    """The phrases that mean an operator."""
    return {phrase(text): name for name, texts in vocabulary()["operators"].items() for text in texts}


@cache
def built() -> dict[str, Sequence[str]]:
    """The steps that the rule of one operator may have; the first is the one that it must have."""
    return dict(vocabulary()["built"])


@cache
def footers() -> dict[Words, str]:
    """The names of rows of totals, and what their numbers count."""
    return {words(text): what for what, texts in vocabulary()["footers"].items() for text in texts}


@cache
def named() -> dict[str, Sequence[str]]:
    """The phrases that name an operator or another part of a row."""
    return {**vocabulary()["operators"], **vocabulary()["parts"]}


@cache
def shown(name: str) -> frozenset[str]:
    """The operators and blocks one of which a row has that has what is named."""
    return frozenset(vocabulary()["shown"].get(name, [name]))


@cache
def class_names() -> frozenset[Words]:
    """What stands for the classes among the channels."""
    return frozenset(words(text) for text in vocabulary()["classes"]["names"])


@cache
def vocabulary() -> dict[str, dict[str, Any]]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@lru_cache(maxsize=1024)
def words(text: str) -> Words:
    """The words and numbers of a header, without case, marks and units."""
    plain = in_ascii(UNIT.sub(" ", normalize(text))).replace("_", " ")
    return tuple(PIECE.findall(plain.casefold()))


def phrase(text: str) -> Words:
    """The tokens of a phrase, as those of a cell are."""
    return tuple(MARKED_PIECE.findall(text.casefold()))


def groups_of(header: str) -> dict[str, int]:
    """The groups that a header may belong to, and its place in each."""
    said = words(header)
    return {name: place for name, group in groups().items() if (place := group.place(said)) is not None}


def fits(kind: str, cells: Sequence[str]) -> bool:
    """Whether the cells of a column are of the kind that a group has."""
    said = [text for text in cells if text not in MISSING]
    if not said or kind == "any":
        return kind == "any"
    if kind == "truth":
        return all(text in TICKS or text in TRUTHS for text in said)
    largest = max((int(side) for text in said for side in SIDES.findall(text[:80]) if len(side) < 9), default=0)
    numbers = sum(NUMBER.fullmatch(text) is not None for text in said)
    if kind == "number":
        return 2 * numbers > len(said)
    if kind == "shape":
        sized = sum(re.search(r"[0-9)²]\s*[×x*,]\s*[0-9(]|²|\^2", text) is not None for text in said)
        return 2 * sized >= len(said) and largest > LARGE
    return 2 * sum(re.search("[A-Za-z]{2}", text) is not None for text in said) > len(said)


@lru_cache(maxsize=1024)
def saying(rule: str, text: str) -> Saying:
    """What an `operator_cell` or a `pattern` says."""
    given = list(patterns.bare_sizes(rule, text))
    joints = [i for i, token in enumerate(given) if token.text == "×" and 0 < i < len(given) - 1]
    at = [i for i in joints if patterns.is_size(given[i - 1]) and patterns.is_size(given[i + 1])]
    size: tuple[patterns.Token, ...] = ()
    if len(at) == 1 and "[" not in text:
        size = (given[at[0] - 1], given[at[0] + 1])
        prefixed = at[0] > 1 and given[at[0] - 2].text.casefold() in {"k", "kernel"}
        del given[at[0] - 1 - prefixed : at[0] + 2]
    said: list[patterns.Token] = []
    while given:
        length, name = next(
            (
                (count, phrases()[key])
                for count in range(min(len(given), 6), 0, -1)
                if (key := tuple(token.text.casefold() for token in given[:count])) in phrases()
            ),
            (1, given[0].text.casefold()),
        )
        if given[0].hole is not None or name not in FILLERS:
            said.append(patterns.Token(name, given[0].start, given[length - 1].end, given[0].hole))
        del given[:length]
    return Saying(tuple(said), size)
