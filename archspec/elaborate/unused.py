"""A file that nothing is wrong with -> what it has and nobody uses, as warnings.

All that can be told from the text, whatever the parameters; `check` and editors ask here. What is named with `_` at the
beginning, or has the comment `# unused: ok`, counts as used, and so does what it uses.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from archspec.diagnostics import SpecError
from archspec.elaborate.layout import ROLES
from archspec.elaborate.mentions import Mentions
from archspec.elaborate.modules import Module, Named
from archspec.elaborate.resolve import parameters_of
from archspec.elaborate.unused_errors import (
    Unused,
    UnusedColumn,
    UnusedFile,
    UnusedParameter,
    UnusedRule,
    UnusedTensor,
    of_column,
    of_declaration,
    of_named_column,
)
from archspec.elaborate.unused_rows import Read
from archspec.ops import OPERATORS, Op
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.syntax.comments import comments
from archspec.syntax.tree import walk

MEANT = re.compile(r"unused: ok\b")
Shared = t.Block | t.Definition | t.Reading


def unused(module: Module, besides: Iterable[Unused] = ()) -> list[Unused]:
    """What nobody uses of a file, in the order of its text; `besides` is what else was found.

    Except what a comment says is meant; one at a table speaks for its columns.
    """
    finder = Finder(module)

    def is_meant(one: Unused) -> bool:
        spans = [one.primary, *([one.whole] if isinstance(one, UnusedColumn) else [])]
        return any(line_of(span) in finder.lines for span in spans)

    found = (one for one in (*finder.all(), *besides) if not finder.lines or not is_meant(one))
    return sorted(found, key=lambda one: one.primary.start)


def meant_lines(file: t.SpecFile) -> set[int]:
    """The lines whose unused things are meant: those that such a comment ends, or stands alone before."""
    if not MEANT.search(file.source.text):
        return set()
    clauses = [clause for named in file.declarations if isinstance(named, t.Network) for clause in named.clauses]
    tables = [clause.body_span for clause in clauses if isinstance(clause, t.TableClause)]
    found = [comment for comment in comments(file.source, tables) if MEANT.search(comment.text)]
    return {file.source.position(comment.start)[0] + comment.alone for comment in found}


def line_of(span: Span) -> int:
    return span.source.position(span.start)[0]


class Finder:
    """The declarations of a file with what each uses."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.own = list(module.own.values())
        self.mentions = {id(named): Mentions().add(named) for named in self.own}
        self.networks = [named for named in self.own if isinstance(named, t.Network)]
        self.unread: set[int] = set()
        """the `id` of each network whose tables cannot be read as they stand"""
        self.reads: list[Read] = []
        for network in self.networks:
            self.read(network)
        self.lines = meant_lines(module.file)

    def read(self, network: t.Network) -> None:
        try:
            read = Read(network, self.module)
        except SpecError:
            self.unread.add(id(network))
            return
        self.reads.append(read)
        here = self.mentions[id(network)]
        here.names |= read.cells.names
        here.calls |= read.cells.calls

    def all(self) -> Iterator[Unused]:
        used = self.used_declarations()
        yield from self.files()
        for named in self.own:
            if id(named) not in used and isinstance(named, Shared):
                yield of_declaration(named)
            elif not isinstance(named, t.Variant):
                yield from self.parameters(named)
                yield from self.tensors(named)
        if not self.unread:
            readings = (named for named in self.own if isinstance(named, t.Reading) and id(named) in used)
            yield from self.rules_and_columns([*self.networks, *(readings if self.networks else ())])
            yield from (of_column(clause, header) for read in self.reads for clause, header in read.idle)

    # ---- declarations and files ----

    def used_declarations(self) -> set[int]:
        """The `id` of each declaration that a network leads to; in a file without a network, of all."""
        roots = [named for named in self.own if not isinstance(named, Shared) or self.is_meant(named.name)]
        pending = roots if self.networks else self.own
        used = set(map(id, pending))
        for named in pending:
            for other in self.asked_for(named):
                if id(other) not in used:
                    used.add(id(other))
                    pending.append(other)
        return used

    def is_meant(self, name: t.Name) -> bool:
        return name.id.startswith("_") or line_of(name.span) in self.lines

    def asked_for(self, named: Named) -> Iterator[Named]:
        """The declarations of the file that one of them uses."""
        for kind, names in self.names_used(named):
            for name in names:
                other = self.module.own.get(name)
                if isinstance(other, kind):
                    yield other

    def names_used(self, named: Named) -> list[tuple[type[Named], set[str]]]:
        """What a declaration names that is not its own: blocks, functions, readings."""
        here = self.mentions[id(named)]
        own = {parameter.name.id for parameter in parameters_of(named)}
        return [(t.Block, here.names - own | here.texts), (t.Definition, here.calls), (t.Reading, here.readings)]

    def files(self) -> Iterator[Unused]:
        """The files that are used for nothing, or a second time."""
        used: set[int] = set()
        for kind, name in {(kind, name) for one in self.own for kind, names in self.names_used(one) for name in names}:
            own = self.module.own.get(name)
            if own is None or (kind is t.Reading and not isinstance(own, t.Reading)):
                used.update(id(there) for there, other in self.module.used.get(name, ()) if isinstance(other, kind))
        seen: set[int] = set()
        for use, there in self.module.uses:
            if id(there) not in used or id(there) in seen:
                yield UnusedFile(use.span, whole=use.span, path=use.path.value, again=id(there) in used)
            seen.add(id(there))

    # ---- what belongs to a declaration ----

    def parameters(self, named: Shared | t.Network) -> Iterator[Unused]:
        """The parameters that a declaration does not use; of a network, if its tables can be read."""
        here = self.mentions[id(named)].names
        for parameter in named.parameters if id(named) not in self.unread else ():
            name = parameter.name
            if name.id not in here and not name.id.startswith("_"):
                given = tuple(self.given.get((id(named), name.id), ()))
                yield UnusedParameter(name.span, whole=parameter.span, name=name.id, owner=named.name.id, given=given)

    @cached_property
    def given(self) -> dict[tuple[int, str], list[Span]]:
        """Where the file gives parameters a value by name: by the `id` of their declaration and their name."""
        found: dict[tuple[int, str], list[Span]] = {}
        for named in self.own:
            for node in walk(named):
                match node:
                    case t.Reference():
                        target, arguments = self.module.own.get(node.name.id), node.arguments or ()
                    case t.Call():
                        target, arguments = self.module.own.get(node.function.id), node.arguments
                    case t.Check():
                        target, arguments = named, node.arguments
                    case _:
                        continue
                for name in (one.name for one in arguments if one.name is not None):
                    found.setdefault((id(target), name.id), []).append(name.span)
        return found

    def tensors(self, named: Shared | t.Network) -> Iterator[Unused]:
        """The names of tensors without weights that nothing takes up; those of a library's readings are for others."""
        if isinstance(named, t.Definition) or (isinstance(named, t.Reading) and not self.networks):
            return
        ends = {id(step) for net in nets_of(named) for step in last_steps(net)}
        taken = self.mentions[id(named)].taps if isinstance(named, t.Block) else self.taken  # a block is closed
        for node in (node for net in nets_of(named) for node in walk(net)):
            if not isinstance(node, t.Step) or node.alias is None or id(node) in ends or not is_weightless(node):
                continue
            name = node.alias
            if name.id not in taken and not name.id.startswith("_"):
                yield UnusedTensor(name.span, whole=naming(node, name), name=name.id)

    @cached_property
    def taken(self) -> set[str]:
        """The tensors of networks and readings that are taken up, or that a path names."""
        here = Mentions()
        for clause in (clause for read in self.reads for clause, depth in read.conventions if depth):
            here.add(clause)
        every = [here, *(self.mentions[id(one)] for one in self.own if isinstance(one, t.Network | t.Reading))]
        return set[str]().union(*(one.taps | one.paths for one in every))

    # ---- tables ----

    def rules_and_columns(self, owners: Iterable[t.Network | t.Reading]) -> Iterator[Unused]:
        """The rules that read no row of any table, and the columns that `columns` names for nothing."""
        rules = set[int]().union(*(read.rules for read in self.reads))
        columns = set[int]().union(*(read.columns for read in self.reads))
        for clause in (clause for owner in owners for clause in owner.clauses):
            if isinstance(clause, t.Read):
                idle = [rule for rule in clause.rules if id(rule) not in rules]
                yield from (UnusedRule(rule.pattern.span, whole=rule.span) for rule in idle)
            elif isinstance(clause, t.Columns):
                yield from (
                    of_named_column(column)
                    for column in clause.columns
                    if id(column) not in columns and not is_quiet(column)
                )


def is_quiet(column: t.Column) -> bool:
    """Whether a column has a role, or a name that says that it may be unused."""
    what = column.meaning
    return isinstance(what, t.Name) and (what.id in ROLES or what.id.startswith("_"))


def nets_of(named: t.Block | t.Network | t.Reading | t.Definition) -> Iterator[t.Net]:
    if isinstance(named, t.Block):
        yield named.body
    elif not isinstance(named, t.Definition):
        for clause in named.clauses:
            if isinstance(clause, t.Body | t.Output):
                yield clause.net
            elif isinstance(clause, t.Read):
                yield from (rule.net for rule in clause.rules)


def last_steps(net: t.Net) -> Iterator[t.Net]:
    """The steps that give what a network gives."""
    while True:
        yield net
        match net:
            case t.Sequence():
                net = net.steps[-1]
            case t.Group():
                net = net.body
            case t.Step(atom=t.Group()):
                net = net.atom
            case _:
                return


def naming(step: t.Step, name: t.Name) -> Span:
    """` as name` after a step; the name alone where a comment stands within."""
    before = name.span.source.text[step.span.start : name.span.start].rstrip()
    if not before.endswith("as"):
        return name.span
    return Span(name.span.source, step.span.start + len(before[: -len("as")].rstrip()), name.span.end)


def is_weightless(step: t.Step) -> bool:
    """Whether a step is an operator without weights, so that its name is not one of weights."""
    return all(
        isinstance(atom, t.Tap) or (isinstance(atom, t.Reference) and has_no_weights(atom.name.id))
        for atom in (step.atom, step.otherwise)
        if atom is not None
    )


def has_no_weights(operator: str) -> bool:
    found = OPERATORS.get(operator)
    return operator == "id" or (found is not None and found.weights is Op.weights and found.buffers is Op.buffers)
