"""archspec: a compiler for the table that a paper prints."""

from archspec.diagnostics import Diagnostic, SpecError
from archspec.drawing import render
from archspec.driver import build, load, parse
from archspec.driver import format_text as format  # noqa: A004
from archspec.graph import Graph
from archspec.limits import Limits
from archspec.spec import Spec

__all__ = ["Diagnostic", "Graph", "Limits", "Spec", "SpecError", "build", "format", "load", "parse", "render"]
