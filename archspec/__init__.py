"""archspec: a compiler for the table that a paper prints.

What it offers is imported when it is first asked for, so that the command line is ready for Ctrl-C before that.
"""

from importlib import import_module

TYPE_CHECKING = False  # as typing has it, which takes longer to import than all that is here
if TYPE_CHECKING:
    from typing import Any

    from archspec import errors
    from archspec.diagnostics import Diagnostic
    from archspec.drawing import render
    from archspec.driver import build, load, parse
    from archspec.driver import format_text as format  # noqa: A004
    from archspec.errors import Refusal, SpecError
    from archspec.graph import Graph
    from archspec.limits import Limits
    from archspec.spec import Spec

__all__ = [
    "Diagnostic", "Graph", "Limits", "Refusal", "Spec", "SpecError", "build", "errors", "format", "load", "parse",
    "render",
]  # fmt: skip
HOMES = {
    "Diagnostic": "diagnostics", "Graph": "graph", "Limits": "limits", "Refusal": "errors", "Spec": "spec",
    "SpecError": "errors", "build": "driver", "errors": "errors", "format": "driver:format_text", "load": "driver",
    "parse": "driver", "render": "drawing",
}  # fmt: skip
"""The module of each name, which may be the name's own; after a colon, what it is called there."""


def __getattr__(name: str) -> "Any":
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    module, _, there = HOMES[name].partition(":")
    home = import_module(f"{__name__}.{module}")
    found = globals()[name] = home if module == name else getattr(home, there or name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
