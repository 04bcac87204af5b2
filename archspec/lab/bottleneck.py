"""What is lost at the level of a block: linear bottlenecks against such that end in ReLU6, trained side by side.

Both are the bundled spec `lesson_linear_bottleneck`, except for one parameter; docs/compare.md says how they are
compared.
"""

from pathlib import Path

from archspec.limits import DEFAULT_LIMITS
from archspec.train.compare import Comparison, Told, compare
from archspec.train.data import prepare
from archspec.train.members import members
from archspec.train.protocol import Protocol, Recipe
from archspec.train.scale import Scale

MEMBERS = ("linear=lesson_linear_bottleneck@relu=false", "relu6=lesson_linear_bottleneck@relu=true")
PROTOCOL = Protocol(
    recipe=Recipe(steps=400, interval=20, warmup=40), rates=(0.006, 0.012, 0.024), seeds=8, fractions=(1.0,), target=0.8
)


def trained(folder: Path, jobs: int, told: Told) -> Comparison:
    """Train both on the digits, with runs in a folder; raises `Refusal`."""
    data = prepare("digits", None, folder / "data")
    chosen = members(MEMBERS, {}, Scale(), len(data.classes), data.side, DEFAULT_LIMITS)
    return compare(chosen, data, PROTOCOL, "torch", folder / "runs", jobs=jobs, told=told)
