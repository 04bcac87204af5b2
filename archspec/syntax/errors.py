"""Mistakes of writing: what the grammar does not accept."""

import re
from typing import ClassVar

from archspec.diagnostics import Diagnostic, Label, did_you_mean
from archspec.foreign import Kind, kind_of_file, meaning

NAMED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*$")
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
    """A character that the language has no use for outside of strings, tables and comments."""

    code: ClassVar[str] = "unknown-character"
    found: str

    @property
    def message(self) -> str:
        return f"the character {self.found} has no meaning here"


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
        return kind_of_file(self.primary.source.name) or "begin the file with `arch 1`"


class NotText(Diagnostic, frozen=True):
    """The file is not UTF-8 text."""

    code: ClassVar[str] = "not-utf8"
    found: str

    @property
    def message(self) -> str:
        return f"the file is not UTF-8 text: {self.found}"

    @property
    def help(self) -> str:
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


def listed(things: tuple[str, ...], most: int = 8) -> str:
    """`a, b or c`."""
    shown = [*things[:most], "…"] if len(things) > most else list(things)
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + f" or {shown[-1]}"
