"""Data sets: what `--data` says -> images and labels on disk, parted into training, validation and test.

They are laid down once, as .npy files that every process maps into its memory, under a name that follows from what they
are. What is drawn at random is drawn with a fixed seed: every run of every comparison has the same parts.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from msgspec import Struct
from msgspec.structs import asdict

from archspec.train.images import Images, Labels, Part, Parts, Side, WrongData
from archspec.train.readers import Reader, reader

VALIDATION, LARGEST, TEST = 0.15, 0.3, 0.25
"""Shares of what a data set has, where it does not say itself what is for validation or for testing."""
ENOUGH = 500
"""Images for validation: of fewer, two or three decide. A small data set gives a larger share of what it has."""
ABOUT = "data.json"


class Data(Struct, frozen=True):
    """A data set on disk."""

    source: str
    """as `--data` has it"""
    digest: str
    """SHA-256 of its parts"""
    classes: tuple[str, ...]
    sizes: Mapping[str, int]
    """images of every part: train, validation, test"""
    side: Side
    """height and width of its images"""
    mean: tuple[float, ...]
    """of the training images' channels, of 1"""
    deviation: tuple[float, ...]
    folder: str = ""
    """where its files lie"""

    def part(self, name: str) -> Part:
        """A part, mapped into memory."""
        return Part(*mapped(self.folder, name))

    def normal(self, images: Images, dtype: str) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]]:
        """Images as a network takes them: N×h×w×3, every channel with the training images' mean 0 and deviation 1."""
        kind = np.dtype(dtype)
        mean, deviation = np.asarray(self.mean, kind), np.asarray(self.deviation, kind)
        return (images.astype(kind) / kind.type(255) - mean) / deviation  # type: ignore[no-any-return]


@lru_cache(maxsize=8)
def mapped(folder: str, name: str) -> tuple[Images, Labels]:
    images, labels = (np.load(Path(folder) / f"{name}_{what}.npy", mmap_mode="r") for what in ("images", "labels"))
    return images, labels


def prepare(source: str, side: Side | None, folder: Path) -> Data:
    """Read a data set and lay it down in a folder, or find it there; raises `WrongData` or `OSError`.

    `side` is the height and width to bring its images to; images that are files need one, others have their own.
    """
    found = reader(source)
    name = hashlib.sha256(json.dumps([source, side, found.stamp()]).encode()).hexdigest()[:16]
    place = folder / name
    if not (place / ABOUT).exists():
        lay(found, source, side, place)
    about = json.loads((place / ABOUT).read_text("utf-8"))
    tuples = {key: tuple(about[key]) for key in ("classes", "side", "mean", "deviation")}
    return Data(**about | tuples, folder=str(place.resolve()))


def lay(found: Reader, source: str, side: Side | None, place: Path) -> None:
    """Write the parts of a data set into a folder, all or nothing."""
    classes, parts = found.read(side)
    parts = parted(parts)
    check(source, classes, parts)
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=place.parent, prefix="."))
    try:
        digest = hashlib.sha256(json.dumps(classes).encode())
        for name, part in sorted(parts.items()):
            for what, array in (("images", part.images), ("labels", part.labels)):
                np.save(temporary / f"{name}_{what}.npy", array)
                digest.update(str(array.shape).encode())
                digest.update(np.ascontiguousarray(array).data)
        height, width = parts["train"].images.shape[1:3]
        mean, deviation = moments(parts["train"].images)
        sizes = {name: len(part) for name, part in parts.items()}
        about = Data(source, digest.hexdigest(), tuple(classes), sizes, (height, width), mean, deviation)
        (temporary / ABOUT).write_text(json.dumps({k: v for k, v in asdict(about).items() if k != "folder"}), "utf-8")
        shutil.rmtree(place, ignore_errors=True)
        temporary.replace(place)
    except OSError:
        if not (place / ABOUT).exists():  # another process was faster
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def moments(images: Images) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of every channel, of 1; some thousand images at a time."""
    count, total, squares = 0, np.zeros(3), np.zeros(3)
    for start in range(0, len(images), 1000):
        part = images[start : start + 1000].reshape(-1, 3) / 255.0
        count += len(part)
        total += part.sum(0)
        squares += (part**2).sum(0)
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 1e-6))
    return tuple(mean.tolist()), tuple(deviation.tolist())


def parted(parts: Parts) -> Parts:
    """Parts with a validation and a test, parted off by class where the data set has none."""
    if "test" not in parts:
        rest, test = divided(parts["train"], TEST, 1)
        parts = {**parts, "train": rest, "test": test}
    if "validation" not in parts:
        share = min(LARGEST, max(VALIDATION, ENOUGH / len(parts["train"])))
        rest, validation = divided(parts["train"], share, 2)
        parts = {**parts, "train": rest, "validation": validation}
    return parts


def divided(part: Part, share: float, seed: int) -> tuple[Part, Part]:
    """A part without a share of every class, and that share."""
    off = np.zeros(len(part), bool)
    for members in by_class(part.labels, seed):
        off[members[: round(share * len(members))]] = True
    return part.take(np.flatnonzero(~off)), part.take(np.flatnonzero(off))


def by_class(labels: Labels, *seed: int) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The places of every class, in an order drawn at random."""
    generator = np.random.default_rng([len(labels), *seed])
    return [generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]


def subset(labels: Labels, fraction: float, seed: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The places of a fraction of every class, one image at least; smaller fractions lie within larger ones."""
    parts = [members[: max(1, round(fraction * len(members)))] for members in by_class(labels, 3, seed)]
    return np.sort(np.concatenate(parts))


def check(source: str, classes: tuple[str, ...], parts: Parts) -> None:
    """Raise `WrongData` for parts that nothing can be learnt from."""
    for name, part in parts.items():
        if not len(part):
            raise WrongData(f"{source} has no images for {name}", "every class needs some")
        low, high = int(part.labels.min()), int(part.labels.max())
        if low < 0 or high >= len(classes):
            raise WrongData(f"{source} has the label {low if low < 0 else high}, and {len(classes)} classes")
    missing = len(classes) - len(np.unique(parts["train"].labels))
    if len(classes) < 2 or missing:
        raise WrongData(f"{source} has {missing} classes without training images, of {len(classes)}" if missing
                        else f"{source} has one class")  # fmt: skip
