"""What a spec prints -> docstrings and comments. No text can leave the string or comment that it is put in.

Characters that end lines, move the cursor or turn the direction of writing are spelled out, and quotes and backslashes
escaped, so that the tree of a written file depends on a text in its constants only.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator

from archspec.emit.printed import Printed
from archspec.graph import Graph, Value
from archspec.hierarchy import Level
from archspec.initializer import AnyInitializer
from archspec.printable import printable, width
from archspec.tensor import shape_text

WIDTH = 120
"""Columns of a line of the written file."""
LEFT = 8
"""Columns that the deepest comment is indented by."""


def docstring(graph: Graph, printed: Printed, notes: Iterable[str] = ()) -> str:
    """The docstring of the file: title, source, tables, parameters and counts, with its quotes."""
    parts = [one_line(graph.title or graph.name), "\n".join(map(one_line, graph.cite))]
    parts += ["\n".join(map(printable, lines(textwrap.dedent(table)))) for table in printed.tables]
    parts += [wrapped(summary(graph)), wrapped(" ".join(first_weights(graph))), *map(wrapped, notes)]
    body = "\n\n".join(part for part in parts if part)
    return quoted(body + "\n", wide=any(width(line) > WIDTH for line in body.split("\n")))


def lines(text: str) -> list[str]:
    """The lines of a table; only the line breaks that the language knows part them."""
    found = [line.rstrip() for line in re.split(r"\r\n|\r|\n", text)]
    return [line for line in found if line]


def one_line(text: str) -> str:
    return " ".join(printable(text).split())


def wrapped(text: str) -> str:
    return textwrap.fill(one_line(text), WIDTH, break_long_words=False, break_on_hyphens=False)


def quoted(text: str, wide: bool = False) -> str:
    """A text as a docstring."""
    safe = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if safe.endswith('"'):
        safe = f'{safe[:-1]}\\"'
    return f'"""{safe}"""' + "  # noqa: E501" * wide


def summary(graph: Graph) -> str:
    """`MobileNetV2(alpha = 0.5) on 224×224×3: 1,968,680 parameters, 97,112,352 multiply-accumulates.`"""
    counts = graph.stats()
    values = ", ".join(f"{name} = {value_text(value)}" for name, value in graph.parameters.items())
    called = f"{graph.name}({values})" if values else graph.name
    return (
        f"{called} on {shape_text(graph.input.shape)}: {counts.params:,} parameters, "
        f"{counts.macs:,} multiply-accumulates."
    )


def value_text(value: Value) -> str:
    """A value as the language writes it."""
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return (
        {True: "true", False: "false", None: "none"}[value]
        if value is None or value is True or value is False
        else str(value)
    )


def first_weights(graph: Graph) -> Iterator[str]:
    """What weights begin with, where the spec says it."""
    if graph.inference:
        yield "For inference alone: what only training has is left out, and normalisations are folded into weights."
        return
    there = {*graph.by_path, *(node.op.kind for node in graph.nodes)}
    each = ", ".join(f"{place} = {initializer_text(how)}" for place, how in graph.init.items() if place in there)
    if each:
        yield f"First weights in the spec: {each}; here they are the framework's own."


def initializer_text(how: AnyInitializer) -> str:
    values = ", ".join(
        f"{name} = {value}" for name, value in how.model_dump(exclude={"kind"}, exclude_defaults=True).items()
    )
    return f"{how.kind}({values})" if values else how.kind


def row_comment(level: Level, graph: Graph, printed: Printed) -> str:
    """A comment that says a row as the table prints it; empty for what is not a row."""
    scope = graph.scope_by_path.get(level.path)
    if scope is None or scope.kind != "row":
        return ""
    line = printable(printed.rows.get(level.path, "")).strip()
    for text in (line, one_line(line)):
        if text.startswith("|") and width(text) <= WIDTH - LEFT - len("# "):
            return f"# {text}"
    # a label by itself could be what tools read in comments: `type: ignore`
    return "# " + shortened(f"{level.name.replace('_', ' ')}: {one_line(scope.label)}", WIDTH - LEFT - len("# "))


def shortened(text: str, columns: int) -> str:
    """The beginning of a text that takes at most so many columns."""
    if width(text) <= columns:
        return text
    while width(text) >= columns:
        text = text[:-1]
    return f"{text}…"
