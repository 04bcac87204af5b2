"""Targets of files that Keras writes: HDF5 of three forms, alone and in an archive."""

import io
import json
import random
import zipfile
from contextlib import suppress
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy
from archspec_keras.checkpoint import CONFIG, WEIGHTS

from archspec import weights
from archspec.diagnostics import SpecError
from archspec.loading import decode
from fuzz.files import at_a_path
from fuzz.mutate_data import changed, of_bytes, of_json, of_zip, unzipped, zipped
from fuzz.targets import Target, told
from fuzz.texts import LIMITS

LONGEST = 65_536
TIMES = 2
"""How many times more bytes numbers have than in the file: bfloat16 is read as float32."""
MOST = 10_000
"""Numbers of an array that are written."""


def tensors(path: Path) -> None:
    """It is said what the file is if it is given as a spec, and its tensors are numbers that the file holds."""
    data = path.read_bytes()
    try:
        decode(path.name, data, LIMITS)
    except SpecError as error:
        told(error.diagnostics)
    found = weights.tensors_of(path, None)
    assert sum(array.nbytes for array in found.values()) <= TIMES * unpacked(path), "more numbers than bytes"
    assert all(array.dtype.kind in "fiub" for array in found.values()), "not numbers"


def unpacked(path: Path) -> int:
    """How many bytes a file has, or the files in it if it is an archive."""
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist())


# ---- what is tried first: a file as a tree; a list is the shape of an array, `@name` an attribute ----

NORM = {str(number): [2] for number in range(4)}
NUMBERED = {
    "layers": {
        "conv2d": {"vars": {"@name": "conv", "0": [3, 3, 3, 2], "1": [2]}},
        "batch_normalization": {"vars": {"@name": "norm", **NORM}},
        "functional": {"layers": {"dense": {"vars": {"@name": "dense", "0": [2, 4], "1": [4]}}}, "vars": {}},
    },
    "optimizer": {"vars": {"0": [3]}},
    "vars": {},
}
"""As Keras 3 saves weights."""
NAMED = {
    "@layer_names": ["conv1", "stem"],
    "@backend": "tensorflow",
    "@model_config": json.dumps({"config": {"layers": [{"class_name": "Conv2D", "config": {"name": "conv1"}}]}}),
    "conv1": {"@weight_names": ["conv1/kernel:0", "conv1/bias:0"], "conv1": {"kernel:0": [1, 1, 3, 2], "bias:0": [2]}},
    "stem": {
        "@weight_names": ["stem/deep/depthwise_kernel:0", "head/kernel:0"],
        "stem": {"deep": {"depthwise_kernel:0": [3, 3, 2, 1]}},
        "head": {"kernel:0": [2, 4]},
    },
}
"""As Keras 1 and 2 save a model; weights alone have the same in `model_weights`."""
DESCRIBED = {
    "module": "keras", "class_name": "Functional",
    "config": {"name": "net", "layers": [
        {"module": "keras.layers", "class_name": "Conv2D", "config": {"name": "conv", "use_bias": True}},
        {"module": "keras.layers", "class_name": "BatchNormalization", "config": {"name": "norm", "scale": True}},
        {"module": "keras", "class_name": "Functional", "config": {"name": "top", "layers": [
            {"module": "keras.layers", "class_name": "Dense", "config": {"name": "dense"}},
        ]}},
    ]},
}  # fmt: skip
TREES: tuple[dict[str, Any], ...] = (NUMBERED, NAMED, {"model_weights": NAMED, "@keras_version": "2.4.0"})
KINDS = ("<f4", "<f4", "<f4", ">f8", "<f2", "<i8", "|b1", "<c8", "S3")


def stored(tree: Any, rng: random.Random | None = None) -> bytes:
    """A tree as a file of HDF5; what HDF5 cannot hold is left out. With `rng`, arrays are stored in odd ways."""
    into = io.BytesIO()
    with h5py.File(into, "w") as file:
        fill(file, tree, rng)
    return into.getvalue()


def fill(group: h5py.Group, tree: Any, rng: random.Random | None) -> None:
    for name, inner in tree.items() if isinstance(tree, dict) else ():
        with suppress(ValueError, TypeError, OSError, RuntimeError, KeyError, OverflowError):
            if name.startswith("@"):
                group.attrs[name[1:]] = inner
            elif isinstance(inner, dict):
                fill(group.create_group(name), inner, rng)
            elif rng is None or rng.randrange(4):
                group[name] = numbers(inner, rng)
            else:
                rng.choice(ODDLY)(group, name)


def numbers(inner: Any, rng: random.Random | None) -> Any:
    """An array of that shape; anything else is itself."""
    if not isinstance(inner, list):
        return inner
    count = numpy.prod(inner, dtype="float64")
    shape = inner if 0 <= count <= MOST else [1]
    return numpy.ones(shape, rng.choice(KINDS) if rng else "<f4")


def external(group: h5py.Group, name: str) -> None:
    group.create_dataset(name, (4,), "float32", external=[("secret.bin", 0, 16)])


def chunked(group: h5py.Group, name: str) -> None:
    group.create_dataset(name, (4, 4), "float32", chunks=(2, 2), data=numpy.ones((4, 4)))


def unwritten(group: h5py.Group, name: str) -> None:
    group.create_dataset(name, (1 << 40,), "float64", chunks=(1 << 20,))


def compressed(group: h5py.Group, name: str) -> None:
    group.create_dataset(name, data=numpy.zeros(1 << 16), compression="gzip")


def texts(group: h5py.Group, name: str) -> None:
    group.create_dataset(name, data=["a", "b"], dtype=h5py.string_dtype())


def bfloat16(group: h5py.Group, name: str) -> None:
    group[name] = numpy.zeros(3, "V2")
    group[name].attrs["dtype"] = "bfloat16"


def linked(group: h5py.Group, name: str) -> None:
    group[name] = h5py.SoftLink("/layers")


def elsewhere(group: h5py.Group, name: str) -> None:
    group[name] = h5py.ExternalLink("other.h5", "/secret")


def around(group: h5py.Group, name: str) -> None:
    group[name] = group.file["/"]


ODDLY = (external, chunked, unwritten, compressed, texts, bfloat16, linked, elsewhere, around)


@cache
def files() -> tuple[bytes, ...]:
    return tuple(map(stored, TREES))


@cache
def archives() -> tuple[bytes, ...]:
    """Archives as Keras 3 saves them."""
    config = json.dumps(DESCRIBED).encode()
    return (zipped([("metadata.json", b"{}"), (CONFIG, config), (WEIGHTS, files()[0])]),)


# ---- mutations ----


def of_hdf5(data: bytes, rng: random.Random) -> bytes:
    """Another tree, or other bytes of this file, or of another tree."""
    made = data
    if rng.randrange(2) == 0:
        tree: Any = deepcopy(rng.choice(TREES))
        for _ in range(rng.choice((1, 1, 2, 4))):
            tree = changed(tree, rng)
        made = stored(tree, rng if rng.randrange(2) else None)
    for _ in range(rng.choice((0, 1, 1, 3))):
        made = of_bytes(made, rng)
    return made


def of_archive(data: bytes, rng: random.Random) -> bytes:
    """An archive with another description, or other weights."""
    records = dict(unzipped(data))
    match rng.randrange(3):
        case 0 if CONFIG in records:
            records[CONFIG] = of_json(records[CONFIG], rng)
        case 1 if WEIGHTS in records:
            records[WEIGHTS] = of_hdf5(records[WEIGHTS], rng)
        case _:
            return of_zip(data, rng)
    return zipped(list(records.items()), zipfile.ZIP_DEFLATED if rng.randrange(10) == 0 else zipfile.ZIP_STORED)


TARGETS = {
    "h5": Target(at_a_path(".h5", tensors), of_hdf5, files, LONGEST),
    "keras": Target(at_a_path(".keras", tensors), of_archive, archives, LONGEST),
}
