"""`Graph` -> one readable file of Python for Keras: a function for each block, and one that makes the model.

Its layers have the names of those of the model that `build` makes in float32, and give the same bits. Keras is asked
what its layers take by default, so it is needed here.
"""

import ast
import keyword
import re

from archspec.emit import Printed
from archspec.emit.blocks import Dialect, Writer
from archspec.emit.page import docstring, one_line, quoted, row_comment
from archspec.emit.parameters import Words
from archspec.emit.ruff import formatted
from archspec.emit.templates import Place, Template
from archspec.graph import Graph
from archspec_keras.order import shallow_first
from archspec_keras.source_functions import KEPT, function_text, network_text
from archspec_keras.source_helpers import TEXTS
from archspec_keras.source_layers import pieces

TAKEN = frozenset({*TEXTS, *KEPT, "x", "y", "z", "inputs", "float", "int", "str", "bool", "tuple"})
WORDS = Words(given="x.shape[-1]", channels="filters", out="filters", taken=TAKEN)


def source(graph: Graph, printed: Printed | None = None) -> str:
    """The file; raises `Unsupported`, `MissingFramework` without ruff, or `BackendError`."""
    return formatted(unformatted(graph, printed or Printed()), "keras")


def unformatted(graph: Graph, printed: Printed) -> str:
    graph = shallow_first(graph.in_evaluation())
    written = Writer(graph, DIALECT).run(function_name(graph.name))
    blocks = [function_text(template, about(template, graph)) for template in written.templates]
    blocks.append(network_text(written.network, graph, lambda place: comment(place, graph, printed)))
    body = "\n\n\n".join(blocks)
    code = "\n\n\n".join([*helpers(body), body])
    return "\n\n".join([docstring(graph, printed), imports(code), code]) + "\n"


def names(code: str) -> set[str]:
    """The names that a text uses."""
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


def helpers(code: str) -> list[str]:
    """The helpers that a text calls, and those that they call."""
    used = names(code)
    used |= {name for helper in used & TEXTS.keys() for name in names(TEXTS[helper])}
    return [text.strip() for name, text in TEXTS.items() if name in used]


def imports(code: str) -> str:
    """The import lines of a text."""
    used = names(code)
    taken = ", ".join(name for name in ("KerasTensor", "layers") if name in used)
    return "\n".join(
        ["import math\n"] * ("math" in used) + ["import keras"] + [f"from keras import {taken}"] * bool(taken)
    )


def function_name(name: str) -> str:
    """A name as that of a function."""
    legal = re.sub(r"[^A-Za-z0-9_]", "_", name)
    legal = legal if re.match(r"[A-Za-z_]", legal) else f"net_{legal}"
    return f"{legal}_" if keyword.iskeyword(legal) or legal in TAKEN else legal


DIALECT = Dialect(pieces, lambda name, siblings: name, WORDS, function_name, inline=False, taken=TAKEN)


def about(template: Template, graph: Graph) -> str:
    """The docstring of a block."""
    return quoted(f"The block `{one_line(graph.scope_by_path[template.members[0].level.path].name)}`.")


def comment(place: Place, graph: Graph, printed: Printed) -> str:
    return row_comment(place.step.level, graph, printed) if place.step.level else ""
