"""A file that Keras wrote -> its tensors by `<layer>/<variable>`, in canonical layouts. Nothing in it is executed.

Three forms are read: `.keras`, an archive of a description and weights; `.weights.h5` of Keras 3, where the variables
of a layer have numbers; and the `.h5` of Keras 1 and 2, and of the published weights, where they have names. What a
number stands for, and how an array lies, follows from the class of the layer. Where a file does not say it, the key
keeps the number; nothing is concluded from sizes.
"""

import json
import mmap
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import Any, BinaryIO

import h5py
from msgspec import Struct

from archspec.printable import printable
from archspec.weights import WeightsError
from archspec_keras.hdf5 import Array, Reader
from archspec_keras.layouts import canonical

WEIGHTS, CONFIG = "model.weights.h5", "config.json"
"""The parts of a `.keras` archive that are read."""
MOST_TIMES = 100
"""How many times smaller than its content a part of an archive may be."""
LAYERS = ("layers", "_layer_checkpoint_dependencies")
"""The groups in which layers are called by their class: `layers/conv2d_3`."""
NO_WEIGHTS = ("optimizer", "seed_generator")
"""What else is saved with a model: the groups of that name."""

VARIABLES = {
    "conv2d": ("kernel", "bias"),
    "depthwise_conv2d": ("kernel", "bias"),
    "separable_conv2d": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "dense": ("kernel", "bias"),
    "einsum_dense": ("kernel", "bias"),
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "layer_normalization": ("gamma", "beta"),
    "group_normalization": ("gamma", "beta"),
    "p_re_lu": ("alpha",),
    "normalization": ("mean", "variance", "count"),
}
"""The variables of a layer in the order in which they are saved, by its class."""
OPTIONAL = {"bias": "use_bias", "gamma": "scale", "beta": "center"}
"""Variables that a layer may be without, and what its description says of that."""
KERNELS = {
    ("separable_conv2d", "depthwise_kernel"): ("depthwise_conv2d", "kernel"),
    ("separable_conv2d", "pointwise_kernel"): ("conv2d", "kernel"),
}
"""Kernels of a layer that is two."""
OLD_CLASSES = {
    "convolution2d": "conv2d",
    "separableconvolution2d": "separable_conv2d",
    "batchnormalization": "batch_normalization",
    "batch_normalization_v1": "batch_normalization",
    "batch_normalization_v2": "batch_normalization",
}
OLD_VARIABLES = {"W": "kernel", "b": "bias", "running_mean": "moving_mean", "running_std": "moving_variance"}
"""Keras 1's names; its `running_std` holds the variance."""


class Description(Struct, frozen=True):
    """What the description of a model says of one of its layers."""

    names: tuple[str, ...]
    """of the models around it, and its own"""
    kind: str | None
    """its class, in the form that files have it: `conv2d`; None for one that is not of Keras"""
    config: Mapping[str, Any]


@dataclass(slots=True)
class Layer:
    """A layer in a file."""

    names: tuple[str, ...]
    kind: str | None
    config: Mapping[str, Any] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)
    """by the variable's name, or its number where the file says no more"""


def read(path: Path, entry: str | None = None) -> dict[str, Array]:
    """The tensors of a file by their keys; raises `WeightsError` or `OSError`.

    `entry` is the name of a model within the model, of which alone the tensors are taken.
    """
    with path.open("rb") as file:
        try:
            found = list(archived(file, path) if zipfile.is_zipfile(file) else alone(file, path))
            layers = chosen([layer for layer in found if layer.arrays], path, entry)
            return {
                key: array
                for layer, name in zip(layers, keys(layers, path), strict=True)
                for key, array in laid_out(layer, name)
            }
        except (WeightsError, MemoryError):
            raise
        except Exception:  # damaged bytes make HDF5 raise whatever comes first
            raise WeightsError(f"{path}: these are not weights that Keras wrote, or they are damaged") from None


# ---- the forms of files ----


def archived(file: BinaryIO, path: Path) -> Iterator[Layer]:
    """The layers of a `.keras` file."""
    with zipfile.ZipFile(file) as archive:
        config = json.loads(part(archive, CONFIG, path))
        weights = part(archive, WEIGHTS, path)
    yield from stored(BytesIO(weights), weights, path, dict(described(config)))


def alone(file: BinaryIO, path: Path) -> Iterator[Layer]:
    """The layers of a file of HDF5."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield from stored(file, content, path, {})


def part(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    """A part of an archive; raises `WeightsError` where unpacking it would fill the memory."""
    if name not in archive.namelist():
        raise WeightsError(f"{path}: there is no `{name}` in this archive")
    info = archive.getinfo(name)
    if info.file_size > MOST_TIMES * info.compress_size:
        raise WeightsError(f"{path}: `{name}` in it is {info.file_size:,} bytes, packed into {info.compress_size:,}")
    return archive.read(name)


def stored(
    file: BinaryIO, content: bytes | mmap.mmap, path: Path, descriptions: Mapping[str, Description]
) -> Iterator[Layer]:
    """The layers of HDF5, of whichever form; empty ones as well. `content` is what the file holds."""
    with h5py.File(file, "r") as opened:
        reader, root = Reader(opened, content, str(path)), opened["/"]
        old = reader.child(root, "model_weights") if reader.has(root, "model_weights") else root
        names = reader.names(old, "layer_names")
        if names is None:
            yield from numbered(reader, root, "", (), descriptions)
            return
        if reader.text(old, "backend") == "theano":
            raise WeightsError(f"{path}: it was written with Theano, whose convolutions are turned around")
        config = json.loads(reader.text(root, "model_config") or "{}")
        found = {"/".join(one.names): one for _, one in described(config)}
        for name in names:
            yield from named(reader, reader.child(old, name), name, found)


def numbered(
    reader: Reader, group: h5py.Group, path: str, names: tuple[str, ...], descriptions: Mapping[str, Description]
) -> Iterator[Layer]:
    """The layer that a group of Keras 3 is, and those within it."""
    reader.once(group)
    for name, child in reader.children(group):
        if not isinstance(child, h5py.Group) or name.startswith(NO_WEIGHTS):
            continue
        if name == "vars":
            if path:
                yield numbered_layer(reader, child, path, names, descriptions.get(path))
            continue
        place = f"{path}/{name}".lstrip("/").replace(LAYERS[1], LAYERS[0])
        yield from numbered(reader, child, place, own_names(reader, child, place, names, descriptions), descriptions)


def own_names(
    reader: Reader, group: h5py.Group, path: str, names: tuple[str, ...], descriptions: Mapping[str, Description]
) -> tuple[str, ...]:
    """The names down to this group; a group that is not a layer, but holds some, adds none."""
    if not reader.has(group, "vars"):
        return names
    said = reader.text(reader.child(group, "vars"), "name")
    if said is not None:
        return (*names, said)
    return descriptions[path].names if path in descriptions else (*names, path)


def numbered_layer(
    reader: Reader, group: h5py.Group, path: str, names: tuple[str, ...], description: Description | None
) -> Layer:
    """The layer whose variables are in this group."""
    where, _, kind = path.rpartition("/")
    layer = Layer(names, re.sub(r"_\d+$", "", kind) if where.rpartition("/")[2] in LAYERS else None)
    if description is not None and description.names == names:
        layer.kind, layer.config = description.kind, description.config
    found = sorted(reader.children(group), key=lambda item: (len(item[0]), item[0]))
    called = variables(layer.kind, layer.config, len(found))
    for (number, dataset), name in zip(found, called, strict=True):
        layer.arrays[name if number.isdecimal() else number] = reader.array(dataset)
    return layer


def variables(kind: str | None, config: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """The names of so many variables of a layer; a number where several could stand there."""
    every = tuple(name for name in VARIABLES.get(kind or "", ()) if config.get(OPTIONAL.get(name, ""), True))
    needed = {name for name in every if name not in OPTIONAL or OPTIONAL[name] in config}
    possible = [names for names in combinations(every, count) if needed <= set(names)]
    return tuple(
        places.pop() if len(places := {names[place] for names in possible}) == 1 else str(place)
        for place in range(count)
    )


def named(reader: Reader, group: h5py.Group, name: str, descriptions: Mapping[str, Description]) -> Iterator[Layer]:
    """The layer that a group of Keras 2 is, or the layers of the model that it is."""
    reader.once(group)
    found: dict[str, Layer] = {}
    for weight in reader.names(group, "weight_names") or ():
        inner, variable = called(weight, name)
        place = f"{name}/{inner}" if inner else name
        names = (name, inner) if inner else (name,)
        description = descriptions.get(place, Description(names, None, {}))
        layer = found.setdefault(place, Layer(description.names, description.kind))
        variable = variable or str(len(layer.arrays))
        if variable in layer.arrays:
            raise reader.error(weight, "is there twice")
        layer.arrays[variable] = reader.array(reader.child(group, weight))
    yield from map(classified, found.values())


def called(weight: str, layer: str) -> tuple[str, str | None]:
    """The layer below the one of a group, if any, and the variable that a name of Keras 1 or 2 means there.

    `conv1/kernel:0`, in another name scope `conv1_3/kernel:0`, in Keras 1 `conv1_W_2:0`, in a model within the model
    `stem/conv1/kernel:0` or `conv1/kernel:0`. A variable that was given no name has none here.
    """
    path, _, variable = weight.partition(":")[0].rpartition("/")
    own = re.escape(layer)
    if not path:
        old = re.fullmatch(rf"(?:{own}_)?(\w+?)(_\d+)?", variable)
        variable = old[1] if old else variable
    variable = OLD_VARIABLES.get(variable, variable)
    inner = re.sub(rf"^(.*?/)??{own}(_\d+)?(/|$)", "", path)
    return inner, None if re.fullmatch(r"[Vv]ariable(_\d+)?", variable) else variable


def classified(layer: Layer) -> Layer:
    """The layer with its class; the names of its variables tell it in files that do not."""
    if "depthwise_kernel" in layer.arrays and "pointwise_kernel" not in layer.arrays:
        # its name in Keras 2; Keras 3 calls it as that of any other convolution
        arrays = {"kernel" if name == "depthwise_kernel" else name: array for name, array in layer.arrays.items()}
        return Layer(layer.names, "depthwise_conv2d", layer.config, arrays)
    if layer.kind is None:
        if "pointwise_kernel" in layer.arrays:
            layer.kind = "separable_conv2d"
        elif "kernel" in layer.arrays:
            layer.kind = {4: "conv2d", 2: "dense"}.get(layer.arrays["kernel"].ndim)
    return layer


# ---- the description of a model ----


def described(model: object, path: str = "", names: tuple[str, ...] = ()) -> Iterator[tuple[str, Description]]:
    """The layers that a model's description lists, by their place in its weights: `layers/conv2d_3`."""
    config = model.get("config") if isinstance(model, dict) else None
    inside = config.get("layers") if isinstance(config, dict) else None
    seen: Counter[str] = Counter()
    for item in inside if isinstance(inside, list) else ():
        kind, module = snake_case(item["class_name"]), item.get("module", "keras")
        place = f"{path}layers/{kind}_{seen[kind]}" if seen[kind] else f"{path}layers/{kind}"
        seen[kind] += 1
        own = (*names, str(item["config"].get("name", item.get("name"))))
        known = isinstance(module, str) and module.partition(".")[0] == "keras"
        yield place, Description(own, OLD_CLASSES.get(kind, kind) if known else None, item["config"])
        yield from described(item, f"{place}/", own)


def snake_case(name: str) -> str:
    """The name of a class as Keras writes it into files: `conv2d` for Conv2D, `p_re_lu` for PReLU."""
    spaced = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", spaced).lower()


# ---- keys ----


def chosen(layers: list[Layer], path: Path, entry: str | None) -> list[Layer]:
    """These layers, or those of the model within the model that `entry` names."""
    found = layers
    if entry is not None:
        found = [Layer(inside(layer, entry), layer.kind, layer.config, layer.arrays) for layer in layers]
        found = [layer for layer in found if layer.names]
    if not found:
        models = sorted({name for layer in layers for name in layer.names[:-1]})
        known = f"; there is {', '.join(map(printable, models))}" if models else ""
        what = f"model `{printable(entry)}` within it{known}" if entry is not None else "weights that Keras wrote"
        raise WeightsError(f"{path}: it has no {what}")
    return found


def inside(layer: Layer, model: str) -> tuple[str, ...]:
    """The names of a layer from below a model on; none where it is not in it."""
    around = layer.names[:-1]
    return layer.names[around.index(model) + 1 :] if model in around else ()


def keys(layers: list[Layer], path: Path) -> list[str]:
    """What each layer is called: by its own name, with those of the models around it where two have that one.

    Keras calls a layer that was given no name by its class and a number, `conv2d_17`, which goes on from model to model
    as long as Python runs. So they are counted anew, from 0 in the order of their numbers.
    """
    made: dict[str, list[tuple[int, int]]] = {}
    for place, layer in enumerate(layers):
        kind, number = automatic(layer)
        if kind is not None:
            made.setdefault(kind, []).append((number, place))
    counted = {place: f"{kind}_{i}" for kind, found in made.items() for i, (_, place) in enumerate(sorted(found))}
    own = Counter(layer.names[-1] for layer in layers)
    found = [
        counted.get(place) or (layer.names[-1] if own[layer.names[-1]] == 1 else "/".join(layer.names))
        for place, layer in enumerate(layers)
    ]
    if twice := [key for key, count in Counter(found).items() if count > 1]:
        raise WeightsError(f"{path}: two layers are called `{printable(twice[0])}`")
    return found


def automatic(layer: Layer) -> tuple[str | None, int]:
    """The class and the number in a name that Keras made; no class for one that somebody gave."""
    name, _, number = layer.names[-1].rpartition("_") if layer.names[-1][-1:].isdecimal() else (layer.names[-1], "", "")
    kind = OLD_CLASSES.get(name, name)
    if kind not in VARIABLES or layer.kind not in {kind, None} or not (number == "" or number.isdecimal()):
        return None, 0
    return kind, int(number or 0)


def laid_out(layer: Layer, key: str) -> Iterator[tuple[str, Array]]:
    """The arrays of a layer in canonical layouts; as they are where the class is not known."""
    for variable, array in layer.arrays.items():
        kind, name = KERNELS.get((layer.kind or "", variable), (layer.kind or "", variable))
        known = name in VARIABLES.get(kind, ())
        yield f"{key}/{variable}", canonical(kind, name, array) if known else array
