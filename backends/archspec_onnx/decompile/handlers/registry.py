"""The functions that read ONNX's operators, by the names of these.

What is not exactly an operator of the language raises `No`. The versions of an operator differ in where its numbers
stand, as attributes or as inputs; both are read.
"""

from collections.abc import Callable
from typing import Any

from archspec.decompile.handlers import Handlers

Handler = Callable[..., Any]
HANDLERS: Handlers[Handler] = Handlers()
reads = HANDLERS.reads
