"""Networks of the language -> plans: the five forms, operators and blocks, with shapes inferred on the way.

Every plan is made once: a block's by its arguments and input, an operator's by its attributes. A repeat stops
computing as soon as a pass changes nothing any more, so a repeat of 10⁹ costs as much as one of two.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from archspec.diagnostics import Diagnostic, Frame, SpecError
from archspec.elaborate.bodies import Body, Later
from archspec.elaborate.calls import attributes, check_word
from archspec.elaborate.errors import BadArithmetic, DuplicateName, UnknownName, UnknownOperator
from archspec.elaborate.evaluate import (
    Binding,
    Budget,
    Environment,
    Value,
    Word,
    bind,
    blame,
    describe,
    numeric,
    places,
    plain,
    truth,
)
from archspec.elaborate.flow_errors import (
    NothingToJoin,
    SignatureMismatch,
    UnjoinedFork,
    WrongBranches,
    mismatch,
)
from archspec.elaborate.models import Models
from archspec.elaborate.modules import IDENTITY, Module
from archspec.elaborate.naming import Names, call_text, step_names
from archspec.elaborate.plan import (
    NOTHING,
    AliasPlan,
    Counts,
    Flow,
    ForkPlan,
    Maker,
    NetworkPlan,
    OpPlan,
    Plan,
    ScopePlan,
    TapPlan,
    sequence,
    total,
)
from archspec.limits import Limits
from archspec.ops import OPERATORS, AnyOp, Join, Misfit, Split
from archspec.source import Source, Span
from archspec.syntax import tree as t
from archspec.syntax.errors import LimitReached
from archspec.tensor import Shape, shape_text

Result = tuple[Plan, Flow]
MADE = (Maker(Span(Source("", ""), 0, 0)),)
"""In the flow that is kept of a block: the block itself makes what comes out."""
BLOCK = 4
"""What an instance of a block takes of the budget, where a call of a function takes 1."""
BODY = 10
"""What the body of a row or a block takes in `steps`, where a step takes 1."""


class Instantiator:
    """Makes plans; keeps those of blocks and operators for the next time."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.budget = Budget(limits.nodes)
        self.stack: list[Frame] = []
        self.blocks: dict[object, Result] = {}
        self.models = Models()
        self.body_names: dict[int, Names] = {}
        self.solved: dict[tuple[int, int, int], Value] = {}
        """the claims of rows (source, operator cell, claim) to what `infer` found at the defaults"""
        self.settled: set[object] = set()
        """what was checked already, by all that the outcome depends on"""
        self.refused: dict[object, tuple[Diagnostic, ...]] = {}
        """what is wrong with networks at their defaults"""
        self.audited: dict[object, tuple[NetworkPlan, tuple[Diagnostic, ...]]] = {}
        """networks that checks are of, with their warnings, by all that they depend on"""
        self.steps = self.searched = 0
        """steps and bodies that were made in all, and for suggestions: how long it took, without a clock"""
        self.advise = True
        """whether changes are looked for that would mend what is wrong, which takes its time"""

    def anew(self) -> "Instantiator":
        """Another one that knows nothing yet."""
        return Instantiator(self.limits)

    # ---- errors ----

    def fail(self, diagnostic: Diagnostic) -> SpecError:
        return SpecError([replace(diagnostic, stack=tuple(self.stack))])

    @contextmanager
    def inside(self, label: str, span: Span, asks: bool = True) -> Iterator[None]:
        """A level of the instantiation stack, for the diagnostics of what happens in it."""
        self.stack.append(Frame(label, span, asks))
        try:
            if len(self.stack) > self.limits.nesting:
                found = f"{len(self.stack)} blocks within each other"
                raise self.fail(LimitReached(span, "nested too deep", found, self.limits.nesting, "--max-nesting"))
            yield
        except SpecError as error:
            raise SpecError(
                [d if d.stack else replace(d, stack=tuple(self.stack)) for d in error.diagnostics]
            ) from None
        finally:
            self.stack.pop()

    # ---- the five forms ----

    def body(self, net: t.Net, env: Environment) -> Body:
        """A body to make plans in; its steps' names are found once."""
        self.steps += BODY
        names = self.body_names.get(id(net))
        if names is None:
            names = self.body_names[id(net)] = step_names(net)
        return Body(env, names)

    def net(self, net: t.Net, body: Body, flow: Flow) -> Result:
        """The plan of a network, and what comes out when `flow` goes in; raises `SpecError`."""
        self.steps += 1
        match net:
            case t.Sequence():
                return self.sequence(net, body, flow)
            case t.Step():
                return self.step(net, body, flow) or (NOTHING, flow)
            case t.Fork():
                return self.fork(net, body, flow)
            case t.Group():
                return self.net(net.body, body, flow)
            case t.Tap():
                return self.tap(net, body)
            case t.Reference():
                return self.reference(net, body, flow)

    def sequence(self, net: t.Sequence, body: Body, flow: Flow) -> Result:
        steps: list[Plan] = []
        for step in net.steps:
            plan, flow = self.net(step, body, flow)
            steps.append(plan)
        return sequence(steps), flow

    def fork(self, net: t.Fork, body: Body, flow: Flow) -> Result:
        if flow.kind == "branches":
            raise self.fail(UnjoinedFork(net.span, len(flow.shapes)))
        parts = flow.kind == "parts"
        present = [branch for branch in net.branches if not absent(branch, body.env)]
        if parts and len(present) != len(flow.shapes):
            raise self.fail(WrongBranches(net.span, len(flow.shapes), len(present), flow.makers[0]))
        plans: list[Plan] = []
        outs: list[Flow] = []
        for position, branch in enumerate(present):
            start = Flow((flow.shapes[position],), makers=flow.makers[position : position + 1]) if parts else flow
            result = self.step(branch, body, start) if isinstance(branch, t.Step) else self.net(branch, body, start)
            if result is not None:
                plans.append(result[0])
                self.one(result[1], branch.span)
                outs.append(result[1])
        if not plans:
            raise self.fail(UnjoinedFork(net.span, 0))
        shapes, makers = tuple(out.shapes[0] for out in outs), tuple(maker for out in outs for maker in out.makers)
        spans = tuple(branch.span for branch in present)
        return ForkPlan(tuple(plans), parts, total(tuple(plans))), Flow(shapes, "branches", makers, spans)

    def one(self, flow: Flow, span: Span) -> Shape:
        """The one tensor of a flow; raises `SpecError` where there are several."""
        if flow.kind != "one":
            raise self.fail(UnjoinedFork(span, len(flow.shapes)))
        return flow.shapes[0]

    def tap(self, net: t.Tap, body: Body) -> Result:
        found = body.tensors.get(net.name.id)
        if found is None:
            raise self.fail(UnknownName(net.name.span, f"@{net.name.id}", tuple(f"@{n}" for n in body.tensors)))
        return TapPlan(net.name.id), found[0]

    def step(self, net: t.Step, body: Body, flow: Flow) -> Result | None:
        """An atom with its postfixes; None where its condition is false and there is no other."""
        atom, count = net.atom, net.count
        if net.condition is not None and not truth(net.condition, body.env):
            if net.otherwise is None:
                return None
            atom, count = net.otherwise, None
        if count is not None:
            plan, flow = self.repeat(atom, self.whole(count, body.env), count.span, body, flow)
        else:
            plan, flow = self.atom(atom, body, flow)
        return (plan, flow) if net.alias is None else self.alias(net.alias, plan, body, flow)

    def atom(self, atom: t.Atom, body: Body, flow: Flow) -> Result:
        """An atom; a named group is a scope."""
        name = body.names.get(id(atom))
        plan, out = self.net(atom, body, flow)
        if name is None or isinstance(atom, (t.Reference, t.Tap)) or plan is NOTHING:
            return plan, out
        return ScopePlan(name, "group", name, name, atom.span, False, plan, plan.counts), out

    def alias(self, alias: t.Name, plan: Plan, body: Body, flow: Flow) -> Result:
        self.one(flow, alias.span)
        if alias.id in body.tensors:
            raise self.fail(DuplicateName(alias.span, alias.id, body.tensors[alias.id][1]))
        body.tensors[alias.id] = (flow, alias.span)
        return sequence([plan, AliasPlan(alias.id)]), flow

    def whole(self, expr: t.Expr, env: Environment) -> int:
        """A number of times."""
        number = plain(numeric(expr, env))
        if not isinstance(number, int) or number < 0:
            reason = f"a repeat wants a whole number from 0, and this is {number}"
            raise self.unfit(expr, reason, env)
        return number

    def unfit(self, expr: t.Expr, reason: str, env: Environment) -> SpecError:
        """A number that does not suit, at the place that it is from."""
        at = blame(expr, env)
        return self.fail(BadArithmetic(at, reason, expr.span if at != expr.span else None))

    def repeat(self, atom: t.Net, count: int, span: Span, body: Body, flow: Flow, later: Later | None = None) -> Result:
        """`atom * count`: passes, each in a scope of its own where it is more than one; `later` is the body of all
        passes but the first where it differs.
        """
        self.one(flow, span)
        passes: list[Plan] = []
        nodes = 0
        while len(passes) < count:
            this = later.body(len(passes)) if later and passes else body
            inner = Body(this.env, body.names, dict(body.tensors))
            with self.inside(f"pass {len(passes) + 1} of {count}", span, asks=False):
                plan, out = self.net(atom, inner, flow)
                self.one(out, span)
            settled = out.shapes == flow.shapes and (later is None or (len(passes) > 0 and later.alike))
            left = count - len(passes) if settled else 1
            nodes += plan.counts.nodes * left
            self.check_nodes(nodes, span)
            if settled and plan.counts.nodes == 0:
                break
            passes += [plan] * left
            flow = out
        name = body.names.get(id(atom), "repeat")
        return sequence([self.one_pass(p, atom, name, number, count) for number, p in enumerate(passes, 1)]), flow

    def one_pass(self, plan: Plan, atom: t.Net, name: str, number: int, count: int) -> Plan:
        """The n-th pass of a repeat: the block or operator itself under a numbered name, or a scope around a group.

        A single pass has its number too: weights keep their names when a network is made deeper.
        """
        if plan is NOTHING:
            return plan
        label = f"{name}_{number}"
        if isinstance(plan, (ScopePlan, OpPlan)) and isinstance(atom, t.Reference):
            return replace(plan, name=label)
        return ScopePlan(label, "repeat", f"pass {number} of {count}", name, atom.span, False, plan, plan.counts)

    def check_nodes(self, nodes: int, span: Span) -> None:
        if nodes > self.limits.nodes:
            raise self.fail(LimitReached(span, "too many nodes", f"{nodes}", self.limits.nodes, "--max-nodes"))

    # ---- operators and blocks ----

    def reference(self, net: t.Reference, body: Body, flow: Flow) -> Result:
        name, module = net.name, body.env.module
        label = body.names.get(id(net), name.id)
        binding = body.env.bindings.get(name.id)
        if binding is not None:
            name, module = self.step_of(name, binding, module)
            check_word(name, module, net.arguments or ())
        if name.id == IDENTITY:
            return NOTHING, flow
        if name.id in OPERATORS:
            return self.operator(name, label, net, body.env, flow)
        return self.block(name, label, module, net, body.env, flow)

    def step_of(self, name: t.Name, binding: Binding, module: Module) -> tuple[t.Name, Module]:
        """The operator or block that a parameter names, and the file that knows it; raises `SpecError`."""
        value = binding.value
        if isinstance(value, str) and (value == IDENTITY or value in OPERATORS or module.is_word(value)):
            return t.Name(name.span, str(value)), value.module if isinstance(value, Word) else module
        if isinstance(value, Word) and value.module.is_word(value):
            return t.Name(name.span, str(value)), value.module
        known = (*OPERATORS, IDENTITY, *module.names(t.Block))
        raise self.fail(UnknownOperator(binding.span, str(value) if isinstance(value, str) else describe(value), known))

    def operator(self, name: t.Name, label: str, net: t.Reference, env: Environment, flow: Flow) -> Result:
        cls = OPERATORS[name.id]
        op = self.models.make(cls, cls.positional, name, net.arguments or (), env)
        if isinstance(op, Join):
            return self.join(label, op, net, env, flow)
        if isinstance(op, Split):
            return self.split(label, op, net, env, flow)
        shape = self.one(flow, net.span)
        out = self.infer(op, net, env, flow)
        plan = OpPlan(label, (op,), (out,), net.span, Counts(1, op.params(shape), op.macs(shape)))
        # not `==`, which would pin numbers that are traced
        return plan, flow if out is shape else Flow((out,), makers=(Maker(net.span),))

    def split(self, label: str, op: Split, net: t.Reference, env: Environment, flow: Flow) -> Result:
        """A node for each part."""
        span = net.span
        self.one(flow, span)
        part = self.infer(op, net, env, flow)
        self.check_nodes(op.parts, span)
        ops = tuple(op.model_copy(update={"index": index}) for index in range(op.parts))
        shapes = (part,) * op.parts
        return OpPlan(label, ops, shapes, span, Counts(op.parts)), Flow(shapes, "parts", (Maker(span),) * op.parts)

    def join(self, label: str, op: AnyOp, net: t.Reference, env: Environment, flow: Flow) -> Result:
        """A join of one branch is that branch."""
        span = net.span
        if flow.kind == "one":
            raise self.fail(NothingToJoin(span, op.kind))
        if len(flow.shapes) == 1:
            return NOTHING, Flow(flow.shapes, makers=flow.makers)
        shape = self.infer(op, net, env, flow)
        return OpPlan(label, (op,), (shape,), span, Counts(1)), Flow((shape,), makers=(Maker(span),))

    def infer(self, op: AnyOp, net: t.Reference, env: Environment, flow: Flow) -> Shape:
        """The shape that comes out, within the limits."""
        try:
            shape = op.infer(*flow.shapes)
        except Misfit as misfit:
            arguments = places(net.name, op.positional, attributes(type(op)), net.arguments or ())
            given = {name: blame(argument.value, env) for name, argument in arguments.items()}
            names = {name: binding.value for name, binding in env.bindings.items()}
            raise self.fail(mismatch(op, flow, misfit, net.span, given, names)) from None
        self.check_size(shape, net.span)
        return shape

    def check_size(self, shape: Shape, span: Span) -> None:
        # a flattened map is as long as its sides together say
        most = self.limits.size if len(shape) == 3 else self.limits.size**2
        for side in shape:
            if side > most:
                raise self.fail(LimitReached(span, "too large", shape_text(shape), self.limits.size, "--max-size"))

    def block(
        self, name: t.Name, label: str, module: Module, net: t.Reference, caller: Environment, flow: Flow
    ) -> Result:
        """An instance of a block: one plan for the same arguments and the same input."""
        home, block = module.block(name)
        inside = Environment(home, {}, self.budget)
        bindings = bind(name, block.parameters, net.arguments or (), caller, inside)
        values = tuple(binding.value for binding in bindings.values())
        key = (id(block), tuple(identity(value) for value in values), flow.kind, flow.shapes, self.models.key)
        found = self.blocks.get(key)
        text = self.call_text(block.name.id, values)
        if found is None:
            with self.inside(text, net.span):
                self.budget.spend(net.span, BLOCK)
                plan, out = self.instantiate(block, inside.with_bindings(bindings), flow)
                self.check_nodes(plan.counts.nodes, net.span)
            # who made what it is given is another one next time
            found = self.blocks[key] = plan, Flow(out.shapes, out.kind, () if out.makers is flow.makers else MADE)
        plan, out = found
        makers = (Maker(net.span),) * len(out.shapes) if out.makers is MADE else flow.makers
        out = Flow(out.shapes, out.kind, makers)
        if plan.counts.nodes == 0:
            return NOTHING, out
        return ScopePlan(label, "block", text, block.name.id, net.span, True, plan, plan.counts), out

    def call_text(self, name: str, values: tuple[Value, ...]) -> str:
        """What an instance of a block is called where people read it."""
        return call_text(name, values)

    def instantiate(self, block: t.Block, env: Environment, flow: Flow) -> Result:
        env = env.with_bindings(self.signature_bindings(block, env, flow))
        body = self.body(block.body, env)
        plan, out = self.net(block.body, body, flow)
        if block.signature is not None:
            stated = tuple(self.side(side, env) for side in block.signature.output)
            found = self.one(out, block.body.span)
            if found != stated:
                span = block.signature.output[0].span.to(block.signature.output[-1].span)
                at = block.name.span
                raise self.fail(SignatureMismatch(at, block.name.id, "output", found, stated, span, out.makers[0]))
        return plan, out

    def signature_bindings(self, block: t.Block, env: Environment, flow: Flow) -> dict[str, Binding]:
        """The names that a signature gives to the sides of the input; its other sides must hold."""
        if block.signature is None:
            return {}
        sides = block.signature.input
        span = sides[0].span.to(sides[-1].span)
        shape = self.one(flow, span)
        bindings: dict[str, Binding] = {}
        stated: list[int] = []
        for side, size in zip(sides, shape, strict=False):
            known = env.with_bindings(bindings)
            if isinstance(side, t.Name) and side.id not in known.bindings:
                bindings[side.id] = Binding(size, side.span)
            stated.append(self.side(side, env.with_bindings(bindings)))
        if tuple(stated) != shape or len(sides) != len(shape):
            stated += [0] * (len(sides) - len(shape))
            at = block.name.span
            raise self.fail(SignatureMismatch(at, block.name.id, "input", shape, tuple(stated), span, flow.makers[0]))
        return bindings

    def side(self, expr: t.Expr, env: Environment) -> int:
        """A side of a shape."""
        number = plain(numeric(expr, env))
        if not isinstance(number, int) or number < 1:
            reason = f"a side of a shape is a whole number from 1, and this is {number}"
            raise self.unfit(expr, reason, env)
        return number


def absent(branch: t.Net, env: Environment) -> bool:
    """Whether a branch is left out: its condition is false, and there is no other."""
    if not isinstance(branch, t.Step) or branch.condition is None or branch.otherwise is not None:
        return False
    return not truth(branch.condition, env)


def identity(value: Value) -> object:
    """What makes a value another one: 1 is not true, and a block's name means the block of its file."""
    return (type(value), value, id(value.module) if isinstance(value, Word) else None)
