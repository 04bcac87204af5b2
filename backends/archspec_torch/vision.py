"""torchvision beside a torch that its compiled operators do not load into, as PyPI's beside a torch for CPUs.

Its own import then fails where it describes them, and with it that of whatever imports it where it finds it, such as
Lightning (by torchmetrics). Nothing here needs them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def operators_missing() -> Iterator[None]:
    """Let torchvision describe operators that are not there."""
    register_fake = torch.library.register_fake

    def ignoring(name: Any, *arguments: Any, **options: Any) -> Any:
        register = register_fake(name, *arguments, **options)

        def described(function: Callable[..., Any]) -> Any:
            try:
                return register(function)
            except RuntimeError:
                if not str(name).startswith("torchvision::"):
                    raise
                return function

        return described

    torch.library.register_fake = ignoring
    try:
        yield
    finally:
        torch.library.register_fake = register_fake
