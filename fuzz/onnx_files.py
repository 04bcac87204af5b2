"""The target of ONNX files."""

import random
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy
import onnx
from archspec_onnx.decompile import decompile
from google.protobuf.message import DecodeError
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from archspec import driver
from archspec.decompile import decompiled
from fuzz.files import at_a_path
from fuzz.mutate_data import ODD, of_bytes
from fuzz.targets import Target

BESIDE = {"theirs.onnx.data": bytes(range(256)) * 4}
"""What weights in another file are read from."""
IMAGE = (8, 8, 3)


def model(path: Path) -> None:
    """A model that is read is a spec, and its text means the same; all of its weights can be read."""
    found = decompiled(decompile(str(path), name=None, image=IMAGE, arguments={}))
    assert driver.parse(found.text, "<decompiled>").elaborate() == found.graph, "its text means another Graph"
    for name, shape in found.graph.tensors().items():
        assert tuple(found.tensors[name].array().shape) == shape, "a weight of another shape"


# ---- what is tried first ----


def node(kind: str, inputs: str, outputs: str, **attributes: Any) -> Any:
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def file(
    nodes: list[Any], weights: list[Any], shape: tuple[Any, ...] = (1, 3, 8, 8), sides: int = 4, opset: int = 17
) -> bytes:
    """A model from `x` to `y`, which has so many sides."""
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [f"side_{n}" for n in range(sides)])
    graph = helper.make_graph(nodes, "made", [image], [out], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    made.ir_version = 8
    return bytes(made.SerializeToString(deterministic=True))


def tensor(name: str, *shape: int) -> Any:
    return numpy_helper.from_array(numpy.ones(shape, "float32"), name)


def numbers(name: str, values: Any, kind: str = "int64") -> Any:
    return numpy_helper.from_array(numpy.asarray(values, kind), name)


def elsewhere(name: str, *shape: int) -> Any:
    """A tensor whose numbers are in the file beside."""
    made = tensor(name, *shape)
    length = len(made.raw_data)
    external_data_helper.set_external_data(made, next(iter(BESIDE)), offset=0, length=length)
    made.ClearField("raw_data")
    return made


def usual() -> bytes:
    """A convolution, its normalisation and a head."""
    nodes = [
        node("Conv", "x w", "a", pads=[1, 1, 1, 1]), node("BatchNormalization", "a s b m v", "c"),
        node("Clip", "c low high", "d"), node("GlobalAveragePool", "d", "e"), node("Flatten", "e", "f"),
        node("Gemm", "f g", "y", transB=1),
    ]  # fmt: skip
    norm = [tensor(name, 4) for name in ("s", "b", "m", "v")]
    bounds = [numbers("low", 0, "float32"), numbers("high", 6, "float32")]
    return file(nodes, [tensor("w", 4, 3, 3, 3), *norm, *bounds, tensor("g", 5, 4)], sides=2)


def computed() -> bytes:
    """A shape that the model computes."""
    nodes = [
        node("Conv", "x w", "a"), node("MaxPool", "a", "q", kernel_shape=[2, 2], strides=[2, 2]),
        node("GlobalAveragePool", "q", "p"), node("Shape", "p", "n"), node("Gather", "n zero", "batch"),
        node("Unsqueeze", "batch axes", "one"), node("Concat", "one rest", "shape", axis=0),
        node("Reshape", "p shape", "y"),
    ]  # fmt: skip
    weights = [tensor("w", 4, 3, 3, 3), numbers("zero", 0), numbers("axes", [0]), numbers("rest", [4])]
    return file(nodes, weights, ("n", 3, 8, 8), sides=2)


def affine() -> bytes:
    """Numbers in a node, and in another field than the raw one."""
    half = helper.make_node("Constant", [], ["half"], value=numbers("", 0.5, "float32"))
    nodes = [
        half, node("Mul", "x half", "a"), node("Conv", "a w", "b"), node("Add", "b b", "c"), node("Sigmoid", "c", "y"),
    ]  # fmt: skip
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 3, 1, 1], float_data=[0.5] * 12)
    return file(nodes, [weight], opset=13)


def moved() -> bytes:
    """Channels last, groups, a second branch."""
    nodes = [
        node("Transpose", "x", "t", perm=[0, 3, 1, 2]), node("Conv", "t w", "a", group=3, pads=[1, 1, 1, 1]),
        node("Relu", "a", "b"), node("Concat", "b t", "c", axis=1), node("AveragePool", "c", "d", kernel_shape=[2, 2]),
        helper.make_node("Resize", ["d", "", "r"], ["y"], mode="nearest"),
    ]  # fmt: skip
    return file(nodes, [tensor("w", 3, 1, 3, 3), numbers("r", [1, 1, 2, 2], "float32")], (1, 8, 8, 3))


def apart() -> bytes:
    """Weights that are in another file."""
    return file([node("Conv", "x w", "y")], [elsewhere("w", 4, 3, 3, 3)])


@cache
def made() -> tuple[bytes, ...]:
    """Models as exporters write them."""
    return usual(), computed(), affine(), moved(), apart()


# ---- mutations ----


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A model with another field somewhere; bytes where it is not a model, or now and then."""
    found = onnx.ModelProto()
    try:
        found.ParseFromString(data)
    except DecodeError:
        return of_bytes(data, rng)
    if rng.randrange(12) == 0 or not found.ListFields():
        return of_bytes(data, rng)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        messages = [found, *(message for message in within(found) if message.ListFields())]
        change(rng.choice(messages), messages, rng)
    return bytes(found.SerializePartialToString(deterministic=True))


def within(message: Any) -> list[Any]:
    """A message and all messages in it."""
    found = [message]
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for inner in value if field.is_repeated else [value]:
                found += within(inner)
    return found


def change(message: Any, messages: list[Any], rng: random.Random) -> None:
    """Another value of a field that a message has, or now and then of one that it does not have."""
    present = [field for field, _ in message.ListFields()]
    field = rng.choice(present if present and rng.randrange(6) else list(message.DESCRIPTOR.fields))
    alike = [m for m in messages if m.DESCRIPTOR is message.DESCRIPTOR and m.ListFields()] or [message]
    value = getattr(message, field.name)
    if not field.is_repeated:
        if rng.randrange(8) == 0:
            message.ClearField(field.name)
        elif field.type == field.TYPE_MESSAGE:
            value.CopyFrom(deepcopy(getattr(rng.choice(alike), field.name)))
        else:
            setattr(message, field.name, scalar(field, [getattr(m, field.name) for m in alike], rng))
        return
    place = rng.randrange(len(value)) if len(value) else None
    if place is not None and rng.randrange(3) == 0:
        del value[place]
    elif field.type == field.TYPE_MESSAGE:
        others = [inner for m in alike for inner in getattr(m, field.name)]
        if others:
            value.add().CopyFrom(deepcopy(rng.choice(others)))
    elif place is not None and rng.randrange(3):
        value[place] = scalar(field, list(value), rng)
    else:
        value.append(scalar(field, list(value), rng))


def scalar(field: Any, others: list[Any], rng: random.Random) -> Any:
    """A value of a field: one of another message, or an odd one."""
    if field.type in {field.TYPE_FLOAT, field.TYPE_DOUBLE}:
        return rng.choice((0.0, -1.0, 1e-30, 3e38, float("nan"), float("inf"), 0.5))
    if field.type == field.TYPE_BYTES:
        return of_bytes(rng.choice(others or [b""]), rng)
    if field.type == field.TYPE_STRING:
        texts = [value for value in ODD if isinstance(value, str)] + [
            "Relu",
            "Conv",
            "Reshape",
            "Add",
            "Shape",
            "x",
            "y",
            "w",
        ]
        return rng.choice([*(other for other in others if isinstance(other, str)), *texts])
    if field.type == field.TYPE_ENUM:
        return rng.choice(list(field.enum_type.values_by_number))
    low, high = (-(2**63), 2**63 - 1) if field.type == field.TYPE_INT64 else (-(2**31), 2**31 - 1)
    if field.type == field.TYPE_UINT64:
        low, high = 0, 2**64 - 1
    near = [value + step for value in others if isinstance(value, int) for step in (-1, 1)]
    return min(max(rng.choice([*near, 0, 1, 2, 3, -1, 100, 2**20, 2**31, 2**40, low, high]), low), high)


Change = Callable[[bytes, random.Random], bytes]
TARGETS = {"onnx": Target(at_a_path(".onnx", model, BESIDE), mutated, made, 20_000)}
