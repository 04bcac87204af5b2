"""The images of a step: a pure function of the seed and the step, so that every network sees the same, and a run that
goes on after a stop sees what it would have seen.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from archspec.train.data import Data, subset
from archspec.train.images import Images, Labels, Part
from archspec.train.protocol import Recipe

Batch = tuple[np.ndarray[tuple[int, ...], np.dtype[np.floating]], Labels]
"""N×h×w×3, normal; N"""
CHUNK = 250
"""Images that are evaluated at a time."""
SEEN = 500
"""Training images at most that the accuracy on them is measured on."""


class Batches:
    """What a run trains on and is evaluated on."""

    def __init__(self, data: Data, recipe: Recipe, seed: int, fraction: float) -> None:
        self.data, self.recipe, self.seed, self.fraction = data, recipe, seed, fraction
        whole = data.part("train")
        self.places = subset(whole.labels, fraction, seed)
        self.train = whole

    def __reduce__(self) -> tuple[Any, ...]:
        # to another process go their names, not the images
        return Batches, (self.data, self.recipe, self.seed, self.fraction)

    def step(self, step: int) -> Batch:
        """The images of a step, counted from 0; epochs follow each other without a gap."""
        count, size = len(self.places), self.recipe.batch
        positions = np.arange(step * size, (step + 1) * size)
        drawn = [order(count, self.seed, int(p) // count)[int(p) % count] for p in positions]
        # in ascending order they are read faster from a file
        places = np.sort(self.places[drawn])
        images = augmented(self.train.images[places], self.recipe.augment, np.random.default_rng([8, self.seed, step]))
        return self.data.normal(images, self.recipe.dtype), np.array(self.train.labels[places])

    def evaluation(self, name: str) -> Iterator[Batch]:
        """A part in pieces: `validation`, `test`, or `train`: of what is trained on, some hundreds."""
        part = (
            self.train.take(self.places[:: -(-len(self.places) // SEEN)]) if name == "train" else self.data.part(name)
        )
        for chunk in chunks(part):
            yield self.data.normal(chunk.images, self.recipe.dtype), np.array(chunk.labels)


def chunks(part: Part) -> Iterator[Part]:
    for start in range(0, len(part), CHUNK):
        yield Part(part.images[start : start + CHUNK], part.labels[start : start + CHUNK])


@lru_cache(maxsize=4)
def order(count: int, seed: int, epoch: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The order of an epoch."""
    return np.random.default_rng([7, seed, epoch]).permutation(count)


def augmented(images: Images, how: str, generator: np.random.Generator) -> Images:
    """Images as they are trained on."""
    if "flip" in how:
        mirrored = generator.random(len(images)) < 0.5
        images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
    if "crop" in how:
        height, width = images.shape[1:3]
        down, across = height // 8, width // 8
        padded = np.pad(images, ((0, 0), (down, down), (across, across), (0, 0)))
        tops, lefts = (
            generator.integers(0, 2 * down + 1, len(images)),
            generator.integers(0, 2 * across + 1, len(images)),
        )
        images = np.stack(
            [image[y : y + height, x : x + width] for image, y, x in zip(padded, tops, lefts, strict=True)]
        )
    return images
