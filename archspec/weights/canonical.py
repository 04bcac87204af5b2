"""The canonical form of weights: one safetensors file, a tensor for each name in `Graph.tensors`.

Layouts: convolution (out, in / groups, kh, kw), linear (out, in), everything else one value for each channel.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from archspec import backend
from archspec.graph import Graph
from archspec.weights.libraries import numpy, safetensors
from archspec.weights.match import Array, WeightsError, take

SUFFIX = ".safetensors"
FORMAT = "archspec-weights-1"


def encode(tensors: Mapping[str, Array], graph: Graph) -> bytes:
    """A file of these tensors, canonical names to arrays."""
    # one entry: safetensors writes several in an order that changes, and equal weights would be different files
    metadata = {FORMAT: json.dumps({"network": graph.name, "parameters": graph.parameters})}
    whole = {name: numpy().ascontiguousarray(array) for name, array in tensors.items()}
    data: bytes = safetensors().numpy.save(whole, metadata)
    return data


def read(path: Path) -> dict[str, Array]:
    """The tensors of a safetensors file, whoever wrote it; raises `WeightsError` or `OSError`."""
    data = path.read_bytes()
    library = safetensors()
    try:
        tensors: dict[str, Array] = library.numpy.load(data)
    except (library.SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(f"{path}: this is no safetensors file that can be read ({error})") from None
    return tensors


def tensors_of(path: Path, entry: str | None = None) -> dict[str, Array]:
    """The tensors of a file, by whatever backend reads it; raises `BackendError` or `OSError`."""
    if path.suffix == SUFFIX:
        return read(path)
    backends = [backend.load(name) for name in backend.available()]
    reader = next((found for found in backends if path.suffix in found.reads), None)
    if reader is None:
        known = ", ".join([SUFFIX, *(suffix for found in backends for suffix in found.reads)])
        raise WeightsError(f"{path}: weights are read from {known}")
    return reader.read(path, entry)


def load(path: Path, graph: Graph) -> dict[str, Array]:
    """The weights of a Graph from a canonical file; raises `WeightsError` or `OSError`."""
    return take(read(path), {name: (name,) for name in graph.tensors()}, graph)
