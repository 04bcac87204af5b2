"""`Template` -> the text of a function that applies the layers of a block, a line for each."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from archspec.emit.calls import REQUIRED
from archspec.emit.flow import VARIABLES, Expression, Flow, Say, inputs
from archspec.emit.steps import Source, Step
from archspec.emit.templates import Parameter, Place, Template, identifier
from archspec.emit.text import text, written
from archspec.graph import Graph
from archspec_keras.names import layer_name, model_name

Comment = Callable[[Place], str]
"""A comment that stands before the first step of a row; empty for none."""
MANY = 3
"""So many operands have names of their own."""
LAYERS, OPERATIONS = "layers.", "keras.ops."
SEVERAL = "[]"
"""The function of a step whose layer takes a list."""
KEPT = frozenset({"KerasTensor", "enumerate", "i", "keras", "layers", "math", "name", "range"})
"""Names that mean something else in the written file."""


def function_text(template: Template, docstring: str) -> str:
    """A block of the written file."""
    given = [f"{name}: KerasTensor" for name in inputs(template)]
    needed = [parameter_text(parameter) for parameter in template.parameters]
    gives = ", ".join(["KerasTensor"] * len(template.outputs))
    gives = gives if len(template.outputs) == 1 else f"tuple[{gives}]"
    head = f"def {template.name}({', '.join([*given, *needed, '*', 'name: str'])}) -> {gives}:"
    lines = [head, *([f"    {docstring}"] if docstring else []), *(f"    {line}" for line in body(template))]
    return "\n".join(lines)


def parameter_text(parameter: Parameter) -> str:
    default = "" if parameter.default is REQUIRED else f" = {text(parameter.default)}"
    return f"{parameter.name}: {parameter.annotation}{default}"


def body(template: Template) -> Iterator[str]:
    """The statements of a block."""
    asked = Counter(place.condition for place in template.places if place.condition)
    kept = {c.name: c for c, times in asked.items() if c.text != c.name and ("x.shape" in c.text or times > 1)}
    yield from (f"{name} = {condition.text}" for name, condition in kept.items())

    def flag(place: Place) -> str:
        condition = place.condition
        return "" if condition is None else condition.name if condition.name in kept else condition.text

    taken = frozenset({*KEPT, *kept, *(parameter.name for parameter in template.parameters), *functions(template)})
    yield from Lines(template, speaker(within_block), flag, taken, wide=True).run()


def network_text(template: Template, graph: Graph, comment: Comment) -> str:
    """The function that makes the model."""
    taken = frozenset({*KEPT, "inputs", *functions(template)})
    flow = Lines(template, speaker(within_network), lambda place: "", taken, True, comment=comment, returns=False)
    outputs = flow.statements()
    gives = outputs[0] if len(outputs) == 1 else f"[{', '.join(outputs)}]"
    first = f'x = inputs = keras.Input({text(graph.input.shape)}, name="{layer_name(graph.input.path)}")'
    last = f'return keras.Model(inputs, {gives}, name="{model_name(graph.name)}")'
    lines = [f"    {line}" for line in (first, *flow.lines, last)]
    return "\n".join([f"def {template.name}() -> keras.Model:", *lines])


def functions(template: Template) -> Iterator[str]:
    """The functions that a block calls, whose names its variables must leave alone."""
    for place in template.places:
        if place.step.call is not None and isinstance(place.step.call.function, str):
            yield place.step.call.function


# ---- names of layers ----


def within_block(step: str, formatted: bool) -> str:
    return f'f"{{name}}-{step}"'


def within_network(step: str, formatted: bool) -> str:
    return f'{"f" * formatted}"{layer_name(step)}"'


def speaker(naming: Callable[[str, bool], str]) -> Say:
    """What applies a step to its inputs."""

    def say(place: Place, taken: list[Expression]) -> Expression:
        step = place.step
        name = naming(step.name, False) if place.count is None else naming(f"{step.base}_{{i}}", True)
        return applied(step, taken, name)

    return say


def applied(step: Step, taken: list[Expression], name: str) -> Expression:
    assert step.call is not None
    operands = ", ".join(expression.text for expression in taken)
    reads = tuple(name for expression in taken for name in expression.reads)
    called = text(step.call.function) if not isinstance(step.call.function, str) else step.call.function
    arguments = list(written(step.call.arguments))
    if called.startswith(LAYERS):
        several = f"[{operands}]" if step.function == SEVERAL else operands
        return Expression(f"{called}({', '.join([*arguments, f'name={name}'])})({several})", True, reads)
    if called.startswith(OPERATIONS):
        return Expression(f"named({called}({', '.join([operands, *arguments])}), name={name})", True, reads)
    return Expression(f"{called}({', '.join([operands, *arguments, f'name={name}'])})", True, reads)


# ---- statements ----


@dataclass(slots=True)
class Lines(Flow):
    """Statements, each of which applies a layer or a block."""

    comment: Comment = lambda place: ""
    returns: bool = True
    """whether the last one may be what the function returns"""

    def segment(self, places: list[Place]) -> None:
        place, flag = places[0], self.flag(places[0])
        if self.comment(place):
            self.lines.append(self.comment(place))
        if not flag and place.count is None:
            Flow.segment(self, places)
            return
        own: dict[Source, Expression] = {}
        before = self.take(place.step.inputs[place.past])
        within = {(each.step.name, 0) for each in places}
        read = [self.take(source) for each in places for source in each.step.inputs if source not in within]
        target = self.target(places[-1].step, [*read, before] if flag else read, before.text)
        if target != before.text:
            self.lines.append(f"{target} = {before.text}")
        self.lines.append(f"if {flag}:" if flag else passes(place))
        own[place.step.inputs[place.past]] = Expression(target)
        for each in places:
            value = [own.get(source) or self.take(source) for source in each.step.inputs]
            self.lines.append(f"    {target} = {self.say(each, value).text}")
            own = {(each.step.name, 0): Expression(target)}

    def target(self, step: Step, read: list[Expression], before: str) -> str:
        """The variable that holds the value, whether the steps are there or not."""
        for expression in read:
            self.left[expression.text] -= 1
        found = before
        if self.left[before]:
            others = {expression.text for expression in read}
            free = [name for name in self.left if not self.left[name] and name not in others]
            own = identifier(step.name)
            found = free[0] if free else self.new((*VARIABLES, own), own)
        self.hold((step.name, 0), found)
        return found

    def stays(self, step: Step, made: Expression) -> bool:
        return self.returns and len(self.template.outputs) == 1 and self.users.get((step.name, 0)) == [None]

    def variable(self, step: Step, source: Source, made: Expression) -> str:
        """A variable for a value; the branches of a wide join have names of their own."""
        users = self.users.get(source, [])
        own = identifier(step.name)
        if len(users) == 1 and users[0] is not None and len(users[0].inputs) >= MANY:
            name = self.new((own,), own)
        else:
            free = [name for name in (*made.reads, *self.left) if not self.left[name]]
            name = free[0] if free else self.new((*VARIABLES, own), own)
        self.hold(source, name)
        return name


def passes(place: Place) -> str:
    """The head of a loop over the layers of a row."""
    step = place.step
    if step.over is not None:
        name, values = step.over
        return f"for i, {name} in enumerate({text(values)}, {step.first}):"
    last = f"{text(place.count)} + {step.first}" if not isinstance(place.count, int) else f"{place.count + step.first}"
    return f"for i in range({step.first}, {last}):"
