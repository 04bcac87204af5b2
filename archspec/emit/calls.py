"""Calls that a written file makes, as data: comparable while blocks are put together, text at the end.

A `Call` has arguments; a leaf of it is an argument that is not a call, or a function that another may stand for.
Calls of one `form` differ in their leaves alone.
"""

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace


class Code(Struct, frozen=True):
    """A name that the file imports or declares, as a value: `nn.ReLU`."""

    text: str


class Reference(Struct, frozen=True):
    """A parameter, or an expression of parameters."""

    text: str


Constant = bool | int | float | str | tuple[int | float, ...] | Code | None
Leaf = Constant | Reference
Value = "Leaf | Call | Many"
REQUIRED = Reference("")
"""The default of a parameter that has none."""


class Argument(Struct, frozen=True):
    """A value with what is known of its place."""

    name: str
    value: Any
    """a `Leaf`, `Call` or `Many`"""
    kind: str = "other"
    """`channels`, `kernel`, `stride` …: only values of one kind may be one parameter"""
    default: Leaf = REQUIRED
    """what the function takes where it is not given"""
    by_name: bool = False

    @property
    def needed(self) -> bool:
        """Whether it must be written."""
        return self.default is REQUIRED or not alike(self.value, self.default)


class Call(Struct, frozen=True):
    """A call of a class or a function."""

    function: str | Code | Reference
    """a name; `Code` where another class may stand there, as another activation does"""
    arguments: tuple[Argument, ...] = ()

    @property
    def form(self) -> tuple[object, ...]:
        """All but the leaves."""
        function = self.function if isinstance(self.function, str) else None
        return function, tuple((argument.name, form(argument.value)) for argument in self.arguments)

    def leaves(self) -> Iterator[Argument]:
        """The leaves, in the order in which `changed` changes them."""
        if not isinstance(self.function, str):
            yield Argument("activation", self.function, "function")
        for argument in self.arguments:
            match argument.value:
                case Call() as call:
                    yield from call.leaves()
                case Many(call, count):
                    yield Argument("count", count, "count")
                    yield from call.leaves()
                case _:
                    yield argument

    def changed(self, change: Callable[[Argument], Leaf]) -> "Call":
        """The call with other leaves."""
        function = self.function
        if not isinstance(function, str):
            found = change(Argument("activation", function, "function"))
            assert isinstance(found, Code | Reference)
            function = found
        return Call(function, tuple(replace(a, value=changed(a, change)) for a in self.arguments))


class Many(Struct, frozen=True):
    """Equal modules in a row."""

    call: Call
    count: Leaf


def form(value: Any) -> object:
    match value:
        case Call():
            return value.form
        case Many(call):
            return "many", call.form
        case _:
            return None


def changed(argument: Argument, change: Callable[[Argument], Leaf]) -> Any:
    match argument.value:
        case Call() as call:
            return call.changed(change)
        case Many(call, count):
            return Many(count=change(Argument("count", count, "count")), call=call.changed(change))
        case _:
            return change(argument)


def alike(one: object, other: object) -> bool:
    """Whether two values are the same, `1` and `1.0` and `True` told apart."""
    return type(one) is type(other) and one == other
