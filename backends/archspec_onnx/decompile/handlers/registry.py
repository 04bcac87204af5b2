"""The functions that read ONNX's operators, by the names of these.

What is not exactly an operator of the language raises `No`. The versions of an operator differ in where its numbers
stand, as attributes or as inputs; both are read.
"""

from collections.abc import Callable
from typing import Any

Handler = Callable[..., Any]
HANDLERS: dict[str, Handler] = {}


def reads(*names: str) -> Callable[[Handler], Handler]:
    """Register what reads the operators of these names."""

    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return register
