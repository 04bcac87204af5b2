"""How networks are trained and compared: what is the same for every one of them (docs/compare.md has the reasons)."""

from math import cos, pi
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from archspec.graph import Frozen

Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]
GRID = (0.0005, 0.002, 0.008, 0.032)
"""Learning rates that are tried for every network."""
ADDITIONS = 4
"""By how many rates that grid may grow."""


class Recipe(Frozen):
    """How one network is trained."""

    steps: Annotated[int, Field(gt=0)] = 240
    """of the optimiser"""
    interval: Annotated[int, Field(gt=0)] = 12
    """steps from one evaluation to the next"""
    batch: Annotated[int, Field(gt=0)] = 32
    """images of a step"""
    warmup: Annotated[int, Field(ge=0)] = 24
    """steps in which the rate rises from 0"""
    schedule: Literal["constant", "cosine"] = "constant"
    """of the rate after that"""
    average: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """decay of the moving average of the weights and running statistics, which is what is evaluated"""
    decay: Annotated[float, Field(ge=0)] = 0.01
    """AdamW's decay of the weights"""
    auxiliary: Annotated[float, Field(ge=0)] = 0.3
    """weight of the losses of further outputs (GoogLeNet, section 5)"""
    augment: Literal["none", "flip", "crop", "crop-flip"] = "none"
    """what is drawn for every training image: a mirror image, a crop after padding by an eighth"""
    dtype: Literal["float32", "float64"] = "float32"

    @property
    def evaluations(self) -> int:
        return -(-self.steps // self.interval)

    def rate(self, step: int) -> float:
        """The share of the learning rate that a step, counted from 0, is made with."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        if self.schedule == "constant":
            return 1.0
        return (1 + cos(pi * (step - self.warmup) / max(1, self.steps - self.warmup))) / 2

    def averaging(self, step: int) -> float:
        """The decay of the average after a step, counted from 0: none at first, so that the beginning is forgotten."""
        return min(self.average, step / (9 + step))


class Protocol(Frozen):
    """How networks are compared."""

    recipe: Recipe = Recipe()
    rates: Annotated[tuple[Rate, ...], Field(min_length=1)] = GRID
    """learning rates to choose from; a single one leaves no choice"""
    additions: Annotated[int, Field(ge=0)] = 0
    """how many rates may be added at most, beyond an edge of the grid that the best rate of a network is at"""
    seeds: Annotated[int, Field(gt=0)] = 5
    """how many times each is trained: seeds 0, 1, …"""
    fractions: Annotated[tuple[Share, ...], Field(min_length=1)] = (1.0, 0.25, 0.1, 0.05)
    """of the training images, the largest first"""
    target: Annotated[float, Field(gt=0, le=1)] = 0.95
    """validation accuracy whose first reaching is counted"""

    @model_validator(mode="after")
    def check(self) -> Self:
        for what in (self.rates, self.fractions):
            if len(set(what)) < len(what):
                raise ValueError(f"a number stands twice in {', '.join(map(str, what))}")
        return self
