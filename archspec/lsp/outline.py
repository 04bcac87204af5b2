"""A file's declarations, what folds in it, and the shapes at the ends of its lines."""

from collections.abc import Iterator

from msgspec import Struct

from archspec.elaborate.modules import Module, Named
from archspec.lsp.hover import shapes
from archspec.lsp.session import Analysis
from archspec.source import Span
from archspec.syntax import tree as t


class Part(Struct, frozen=True):
    """A declaration of a file, or a table in it."""

    name: str
    kind: str
    span: Span
    at: Span
    """its name"""
    parts: "tuple[Part, ...]" = ()


def parts(module: Module) -> Iterator[Part]:
    """The declarations of a file, in its order."""
    for declaration in module.file.declarations:
        if not isinstance(declaration, t.Use):
            tables = tuple(tables_of(declaration))
            kind = type(declaration).__name__.lower()
            yield Part(declaration.name.id, kind, declaration.span, declaration.name.span, tables)


def tables_of(declaration: Named) -> Iterator[Part]:
    for clause in declaration.clauses if isinstance(declaration, t.Network) else ():
        if isinstance(clause, t.TableClause):
            name = clause.name.value if clause.name else "table"
            yield Part(name, "table", clause.span, clause.span.part(0, len("table")))


def hints(found: Analysis) -> Iterator[tuple[int, str, str]]:
    """The places at the ends of lines, with what the row or step there gives, and where in the network it is."""
    lines: dict[int, tuple[str, str]] = {}
    for network in found.networks:
        steps = [(span, instances) for span, instances in network.steps.items() if span.source == found.source]
        for span, instances in sorted(steps, key=lambda step: (step[0].end, -step[0].start)):
            line = found.source.position(span.end)[0]
            lines[line] = f"→ {shapes(instances[0].outputs)}", instances[0].path
    for line, (text, path) in sorted(lines.items()):
        start = found.source.line_starts[line - 1]
        yield start + len(found.source.line(line).rstrip()), text, path
