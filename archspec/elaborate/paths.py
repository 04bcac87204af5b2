"""Patterns of paths: `row_{r}/bottleneck_{n}/conv`, and what their holes take."""

import re
from dataclasses import dataclass, field

from archspec.elaborate.evaluate import Binding
from archspec.source import Span

HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(slots=True)
class PathPattern:
    """A pattern of the paths of nodes, or of the names of their tensors where it has a dot.

    A hole takes any characters but `/` and `.`, as many as it can; one that stands twice takes the same twice.
    """

    span: Span
    text: str
    letters: int = field(init=False)
    """how many are the pattern's own: of two that match, the one with more is the closer one"""
    regex: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        self.letters = len(HOLE.sub("", self.text))
        seen: set[str] = set()
        regex, end = "", 0
        for hole in HOLE.finditer(self.text):
            regex += re.escape(self.text[end : hole.start()])
            regex += f"(?P={hole[1]})" if hole[1] in seen else f"(?P<{hole[1]}>[^/.]+)"
            seen.add(hole[1])
            end = hole.end()
        self.regex = re.compile(regex + re.escape(self.text[end:]))

    @property
    def of_tensors(self) -> bool:
        return "." in self.text

    def match(self, name: str) -> dict[str, Binding] | None:
        """What the holes take of a path, or of the name of a tensor; digits are numbers."""
        found = self.regex.fullmatch(name if self.of_tensors else name.partition(".")[0])
        if found is None:
            return None
        return {
            hole: Binding(int(text) if text.isascii() and text.isdigit() else text, self.span)
            for hole, text in found.groupdict().items()
        }
