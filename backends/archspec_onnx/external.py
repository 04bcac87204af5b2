"""Models beyond 2 GiB: `x.onnx`, whose weights are in `x.onnx.data` beside it.

A message of protobuf ends at 2 GiB; ONNX lets tensors say where in another file their numbers are.
"""

from pathlib import Path
from typing import Any, BinaryIO

from onnx import GraphProto, ModelProto, TensorProto, external_data_helper

from archspec.backend import BackendError
from archspec.files import whole_pair

SUFFIX = ".data"
ALIGNED = 2**12
"""Bytes at whose multiples a tensor begins, so that its pages can be mapped into memory."""


def save_apart(model: ModelProto, path: Path) -> None:
    """Write a model and its weights as two files, both or neither; raises `BackendError` or `OSError`."""
    data = path.with_name(path.name + SUFFIX)
    for file in (path, data):
        if file.is_symlink() or (file.exists() and not file.is_file()):
            raise BackendError(f"{file} is not a file of its own, and this model is two files beside each other")
    with whole_pair(path, data) as (first, second), second.open("wb") as sink:
        tensors = [moved(tensor, sink, data.name) for tensor in model.graph.initializer]
        sink.flush()
        first.write_bytes(with_initializers(model, tensors).SerializeToString(deterministic=True))


def moved(tensor: TensorProto, sink: BinaryIO, name: str) -> TensorProto:
    """Write the bytes of a tensor; what says where they are now."""
    sink.write(bytes(-sink.tell() % ALIGNED))
    start = sink.tell()
    length = sink.write(tensor.raw_data)
    made = TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims, raw_data=b"")
    external_data_helper.set_external_data(made, name, offset=start, length=length)
    made.ClearField("raw_data")
    return made


def with_initializers(model: ModelProto, tensors: list[TensorProto]) -> ModelProto:
    """The model with these as its weights; its own are not copied."""
    graph = GraphProto(initializer=tensors, **others(model.graph, "initializer"))
    return ModelProto(graph=graph, **others(model, "graph"))


def others(message: Any, name: str) -> dict[str, Any]:
    """The fields of a message except one."""
    return {field.name: value for field, value in message.ListFields() if field.name != name}
