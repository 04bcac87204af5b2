"""`Spec`: a text that was read, and what can be asked of it; `driver` makes it."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from archspec.diagnostics import Diagnostic, SpecError, is_error
from archspec.elaborate import parameters
from archspec.elaborate.audit import Audited, audit, errata
from archspec.elaborate.claims import NoClaims, NumberClaim
from archspec.elaborate.errors import UnknownMember
from archspec.elaborate.evaluate import Binding, Budget, Environment, Value
from archspec.elaborate.flatten import flatten
from archspec.elaborate.inference import Inferred
from archspec.elaborate.instantiate import Instantiator
from archspec.elaborate.modules import Module
from archspec.elaborate.plan import NetworkPlan
from archspec.elaborate.resolve import Resolved, resolve
from archspec.elaborate.run import elaborate
from archspec.elaborate.unused import unused
from archspec.elaborate.unused_errors import Unused, UnusedKey
from archspec.elaborate.weight_keys import Keys, clauses, depends_on, origins, weight_keys
from archspec.graph import Graph
from archspec.limits import Limits
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

    def __init__(self, module: Module, member: str | None, limits: Limits, resolved: Resolved | None = None) -> None:
        self.module = module
        self.known = resolved
        self.limits = limits
        self.make = Instantiator(limits)
        self.chosen = member
        self.warnings: tuple[Diagnostic, ...] = ()
        self.solved: tuple[Inferred, ...] = ()
        """what `infer` solved for in the last elaboration"""
        self.printed_plans: dict[int, NetworkPlan] = {}
        """networks as they are printed, by their trees"""
        self.counters: dict[tuple[str, ...], Counter] = {}
        """what has been counted, by the names of the parameters that were given"""
        self.used_keys: set[Span] = set()
        """the rules of `weights` clauses that name some tensor"""

    def __reduce__(self) -> tuple[type["Spec"], tuple[Module, str | None, Limits]]:
        """What another process needs: not what this one has worked out."""
        return Spec, (self.module, self.chosen, self.limits)

    @property
    def resolved(self) -> Resolved:
        """The names of the file."""
        self.known = self.known or resolve(self.module)
        return self.known

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
        other = Spec(self.module, name, self.limits, self.known)
        other.make = self.make
        other.printed_plans = self.printed_plans
        other.used_keys = self.used_keys
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
        found = parameters.of_variant(self.module, named, Budget(self.limits.nodes))
        if found is None:
            known = tuple(network.name.id for network in self.networks)
            raise SpecError([UnknownMember(named.network.name.span, named.network.name.id, known)])
        return found

    def plan(self, image: Shape | int | None = None, /, **values: Value) -> NetworkPlan:
        """The elaborated network with its repetitions still shared; raises `SpecError`."""
        self.make.searched = 0
        return self.planned(image, values)

    def planned(self, image: Shape | int | None, values: Mapping[str, Value]) -> NetworkPlan:
        """The same, where searches for what would mend a mistake share their time with those before."""
        network, arguments = self.choice
        given = {**arguments, **parameters.from_values(values)}
        with deep(self.limits, self.source):
            plan, found = elaborate(self.module, network, self.make, given, parameters.checked_image(image))
        self.warnings, self.solved = tuple(found), plan.inferred
        if image is None and not plan.changed:
            self.printed_plans[id(network)] = plan
        return plan

    def elaborate(self, image: Shape | int | None = None, /, **values: Value) -> Graph:
        """The Graph with these parameters; raises `SpecError` with every error found.

        `image` is the input instead of the one that the text states: (h, w, c), or (h, w) with the same channels,
        or h of a square.
        """
        return self.laid_out(self.plan(image, **values))

    def laid_out(self, plan: NetworkPlan) -> Graph:
        with deep(self.limits, self.source):
            return flatten(plan, self.name)

    def count(self, image: Shape | int | None = None, /, **values: Value) -> dict[str, int]:
        """`params`, `macs`, `memory` and `file_size` of the Graph with these parameters; raises `SpecError`.

        The same numbers as those of `elaborate(…)`, at a fraction of the time once a few have been counted.
        """
        from archspec.search.counting import count

        return count(self, image, values)

    def sweep(
        self,
        values: Mapping[str, str | Iterable[Value]],
        *,
        most: Mapping[str, int | str] | None = None,
        least: Mapping[str, int | str] | None = None,
        jobs: int = 1,
        cluster: str | None = None,
    ) -> Iterator[dict[str, Value]]:
        """Every combination of some parameters' values with its counts, those that the spec refuses left out.

        Values are any, or a text: `0.1:2.0:0.01`, `18,34,50`; `input` is the image's size. `most` and `least` bound
        `params`, `macs`, `memory` and `file_size`, by numbers or texts: `100M`. Rows come as they are found, the last
        parameter changing fastest; after the last one a warning says how many were refused. Raises `SpecError`, also
        where all are refused, and `Refusal`.
        """
        from archspec.search.sweep import sweep

        return sweep(self, values, most or {}, least or {}, jobs, cluster)

    def weight_keys(self, origin: str, graph: Graph) -> Keys:
        """What the tensors of a Graph of this network are called in files of `origin`; raises `SpecError`.

        `row_1/conv.weight` to its keys there, the usual one first; the network's `weights` clause says them.
        """
        env = Environment(self.module, parameters.from_values(graph.parameters), Budget(self.limits.nodes))
        with deep(self.limits, self.source):
            return weight_keys(self.network, origin, env, graph, self.used_keys)

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
        self.make.searched = 0
        found = self.check_itself()
        return [*found, *self.audit(found)] if all(map(audited_all_the_same, found)) else found

    def check_all(self) -> list[Diagnostic]:
        """What is wrong with any network or variant of the file; each mistake once, of whichever comes first."""
        self.make.searched = 0
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
        return sum(map(self.claims_of, self.networks))

    def claims_of(self, network: t.Network) -> int:
        """How many claims are compared for a network; raises `SpecError`."""
        plan = self.printed_plan(network)
        checks = [clause for clause in network.clauses if isinstance(clause, t.Check) and clause.arguments]
        return (plan.claims if plan else 0) + sum(len(check.claims) for check in checks)

    def printed_plan(self, network: t.Network) -> NetworkPlan | None:
        """A network as it is printed; None where a parameter must be given first. Raises `SpecError`."""
        if id(network) not in self.printed_plans and not parameters.required(network):
            self.member(network.name.id).plan()
        return self.printed_plans.get(id(network))

    @property
    def meant(self) -> tuple[t.Network, ...]:
        """The network that was asked for, or else all of the file."""
        return self.networks if self.chosen is None else (self.network,)

    def unclaimed(self) -> list[Diagnostic]:
        """The networks of which nothing is compared; raises `SpecError`."""
        return [NoClaims(found.name.span, found.name.id) for found in self.meant if not self.claims_of(found)]

    def inferred(self) -> dict[str, tuple[Inferred, ...]]:
        """What `infer` solved for in the rows of each network, as it is printed; raises `SpecError`."""
        plans = {network.name.id: self.printed_plan(network) for network in self.meant}
        return {name: plan.inferred for name, plan in plans.items() if plan is not None and plan.inferred}

    def errata(self) -> list[Audited]:
        """The misprints that the file corrects, with their sources; raises `SpecError`."""
        with deep(self.limits, self.source):
            return [found for network in self.networks for found in errata(self.module, network, self.make)]

    def check_itself(self) -> list[Diagnostic]:
        """What is wrong with the network, or this variant of it, as it is built."""
        try:
            if parameters.required(self.network) - set(self.choice[1]):
                return []
            graph = self.laid_out(self.planned(None, {}))
            self.name_weights(graph)
        except SpecError as error:
            return list(error.diagnostics)
        return list(self.warnings)

    def name_weights(self, graph: Graph) -> None:
        """Find the keys of a Graph of this network for every program that it has them for; raises `SpecError`."""
        tensors = tuple(graph.tensors()) if origins(self.network) else ()
        for origin in origins(self.network):
            same = depends_on(self.network, origin, graph, tensors)
            if same not in self.make.settled:
                self.weight_keys(origin, graph)
                self.make.settled.add(same)

    def unused(self) -> list[Unused]:
        """What the file has and nobody uses, where nothing is wrong with it.

        Rules of `weights` are looked at with the whole file alone, since some name the weights of some variants.
        """
        with deep(self.limits, self.source):
            return unused(self.resolved, self.unused_keys() if self.chosen is None else ())

    def unused_keys(self) -> Iterator[Unused]:
        """The rules of `weights` clauses that name no tensor: in no member of the file, nor with other parameters."""
        for network in self.networks:
            rules = {rule.span: rule for clause in clauses(network) for rule in clause.rules}
            trials = self.trials(network)
            while rules.keys() - self.used_keys and (trial := next(trials, None)) is not None:
                member, values = trial
                with contextlib.suppress(SpecError):
                    member.name_weights(member.elaborate(**values))
            for span, rule in rules.items():
                if span not in self.used_keys:
                    yield UnusedKey(rule.path.span, whole=span, network=network.name.id)

    def trials(self, network: t.Network) -> Iterator[tuple["Spec", dict[str, Value]]]:
        """A network with all parameters with which it may have other nodes."""
        for member in map(self.member, self.members):
            if member.network is network:
                yield member, {}
        for values in parameters.other_values(self.module, network, self.make.budget):
            yield self.member(network.name.id), values

    def audit(self, known: Sequence[Diagnostic] = ()) -> list[Diagnostic]:
        """What is wrong with the checks and errata of the network, whatever the variant, besides what is `known`."""
        try:
            with deep(self.limits, self.source):
                return audit(self.module, self.network, self.make, known)
        except SpecError as error:
            return list(error.diagnostics)


def audited_all_the_same(diagnostic: Diagnostic) -> bool:
    """Whether the checks and errata of a network mean something although this is wrong with it."""
    return isinstance(diagnostic, NumberClaim) or not is_error(diagnostic)
