"""How good a model is on images, whatever framework runs it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from msgspec import Struct

from archspec.backend import Builds
from archspec.graph import Graph
from archspec.train.batches import Batch


class Measured(Struct, frozen=True):
    """What a model came to on some images."""

    images: int
    loss: float
    """mean cross-entropy"""
    accuracy: float
    top5: float
    """share whose class is among the five that it finds likeliest"""
    confusion: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    """classes × classes: images of a class (row) that it took for another (column)"""


def measured(backend: Builds, model: Any, graph: Graph, batches: Iterable[Batch]) -> Measured:
    """Run a model on batches whose images are normal; its first output are the logits."""
    classes = graph.output.shape[-1]
    confusion = np.zeros((classes, classes), np.int64)
    lost, among = 0.0, 0
    for images, labels in batches:
        logits = backend.run(model, graph, images)["output"].reshape(len(labels), -1).astype(np.float64)
        of_class = np.take_along_axis(logits, labels[:, None], 1)
        most = logits.max(1, keepdims=True)
        lost += float((np.log(np.exp(logits - most).sum(1)) + (most - of_class)[:, 0]).sum())
        among += int(((logits > of_class).sum(1) < 5).sum())
        np.add.at(confusion, (labels, logits.argmax(1)), 1)
    count = int(confusion.sum())
    return Measured(count, lost / count, int(np.trace(confusion)) / count, among / count, confusion)
