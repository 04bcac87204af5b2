"""One network, trained for its own sake: `Task` -> a folder with its weights and all that is needed to use them.

FOLDER/weights.safetensors    the best weights, in the canonical form
       trained.json           the Graph, the classes, how images are made normal, what it was trained with
       results.json           its curve, and its accuracies
       curves.svg, curves.png
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from msgspec.structs import replace
from pydantic import Field, ValidationError

from archspec.backend import Builds, get
from archspec.errors import Refusal
from archspec.escape import json_escaped
from archspec.files import write_whole
from archspec.graph import Frozen, Graph
from archspec.train import runs
from archspec.train.batches import chunks
from archspec.train.data import Data
from archspec.train.evaluation import Measured, measured
from archspec.train.figures import figure, written
from archspec.train.record import Record
from archspec.train.task import Task
from archspec.weights import load as load_weights

WEIGHTS, ABOUT, RESULTS = "weights.safetensors", "trained.json", "results.json"
NORMS: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    # https://github.com/pytorch/vision/blob/main/torchvision/transforms/_presets.py
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    # keras.applications' mode "tf": from -1 to 1
    "symmetric": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
"""Mean and deviation that images are made normal with, where not with the training images' own."""


class NotTrained(Refusal):
    """A folder does not hold a trained network."""

    exit_code = 3


class About(Frozen):
    """How a trained network is used."""

    format: str = "archspec-trained-1"
    graph: Graph
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    source: str
    """the data that it was trained on, as `--data` has them"""
    trained: dict[str, Any] = Field(default_factory=dict)
    """what it was trained with"""


def train(task: Task, folder: Path) -> Record:
    """Train, or go on, and lay the outcome down in a folder; raises `Refusal` or `OSError`."""
    record = runs.execute(task, folder / "runs", keep=True)
    data = task.data
    about = About(
        graph=task.graph,
        classes=data.classes,
        mean=data.mean,
        deviation=data.deviation,
        source=data.source,
        trained=task.about,
    )
    write_whole(folder / WEIGHTS, (folder / "runs" / task.key / runs.BEST).read_bytes())
    write_whole(folder / ABOUT, (json_escaped(about.model_dump_json(indent=1)) + "\n").encode())
    results = {**task.about, **record.model_dump(mode="json"), "status": record.status}
    write_whole(folder / RESULTS, (json.dumps(results, indent=1, sort_keys=True) + "\n").encode())
    drawn = figure(lambda axes: curve(axes, record))
    for form in ("svg", "png"):
        write_whole(folder / f"curves.{form}", written(drawn, form))
    return record


def curve(axes: Axes, record: Record) -> None:
    """Losses, and the validation accuracy on an axis of its own."""
    steps = [point.step for point in record.points]
    nan = float("nan")
    axes.plot(steps, [nan if p.loss is None else p.loss for p in record.points], color="#56b4e9", label="training loss")
    losses = [nan if p.validation_loss is None else p.validation_loss for p in record.points]
    axes.plot(steps, losses, color="#0072b2", linestyle="--", label="validation loss")
    axes.set(xlabel="optimiser steps", ylabel="cross-entropy", ylim=(0, None), xlim=(0, None))
    right = axes.twinx()
    right.plot(steps, [point.validation for point in record.points], color="#d55e00", label="validation accuracy")
    right.set(ylabel="accuracy", ylim=(0, 1.02))
    right.spines[["top"]].set_visible(False)
    lines = [*axes.get_lines(), *right.get_lines()]
    axes.legend(lines, [str(line.get_label()) for line in lines], frameon=False, loc="center right")


def opened(folder: Path) -> tuple[About, dict[str, Any]]:
    """What `train` laid down: how the network is used, and its weights; raises `Refusal` or `OSError`."""
    if not (folder / ABOUT).exists():
        raise NotTrained(f"{folder} is not a folder that `archspec train` wrote", f"it has no {ABOUT}")
    try:
        about = About.model_validate_json((folder / ABOUT).read_bytes())
    except ValidationError as error:
        raise NotTrained(f"{folder / ABOUT} cannot be read: {error.errors()[0]['msg']}") from None
    return about, load_weights(folder / WEIGHTS, about.graph, finite=False)


def evaluate(graph: Graph, weights: Mapping[str, Any], data: Data, part: str, backend: str) -> Measured:
    """How good weights are on a part of a data set; raises `Refusal`."""
    chosen = get(backend, Builds)
    if graph.output.shape[-1] != len(data.classes):
        raise Refusal(f"{graph.name} tells {graph.output.shape[-1]} classes apart, and the data has "
                           f"{len(data.classes)}")  # fmt: skip
    model = chosen.build(graph, weights=weights)
    held = chunks(data.part(part))
    return measured(chosen, model, graph, ((data.normal(chunk.images, "float32"), chunk.labels) for chunk in held))


def normalised(data: Data, how: str) -> Data:
    """The data made normal with other numbers than its own."""
    if how == "data":
        return data
    mean, deviation = NORMS[how]
    return replace(data, mean=mean, deviation=deviation)
