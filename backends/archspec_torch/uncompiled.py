"""torch's operators on tensors without numbers, without torch's compiler.

Some of them are marked as not to be compiled, and when such a one is called torch imports its whole compiler to say so.
That import takes a second, makes a folder for temporary files and asks the system what the user is called.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch

NAME = "torch._dynamo"


@contextmanager
def without_compiler() -> Iterator[None]:
    """Keep torch from importing its compiler, unless it is there already."""
    if NAME in sys.modules:
        yield
        return
    stub = ModuleType(NAME)
    vars(stub)["disable"] = unchanged
    sys.modules[NAME] = vars(torch)["_dynamo"] = stub
    try:
        yield
    finally:
        del sys.modules[NAME], vars(torch)["_dynamo"]


def unchanged(function: Any, *_: Any, **__: Any) -> Any:
    """What is not to be compiled is called as it is."""
    return function
