"""Mistakes as values: `Diagnostic` and what it is made of.

A diagnostic is built from facts (spans, names, shapes); its sentences are properties, its layout is `report`'s.
Each mistake is a class beside the stage that finds it. The class is also its explanation: the docstring is what
`archspec explain CODE` prints.
"""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate, chain
from typing import ClassVar

from msgspec import Struct

from archspec.foreign import folded
from archspec.lookalikes import SHOWN, notes
from archspec.source import Span

ASKED = "asked for here"
STOPPED = "the search for a repair was stopped"
MANY, CLOSE = 500, 50
"""Of more than `MANY` names, only the `CLOSE` ones with most pairs of letters in common are compared."""


class Severity(StrEnum):
    """A warning never changes an exit code."""

    ERROR = "error"
    WARNING = "warning"


class Label(Struct, frozen=True):
    """A place in the text and what there is to say of it."""

    span: Span
    text: str = ""


class Edit(Struct, frozen=True):
    """Replace the span's text; the edits of one diagnostic belong together."""

    span: Span
    text: str


class Suggestion(Struct, frozen=True):
    """A change of the text that was tried out, and mends a mistake."""

    text: str
    """what it is and does, said at its place"""
    edits: tuple[Edit, ...]
    labels: tuple[Label, ...]
    """what there is to say at each of its places"""
    elsewhere: str
    """what it is and does, said at another place"""


class Frame(Struct, frozen=True):
    """One level of the instantiation stack: `row 6`, `bottleneck(6, 96, 2)`."""

    label: str
    span: Span
    asks: bool = True
    """whether something is asked for there; a pass of a repeat is not"""


class Found(Struct, frozen=True, kw_only=True):
    """What is learned of a mistake after it is met."""

    stack: tuple[Frame, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    """changes that would mend it, the likeliest first"""
    stopped: bool = False
    """whether the search for them took too long, and found none"""


class Diagnostic(Found, frozen=True):
    """One mistake, at one place."""

    primary: Span

    code: ClassVar[str]
    severity: ClassVar[Severity] = Severity.ERROR
    exit_code: ClassVar[int] = 1

    @property
    def site(self) -> Span:
        """Where the reader can mend it: the place itself, or who asked for it where that is archspec's own text."""
        own = [frame.span for frame in self.stack if not frame.span.source.bundled]
        return own[-1] if self.primary.source.bundled and own else self.primary

    @property
    def asked(self) -> tuple[Label, ...]:
        """Who asked in the first place for that which is wrong: a row of a table, or a step of a body."""
        return tuple(Label(frame.span, ASKED) for frame in self.stack if frame.asks and frame.span != self.primary)[:1]

    @property
    def message(self) -> str:
        """The fact: lower case, no full stop, code in backticks."""
        raise NotImplementedError

    @property
    def labels(self) -> tuple[Label, ...]:
        """Places to show, the primary one first."""
        return (Label(self.primary),)

    @property
    def help(self) -> str | None:
        """Advice, where there is any."""
        return None

    @property
    def helps(self) -> tuple[str, ...]:
        """All advice except the suggestions."""
        return (*filter(None, [self.help]), *notes(self.primary.text[:SHOWN]), *[STOPPED] * self.stopped)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """A change of the text that would mend it, where one is known: the likeliest."""
        return self.suggestions[0].edits if self.suggestions else ()


class SpecError(Exception):
    """A spec that cannot be compiled; `.diagnostics` says why, all independent mistakes at once."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        # one mistake in a block is met in every row that asks for it
        once = {(d.code, d.primary, d.message): d for d in reversed(list(diagnostics))}
        self.diagnostics = tuple(once.values())[::-1]
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return "; ".join(f"{d.primary}: {d.code}: {d.message}" for d in self.diagnostics)

    @property
    def exit_code(self) -> int:
        return max(d.exit_code for d in self.diagnostics)


def first_here(first: Span | None) -> tuple[Label, ...]:
    """The label of what stands before the place and says the same thing, if anything does."""
    return () if first is None else (Label(first, "first here"),)


def is_error(diagnostic: Diagnostic) -> bool:
    return diagnostic.severity is Severity.ERROR


def codes(root: type[Diagnostic] = Diagnostic) -> Iterator[type[Diagnostic]]:
    """Every class of mistake that has a code, of the modules imported so far."""
    for cls in root.__subclasses__():
        if "code" in vars(cls):
            yield cls
        yield from codes(cls)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` is a slip of: at most one letter in four is wrong, and never more than two.

    Numbers and single letters tell names apart (`relu6`, `inception_b`), so they must be there, in whatever order.
    """
    wanted, slip = folded(name), name[:80].casefold()
    close: list[tuple[int, str]] = []
    for other in likely(slip, in_order(tuple(known))):
        if folded(other) == wanted and wanted:
            return other
        most = min(2, len(slip) // 4 or len(slip) // 3)
        if apart(other) == apart(name) and abs(len(other) - len(slip)) <= most:
            slips = distance(slip, other.casefold())
            close += [(slips, other)] * (slips <= most)
    return min(close)[1] if close else None


@lru_cache(maxsize=4)
def in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names, each once, in the order of the alphabet: many mistakes are told what the same names are."""
    return tuple(sorted(set(names)))


def likely(wanted: str, names: tuple[str, ...]) -> Sequence[str]:
    """Of many names, those that have most pairs of letters in common with one; of few, all.

    The rarest pairs count, and no more of them than tell a few names apart.
    """
    if len(names) <= MANY:
        return names
    by = by_pair(names)
    rarest = sorted((by[pair] for pair in sorted(pairs(wanted)) if pair in by), key=len)
    seen = accumulate(map(len, rarest), initial=0)
    telling = [having for having, before in zip(rarest, seen, strict=False) if before < MANY]
    shared = Counter(chain.from_iterable(telling))
    return sorted(sorted(shared), key=lambda other: -shared[other])[:CLOSE]


def apart(name: str) -> tuple[list[str], list[str]]:
    """The digits of a name and its single letters, in order of the alphabet."""
    pieces = re.findall("[a-z]+", name[:80].casefold())
    return sorted(filter(str.isdigit, name[:80])), sorted(piece for piece in pieces if len(piece) == 1)


def distance(a: str, b: str) -> int:
    """How many letters were left out, put in, taken for another, or exchanged with their neighbour."""
    before, row = [0] * (len(b) + 1), list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        last, row, older = row, [i], before
        for j, other in enumerate(b, 1):
            row.append(min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != other)))
            if i > 1 and j > 1 and (letter, a[i - 2]) == (b[j - 2], other):
                row[j] = min(row[j], older[j - 2] + 1)
        before = last
    return row[-1]


def similar(text: str, known: Iterable[str]) -> str | None:
    """The known text that is most like another, for texts that are not names."""
    folds = {other.casefold(): other for other in in_order(tuple(known))[::-1]}
    close = difflib.get_close_matches(text[:80].casefold(), sorted(folds), n=1, cutoff=0.6)
    return folds[close[0]] if close else None


@lru_cache(maxsize=4)
def by_pair(names: tuple[str, ...]) -> dict[str, list[str]]:
    """Every two letters that stand beside each other, to the names that have them."""
    found: dict[str, list[str]] = {}
    for name in names:
        for pair in pairs(name.casefold()):
            found.setdefault(pair, []).append(name)
    return found


def pairs(name: str) -> set[str]:
    return {name[i : i + 2] for i in range(len(name) - 1)}


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Help text for an unknown name: the one that it is a slip of, or all that are known where they are few."""
    names = sorted(set(known))
    close = nearest(name, names)
    if close is not None:
        return f"did you mean `{close}`?"
    return listed(names)


def listed(names: Iterable[str]) -> str | None:
    """Help text that lists what is known, where that is little."""
    known = sorted(set(names))
    return "known here: " + ", ".join(f"`{name}`" for name in known) if 0 < len(known) <= 12 else None
