"""Mistakes of writing: what the grammar does not accept."""

import re
from typing import ClassVar
from unicodedata import decomposition

from archspec.diagnostics import Diagnostic, Label, did_you_mean
from archspec.foreign import Kind, kind_of_file, meaning
from archspec.lookalikes import called, lookalike
from archspec.source import Span

NAMED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*$")
MARKS = {"<": "one version", "|": "what both began with", "=": "the other version", ">": "its end"}
"""The marks of a merge to what begins or ends there."""
STEERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of what follows (UAX 9): embeddings, overrides, isolates and their ends."""
LINE_ENDS = frozenset("\v\x85\u2028\u2029")
"""What other programs end a line at, and archspec does not."""
DOTTED = re.compile(r"(?:\.[A-Za-z_][A-Za-z0-9_]*)+")


class UnexpectedText(Diagnostic, frozen=True):
    """Something stands where the grammar wants something else.

    The caret is at the first character that cannot continue what stands before it; the mistake itself may be just
    before, a missing bracket for instance. Every clause begins with its keyword, so line ends never matter outside
    of tables.
    """

    code: ClassVar[str] = "unexpected-text"
    found: str
    expected: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"expected {listed(self.expected)}, found {self.found}"

    @property
    def help(self) -> str | None:
        word = self.found.strip("`")
        if word == ".":
            return self.of_dotted
        keywords = [name.strip("`") for name in self.expected if name.strip("`").isalpha() and name.startswith("`")]
        return did_you_mean(word, keywords) if word.isidentifier() and len(keywords) > 1 else None

    @property
    def of_dotted(self) -> str | None:
        """Where a name has a dot, as in `nn.Conv2d`: what is written for it here."""
        source, at = self.primary.source.text, self.primary.start
        before, after = NAMED.search(source[max(0, at - 80) : at]), DOTTED.match(source[at : at + 80])
        if before is None or after is None:
            return None
        kinds: tuple[Kind, ...] = ("step", "function") if "`->`" in self.expected else ("function", "step")
        meant = meaning(kinds[0], after[0]) or meaning(kinds[1], after[0])
        return meant.advice if meant else f"names have no dots: `{after[0].rpartition('.')[2]}`"


class UnknownCharacter(Diagnostic, frozen=True):
    """A character that has no meaning where it stands.

    Outside of strings, tables and comments a spec is ASCII, except `×` and `±`. Marks that turn the direction of a text
    stand nowhere in a spec: with them a line looks as if it said something else.
    """

    code: ClassVar[str] = "unknown-character"
    character: str

    @property
    def message(self) -> str:
        if STEERING.match(self.character):
            return f"the character {called(self.character)} makes what follows look like another text"
        return f"the character {called(self.character)} has no meaning here"

    @property
    def help(self) -> str | None:
        return None if self.suggestions else advice(self.character)

    @property
    def helps(self) -> tuple[str, ...]:
        """What the character is has been said."""
        return tuple(filter(None, [self.help]))


class UnclosedText(Diagnostic, frozen=True):
    """A string has no closing quote on its line."""

    code: ClassVar[str] = "unclosed-text"

    @property
    def message(self) -> str:
        return "this string is not closed on its line"

    @property
    def help(self) -> str:
        return "a string stands between two \" or two ' and has no escapes; use the other quote to hold one"


class UnclosedTable(Diagnostic, frozen=True):
    """A table has no end.

    A table begins with `{`, its rows stand on lines of their own, and it ends at the first line that begins with `}`.
    """

    code: ClassVar[str] = "unclosed-table"

    @property
    def message(self) -> str:
        return "this table is not closed"

    @property
    def help(self) -> str:
        return "put each row on a line of its own after `{`, and `}` on the line after the last"


class UnknownEdition(Diagnostic, frozen=True):
    """The file does not begin with the edition of the language that it is written in.

    The first words of a file are `arch 1`. A later edition may read the same text differently, so the number is
    never guessed.
    """

    code: ClassVar[str] = "unknown-edition"
    found: str

    @property
    def message(self) -> str:
        return f"a file begins with its edition of the language, found {self.found}"

    @property
    def help(self) -> str:
        return "begin the file with `arch 1`"


class LaterEdition(Diagnostic, frozen=True):
    """The file is written in an edition of the language that is later than this archspec.

    What follows `arch 2` may mean anything, so nothing else is said of the file.
    """

    code: ClassVar[str] = "later-edition"
    edition: str

    @property
    def message(self) -> str:
        return f"this file is written in edition {self.edition} of the language, and this archspec reads edition 1"

    @property
    def help(self) -> str:
        return "a newer archspec is needed to read it"


class AnotherKind(Diagnostic, frozen=True):
    """The file is not a spec, but looks like a file of another kind.

    What stands in it tells the kind, or else its suffix does. A spec with a mistake in its first line is not meant: a
    text that declares networks or blocks is a spec.
    """

    code: ClassVar[str] = "another-kind"
    suffix: str

    @property
    def message(self) -> str:
        known = meaning("file", self.suffix)
        return f"this looks like {known.what}" if known else "this is not a spec"

    @property
    def help(self) -> str | None:
        known = meaning("file", self.suffix)
        return known.absent if known else None


class UnfinishedMerge(Diagnostic, frozen=True):
    """The marks that version control leaves where two versions of a file disagree still stand in it.

    Nothing else is said of the file: what stands between the marks is two texts.
    """

    code: ClassVar[str] = "unfinished-merge"
    marks: tuple[Span, ...]
    """those of the first conflict"""
    conflicts: int

    @property
    def message(self) -> str:
        others = f", the first of {self.conflicts} conflicts" if self.conflicts > 1 else ""
        return f"an unfinished merge stands in this file{others}"

    @property
    def labels(self) -> tuple[Label, ...]:
        return tuple(Label(mark, MARKS[mark.text[0]]) for mark in self.marks)

    @property
    def help(self) -> str:
        return "keep one of the versions, or what is right of both, and delete the lines with the marks"


class NotText(Diagnostic, frozen=True):
    """The file is not UTF-8 text."""

    code: ClassVar[str] = "not-utf8"
    found: str
    encoding: str | None = None
    """the one that it has, where that is known"""

    @property
    def message(self) -> str:
        return f"the file is not UTF-8 text: {self.found}"

    @property
    def help(self) -> str:
        if self.encoding:
            return f"save it as UTF-8: `iconv -f {self.encoding} -t UTF-8 OLD > NEW`"
        return kind_of_file(self.primary.source.name) or "save it as UTF-8"


class PositionalAfterNamed(Diagnostic, frozen=True):
    """An argument without a name follows one with a name, so that its place says nothing."""

    code: ClassVar[str] = "positional-after-named"

    @property
    def message(self) -> str:
        return "an argument without a name follows one with a name"


class NumberTooLarge(Diagnostic, frozen=True):
    """A number is larger than 2^63 or too small to be told from zero."""

    code: ClassVar[str] = "number-too-large"

    @property
    def message(self) -> str:
        return "this number is out of range"

    @property
    def help(self) -> str:
        return "numbers reach up to 2^63 (about 9.2e18)"


class LimitReached(Diagnostic, frozen=True):
    """A declared limit was reached.

    Limits stand between a typing error and a machine out of memory: 100 000 nodes, 2^20 for height, width and
    channels, 100 levels of nesting, 8 MiB of text, 60 000 words and marks outside of tables. Each can be raised:
    `--max-nodes`, `--max-size`, `--max-nesting`, `--max-source`, `--max-tokens`.
    """

    code: ClassVar[str] = "limit"
    exit_code: ClassVar[int] = 4
    what: str
    found: str
    limit: int
    option: str

    @property
    def message(self) -> str:
        return f"{self.what}: {self.found}, and the limit is {self.limit}"

    @property
    def labels(self) -> tuple[Label, ...]:
        return (Label(self.primary, f"limit {self.limit}"),)

    @property
    def help(self) -> str:
        return f"raise it with `{self.option} N` if that is what you mean"


def advice(character: str) -> str:
    """What to write instead of a character."""
    meant = lookalike(character)
    if character in LINE_ENDS:
        return "a line ends at LF, CRLF or CR alone: write one of them, or a blank"
    if meant == "":
        return "delete it"
    if decomposition(character).startswith("<super>"):
        return "a power is written `**2`"
    if meant is not None:
        return "write a blank" if meant == " " else f"it looks like `{meant}`"
    if character.isalpha():
        return "names are letters, digits and `_` of ASCII; strings, tables and comments may hold others"
    return "strings, tables and comments may hold it"


def listed(things: tuple[str, ...], most: int = 8) -> str:
    """`a, b or c`."""
    shown = [*things[:most], "…"] if len(things) > most else list(things)
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + f" or {shown[-1]}"
