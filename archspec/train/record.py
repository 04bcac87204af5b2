"""What a run has come to, evaluation by evaluation. Engines train and measure; what it means is said here."""

from math import sqrt
from statistics import median
from typing import Annotated, Literal

from pydantic import Field

from archspec.graph import Frozen

Status = Literal["converged", "not converged", "diverged"]
GAIN, FALL, ERRORS = 0.005, 0.05, 1.645
"""A run has converged when it has learnt something, and the best validation accuracy (the median of three) of its last
third is not above the best before by more than the first, nor below it by more than the second. What chance adds in one
of twenty cases, the third in standard errors of an accuracy, is not a gain."""


class Point(Frozen):
    """An evaluation of the averaged weights on the validation images."""

    step: int
    """steps made"""
    loss: float | None
    """in training, the mean since the last evaluation; None where it is not a number"""
    validation_loss: float | None
    validation: float
    """accuracy"""


class Record(Frozen):
    """A run that has ended."""

    points: tuple[Point, ...]
    test: float
    """accuracy of the averaged weights at the best evaluation, on the test images"""
    train: float
    """and on those that it was trained on"""
    images: Annotated[int, Field(gt=0)]
    """how many each validation accuracy is of"""

    @property
    def best(self) -> Point:
        return best(self.points)

    @property
    def gap(self) -> float:
        """How much better it is on what it was trained on: overfitting."""
        return self.train - self.test

    @property
    def diverged(self) -> bool:
        return self.points[-1].loss is None or self.points[-1].validation_loss is None

    @property
    def status(self) -> Status:
        if self.diverged:
            return "diverged"
        smooth = self.smooth()
        end = len(smooth) - len(smooth) // 3
        before, last = max(smooth[:end]), max(smooth[end:], default=max(smooth))
        learnt = before > min(smooth[0], 1 - 2 * GAIN) + GAIN  # or could do all from the first evaluation on
        told = max(GAIN, ERRORS * sqrt(before * (1 - before) / self.images))
        return "converged" if learnt and -FALL <= last - before <= told else "not converged"

    def smooth(self) -> list[float]:
        """The median of the last three validation accuracies, at every evaluation."""
        found = [point.validation for point in self.points]
        return [median(found[max(0, i - 2) : i + 1]) for i in range(len(found))]

    def reached(self, target: float) -> int | None:
        """Steps until the median of the last three validation accuracies was the target; None where it never was."""
        for point, value in zip(self.points[2:], self.smooth()[2:], strict=True):
            if value >= target:
                return point.step
        return None


def best(points: "tuple[Point, ...] | list[Point]") -> Point:
    """The best evaluation: by accuracy, then by loss, then the first."""
    return max(points, key=merit)


def merit(point: Point) -> tuple[float, float]:
    loss = point.validation_loss
    return point.validation, -(loss if loss is not None else float("inf"))
