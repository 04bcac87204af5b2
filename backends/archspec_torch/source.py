"""`Graph` -> one readable file of Python for torch. torch is not needed to write it.

Its network has the keys and shapes of the module that `build` makes, and gives the same bits.
"""

from archspec.emit import Printed
from archspec.emit.blocks import Dialect, Writer
from archspec.emit.page import docstring, one_line, quoted, row_comment
from archspec.emit.parameters import Words
from archspec.emit.ruff import formatted
from archspec.emit.templates import Place, Template, camel, family_name
from archspec.graph import Graph
from archspec_torch.legal import legal
from archspec_torch.lower import IDENTITY, pieces
from archspec_torch.source_classes import class_text
from archspec_torch.source_helpers import TEXTS, helpers, imports

TAKEN = frozenset({*TEXTS, "F", "OrderedDict", "Tensor", "None", "True", "False"})
WORDS = Words(identity=IDENTITY, taken=frozenset({*TEXTS, "F", "nn", "torch", "float", "getattr", "range", "super"}))
DIALECT = Dialect(pieces, legal, WORDS, camel, taken=TAKEN)


def source(graph: Graph, printed: Printed | None = None) -> str:
    """The file; raises `Unsupported`, `MissingFramework` without ruff, or `BackendError`."""
    return formatted(unformatted(graph, printed or Printed()), "torch")


def unformatted(graph: Graph, printed: Printed) -> str:
    written = Writer(graph, DIALECT).run(family_name(graph.name, printed.network))
    classes = [class_text(template, about(template, graph)) for template in written.templates]
    training = len(graph.training)
    network = class_text(written.network, "", lambda place: comment(place, graph, printed), training)
    body = "\n\n\n".join([*classes, network])
    code = "\n\n\n".join([*helpers(body), body])
    return "\n\n".join([docstring(graph, printed), imports(code), code]) + "\n"


def about(template: Template, graph: Graph) -> str:
    """The docstring of a block."""
    scope = graph.scope_by_path.get(template.members[0].level.path)
    if scope is None or scope.kind != "block":
        return ""
    return quoted(f"The block `{one_line(scope.name)}`.")


def comment(place: Place, graph: Graph, printed: Printed) -> str:
    return row_comment(place.step.level, graph, printed) if place.step.level else ""
