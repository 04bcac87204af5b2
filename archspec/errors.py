"""What refuses a request: `SpecError` where the mistake has a place in a spec, `Refusal` everywhere else.

A program that calls archspec catches these two and `OSError`; anything else that is raised is a fault of archspec.
"""

from typing import Any, ClassVar

from archspec.diagnostics import SpecError

__all__ = ["Refusal", "SpecError"]


class Refusal(Exception):
    """A request cannot be granted; its text says why, `help` what to do instead."""

    exit_code: ClassVar[int] = 1
    """of the command that meets it"""

    def __init__(self, message: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.help = advice

    def __reduce__(self) -> tuple[Any, ...]:
        # from a worker's process it comes as it is, whatever its class is made from
        return type(self).__new__, (type(self), *self.args), vars(self)
