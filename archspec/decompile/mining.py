"""Sequences of steps that a network has more than once -> blocks, where that makes the text shorter.

For what has no modules, as an ONNX file, or whose modules do not say what is repeated.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from archspec.decompile.blocks import Library, every_net, length
from archspec.decompile.templates import ACTIVATIONS, lifted, skeleton
from archspec.decompile.text import POOLS
from archspec.decompile.trees import Call, Fork, Here, Leaf, Net, Tap, in_order

WITH_WEIGHTS = frozenset({"conv", "dwconv", "linear"})
LAYER = 4
SEQUENCE = 24
"""No block is made of more steps in a row."""
SHORTER = 0.7
"""A layer is only worth a block that is so much shorter."""
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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a window stands."""

    net: Net
    start: int
    size: int

    @property
    def steps(self) -> Net:
        return self.net[self.start : self.start + self.size]


def mine(nets: Sequence[Net], library: Library, name: Name) -> None:
    """Replace what is repeated by calls of blocks: layers first, then what has a fork, then longer sequences."""
    for kind in (is_layer, has_fork, is_sequence):
        for _ in range(ROUNDS):
            if not mined(nets, library, name, kind):
                break


def mined(nets: Sequence[Net], library: Library, name: Name, kind: Kind) -> bool:
    """Replace the windows of a kind that save most; whether there were any."""
    tried = [found for places in promising(nets, kind) if (found := saved(places, library, name)) is not None]
    if tried:
        _, places, trial, calls = max(tried, key=lambda found: found[0])
        library.adopt(trial)
        for place, call in sorted(zip(places, calls, strict=True), key=lambda pair: -pair[0].start):
            place.net[place.start : place.start + place.size] = [call]
    return bool(tried)


def is_layer(net: Net) -> bool:
    """A layer and what goes with it; its name must be much shorter than it is."""
    return len(net) <= LAYER and not any(isinstance(step, Fork) for step in net)


def has_fork(net: Net) -> bool:
    """A fork, its join, and what stands around it."""
    return len(net) <= SEQUENCE and sum(isinstance(step, Fork) for step in net) == 1


def is_sequence(net: Net) -> bool:
    return len(net) <= SEQUENCE and not any(isinstance(step, Fork) for step in net)


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
    """Where a block may begin, and how many steps it may have: a fork stays with its join, names stay outside."""
    fixed = [isinstance(step, (Tap, Here)) or bool(alias_in(step)) for step in net]
    for start in range(len(net)):
        if is_end(net[start]) or (start and isinstance(net[start - 1], Fork)):
            continue
        for size in range(1, min(SEQUENCE, len(net) - start) + 1):
            if fixed[start + size - 1]:
                break
            window = net[start : start + size]
            if kind(window) and not isinstance(window[-1], Fork) and worth(window):
                yield start, size


def is_end(step: object) -> bool:
    """Whether a step is what layers end with."""
    return isinstance(step, Leaf) and (step.op.kind in ACTIVATIONS or step.op.kind in POOLS)


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
    inline, called = sum(map(length, nets)), sum(length([call]) for call in calls)
    if is_layer(nets[0]) and called > SHORTER * inline:
        return None
    gain = inline - called - len(block.text)
    return (gain, places, trial, calls) if gain >= LEAST else None


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
