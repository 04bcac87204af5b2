"""Names of other programs and papers, in `foreign.toml` -> what archspec writes for them.

The table is read when a message needs it. Its names are words of other languages and not slips: a message proposes no
spelling for them.
"""

import re
from functools import cache
from pathlib import Path
from typing import Literal

from msgspec import Struct, convert

Kind = Literal["step", "argument", "value", "function", "distribution", "file"]
SOLE = re.compile(r"([a-z_0-9]+)(\(.*\))?|\( … \| (?:…|id) \) -> ([a-z]+)")
"""A `write` that is one operator or block, or a fork and its join."""


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """Names of one meaning, and what archspec has for them."""

    names: tuple[str, ...]
    write: str | None = None
    absent: str | None = None
    """the advice where archspec has nothing for them"""
    use: str | None = None
    """the file of the block that is written"""
    note: str | None = None
    """what differs"""
    what: str | None = None
    """of files: what they are"""
    taken: bool = False
    """of files: whether `archspec import` reads them"""

    @property
    def name(self) -> str | None:
        """The operator, block or word that is written, if it is exactly one."""
        sole = SOLE.fullmatch(self.write or "")
        return sole[1] or sole[3] if sole else None

    @property
    def advice(self) -> str:
        """What a message says of it."""
        if self.write is None:
            return self.absent or ""
        use = f', with `use "{self.use}"`' if self.use else ""
        return f"here it is `{self.write}`{use}" + (f"; {self.note}" if self.note else "")


def folded(name: str) -> str:
    """A name without what programs spell differently: case, blanks, `_`, `-`, and the module before its last dot."""
    last = name[:80].rpartition(".")[2] or name[:80]
    return re.sub(r"[\W_]", "", last.casefold())


@cache
def entries() -> dict[Kind, tuple[Entry, ...]]:
    """All that is known, by what it names."""
    import tomllib  # a text without mistakes needs none of it

    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return convert(table, dict[Kind, tuple[Entry, ...]])


@cache
def index(kind: Kind) -> dict[str, tuple[Entry, ...]]:
    """Every folded name to its entries: an argument's meaning depends on the operator."""
    found: dict[str, tuple[Entry, ...]] = {}
    for entry in entries()[kind]:
        for name in dict.fromkeys(map(folded, entry.names)):
            found[name] = (*found.get(name, ()), entry)
    return found


def meanings(kind: Kind, name: str) -> tuple[Entry, ...]:
    """All that a name is known to mean elsewhere."""
    return index(kind).get(folded(name), ())


def meaning(kind: Kind, name: str) -> Entry | None:
    """What a name means elsewhere."""
    return next(iter(meanings(kind, name)), None)


def kind_of_file(name: str, taken: bool = True) -> str | None:
    """What a file is by its suffix, and which command takes it; None for a spec and for unknown suffixes.

    Without `taken` nothing is said of files that `archspec import` reads.
    """
    known = meaning("file", Path(name).suffix)
    return f"it is {known.what}: {known.absent}" if known and (taken or not known.taken) else None
