"""A file that nothing is wrong with -> what it has and nobody uses, as warnings.

All that can be told from the text, whatever the parameters; `check` and editors ask here. What is named with `_` at the
beginning, or has the comment `# unused: ok`, counts as used, and so does what it uses.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from archspec.elaborate.layout import ROLES
from archspec.elaborate.modules import Named
from archspec.elaborate.resolve import Resolved
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
from archspec.elaborate.uses import Target
from archspec.ops import OPERATORS, Op
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.syntax.comments import comments
from archspec.syntax.tree import walk

MEANT = re.compile(r"unused: ok\b")
Shared = t.Block | t.Definition | t.Reading


def unused(resolved: Resolved, besides: Iterable[Unused] = ()) -> list[Unused]:
    """What nobody uses of a file, in the order of its text; `besides` is what else was found.

    Except what a comment says is meant; one at a table speaks for its columns.
    """
    finder = Finder(resolved)

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

    def __init__(self, resolved: Resolved) -> None:
        self.module = resolved.module
        self.own = list(self.module.own.values())
        self.by_id = {id(named): named for named in self.own}
        self.uses = resolved.of
        self.networks = [named for named in self.own if isinstance(named, t.Network)]
        self.unread = {network for network, read in resolved.reads.items() if read is None}
        """the `id` of each network whose tables cannot be read as they stand"""
        self.reads = [read for read in resolved.reads.values() if read is not None]
        self.lines = meant_lines(self.module.file)

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

    def computed_with(self, named: Named) -> set[Target]:
        """What a declaration uses."""
        return {use.target for use in self.uses[id(named)] if not use.gives}

    def asked_for(self, named: Named) -> Iterator[Named]:
        """The declarations of the file that one of them uses."""
        asked = (self.by_id.get(id(target.node)) for target in self.computed_with(named))
        yield from (other for other in asked if other is not None)

    def files(self) -> Iterator[Unused]:
        """The files that are used for nothing, or a second time."""
        every = {target for named in self.own for target in self.computed_with(named)}
        used = {id(target.span.source) for target in every if target.span and isinstance(target.node, Shared)}
        seen: set[int] = set()
        for use, there in self.module.uses:
            source = id(there.file.source)
            if source not in used or source in seen:
                yield UnusedFile(use.span, whole=use.span, path=use.path.value, again=source in used)
            seen.add(source)

    # ---- what belongs to a declaration ----

    def parameters(self, named: Shared | t.Network) -> Iterator[Unused]:
        """The parameters that a declaration does not use; of a network, if its tables can be read."""
        used = {id(target.node) for target in self.computed_with(named)}
        for parameter in named.parameters if id(named) not in self.unread else ():
            name = parameter.name
            if id(parameter) not in used and not name.id.startswith("_"):
                given = tuple(self.given.get(id(parameter), ()))
                yield UnusedParameter(name.span, whole=parameter.span, name=name.id, owner=named.name.id, given=given)

    @cached_property
    def given(self) -> dict[int, list[Span]]:
        """Where the file gives parameters a value by name: by the `id` of their declaration."""
        found: dict[int, list[Span]] = {}
        for use in (use for named in self.own for use in self.uses[id(named)]):
            if use.gives and use.target.kind == "parameter" and use.span is not use.target.span:
                found.setdefault(id(use.target.node), []).append(use.span)
        return found

    def tensors(self, named: Shared | t.Network) -> Iterator[Unused]:
        """The names of tensors without weights that nothing takes up; those of a library's readings are for others."""
        if isinstance(named, t.Definition) or (isinstance(named, t.Reading) and not self.networks):
            return
        ends = {id(step) for net in nets_of(named) for step in last_steps(net)}
        taken = self.taken_by(named) if isinstance(named, t.Block) else self.taken  # a block is closed
        for node in (node for net in nets_of(named) for node in walk(net)):
            if not isinstance(node, t.Step) or node.alias is None or id(node) in ends or not is_weightless(node):
                continue
            name = node.alias
            if name.id not in taken and not name.id.startswith("_"):
                yield UnusedTensor(name.span, whole=naming(node, name), name=name.id)

    def taken_by(self, named: Named) -> set[str]:
        return {target.name for target in self.computed_with(named) if target.kind == "tensor"}

    @cached_property
    def taken(self) -> set[str]:
        """The tensors of networks and readings that are taken up, or that a path names."""
        others = (clause for read in self.reads for clause, _, depth in read.conventions if depth)
        taps = {node.name.id for clause in others for node in walk(clause) if isinstance(node, t.Tap)}
        return taps.union(*(self.taken_by(one) for one in self.own if isinstance(one, t.Network | t.Reading)))

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
