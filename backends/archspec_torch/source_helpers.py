"""The helpers that a written file needs: the text of those of `layers` that it calls."""

import ast
from pathlib import Path

IMPORTS = {
    "torch": "import torch",
    "nn": "from torch import Tensor, nn",
    "F": "from torch.nn import functional as F",
}
"""A name of torch's to the line that brings it."""


def texts(module: str) -> dict[str, str]:
    """The functions and classes of a module's text, by name."""
    declared = (node for node in ast.parse(module).body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    lines = module.splitlines()
    return {node.name: "\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in declared}


# not imported: a file is written where torch is not installed
TEXTS = texts(Path(__file__).with_name("layers.py").read_text(encoding="utf-8"))
"""Name to text, those that others call before them."""


def names(code: str) -> set[str]:
    """The names that a text uses; its strings and comments, which may come from a spec, do not count."""
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


def helpers(code: str) -> list[str]:
    """The helpers that a text calls, and those that they call, in order."""
    used = names(code)
    chosen: list[str] = []
    for name, text in reversed(TEXTS.items()):
        if name in used:
            chosen.insert(0, text)
            used |= names(text)
    return chosen


def imports(code: str) -> str:
    """The import lines of a text."""
    used = names(code)
    torch = [line for name, line in IMPORTS.items() if name in used]
    return "\n".join([*(["from collections import OrderedDict", ""] if "OrderedDict" in used else []), *torch])
