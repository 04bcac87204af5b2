"""Walking a program of torch: what each of its values is in a flat Graph.

Operators that change a tensor in place are followed: whoever holds that tensor sees the change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from archspec import ops
from archspec.decompile import Builder, Model, Unreadable, shape_of
from archspec.decompile.layouts import Layout, Lost, No, Value, output_path, refused, settled
from archspec.tensor import shape_text
from archspec_torch import claims
from archspec_torch.decompile.handlers import HANDLERS
from archspec_torch.decompile.handlers.registry import Handler
from archspec_torch.decompile.handlers.views import SHARING, VIEWS
from archspec_torch.decompile.walk import TensorCell, TorchPlace, TorchWalk, known_shape, where
from archspec_torch.program import Constant, NotKnown, Program, Step, Told, modules

MOST_SHOWN = 4
CHECKS = frozenset(
    {
        "_assert_async",
        "_assert_scalar",
        "_assert_tensor_metadata",
        "sym_constrain_range",
        "sym_constrain_range_for_size",
    }
)
"""Operators that compute nothing: they say what must hold."""


@dataclass(slots=True)
class TorchReader:
    """Reads one program."""

    program: Program
    name: str
    origin: str
    undone: set[str] = field(default_factory=set)
    walk: TorchWalk = field(init=False)
    order: dict[Step, int] = field(init=False)

    @property
    def builder(self) -> Builder:
        return self.walk.builder

    def read(self) -> Model:
        """The model; raises `CannotSay`."""
        return settled(self.attempt)

    def attempt(self) -> Model:
        steps = self.program.steps
        self.order = {step: place for place, step in enumerate(steps)}
        self.begin(self.program.images)
        for step in steps:
            if step.target:
                self.call(step)
            elif step in self.program.images:
                layout: Layout = "chw" if len(self.builder.input_shape) == 3 else "flat"
                self.hold(step, Value(self.builder.input, layout))
            else:
                self.hold(step, self.program.constants.get(step.name, step.told))
        return self.finish()

    def begin(self, images: Sequence[Step]) -> None:
        """Look at the input; raises `Unreadable`."""
        if len(images) != 1 or not isinstance(images[0].told, Told):
            raise Unreadable(f"{self.origin} takes {len(images)} inputs, and not one image")
        shape = tuple(side for side in images[0].told.shape if side is not None)
        if len(shape) not in {2, 4} or len(shape) != len(images[0].told.shape) or min(shape, default=0) < 1:
            sides = "×".join("?" if side is None else str(side) for side in images[0].told.shape)
            raise Unreadable(f"{self.origin} takes {sides}: an input is N×c×h×w or N×c, all but N known")
        self.walk = TorchWalk(Builder(self.name, self.origin, shape_of(shape)), self.undone, self.program, shape[0])

    # ---- one operator ----

    def hold(self, step: Step, value: Any, cell: TensorCell | None = None, storage: object = None) -> None:
        """A step's value, in a cell of its own or in one that others hold as well."""
        if cell is None:
            cell = TensorCell(value, storage if storage is not None else object())
        cell.value = value
        self.walk.cells[step] = cell

    def call(self, step: Step) -> None:
        sources = step.sources
        storage = self.walk.cells[sources[0]].storage if sources and step.kind in SHARING else None
        cell = self.walk.cells[sources[0]] if step.in_place and sources else None
        handler = HANDLERS.get(step.kind)
        if handler is None and (step.kind in CHECKS or isinstance(step.told, (int, float, NotKnown))):
            self.hold(step, step.told)  # the size of something, which shapes tell as well
            return
        try:
            value = self.handled(handler, step, sources[0] if step.in_place and sources else None)
        except (No, ValidationError) as error:
            if not any(isinstance(self.walk.cells[source].value, Lost) for source in sources):
                self.builder.trouble(f"`{step.target}`", where(step), refused(error))
            value = self.stand_in(step)
        self.hold(step, value, cell, storage)

    def handled(self, handler: Handler | None, step: Step, changed: Step | None) -> Any:
        """What an operator gives; raises `No`."""
        if handler is None:
            self.builder.trouble(f"`{step.target}`", where(step))
            return self.stand_in(step)
        if self.program.claimed:
            claims.check(step)
        if changed is not None:
            self.check_seen(step, changed)
        place = TorchPlace(self.walk, step.name, modules(step), step)
        arguments = {name: self.walk.values(argument) for name, argument in step.arguments.items()}
        for name, other in (("self", "input"), ("input", "self")):  # one thing under two names
            if name in arguments:
                arguments.setdefault(other, arguments[name])
        value = handler(place, arguments)
        if isinstance(value, Value) and place.sides != place.laid(value):
            raise No(f"it gives {shape_text(place.sides)}, and ours would give {shape_text(place.laid(value))}")
        if isinstance(value, Value) and step.told.dtype != self.program.images[0].told.dtype:
            raise No(f"it changes the type of numbers to {step.told.dtype}")
        return value

    def stand_in(self, step: Step) -> Value | Lost:
        """What an operator gives that the language cannot express, so that those after it are looked at too.

        There is one only where no other order of dimensions is possible.
        """
        given = [self.walk.cells[source].value for source in step.sources]
        values = [value for value in given if isinstance(value, Value)]
        if step.kind in VIEWS or not values or not all(isinstance(value, (Value, Constant)) for value in given):
            return Lost()
        layouts = {value.layout for value in values}
        try:
            shape = known_shape(step)
        except No:
            return Lost()
        laid: dict[int, set[Layout]] = {4: {"chw"}, 2: {"flat"}}
        if layouts != laid.get(len(shape)) or shape[0] != self.walk.batch or min(shape) < 1:
            return Lost()
        path = self.builder.fresh("lost")
        self.builder.place(path, ops.Input(shape=shape_of(shape)), (), shape_of(shape))
        return Value(path, values[0].layout, frozenset[str]().union(*(value.flattened for value in values)))

    def check_seen(self, step: Step, changed: Step) -> None:
        """Raise `No` where a change in place is seen through a view that is used later."""
        own = self.walk.cells[changed]
        for holder, cell in self.walk.cells.items():
            seen = cell is not own and cell.storage is own.storage
            later = holder in self.program.outputs or any(self.order[u] > self.order[step] for u in holder.users)
            if seen and later:
                raise No("it changes a tensor in place that is used later in another form")

    # ---- the end ----

    def finish(self) -> Model:
        outputs: dict[str, str] = {}
        found = self.program.outputs
        if not found:
            raise Unreadable(f"{self.origin} gives no tensor")
        for key in self.program.changed:
            self.builder.trouble(f"the tensor `{key}`", "the end", "the model changes it")
        for step, name in zip(found, self.output_names(len(found)), strict=True):
            value = self.walk.cells[step].value
            try:
                if isinstance(value, Value):
                    outputs[name] = output_path(self.builder, value)
                elif not isinstance(value, Lost) or not self.builder.troubles:
                    raise No("it is not a tensor of the language")
            except No as error:
                self.builder.trouble("an output", step.name, str(error))
        return self.builder.finish(outputs, [] if self.builder.troubles else list(self.notes()))

    def notes(self) -> Iterator[str]:
        """What of the model is not in the Graph."""
        held = {name for name in self.program.keys if not name.endswith("num_batches_tracked")}
        computed = {key for made in self.walk.affine.values() for key in made.keys}
        left = sorted(held - computed - {tensor.key for tensor in self.builder.tensors.values()})
        if left:
            tops = ", ".join(dict.fromkeys(key.partition(".")[0] for key in left))
            yield f"Evaluation does not use {len(left)} of its tensors ({tops}): they are left out."
        if self.walk.fixed:
            places = ", ".join(list(dict.fromkeys(self.walk.fixed.values()))[:MOST_SHOWN])
            yield f"It computes with constants ({places}): here they are weights, which only a file of weights has."

    def output_names(self, count: int) -> list[str]:
        """What the outputs are called: `output` the first, the others by the keys of a dictionary or numbered."""
        names = [f"output_{place}" for place in range(1, count + 1)]
        if len(self.program.names) == count:
            names = list(self.program.names)
        return ["output", *names[1:]]
