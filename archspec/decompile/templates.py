"""Several networks of one make -> one template: what they share, and where each differs.

A template is a network whose steps know which of the instances have them and with which operators. Two templates are
merged by aligning their steps; what only some instances have becomes conditional.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from operator import or_

from archspec import ops
from archspec.decompile.steps import Call, Fork, Here, Leaf, Net, Tap, Unit
from archspec.decompile.values import Value
from archspec.ops import AnyOp

ACTIVATIONS = frozenset({"relu", "relu6", "silu", "gelu", "sigmoid", "hardswish", "hardsigmoid", "tanh"})
"""Operators that stand for each other: what an instance applies can be an argument."""
ACT = "activation"
CONDITIONS = 3
"""At most so many places of a block are conditional."""


@dataclass(slots=True, eq=False)
class Slot:
    """A step of a template."""

    key: tuple[str, ...]
    """steps of the same key may be one"""
    at: dict[int, AnyOp | Call | None]
    """the instances that have it, each with its own"""
    alias: str = ""
    branches: "list[Template]" = field(default_factory=list)
    there: list[set[int]] = field(default_factory=list)
    """of each branch, the instances that have it"""
    narrows: bool = False
    """whether it makes the map smaller"""
    optional: bool = False
    """of an activation, whether it is left out with the steps beside it, and not the identity"""

    @property
    def size(self) -> int:
        return max(1, sum(slot.size for branch in self.branches for slot in branch))


Template = list[Slot]


def lifted(net: Net, instance: int) -> Template:
    """A network as a template of one instance."""
    made: Template = []
    for position, step in enumerate(net):
        match step:
            case Leaf():
                made.append(Slot(key_of(step.op), {instance: step.op}, step.alias))
            case Call():
                made.append(Slot(("call", step.block.name), {instance: step}, step.alias))
            case Fork():
                join = net[position + 1]
                kind = join.op.kind if isinstance(join, Leaf) else ""
                branches = [lifted(branch, instance) for branch in step.branches]
                key = ("fork", "split" if step.parts else "", kind)
                made.append(Slot(key, {instance: None}, "", branches, [{instance} for _ in branches]))
            case Tap() | Here():
                made.append(Slot((type(step).__name__, step.alias), {instance: None}, step.alias))
            case Unit():
                raise AssertionError("the units of a unit are calls before it is one")
    return made


def key_of(op: AnyOp) -> tuple[str, ...]:
    return (ACT,) if op.kind in ACTIVATIONS and not op.attributes() else ("op", op.kind)


def instances(template: Iterable[Slot]) -> set[int]:
    return {instance for slot in template for instance in slot.at}


# ---- merging ----


def merged(one: Template, other: Template, counts: tuple[set[int], set[int]]) -> Template | None:
    """One template of two, for these instances; None where they have too little in common."""
    ways = [(one, other)]
    ways += [(one, wrapped) for wrapped in wraps(other, one, counts[1])]
    ways += [(wrapped, other) for wrapped in wraps(one, other, counts[0])]
    everyone = counts[0] | counts[1]
    found = [template for a, b in ways if one_sided(template := aligned(a, b), counts)]
    if not found:
        return None
    best = min(found, key=lambda template: (conditions(template, everyone), -shared(template, everyone)))
    size = min(sum(slot.size for slot in one), sum(slot.size for slot in other))
    if conditions(best, everyone) > CONDITIONS or 2 * shared(best, everyone) < size:
        return None
    return best


def aligned(one: Template, other: Template) -> Template:
    """The steps of both, in their order; as many of one as of the other as can be are the same."""
    best: list[list[float]] = [[0.0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i in range(len(one) - 1, -1, -1):
        for j in range(len(other) - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + likeness(one[i], other[j]))
    made: Template = []
    i = j = 0
    while i < len(one) or j < len(other):
        like = likeness(one[i], other[j]) if i < len(one) and j < len(other) else 0.0
        if like and best[i][j] == best[i + 1][j + 1] + like:
            made.append(one_of(one[i], other[j]))
            i, j = i + 1, j + 1
        elif j == len(other) or (i < len(one) and best[i][j] == best[i + 1][j]):
            made.append(one[i])
            i += 1
        else:
            made.append(other[j])
            j += 1
    return made


def zipped(one: Template, other: Template) -> Template:
    """Two templates of one skeleton, step by step."""
    return [
        Slot(a.key, a.at | b.at, a.alias, list(map(zipped, a.branches, b.branches)), list(map(or_, a.there, b.there)))
        for a, b in zip(one, other, strict=True)
    ]


def likeness(a: Slot, b: Slot) -> float:
    """How much is won when two steps are one; nothing where they cannot be."""
    if a.key != b.key or a.alias != b.alias:
        return 0.0
    if a.branches:
        if a.key[1] and len(a.branches) != len(b.branches):
            return 0.0
        return 2.0 + min(a.size, b.size)
    return 1.0625 if next(iter(a.at.values())) == next(iter(b.at.values())) else 1.0


def one_of(a: Slot, b: Slot) -> Slot:
    """Two steps of one key as one."""
    branches, there = list(a.branches), list(a.there)
    if a.branches:
        branches, there = one_fork(a, b) if len(a.branches) >= len(b.branches) else one_fork(b, a)
    return Slot(a.key, a.at | b.at, a.alias, branches, there)


def one_fork(long: Slot, short: Slot) -> tuple[list[Template], list[set[int]]]:
    """The branches of two forks; those of the shorter one go with those that they are most like."""

    def gain(places: tuple[int, ...]) -> float:
        pairs = zip(places, short.branches, strict=True)
        return sum(overlap(long.branches[place], branch) for place, branch in pairs)

    places = max(combinations(range(len(long.branches)), len(short.branches)), key=gain)
    branches, there = list(long.branches), list(long.there)
    for place, branch, present in zip(places, short.branches, short.there, strict=True):
        branches[place] = aligned(branches[place], branch)
        there[place] = there[place] | present
    return branches, there


def overlap(one: Template, other: Template) -> float:
    """How many steps two networks share; a little for two that are both the identity."""
    if not one and not other:
        return 0.5
    keys = [slot.key for slot in other]
    return sum(slot.size for slot in one if slot.key in keys)


def one_sided(template: Template, counts: tuple[set[int], set[int]]) -> bool:
    """Whether only one of the two kinds of instances has steps that the other lacks."""
    sides = {side for side in (0, 1) for slot in every(template) if lacks(slot, counts[side])}
    return len(sides) < 2


def lacks(slot: Slot, side: set[int]) -> bool:
    return slot.key != (ACT,) and not side & slot.at.keys()


def every(template: Template) -> Iterator[Slot]:
    for slot in template:
        yield slot
        for branch in slot.branches:
            yield from every(branch)


def wraps(net: Template, model: Template, present: set[int]) -> Iterator[Template]:
    """A network without a fork that another has, as the only branch of one: a join of one branch is that branch."""
    if any(slot.branches for slot in net):
        return
    for position, fork in enumerate(model[:-1]):
        before, after = model[:position], model[position + 2 :]
        if not fork.branches or fork.key[1] or len(net) < len(before) + len(after):
            continue
        end = len(net) - len(after)
        ends = net[:position] + net[end:]
        if [slot.key for slot in ends] == [slot.key for slot in before + after]:
            inner = net[position:end]
            alone = Slot(fork.key, dict.fromkeys(present), "", [inner], [set(present)])
            join = model[position + 1]
            op = next(iter(join.at.values()))
            yield [*net[:position], alone, replace(join, at=dict.fromkeys(present, op)), *net[end:]]


def settled(template: Template, context: set[int]) -> None:
    """Activations that are missing where the step beside them is are left out with it."""
    for position, slot in enumerate(template):
        beside = template[max(0, position - 1) : position] + template[position + 1 : position + 2]
        if slot.key == (ACT,):
            slot.optional = slot.at.keys() != context and any(
                other.at.keys() == slot.at.keys() and other.key != (ACT,) for other in beside
            )
        for branch, there in zip(slot.branches, slot.there, strict=True):
            settled(branch, there)


def present(slot: Slot, context: set[int]) -> set[int]:
    """The instances that have a step; an activation is the identity in those that have none."""
    return context if slot.key == (ACT,) and not slot.optional else set(slot.at)


# ---- how good a template is ----


def conditions(template: Template, context: set[int]) -> int:
    """How many places of a template are conditional."""
    total = 0
    before = context
    for slot in template:
        own = set(slot.at)
        if slot.key != (ACT,):
            total += own not in (context, before)
            before = own
        for branch, there in zip(slot.branches, slot.there, strict=True):
            total += there != own
            total += conditions(branch, there)
    return total


def shared(template: Template, context: set[int]) -> int:
    """How many operators all instances have."""
    total = 0
    for slot in template:
        if set(slot.at) == context and not slot.branches:
            total += 1
        for branch in slot.branches:
            total += shared(branch, context)
    return total


# ---- groups of like instances ----


def skeleton(net: Iterable[Slot]) -> tuple[object, ...]:
    """What networks have in common that differ in attributes alone."""
    return tuple((slot.key, slot.alias, tuple(map(skeleton, slot.branches))) for slot in net)


def grouped(nets: list[Net]) -> list[tuple[list[int], Template]]:
    """Networks as templates, each of as many of them as have enough in common: their places, and the template."""
    alike: dict[tuple[object, ...], tuple[list[int], Template]] = {}
    for place, net in enumerate(nets):
        template = lifted(net, place)
        key = skeleton(template)
        if key in alike:
            members, known = alike[key]
            members.append(place)
            alike[key] = (members, zipped(known, template))
        else:
            alike[key] = ([place], template)
    groups: list[tuple[list[int], Template]] = []
    for members, template in sorted(alike.values(), key=lambda group: -sum(slot.size for slot in group[1])):
        for position, (others, known) in enumerate(groups):
            both = merged(known, template, (set(others), set(members)))
            if both is not None:
                groups[position] = (sorted(others + members), both)
                break
        else:
            groups.append((members, template))
    return groups


def values_of(payload: AnyOp | Call) -> dict[str, Value]:
    """The attributes of an operator, or the arguments of a call; a pooling's stride is stated."""
    if isinstance(payload, Call):
        return dict(payload.arguments)
    found: dict[str, Value] = {
        name: getattr(payload, name) for name in type(payload).model_fields if name not in {"kind", "index"}
    }
    if isinstance(payload, (ops.MaxPool, ops.AvgPool)) and payload.stride is None:
        found["stride"] = payload.kernel
    return found
