"""Equal steps in a row -> one step with a count: what `a * n` of a block made."""

import re
from collections import Counter
from itertools import groupby

from msgspec.structs import replace

from archspec.emit.calls import Reference, alike
from archspec.emit.steps import Instance, Source, Step

FEWEST = 3
"""So many steps in a row are worth a loop."""
NUMBERED = re.compile(r"(.+)_([1-9][0-9]*)")


def numbered(name: str) -> tuple[str, int]:
    """`bottleneck_2` as its name and number; an empty name where it has none."""
    found = NUMBERED.fullmatch(name)
    return (found[1], int(found[2])) if found else ("", 0)


def counted(made: list[Instance]) -> list[Instance]:
    """Instances of one block, whatever all of them that have it have as equal steps in a row as one step each."""
    if not all(instance.chain for instance in made):
        return made
    found: dict[str, set[bool]] = {}
    longest: dict[str, int] = {}
    for instance in made:
        for base, steps in runs(instance.steps):
            found.setdefault(base, set()).add(equal(steps))
            longest[base] = max(len(steps), longest.get(base, 0))
    names = {step.name for instance in made for step in instance.steps}
    rows = {base for base, fine in found.items() if fine == {True} and longest[base] > 1 and base not in names}
    return [with_rows(instance, rows) for instance in made] if rows else made


def runs(steps: tuple[Step, ...]) -> list[tuple[str, list[Step]]]:
    return [(base, list(group)) for base, group in groupby(steps, lambda step: numbered(step.name)[0]) if base]


def equal(steps: list[Step]) -> bool:
    """Whether steps are one step several times, counted from 1."""
    numbers = [numbered(step.name)[1] for step in steps]
    return numbers == list(range(1, len(steps) + 1)) and all(step.call == steps[0].call for step in steps)


def with_rows(instance: Instance, rows: set[str]) -> Instance:
    steps: list[Step] = []
    previous: Source = 0
    for base, group in groupby(instance.steps, lambda step: numbered(step.name)[0]):
        together = list(group)
        if base in rows:
            together = [replace(together[0], name=base, base=base, count=len(together), first=1)]
        for step in together:
            steps.append(replace(step, inputs=(previous,)))
            previous = (step.name, 0)
    return replace(instance, steps=tuple(steps), outputs=(previous,))


# ---- rows in a scope that has no other instance ----


def with_runs(instance: Instance) -> Instance:
    """An instance that is alone, with equal steps in a row as one step from whatever number on.

    One value of them may be another in each.
    """
    users = Counter(source for step in instance.steps for source in step.inputs) + Counter(instance.outputs)
    steps: list[Step] = []
    now: dict[Source, Source] = {}
    position = 0
    while position < len(instance.steps):
        end = position + 1
        while end < len(instance.steps) and next_of(instance.steps[end - 1], instance.steps[end], users):
            end += 1
        found = longest(instance.steps[position:end])
        steps.append(replace(found[0], inputs=tuple(now.get(source, source) for source in found[0].inputs)))
        now[(instance.steps[position + found[1] - 1].name, 0)] = (found[0].name, 0)
        position += found[1]
    return replace(instance, steps=tuple(steps), outputs=tuple(now.get(source, source) for source in instance.outputs))


def next_of(step: Step, after: Step, users: Counter[Source]) -> bool:
    """Whether a step is the next one of a row, and nothing else takes what the one before it gives."""
    (base, number), (other, following) = numbered(step.name), numbered(after.name)
    return (
        bool(base)
        and (base, number + 1) == (other, following)
        and step.form == after.form
        and after.inputs == ((step.name, 0),)
        and users[step.name, 0] == 1
        and step.call is not None
    )


def longest(steps: tuple[Step, ...]) -> tuple[Step, int]:
    """The longest row at the beginning of steps that are numbered through, and how many steps it is."""
    values = [[leaf.value for leaf in step.call.leaves()] if step.call else [] for step in steps]
    count = 1
    while count < len(steps) and values[count] == values[0]:
        count += 1
    differing: set[int] = set()
    while count < len(steps) and (count == 1 or differing) and differ(values[count - 1], values[count]):
        # what is equal to the step after it is of another row
        if count + 1 < len(steps) and values[count + 1] == values[count]:
            break
        wider = differing | differ(values[0], values[count])
        if len(wider) > 1:
            break
        differing, count = wider, count + 1
    if count < FEWEST:
        return steps[0], 1
    base, first = numbered(steps[0].name)
    row = replace(steps[0], base=base, count=count, first=first)
    if not differing or steps[0].call is None:
        return row, count
    (place,) = differing
    leaves = list(steps[0].call.leaves())
    name = leaves[place].name
    order = iter(range(len(leaves)))
    call = steps[0].call.changed(lambda leaf: Reference(name) if next(order) == place else leaf.value)
    return replace(row, call=call, over=(name, tuple(own[place] for own in values[:count]))), count


def differ(one: list[object], other: list[object]) -> set[int]:
    """The places at which two lists of leaves differ."""
    return {place for place, (a, b) in enumerate(zip(one, other, strict=True)) if not alike(a, b)}
