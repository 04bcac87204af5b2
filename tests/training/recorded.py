"""`python -m training.recorded FOLDER`: one network, trained with many seeds, as golden/training/runs.json has it.

Whoever compares it with itself must find nothing: tests/training/test_verdicts.py.
"""

import json
import sys
from pathlib import Path

from training.small import digits, small

from archspec.train import runs
from archspec.train.protocol import Recipe
from archspec.train.record import Record
from archspec.train.scale import Scale, scaled
from archspec.train.task import Task

FILE = Path(__file__).parents[1] / "golden" / "training" / "runs.json"
RECIPE = Recipe(steps=100, interval=5, batch=32, warmup=10)
RATE, SEEDS, FRACTIONS = 0.02, 40, (1.0, 0.25)


def main(folder: Path) -> None:
    data = digits(folder / "data")
    graph = scaled(small(c=12), Scale(image=(16, 16, 3)))
    found = {
        str(fraction): [
            shortened(runs.execute(Task(graph, data, RECIPE, "torch", seed, fraction, RATE), folder / "runs"))
            for seed in range(SEEDS)
        ]
        for fraction in FRACTIONS
    }
    FILE.parent.mkdir(parents=True, exist_ok=True)
    held = {"images": data.sizes["test"], "validation": data.sizes["validation"], "runs": found}
    FILE.write_text(json.dumps(held, separators=(",", ":")) + "\n")


def shortened(record: Record) -> object:
    points = [
        [point.step, *(round(value, 5) for value in (point.loss, point.validation_loss, point.validation) if value)]
        for point in record.points
    ]
    return {"points": points, "test": round(record.test, 6), "train": round(record.train, 6)}


def read() -> tuple[int, dict[float, list[Record]]]:
    """The number of test images, and the runs of every fraction by their seeds."""
    held = json.loads(FILE.read_bytes())
    names = ("step", "loss", "validation_loss", "validation")
    return held["images"], {
        float(fraction): [
            Record.model_validate(
                {
                    **run,
                    "points": [dict(zip(names, point, strict=True)) for point in run["points"]],
                    "images": held["validation"],
                }
            )
            for run in found
        ]
        for fraction, found in held["runs"].items()
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
