"""Small specs as users write them, and what becomes of them: what the tests of the language share."""

from pathlib import Path
from typing import Any

import archspec
from archspec import Graph, SpecError
from archspec.diagnostics import Diagnostic

ARCH = "arch 1\n"


def net(body: str, entry: str = "8 x 8 x 4", before: str = "", parameters: str = "k = 10") -> str:
    return f"{ARCH}{before}\nnetwork N({parameters}) {{ input {entry}\nbody {body} }}\n"


def table(
    *rows: str, clauses: str = 'read "conv" = conv(1, c)', parameters: str = "k = 10", entry: str = "8 x 8 x 4"
) -> str:
    lines = "\n".join(f"| {row} |" for row in rows)
    first = f"input {entry}" if entry else ""
    return f"{ARCH}network N({parameters}) {{ {first}\ntable {{\n{lines}\n}}\n{clauses}\n}}\n"


def graph(text: str, member: str | None = None, **values: Any) -> Graph:
    return archspec.parse(text, member=member).elaborate(**values)


def kinds(text: str, **values: Any) -> list[str]:
    return [node.op.kind for node in graph(text, **values).nodes[1:]]


def paths(text: str, **values: Any) -> list[str]:
    return [node.path for node in graph(text, **values).nodes[1:]]


def params(text: str, **values: Any) -> int:
    return graph(text, **values).stats().params


def shape(text: str, **values: Any) -> tuple[int, ...]:
    return graph(text, **values).output.shape


def wrong(text: str, member: str | None = None, **values: Any) -> list[Diagnostic]:
    """Everything that parsing, elaborating with these values, and checking finds."""
    try:
        spec = archspec.parse(text, member=member)
        spec.elaborate(**values)
    except SpecError as error:
        return list(error.diagnostics)
    return spec.check()


def codes(text: str, **values: Any) -> list[str]:
    return [diagnostic.code for diagnostic in wrong(text, **values)]


def files(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.arch").write_text(ARCH + text, encoding="utf-8")
    return folder
