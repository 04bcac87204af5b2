"""Images in memory: what readers give and data sets are made of."""

from collections.abc import Iterable

import numpy as np
from msgspec import Struct

from archspec.errors import Refusal

Images = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
"""N×h×w×3"""
Labels = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
"""N"""
Side = tuple[int, int]
"""height, width"""


class WrongData(Refusal):
    """A data set cannot be read, or nothing can be learnt from it."""


class Part(Struct, frozen=True):
    """Images with their labels."""

    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, places: np.ndarray[tuple[int], np.dtype[np.int64]]) -> "Part":
        return Part(self.images[places], self.labels[places])


Parts = dict[str, Part]
"""train, and validation and test where the data set has them"""


def coloured(images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Images:
    """Images N×h×w, N×h×w×1 or N×h×w×3 as N×h×w×3; raises `WrongData`."""
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[3] not in (1, 3):
        raise WrongData(f"images are N×h×w, N×h×w×1 or N×h×w×3, not {'×'.join(map(str, images.shape))}")
    return np.repeat(images, 3, axis=3) if images.shape[3] == 1 else images


def resized(images: Images, side: Side | None) -> Images:
    """Images brought to another size, by bilinear interpolation over the pixels that each covers."""
    if side is None or images.shape[1:3] == side:
        return images
    return stacked((resized_one(image, side) for image in images), len(images), side)


def resized_one(image: Images, side: Side) -> Images:
    from PIL import Image

    height, width = side
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def stacked(images: Iterable[Images], count: int, side: Side) -> Images:
    """Images of one size, one after the other, in one array."""
    made = np.empty((count, *side, 3), np.uint8)
    for i, image in enumerate(images):
        made[i] = image
    return made
