"""What the tests of emitted source share: Graphs with what their specs print, hostile texts, ruff."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice

from hypothesis import strategies as st

import archspec
from archspec.emit import Printed
from archspec.graph import Graph


def of(name: str) -> tuple[Graph, Printed]:
    spec = archspec.load(name)
    graph = spec.elaborate()
    return graph, spec.printed(graph)


def ruff(text: str, *arguments: str) -> None:
    command = [sys.executable, "-m", "ruff", *arguments, "--isolated", "--line-length=120", "--target-version=py311"]
    done = subprocess.run([*command, "-"], input=text.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


HOSTILE = st.text(
    st.sampled_from('a"\'\\\n\r\t\x00\x1b\u2028\u2029\u202e\ufeff{}#|: \x85\x0c\N{MIDDLE DOT}²')
    | st.characters(exclude_categories=["Cs"]),
    max_size=40,
) | st.sampled_from(
    ['"""', '\\"""', '"""\nimport os', "# type: ignore", "# type: int", "# -*- coding: latin-1 -*-", "\\", "\\N{DASH}",
     "\\u0022\\u0022\\u0022", "# noqa", "# fmt: off", "{x}", "%s", "\ud800", '"' * 7, "\\x22" * 3]
)  # fmt: skip
ROWS = archspec.load("resnet18").elaborate()


def shape_of(text: str) -> str:
    """The tree of a file without its constants."""
    tree = ast.parse(text, type_comments=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def with_texts(graph: Graph, texts: Iterator[str]) -> tuple[Graph, Printed]:
    """A graph with other texts in all places that a spec may write freely."""
    scopes = [s.model_copy(update={"label": next(texts)}) if s.kind == "row" else s for s in graph.scopes]
    scopes = [s.model_copy(update={"name": next(texts)}) if s.kind == "row" else s for s in scopes]
    parameters = {**graph.parameters, "text": next(texts)}
    changes = {
        "title": next(texts),
        "cite": (next(texts), next(texts)),
        "parameters": parameters,
        "scopes": tuple(scopes),
    }
    rows = {scope.path: next(texts) for scope in scopes if scope.kind == "row"}
    rows |= {path: f"| {text}" for path, text in islice(rows.items(), 0, None, 2)}
    return graph.model_copy(update=changes), Printed("ResNet", (next(texts), "\n".join(islice(texts, 5))), rows)
