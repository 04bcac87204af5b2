"""The canonical form of weights: one safetensors file, a tensor for each name in `Graph.tensors`.

Layouts: convolution (out, in / groups, kh, kw), linear (out, in), everything else one value for each channel.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from archspec import room
from archspec.backend import ReadsWeights, having
from archspec.graph import Graph
from archspec.weights.header import Untrue, check_header
from archspec.weights.libraries import numpy, safetensors
from archspec.weights.match import Array, Tensors, WeightsError, take

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
    """The tensors of a safetensors file, whoever wrote it; raises `WeightsError`, `TooLarge` or `OSError`."""
    library = safetensors()
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            check_header(file, size)
            # the bytes and the arrays made of them
            room.check(f"the tensors in {path}", 2 * size)
            file.seek(0)
            tensors: dict[str, Array] = library.numpy.load(file.read())
    except (Untrue, library.SafetensorError, KeyError) as error:
        raise WeightsError(f"{path}: this is not a safetensors file that can be read: {error}") from None
    return tensors


def tensors_of(path: Path, entry: str | None = None) -> Tensors:
    """The tensors of a file, by whatever backend reads it, and what was done to have them.

    Raises `Refusal` or `OSError`.
    """
    if path.suffix == SUFFIX:
        return Tensors(read(path))
    backends = having(ReadsWeights)
    reader = next((found for found in backends if path.suffix in found.reads), None)
    if reader is None:
        known = ", ".join([SUFFIX, *(suffix for found in backends for suffix in found.reads)])
        raise WeightsError(f"{path}: weights are read from {known}")
    found = reader.read(path, entry)
    return found if isinstance(found, Tensors) else Tensors(found)


def load(path: Path, graph: Graph, *, finite: bool = True) -> dict[str, Array]:
    """The weights of a Graph from a canonical file; raises `WeightsError` or `OSError`.

    Numbers that are not finite are refused unless `finite` is false.
    """
    return take(read(path), {name: (name,) for name in graph.tensors()}, graph, finite=finite)
