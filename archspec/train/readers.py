"""Readers: files in the formats that data sets are published in -> their images and labels. No file is executed."""

import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Protocol

import numpy as np

from archspec.diagnostics import did_you_mean
from archspec.train.images import Labels, Part, Parts, Side, WrongData, coloured, resized, stacked

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
NAMES = {"train": ("train", "training"), "validation": ("val", "valid", "validation"), "test": ("test", "testing")}
"""What folders of parts are called."""


class Reader(Protocol):
    """A data set that can be read."""

    def stamp(self) -> object:
        """What changes when it does; JSON."""
        ...

    def read(self, side: Side | None) -> tuple[tuple[str, ...], Parts]:
        """The names of its classes, and its parts; raises `WrongData` or `OSError`."""
        ...


def reader(source: str) -> Reader:
    """The reader that `--data` names; raises `WrongData`."""
    kind, colon, path = source.partition(":")
    make = READERS.get(kind)
    if make is None:
        raise WrongData(f"there is no data set `{kind}`", did_you_mean(kind, READERS) or f"but {', '.join(READERS)}")
    if kind in EMBEDDED:
        if colon:
            raise WrongData(f"`{kind}` is embedded and takes no path")
        return make(Path())
    if not path:
        raise WrongData(f"`{kind}` needs the path to its files", f"{kind}:PATH")
    return make(Path(path))


# ---- embedded ----


class Digits:
    """scikit-learn's digits (Alpaydin and Kaynak, 1998): 1797 images of 8×8, enlarged to 32×32."""

    SIDE: ClassVar[Side] = (32, 32)

    def __init__(self, path: Path) -> None:
        pass

    def stamp(self) -> object:
        return [1, version("scikit-learn"), version("pillow")]

    def read(self, side: Side | None) -> tuple[tuple[str, ...], Parts]:
        images, labels = digits()
        return tuple("0123456789"), {"train": Part(resized(coloured(images), side or self.SIDE), labels)}


@cache
def digits() -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], Labels]:
    """The digits as they are, N×8×8 from 0 to 255."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return np.round(found.images * (255 / 16)).astype(np.uint8), found.target.astype(np.int64)


class Clutter:
    """Digits on cluttered ground: one of 16 pixels anywhere on 32, among eight scraps of others, in noise.

    After the cluttered MNIST of Mnih et al., arXiv:1406.6247, section 4.1. The digits of one part are in no other.
    """

    SIDE: ClassVar[Side] = (32, 32)
    COUNTS: ClassVar = {"train": 3000, "validation": 500, "test": 1500}
    SHARES: ClassVar = {"train": (0.0, 0.55), "validation": (0.55, 0.7), "test": (0.7, 1.0)}
    SCRAPS: ClassVar = 8

    def __init__(self, path: Path) -> None:
        pass

    def stamp(self) -> object:
        return [1, version("scikit-learn"), version("pillow")]

    def read(self, side: Side | None) -> tuple[tuple[str, ...], Parts]:
        images, labels = digits()
        large = resized(coloured(images), (16, 16))[..., 0].astype(np.float64)
        order = np.random.default_rng(5).permutation(len(labels))
        parts = {}
        for i, (name, (low, high)) in enumerate(self.SHARES.items()):
            own = order[round(low * len(order)) : round(high * len(order))]
            made = self.drawn(large[own], labels[own], self.COUNTS[name], np.random.default_rng([6, i]))
            parts[name] = Part(resized(made.images, side), made.labels)
        return tuple("0123456789"), parts

    def drawn(self, digits: Any, labels: Labels, count: int, generator: np.random.Generator) -> Part:
        """Images of these digits."""
        height, width = self.SIDE
        images = np.zeros((count, height, width))
        chosen = generator.integers(len(labels), size=count)
        for image, digit in zip(images, chosen, strict=True):
            for scrap in generator.integers(len(labels), size=self.SCRAPS):
                top, left = generator.integers(0, 16 - 6, 2)
                y, x = generator.integers(0, height - 6), generator.integers(0, width - 6)
                image[y : y + 6, x : x + 6] += digits[scrap][top : top + 6, left : left + 6] * 0.7
            y, x = generator.integers(0, height - 15), generator.integers(0, width - 15)
            image[y : y + 16, x : x + 16] = np.maximum(image[y : y + 16, x : x + 16], digits[digit])
        noisy = images + generator.normal(0, 20, images.shape)
        return Part(coloured(np.clip(noisy, 0, 255).astype(np.uint8)), labels[chosen])


# ---- CIFAR ----


class Cifar:
    """CIFAR-10 or CIFAR-100 (Krizhevsky, 2009) as published: the python, matlab or binary version, packed or not."""

    def __init__(self, path: Path, classes: int) -> None:
        self.path, self.classes = path, classes

    def stamp(self) -> object:
        return files_stamp(self.path)

    def read(self, side: Side | None) -> tuple[tuple[str, ...], Parts]:
        files = opened(self.path)
        train, test = ("data_batch_1", "test_batch") if self.classes == 10 else ("train", "test")
        forms = {".bin": self.binary, ".mat": self.matlab, "": self.python}
        suffix = next((end for end in forms if train + end in files and test + end in files), None)
        if suffix is None:
            raise WrongData(f"{self.path} does not hold CIFAR-{self.classes}", f"it has no {train} and {test}")
        decode = forms[suffix]
        batches = [train, *map("data_batch_{}".format, range(2, 6)), test] if self.classes == 10 else [train, test]
        found = {name: files[name + suffix] for name in batches if name + suffix in files}
        parts = {name: self.part(decode(data(), name), name, side) for name, data in found.items()}
        learnt = [part for name, part in parts.items() if name != test]
        joined = Part(np.concatenate([p.images for p in learnt]), np.concatenate([p.labels for p in learnt]))
        return self.names(files), {"train": joined, "test": parts[test]}

    def part(self, found: tuple[Any, Any], name: str, side: Side | None) -> Part:
        pixels, labels = np.asarray(found[0]), np.asarray(found[1]).reshape(-1)
        if pixels.dtype != np.uint8 or pixels.ndim != 2 or pixels.shape != (len(labels), 3072):
            raise WrongData(f"{name} of {self.path} does not hold images of CIFAR")
        images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return Part(resized(np.ascontiguousarray(images), side), labels.astype(np.int64))

    def binary(self, data: bytes, name: str) -> tuple[Any, Any]:
        """Records of one label, or a coarse and a fine one, and 3072 bytes."""
        head = 1 if self.classes == 10 else 2
        if not data or len(data) % (head + 3072):
            raise WrongData(f"{name} of {self.path} is not made of records of {head + 3072} bytes")
        records = np.frombuffer(data, np.uint8).reshape(-1, head + 3072)
        return records[:, head:], records[:, head - 1]

    def matlab(self, data: bytes, name: str) -> tuple[Any, Any]:
        from scipy.io import loadmat

        try:
            found = loadmat(io.BytesIO(data))
            return found["data"], found["labels" if self.classes == 10 else "fine_labels"]
        except (ValueError, KeyError, TypeError) as error:
            raise WrongData(f"{name} of {self.path} cannot be read: {error}") from None

    def python(self, data: bytes, name: str) -> tuple[Any, Any]:
        try:
            found = Arrays(io.BytesIO(data), encoding="bytes").load()
            labels = found[b"labels" if self.classes == 10 else b"fine_labels"]
            return unpacked(found[b"data"]), unpacked(labels)
        except (pickle.UnpicklingError, KeyError, TypeError, ValueError, EOFError, IndexError, AttributeError) as error:
            raise WrongData(f"{name} of {self.path} cannot be read: {error}") from None

    def names(self, files: "Files") -> tuple[str, ...]:
        """The names of the classes, where the files have them."""
        texts = ("batches.meta.txt",) if self.classes == 10 else ("fine_label_names.txt",)
        for text in texts:
            if text in files:
                names = tuple(files[text]().decode("utf-8", "replace").split())
                if len(names) == self.classes:
                    return names
        return tuple(map(str, range(self.classes)))


class Arrays(pickle.Unpickler):
    """Reads pickles of dictionaries, lists and arrays of numbers, and of nothing that could run."""

    def find_class(self, module: str, name: str) -> Any:
        known = KNOWN.get((module.removeprefix("numpy."), name))
        if known is None:
            raise pickle.UnpicklingError(f"it would run {module}.{name}")
        return known


class Kind:
    """A type of numbers. numpy's own believes a pickle that says of pointers that they are numbers."""

    def __init__(self, code: str | bytes, *_: object) -> None:
        self.code, self.order = code, "|"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1] if isinstance(state[1], str) else state[1].decode("ascii")

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type; raises `ValueError` or `TypeError` unless it is one of numbers."""
        found = np.dtype(self.code if isinstance(self.code, str) else self.code.decode("ascii"))
        if found.kind not in "biuf":
            raise ValueError(f"its values are {found}, and not numbers")
        return found.newbyteorder(">" if self.order == ">" else "<")


class Packed:
    """An array of numbers, from their bytes."""

    def __init__(self, *_: object) -> None:
        self.array = np.empty(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, by_columns, data = state
        if not (isinstance(kind, Kind) and isinstance(data, bytes)):
            raise pickle.UnpicklingError("an array in it does not hold numbers")
        self.array = np.frombuffer(data, kind.dtype).reshape(shape, order="F" if by_columns else "C")


def encode(text: str, encoding: str) -> bytes:
    return text.encode(encoding)


def unpacked(value: Any) -> Any:
    return value.array if isinstance(value, Packed) else value


KNOWN: dict[tuple[str, str], Any] = {
    ("core.multiarray", "_reconstruct"): Packed, ("_core.multiarray", "_reconstruct"): Packed,
    ("numpy", "ndarray"): Packed, ("numpy", "dtype"): Kind, ("_codecs", "encode"): encode,
}  # fmt: skip
"""What a pickle of arrays names, and what is made instead."""


# ---- one's own ----


class Npz:
    """Arrays by numpy's `savez`: `x_train`, `y_train`, and `x_val`, `x_test` where there are, as Keras has them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def stamp(self) -> object:
        return files_stamp(self.path)

    def read(self, side: Side | None) -> tuple[tuple[str, ...], Parts]:
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                parts = {name: self.part(arrays, said, side) for name, said in self.found(arrays).items()}
                names = arrays["classes"].astype(str).tolist() if "classes" in arrays else None
        except (ValueError, zipfile.BadZipFile, EOFError) as error:
            raise WrongData(f"{self.path} cannot be read: {error}") from None
        most = max(int(part.labels.max(initial=0)) for part in parts.values()) + 1
        return tuple(names or map(str, range(most))), parts

    def found(self, arrays: Any) -> dict[str, str]:
        """The parts that the file has, with what their arrays are called there."""
        found = {name: said for name, other in NAMES.items() for said in other if f"x_{said}" in arrays}
        if "train" not in found and "x" in arrays:
            found["train"] = ""
        if "train" not in found:
            raise WrongData(f"{self.path} has no x_train (or x) and y_train (or y)", f"it has {', '.join(arrays)}")
        return found

    def part(self, arrays: Any, said: str, side: Side | None) -> Part:
        x, y = (f"{letter}_{said}" if said else letter for letter in "xy")
        if y not in arrays:
            raise WrongData(f"{self.path} has {x} and no {y}")
        images, labels = arrays[x], arrays[y].reshape(-1)
        if images.dtype != np.uint8 and images.size and np.issubdtype(images.dtype, np.floating):
            if not (np.isfinite(images).all() and images.min() >= 0 and images.max() <= 1):
                raise WrongData(f"{x} of {self.path} has numbers that are not from 0 to 1")
            images = np.round(images * 255).astype(np.uint8)
        if images.dtype != np.uint8 or not np.issubdtype(labels.dtype, np.integer) or len(images) != len(labels):
            raise WrongData(f"{self.path} needs {x} as bytes, or from 0 to 1, and as many whole numbers in {y}")
        return Part(resized(coloured(images), side), labels.astype(np.int64))


class Folder:
    """Images in folders named for their class, those within `train`, `val` and `test` where there are such."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def stamp(self) -> object:
        return files_stamp(self.path)

    def read(self, side: Side | None) -> tuple[tuple[str, ...], Parts]:
        if side is None:
            raise WrongData("images of a folder have sizes of their own", "--input HxW says to which to bring them")
        homes = {name: self.path / said for name, other in NAMES.items() for said in other
                 if (self.path / said).is_dir()}  # fmt: skip
        if "train" not in homes:
            homes = {"train": self.path}
        classes = sorted({place.name for home in homes.values() for place in home.iterdir() if place.is_dir()
                          and not place.name.startswith(".")})  # fmt: skip
        if len(classes) < 2:
            raise WrongData(f"{homes['train']} has fewer than two folders of images", "every class is a folder")
        return tuple(classes), {name: self.part(home, classes, side) for name, home in homes.items()}

    def part(self, home: Path, classes: list[str], side: Side) -> Part:
        found = [(path, label) for label, name in enumerate(classes) for path in pictures(home / name)]
        images = stacked((decoded(path, side) for path, _ in found), len(found), side)
        return Part(images, np.asarray([label for _, label in found], np.int64))


def pictures(folder: Path) -> Iterator[Path]:
    """The images below a folder, in the order of their names."""
    yield from sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


def decoded(path: Path, side: Side) -> Any:
    """An image file, its shorter side brought to size, and the middle of it; raises `WrongData`."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    height, width = side
    try:
        with Image.open(path) as image:
            upright = colours(ImageOps.exif_transpose(image), path)
            return np.asarray(ImageOps.fit(upright, (width, height), Image.Resampling.BILINEAR))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise WrongData(f"{path} cannot be read: {error}") from None


def colours(image: Any, path: Path) -> Any:
    """An image in red, green and blue, of 8 bits each; what is transparent shows the colour that it has."""
    from PIL import Image

    if image.mode.startswith("I;16"):
        # Pillow's own conversion takes all that is above 255 for white
        image = Image.fromarray(np.round(np.asarray(image) / 257).astype(np.uint8))
    elif image.mode in {"I", "F"}:
        raise WrongData(f"{path} has pixels of 32 bits, and does not say which is white", "save it with 8 or 16 bits")
    return (image.convert("RGBA") if image.mode == "P" else image).convert("RGB")


Files = dict[str, Callable[[], bytes]]
"""Name of a file, without its folders, to what reads it."""


def opened(path: Path) -> Files:
    """The files in a folder, or one folder further down, or in a tar file; raises `OSError` or `WrongData`."""
    if path.is_dir():
        return {file.name: file.read_bytes for file in sorted([*path.glob("*/*"), *path.glob("*")]) if file.is_file()}
    try:
        with tarfile.open(path) as archive:
            members = [member for member in archive.getmembers() if member.isfile()]
    except tarfile.TarError as error:
        raise WrongData(f"{path} is not a tar file: {error}") from None

    def reading(name: str) -> Callable[[], bytes]:
        def read() -> bytes:
            with tarfile.open(path) as archive:
                held = archive.extractfile(name)
                return held.read() if held is not None else b""

        return read

    return {PurePosixPath(member.name).name: reading(member.name) for member in members}


def files_stamp(path: Path) -> object:
    """Where files lie, and for each its name, size and time of change; raises `OSError`."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    found = [(str(file), file.stat()) for file in files if file.is_file() or file == path]
    return [(name, about.st_size, about.st_mtime_ns) for name, about in found]


EMBEDDED = ("digits", "clutter")
READERS: dict[str, Callable[[Path], Reader]] = {
    "digits": Digits,
    "clutter": Clutter,
    "cifar10": lambda path: Cifar(path, 10),
    "cifar100": lambda path: Cifar(path, 100),
    "folder": Folder,
    "npz": Npz,
}
