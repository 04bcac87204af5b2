"""Mistakes of names, arguments and numbers."""

import re
from typing import ClassVar

from archspec import foreign, library
from archspec.diagnostics import Diagnostic, Label, did_you_mean, first_here, in_order, listed, nearest
from archspec.foreign import folded
from archspec.initializer import INITIALIZERS
from archspec.ops import OPERATORS, WORDS
from archspec.source import Span
from archspec.tables.cells import ditto

WORD = re.compile(r"`(\w+)`")
NEAR = 1000
"""Characters before a place that are looked at."""


def used(name: str) -> str | None:
    """Help text for a name that a bundled file declares."""
    files = library.declarations().get(name, ())
    blocks = [path for path in files if path.startswith("blocks/")]
    return " or ".join(f'`use "{path}"`' for path in blocks or files) + " declares it" if files else None


class UnknownName(Diagnostic, frozen=True):
    """A name that nothing declares where it stands.

    A `def` or `block` sees its own parameters alone, a `read` rule the variables of its row, its holes, the network's
    parameters, and `h` and `w` of the row's input. Nothing is looked up in whoever calls it.
    """

    code: ClassVar[str] = "unknown-name"
    name: str
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"nothing here is called `{self.name}`"

    @property
    def help(self) -> str | None:
        if self.name.casefold() in {"true", "false", "none"}:
            return f"did you mean `{self.name.casefold()}`?"
        if set(INITIALIZERS) <= set(self.known):
            known = foreign.meaning("distribution", self.name)
            return known.advice if known else did_you_mean(self.name, self.known)
        if not set(WORDS) <= set(self.known):
            return used(self.name) or did_you_mean(self.name, self.known) or self.elsewhere
        return self.in_expression

    @property
    def elsewhere(self) -> str | None:
        """Where such names come from."""
        if self.name.startswith("@"):
            return "`as name` after a step names its tensor; a name in a block is not seen outside the block"
        before = self.primary.source.text[max(0, self.primary.start - NEAR) : self.primary.start].rstrip()
        return "`archspec list readings` shows the readings that a file can `use`" if before.endswith(" as") else None

    @property
    def in_expression(self) -> str:
        """Where a bare word may stand for a value: it may be a text without its quotes."""
        near, meant = nearest(self.name, set(self.known) - WORDS), foreign.meaning("value", self.name)
        near = near or (None if meant else nearest(self.name, self.known))
        if near is not None:
            return f"did you mean `{near}`?"
        if meant is not None and meant.write is not None:
            return meant.advice
        said = meant.advice if meant else f'a text needs quotes: "{self.name}"'
        known = set(self.known) - WORDS
        seen = listed(known)
        columns = meant is not None and {"h", "w"} < known  # a rule, whose row has columns
        return "; ".join(filter(None, (seen, said) if columns else (said, seen)))


class UnknownOperator(Diagnostic, frozen=True):
    """A step names neither an operator nor a block of this file or one that it uses."""

    code: ClassVar[str] = "unknown-operator"
    name: str
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"there is no operator or block `{self.name}`"

    @property
    def help(self) -> str | None:
        near, meant = nearest(self.name, self.known), foreign.meaning("step", self.name)
        if near is not None and folded(near) == folded(self.name) and (meant is None or meant.note is None):
            return f"did you mean `{near}`?"
        use = used(self.name) if self.blocks else None
        if use is None and near is None and meant is None and self.blocks:
            use = self.bundled
        if meant is not None and (meant.name is None or meant.use or meant.name in self.known):
            return f"{meant.advice}; {use}" if use and not meant.use else meant.advice
        if near is not None or use is not None:
            return use or f"did you mean `{near}`?"
        return "`archspec list operators` and `archspec list blocks` show all"

    @property
    def blocks(self) -> bool:
        """Whether a block may stand here: some clauses take operators only."""
        return set(OPERATORS) < set(self.known)

    @property
    def bundled(self) -> str | None:
        """Help text for a bundled block that this is a slip of, or for all that are spelled so in another way."""
        known = library.declarations()
        alike = [name for name in in_order(tuple(known)) if folded(name) == folded(self.name)]
        near = alike or list(filter(None, [nearest(self.name, known)]))
        return "; ".join(f"did you mean `{name}`? {used(name)}" for name in near) or None


class UnknownFunction(Diagnostic, frozen=True):
    """A call names neither a function of the language nor a `def` of this file or one that it uses."""

    code: ClassVar[str] = "unknown-function"
    name: str
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"there is no function `{self.name}`"

    @property
    def help(self) -> str | None:
        near, meant = nearest(self.name, self.known), foreign.meaning("function", self.name)
        if meant is None or (near is not None and folded(near) == folded(self.name)):
            return used(self.name) or did_you_mean(self.name, self.known)
        return meant.advice


class UnknownArgument(Diagnostic, frozen=True):
    """An argument that the operator, block, function or network does not have."""

    code: ClassVar[str] = "unknown-argument"
    what: str
    name: str
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        if not self.name:
            takes = f"{len(self.known)} argument{'s' * (len(self.known) != 1)}" if self.known else "no arguments"
            return f"`{self.what}` takes {takes} by place"
        return f"`{self.what}` has no argument `{self.name}`"

    @property
    def help(self) -> str | None:
        if not self.name:
            return "by place: " + ", ".join(f"`{name}`" for name in self.known) if self.known else None
        meanings = foreign.meanings("argument", self.name) if self.what in OPERATORS else ()
        meant = next((one for one in meanings if one.write is None or one.write in self.known), None)
        return meant.advice if meant else did_you_mean(self.name, self.known)


class RepeatedArgument(Diagnostic, frozen=True):
    """An argument is given twice, by place and by name or twice by name."""

    code: ClassVar[str] = "repeated-argument"
    name: str
    first: Span

    @property
    def message(self) -> str:
        return f"`{self.name}` is given twice"

    @property
    def labels(self) -> tuple[Label, ...]:
        return Label(self.primary), *first_here(self.first)


class MissingArgument(Diagnostic, frozen=True):
    """An argument without a default is not given."""

    code: ClassVar[str] = "missing-argument"
    what: str
    names: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"`{self.what}` needs {' and '.join(f'`{name}`' for name in self.names)}"


class BadArgument(Diagnostic, frozen=True):
    """An argument has a value that the operator does not allow."""

    code: ClassVar[str] = "bad-argument"
    what: str
    name: str
    found: str
    expected: str
    given_at: Span | None = None
    text: str | None = None
    """the value, where it is a text or a word"""

    @property
    def message(self) -> str:
        return f"`{self.name}` of `{self.what}` cannot be {self.found}: {self.expected}"

    @property
    def labels(self) -> tuple[Label, ...]:
        repeats = ditto(self.primary.text)
        first = Label(self.primary, "this repeats the `-` above" if repeats else f"this is {self.found}")
        if self.given_at is None or self.given_at == self.primary:
            return (first,)
        return first, Label(self.given_at, "given here")

    @property
    def help(self) -> str | None:
        words = WORD.findall(self.expected)
        if self.text is None or not words:
            return None
        meant = foreign.meaning("value", self.text)
        if meant is not None and (meant.write is None or meant.write in words):
            return meant.advice
        near = nearest(self.text, words)
        return f"did you mean `{near}`?" if near else None


class BadArithmetic(Diagnostic, frozen=True):
    """A computation has no result: a division by zero, text where a number is needed, a number beyond 2^63."""

    code: ClassVar[str] = "bad-arithmetic"
    reason: str
    used_at: Span | None = None
    advice: str | None = None

    @property
    def message(self) -> str:
        return self.reason

    @property
    def help(self) -> str | None:
        return self.advice

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.primary), Label(self.used_at, "used here")) if self.used_at else (Label(self.primary),)


class DuplicateName(Diagnostic, frozen=True):
    """Two declarations, parameters, tables, inferred variables or named tensors of one name."""

    code: ClassVar[str] = "duplicate-name"
    name: str
    first: Span

    @property
    def message(self) -> str:
        return f"`{self.name}` is already declared"

    @property
    def labels(self) -> tuple[Label, ...]:
        return Label(self.primary), *first_here(self.first)


class ReservedName(Diagnostic, frozen=True):
    """A declaration takes the name of an operator or a function, or a parameter the name of a choice such as `same`."""

    code: ClassVar[str] = "reserved-name"
    name: str

    @property
    def message(self) -> str:
        return f"`{self.name}` is a name of the language itself"


class Recursion(Diagnostic, frozen=True):
    """Blocks or functions that ask for themselves: elaboration would never end."""

    code: ClassVar[str] = "recursion"
    cycle: tuple[str, ...]

    @property
    def message(self) -> str:
        return "this asks for itself: " + " → ".join(f"`{name}`" for name in self.cycle)

    @property
    def help(self) -> str:
        return "say how often with a repeat: `block * n`"


class UnknownFile(Diagnostic, frozen=True):
    """`use` names a file that is not there, or that cannot be read."""

    code: ClassVar[str] = "unknown-file"
    path: str
    reason: str
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"cannot use `{self.path}`: {self.reason}"

    @property
    def help(self) -> str | None:
        if self.path.startswith("."):
            return None
        near = nearest(self.path, self.known)
        return f"did you mean `{near}`?" if near else f'a file beside this one is `use "./{self.path}"`'


class AmbiguousName(Diagnostic, frozen=True):
    """Two files that are used both declare the name."""

    code: ClassVar[str] = "ambiguous-name"
    name: str
    places: tuple[Span, ...]

    @property
    def message(self) -> str:
        return f"`{self.name}` is declared by {len(self.places)} of the files used here"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.primary), *(Label(place, "declared here") for place in self.places))


class Clause(Diagnostic, frozen=True):
    """A network's clauses do not make a network: one is missing, or stands twice.

    A network has a `table` or a `body`. A table has `read` rules (or `read as READING`) and a column with the role
    `operator`; the input is stated by an `input` clause or by the first Input cell.
    """

    code: ClassVar[str] = "clause"
    reason: str
    advice: str | None = None
    first: Span | None = None
    """what stands before it and says the same thing"""

    @property
    def message(self) -> str:
        return self.reason

    @property
    def labels(self) -> tuple[Label, ...]:
        return Label(self.primary), *first_here(self.first)

    @property
    def help(self) -> str | None:
        return self.advice


class BadParameter(Diagnostic, frozen=True):
    """A parameter is given a value of another type than its default, or none of its choices."""

    code: ClassVar[str] = "bad-parameter"
    name: str
    found: str
    expected: str

    @property
    def message(self) -> str:
        return f"`{self.name}` cannot be {self.found}: {self.expected}"


class UnknownMember(Diagnostic, frozen=True):
    """The file declares no network or variant of that name, or several and none was chosen."""

    code: ClassVar[str] = "unknown-member"
    name: str | None
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        if self.name is None:
            return "this file declares no network" if not self.known else "this file declares several networks"
        return f"this file declares no network or variant `{self.name}`"

    @property
    def help(self) -> str | None:
        if self.name is not None:
            return did_you_mean(self.name, self.known) or self.listed
        return "choose one with `FILE:NAME`: " + ", ".join(self.known[:20]) if self.known else None

    @property
    def listed(self) -> str | None:
        """The first of those that there are."""
        return f"it declares {', '.join(f'`{name}`' for name in self.known[:8])}, …" if self.known else None
