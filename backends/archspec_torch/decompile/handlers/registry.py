"""The functions that read torch's operators, by the names of ATen without their overload; `relu_` is `relu` in place.

Each is given its arguments by their names, values instead of nodes, defaults filled in. What is not exactly an
operator of the language raises `No`.
"""

from collections.abc import Callable
from typing import Any

from archspec.decompile.handlers import Handlers
from archspec_torch.decompile.walk import TorchPlace

Arguments = dict[str, Any]
Handler = Callable[[TorchPlace, Arguments], Any]
HANDLERS: Handlers[Handler] = Handlers()
reads = HANDLERS.reads
