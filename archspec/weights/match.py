"""The tensors of a file -> those of a Graph, by their keys. All of them, or none."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from archspec.elaborate.weight_keys import Keys
from archspec.errors import Refusal
from archspec.graph import Graph
from archspec.tensor import Shape, shape_text
from archspec.weights.header import shortened
from archspec.weights.libraries import numpy

Array = Any
"""A `numpy.ndarray`; the core imports no numpy."""


class Tensors(dict[str, Array]):
    """The tensors of a file by their keys, and what was done to the file to have them."""

    def __init__(self, tensors: Mapping[str, Array], notes: Iterable[str] = ()) -> None:
        super().__init__(tensors)
        self.notes = tuple(notes)
        """sentences for whoever asked"""


COUNTER = "num_batches_tracked"
"""PyTorch's count of batches beside running statistics: no part of the network."""


class WeightsError(Refusal):
    """Weights cannot be read, or are not those of the network."""


class Misfit(Struct, frozen=True):
    """One tensor that is missing, too many, or not as it should be."""

    kind: str
    key: str
    says: str

    def __str__(self) -> str:
        return f"  {self.kind:<9}  {shortened(self.key)}  {self.says}"


KINDS = ("missing", "extra", "misshapen", "nonfinite")
MOST_SHOWN = 20
"""Misfits of a kind that a message lists."""


class Misfits(WeightsError):
    """Every tensor of a file that does not fit, at once; the message lists the first of each kind."""

    def __init__(self, name: str, misfits: tuple[Misfit, ...], advice: str | None) -> None:
        self.misfits = misfits
        by_kind = {kind: [misfit for misfit in misfits if misfit.kind == kind] for kind in KINDS}
        summary = ", ".join(f"{len(found)} {kind}" for kind, found in by_kind.items() if found)
        shown = {id(misfit) for found in by_kind.values() for misfit in found[:MOST_SHOWN]}
        lines = [str(misfit) for misfit in misfits if id(misfit) in shown]
        lines += [
            f"  {kind:<9}  … and {len(found) - MOST_SHOWN:,} more"
            for kind, found in by_kind.items()
            if len(found) > MOST_SHOWN
        ]
        super().__init__("\n".join([f"these are not the weights of `{name}`: {summary}", *lines]), advice)


def take(given: Mapping[str, Array], keys: Keys, graph: Graph, *, finite: bool = True) -> dict[str, Array]:
    """The tensors of a Graph by their canonical names, from a file's; raises `Misfits`.

    `keys` says what each is called in the file. Sides of 1 at the end of a shape make no difference: a linear layer
    (out, in) is a convolution (out, in, 1, 1). Numbers that are not finite are refused unless `finite` is false.
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
            if finite and (without := array.size - int(numpy().isfinite(array).sum())):
                wrong.append(Misfit("nonfinite", key, f"{without:,} of its {array.size:,} numbers are not finite"))
    wrong += [
        Misfit("extra", key, shape_text(given[key].shape) or "a number")
        for key in given
        if key not in used and not is_counter(key, used)
    ]
    if wrong:
        raise Misfits(graph.name, tuple(wrong), advice(graph, wrong, differing))
    return taken


def trimmed(shape: Shape) -> Shape:
    """A shape without sides of 1 at its end."""
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def is_counter(key: str, used: set[str]) -> bool:
    module, _, name = key.rpartition(".")
    return name == COUNTER and f"{module}.running_mean" in used


def advice(graph: Graph, wrong: list[Misfit], differing: list[tuple[Shape, Shape]]) -> str | None:
    """What to do: the parameter that has another value in the file, if one explains every shape that differs."""
    if all(misfit.kind == "nonfinite" for misfit in wrong):
        return "`archspec build` and `archspec weights` take them with `--allow-nonfinite`"
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
