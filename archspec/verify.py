"""One network in several backends: the same weights give the same outputs, and each framework counts what we count.

Or the network optimised for inference in each backend, against the network as it is.

Weights and running statistics are random, not those that training begins with: with those, a wrong epsilon or padding
hardly shows.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, ClassVar

from msgspec import Struct

from archspec.backend import Builds, Measured, available, get
from archspec.errors import Refusal
from archspec.graph import Graph
from archspec.ops import Add
from archspec.optimize import Places, optimize
from archspec.optional import MissingFramework
from archspec.room import check_weights
from archspec.weights import fold
from archspec.weights.libraries import numpy

BOUNDS = {"float64": 1e-9, "float32": 1e-4}
"""How far an output may be off, as a part of the largest value, by the less precise of two backends."""
OPTIMIZED_BOUNDS = {"float64": 1e-9, "float32": 1e-5}
"""The same for a network that was optimised."""
IMAGES = 2
ADDED = 0.3
"""How large what a branch adds is made, so that sums of many branches stay as large as their parts."""


class Parting(Struct, frozen=True):
    """The first node at which two backends differ."""

    path: str
    error: float


class Comparison(Struct, frozen=True):
    """One backend beside the first."""

    backend: str
    against: str
    error: float
    """the largest difference of an output, as a part of its largest value"""
    bound: float
    parting: Parting | None = None

    @property
    def holds(self) -> bool:
        return self.error <= self.bound


class Verdict(Struct, frozen=True):
    """What came out for one network."""

    name: str
    params: int
    macs: int
    measured: dict[str, Measured]
    """by backend, what its framework counts"""
    comparisons: tuple[Comparison, ...]
    unbuilt: dict[str, str]
    """by backend, why it cannot build the network"""

    @property
    def miscounts(self) -> list[str]:
        """Backends whose framework counts otherwise than the Graph."""
        return [
            name
            for name, found in self.measured.items()
            if found.params != self.params or found.macs not in {None, self.macs}
        ]

    @property
    def holds(self) -> bool:
        return not self.unbuilt and not self.miscounts and all(comparison.holds for comparison in self.comparisons)


class Alone(Refusal):
    """There are not enough backends to compare."""

    exit_code: ClassVar[int] = 3


def usable(names: Sequence[str], least: int = 2) -> tuple[list[Builds], list[tuple[str, str]]]:
    """The backends of these names, or all, the most precise first, and which are left out, and why.

    Raises `Refusal` where one that was named cannot be had, or fewer than the `least` number can.
    """
    found: list[Builds] = []
    left_out: list[tuple[str, str]] = []
    for name in names or available():
        backend = get(name, Builds)
        try:
            backend.ready()
            found.append(backend)
        except MissingFramework as error:
            if names:
                raise
            left_out.append((name, error.why))
    if len(found) < least:
        installed = ", ".join(backend.name for backend in found) or "none"
        what = "there are no two backends to compare" if least > 1 else "there is no backend"
        raise Alone(what, "; ".join([f"installed: {installed}", *(f"{name}: {why}" for name, why in left_out)]))
    return found if names else sorted(found, key=lambda backend: backend.precision, reverse=True), left_out


class Contestant(Struct, frozen=True):
    """A Graph with weights in one backend."""

    name: str
    backend: Builds
    graph: Graph
    weights: Mapping[str, Any]
    places: Places
    """paths of the nodes that it is compared by, to those of its own that give their values"""

    def build(self, graph: Graph | None = None) -> Any:
        return self.backend.build(graph or self.graph, weights=self.weights, dtype=self.backend.precision)

    def run(self, model: Any, images: Any, graph: Graph | None = None) -> dict[str, Any]:
        return self.backend.run(model, graph or self.graph, images.astype(self.backend.precision))

    def values(self, paths: Sequence[str], images: Any) -> dict[str, Any]:
        """The values of nodes, each made an output."""
        places = {path: self.places[path] for path in paths}
        open_ = self.graph.model_copy(update={"outputs": {"output": self.graph.outputs["output"], **places}})
        return self.run(self.build(open_), images, open_)


def verify(
    name: str,
    graph: Graph,
    backends: Sequence[Builds],
    seed: int = 0,
    *,
    optimized: bool = False,
    weights: Mapping[str, Any] | None = None,
) -> Verdict:
    """Build a Graph in every backend and compare; the first that can is what the others are held against.

    All outputs are compared, those of training alone among them, as if evaluation gave them too. `weights` are arrays
    for every name in `graph.tensors()`, without them random ones.
    With `optimized` it is the Graph in the first backend that all are held against, each with the optimised Graph; what
    frameworks count is that Graph's.
    """
    graph = graph.with_all_outputs()
    given = random_tensors(graph, seed) if weights is None else weights.items()
    weights, images = {key: values.astype("float64") for key, values in given}, random_images(graph, seed)
    own = {node.path: node.path for node in graph.nodes[1:]}
    contestants = [Contestant(backend.name, backend, graph, weights, own) for backend in backends]
    judged, bounds = graph, BOUNDS
    if optimized:
        plan = optimize(graph)
        judged, bounds, folded = plan.graph, OPTIMIZED_BOUNDS, fold(plan, weights)
        contestants[1:] = [
            Contestant(f"{backend.name} optimized", backend, plan.graph, folded, plan.places) for backend in backends
        ]
    measured: dict[str, Measured] = {}
    outputs: dict[str, dict[str, Any]] = {}
    unbuilt: dict[str, str] = {}
    for contestant in contestants:
        try:
            model = contestant.build()
            if contestant.graph is judged:
                measured[contestant.name] = contestant.backend.measure(model, contestant.graph)
            outputs[contestant.name] = contestant.run(model, images)
        except Refusal as error:
            unbuilt[contestant.name] = str(error)
    built = [contestant for contestant in contestants if contestant.name in outputs]
    comparisons = tuple(compare(built[0], other, outputs, images, bounds) for other in built[1:])
    stats = judged.stats()
    return Verdict(name, stats.params, stats.macs, measured, comparisons, unbuilt)


def compare(
    first: Contestant,
    other: Contestant,
    outputs: Mapping[str, dict[str, Any]],
    images: Any,
    bounds: Mapping[str, float],
) -> Comparison:
    """The outputs of two; where they differ too much, the node where that begins."""
    error = max(differences(outputs[first.name], outputs[other.name]).values())
    bound = max(bounds[first.backend.precision], bounds[other.backend.precision])
    parting = None if error <= bound else part(first, other, images, bound)
    return Comparison(other.name, first.name, error, bound, parting)


def part(first: Contestant, other: Contestant, images: Any, bound: float) -> Parting | None:
    """The first node, in the Graph's order, whose values differ; a node that one of them leaves out is passed over."""
    paths = [path for path in first.places if path in other.places]
    errors = differences(first.values(paths, images), other.values(paths, images))
    return next((Parting(path, errors[path]) for path in paths if not errors[path] <= bound), None)


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, float]:
    """The largest difference of each output, as a part of its largest value; infinite where one has none."""
    np = numpy()
    found: dict[str, float] = {}
    for name, values in a.items():
        other = b[name]
        if values.shape != other.shape or not (np.isfinite(values).all() and np.isfinite(other).all()):
            found[name] = float("inf")
            continue
        largest = float(np.abs(values).max(initial=0.0))
        off = float(np.abs(values.astype("float64") - other).max(initial=0.0))
        found[name] = off / largest if largest else off
    return found


def random_tensors(graph: Graph, seed: int) -> Iterator[tuple[str, Any]]:
    """Values for every tensor of a Graph, with which signals neither die nor explode over hundreds of layers.

    Where they did, a gate's rounding error would be the next gate's signal, and equal networks would differ.
    """
    check_weights(graph, "float64")
    generator = numpy().random.default_rng(seed)
    added = set(last_before_add(graph))
    for name, shape in graph.tensors().items():
        noise = generator.random(shape)
        if len(shape) > 1:
            values = (noise - 0.5) * 4 / prod(shape[1:]) ** 0.5
        else:
            values = noise + 0.5 if name.endswith((".weight", ".running_var")) else noise - 0.5
        yield name, values * ADDED if name in added else values


def last_before_add(graph: Graph) -> Iterator[str]:
    """The weights that come last in each branch of a sum."""
    for node in graph.nodes:
        ahead = list(node.inputs) if isinstance(node.op, Add) else []
        while ahead:
            source = graph.by_path[ahead.pop()]
            if source.op.weights(*graph.input_shapes(source)):
                yield f"{source.path}.weight"
            elif len(source.inputs) == 1:
                ahead += source.inputs


def random_images(graph: Graph, seed: int) -> Any:
    """A batch of inputs, N×h×w×c."""
    # wide enough to be cut off where an activation cuts
    return 4 * numpy().random.default_rng(seed + 1).standard_normal((IMAGES, *graph.input.shape))
