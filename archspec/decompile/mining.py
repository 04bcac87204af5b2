"""Sequences of steps that a network has more than once -> blocks, where that makes the text shorter.

For what has no modules, as an ONNX file, or whose modules do not say what is repeated.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from archspec import ops
from archspec.decompile.blocks import Library, every_net
from archspec.decompile.steps import Call, Fork, Here, Leaf, Net, Tap, in_order
from archspec.decompile.templates import ACTIVATIONS, lifted, skeleton
from archspec.decompile.text import POOLS
from archspec.ops.normalization import Norm

WITH_WEIGHTS = frozenset({"conv", "dwconv", "linear"})
SEQUENCE = 24
"""No block is made of more steps in a row."""
ROUNDS = 24
TRIED = 8
"""So many of the most promising blocks are tried in a round."""
LEAST = 40
"""Characters that a block must save."""
MOST_PARAMETERS = 6
Kind = Callable[[Net], bool]
"""Whether a window is one that is looked for."""
Name = Callable[[Net, Sequence[str]], str]
"""What a block of these steps is called; the second are the paths of its nodes."""


class Place(Struct, frozen=True):
    """Where a window stands."""

    net: Net
    start: int
    size: int

    @property
    def steps(self) -> Net:
        return self.net[self.start : self.start + self.size]


def mine(nets: Sequence[Net], library: Library, name: Name) -> None:
    """Replace what is repeated by calls of blocks: what has a fork first, then sequences."""
    for kind in (is_gate, has_fork, is_sequence):
        for _ in range(ROUNDS):
            if not mined(nets, library, name, kind):
                break


def mined(nets: Sequence[Net], library: Library, name: Name, kind: Kind) -> bool:
    """Replace the windows of a kind that save most; whether there were any."""
    tried = [found for places in promising(nets, kind) if (found := saved(places, library, name)) is not None]
    if tried:
        _, places, trial, calls = max(tried, key=lambda found: found[0])
        library.adopt(trial)
        for before, after in list(changed(places, calls)):
            before[:] = after
    return bool(tried)


def is_gate(net: Net) -> bool:
    """A fork and the product of its branches."""
    return len(net) == 2 and isinstance(net[0], Fork) and joins(net[1], ops.Mul)


def has_fork(net: Net) -> bool:
    """A fork, its join, and what follows; before one that concatenates, what leads to it too."""
    forks = [place for place, step in enumerate(net) if isinstance(step, Fork)]
    if len(forks) != 1 or forks[0] + 1 >= len(net):
        return False
    return joins(net[forks[0] + 1], ops.Concat) or (forks == [0] and joins(net[1], ops.Add))


def joins(step: object, kind: type[ops.Join]) -> bool:
    return isinstance(step, Leaf) and isinstance(step.op, kind)


def is_sequence(net: Net) -> bool:
    """Steps without forks, nor blocks that have some; gates are steps as others are."""
    return not any(isinstance(step, Fork) or (isinstance(step, Call) and step.block.forks) for step in net)


def promising(nets: Sequence[Net], kind: Kind) -> list[list[Place]]:
    """The places of windows that stand more than once and do not overlap, the most promising first."""
    kinds: dict[object, int] = {}
    found: dict[tuple[int, ...], list[Place]] = {}
    for net in every_net(nets):
        keys = [kinds.setdefault(key, len(kinds)) for key in keys_of(net)]
        for start, size in windows(net, kind):
            window = tuple(keys[start : start + size])
            places = found.setdefault(window, [])
            free = not places or places[-1].net is not net or places[-1].start + places[-1].size <= start
            if free:
                places.append(Place(net, start, size))
    repeated = [(window, places) for window, places in found.items() if len(places) > 1 and not periodic(window)]
    repeated.sort(key=lambda pair: -(len(pair[1]) - 1) * weight(pair[1][0].steps))
    return [places for _, places in repeated[:TRIED]]


def keys_of(net: Net) -> Iterator[object]:
    """What steps have in common that differ in attributes alone."""
    for slot in lifted(net, 0):
        yield skeleton([slot])


def windows(net: Net, kind: Kind) -> Iterator[tuple[int, int]]:
    """Where a block may begin, and how many steps it may have: a fork stays with its join, names stay outside.

    A normalisation after a layer is that layer's; one that follows none begins its own.
    """
    fixed = [isinstance(step, (Tap, Here)) or bool(alias_in(step)) for step in net]
    for start in range(len(net)):
        if is_end(net[start]) or (start and isinstance(net[start - 1], Fork)):
            continue
        if start and is_norm(net[start]) and is_weighted(net[start - 1]):
            continue
        for size in range(1, min(SEQUENCE, len(net) - start) + 1):
            if fixed[start + size - 1]:
                break
            window = net[start : start + size]
            if kind(window) and worth(window) and not torn(net, start, start + size):
                yield start, size


def is_end(step: object) -> bool:
    """Whether a step is what layers end with."""
    return is_activation(step) or (isinstance(step, Leaf) and step.op.kind in POOLS)


def is_activation(step: object) -> bool:
    return isinstance(step, Leaf) and step.op.kind in ACTIVATIONS


def is_norm(step: object) -> bool:
    return isinstance(step, Leaf) and isinstance(step.op, Norm)


def is_weighted(step: object) -> bool:
    return isinstance(step, Leaf) and step.op.kind in WITH_WEIGHTS


def torn(net: Net, start: int, end: int) -> bool:
    """Whether a window ends within a layer, or at either end within a run of like steps."""
    if isinstance(net[end - 1], Fork) or (start and alike(net[start - 1], net[start])):
        return True
    if end == len(net):
        return False
    last, after = net[end - 1], net[end]
    normalised = is_norm(after) and is_weighted(last) and not is_norm(net[start])
    return is_activation(after) or normalised or alike(last, after)


def alike(one: object, other: object) -> bool:
    """Whether two steps are calls of one block."""
    return isinstance(one, Call) and isinstance(other, Call) and one.block is other.block


def alias_in(step: object) -> bool:
    """Whether a name is given or taken up in a step."""
    if isinstance(step, Fork):
        return any(alias_in(inner) for branch in step.branches for inner in branch)
    return isinstance(step, (Tap, Here)) or bool(getattr(step, "alias", ""))


def weight(net: Net) -> int:
    """How many steps a network is written with."""
    return sum(not isinstance(step, Fork) for inner in every_net([net]) for step in inner)


def worth(net: Net) -> bool:
    """Whether steps could be a block: several, and not all without weights."""
    return weight(net) > 1 and any(
        isinstance(step, (Fork, Call)) or (isinstance(step, Leaf) and step.op.kind in WITH_WEIGHTS) for step in net
    )


def periodic(window: tuple[int, ...]) -> bool:
    """Whether a window is a shorter one several times: a repeat says that better."""
    return any(
        len(window) % size == 0 and window == window[:size] * (len(window) // size)
        for size in range(1, len(window) // 2 + 1)
    )


def saved(places: list[Place], library: Library, name: Name) -> tuple[int, list[Place], Library, list[Call]] | None:
    """What a block of these places saves; None where it saves too little."""
    trial = library.copy()
    nets = [place.steps for place in places]
    calls = [call for call in trial.define(name(nets[0], tuple(in_order(nets[0]))), nets) if call is not None]
    if len(calls) < len(nets) or len(trial.blocks) != len(library.blocks) + 1:
        return None
    block = trial.blocks[-1]
    if len(block.parameters) > MOST_PARAMETERS:
        return None
    # measured on all around them, since some may be repeats already
    gain = sum(trial.length(before) - trial.length(after) for before, after in changed(places, calls)) - len(block.text)
    return (gain, places, trial, calls) if gain >= LEAST else None


def changed(places: Sequence[Place], calls: Sequence[Call]) -> Iterator[tuple[Net, Net]]:
    """Each network that has a place, as it is and with calls in their places."""
    found: dict[int, tuple[Net, Net]] = {}
    for place, call in sorted(zip(places, calls, strict=True), key=lambda pair: -pair[0].start):
        _, after = found.setdefault(id(place.net), (place.net, list(place.net)))
        after[place.start : place.start + place.size] = [call]
    return iter(found.values())


def plain_name(net: Net, paths: Sequence[str]) -> str:
    """What a block is called that nothing in the source names: after its operators, or its join."""
    kinds = [
        step.op.kind if isinstance(step, Leaf) else step.block.name for step in net if isinstance(step, (Leaf, Call))
    ]
    forked = any(isinstance(step, Fork) for step in net)
    counts = Counter(kinds)
    if forked:
        return next((JOINED[kind] for kind in JOINED if counts[kind]), "unit")
    return "_".join(dict.fromkeys(kinds)) if len(counts) <= 3 else "unit"


JOINED = {"add": "residual", "mul": "excite", "concat": "branches"}
