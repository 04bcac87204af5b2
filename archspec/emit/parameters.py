"""`Merged` -> `Template`: the holes of a block become parameters, with names that the field uses."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from archspec.emit.calls import REQUIRED, Argument, Code, Leaf, Reference, alike
from archspec.emit.conditions import Ends, condition_for
from archspec.emit.holes import Choice, Derived, Hole, Holes
from archspec.emit.merging import ABSENT, Column, Merged, Slot, columns
from archspec.emit.templates import Condition, Parameter, Place, Template, identifier, unique

SETTLED = frozenset({"channels", "kernel", "count"})
"""Kinds that are always given."""
UNSAID = frozenset({
    "in_channels", "out_channels", "channels", "hidden_channels", "in_features", "out_features", "num_features",
    "num_channels", "normalized_shape", "num_parameters", "start", "stop", "filters", "hidden_filters", "units",
})  # fmt: skip
"""Names of channels that do not say what they are for."""
BETTER = {"rate": "rate", "window": "kernel_size"}
"""Kinds that have a better name than the argument of a layer."""


class Words(Struct, frozen=True):
    """What a framework calls things."""

    identity: Code | None = None
    """the activation that does nothing, where it is a value"""
    given: str = ""
    """the channels of the input, where they are not a parameter: an expression"""
    channels: str = "channels"
    """what a layer has: channels, filters"""
    out: str = "out_channels"
    """what it gives"""
    taken: frozenset[str] = frozenset()
    """names that no parameter may have"""


def template(made: Merged, name: str, words: Words) -> Template:
    """What the instances share, with parameters for what differs."""
    return Finder(made, words).run(name)


@dataclass(slots=True)
class Finder:
    """The parameters of one block."""

    made: Merged
    words: Words
    slots: list[Slot] = field(init=False)
    columns: list[list[Column]] = field(init=False)
    holes: Holes = field(init=False)
    chosen: list[list[Choice]] = field(init=False)
    """for each step, what stands for its leaves"""

    def __post_init__(self) -> None:
        first = tuple(member.given[0][-1] for member in self.made.members)
        last = tuple(member.gives[0][-1] for member in self.made.members)
        self.holes = Holes(first, last)
        self.fill()
        self.chosen = [[None] * len(places_of(slot.step)) for slot in self.slots]

    def run(self, name: str) -> Template:
        for whole in (True, False):
            for position in range(len(self.slots)):
                self.choose(position, whole)
        self.name_holes()
        conditions = self.conditions()
        flags = [Parameter(c.name, "flag", has, False) for has, c in conditions.items() if c.text == c.name]
        places = tuple(self.place(position, conditions) for position in range(len(self.slots)))
        return Template(name, self.made.members, (*self.parameters(), *flags), places, self.made.outputs)

    def fill(self) -> None:
        """An activation that is absent does nothing, a row that is absent counts 0."""
        self.slots, self.columns = [], []
        times = Counter(slot.present for slot in self.made.slots)
        for slot, own in zip(self.made.slots, columns(self.made), strict=True):
            step = slot.step
            alone = step.call is not None and isinstance(step.call.function, Code) and len(own) == 1
            instead: Any = ABSENT
            if step.count is not None:
                instead = 0
            elif alone and times[slot.present] == 1 and self.words.identity is not None:
                instead = self.words.identity
            if slot.optional and instead is not ABSENT:
                own = [tuple(instead if value is ABSENT else value for value in own[0]), *own[1:]]
                slot = replace(slot, present=(True,) * len(slot.present))
            self.slots.append(slot)
            self.columns.append(own)

    def choose(self, position: int, whole: bool) -> None:
        """Decide the leaves of a step that all instances have, or the others."""
        slot = self.slots[position]
        layer = slot.step.role != "block"
        alone = layer and sum(other.present == slot.present for other in self.slots) == 1
        for place, (leaf, column) in enumerate(zip(places_of(slot.step), self.columns[position], strict=True)):
            if (ABSENT not in column) is whole:
                own = [hole for hole in self.chosen[position][:place] if isinstance(hole, Hole)]
                self.chosen[position][place] = self.holes.choose(slot.step.name, leaf, column, own, alone)

    # ---- names ----

    def name_holes(self) -> None:
        taken = {"self", "x", "name", *self.words.taken}
        names = Counter(hole.leaf.name for hole in self.holes.found)
        for hole in sorted(self.holes.found, key=self.rank):
            plain = BETTER.get(hole.kind, hole.leaf.name)
            own = plain if names[hole.leaf.name] == 1 else f"{hole.slot}_{plain}"
            if hole.kind == "channels":
                own = self.channels(hole, own)
            hole.name = unique(identifier(own).lstrip("_") or "value", taken)

    def channels(self, hole: Hole, own: str) -> str:
        """The name of a number of channels."""
        first, last = self.holes.first, self.holes.last
        if hole.column == first == last:
            return self.words.channels
        if hole.column in (first, last):
            return "in_channels" if hole.column == first else self.words.out
        if hole.leaf.name not in UNSAID:
            return own
        inner = [h for h in self.holes.found if h.kind == "channels" and h.column not in (first, last)]
        sole = len(inner) == 1 and (hole.uses > 1 or bool(self.words.given))
        return f"{'hidden' if sole else hole.slot}_{self.words.channels}"

    def rank(self, hole: Hole) -> int:
        """Where a parameter stands: channels first, as they flow through the block, then the kernel, then the rest."""
        if hole.kind != "channels":
            return 4 if hole.kind == "kernel" else 5
        return 1 if hole.column == self.holes.first else 3 if hole.column == self.holes.last else 2

    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters in the order of the signature."""
        made = [Parameter(h.name, h.kind, full(h.column), usual(h)) for h in sorted(self.holes.found, key=self.rank)]
        return tuple(sorted(made, key=lambda parameter: parameter.default is not REQUIRED))

    # ---- what not all instances have ----

    def conditions(self) -> dict[tuple[bool, ...], Condition]:
        """For each set of instances in which steps are present, when that is."""
        together: dict[tuple[bool, ...], list[int]] = {}
        for position, slot in enumerate(self.slots):
            if slot.optional:
                together.setdefault(slot.present, []).append(position)
        holes = sorted(self.holes.found, key=self.rank)
        known = [(hole.name, hole.kind, hole.column) for hole in holes]
        taken = {"self", "x", "name", *self.words.taken, *(h.name for h in holes), *(s.step.name for s in self.slots)}
        ends = Ends(self.holes.first, self.holes.last, self.words.given)
        found: dict[tuple[bool, ...], Condition] = {}
        for present, positions in together.items():
            used = [choice.name for p in positions for choice in self.chosen[p] if isinstance(choice, Hole)]
            joins = any(self.slots[p].step.role == "join" for p in positions)
            name = unique("skip" if joins else f"has_{identifier(self.slots[positions[0]].step.name)}", taken)
            found[present] = Condition(name, condition_for(present, known, used, ends) or name)
        return found

    def place(self, position: int, conditions: dict[tuple[bool, ...], Condition]) -> Place:
        slot = self.slots[position]
        step = slot.step
        values = iter([leaf_of(choice) for choice in self.chosen[position]])
        count = next(values) if step.count is not None else None
        call = step.call.changed(lambda leaf: next(values)) if step.call else None
        return Place(replace(step, call=call), conditions.get(slot.present), slot.past, count)


def places_of(step: Any) -> list[Argument]:
    """The leaves of a step, of a row its count first, as `merging.leaves` has them."""
    count = [] if step.count is None else [Argument(f"{step.name}_count", step.count, "count")]
    return [*count, *(step.call.leaves() if step.call else ())]


def leaf_of(choice: Choice) -> Leaf:
    match choice:
        case Hole():
            return Reference(choice.name)
        case Derived(hole, expression):
            return Reference(expression.format(hole.name))
        case _:
            return choice


def full(column: Column) -> Column:
    """The column with a value for instances that need none."""
    return tuple(filler(column) if value is ABSENT else value for value in column)


def filler(column: Column) -> Any:
    kinds = {type(value) for value in column if value is not ABSENT}
    return 0 if kinds == {int} else 0.0 if kinds == {float} else None


def usual(hole: Hole) -> Any:
    """The default of a parameter: the layer's own, or the value of more than half of the instances."""
    if ABSENT in hole.column:
        return filler(hole.column)
    if hole.kind in SETTLED:
        return REQUIRED
    if any(alike(value, hole.leaf.default) for value in hole.column):
        return hole.leaf.default
    (value, count), *_ = Counter(hole.column).most_common(1)
    return value if 2 * count > len(hole.column) else REQUIRED
