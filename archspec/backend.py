"""Backends: what turns a `Graph` into a framework's model. Found by entry point, so that anybody can add one.

Names are read without importing anything; `get` imports one backend. Whether its framework is there shows when it is
used. What a backend can do are its abilities, protocols like `Builds`; one that speaks of a later stage's types stands
there: `WritesSource` in `archspec.emit`, `Decompiles` in `archspec.decompile`, `Trains` in `archspec.train.task`.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, TypeGuard, TypeVar

from msgspec import Struct

from archspec.diagnostics import did_you_mean
from archspec.ending import Ended, unwrapped
from archspec.errors import Refusal
from archspec.graph import Graph
from archspec.optional import first_line

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "archspec.backends"
OURS = "archspec-compiler"
LACKING: dict[object, str] = {}
"""An ability to what a backend does not do that does not have it."""
A = TypeVar("A")


def ability(lacking: str) -> Callable[[type[A]], type[A]]:
    """Make a protocol an ability that `get` can ask for; `lacking` is said of a backend that does not have it."""

    def stated(protocol: type[A]) -> type[A]:
        LACKING[protocol] = lacking
        return protocol

    return stated


class Measured(Struct, frozen=True):
    """What a framework itself counts of a model."""

    params: int
    """trained parameters"""
    macs: int | None
    """multiply-accumulates of one image; None where the framework does not count them"""


class Backend(Protocol):
    """What every backend has: an entry point of `archspec.backends` names a class of it, made without arguments."""

    name: str
    framework: str
    """What it imports when it is used."""
    extra: str
    """The extra of archspec-compiler that installs it."""

    def ready(self) -> None:
        """Raise `MissingFramework` where the framework is not installed; imports it otherwise."""
        ...


@ability("builds no models")
class Builds(Backend, Protocol):
    """A backend that makes models, and runs and saves them."""

    formats: Mapping[str, str]
    """Suffix of a file to what is saved in it."""

    @property
    def precision(self) -> Literal["float64", "float32"]:
        """The best type of numbers that `run` computes with."""
        ...

    def build(
        self,
        graph: Graph,
        *,
        seed: int = 0,
        weights: Mapping[str, Any] | None = None,
        dtype: Any = "float32",
        **options: Any,
    ) -> object:
        """The framework's model with its initial weights; raises `Refusal`.

        `weights` are arrays for the names in `graph.tensors()`, all of them, instead of what `seed` would draw. `dtype`
        is a name, `float32` or `float64`, or the framework's own.
        """
        ...

    def run(self, model: Any, graph: Graph, images: Any) -> dict[str, Any]:
        """What a model gives in evaluation, by the names of the Graph's outputs.

        `images` and maps are arrays N×h×w×c, vectors N×c, in the model's type of numbers, whatever the framework's own
        layout.
        """
        ...

    def measure(self, model: Any, graph: Graph) -> Measured:
        """What the framework counts."""
        ...

    def keys(self, graph: Graph) -> dict[str, str]:
        """What the tensors of a Graph are called in the weights of its model: canonical name to key."""
        ...

    def save(self, model: Any, graph: Graph, path: Path) -> None:
        """Write the model in the form that the suffix says, whole or not at all; raises `Refusal` or `OSError`."""
        ...


@ability("reads no weights")
class ReadsWeights(Backend, Protocol):
    """A backend that reads files of weights."""

    reads: tuple[str, ...]
    """Suffixes of the files."""

    def read(self, path: Path, entry: str | None = None) -> Mapping[str, Any]:
        """The tensors of a file by their keys there, as arrays of numpy; nothing of the file is executed.

        `entry` is the part of the file that holds them, where it has several. Raises `Refusal` or `OSError`.
        """
        ...


@ability("writes no weights")
class WritesWeights(Backend, Protocol):
    """A backend that writes weights for other programs."""

    writes: tuple[str, ...]
    """Suffixes of the files."""

    def write(self, tensors: Mapping[str, Any], path: Path) -> None:
        """Write arrays by their keys, whole or not at all."""
        ...


class BackendError(Refusal):
    """A backend cannot build, run, read, write or train what it is asked to."""


class Unsupported(BackendError):
    """The backend cannot build an operator exactly, so it builds nothing."""

    def __init__(self, backend: str, kind: str, path: str) -> None:
        super().__init__(f"the {backend} backend cannot build `{kind}` (at {path})")


class UnknownBackend(Refusal):
    """No installed distribution offers a backend of that name."""

    exit_code: ClassVar[int] = 2


class Unable(Refusal):
    """A backend does not have the ability that something needs; `help` says which have it."""

    def __init__(self, name: str, lacking: str, others: list[str]) -> None:
        advice = " and ".join(f"`{other}`" for other in others) + (" do" if others[1:] else " does")
        super().__init__(f"the {name} backend {lacking}", advice if others else None)


class BrokenBackend(Refusal):
    """What another distribution offers as a backend cannot be imported."""

    exit_code: ClassVar[int] = 3

    def __init__(self, name: str, owner: str, error: BaseException) -> None:
        super().__init__(
            f"the backend `{name}` of {owner} does not work here: {first_line(error)}", f"pip uninstall {owner}"
        )


@cache
def found() -> "dict[str, list[EntryPoint]]":
    """The backends of every installed distribution; to look for them takes as long as to build a small model."""
    from importlib.metadata import entry_points

    points: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        points.setdefault(point.name, []).append(point)
    return points


def available() -> tuple[str, ...]:
    """The names of the installed backends."""
    return tuple(sorted(found()))


def get(name: str, wanted: Callable[..., A]) -> A:
    """The backend of that name, as an ability.

    Raises `UnknownBackend`, `BrokenBackend`, `Refusal` where two distributions offer it, or `Unable`.
    """
    backend = load(name)
    if able(backend, wanted):
        return backend
    raise Unable(name, LACKING[wanted], [*names_having(wanted)])


def having(wanted: Callable[..., A]) -> list[A]:
    """All installed backends that have an ability; raises as `get` does where one is broken."""
    return [backend for backend in map(load, available()) if able(backend, wanted)]


def able(backend: Backend, wanted: Callable[..., A]) -> TypeGuard[A]:
    """Whether a backend has what an ability consists of; nothing of that is computed, as some needs the framework."""
    missing = object()
    return all(inspect.getattr_static(backend, part, missing) is not missing for part in parts(wanted))


@cache
def parts(wanted: Any) -> frozenset[str]:
    """The names of what an ability consists of."""
    protocols = [base for base in wanted.__mro__ if base not in {Protocol, Generic, object}]
    names = {name for base in protocols for name in (*vars(base), *base.__annotations__)}
    return frozenset(name for name in names if not name.startswith("_"))


def names_having(wanted: Callable[..., object]) -> Iterator[str]:
    """The names of the backends that have an ability; one that is broken has none."""
    for name in available():
        with suppress(Refusal):
            if able(load(name), wanted):
                yield name


def load(name: str) -> Backend:
    """The backend of that name, whatever it can do."""
    points = found().get(name, [])
    if not points:
        raise UnknownBackend(f"there is no backend `{name}`", did_you_mean(name, available()))
    owners = {point.dist.name if point.dist else point.value for point in points}
    if len(owners) > 1:
        raise Refusal(f"the backend `{name}` is offered by {' and by '.join(sorted(owners))}", "uninstall one")
    try:
        with unwrapped():
            backend: Backend = points[0].load()()
    except (MemoryError, Ended):
        raise
    except (Exception, SystemExit) as error:  # nobody knows what another's code raises
        if owners == {OURS}:
            raise
        raise BrokenBackend(name, owners.pop(), error) from error
    return backend
