"""The files that come with archspec -> what they declare: its head, what it is, and how it is used."""

import re
from collections.abc import Iterator
from itertools import takewhile
from types import UnionType

from msgspec import Struct

from archspec import library
from archspec.elaborate.modules import Named, parse_bundled
from archspec.source import Source, Span
from archspec.syntax import tree as t

SENTENCE = re.compile(r".*?[.:](?=\s+[A-Z\"`]|\s*$)", re.DOTALL)
ABBREVIATED = re.compile(r"\b(?:al|fig|eq|sec|e\.g|i\.e)\.$", re.IGNORECASE)


class Listed(Struct, frozen=True):
    """A block, function or reading that a file declares."""

    named: t.Block | t.Definition | t.Reading
    use: str
    """the file, as `use` names it"""
    about: str
    """the comment above it, or else what the file begins with"""

    @property
    def name(self) -> str:
        return self.named.name.id

    @property
    def parameters(self) -> str:
        return ", ".join(parameter.span.text for parameter in self.named.parameters)

    @property
    def summary(self) -> str:
        """The first sentence of what it is, on one line."""
        text = " ".join(self.about.split())
        end = 0
        while found := SENTENCE.match(text, end):
            end = found.end()
            if not ABBREVIATED.search(text[:end]):
                break
        return text[: end or None].rstrip(".:")


def catalogue(folder: str, kind: type | UnionType) -> Iterator[Listed]:
    """What the files of a folder declare of a kind, file by file."""
    for path in sorted(library.shared_names()):
        source = library.shared(path)
        assert source is not None
        if not path.startswith(f"{folder}/"):
            continue
        for declaration in parse_bundled(source).declarations:
            if isinstance(declaration, t.Block | t.Definition | t.Reading) and isinstance(declaration, kind):
                yield Listed(declaration, path, comment_above(declaration.span) or opening(source))


def head(named: Named) -> str:
    """What declares a block, function, network or reading, without what it is made of."""
    text = named.span.text
    match named:
        case t.Block() | t.Definition():
            return " ".join(text[: named.body.span.start - named.span.start].rstrip().removesuffix("=").split())
        case t.Network() | t.Reading():
            return " ".join(text[: opened(text)].split())
        case _:
            return text.split("\n")[0]


def opened(text: str) -> int:
    """Where the brace of the clauses stands: the first that is within no parentheses."""
    level = 0
    for place, character in enumerate(text):
        level += (character == "(") - (character == ")")
        if character == "{" and level == 0:
            return place
    return len(text)


def comment_above(span: Span) -> str:
    """The comment on the lines above a declaration."""
    source: Source = span.source
    line = source.position(span.start)[0] - 1
    found: list[str] = []
    while line >= 1 and source.line(line).lstrip().startswith("#"):
        found.insert(0, source.line(line).strip().removeprefix("#").strip())
        line -= 1
    return "\n".join(found)


def opening(source: Source) -> str:
    """The comment that a file begins with."""
    return "\n".join(
        line.lstrip("# ") for line in takewhile(lambda line: line.startswith("#"), source.text.splitlines())
    )
