"""What a file says of the shapes in a program, against what torch's own operators give on tensors without numbers.

So the arguments of an operator are ones that torch takes, and the handlers that read them rely on it.
"""

from collections.abc import Iterator
from typing import Any

import torch

from archspec.decompile.layouts import No, only
from archspec_torch.program import NotKnown, Step, Told, told
from archspec_torch.uncompiled import without_compiler

UNCHECKED = frozenset({"to", "_to_copy", "type_as", "lift_fresh_copy"})
"""Operators that may move a tensor to a device; of them nothing is read except shape and type."""
PARTS = {"chunk": "chunks", "split": "split_size"}
"""Operators that may give any number of parts, and the argument that says how many."""


def check(step: Step) -> None:
    """Raise `No` where a step is not what the file says."""
    if any(isinstance(value, NotKnown) for value in flat(list(step.arguments.values()))):
        raise No("one of its numbers is not known, or is not read")
    if step.overload is None:
        return
    if step.kind in UNCHECKED:
        given = step.arguments["self"]
        only(isinstance(given, Step) and isinstance(step.told, Told), "it is not given a tensor")
        only(shape_of(given) == shape_of(step), "torch gives another shape than the file says")
        return
    if step.kind in PARTS:
        check_parts(step)
    found, said = told(computed(step)), step.told
    if len(step.overload._schema.returns) > 1 and isinstance(said, list):
        found, said = found[:1], said[:1]  # what a layer keeps for training has a shape of each device
    only(found == said, "torch gives another shape than the file says")


def shape_of(step: Step) -> Any:
    return step.told.shape if isinstance(step.told, Told) else None


def flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for part in value:
            yield from flat(part)
    else:
        yield value


def check_parts(step: Step) -> None:
    """Raise `No` where an operator would give other parts than the file says: there may be no end of them."""
    said, stated = step.arguments["self"], step.arguments[PARTS[step.kind]]
    only(isinstance(step.told, list), "torch gives parts, and the file says one tensor")
    if isinstance(stated, list):
        return
    dimension, shape = step.arguments["dim"], said.told.shape if isinstance(said, Step) else ()
    numbers = all(type(number) is int for number in (dimension, stated))
    only(numbers and stated > 0 and -len(shape) <= dimension < len(shape), "its arguments are not numbers")
    side = shape[dimension]
    only(side is not None, "the size of what it is given is not known")
    size = stated if step.kind == "split" else -(-side // stated)
    only(len(step.told) == (-(-side // size) if size else 1), "torch gives another number of parts than the file says")


def computed(step: Step) -> Any:
    """What torch gives, a tensor without numbers; raises `No`."""
    arguments = {name: empty(value) for name, value in step.arguments.items()}
    named = [argument.name for argument in step.overload._schema.arguments if argument.kwarg_only]
    keywords = {name: arguments.pop(name) for name in named}
    try:
        with without_compiler():
            return step.overload(*arguments.values(), **keywords)
    except Exception as error:  # torch refuses arguments by whatever it likes
        raise No(f"torch refuses it: {str(error).strip().partition(chr(10))[0][:200]}") from None


def empty(value: Any) -> Any:
    """An argument with tensors without numbers in place of steps."""
    if isinstance(value, list):
        return [empty(part) for part in value]
    if not isinstance(value, Step):
        return value
    if not isinstance(value.told, Told):
        return value.told
    shape = [side for side in value.told.shape if side is not None]
    only(len(shape) == len(value.told.shape), "the size of what it is given is not known")
    try:
        return torch.empty(shape, dtype=value.told.dtype, device="meta")
    except (RuntimeError, TypeError):  # the latter where a size has more than 64 bits
        raise No("what it is given is larger than any machine's memory") from None
