"""Names, before anything is computed: every mistake in them is found at once, in branches not taken too.

What a `read` rule may name beyond its parameters depends on the table, so its expressions are left to elaboration;
its operators and its calls are checked here.
"""

import graphlib
import itertools
import re
from collections.abc import Iterable, Iterator

from msgspec.structs import replace
from pydantic import BaseModel

from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate.errors import (
    DuplicateName,
    MissingArgument,
    Recursion,
    ReservedName,
    UnknownArgument,
    UnknownMember,
    UnknownName,
    UnknownOperator,
)
from archspec.elaborate.evaluate import places
from archspec.elaborate.functions import FUNCTIONS
from archspec.elaborate.modules import BUILT_IN, IDENTITY, Module, Named
from archspec.limits import Limits
from archspec.ops import OPERATORS, WORDS, Op
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.syntax.errors import LimitReached
from archspec.syntax.tree import parts, walk
from archspec.tables import patterns

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SET_BY_ELABORATION = frozenset({"kind", "index"})


def resolve(module: Module) -> list[Diagnostic]:
    """Every mistake in the names of a file's own declarations."""
    found: list[Diagnostic] = []
    for named in module.own.values():
        found += repeated(named)
        found += unknown_targets(named, module)
        found += with_tensors(names_in(named, module), named)
    return found


def names_in(named: Named, module: Module) -> list[Diagnostic]:
    """The mistakes in the names of one declaration."""
    found: list[Diagnostic] = []
    steps = {parameter.name.id for parameter in parameters_of(named)}
    tabled: set[str] | None = None
    for root, visible in scopes(named):
        given = steps
        if isinstance(root, t.Read):
            tabled = steps | table_names(named) if tabled is None else tabled
            holes = set().union(*(patterns.holes(rule.pattern.value) for rule in root.rules))
            given = tabled | holes if holes else tabled
        for node in walk(root):
            found += check(node, module, visible, given)
    return found


def parameters_of(named: Named) -> tuple[t.Parameter, ...]:
    return () if isinstance(named, t.Variant) else named.parameters


def unknown_targets(named: Named, module: Module) -> Iterator[Diagnostic]:
    """A variant of no network of the file, a `read as` of no reading."""
    if isinstance(named, t.Variant):
        target = named.network.name
        if not isinstance(module.own.get(target.id), t.Network):
            networks = tuple(name for name, other in module.own.items() if isinstance(other, t.Network))
            yield UnknownMember(target.span, target.id, networks)
    elif isinstance(named, t.Network):
        for clause in named.clauses:
            if isinstance(clause, t.ReadAs) and clause.reading.name.id not in module.names(t.Reading):
                yield UnknownName(clause.reading.name.span, clause.reading.name.id, tuple(module.names(t.Reading)))


def table_names(named: Named) -> set[str]:
    """The headers of tables and the holes of columns: what a rule may name as a step, though nothing declares it."""
    found = set[str]()
    for node in walk(named):
        if isinstance(node, t.TableClause):
            found.update(WORD.findall(node.body.strip("{ \t\r\n").partition("\n")[0]))
        elif isinstance(node, t.Column):
            meant = node.meaning
            found.update(
                {meant.id}
                if isinstance(meant, t.Name)
                else {hole for text in meant for hole in patterns.holes(text.value)}
            )
    return found


def scopes(named: Named) -> Iterator[tuple[t.Tree, set[str] | None]]:
    """The parts of a declaration with the names that each sees; None where a table decides.

    Variants, defaults, initial distributions and `read as` name what elaboration looks up itself.
    """
    match named:
        case t.Network() | t.Reading():
            yield from ((parameter, None) for parameter in named.parameters)
            for clause in named.clauses:
                if isinstance(clause, (t.Body, t.Output)):
                    yield clause.net, names_of(named)
                elif not isinstance(clause, (t.ReadAs, t.Default, t.Init)):
                    yield clause, None
        case t.Variant():
            yield from ((argument, set()) for argument in named.network.arguments or ())
        case _:
            yield named, names_of(named)


def names_of(named: Named) -> set[str]:
    names = {parameter.name.id for parameter in parameters_of(named)}
    if isinstance(named, t.Block) and named.signature:
        names |= {side.id for side in named.signature.input if isinstance(side, t.Name)}
    return names


def repeated(named: Named) -> Iterator[Diagnostic]:
    """What a declaration says twice, where only one of it could count."""
    names = [parameter.name for parameter in parameters_of(named)]
    yield from (ReservedName(name.span, name.id) for name in names if name.id in WORDS)
    yield from declared_twice((name.id, name.span) for name in names)
    clauses = named.clauses if isinstance(named, (t.Network, t.Reading)) else ()
    tables = [clause.name for clause in clauses if isinstance(clause, t.TableClause) and clause.name is not None]
    yield from declared_twice((name.value, name.span) for name in tables)
    yield from declared_twice((clause.name.id, clause.name.span) for clause in clauses if isinstance(clause, t.Infer))
    for clause in clauses:
        if isinstance(clause, t.RepeatClause):
            yield from declared_twice((given.name.id, given.name.span) for given in clause.then)


def declared_twice(names: Iterable[tuple[str, Span]]) -> Iterator[Diagnostic]:
    seen: dict[str, Span] = {}
    for name, span in names:
        if name in seen:
            yield DuplicateName(span, name, seen[name])
        seen.setdefault(name, span)


def check(node: t.Tree, module: Module, visible: set[str] | None, steps: set[str]) -> Iterator[Diagnostic]:
    """The mistakes in the names of one node."""
    try:
        match node:
            case t.Reference():
                yield from check_reference(node, module, steps)
            case t.Call():
                yield from check_call(node, module)
            case t.Chain() | t.Comparison() | t.AllOf() | t.AnyOf() | t.Negation() | t.Signed() | t.Power():
                if visible is not None:
                    yield from check_names(operands(node), module, visible)
            case t.Argument() | t.Step() | t.Conditional() | t.Extent() | t.Definition():
                if visible is not None:
                    yield from check_names(operands(node), module, visible)
    except SpecError as error:
        yield from error.diagnostics


def with_tensors(found: list[Diagnostic], named: Named) -> Iterator[Diagnostic]:
    """The mistakes, an unknown step known to be a tensor's name where it lacks its `@`."""
    tensors = {node.alias.id for node in walk(named) if isinstance(node, t.Step) and node.alias} if found else set()
    for diagnostic in found:
        if isinstance(diagnostic, UnknownOperator) and diagnostic.name in tensors:
            yield replace(diagnostic, known=(f"@{diagnostic.name}",))
        else:
            yield diagnostic


def operands(node: t.Tree) -> Iterator[t.Name]:
    """The names that a node computes with itself, not those of its parts' parts."""
    match node:
        case t.Step():
            direct: Iterable[object] = (node.count, node.condition)
        case t.Argument():
            direct = (node.value,)
        case t.Definition():
            direct = (node.body,)
        case t.Chain():
            direct = (node.first, *(operand for _, operand in node.rest))
        case t.AllOf() | t.AnyOf():
            direct = node.operands
        case t.Extent():
            direct = node.sides
        case _:
            direct = (getattr(node, part) for part in parts(type(node)))
    yield from (part for part in direct if isinstance(part, t.Name))


def check_names(names: Iterable[t.Name], module: Module, visible: set[str]) -> Iterator[Diagnostic]:
    for name in names:
        if name.id not in visible and not module.is_word(name.id):
            yield UnknownName(name.span, name.id, (*visible, *WORDS))


def check_reference(node: t.Reference, module: Module, steps: set[str]) -> Iterator[Diagnostic]:
    name, arguments = node.name, node.arguments or ()
    if name.id in steps:
        return
    if name.id == IDENTITY:
        places(name, (), (), arguments)
    elif name.id in OPERATORS:
        yield from check_operator(name, OPERATORS[name.id], arguments)
    else:
        _, block = module.block(name)
        yield from check_call_of(name, block.parameters, arguments)


def attributes(op: type[BaseModel]) -> tuple[str, ...]:
    """What a spec may give an operator, by name."""
    return tuple(name for name in op.model_fields if name not in SET_BY_ELABORATION)


def signature(op: type[Op]) -> str:
    """`kernel, channels, stride = 1`."""
    names = [*op.positional, *(name for name in attributes(op) if name not in op.positional)]
    return ", ".join(
        name if (field := op.model_fields[name]).is_required() else f"{name} = {default_text(field.default)}"
        for name in names
    )


def default_text(value: object) -> str:
    """A default as the language writes it; a pooling's stride is its kernel."""
    if value is None:
        return "kernel"
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_operator(name: t.Name, op: type[Op], arguments: tuple[t.Argument, ...]) -> Iterator[Diagnostic]:
    given = places(name, op.positional, attributes(op), arguments)
    fields = op.model_fields.items()
    missing = tuple(key for key, field in fields if field.is_required() and key not in given)
    if missing:
        yield MissingArgument(name.span, name.id, missing)


def check_call(node: t.Call, module: Module) -> Iterator[Diagnostic]:
    name = node.function
    if name.id not in FUNCTIONS:
        _, definition = module.definition(name)
        yield from check_call_of(name, definition.parameters, node.arguments)
        return
    _, fewest, most = FUNCTIONS[name.id]
    for argument in node.arguments:
        if argument.name is not None:
            yield UnknownArgument(argument.name.span, name.id, argument.name.id, ())
    if len(node.arguments) < fewest:
        yield MissingArgument(
            name.span, name.id, tuple(f"argument {i + 1}" for i in range(len(node.arguments), fewest))
        )
    if len(node.arguments) > most:
        yield UnknownArgument(node.arguments[most].span, name.id, "", tuple(f"argument {i + 1}" for i in range(most)))


def check_call_of(
    name: t.Name, parameters: tuple[t.Parameter, ...], arguments: tuple[t.Argument, ...]
) -> Iterator[Diagnostic]:
    names = tuple(parameter.name.id for parameter in parameters)
    given = places(name, names, names, arguments)
    missing = tuple(p.name.id for p in parameters if p.default is None and p.name.id not in given)
    if missing:
        yield MissingArgument(name.span, name.id, missing)


def recursion(modules: Iterable[Module], limits: Limits) -> list[Diagnostic]:
    """Blocks or functions that ask for themselves, by whatever way, or for each other in too long a row."""
    asked: dict[int, list[tuple[t.Name, Named]]] = {}
    for module in modules:
        for named in module.own.values():
            asked[id(named)] = list(asked_for(named, module))
    sorter = graphlib.TopologicalSorter({key: {id(named) for _, named in edges} for key, edges in asked.items()})
    try:
        order = list(sorter.static_order())
    except graphlib.CycleError as error:
        cycle = list(reversed(error.args[1]))
        steps = [next(edge for edge in asked[a] if id(edge[1]) == b) for a, b in itertools.pairwise(cycle)]
        return [Recursion(steps[0][0].span, (steps[-1][0].id, *(name.id for name, _ in steps)))]
    depth: dict[int, int] = {}
    for key in order:
        edges = asked.get(key, [])
        depth[key] = 1 + max((depth[id(named)] for _, named in edges), default=0)
        if depth[key] > limits.nesting + 1:
            found = f"{depth[key]} blocks or functions within each other"
            return [LimitReached(edges[0][0].span, "nested too deep", found, limits.nesting, "--max-nesting")]
    return []


def asked_for(named: Named, module: Module) -> Iterator[tuple[t.Name, Named]]:
    """The blocks and functions that a declaration asks for."""
    for node in walk(named):
        name = node.name if isinstance(node, t.Reference) else node.function if isinstance(node, t.Call) else None
        found = module.find(name) if name is not None and name.id not in BUILT_IN else None
        if name is not None and found is not None and isinstance(found[1], (t.Block, t.Definition)):
            yield name, found[1]


def check_word(name: t.Name, module: Module, arguments: tuple[t.Argument, ...]) -> None:
    """The arguments of what a parameter names, which nobody could check before."""
    if name.id in OPERATORS:
        found = list(check_operator(name, OPERATORS[name.id], arguments))
    else:
        found = [] if name.id == IDENTITY else list(check_call_of(name, module.block(name)[1].parameters, arguments))
    if found:
        raise SpecError(found)
