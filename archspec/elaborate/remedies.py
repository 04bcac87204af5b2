"""A `ShapeMismatch` -> changes of the text with which the operator suits what it is given.

They are the nearest number that fits, another padding, a projection of a shortcut, a map made larger, a `flatten` left
out. Whether one of them mends the network is not known here: `suggest` tries it.
"""

import re
from collections.abc import Iterator
from itertools import product

from msgspec import Struct

from archspec.diagnostics import Edit
from archspec.elaborate.flow_errors import ShapeMismatch
from archspec.ops import AnyOp, Conv, Misfit, Upsample
from archspec.source import Span
from archspec.tensor import Shape, shape_text

NUMBERS = ("kernel", "groups", "parts", "size", "stop", "start", "channels")
"""Attributes of which another number may fit, the likeliest first."""
FAR = 64
"""How far from the number that does not fit others are looked for."""
STRIDE = 4
"""The largest stride of a projection."""
WORD = re.compile(r"[A-Za-z_]\w*")
FLATTENED = re.compile(r"flatten(?:\([^()]*\))?(\s*->\s*)?")


class Remedy(Struct, frozen=True):
    """A change of the text, and what it does."""

    edit: Edit
    text: str


def remedies(error: ShapeMismatch) -> Iterator[Remedy]:
    """What may be written instead, the likeliest first."""
    yield from other_padding(error)
    for name in NUMBERS:
        yield from other_numbers(error, name)
    if len(error.branches) == 2 and all(len(shape) == 3 for shape in error.inputs):
        for this, other in ((0, 1), (1, 0)):
            yield from projections(error, this, other)
            yield from enlargements(error, this, other)
    yield from without_flatten(error)


def fitted(op: AnyOp, inputs: tuple[Shape, ...], **attributes: object) -> Shape | None:
    """What an operator with other attributes makes of its inputs; None where it does not suit them either."""
    try:
        return op.model_copy(update=attributes).infer(*inputs)
    except Misfit:
        return None


def other_padding(error: ShapeMismatch) -> Iterator[Remedy]:
    """`same` instead of a padding that is too small, or too large."""
    given = error.given.get("pad")
    shape = fitted(error.op, error.inputs, pad="same") if given else None
    if given is not None and shape is not None:
        yield Remedy(Edit(given, "same"), f"`pad = same` instead of {given.text} fits: it gives {shape_text(shape)}")


def other_numbers(error: ShapeMismatch, name: str) -> Iterator[Remedy]:
    """The nearest number below that fits, and the nearest above."""
    given, number = error.given.get(name), getattr(error.op, name, None)
    if given is None or given.text != str(number) or not isinstance(number, int):
        return
    found: list[tuple[int, int, Shape]] = []
    for step in (-1, 1):
        for far in range(1, FAR):
            value = number + step * far
            shape = fitted(error.op, error.inputs, **{name: value}) if value > 0 else None
            if shape is not None:
                found.append((far, value, shape))
                break
    for _, value, shape in sorted(found):
        yield Remedy(
            Edit(given, str(value)), f"`{name}` {value} instead of {number} fits: it gives {shape_text(shape)}"
        )


def projections(error: ShapeMismatch, this: int, other: int) -> Iterator[Remedy]:
    """A convolution of 1×1 in the place of a branch that is `id`, which brings it to the shape of the other."""
    branch, one, wanted = error.branches[this], error.inputs[this], error.inputs[other]
    stride = -(-one[0] // wanted[0])
    if error.what != "add" or branch.text != "id" or stride > STRIDE:
        return
    if Conv(kernel=1, channels=wanted[2], stride=stride).infer(one) != wanted:
        return
    said = set(WORD.findall(error.branches[other].text))
    channels, strides = names_of(error, wanted[2], said), names_of(error, stride, said)
    steps = [f"conv(1, {c}, {s})" if stride > 1 else f"conv(1, {c})" for c, s in product(channels, strides)]
    for tail in [" -> bn", ""] if "bn" in said else [""]:
        named = f"({steps[0]}{tail})" if tail else steps[0]
        # where the stride has a name, the instances of a block that keep the size stay as they are
        kept = [f"id if {strides[0]} == 1 else {named}"] if stride > 1 and len(strides) > 1 else []
        for text in [*kept, *(step + tail for step in dict.fromkeys(steps))]:
            does = f"`{text}` instead of `id` makes {shape_text(wanted)} of {shape_text(one)}"
            yield Remedy(Edit(branch, text), does)


def names_of(error: ShapeMismatch, number: int, said: set[str]) -> list[str]:
    """How a branch may say a number: by a name that the other branch has for it, or itself."""
    return [*[name for name, value in error.names if value == number and name in said][:1], str(number)]


def enlargements(error: ShapeMismatch, this: int, other: int) -> Iterator[Remedy]:
    """The map of a branch enlarged to the size of the other's, where the factors are whole."""
    branch, one, wanted = error.branches[this], error.inputs[this], error.inputs[other]
    scale = wanted[0] // one[0], wanted[1] // one[1]
    if scale == (1, 1) or min(scale) < 1:
        return
    shape = Upsample(scale=scale).infer(one)
    if shape[:2] != wanted[:2] or fitted(error.op, (shape, wanted)) is None:
        return
    step = f"upsample({scale[0]})" if scale[0] == scale[1] else f"upsample({scale[0]}x{scale[1]})"
    makes = f"makes {shape_text(shape)} of {shape_text(one)}"
    if branch.text == "id":
        yield Remedy(Edit(branch, step), f"`{step}` instead of `id` {makes}")
    else:
        where = "at the end of its branch" if "->" in branch.text else f"after `{' '.join(branch.text.split())}`"
        yield Remedy(Edit(Span(branch.source, branch.end, branch.end), f" -> {step}"), f"`{step}` {where} {makes}")


def without_flatten(error: ShapeMismatch) -> Iterator[Remedy]:
    """A `flatten` left out before what wants a map."""
    maker = error.makers[0].span
    found = FLATTENED.match(maker.source.text, maker.start)
    if len(error.inputs[0]) == 1 and found is not None and found[1]:
        edit = Edit(Span(maker.source, found.start(), found.end()), "")
        yield Remedy(edit, f"without `{maker.text}` before it, it is given a map")
