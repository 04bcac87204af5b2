"""An ONNX file -> a model that is valid, and its weights as constants that are read when they are asked for.

Nothing in a file is believed: the bytes of a tensor are counted before they are looked at. Weights in another file are
read only from the folder of the model.
"""

import stat
from collections.abc import Mapping
from math import prod
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import onnx
from msgspec import Struct
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from archspec.decompile import Unreadable
from archspec.decompile.layouts import No
from archspec.printable import printable
from archspec.weights.header import shortened
from archspec_onnx.constants import Array, Constant, fixed

MOST_DIMENSIONS = 32
FIELDS: Mapping[Any, str] = {
    TensorProto.FLOAT: "float_data", TensorProto.DOUBLE: "double_data", TensorProto.INT64: "int64_data",
    TensorProto.UINT32: "uint64_data", TensorProto.UINT64: "uint64_data",
} | dict.fromkeys(
    (
        TensorProto.INT32, TensorProto.INT16, TensorProto.INT8, TensorProto.UINT16, TensorProto.UINT8,
        TensorProto.BOOL, TensorProto.FLOAT16, TensorProto.BFLOAT16,
    ),
    "int32_data",
)  # fmt: skip
"""The types of numbers that are read, and where a tensor has them that does not have raw bytes."""
BFLOAT16 = np.dtype("<u2")
"""The upper half of a float32, which numpy does not know."""


class File(Struct, frozen=True):
    """A model that was read."""

    model: ModelProto
    """without its weights, which are inputs here"""
    path: Path
    weights: dict[str, Constant]
    inputs: tuple[ValueInfoProto, ...]
    """those that are not weights"""
    sparse: frozenset[str]
    """the names of its sparse weights"""


def opened(path: Path) -> File:
    """The model in a file; raises `Unreadable` or `OSError`."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise Unreadable(f"{path}: this is not a file")
    try:
        whole = onnx.load_model_from_string(path.read_bytes())
    except OSError:
        raise
    except Exception:  # damaged bytes make a parser raise whatever comes first
        raise Unreadable(f"{path}: this is not an ONNX file, or it is damaged") from None
    if not is_text(whole):
        raise Unreadable(f"{path}: a text in it is not UTF-8")
    graph = whole.graph
    weights = {tensor.name: constant(tensor, path, key=tensor.name) for tensor in graph.initializer}
    if len(weights) < len(graph.initializer):
        raise Unreadable(f"{path}: two of its initializers have one name")
    sparse = frozenset(tensor.values.name for tensor in graph.sparse_initializer)
    inputs = tuple(value for value in graph.input if value.name not in weights and value.name not in sparse)
    model = without_weights(whole)
    try:
        onnx.checker.check_model(model)
    except Exception as error:  # of its own, and those of protobuf
        first = printable(str(error).strip().partition("\n")[0][:200])
        raise Unreadable(f"{path}: this is not a valid ONNX model ({first})") from None
    return File(model, path, weights, inputs, sparse)


def without_weights(whole: ModelProto) -> ModelProto:
    """A model whose weights are inputs: what is left is small, and does not name other files."""
    graph = whole.graph
    known = {value.name for value in graph.input}
    held = [(t.name, t.data_type, t.dims) for t in graph.initializer]
    held += [(t.values.name, t.values.data_type, t.dims) for t in graph.sparse_initializer]
    given = [helper.make_tensor_value_info(*tensor) for tensor in held if tensor[0] not in known]
    bare = GraphProto(name=graph.name, node=graph.node, input=[*graph.input, *given], output=graph.output)
    return ModelProto(
        ir_version=whole.ir_version, opset_import=whole.opset_import, producer_name=whole.producer_name,
        functions=whole.functions, graph=bare,
    )  # fmt: skip


def is_text(message: Any) -> bool:
    """Whether all texts of a message are UTF-8; those that are not are bytes."""
    for field, value in message.ListFields():
        several = value if field.is_repeated else [value]
        if field.type == field.TYPE_STRING and any(isinstance(text, bytes) for text in several):
            return False
        if field.type == field.TYPE_MESSAGE and not all(map(is_text, several)):
            return False
    return True


# ---- tensors ----


def constant(tensor: TensorProto, path: Path, key: str = "", made: str = "") -> Constant:
    """A tensor of a file; raises `Unreadable` where it does not hold what its type and shape say."""
    shape = tuple(tensor.dims)
    what = printable(f"the tensor `{tensor.name or made}`")
    if len(shape) > MOST_DIMENSIONS or min(shape, default=0) < 0 or tensor.HasField("segment"):
        raise Unreadable(f"{path}: {what} has no shape that can be read")
    count, field = prod(shape), FIELDS.get(tensor.data_type)
    if field is None:
        known = tensor.data_type in TensorProto.DataType.values()
        return odd(shape, TensorProto.DataType.Name(tensor.data_type) if known else "unknown", key, made)
    kind = stored(tensor.data_type)
    name = "float32" if tensor.data_type == TensorProto.BFLOAT16 else kind.name
    if tensor.data_location == TensorProto.EXTERNAL:
        place = Outside(path, tensor, count * kind.itemsize, what)
        return Constant(shape, name, lambda: widened(place.read(), tensor, shape), (), key, made, True)
    if tensor.HasField("raw_data"):
        held, wanted, unit = len(tensor.raw_data), count * kind.itemsize, "bytes"
    else:
        held, wanted, unit = len(getattr(tensor, field)), count, "numbers"
    if held != wanted:
        raise Unreadable(f"{path}: {what} holds {held:,} {unit}, and its type and shape say {wanted:,}")
    return Constant(shape, name, lambda: inside(tensor, field, shape), (), key, made)


def odd(shape: tuple[int, ...], name: str, key: str, made: str) -> Constant:
    """A tensor of numbers that are not read."""

    def read() -> Array:
        raise No(f"it has {name} numbers")

    return Constant(shape, name, read, (), key, made)


def stored(data_type: int) -> np.dtype[Any]:
    """The type of numbers in raw bytes."""
    if data_type == TensorProto.BFLOAT16:
        return BFLOAT16
    return np.dtype(helper.tensor_dtype_to_np_dtype(data_type)).newbyteorder("<")


def inside(tensor: TensorProto, field: str, shape: tuple[int, ...]) -> Array:
    """The numbers that stand in a tensor."""
    kind = stored(tensor.data_type)
    if tensor.HasField("raw_data"):
        return widened(np.frombuffer(tensor.raw_data, dtype=kind), tensor, shape)
    values = np.asarray(getattr(tensor, field))
    if tensor.data_type in {TensorProto.FLOAT16, TensorProto.BFLOAT16}:  # the bits of a number, as a whole number
        return widened(values.astype(np.uint16).view(kind), tensor, shape)
    return widened(values.astype(kind), tensor, shape)


def widened(found: Array, tensor: TensorProto, shape: tuple[int, ...]) -> Array:
    """Numbers as an array of a type that numpy has, in the byte order of this machine."""
    if tensor.data_type == TensorProto.BFLOAT16:
        found = (found.astype(np.uint32) << 16).view(np.float32)
    return found.astype(found.dtype.newbyteorder("="), copy=False).reshape(shape)


class Outside:
    """A part of another file in the folder of a model."""

    def __init__(self, path: Path, tensor: TensorProto, size: int, what: str) -> None:
        said = {entry.key: entry.value for entry in tensor.external_data}
        self.where = said.get("location", "")
        self.model = path
        self.what = f"{path}: {what}"
        self.size = size
        self.kind = stored(tensor.data_type)
        self.offset = self.number(said.get("offset", "0"))
        self.length = self.number(said["length"]) if "length" in said else None
        parts = PurePosixPath(self.where).parts
        if not parts or self.where.startswith("/") or ".." in parts or any(c in self.where for c in "\\:\0"):
            raise Unreadable(f"{self.what} is in `{shortened(self.where)}`, outside of the model's folder")
        if self.length not in {None, size}:
            raise Unreadable(f"{self.what} holds {self.length:,} bytes, and its type and shape say {size:,}")

    def number(self, text: str) -> int:
        """A place in a file, or a length; raises `Unreadable`."""
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise Unreadable(f"{self.what} begins or ends at `{printable(text[:40])}`, which is not a whole number")
        return int(text)

    def read(self) -> Array:
        """The numbers; raises `Unreadable` or `OSError`."""
        folder = self.model.parent.resolve()
        found = (folder / self.where).resolve()
        shown = shortened(self.where)
        if not found.is_relative_to(folder):
            raise Unreadable(f"{self.what} is in `{shown}`, a link that leaves the model's folder")
        try:
            status = found.stat()
        except FileNotFoundError:
            raise Unreadable(f"{self.what} is in `{shown}`, which is not there", f"put `{shown}` beside it") from None
        except OSError as error:  # a name that no file can have
            raise Unreadable(f"{self.what} is in `{shown}`, which cannot be read: {error.strerror}") from None
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(f"{self.what} is in `{shown}`, which is not a file")
        end = self.offset + self.size
        if end > status.st_size or (self.length is None and end != status.st_size):
            raise Unreadable(f"{self.what} is said to end at byte {end:,} of `{shown}`, which has {status.st_size:,}")
        return np.fromfile(found, dtype=self.kind, count=self.size // self.kind.itemsize, offset=self.offset)


def constant_of(node: NodeProto, path: Path) -> Constant:
    """The numbers of a `Constant`; raises `No` for what are none, `Unreadable` for a tensor that lies."""
    attribute = node.attribute[0] if node.attribute else None
    match attribute.name if attribute is not None else "":
        case "value" if attribute is not None:
            if attribute.t.data_location == TensorProto.EXTERNAL:
                raise Unreadable(f"{path}: a `Constant` has its numbers in another file")
            return constant(attribute.t, path, made=node.output[0])
        case "value_float" | "value_int" | "value_floats" | "value_ints" as name if attribute is not None:
            kind = np.float32 if "float" in name else np.int64
            value = {
                "value_float": attribute.f, "value_int": attribute.i,
                "value_floats": list(attribute.floats), "value_ints": list(attribute.ints),
            }[name]  # fmt: skip
            return fixed(np.asarray(value, dtype=kind), made=node.output[0])
    raise No("it does not hold numbers")
