"""Instances of one block -> `Merged`: the steps that they share, in one order, and which of them have which.

Steps are told apart by their names, which the text of the block gives and not what a condition leaves out. A step that
some instances do not have must be one that they go past: what takes its value takes one of its inputs there. Instances
that do not fit together are parted into several.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from archspec.emit.steps import Instance, Source, Step

MOST_WAYS = 64
"""So many ways past joins are tried."""


class Absent:
    """The value of a leaf in an instance that does not have its step."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()
Column = tuple[Any, ...]
"""The values of one leaf in all instances."""


class Slot(Struct, frozen=True):
    """A step of a block."""

    step: Step
    present: tuple[bool, ...]
    """which of the instances have it"""
    past: int
    """which of its inputs stands for its value where it is absent"""

    @property
    def optional(self) -> bool:
        return not all(self.present)


class Merged(Struct, frozen=True):
    """What instances of one block share."""

    members: tuple[Instance, ...]
    slots: tuple[Slot, ...]
    outputs: tuple[Source, ...]


def merged(instances: Iterable[Instance], parted: bool = False) -> Iterator[Merged]:
    """The instances, those together that fit; where they are `parted`, only those that differ in values alone."""
    forms: dict[tuple[object, ...], list[Instance]] = {}
    for instance in instances:
        forms.setdefault(instance.form, []).append(instance)
    clusters: list[list[list[Instance]]] = []
    for variant in sorted(forms.values(), key=lambda variant: -len(variant[0].steps)):
        for cluster in clusters if not parted else ():
            if skeleton([*(other[0] for other in cluster), variant[0]]) is not None:
                cluster.append(variant)
                break
        else:
            clusters.append([variant])
    for cluster in clusters:
        yield together(cluster)


def together(variants: list[list[Instance]]) -> Merged:
    found = skeleton([variant[0] for variant in variants])
    assert found is not None
    members = tuple(instance for variant in variants for instance in variant)
    slots: list[Slot] = []
    for slot in found.slots:
        present = [has for has, variant in zip(slot.present, variants, strict=True) for _ in variant]
        slots.append(replace(slot, present=tuple(present)))
    return Merged(members, tuple(slots), found.outputs)


def skeleton(variants: list[Instance]) -> Merged | None:
    """The steps of one instance of each form; None where they do not fit together."""
    if len({(len(v.given), len(v.outputs)) for v in variants}) > 1:
        return None
    names = order(variants)
    steps = [{step.name: step for step in variant.steps} for variant in variants]
    if names is None or any(len({own[n].form for own in steps if n in own}) > 1 for n in names):
        return None
    place: dict[Source, int] = {}
    for position, name in enumerate(names):
        count = next(own[name].outputs for own in steps if name in own)
        place |= {(name, output): position for output in range(count)}
    chosen: list[Step] = []
    for position, name in enumerate(names):
        having = [own[name] for own in steps if name in own]
        if len({len(step.inputs) for step in having}) > 1:
            return None
        inputs = tuple(latest(sources, place) for sources in zip(*(step.inputs for step in having), strict=True))
        if any(place.get(source, -1) >= position for source in inputs):
            return None
        chosen.append(replace(having[0], inputs=inputs))
    outputs = tuple(latest(sources, place) for sources in zip(*(v.outputs for v in variants), strict=True))
    presence = {step.name: tuple(step.name in own for own in steps) for step in chosen}
    for past in ways_past(chosen, presence):
        if all(fits(variant, chosen, outputs, past) for variant in variants):
            slots = tuple(Slot(step, presence[step.name], past.get(step.name, 0)) for step in chosen)
            return Merged(tuple(variants), slots, outputs)
    return None


def order(variants: list[Instance]) -> list[str] | None:
    """The names of all steps, in an order that each instance has; None if the instances have different orders."""
    names = [step.name for step in variants[0].steps]
    for variant in variants[1:]:
        position = 0
        for step in variant.steps:
            if step.name in names:
                position = names.index(step.name) + 1
            else:
                names.insert(position, step.name)
                position += 1
    place = {name: position for position, name in enumerate(names)}
    for variant in variants:
        places = [place[step.name] for step in variant.steps]
        if places != sorted(places):
            return None
    return names


def latest(sources: tuple[Source, ...], place: dict[Source, int]) -> Source:
    """Of what a step takes in different instances, that which comes last: the others go past it."""
    return max(sources, key=lambda source: place.get(source, -1))


def ways_past(steps: list[Step], presence: dict[str, tuple[bool, ...]]) -> Iterator[dict[str, int]]:
    """For each step that may be absent, which of its inputs stands for it: every choice for all of them."""
    optional = [step for step in steps if not all(presence[step.name])]
    choices = [range(len(step.inputs)) for step in optional]
    for number, way in enumerate(product(*choices)):
        if number == MOST_WAYS or any(step.outputs != 1 for step in optional):
            return
        yield {step.name: past for step, past in zip(optional, way, strict=True)}


def fits(variant: Instance, steps: list[Step], outputs: tuple[Source, ...], past: dict[str, int]) -> bool:
    """Whether an instance is the steps without those that it does not have."""
    own = {step.name: step for step in variant.steps}
    stands: dict[Source, Source] = {}
    for step in steps:
        inputs = tuple(stands.get(source, source) for source in step.inputs)
        if step.name not in own:
            stands[(step.name, 0)] = inputs[past[step.name]]
        elif own[step.name].inputs != inputs:
            return False
    return tuple(stands.get(source, source) for source in outputs) == variant.outputs


def columns(made: Merged) -> Iterator[list[Column]]:
    """For each slot, the leaves of its step in all instances; of a row its count first."""
    own = [{step.name: leaves(step) for step in member.steps} for member in made.members]
    for slot in made.slots:
        name, absent = slot.step.name, (ABSENT,) * len(leaves(slot.step))
        yield list(zip(*(having.get(name, absent) for having in own), strict=True))


def leaves(step: Step) -> tuple[Any, ...]:
    """The values of a step that may differ from instance to instance."""
    count = () if step.count is None else (step.count,)
    return (*count, *(leaf.value for leaf in step.call.leaves())) if step.call else count
