"""What a spec has and nobody uses: warnings, each about a name, a rule, a column or a file."""

from typing import ClassVar

from archspec.diagnostics import Diagnostic, Edit, Severity
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.tables.table import Cell


class Unused(Diagnostic, frozen=True):
    """Something that nobody uses."""

    severity: ClassVar[Severity] = Severity.WARNING
    whole: Span
    """what can be deleted"""

    @property
    def help(self) -> str:
        return "delete it, or write `# unused: ok` beside it"


class UnusedNamed(Unused, frozen=True):
    """A declaration that nobody uses."""

    what: ClassVar[str]
    name: str

    @property
    def message(self) -> str:
        return f"nothing uses the {self.what} `{self.name}`"

    @property
    def help(self) -> str:
        return f"delete it, or call it `_{self.name}` if it is meant to be unused"


class UnusedBlock(UnusedNamed, frozen=True):
    """A block that no network of its file uses, nor anything that a network uses.

    In a file without a network blocks, functions and readings are there for other
    files, and are not reported. A name that begins with `_`, or the comment `# unused: ok` on the line or alone on the
    line before, says that it is meant.
    """

    code: ClassVar[str] = "unused-block"
    what: ClassVar[str] = "block"


class UnusedFunction(UnusedNamed, frozen=True):
    """A `def` that no network of its file uses, nor anything that a network uses.

    A name that begins with `_`, or the comment `# unused: ok` on the line or alone on the line before, says that it is
    meant.
    """

    code: ClassVar[str] = "unused-function"
    what: ClassVar[str] = "function"


class UnusedReading(UnusedNamed, frozen=True):
    """A reading that no network of its file reads its tables as.

    A name that begins with `_`, or the comment `# unused: ok` on the line or alone on the line before, says that it is
    meant.
    """

    code: ClassVar[str] = "unused-reading"
    what: ClassVar[str] = "reading"


class UnusedParameter(UnusedNamed, frozen=True):
    """A parameter that changes nothing: its network, block, function or reading does not use it.

    A cell that names it uses it, and so does a header that it picks; that it is given a value is not a use. A name that
    begins with `_`, or the comment `# unused: ok` on the line or alone on the line before, says that it is meant.
    """

    code: ClassVar[str] = "unused-parameter"
    what: ClassVar[str] = "parameter"
    owner: str
    given: tuple[Span, ...]
    """where the file gives it a value by its name"""

    @property
    def message(self) -> str:
        return f"`{self.owner}` does not use its parameter `{self.name}`"

    @property
    def renamed(self) -> tuple[Edit, ...]:
        """The edits that let its name begin with `_`."""
        return tuple(Edit(span.part(0, 0), "_") for span in (self.primary, *self.given))


class UnusedTensor(UnusedNamed, frozen=True):
    """A name that `as` gives to a tensor, and that no `@` takes up.

    Names of steps with weights are names of the weights, those of groups are scopes, and that of the last step of a
    body, rule, output or block names what it gives: these are not reported, nor are those that a path in `weights` or
    `init` has. The comment `# unused: ok` on the line or alone on the line before says that a name is meant for
    readers, and so does one that begins with `_`.
    """

    code: ClassVar[str] = "unused-tensor"
    what: ClassVar[str] = "tensor"

    @property
    def message(self) -> str:
        return f"nothing takes up the tensor `@{self.name}`"

    @property
    def help(self) -> str:
        return f"delete `as {self.name}`, or write `# unused: ok` beside it"


class UnusedRule(Unused, frozen=True):
    """A rule that reads no row, or names no weights.

    A rule of `read` is used if it may win for a row of some table, with whatever parameters. Rules of readings that
    come from other files are not reported. A rule of `weights` is used if it names the weights of a node, or counts it
    for `index`, in some variant, check or choice. The comment `# unused: ok` on the line or alone on the line before
    says that a rule is meant.
    """

    code: ClassVar[str] = "unused-rule"

    @property
    def message(self) -> str:
        return f"the rule {self.primary.text} reads no row"


class UnusedKey(UnusedRule, frozen=True):
    """A rule of `weights` that names no weights."""

    network: str

    @property
    def message(self) -> str:
        return f"the rule {self.primary.text} names no weights of `{self.network}`"


class UnusedColumn(Unused, frozen=True):
    """A column of a table that nothing reads.

    It gives a variable that no rule, `repeat`, `then` or `infer` uses, so a slip in it is not found. Use it, state it
    with `check`, or give it the role `note` if it is a remark. The comment `# unused: ok` says the same beside its name
    in `columns`, or at the beginning of its table.
    """

    code: ClassVar[str] = "unused-column"
    header: str
    meaning: Span | None = None
    """what `columns` says it is"""

    @property
    def message(self) -> str:
        return f"nothing reads the column `{self.header}`"

    @property
    def help(self) -> str:
        return f"use it in a rule or its `check`, or ignore it: `{self.note}`"

    @property
    def note(self) -> str:
        mark = "'" if '"' in self.header else '"'
        return f"columns {mark}{self.header}{mark}: note"

    @property
    def noted(self) -> Edit | None:
        """The edit that gives it the role; None where its header has both kinds of quotes."""
        if self.meaning is not None:
            return Edit(self.meaning, "note")
        if '"' in self.header and "'" in self.header:
            return None
        table = self.whole
        before = table.source.text[: table.start]
        margin = before[len(before.rstrip(" \t")) :]
        ending = "\r\n" if "\r\n" in before else "\n"
        return Edit(table.part(0, 0), f"{self.note}{ending}{margin}")


class UnusedFile(Unused, frozen=True):
    """A `use` of a file of whose names none is used, or that was used above.

    The comment `# unused: ok` on the line or alone on the line before says that it is meant.
    """

    code: ClassVar[str] = "unused-file"
    path: str
    again: bool
    """whether something of it is used, and a line above says so"""

    @property
    def message(self) -> str:
        return f"`{self.path}` is the same file again" if self.again else f"nothing of `{self.path}` is used"


def of_declaration(named: t.Block | t.Definition | t.Reading) -> Unused:
    """A declaration that nobody uses."""
    kinds: dict[type[t.Tree], type[UnusedNamed]] = {t.Block: UnusedBlock, t.Definition: UnusedFunction}
    return kinds.get(type(named), UnusedReading)(named.name.span, whole=named.span, name=named.name.id)


def of_column(clause: t.TableClause, header: Cell) -> Unused:
    """A column that has its meaning from its header."""
    return UnusedColumn(header.span, whole=clause.span, header=header.shown)


def of_named_column(column: t.Column) -> Unused:
    """A column that a `columns` clause gives a name or patterns."""
    what = column.meaning
    meaning = what.span if isinstance(what, t.Name) else what[0].span.to(what[-1].span)
    return UnusedColumn(column.header.span, whole=column.span, header=column.header.value, meaning=meaning)
