"""Backends: what turns a `Graph` into a framework's model. Found by entry point, so that anybody can add one.

Names are read without importing anything; `load` imports one backend. Whether its framework is there shows when it
builds.
"""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from msgspec import Struct

from archspec.diagnostics import did_you_mean
from archspec.ending import Ended, unwrapped
from archspec.graph import Graph
from archspec.printable import printable

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from archspec.emit import Printed
    from archspec.train.record import Watch
    from archspec.train.task import Task

GROUP = "archspec.backends"
OURS = "archspec-compiler"
LONGEST = 300
"""Characters of what another's exception says."""


class Measured(Struct, frozen=True):
    """What a framework itself counts of a model."""

    params: int
    """trained parameters"""
    macs: int | None
    """multiply-accumulates of one image; None where the framework does not count them"""


class Backend(Protocol):
    """What an entry point of `archspec.backends` names: a class without arguments."""

    name: str
    framework: str
    """What it imports when it builds."""
    extra: str
    """The extra of archspec-compiler that installs it."""
    formats: Mapping[str, str]
    """Suffix of a file to what is saved in it."""
    reads: tuple[str, ...]
    """Suffixes of the files that it takes weights from."""
    writes: tuple[str, ...]
    """Suffixes of the files that `write` makes."""
    precision: Literal["float64", "float32"]
    """The best type of numbers that `run` computes with."""
    trains_with: tuple[str, ...]
    """The distributions whose versions decide what `fit` comes to; a backend without `fit` does not have this."""

    def ready(self) -> None:
        """Raise `MissingFramework` where the framework is not installed; imports it otherwise."""
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
        """The framework's model with its initial weights; raises `BackendError`.

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

    def read(self, path: Path, entry: str | None = None) -> dict[str, Any]:
        """The tensors of a file by their keys there, as arrays of numpy; nothing of the file is executed.

        `entry` is the part of the file that holds them, where it has several. Raises `BackendError` or `OSError`.
        """
        ...

    def source(self, graph: Graph, printed: "Printed | None" = None) -> str:
        """A file of Python that makes the same model without archspec; a backend that writes none does not have this.

        `printed` is what the spec's text prints, for docstrings and comments. Raises `BackendError`.
        """
        ...

    def decompile(self, source: str, **options: Any) -> Any:
        """A framework's model as an `archspec.decompile.Model`; a backend that reads none does not have this."""
        ...

    def write(self, tensors: Mapping[str, Any], path: Path) -> None:
        """Write arrays by their keys, as weights for other programs, whole or not at all."""
        ...

    def fit(self, task: "Task", watch: "Watch", folder: Path) -> None:
        """Train a network as a task says; a backend that trains none does not have this.

        After every interval of steps, and the last, `watch` is told; checkpoints lie in `folder`, from whose last one
        training goes on, to the same end to the last bit.
        """
        ...

    def save(self, model: Any, graph: Graph, path: Path) -> None:
        """Write the model in the form that the suffix says, whole or not at all; raises `BackendError` or `OSError`."""
        ...


class BackendError(Exception):
    """A model cannot be built or saved."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, advice: str | None = None) -> None:
        super().__init__(message)
        self.help = advice

    def __reduce__(self) -> tuple[Any, ...]:
        # from a worker's process it comes as it is, whatever its class is made from
        return type(self).__new__, (type(self), *self.args), vars(self)


class UnknownBackend(BackendError):
    """No installed distribution offers a backend of that name."""

    exit_code: ClassVar[int] = 2


class MissingFramework(BackendError):
    """A library that something needs is not installed."""

    exit_code: ClassVar[int] = 3

    why: str
    """The same in a few words."""

    def __init__(self, what: str, module: str, extra: str) -> None:
        super().__init__(f"{what} needs `{module}`, which is not installed", extra_help(extra))
        self.why = f"`{module}` is not installed"


class BrokenFramework(MissingFramework):
    """A library that something needs is installed, and cannot be imported or lacks what is used of it."""

    def __init__(self, what: str, module: str, extra: str, error: BaseException) -> None:
        said, where = first_line(error), place(module)
        BackendError.__init__(
            self,
            f"{what} needs `{module}`, which does not work here: {said}",
            (f"`{module}` is {where}; " if where else "") + extra_help(extra, "install --force-reinstall"),
        )
        self.why = f"`{module}` does not work here: {said}"


class BrokenBackend(BackendError):
    """What another distribution offers as a backend cannot be imported."""

    exit_code: ClassVar[int] = 3

    def __init__(self, name: str, owner: str, error: BaseException) -> None:
        super().__init__(
            f"the backend `{name}` of {owner} does not work here: {first_line(error)}", f"pip uninstall {owner}"
        )


class Unsupported(BackendError):
    """The backend cannot build an operator exactly, so it builds nothing."""

    def __init__(self, backend: str, kind: str, path: str) -> None:
        super().__init__(f"the {backend} backend cannot build `{kind}` (at {path})")


def first_line(error: BaseException) -> str:
    """What an exception says first; of one that another was made of, or that quotes its traceback, the origin."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line for line in str(error).strip().split("\n") if line[:1].strip()]
    if lines and lines[0].startswith("Traceback "):
        return printable("".join(lines[1:2])[:LONGEST])
    said = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return printable(said[:LONGEST])


def place(package: str) -> str | None:
    """Where a package lies: another one, or a folder, may stand in its place."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None:
        return None
    return printable(spec.origin or next(iter(spec.submodule_search_locations or ()), "")) or None


def extra_help(extra: str, verb: str = "install") -> str:
    return f"pip {verb} 'archspec-compiler[{extra}]'"


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


def load(name: str) -> Backend:
    """The backend of that name; raises `UnknownBackend`, `BrokenBackend`, or `BackendError` where two offer it."""
    points = found().get(name, [])
    if not points:
        raise UnknownBackend(f"there is no backend `{name}`", did_you_mean(name, available()))
    owners = {point.dist.name if point.dist else point.value for point in points}
    if len(owners) > 1:
        raise BackendError(f"the backend `{name}` is offered by {' and by '.join(sorted(owners))}", "uninstall one")
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
