"""Where an operator of torch is read: what is known of the program so far, and what the operator says and is given."""

from dataclasses import dataclass, field
from typing import Any

import torch
from msgspec import Struct

from archspec.decompile import Tensor
from archspec.decompile.layouts import No, Reading, Site, Value
from archspec.tensor import shape_text
from archspec_torch.checkpoint import array
from archspec_torch.program import Constant, Program, Step, Told


@dataclass(slots=True, eq=False)
class TensorCell:
    """What a tensor holds at this moment."""

    value: Any
    storage: object
    """the memory, which views share"""


class TorchAffine(Struct, frozen=True):
    """A value as another one times a factor, plus a constant, for each channel."""

    x: Value
    factor: torch.Tensor
    shift: torch.Tensor
    keys: frozenset[str]
    """of the tensors that these numbers are from"""


@dataclass(slots=True)
class TorchWalk(Reading):
    """What is known while a program is read, step by step."""

    program: Program
    batch: int
    cells: dict[Step, TensorCell] = field(default_factory=dict)
    affine: dict[str, TorchAffine] = field(default_factory=dict)
    """the nodes that multiply by constants and add some, by their paths"""
    fixed: dict[str, str] = field(default_factory=dict)
    """where in the model these are"""

    def values(self, argument: Any) -> Any:
        """An argument with the values of the steps in it."""
        if isinstance(argument, Step):
            return self.cells[argument].value
        if isinstance(argument, (list, tuple)):
            return [self.values(part) for part in argument]
        return argument


class TorchPlace(Site, frozen=True):
    """Where an operator of torch is read."""

    reading: TorchWalk
    step: Step

    @property
    def shape_told(self) -> tuple[int, ...]:
        """The shape that torch says; raises `No` where it is not known."""
        return known_shape(self.step)

    @property
    def sides(self) -> tuple[int, ...]:
        """The shape that torch says, without the batch; raises `No` where the batch is not the first dimension."""
        shape = self.shape_told
        if not shape or shape[0] != self.reading.batch:
            raise No(f"it gives {shape_text(shape)}, which is not a batch")
        return shape[1:]

    @property
    def used(self) -> bool:
        """Whether anything takes what the operator gives."""
        return bool(self.step.users) or self.step in self.reading.program.outputs

    @property
    def alone(self) -> bool:
        """Whether only this operator takes the value that it is given."""
        given = [source for source in self.step.sources if isinstance(self.reading.cells[source].value, Value)]
        return len(given) == 1 and len(given[0].users) == 1 and given[0] not in self.reading.program.outputs

    def tensor(self, x: Any) -> Tensor:
        """A weight, or running statistics; raises `No`."""
        if not isinstance(x, Constant):
            raise No("its weights are computed")
        # two names may be of one tensor
        return Tensor(x.key, lambda: array(x.key, x.tensor), x.tensor.data_ptr() or None, not x.turned)

    def trained(self, x: Any) -> Constant:
        """A parameter; raises `No`."""
        if not isinstance(x, Constant):
            raise No("its weights are computed")
        if not x.trained:
            raise No(f"its weight `{x.key}` is not trained")
        return x


def known_shape(step: Step) -> tuple[int, ...]:
    """The shape that is said of a tensor; raises `No`."""
    shape = step.told.shape if isinstance(step.told, Told) else (None,)
    known = tuple(side for side in shape if side is not None)
    if len(known) != len(shape):
        raise No("the size of what it gives is not known")
    return known


def where(step: Step) -> str:
    """The place of a step in the model: its module, or its own name."""
    return (step.around[-1].path if step.around else "") or step.name
