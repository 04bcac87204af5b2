"""Patterns of paths: `row_{r}/bottleneck_{n}/conv`, and what their holes take."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate.errors import Clause
from archspec.elaborate.evaluate import Binding
from archspec.source import Span

HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
BRACE = re.compile(r"\{[^{}]*\}?|\}")

SEPARATOR = re.compile(r"([/.])")
MOST_HOLES, LONGEST = 3, 100
"""Of one part of a path, and characters that a hole takes: what bounds the ways in which a pattern can match."""


class BadHole(Diagnostic, frozen=True):
    """Braces of a path or of a key that are not a hole.

    A hole of a path is a name in braces: `{n}`. In a key, braces hold an expression of holes: `{n - 1}`. Neither paths
    nor keys have braces of their own.
    """

    code: ClassVar[str] = "bad-hole"
    example: str

    @property
    def message(self) -> str:
        return f"`{self.primary.text}` is not a hole"

    @property
    def help(self) -> str:
        return f"a hole looks like `{self.example}`"


def bad_holes(text: Span, holes: re.Pattern[str], example: str) -> Iterator[BadHole]:
    """The braces of a text in quotes that are none of its holes."""
    inside = text.part(1, len(text.text) - 1)
    blanks = holes.sub(lambda hole: " " * len(hole[0]), inside.text)
    for brace in BRACE.finditer(blanks):
        yield BadHole(inside.part(*brace.span()), example)


@dataclass(slots=True)
class PathPattern:
    """A pattern of the paths of nodes, or of the names of their tensors where it has a dot.

    A hole takes any characters but `/` and `.`, as many as it can; one that stands twice takes the same twice. Raises
    `SpecError` for other braces, and for more than three holes between two `/`.
    """

    span: Span
    text: str
    letters: int = field(init=False)
    """how many are the pattern's own: of two that match, the one with more is the closer one"""
    regex: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        wrong = list(bad_holes(self.span, HOLE, "{n}"))
        if wrong:
            raise SpecError(wrong)
        self.letters = len(HOLE.sub("", self.text))
        seen: set[str] = set()
        self.regex = re.compile("".join(self.part(text, seen) for text in SEPARATOR.split(self.text)))

    def part(self, text: str, seen: set[str]) -> str:
        """The expression of what stands between two separators, or of one; `seen` are the holes before it."""
        holes = list(HOLE.finditer(text))
        if len(holes) > MOST_HOLES:
            raise SpecError([Clause(self.span, f"more than {MOST_HOLES} holes stand between two `/`")])
        regex, end = "", 0
        for hole in holes:
            taken = f"(?P={hole[1]})" if hole[1] in seen else f"(?P<{hole[1]}>[^/.]{{1,{LONGEST}}})"
            regex += re.escape(text[end : hole.start()]) + taken
            seen.add(hole[1])
            end = hole.end()
        regex += re.escape(text[end:])
        # atomic: once a part has matched, no other way of matching it is tried
        return f"(?>{regex}(?=[/.]|$))" if holes else regex

    @property
    def of_tensors(self) -> bool:
        return "." in self.text

    def matches(self, name: str) -> bool:
        """Whether it is a pattern of this path, or of this name of a tensor."""
        return self.regex.fullmatch(name) is not None

    def match(self, name: str) -> dict[str, Binding] | None:
        """What the holes take of a path, or of the name of a tensor; digits are numbers."""
        found = self.regex.fullmatch(name)
        if found is None:
            return None
        return {
            hole: Binding(int(text) if text.isascii() and text.isdigit() else text, self.span)
            for hole, text in found.groupdict().items()
        }
