"""Plan -> `Graph`: every shared plan laid out at each of its places, with its path and its span."""

from archspec.diagnostics import SpecError
from archspec.elaborate.errors import Clause
from archspec.elaborate.flow_errors import DeadStep
from archspec.elaborate.paths import PathPattern
from archspec.elaborate.plan import AliasPlan, ForkPlan, NetworkPlan, OpPlan, Plan, ScopePlan, SequencePlan, TapPlan
from archspec.graph import Graph, Location, Node, Scope
from archspec.initializer import AnyInitializer
from archspec.ops import AnyOp, Input
from archspec.printable import encodable
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.tensor import Shape

Paths = tuple[str, ...]
NUMBERED = 10


class Flattener:
    """Lays out one network."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.scopes: list[Scope] = []
        self.spans: dict[str, Span] = {}
        self.taken: set[str] = set()
        self.alike: dict[str, int] = {}
        """how many paths began as one"""
        self.locations: dict[tuple[int, int, int], Location] = {}

    def location(self, span: Span) -> Location:
        key = (id(span.source), span.start, span.end)
        found = self.locations.get(key)
        if found is None:
            line, column = span.source.position(span.start)
            end_line, end_column = span.source.position(span.end)
            found = self.locations[key] = Location.valid(
                file=encodable(span.source.name), line=line, column=column, end_line=end_line, end_column=end_column
            )
        return found

    def unique(self, prefix: str, name: str) -> str:
        """A path of its own: `relu`, `relu_`, …; from the tenth of a name on they are numbered, `relu_10`."""
        path = first = prefix + name
        while path in self.taken:
            self.alike[first] = count = self.alike.get(first, 1) + 1
            path = first + "_" * (count - 1) if count < NUMBERED else f"{first}_{count}"
        self.taken.add(path)
        return path

    def node(self, path: str, op: AnyOp, inputs: Paths, shape: Shape, span: Span) -> str:
        self.nodes.append(Node.valid(path=path, op=op, inputs=inputs, shape=shape, span=self.location(span)))
        self.spans[path] = span
        return path

    def lay(self, plan: Plan, prefix: str, inputs: Paths, tensors: dict[str, str]) -> Paths:
        """Add a plan's nodes, and give the paths of what comes out."""
        match plan:
            case OpPlan():
                return self.op(plan, prefix, inputs)
            case ScopePlan():
                return self.scope(plan, prefix, inputs, tensors)
            case SequencePlan():
                for step in plan.steps:
                    inputs = self.lay(step, prefix, inputs, tensors)
                return inputs
            case ForkPlan():
                out: list[str] = []
                for position, branch in enumerate(plan.branches):
                    given = (inputs[position],) if plan.parts else inputs
                    out += self.lay(branch, prefix, given, tensors)
                return tuple(out)
            case AliasPlan():
                tensors[plan.name] = inputs[0]
                return inputs
            case TapPlan():
                return (tensors[plan.name],)

    def op(self, plan: OpPlan, prefix: str, inputs: Paths) -> Paths:
        if len(plan.ops) == 1:
            path = self.unique(prefix, plan.name)
            return (self.node(path, plan.ops[0], inputs, plan.shapes[0], plan.span),)
        parts = zip(plan.ops, plan.shapes, strict=True)
        return tuple(
            self.node(self.unique(prefix, f"{plan.name}_{i}"), op, inputs, shape, plan.span)
            for i, (op, shape) in enumerate(parts, 1)
        )

    def scope(self, plan: ScopePlan, prefix: str, inputs: Paths, tensors: dict[str, str]) -> Paths:
        path = self.unique(prefix, plan.name)
        self.scopes.append(
            Scope.valid(
                path=path,
                kind=plan.kind,
                label=plan.label,
                name=plan.of,
                span=self.location(plan.span),
                cells=plan.cells,
            )
        )
        return self.lay(plan.body, f"{path}/", inputs, {} if plan.closed else tensors)


def flatten(plan: NetworkPlan, name: str) -> Graph:
    """The Graph of an elaborated network, under a name; raises `SpecError` where a step leads to no output."""
    flat = Flattener()
    network = plan.network
    tensors: dict[str, str] = {}
    flat.taken.add("input")
    paths: Paths = (flat.node("input", Input.model_construct(shape=plan.input), (), plan.input, network.name.span),)
    for part in plan.plans:
        paths = flat.lay(part, "", paths, tensors)
    outputs, own = {"output": paths[0]}, len(flat.nodes)
    clauses = {clause.name.id: clause for clause in network.clauses if isinstance(clause, t.Output)}
    for output, part in plan.outputs:
        clause = clauses[output]
        # what a head of training alone names is not there in evaluation, so that no other output sees it
        seen = dict(tensors) if clause.training else tensors
        outputs[output] = flat.lay(part, "", paths, seen)[0]
    training = tuple(name for name in outputs if name in clauses and clauses[name].training)
    check_alive(flat, own, outputs, training)
    titles = [clause.text.value for clause in network.clauses if isinstance(clause, t.Title)]
    return Graph.model_construct(
        name=name,
        title=titles[0] if titles else None,
        cite=tuple(clause.text.value for clause in network.clauses if isinstance(clause, t.Cite)),
        parameters={key: binding.value for key, binding in plan.parameters.items()},
        changed=plan.changed,
        nodes=tuple(flat.nodes),
        scopes=tuple(flat.scopes),
        outputs=outputs,
        training=training,
        init=initial(plan, flat.nodes),
    )


def initial(plan: NetworkPlan, nodes: list[Node]) -> dict[str, AnyInitializer]:
    """What weights begin with, by kind of operator and by path.

    Raises `SpecError` where no node has a path that is named; other parameters may leave nodes out.
    """
    found, nearest = dict(plan.init), dict[str, PathPattern]()
    drawn = [node.path for node in nodes if node.op.kind in found] if plan.init_of_paths else []
    for pattern, how in plan.init_of_paths:
        paths = [path for path in drawn if pattern.match(path) is not None]
        if not paths and plan.at_defaults:
            kinds = " or ".join(f"`{kind}`" for kind in plan.init)
            raise SpecError([Clause(pattern.span, f"no {kinds} has this path")])
        alike = [path for path in paths if path in nearest and nearest[path].letters == pattern.letters]
        if alike:
            reason = f"another pattern as close gives `{alike[0]}` a distribution, too"
            raise SpecError([Clause(pattern.span, reason, first=nearest[alike[0]].span)])
        nearest |= dict.fromkeys(paths, pattern)
        found |= dict.fromkeys(paths, how)
    return found


def check_alive(flat: Flattener, own: int, outputs: dict[str, str], training: tuple[str, ...]) -> None:
    """Every node leads to an output: nothing is counted that does not compute.

    The network's `own` nodes, the first, lead to one that is not of training alone.
    """
    always = {path for name, path in outputs.items() if name not in training}
    used = set(outputs.values())
    dead: dict[Span, DeadStep] = {}
    for position, node in reversed([*enumerate(flat.nodes)][1:]):
        if node.path in always:
            always.update(node.inputs)
        if node.path in used:
            used.update(node.inputs)
        if node.path not in (always if position < own else used):
            span = flat.spans[node.path]
            dead.setdefault(span, DeadStep(span, node.path, node.path in used))
    if dead:
        raise SpecError(reversed(dead.values()))
