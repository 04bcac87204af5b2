"""`Graph` -> `keras.Model`, and model -> file.

No class of archspec's is in a model: what is saved loads without archspec. Only Keras is imported, so that TensorFlow,
jax or torch may compute.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal
from zlib import crc32

import keras
import numpy

from archspec.backend import BackendError, Measured
from archspec.files import whole_file
from archspec.graph import Graph
from archspec.weights import draw, encode
from archspec_keras.layouts import canonical, native
from archspec_keras.lower import lower
from archspec_keras.names import keys, layer_name, model_name
from archspec_keras.order import shallow_first
from archspec_keras.quiet import unadvised
from archspec_keras.site import Site, shared

Array = numpy.ndarray[Any, Any]
METADATA = "metadata.json"


def precision() -> Literal["float64", "float32"]:
    """The best type of numbers that every layer keeps to, by what Keras computes with."""
    return "float64" if keras.backend.backend() == "tensorflow" else "float32"


def build(
    graph: Graph,
    *,
    seed: int = 0,
    weights: Mapping[str, Any] | None = None,
    dtype: Any = "float32",
    name: str | None = None,
) -> keras.Model:
    """The model of a Graph, not compiled.

    It takes N×h×w×c (or N×c) of the Graph's size and any batch, and gives its output; where the Graph has further
    outputs, a list: the output, then the others in the order of `graph.outputs`. Outputs of training alone, and the
    layers that only they need, are not there: to train them, build `graph.with_all_outputs()`. The layer that gives
    the value of node `row_3/bottleneck_2/dwconv`, and has its weights, is `row_3-bottleneck_2-dwconv`; layers that help
    it have a part behind `--`. Weights are drawn as the Graph's `init` says, with `seed`, or else taken from `weights`,
    arrays for every name in `graph.tensors()`. Raises `Unsupported`, or `BackendError` for a type that Keras cannot
    keep to.
    """
    graph, numbers = graph.in_evaluation(), type_of(dtype)
    image = keras.Input(graph.input.shape, dtype=numbers, name=layer_name(graph.input.path))
    values = {graph.input.path: image}
    for node in shallow_first(graph).nodes[1:]:
        site = Site(node, numbers, crc32(f"{seed} {node.path}".encode()) % 2**31)
        inputs = [values[path] for path in node.inputs]
        values[node.path] = lower(node.op, site, graph.input_shapes(node), *inputs)
    outputs = [values[path] for path in graph.given.values()]
    try:
        model = keras.Model(image, outputs[0] if len(outputs) == 1 else outputs, name=model_name(name or graph.name))
    except RecursionError:
        raise BackendError(f"{graph.name} is too deep for Keras, which follows layers by recursion") from None
    check_whole(model, graph)
    fill(model, graph, draw(graph, seed) if weights is None else weights.items())
    return model


def type_of(dtype: Any) -> str:
    """The name of a type of numbers; raises `BackendError`."""
    try:
        name: str = keras.backend.standardize_dtype(dtype)
    except ValueError:
        name = ""
    if name not in {"float32", "float64"}:
        raise BackendError(f"the keras backend has no type of numbers `{dtype}`", "float32 or float64")
    if name == "float64" and precision() != name:
        below = keras.backend.backend()
        raise BackendError(f"Keras on {below} computes normalisations in float32", "float64 is exact on tensorflow")
    return name


def check_whole(model: keras.Model, graph: Graph) -> None:
    """Raise `BackendError` where weights are not in a model, which has only what its outputs need."""
    layers = {layer.name for layer in model.layers}
    for name, key in keys(graph).items():
        if key.partition("/")[0] not in layers:
            raise BackendError(f"a Keras model cannot hold `{name}`, on which no output depends")


def variables(model: keras.Model, graph: Graph) -> dict[str, tuple[str, str, Any]]:
    """Every tensor of the Graph in a model: the class of its layer, its name there, the variable."""
    layers = {layer.name: layer for layer in model.layers}
    found = {}
    for name, key in keys(graph).items():
        layer, _, called = key.partition("/")
        variable = next(variable for variable in layers[layer].weights if variable.name == called)
        found[name] = (class_of(layers[layer]), called, variable)
    return found


def class_of(layer: keras.layers.Layer) -> str:
    """The class of a layer as `layouts` has it."""
    return CLASSES.get(type(layer), "")


CLASSES = {
    keras.layers.Conv2D: "conv2d",
    keras.layers.DepthwiseConv2D: "depthwise_conv2d",
    keras.layers.Dense: "dense",
    keras.layers.PReLU: "p_re_lu",
}
"""Layers with weights that do not lie as in the canonical form."""


def fill(model: keras.Model, graph: Graph, weights: Iterable[tuple[str, Any]]) -> None:
    """Put arrays, by their canonical names, into the variables of a model."""
    places = variables(model, graph)
    for name, values in weights:
        if name not in places:
            continue  # of what training alone computes
        kind, called, variable = places[name]
        given = numpy.asarray(values, dtype=variable.dtype)
        array = native(kind, called, given, tuple(variable.shape))
        # what somebody else holds is copied
        variable.assign(array if numpy.may_share_memory(array, given) else shared(array))


# ---- what a model gives, and what is in it ----


def run(model: keras.Model, graph: Graph, images: Array) -> dict[str, Array]:
    """The outputs of a model in evaluation, by name; arrays N×h×w×c or N×c, in and out."""
    with unadvised():
        found = model(images, training=False)
    outputs = found if isinstance(found, (list, tuple)) else [found]
    graph = graph.in_evaluation()
    named = dict(zip(graph.given, map(keras.ops.convert_to_numpy, outputs), strict=True))
    return {name: named[name] for name in graph.outputs}


def measure(model: keras.Model) -> Measured:
    """The elements of the trained variables, and the products of every layer with a kernel by its own shapes."""
    params = sum(prod(variable.shape) for variable in model.trainable_variables)
    return Measured(params, sum(map(products, model.layers)))


def products(layer: keras.layers.Layer) -> int:
    """The multiply-accumulates of a layer for one image, without bias."""
    places = {keras.layers.Conv2D: 3, keras.layers.DepthwiseConv2D: 2, keras.layers.Dense: 1}.get(type(layer), 0)
    return prod(layer.output.shape[1:]) * prod(layer.kernel.shape[:places]) if places else 0


# ---- files ----


def save(model: keras.Model, graph: Graph, path: Path) -> None:
    """Write a model in the form that the suffix says; raises `BackendError` or `OSError`."""
    encoder = ENCODERS.get(path.suffix)
    if encoder is None:
        raise BackendError(
            f"the keras backend does not save as {path.suffix or 'a file without suffix'}",
            "a folder in TensorFlow's form: model.export(path)",
        )
    if path.suffix == ".h5" and not path.name.endswith(".weights.h5"):
        raise BackendError(f"{path}: Keras takes weights from no other .h5 files than `.weights.h5`")
    with whole_file(path) as temporary:
        temporary.write_bytes(encoder(model, graph))


def written(suffix: str, write: Callable[[Path], object]) -> bytes:
    """What Keras writes into a file of that suffix."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"model{suffix}")
        write(path)
        return path.read_bytes()


def encode_model(model: keras.Model, graph: Graph) -> bytes:
    """Keras' archive without the dates that it puts in, so that equal models are equal files."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(written(".keras", model.save))) as source,
        zipfile.ZipFile(made, "w") as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == METADATA:
                content = json.dumps({**json.loads(content), "date_saved": "1980-01-01@00:00:00"}).encode()
            target.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()


def encode_weights(model: keras.Model, graph: Graph) -> bytes:
    return written(".weights.h5", model.save_weights)


def encode_safetensors(model: keras.Model, graph: Graph) -> bytes:
    layers = {layer.name for layer in model.layers}
    for name, key in keys(graph).items():
        if key.partition("/")[0] not in layers:
            raise BackendError(f"the model has no `{name}`, which training alone needs", "build it with `aux`")
    found = variables(model, graph)
    tensors = {
        name: canonical(kind, called, keras.ops.convert_to_numpy(variable))
        for name, (kind, called, variable) in found.items()
    }
    return encode(tensors, graph)


def encode_lite(model: keras.Model, graph: Graph) -> bytes:
    """For TensorFlow Lite, of its own operators alone; raises `BackendError` where it has not all of them."""
    if keras.backend.backend() != "tensorflow":
        raise BackendError("the keras backend writes .tflite with TensorFlow alone", "KERAS_BACKEND=tensorflow")
    lite = import_module("tensorflow").lite
    try:
        with TemporaryDirectory() as folder:
            model.export(folder, format="tf_saved_model", verbose=False)
            converter = lite.TFLiteConverter.from_saved_model(folder)
            converter.target_spec.supported_ops = [lite.OpsSet.TFLITE_BUILTINS]
            data: bytes = converter.convert()
            return data
    except (OSError, MemoryError):
        raise
    except Exception as error:  # the converter's own class is not public
        lacking = sorted(set(re.findall(r"'(?:tf|tfl)\.(\w+)' op", str(error))))
        raise BackendError(
            f"TensorFlow Lite cannot compute this model in {model.inputs[0].dtype}"
            + (f": it has no {', '.join(lacking)}" if lacking else "")
        ) from error


ENCODERS: dict[str, Callable[[keras.Model, Graph], bytes]] = {
    ".keras": encode_model,
    ".h5": encode_weights,
    ".safetensors": encode_safetensors,
    ".tflite": encode_lite,
}
