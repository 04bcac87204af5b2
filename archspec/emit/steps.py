"""A scope of the Graph -> `Instance`: its steps in order, each a layer or an inner scope, and what each takes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from archspec.emit.calls import Call
from archspec.graph import Graph, Node
from archspec.hierarchy import Level
from archspec.tensor import Shape

Role = Literal["weights", "norm", "activation", "block", "join", "concat", "part", "pad", "other"]
"""What a step is to a reader: how steps are put on lines depends on it."""
Source = int | tuple[str, int]
"""An input of the scope by its position, or a step by its name and which of its outputs."""


class Piece(Struct, frozen=True):
    """What a backend makes of one operator; a convolution may have another before it, its padding."""

    role: Role
    call: Call | None
    """what constructs its layer; None where it is a function only"""
    function: str = ""
    """the same as a function: a format of its inputs. Empty where there must be a layer, which holds state"""
    suffix: str = ""
    """what is added to the node's name"""
    takes: tuple[int, ...] | None = None
    """which of the node's inputs, and after them of the node's pieces; None for the piece before it, or the inputs"""
    part: int = 0
    parts: int = 0
    """of a split: which of how many parts; the function gives them all"""


class Step(Struct, frozen=True):
    """A layer, an inner scope or a function, at its place."""

    name: str
    """of the attribute that holds it; the same in all instances of a block"""
    role: Role
    call: Call | None
    function: str
    inputs: tuple[Source, ...]
    outputs: int = 1
    level: Level | None = None
    """the scope that it stands for, or that begins with it"""
    part: int = 0
    parts: int = 0
    count: int | None = None
    """how many equal layers in a row, called `base_1` and so on; None for one, called `name`"""
    base: str = ""
    """`name` of them all"""
    first: int = 1
    """number of the first of them"""
    over: tuple[str, tuple[Any, ...]] | None = None
    """a value that is another in each of them: what its call has for it, and its values"""

    @property
    def form(self) -> tuple[object, ...]:
        """What the same step of another instance must share, its inputs aside."""
        row = None if self.count is None else self.first
        return self.role, self.call.form if self.call else self.function, self.outputs, row


class Instance(Struct, frozen=True):
    """One scope."""

    level: Level
    steps: tuple[Step, ...]
    outputs: tuple[Source, ...]
    given: tuple[Shape, ...]
    """shapes of its inputs"""
    gives: tuple[Shape, ...]

    @property
    def chain(self) -> bool:
        return is_chain(self.steps, self.outputs, len(self.given))

    @property
    def form(self) -> tuple[object, ...]:
        """Equal for instances that differ in values alone."""
        steps = tuple((step.name, step.inputs, step.form) for step in self.steps)
        return len(self.given), self.outputs, steps


def is_chain(steps: Iterable[Step], outputs: tuple[Source, ...], inputs: int) -> bool:
    """Whether every step is a layer that takes what the one before it gives."""
    previous: Source = 0
    for step in steps:
        if step.call is None or step.inputs != (previous,) or step.outputs != 1:
            return False
        previous = (step.name, 0)
    return inputs == 1 and previous != 0 and outputs == (previous,)


APART = "-"
"""What stands between the name of a scope and those of its steps where it is not written apart."""
Pieces = Callable[[Node, tuple[Shape, ...]], Iterable[Piece]]
"""What a backend says of a node with inputs of these shapes: its steps, its own last."""
Naming = Callable[[str, set[str]], str]
"""A legal name of a child of a scope, unlike its siblings', which it joins."""


@dataclass(slots=True)
class Reader:
    """Reads the steps of one scope; `done` says how inner scopes are written, by their paths.

    What is not done is not apart: its steps are read as the scope's own, with its name before theirs.
    """

    graph: Graph
    pieces: Pieces
    naming: Naming
    done: dict[str, Piece]
    steps: list[Step] = field(default_factory=list)
    values: dict[str, Source] = field(default_factory=dict)

    def run(self, level: Level) -> Instance:
        self.values = {path: position for position, path in enumerate(level.inputs)}
        self.children(level, "")
        shapes = [tuple(self.graph.by_path[path].shape for path in paths) for paths in (level.inputs, level.outputs)]
        outputs = tuple(self.values[path] for path in level.outputs)
        return together(Instance(level, tuple(self.steps), outputs, shapes[0], shapes[1]))

    def children(self, level: Level, before: str) -> None:
        siblings: set[str] = set()
        names = [self.naming(child.name, siblings) for child in level.children]
        for child, name in zip(level.children, names, strict=True):
            if isinstance(child, Node):
                self.node(child, before + name, siblings)
            elif child.path in self.done:
                self.scope(child, before + name)
            else:
                position = len(self.steps)
                self.children(child, f"{before}{name}{APART}")
                if position < len(self.steps):
                    self.steps[position] = replace(self.steps[position], level=child)

    def scope(self, level: Level, name: str) -> None:
        piece = self.done[level.path]
        inputs = tuple(self.values[path] for path in level.inputs)
        self.steps.append(Step(name, piece.role, piece.call, piece.function, inputs, len(level.outputs), level))
        self.values |= {path: (name, position) for position, path in enumerate(level.outputs)}

    def node(self, node: Node, name: str, siblings: set[str]) -> None:
        sources = [self.values[path] for path in node.inputs]
        taken = sources
        for piece in self.pieces(node, self.graph.input_shapes(node)):
            own = self.naming(name + piece.suffix, siblings) if piece.suffix else name
            inputs = tuple(taken if piece.takes is None else [sources[position] for position in piece.takes])
            self.steps.append(
                Step(own, piece.role, piece.call, piece.function, inputs, part=piece.part, parts=piece.parts)
            )
            sources.append((own, 0))
            taken = [(own, 0)]
        self.values[node.path] = taken[0]


# ---- the parts of a split, taken at once ----


def together(made: Instance) -> Instance:
    """The same, with all parts of one split as one step that gives several values."""
    changed: dict[Source, Source] = {}
    steps: list[Step] = []
    position = 0
    while position < len(made.steps):
        step = made.steps[position]
        count = step.parts if step.parts > 1 and whole_split(made.steps[position : position + step.parts]) else 1
        if count > 1:
            changed |= {(made.steps[position + i].name, 0): (step.name, i) for i in range(count)}
            steps.append(replace(step, outputs=count))
        else:
            steps.append(replace(step, function=f"{step.function}[{step.part}]") if step.parts else step)
        position += count
    steps = [replace(step, inputs=tuple(changed.get(source, source) for source in step.inputs)) for step in steps]
    return replace(made, steps=tuple(steps), outputs=tuple(changed.get(source, source) for source in made.outputs))


def whole_split(steps: tuple[Step, ...]) -> bool:
    """Whether these are all the parts of one split, in order."""
    return [(step.part, step.parts, step.inputs) for step in steps] == [
        (i, len(steps), steps[0].inputs) for i in range(len(steps))
    ]
