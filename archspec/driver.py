"""The passes in their order: text -> `Spec` -> `Graph`. What the command line and programs call."""

import errno
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archspec import library, syntax
from archspec.diagnostics import Diagnostic, Severity, SpecError, nearest
from archspec.elaborate import parameters
from archspec.elaborate.audit import Audited, audit, claims, errata
from archspec.elaborate.claims import NumberClaim
from archspec.elaborate.errors import UnknownMember
from archspec.elaborate.evaluate import Binding, Budget, Environment, Value, same
from archspec.elaborate.flatten import flatten
from archspec.elaborate.instantiate import Instantiator
from archspec.elaborate.modules import Loader, Module
from archspec.elaborate.network import NetworkPlan, elaborate, picks_column
from archspec.elaborate.resolve import recursion, resolve
from archspec.elaborate.weight_keys import Keys, depends_on, origins, weight_keys
from archspec.graph import Graph
from archspec.limits import DEFAULT_LIMITS, Limits
from archspec.loading import STDIN, read_source
from archspec.printable import printable
from archspec.source import Source, Span
from archspec.syntax import tree as t
from archspec.syntax.depth import deep
from archspec.tensor import Shape

if TYPE_CHECKING:
    from archspec.emit import Printed
    from archspec.search.counting import Counter


class Spec:
    """A spec that was read, its names resolved; `elaborate` makes Graphs of it.

    One Spec keeps what it has worked out, so that elaborating it again with other parameters is cheap.
    """

    def __init__(self, module: Module, member: str | None, limits: Limits) -> None:
        self.module = module
        self.limits = limits
        self.make = Instantiator(limits)
        self.chosen = member
        self.warnings: tuple[Diagnostic, ...] = ()
        self.counters: dict[tuple[str, ...], Counter] = {}
        """what has been counted, by the names of the parameters that were given"""

    @property
    def source(self) -> Source:
        return self.module.file.source

    @property
    def name(self) -> str:
        """The name that it was asked for by, or that of its network."""
        return self.chosen or self.network.name.id

    @property
    def network(self) -> t.Network:
        """The network that is meant; raises `SpecError` where none is."""
        return self.choice[0]

    @property
    def members(self) -> tuple[str, ...]:
        """The networks and variants that the file declares."""
        return tuple(self.module.members())

    def member(self, name: str) -> "Spec":
        """Another network or variant of the same file; raises `SpecError`."""
        other = Spec(self.module, name, self.limits)
        other.make = self.make
        return other

    @cached_property
    def choice(self) -> tuple[t.Network, dict[str, Binding]]:
        """The network that is meant, and the arguments that its variant gives it."""
        own, member = self.module.own, self.chosen
        start = Span(self.source, 0, 0)
        if member is None and len(self.networks) == 1:
            return self.networks[0], {}
        named = own.get(member) if member is not None else None
        if isinstance(named, t.Network):
            return named, {}
        if not isinstance(named, t.Variant):
            raise SpecError([UnknownMember(start, member, self.members)])
        target = own.get(named.network.name.id)
        if not isinstance(target, t.Network):
            known = tuple(network.name.id for network in self.networks)
            raise SpecError([UnknownMember(named.network.name.span, named.network.name.id, known)])
        env = Environment(self.module, {}, Budget(self.limits.nodes))
        return target, parameters.given(named.network.name, target.parameters, named.network.arguments or (), env)

    def plan(self, image: Shape | None = None, /, **values: Value) -> NetworkPlan:
        """The elaborated network with its repetitions still shared; raises `SpecError`."""
        network, arguments = self.choice
        given = {**arguments, **parameters.from_values(values)}
        with deep(self.limits, self.source):
            plan, found = elaborate(self.module, network, self.make, given, parameters.checked_image(image))
        self.warnings = tuple(found)
        return plan

    def elaborate(self, image: Shape | None = None, /, **values: Value) -> Graph:
        """The Graph with these parameters; raises `SpecError` with every error found.

        `image` is the input instead of the one that the text states: (h, w, c), or (h, w) with the same channels.
        """
        plan = self.plan(image, **values)
        with deep(self.limits, self.source):
            graph = flatten(plan)
            picks = picks_column(self.module, plan.network) | parameters.required(plan.network)
            picked = {name: binding for name, binding in plan.parameters.items() if name in picks}
            printed = parameters.bound(self.module, plan.network, picked, Budget(self.limits.nodes))
        changed = [name for name, bound in plan.parameters.items() if not same(bound.value, printed[name].value)]
        return graph.model_copy(update={"name": self.name, "changed": tuple(changed)})

    def count(self, image: Shape | None = None, /, **values: Value) -> dict[str, int]:
        """`params`, `macs`, `memory` and `file_size` of the Graph with these parameters; raises `SpecError`.

        The same numbers as those of `elaborate(…)`, at a fraction of the time once a few have been counted.
        """
        from archspec.search.counting import count

        return count(self, image, values)

    def sweep(
        self,
        values: Mapping[str, str | Iterable[Value]],
        *,
        most: Mapping[str, int] | None = None,
        least: Mapping[str, int] | None = None,
        jobs: int = 1,
        cluster: str | None = None,
    ) -> Iterator[dict[str, Value]]:
        """Every combination of some parameters' values with its counts, those that the spec refuses left out.

        Values are any, or a text: `0.1:2.0:0.01`, `18,34,50`; `input` is the image's size. `most` and `least` bound
        `params`, `macs`, `memory` and `file_size`. Rows come as they are found, the last parameter changing fastest.
        Raises `SpecError` and `BackendError`.
        """
        from archspec.search.sweep import sweep

        return sweep(self, values, most or {}, least or {}, jobs, cluster)

    def weight_keys(self, origin: str, graph: Graph) -> Keys:
        """What the tensors of a Graph of this network are called in files of `origin`; raises `SpecError`.

        `row_1/conv.weight` to its keys there, the usual one first; the network's `weights` clause says them.
        """
        env = Environment(self.module, parameters.from_values(graph.parameters), Budget(self.limits.nodes))
        with deep(self.limits, self.source):
            return weight_keys(self.network, origin, env, graph)

    def printed(self, graph: Graph) -> "Printed":
        """What the text prints of the network: its tables, and the lines of the rows in a Graph of it."""
        from archspec.emit import Printed

        tables = tuple(clause.body[1:-1] for clause in self.network.clauses if isinstance(clause, t.TableClause))
        rows = {scope.path: self.source.line(scope.span.line) for scope in graph.scopes if scope.kind == "row"}
        return Printed(self.network.name.id, tables, rows)

    def check(self) -> list[Diagnostic]:
        """Everything that is wrong with the network: shapes, claims, checks with parameters, errata.

        A network with a parameter that has no default claims nothing by itself; its variants are checked.
        """
        found = self.check_itself()
        return [*found, *self.audit(found)] if all(map(audited_all_the_same, found)) else found

    def check_all(self) -> list[Diagnostic]:
        """What is wrong with any network or variant of the file; each mistake once, of whichever comes first."""
        found: list[Diagnostic] = []
        audited: set[str] = set()
        for spec in map(self.member, self.members):
            here = spec.check_itself()
            found += here
            if spec.network.name.id not in audited and all(map(audited_all_the_same, here)):
                audited.add(spec.network.name.id)
                found += spec.audit(found)
        unique: dict[tuple[str, str, int], Diagnostic] = {}
        for diagnostic in found:
            unique.setdefault((diagnostic.code, diagnostic.site.source.name, diagnostic.site.start), diagnostic)
        return list(unique.values())

    @property
    def networks(self) -> tuple[t.Network, ...]:
        """Those that the file declares."""
        return tuple(named for named in self.module.own.values() if isinstance(named, t.Network))

    def claims(self) -> int:
        """How many claims the file makes, printed or checked; raises `SpecError`."""
        with deep(self.limits, self.source):
            return sum(claims(self.module, network, self.make) for network in self.networks)

    def errata(self) -> list[Audited]:
        """The misprints that the file corrects, with their sources; raises `SpecError`."""
        with deep(self.limits, self.source):
            return [found for network in self.networks for found in errata(self.module, network, self.make)]

    def check_itself(self) -> list[Diagnostic]:
        """What is wrong with the network, or this variant of it, as it is built."""
        try:
            if parameters.required(self.network) - set(self.choice[1]):
                return []
            graph = self.elaborate()
            for origin in origins(self.network):
                same = depends_on(self.network, origin, graph)
                if same not in self.make.settled:
                    self.weight_keys(origin, graph)
                    self.make.settled.add(same)
        except SpecError as error:
            return list(error.diagnostics)
        return list(self.warnings)

    def audit(self, known: Sequence[Diagnostic] = ()) -> list[Diagnostic]:
        """What is wrong with the checks and errata of the network, whatever the variant, besides what is `known`."""
        try:
            with deep(self.limits, self.source):
                return audit(self.module, self.network, self.make, known)
        except SpecError as error:
            return list(error.diagnostics)


def audited_all_the_same(diagnostic: Diagnostic) -> bool:
    """Whether the checks and errata of a network mean something although this is wrong with it."""
    return isinstance(diagnostic, NumberClaim) or diagnostic.severity is not Severity.ERROR


def parse(text: str, name: str = "<text>", member: str | None = None, limits: Limits = DEFAULT_LIMITS) -> Spec:
    """The Spec of a text; files that it uses are looked up in the current folder. Raises `SpecError`."""
    return read(Source(name, text), Path(), member, limits)


def format_text(text: str, name: str = "<text>", *, align: bool = False, limits: Limits = DEFAULT_LIMITS) -> str:
    """The text in the canonical layout, its comments kept, its tables byte for byte unless `align` pads their cells.

    Raises `SpecError`.
    """
    from archspec.syntax.printer import print_tree

    source = Source(name, text)
    with deep(limits, source):
        tree = syntax.parse(source)
        if align:
            tree = syntax.parse(Source(name, with_tables_aligned(tree)))
        return print_tree(tree)


def with_tables_aligned(tree: t.SpecFile) -> str:
    """The text of a file, the columns of its tables below each other."""
    from archspec.tables.align import aligned

    clauses = [c for d in tree.declarations if isinstance(d, t.Network) for c in d.clauses]
    parts, end = [], 0
    for body in (clause.body_span for clause in clauses if isinstance(clause, t.TableClause)):
        parts += [tree.source.text[end : body.start], aligned(tree.source.text[body.start : body.end])]
        end = body.end
    return "".join([*parts, tree.source.text[end:]])


def load(spec: str | Path, limits: Limits = DEFAULT_LIMITS) -> Spec:
    """A Spec by its path, `path:Variant`, bundled name, or `-` for standard input.

    Raises `SpecError` where it is wrong and `OSError` where it cannot be read.
    """
    name = str(spec)
    if name == STDIN or exists(name):
        return read(read_source(name, limits), folder(name), None, limits)
    path, colon, member = name.rpartition(":")
    if colon and (path == STDIN or exists(path)):
        return read(read_source(path, limits), folder(path), member, limits)
    found = bundled(name)
    if found is None:
        near = nearest(name, [*library.specs(), *library.members()])
        advice = f"; did you mean `{near}`?" if near else ""
        raise FileNotFoundError(
            errno.ENOENT, f"no such file, and no bundled spec of that name{advice}", printable(name)
        )
    return read(found[0], Path(), found[1], limits)


def exists(name: str) -> bool:
    return "\0" not in name and Path(name).exists()


def names_member(spec: str) -> bool:
    """Whether a SPEC names one network or variant, and not a whole file."""
    if spec == STDIN or exists(spec):
        return False
    return ":" in spec or spec not in library.specs() or spec in library.declared(spec)


def networks(spec: str, limits: Limits = DEFAULT_LIMITS) -> Iterator[tuple[str, Spec]]:
    """The networks that a SPEC means, with their names: the one that it names, or all that its file declares.

    Raises `SpecError` where it is wrong and `OSError` where it cannot be read.
    """
    loaded = load(spec, limits)
    if names_member(spec):
        yield spec.rpartition(":")[2], loaded
        return
    for name in loaded.members:
        yield name, loaded.member(name)


def bundled_networks() -> Iterator[tuple[str, str, str]]:
    """Every bundled network and variant: the name that loads it, its file, its title."""
    for file in library.specs():
        spec = load(file)
        networks = {spec.member(name).network.name.id for name in spec.members}
        for name in spec.members:
            titles = [c.text.value for c in spec.member(name).network.clauses if isinstance(c, t.Title)]
            alone = networks == {name} and file not in spec.members
            yield file if alone else name, file, titles[0] if titles else ""


def folder(name: str) -> Path:
    return Path() if name == STDIN else Path(name).parent


def bundled(name: str) -> tuple[Source, str | None] | None:
    """The bundled network or variant of that name, or the spec whose file has it."""
    file, _, member = name.partition(":")
    if file in library.specs():
        return library.spec(file), member or (file if file in library.declared(file) else None)
    declared = library.members()
    return (library.spec(declared[name]), name) if name in declared else None


def read(source: Source, base: Path, member: str | None, limits: Limits, loader: Loader | None = None) -> Spec:
    """Parse a source and all that it uses, and resolve their names."""
    with deep(limits, source):
        loader = loader or Loader(limits)
        module = loader.load(source, base)
        own = [used for used in loader.modules.values() if not used.file.source.bundled]
        wrong = [diagnostic for used in own for diagnostic in resolve(used)] or recursion(
            loader.modules.values(), limits
        )
        if wrong:
            raise SpecError(wrong)
        return Spec(module, member, limits)


def build(
    spec: str | Path,
    backend: str = "torch",
    *,
    weights: str | Path | None = None,
    optimize: bool = False,
    options: Mapping[str, Any] | None = None,
    **values: Value,
) -> object:
    """A model of a spec: a `torch.nn.Module`, a `keras.Model`. Raises `SpecError`, `OSError` or `BackendError`.

    `values` are the network's parameters, `options` the backend's own (seed, device, dtype). `weights` is a file in the
    canonical form, of exactly this network; without it they are drawn. With `optimize` the model gives the same in
    evaluation, faster, and is for inference alone (`archspec.optimize`).
    """
    from archspec.backend import load as load_backend

    given = dict(options or {})
    graph = load(spec).elaborate(**values)
    tensors = stored(weights, graph)
    if optimize:
        from archspec.weights import optimized

        graph, tensors = optimized(graph, tensors, given.get("seed", 0))
    return load_backend(backend).build(graph, weights=tensors, **given)


def stored(weights: str | Path | None, graph: Graph) -> dict[str, Any] | None:
    """The weights in a canonical file; raises `OSError` or `BackendError`."""
    if weights is None:
        return None
    from archspec.weights import load as load_weights

    return load_weights(Path(weights), graph)


def source(spec: str | Path, backend: str = "torch", *, optimize: bool = False, **values: Value) -> str:
    """A file of Python that makes the model of a spec, or the optimised one, without archspec.

    Raises `SpecError`, `OSError` or `BackendError`.
    """
    loaded = load(spec)
    return written(loaded, loaded.elaborate(**values), backend, optimize)


def written(spec: Spec, graph: Graph, backend: str, optimize: bool = False) -> str:
    """The source of a Graph of a spec, or of the optimised one, with what the spec prints; raises `BackendError`."""
    from archspec import optimize as optimizer
    from archspec.backend import BackendError
    from archspec.backend import load as load_backend

    chosen = load_backend(backend)
    if not hasattr(chosen, "source"):
        raise BackendError(f"the {backend} backend writes no source", "--backend torch does")
    return chosen.source(optimizer.optimize(graph).graph if optimize else graph, spec.printed(graph))
