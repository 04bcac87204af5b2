"""`Template` -> the text of a class: a chain of layers is an `nn.Sequential`, others have a `forward`."""

from collections import Counter
from collections.abc import Callable, Iterator

from archspec.emit.blocks import groups
from archspec.emit.calls import REQUIRED, Code
from archspec.emit.flow import Expression, Flow, inputs, joined
from archspec.emit.templates import Condition, Parameter, Place, Template
from archspec.emit.text import text

Comment = Callable[[Place], str]
"""A comment that stands before what a step is constructed by; empty for none."""


def class_text(template: Template, docstring: str, comment: Comment = lambda place: "", training: int = 0) -> str:
    """A class of the written file; so many of its last outputs are given in training alone."""
    chain = template.chain
    lines = [f"class {template.name}({'nn.Sequential' if chain else 'nn.Module'}):"]
    lines += [f"    {docstring}", ""] if docstring else []
    body = list(construction(template, comment)) if chain else list(Module(template, comment, training).lines())
    return "\n".join([*lines, *body])


def signature(template: Template) -> str:
    return ", ".join(["self", *map(parameter_text, template.parameters)])


def parameter_text(parameter: Parameter) -> str:
    kind = "type[nn.Module]" if isinstance(parameter.values[0], Code) else parameter.annotation
    default = "" if parameter.default is REQUIRED else f" = {text(parameter.default)}"
    return f"{parameter.name}: {kind}{default}"


def constructor(template: Template, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"    def __init__({signature(template)}) -> None:"
        yield "        super().__init__()"
        yield from (f"        {line}" for line in lines)


def attribute(name: str) -> str:
    # Python would take such a name for a private one of the class
    return f'getattr(self, "{name}")' if name.startswith("__") else f"self.{name}"


def assigned(name: str, value: str) -> str:
    return f'self.add_module("{name}", {value})' if name.startswith("__") else f"self.{name} = {value}"


def construction(template: Template, comment: Comment) -> Iterator[str]:
    """The constructor of a chain."""
    lines: list[str] = []
    for together in groups(template.places):
        condition = together[0].condition
        lines += [f"if {condition.text}:"] if condition else []
        indent = "    " if condition else ""
        for place in together:
            lines += [comment(place)] if comment(place) else []
            lines += [indent + line for line in chain_step(place)]
    yield from constructor(template, lines)


def chain_step(place: Place) -> Iterator[str]:
    step = place.step
    if place.count is None:
        yield assigned(step.name, text(step.call))
        return
    last = text(place.count) + " + 1" if not isinstance(place.count, int) else str(place.count + 1)
    yield f"for i in range(1, {last}):"
    yield f'    self.add_module(f"{step.base}_{{i}}", {text(step.call)})'


def tensors(count: int) -> str:
    """The type of so many outputs."""
    return "Tensor" if count == 1 else f"tuple[{', '.join(['Tensor'] * count)}]"


class Module:
    """A class with a `forward`."""

    def __init__(self, template: Template, comment: Comment, training: int) -> None:
        self.template, self.training = template, training
        self.comment = comment
        self.quiet: set[str] = set()
        """steps that are an `nn.Identity` where they are absent"""
        plan = Flow(template, self.say, lambda place: place.condition.name if place.condition else "")
        plan.count_users()
        for segment in plan.segments():
            only = segment[0]
            if len(segment) == 1 and only.condition and only.step.call and len(only.step.inputs) == 1:
                self.quiet.add(only.step.name)

    def lines(self) -> Iterator[str]:
        yield from constructor(self.template, [*self.flags(), *self.layers()])
        if self.holds():
            yield ""
        given = "".join(f", {name}: Tensor" for name in inputs(self.template))
        count = len(self.template.outputs)
        gives = " | ".join(map(tensors, dict.fromkeys((count - self.training, count))))
        yield f"    def forward(self{given}) -> {gives}:"
        body = Flow(self.template, self.say, self.flag, training=self.training).run()
        yield from (f"        {line}" for line in body)

    def holds(self) -> bool:
        return any(True for _ in self.layers()) or any(True for _ in self.flags())

    def flag(self, place: Place) -> str:
        if place.condition is None or place.step.name in self.quiet:
            return ""
        return attribute(place.condition.name)

    def flags(self) -> Iterator[str]:
        """What is asked in `forward`, or more than once."""
        yield from (f"{attribute(c.name)} = {c.text}" for c in self.kept())

    def kept(self) -> list[Condition]:
        flagged = {place.condition for place in self.template.places if self.flag(place)}
        asked = Counter(place.condition for place in self.template.places if place.condition)
        return [condition for condition, times in asked.items() if condition in flagged or times > 1]

    def made(self, place: Place) -> bool:
        """Whether a step is a layer that the class holds."""
        return place.step.name in self.quiet or not place.fixed or bool(self.comment(place))

    def layers(self) -> Iterator[str]:
        for together in groups(tuple(place for place in self.template.places if self.made(place))):
            quiet = together[0].step.name in self.quiet
            condition = together[0].condition
            if condition and not quiet and any(place.step.call for place in together):
                # the flag says it again, shorter
                yield f"if {attribute(condition.name)}:"
            for place in together:
                yield from self.layer(place, quiet)

    def layer(self, place: Place, quiet: bool) -> Iterator[str]:
        step, condition = place.step, place.condition
        if step.call is None:
            return
        if self.comment(place):
            yield self.comment(place)
        if quiet and condition:
            asks = attribute(condition.name) if condition in self.kept() else condition.text
            yield assigned(step.name, f"{text(step.call)} if {asks} else nn.Identity()")
        else:
            yield ("    " if condition else "") + assigned(step.name, text(step.call))

    def say(self, place: Place, taken: list[Expression]) -> Expression:
        """A step applied to its inputs."""
        step = place.step
        heavy = step.role in {"weights", "block"}
        if step.call is not None and self.made(place):
            return joined(f"{attribute(step.name)}({', '.join(['{}'] * len(taken))})", taken, heavy)
        if step.role == "join" and len(taken) == 2 and taken[1].text == "x":
            taken = taken[::-1]
        return taken[0] if step.function == "{}" else joined(step.function, taken, heavy)
