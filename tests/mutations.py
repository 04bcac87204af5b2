"""Small changes of the shipped specs, drawn from a seed: of one token, or of one cell of a table."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import archspec
from archspec.diagnostics import Diagnostic

SPECS = Path(__file__).parent.parent / "specs"
TOKEN = re.compile(r"""[A-Za-z_][A-Za-z0-9_]*|[0-9][0-9_.]*|"[^"\n]*"|'[^'\n]*'|->|\*\*|//|[<>=!]=|[^\sA-Za-z0-9_]""")
COMMENT = re.compile(r"#.*")
BARS = re.compile(r"\|")


@dataclass(frozen=True)
class Place:
    """A token or a cell: what a text has from `start` to `end`."""

    start: int
    end: int
    kind: str
    """what may stand there instead: of a cell its column, of a token word, number, text or mark"""


@dataclass(frozen=True)
class Mutation:
    """A spec of which one place says something else."""

    spec: str
    place: Place
    new: str
    what: str

    @property
    def original(self) -> str:
        return text_of(self.spec)

    @property
    def text(self) -> str:
        return self.original[: self.place.start] + self.new + self.original[self.place.end :]

    def __str__(self) -> str:
        line = self.original.count("\n", 0, self.place.start) + 1
        old = self.original[self.place.start : self.place.end]
        return f"{self.spec}:{line}: {self.what}: {old!r} as {self.new!r}"

    def found(self) -> list[Diagnostic]:
        """What `archspec check` says of it."""
        try:
            return archspec.parse(self.text, f"{self.spec}.arch").check_all()
        except archspec.SpecError as error:
            return list(error.diagnostics)


def text_of(spec: str) -> str:
    return (SPECS / f"{spec}.arch").read_text(encoding="utf-8")


def names() -> list[str]:
    return sorted(file.stem for file in SPECS.glob("*.arch"))


def mutations(seed: int, count: int) -> Iterator[Mutation]:
    """So many of them, tokens and cells in turn."""
    drawn = random.Random(seed)
    found = {spec: places(text_of(spec)) for spec in names()}
    specs = [spec for spec in found if found[spec][1]]
    for number in range(count):
        spec = drawn.choice(specs)
        tokens, cells = found[spec]
        yield mutation(drawn, spec, tokens) if number % 2 else mutation(drawn, spec, cells, of_cells=True)


def places(text: str) -> tuple[list[Place], list[Place]]:
    """The tokens outside of tables and comments, and the cells."""
    tokens: list[Place] = []
    cells: list[Place] = []
    start = 0
    for line in text.split("\n"):
        if line.strip().startswith("|"):
            if not re.fullmatch(r"[\s|:-]*", line):
                cells += cells_of(line, start)
        else:
            code = COMMENT.sub("", line)
            tokens += [Place(start + m.start(), start + m.end(), kind_of(m[0])) for m in TOKEN.finditer(code)]
        start += len(line) + 1
    return tokens, cells


def cells_of(line: str, start: int) -> Iterator[Place]:
    bars = [bar.start() for bar in BARS.finditer(line)]
    for column, (a, b) in enumerate(pairwise(bars)):
        cell = line[a + 1 : b]
        if cell.strip():
            begin = a + 1 + len(cell) - len(cell.lstrip())
            yield Place(start + begin, start + begin + len(cell.strip()), f"column {column}")


def kind_of(token: str) -> str:
    if token[0] in "\"'":
        return "text"
    return "number" if token[0].isdigit() else "word" if token[0].isalpha() or token[0] == "_" else "mark"


def mutation(drawn: random.Random, spec: str, places: list[Place], of_cells: bool = False) -> Mutation:
    """One place changed in one way; another is drawn where that would change nothing."""
    text = text_of(spec)
    ways = CELL_WAYS if of_cells else TOKEN_WAYS
    while True:
        place, other, what = drawn.choice(places), drawn.choice(places), drawn.choice(ways)
        old, alien = text[place.start : place.end], text[other.start : other.end]
        match what:
            case "deleted":
                new = ""
            case "doubled":
                new = f"{old} {old}"
            case "of the same kind" if other.kind == place.kind:
                new = alien
            case "of another kind" if other.kind != place.kind:
                new = alien
            case "a letter more":
                at = drawn.randrange(len(old))
                new = old[: at + 1] + old[at:]
            case "a letter less" if len(old) > 1:
                at = drawn.randrange(len(old))
                new = old[:at] + old[at + 1 :]
            case "letters exchanged" if len(old) > 1:
                at = drawn.randrange(len(old) - 1)
                new = old[:at] + old[at + 1] + old[at] + old[at + 2 :]
            case "another digit" if digits := [i for i, c in enumerate(old) if c in "0123456789"]:
                at = drawn.choice(digits)
                new = old[:at] + drawn.choice("0123456789") + old[at + 1 :]
            case "empty":
                new = "-"
            case _:
                continue
        if new != old:
            return Mutation(spec, place, new, what)


COMMON = ("of the same kind", "of another kind", "a letter more", "a letter less", "letters exchanged", "another digit")
TOKEN_WAYS = (*COMMON, "deleted", "doubled")
CELL_WAYS = (*COMMON, "deleted", "empty")
