"""The functions that read a framework's operators, by the names of these."""

from collections.abc import Callable
from typing import TypeVar

H = TypeVar("H", bound=Callable[..., object])


class Handlers(dict[str, H]):
    """Each operator's name to the function that reads it."""

    def reads(self, *names: str) -> Callable[[H], H]:
        """Register what reads the operators of these names."""

        def register(handler: H) -> H:
            self.update(dict.fromkeys(names, handler))
            return handler

        return register
