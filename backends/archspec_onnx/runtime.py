"""`Graph` -> model, model -> file, and back to its tensors.

What is an initializer is a tensor of the network, under its canonical name and in its canonical layout; all other
numbers are `Constant` nodes. The ONNX node that gives a Graph node's value has its path as name; those that help it
have a part behind a dot: `row_2/fc.transpose`.
"""

import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from math import erf, prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, shape_inference
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from archspec.backend import BackendError, Measured
from archspec.decompile import Unreadable
from archspec.decompile.layouts import No
from archspec.files import whole_file
from archspec.graph import Graph
from archspec.optional import needing
from archspec.tensor import Shape
from archspec.weights import WeightsError, draw
from archspec_onnx.external import save_apart, with_initializers
from archspec_onnx.file import opened
from archspec_onnx.lower import lower
from archspec_onnx.site import Site

Array = np.ndarray[Any, Any]

OPSET = 20
"""The first with `Gelu`, so that every operator is exact; onnxruntime has it since 1.17 (January 2024)."""
INPUT = "input"
BATCH = "N"
TYPES: tuple[np.dtype[Any], ...] = (np.dtype(np.float32), np.dtype(np.float64))
LIMIT = 2**31 - 2**20
"""Bytes of nodes and weights in one file: a protobuf message ends at 2 GiB, of which the description takes some."""
HEADER = 64
"""Bytes that a tensor takes beside its numbers and its name, at most."""


def build(
    graph: Graph,
    *,
    seed: int = 0,
    weights: Mapping[str, Any] | None = None,
    dtype: Any = "float32",
    opset: int = OPSET,
) -> ModelProto:
    """The model of a Graph, for inference: without outputs of training alone, and what only they need.

    Its `input` is N×C×H×W (or N×C), the batch N of any size; its outputs are named as in `graph.outputs`. Weights are
    drawn as the Graph's `init` says, with `seed`, or else copied from `weights`, arrays for every name in
    `graph.tensors()`. Dropout and stochastic depth pass their input on; batch normalisation uses its running
    statistics. Raises `Unsupported`, or `BackendError` for what no ONNX file can hold.
    """
    graph, numbers = graph.in_evaluation(), type_of(dtype)
    check_opset(opset)
    body = Builder(graph, numbers).run()
    check_size(body.ByteSize())
    given = dict(draw(graph, seed)) if weights is None else weights
    model = helper.make_model(
        body, producer_name="archspec", doc_string=description(graph),
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=helper.find_min_ir_version_for([helper.make_opsetid("", opset)]),
    )  # fmt: skip
    helper.set_model_props(model, {"network": graph.name, "parameters": json.dumps(graph.parameters)})
    for name in graph.tensors():
        # in its place at once: to copy it there, protobuf would make a message of it, which ends at 2 GiB
        hold(model.graph.initializer.add(), name, np.ascontiguousarray(given[name], dtype=numbers))
    return model


def hold(tensor: TensorProto, name: str, values: Array) -> None:
    """Make a tensor of these numbers."""
    tensor.name, tensor.data_type = name, helper.np_dtype_to_tensor_dtype(values.dtype)
    tensor.dims.extend(values.shape)
    tensor.raw_data = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


def type_of(dtype: Any) -> np.dtype[Any]:
    """A type of numbers by its name or numpy's own; raises `BackendError`."""
    try:
        return next(known for known in TYPES if known == np.dtype(dtype))
    except (StopIteration, TypeError):
        raise BackendError(f"the onnx backend has no type of numbers `{dtype}`", "float32 or float64") from None


def check_opset(opset: int) -> None:
    """Raise `BackendError` for a version of the operators that we cannot write or onnx does not know."""
    newest = onnx.defs.onnx_opset_version()
    if not OPSET <= opset <= newest:
        raise BackendError(f"the onnx backend cannot write opset {opset}", f"one from {OPSET} to {newest}")


def check_size(size: int) -> None:
    """Raise `BackendError` for more bytes than a file of one message holds."""
    if size > LIMIT:
        raise BackendError(f"nodes of {size:,} bytes are too large for an ONNX file, which ends at 2 GiB")


def weights_size(model: ModelProto) -> int:
    """The bytes that the weights take in a file, at most; a message that is too large cannot be asked for its size."""
    return sum(
        prod(tensor.dims) * numbers.itemsize + len(tensor.name.encode()) + HEADER
        for tensor in model.graph.initializer
        for numbers in (helper.tensor_dtype_to_np_dtype(tensor.data_type),)
    )


def description(graph: Graph) -> str:
    """What Netron shows of a model: the network, its parameters, its sources."""
    parameters = ", ".join(f"{name} = {value}" for name, value in graph.parameters.items())
    return "\n".join([graph.title or graph.name, f"{graph.name}({parameters})", *graph.cite])


class Builder:
    """Builds the nodes and values of one Graph."""

    def __init__(self, graph: Graph, numbers: np.dtype[Any]) -> None:
        clashes = graph.outputs.keys() & {"", INPUT, *graph.tensors()}
        if clashes:
            raise BackendError(f"an output of an ONNX model cannot be called `{min(clashes)}`: that is another value")
        self.graph = graph
        self.numbers = numbers
        self.taken = {INPUT, *graph.tensors(), *graph.outputs}
        self.named: dict[str, str] = {}
        """path of a node that is an output, to the first of its names; the input has none but its own"""
        for name, path in graph.outputs.items():
            if path != graph.input.path:
                self.named.setdefault(path, name)

    def run(self) -> onnx.GraphProto:
        values = {self.graph.input.path: INPUT}
        nodes: list[NodeProto] = []
        inner: list[ValueInfoProto] = []
        for node in self.graph.nodes[1:]:
            site = Site(node, self.numbers, self.fresh)
            lower(node.op, site, self.graph.input_shapes(node), *(values[path] for path in node.inputs))
            values[node.path] = self.named.get(node.path) or self.fresh(node.path)
            site.added[-1].name, site.added[-1].output[0] = node.path, values[node.path]
            nodes += site.added
            if node.path not in self.named:
                inner.append(self.value(values[node.path], node.shape))
        nodes += self.other_names(values)
        outputs = [self.value(name, self.graph.by_path[path].shape) for name, path in self.graph.outputs.items()]
        given = self.value(INPUT, self.graph.input.shape)
        return helper.make_graph(nodes, self.graph.name, [given], outputs, value_info=inner)

    def other_names(self, values: Mapping[str, str]) -> Iterator[NodeProto]:
        """Copies of values that are outputs under more names than their own."""
        for name, path in self.graph.outputs.items():
            if values[path] != name:
                yield helper.make_node("Identity", [values[path]], [name], name=self.fresh(f"{path}.{name}"))

    def fresh(self, name: str) -> str:
        """A name that no value has yet, which is from now on taken."""
        found, count = name, 1
        while found in self.taken:
            count += 1
            found = f"{name}_{count}"
        self.taken.add(found)
        return found

    def value(self, name: str, shape: Shape) -> ValueInfoProto:
        """The name, type and shape of maps N×c×h×w or vectors N×c."""
        return helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(self.numbers), [BATCH, shape[-1], *shape[:-1]]
        )


# ---- what a model gives, and what is in it ----


def onnxruntime() -> Any:
    """The module onnxruntime; raises `MissingFramework`."""
    with needing("running an ONNX model"):
        return import_module("onnxruntime")


def run(model: ModelProto, graph: Graph, images: Array) -> dict[str, Array]:
    """The outputs of a model by name; arrays N×h×w×c or N×c, in and out."""
    batch = np.ascontiguousarray(images.transpose(0, 3, 1, 2)) if images.ndim == 4 else images
    names = list(graph.in_evaluation().outputs)
    if model.graph.input[0].type.tensor_type.elem_type == TensorProto.DOUBLE:
        # onnxruntime has no convolution in float64
        found = ReferenceEvaluator(model, new_ops=[Erf]).run(names, {INPUT: batch})
    else:
        library = onnxruntime()
        session = session_of(model, library)
        found = session.run(names, {INPUT: batch})
    laid = (value.transpose(0, 2, 3, 1) if value.ndim == 4 else value for value in map(np.asarray, found))
    return dict(zip(names, laid, strict=True))


def session_of(model: ModelProto, library: Any) -> Any:
    """What onnxruntime runs a model in; one that is too large for a message is read from files."""
    providers = ["CPUExecutionProvider"]
    if not is_apart(model):
        return library.InferenceSession(model.SerializeToString(), providers=providers)
    with TemporaryDirectory() as folder:
        save(model, path := Path(folder, "model.onnx"))
        return library.InferenceSession(str(path), providers=providers)


class Erf(OpRun):
    """The error function in the type of its input; the one that onnx has computes in float32."""

    op_domain = ""

    def _run(self, x: Array) -> tuple[Array]:
        return (np.vectorize(erf, otypes=[x.dtype])(x),)


def measure(model: ModelProto) -> Measured:
    """The elements of the trained tensors, and the multiply-accumulates by the shapes that onnx infers."""
    weights = model.graph.initializer
    given = [helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims) for tensor in weights]
    # without our own shapes, and without the weights' values, which would be copied
    bare = helper.make_graph(model.graph.node, "bare", [*model.graph.input, *given], model.graph.output)
    made = helper.make_model(bare, opset_imports=model.opset_import, ir_version=model.ir_version)
    inferred = shape_inference.infer_shapes(made, strict_mode=True).graph
    shapes = {value.name: sides(value) for value in (*inferred.input, *inferred.value_info, *inferred.output)}
    tensors = {tensor.name: tuple(tensor.dims) for tensor in weights}
    params = sum(prod(shape) for name, shape in tensors.items() if ".running_" not in name)
    constants = {name for node in model.graph.node if node.op_type == "Constant" for name in node.output}
    macs = 0
    for node in model.graph.node:
        if node.op_type in {"Conv", "Gemm"}:
            macs += prod(shapes[node.output[0]]) * prod(tensors[node.input[1]][1:])
        elif node.op_type == "MatMul" and constants.isdisjoint(node.input):
            macs += prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
    return Measured(params, macs)


def sides(value: ValueInfoProto) -> Shape:
    """The shape of a value, without the batch."""
    return tuple(side.dim_value for side in value.type.tensor_type.shape.dim if side.dim_param != BATCH)


# ---- files ----


def save(model: ModelProto, path: Path, largest: int = LIMIT) -> None:
    """Write a model, in two files where it would be larger than `largest`; raises `BackendError` or `OSError`."""
    if path.suffix != ".onnx":
        raise BackendError(f"the onnx backend does not save as {path.suffix or 'a file without suffix'}")
    if is_apart(model, largest):
        save_apart(model, path)
        return
    with whole_file(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def is_apart(model: ModelProto, largest: int = LIMIT) -> bool:
    """Whether a model does not fit into one file."""
    size: int = with_initializers(model, []).ByteSize() + weights_size(model)
    return size > largest


def read(path: Path, entry: str | None = None) -> dict[str, Array]:
    """The initializers of a model by their names; raises `WeightsError` or `OSError`."""
    if entry is not None:
        raise WeightsError(f"{path}: an ONNX file has no parts, so there is no `{entry}`")
    try:
        return {name: found.array for name, found in opened(path).weights.items()}
    except Unreadable as error:
        raise WeightsError(str(error), error.help) from None
    except No as error:
        raise WeightsError(f"{path}: a tensor cannot be read: {error}") from None
