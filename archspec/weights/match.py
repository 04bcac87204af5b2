"""The tensors of a file -> those of a Graph, by their keys. All of them, or none."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from archspec.backend import BackendError
from archspec.elaborate.weight_keys import Keys
from archspec.graph import Graph
from archspec.printable import printable
from archspec.tensor import Shape, shape_text

Array = Any
"""A `numpy.ndarray`; the core imports no numpy."""

COUNTER = "num_batches_tracked"
"""PyTorch's count of batches beside running statistics: no part of the network."""


class WeightsError(BackendError):
    """Weights cannot be read, or are not those of the network."""


class Misfit(Struct, frozen=True):
    """One tensor that is missing, too many, or not as it should be."""

    kind: str
    key: str
    says: str

    def __str__(self) -> str:
        return f"  {self.kind:<9}  {printable(self.key)}  {self.says}"


class Misfits(WeightsError):
    """Every tensor of a file that does not fit, at once."""

    def __init__(self, name: str, misfits: tuple[Misfit, ...], advice: str | None) -> None:
        self.misfits = misfits
        kinds = ("missing", "extra", "misshapen")
        counts = {kind: sum(misfit.kind == kind for misfit in misfits) for kind in kinds}
        summary = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        super().__init__("\n".join([f"these are not the weights of `{name}`: {summary}", *map(str, misfits)]), advice)


def take(given: Mapping[str, Array], keys: Keys, graph: Graph) -> dict[str, Array]:
    """The tensors of a Graph by their canonical names, from a file's; raises `Misfits`.

    `keys` says what each is called in the file. Sides of 1 at the end of a shape are no difference: a linear layer
    (out, in) is a convolution (out, in, 1, 1).
    """
    shapes = graph.tensors()
    taken: dict[str, Array] = {}
    wrong: list[Misfit] = []
    used: set[str] = set()
    differing: list[tuple[Shape, Shape]] = []
    for name, shape in shapes.items():
        key = next((key for key in keys[name] if key in given), keys[name][0])
        if key not in given:
            wrong.append(Misfit("missing", key, shape_text(shape) + (f", for {name}" if key != name else "")))
            continue
        used.add(key)
        array = given[key]
        if trimmed(tuple(array.shape)) != trimmed(shape):
            differing.append((shape, tuple(array.shape)))
            wrong.append(
                Misfit("misshapen", key, f"is {shape_text(array.shape) or 'a number'}, not {shape_text(shape)}")
            )
        elif array.dtype.kind != "f":
            wrong.append(Misfit("misshapen", key, f"holds {array.dtype}, not floating-point numbers"))
        else:
            taken[name] = array.reshape(shape)
    wrong += [
        Misfit("extra", key, shape_text(given[key].shape) or "a number")
        for key in given
        if key not in used and not is_counter(key, used)
    ]
    if wrong:
        raise Misfits(graph.name, tuple(wrong), advice(graph, differing))
    return taken


def trimmed(shape: Shape) -> Shape:
    """A shape without sides of 1 at its end."""
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def is_counter(key: str, used: set[str]) -> bool:
    module, _, name = key.rpartition(".")
    return name == COUNTER and f"{module}.running_mean" in used


def advice(graph: Graph, differing: list[tuple[Shape, Shape]]) -> str | None:
    """The parameter that has another value in the file, if one explains every shape that differs."""
    sides = set(differing_sides(differing))
    if len(sides) != 1:
        return None
    expected, found = sides.pop()
    names = [name for name, value in graph.parameters.items() if value == expected and not isinstance(value, bool)]
    return f"with `-p {names[0]}={found}` they would be" if len(names) == 1 else None


def differing_sides(differing: list[tuple[Shape, Shape]]) -> Iterator[tuple[int, int]]:
    for expected, found in differing:
        if len(expected) != len(found):
            yield len(expected), -len(found)
        else:
            yield from ((a, b) for a, b in zip(expected, found, strict=True) if a != b)
