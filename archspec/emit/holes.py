"""Leaves of a block whose values differ from instance to instance -> holes, each of which becomes one parameter.

Values of one kind that are equal in every instance are one hole; what an instance does not have may be any of them.
Nothing is computed from another but a padding, and nothing is guessed: every instance gets its own values.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from msgspec import Struct

from archspec.emit.calls import Argument, Leaf, alike
from archspec.emit.merging import ABSENT, Column
from archspec.emit.text import text

FOLLOWING = frozenset({"channels", "stride", "window"})
"""Kinds in which a step that not all instances have follows the others, even where it always has one value."""
SHARED = frozenset({"channels", "groups", "kernel", "window", "stride"})
"""Kinds whose values are one hole wherever they stand; others must be arguments of one name, too."""
KINDS = {"groups": {"groups", "channels"}, "window": {"kernel", "window"}}
"""Kinds that are also what another kind is."""
PADDINGS: tuple[tuple[str, Callable[[int], int]], ...] = (
    ("{} // 2", lambda kernel: kernel // 2),
    ("({} - 1) // 2", lambda kernel: (kernel - 1) // 2),
)
"""A padding as an expression of the kernel."""


@dataclass(slots=True)
class Hole:
    """Leaves that are one parameter."""

    kind: str
    column: Column
    leaf: Argument
    """one of them"""
    slot: str
    """name of the step that has it"""
    uses: int = 0
    """how many leaves it stands for"""
    name: str = ""


class Derived(Struct, frozen=True):
    """An expression of a parameter."""

    hole: Hole
    expression: str


Choice = Leaf | Hole | Derived


@dataclass(slots=True)
class Holes:
    """The holes of one block."""

    first: Column
    """the channels of its first input, in all instances"""
    last: Column
    """the channels of its first output"""
    found: list[Hole] = field(default_factory=list)

    def choose(self, slot: str, leaf: Argument, column: Column, own: list[Hole], alone: bool = False) -> Choice:
        """What stands for a leaf of a step; `own` are the holes before it in the same step.

        `alone` is whether no other step is absent where it is: an activation then says by itself that there is none.
        """
        known = [value for value in column if value is not ABSENT]
        constant = all(alike(value, known[0]) for value in known)
        follows = leaf.kind in FOLLOWING and not alike(known[0], leaf.default)
        if alone and leaf.kind == "activation" and ABSENT in column:
            constant = False
        if constant and (len(known) == len(column) or not follows):
            return known[0]  # type: ignore[no-any-return]
        made = next(derived(own, column), None) if leaf.kind == "padding" else None
        if made is not None:
            return made
        hole = self.same(leaf, column)
        if hole is None and constant:
            return known[0]  # type: ignore[no-any-return]
        if hole is None:
            hole = Hole(leaf.kind, column, leaf, slot)
            self.found.append(hole)
        hole.uses += 1
        if makes(leaf) and not makes(hole.leaf):
            # channels are called for the step that makes them
            hole.leaf, hole.slot = leaf, slot
        return hole

    def same(self, leaf: Argument, column: Column) -> Hole | None:
        """The hole that a leaf is: of the same kind and the same values, as far as there are any."""
        kinds = KINDS.get(leaf.kind, {leaf.kind})
        fitting = [hole for hole in self.found if hole.kind in kinds and agree(hole.column, column)]
        if leaf.kind not in SHARED:
            fitting = [hole for hole in fitting if hole.leaf.name == leaf.name]
        side = self.first if leaf.name.startswith(("in_", "num_")) else self.last
        found = min(fitting, key=lambda hole: hole.column != side, default=None)
        if found is None and leaf.kind == "channels" and ABSENT in column:
            end = next((end for end in (side, self.first, self.last) if agree(end, column)), None)
            if end is not None:
                found = Hole("channels", end, leaf, "")
                self.found.append(found)
        return found


def makes(leaf: Argument) -> bool:
    """Whether an argument is the channels that a layer gives."""
    return leaf.name.startswith("out_") or leaf.name in {"filters", "units"}


def agree(one: Column, other: Column) -> bool:
    """Whether two columns are equal wherever the second has values, and the first has them there."""
    return all(b is ABSENT or alike(a, b) for a, b in zip(one, other, strict=True))


def derived(own: list[Hole], column: Column) -> Iterator[Derived]:
    """A padding that follows from the kernel, the dilation or the stride of the same step."""
    for hole in own:
        pairs = [(k, p) for k, p in zip(hole.column, column, strict=True) if p is not ABSENT]
        if hole.kind == "stride":
            kernels = next((other.column for other in own if other.kind == "kernel"), ())
            # a kernel of one pixel is padded by nothing, whatever the rule
            loose = [p == "valid" and alike(k, 1) for k, p in zip(kernels, column, strict=False)]
            strict = [pair for pair, free in zip_longest(zip(hole.column, column, strict=True), loose) if not free]
            yield from by_stride(hole, [(k, p) for k, p in strict if p is not ABSENT])
        elif all(type(k) is int for k, _ in pairs):
            for expression, compute in PADDINGS if hole.kind == "kernel" else ():
                if all(alike(compute(k), p) for k, p in pairs):
                    yield Derived(hole, expression)
            if hole.kind == "dilation" and all(alike(k, p) for k, p in pairs):
                yield Derived(hole, "{}")


def by_stride(hole: Hole, pairs: list[tuple[object, object]]) -> Iterator[Derived]:
    """One padding where nothing is stepped over, and another elsewhere: there, a layer of its own pads."""
    still = [p for k, p in pairs if alike(k, 1)]
    moving = [p for k, p in pairs if not alike(k, 1)]
    if still and moving and len(set(map(text, still))) == len(set(map(text, moving))) == 1:
        yield Derived(hole, f"{text(still[0])} if {{}} == 1 else {text(moving[0])}")
