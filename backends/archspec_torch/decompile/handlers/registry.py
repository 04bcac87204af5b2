"""The functions that read torch's operators, by the names of ATen without their overload; `relu_` is `relu` in place.

Each is given its arguments by their names, values instead of nodes, defaults filled in. What is not exactly an
operator of the language raises `No`.
"""

from collections.abc import Callable
from typing import Any

from archspec_torch.decompile.walk import TorchPlace

Arguments = dict[str, Any]
Handler = Callable[[TorchPlace, Arguments], Any]
HANDLERS: dict[str, Handler] = {}


def reads(*names: str) -> Callable[[Handler], Handler]:
    """Register what reads the operators of these names."""

    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return register
