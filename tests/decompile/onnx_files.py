"""ONNX files as others write them, and what onnxruntime gives for them."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from archspec_onnx import Backend
from archspec_onnx.decompile import decompile
from decompile.equality import off
from onnx import TensorProto, helper, numpy_helper

from archspec.decompile import Decompiled, decompiled


def saved(
    folder: Path,
    nodes: list[Any],
    arrays: dict[str, Any],
    shape: list[Any],
    sides: int = 4,
    opset: int = 17,
    kind: int = TensorProto.FLOAT,
) -> Path:
    """A file with these nodes, from `x` to `y`, which has so many sides."""
    image = helper.make_tensor_value_info("x", kind, shape)
    out = helper.make_tensor_value_info("y", kind, [f"side_{n}" for n in range(sides)])
    initializers = [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "made", [image], [out], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    path = folder / "theirs.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def node(kind: str, inputs: str, outputs: str, **attributes: Any) -> Any:
    """A node; an input that is left out is `-`."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(kind, names, outputs.split(), **attributes)


def number(name: str, value: Any) -> Any:
    """A node that holds numbers."""
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(value)))


def draw(*shape: int) -> Any:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype("float32")


def agrees(path: Path, found: Decompiled, bound: float = 1e-6) -> None:
    """What a spec gives in our runtime with a file's weights is what onnxruntime gives for the file."""
    model = onnx.load(path)
    (image,) = (value for value in model.graph.input if value.name not in {t.name for t in model.graph.initializer})
    shape = found.graph.input.shape
    dims = [side.dim_value for side in image.type.tensor_type.shape.dim]
    images = np.random.default_rng(0).standard_normal((dims[0] or 1, *shape)).astype("float32")
    last = len(dims) == 4 and dims[1:] == list(shape) and dims[1:] != [shape[-1], *shape[:-1]]
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    turned = images if last or images.ndim == 2 else images.transpose(0, 3, 1, 2)
    wanted = session.run(None, {image.name: turned})
    backend = Backend()
    arrays = {name: tensor.array() for name, tensor in found.tensors.items()}
    made = backend.run(backend.build(found.graph, weights=arrays), found.graph, images)
    assert len(wanted) == len(made)
    for theirs, ours in zip(wanted, made.values(), strict=True):
        assert off(theirs, ours if ours.shape == theirs.shape and last else first(ours)) < bound


def first(images: Any) -> Any:
    """Maps with their channels first."""
    return images.transpose(0, 3, 1, 2) if images.ndim == 4 else images


def ends_like(path: Path, side: int = 9) -> Decompiled:
    """The spec of a file; what it gives in our runtime is what the file gives."""
    found = decompiled(decompile(str(path), image=(side, side, 3)))
    agrees(path, found)
    return found


def kinds(found: Decompiled) -> list[str]:
    return [node.op.kind for node in found.graph.nodes[1:]]
