"""Weights between programs: by the keys that a spec's `weights` clauses say, a backend's own, or the canonical form."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from archspec import weights
from archspec.backend import Builds, WritesWeights, available, get, having
from archspec.driver import load
from archspec.elaborate.evaluate import Value
from archspec.elaborate.weight_keys import Keys, origins
from archspec.files import whole_file
from archspec.graph import Graph
from archspec.printable import printable
from archspec.spec import Spec
from archspec.weights import WeightsError

CANONICAL = "canonical"
"""The name of archspec's own form among the programs."""


class WrongSuffix(WeightsError):
    """A program's weights cannot be saved in a file with that suffix."""

    exit_code: ClassVar[int] = 2


def convert(
    file: str | Path,
    spec: str | Path,
    output: str | Path,
    *,
    source: str = CANONICAL,
    target: str = CANONICAL,
    entry: str | None = None,
    drop: Sequence[str] = (),
    parameters: Mapping[str, Value] | None = None,
    finite: bool = True,
    told: Callable[[str], None] = lambda note: None,
) -> Graph:
    """Write the weights in a file of one program as those of another; the Graph that they are of.

    A program is `canonical`, one that the network has a `weights` clause for (`torchvision`), or a backend, whose files
    are those of the models that it builds. The tensors are found by their keys, all of them, and no other may be in the
    file but those whose keys begin with one of `drop`. `entry` is the part of the file that holds them. Numbers that
    are not finite are refused unless `finite` is false. `told` gets sentences of what was done to the file's keys.
    Raises `SpecError`, `OSError` or `Refusal`.
    """
    loaded = load(spec)
    graph = loaded.elaborate(**(parameters or {}))
    path = Path(output)
    check_suffix(path, loaded, target)
    if source == CANONICAL:
        tensors = weights.load(Path(file), graph, finite=finite)
    else:
        found = weights.tensors_of(Path(file), entry)
        for note in found.notes:
            told(note)
        tensors = weights.take(without(found, drop), keys(loaded, graph, source), graph, finite=finite)
    write(path, tensors, loaded, graph, target)
    return graph


def without(tensors: Mapping[str, Any], prefixes: Sequence[str]) -> dict[str, Any]:
    """The tensors, except those that are to be left out; raises `WeightsError` for a prefix that matches none."""
    for prefix in prefixes:
        if not any(key.startswith(prefix) for key in tensors):
            raise WeightsError(f"no key begins with `{printable(prefix)}`")
    return {key: array for key, array in tensors.items() if not key.startswith(tuple(prefixes))}


def keys(loaded: Spec, graph: Graph, program: str) -> Keys:
    """What a program calls the tensors of a Graph; raises `SpecError` where nothing says so."""
    if program not in origins(loaded.network) and program in available():
        return {name: (key,) for name, key in get(program, Builds).keys(graph).items()}
    return loaded.weight_keys(program, graph)


def suffixes(loaded: Spec, target: str) -> tuple[str, ...]:
    """How a file of weights for a program may end."""
    if target == CANONICAL:
        return (weights.SUFFIX,)
    if target not in origins(loaded.network) and target in available():
        return tuple(get(target, Builds).formats)
    return (weights.SUFFIX, *(suffix for writer in having(WritesWeights) for suffix in writer.writes))


def check_suffix(path: Path, loaded: Spec, target: str) -> None:
    """Raise `WrongSuffix` for a file that could not be written, before anything is read."""
    known = suffixes(loaded, target)
    if not path.name.endswith(known):
        raise WrongSuffix(f"{path}: weights for {target} are saved as {', '.join(known)}")


def write(path: Path, tensors: Mapping[str, Any], loaded: Spec, graph: Graph, target: str) -> None:
    """Write canonical tensors as a program's, whole or not at all."""
    if target == CANONICAL:
        data = weights.encode(tensors, graph)
    elif target not in origins(loaded.network) and target in available():
        backend, graph = get(target, Builds), graph.with_all_outputs()
        double = all(array.dtype.itemsize == 8 for array in tensors.values())
        model = backend.build(graph, weights=tensors, dtype="float64" if double else "float32")
        backend.save(model, graph, path)
        return
    else:
        called = loaded.weight_keys(target, graph)
        renamed = {called[name][0]: array for name, array in tensors.items()}
        if path.suffix != weights.SUFFIX:
            writer = next(writer for writer in having(WritesWeights) if path.suffix in writer.writes)
            writer.write(renamed, path)
            return
        data = weights.encode(renamed, graph)
    with whole_file(path) as temporary:
        temporary.write_bytes(data)
