"""The steps of a block -> the statements of a function, as a person would write them.

A value that is used once stands where it is used, as long as a line stays easy to read: one layer with weights and what
belongs to it. Other values are given to variables: `x` is what goes through the block, `y` what leaves `x` needed.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count

from msgspec import Struct

from archspec.emit.steps import Source, Step
from archspec.emit.templates import Place, Template

VARIABLES = ("x", "y", "z")
LONGEST = 88
"""Characters of an expression within another."""
SHORT = 44
"""Characters of an operand of a sum that need no variable."""
FEW = 3
"""Blocks in a row that may be one operand of a concatenation."""
HEAVY = frozenset({"weights", "block"})
"""Roles of steps of which one makes a line."""


class Expression(Struct, frozen=True):
    """A value before it is written."""

    text: str
    atomic: bool = True
    """whether it is an operand as it stands"""
    reads: tuple[str, ...] = ()
    """variables in it, each as often as it stands there"""
    heavy: int = 0
    """layers with weights in it"""
    conditional: bool = False

    @property
    def operand(self) -> str:
        return self.text if self.atomic else f"({self.text})"


Say = Callable[[Place, list[Expression]], Expression]
"""A step applied to its inputs."""


@dataclass(slots=True)
class Flow:
    """Writes one block."""

    template: Template
    say: Say
    flag: Callable[[Place], str]
    """what says that a step is there, as the function sees it; empty for one that always is"""
    taken: frozenset[str] = frozenset()
    """names that no variable may have"""
    wide: bool = False
    """whether steps that are there together may be joins"""
    training: int = 0
    """how many of the last outputs are given in training alone; the steps that only they need are the last ones"""
    lines: list[str] = field(default_factory=list)
    values: dict[Source, Expression] = field(default_factory=dict)
    users: dict[Source, list[Step | None]] = field(default_factory=dict)
    """who takes a value; None is the function's own return"""
    left: dict[str, int] = field(default_factory=dict)
    """how often a variable will still be read"""
    held: dict[Source, str] = field(default_factory=dict)

    def run(self) -> list[str]:
        """The statements, the last of which returns."""
        outputs = self.statements()
        return [*self.lines, f"return {', '.join(outputs)}"]

    def statements(self) -> list[str]:
        """Write all but the return, and give what the function gives."""
        self.count_users()
        for position, name in enumerate(inputs(self.template)):
            self.hold(position, name)
        always = self.always()
        left = not self.training
        for segment in self.segments():
            if not left and segment[0].step.name not in always:
                left = self.leave()
            self.segment(segment)
        if not left:
            self.leave()
        return [self.take(source).text for source in self.template.outputs]

    def always(self) -> set[str]:
        """The steps that the outputs need that are given in evaluation too."""
        needed = {source[0] for source in self.lasting() if not isinstance(source, int)}
        for place in reversed(self.template.places):
            if place.step.name in needed:
                needed |= {source[0] for source in place.step.inputs if not isinstance(source, int)}
        return needed

    def lasting(self) -> tuple[Source, ...]:
        """The outputs that are given in evaluation too."""
        return self.template.outputs[: len(self.template.outputs) - self.training]

    def leave(self) -> bool:
        """End here in evaluation."""
        values = ", ".join(self.take(source).text for source in self.lasting())
        self.lines += ["if not self.training:", f"    return {values}"]
        return True

    def count_users(self) -> None:
        for place in self.template.places:
            for source in place.step.inputs:
                self.users.setdefault(source, []).append(place.step)
            if self.flag(place):
                self.users.setdefault(place.step.inputs[place.past], []).append(place.step)
        # what both modes give is written twice, so that it has a variable
        for source in (*self.template.outputs, *(self.lasting() if self.training else ())):
            self.users.setdefault(source, []).append(None)

    # ---- steps ----

    def segments(self) -> Iterator[list[Place]]:
        """Steps that are there together, each of which takes what the one before it gives; others alone."""
        current: list[Place] = []
        for place in self.template.places:
            if current and self.continues(current, place):
                current.append(place)
                continue
            if current:
                yield current
            current = [place]
        if current:
            yield current

    def continues(self, current: list[Place], place: Place) -> bool:
        before = current[-1].step
        users = self.users.get((before.name, 0), [])
        return bool(
            self.flag(place)
            and place.condition == current[-1].condition
            and place.step.inputs[place.past] == (before.name, 0)
            and all(user is place.step for user in users)
            and (self.wide or len(place.step.inputs) == 1)
        )

    def segment(self, places: list[Place]) -> None:
        flag = self.flag(places[0])
        made = None
        for place in places:
            taken = [self.take(source) for source in place.step.inputs] if made is None else [made]
            made = self.say(place, taken)
        assert made is not None
        first, last = places[0], places[-1].step
        if flag:
            other = self.take(first.step.inputs[first.past])
            text = f"{made.text} if {flag} else {other.text}"
            made = Expression(text, False, (*made.reads, *other.reads), made.heavy, conditional=True)
        if last.outputs > 1:
            self.assign(last, made, [(last.name, position) for position in range(last.outputs)])
        elif self.stays(last, made):
            self.values[last.name, 0] = made
        else:
            self.assign(last, made, [(last.name, 0)])

    def take(self, source: Source) -> Expression:
        return self.values[source]

    def stays(self, step: Step, made: Expression) -> bool:
        """Whether a value stands where it is used, and is given to no variable."""
        users = self.users.get((step.name, 0), [])
        if len(users) != 1:
            return False
        user = users[0]
        if user is None:
            return len(self.template.outputs) == 1 or len(made.text) <= SHORT
        if made.conditional or len(made.text) > LONGEST:
            return False
        if user.role == "concat":
            return True
        if user.role == "join":
            return made.heavy <= 1 and len(made.text) <= SHORT
        if step.role == "block" == user.role and made.heavy + self.to_concat(user) <= FEW:
            return True
        return not (made.heavy and user.role in HEAVY)

    def to_concat(self, step: Step) -> int:
        """How many blocks in a row there are from here to a concatenation; too many if none follows."""
        for number in range(1, FEW + 1):
            users = self.users.get((step.name, 0), [])
            if len(users) != 1 or users[0] is None or step.outputs > 1:
                return FEW + 1
            step = users[0]
            if step.role == "concat":
                return number
        return FEW + 1

    # ---- variables ----

    def assign(self, step: Step, made: Expression, sources: list[Source]) -> None:
        for name in made.reads:
            self.left[name] -= 1
        names = [self.variable(step, source, made) for source in sources]
        self.lines.append(f"{', '.join(names)} = {made.text}")

    def variable(self, step: Step, source: Source, made: Expression) -> str:
        """A variable for a value: one whose own is no longer needed, or a new one."""
        free = [name for name in (*made.reads, *self.left) if not self.left[name]]
        name = free[0] if free else self.new((*VARIABLES, step.name), step.name)
        self.hold(source, name)
        return name

    def new(self, names: Iterable[str], otherwise: str) -> str:
        """The first name that no variable has had, if need be with a number."""
        numbered = (f"{otherwise}_{number}" for number in count(2))
        return next(name for name in chain(names, numbered) if name not in self.left and name not in self.taken)

    def hold(self, source: Source, name: str) -> None:
        # a value that nobody takes keeps its variable to itself
        self.left[name] = len(self.users.get(source, [])) or 1
        self.values[source] = Expression(name, True, (name,))


def inputs(template: Template) -> list[str]:
    """The names of what the function is given."""
    return [*VARIABLES, *(f"x{number}" for number in range(len(VARIABLES) + 1, template.inputs + 1))][: template.inputs]


def joined(function: str, operands: list[Expression], heavy: bool = False) -> Expression:
    """A format of its operands, as an expression; an operand that is neither a call nor an index gets parentheses."""
    loose = function[:2] == "{}" and function not in {"{}"} and not function.startswith(("{}.", "{}["))
    bare = "(" in function and not function.startswith("{}")
    texts = [operand.text if bare else operand.operand for operand in operands]
    reads = tuple(name for operand in operands for name in operand.reads)
    return Expression(function.format(*texts), not loose, reads, sum(o.heavy for o in operands) + heavy)
