"""What earlier runs have parsed, kept in the user's cache folder as Python keeps its `.pyc` files.

Half of a short run went into importing Lark, reading its tables and compiling its lexers, and a text that was parsed
before needs none of it. For each spec that a run opens there is one file, which holds the trees of its text, of what it
uses and of its cells. Each stands under what it was parsed from, and a file of other code is not read, so that nothing
in it can be out of date. Mistakes are not kept: they are found anew.
"""

import os
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from archspec.files import write_whole
from archspec.source import Source, Span

T = TypeVar("T")

PROTOCOL = 5
SLOTS = 3
"""Digits of a file's name: so many specs have a file of their own, others take turns."""
MOST = 4000
"""Trees in a file: where it is full, no more are kept, and those that the last run did not need are dropped."""
PLACE, SOURCE = "place", "source"
DIGEST = sha256().digest_size


def cache_folder() -> Path | None:
    """Where to keep what can be computed again; None if no folder can be written to."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "archspec"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


class Cache:
    """The trees that are kept for the specs opened so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.code = fingerprint()
        self.file: Path | None = None
        self.own: dict[str, bytes] = {}
        """the trees of the spec that was opened last"""
        self.others: dict[str, bytes] = {}
        self.needed: set[str] = set()
        self.changed = False

    def open(self, source: Source) -> None:
        """Read what is kept for a spec; what is parsed from now on is kept with it."""
        self.save()
        name = sha256(os.fsencode(source.name if source.bundled else os.path.abspath(source.name))).hexdigest()[:SLOTS]
        self.file = self.folder / f"parsed-{name}"
        self.others |= self.own
        self.own, self.needed, self.changed = self.read(self.file), set(), False

    def read(self, file: Path) -> dict[str, bytes]:
        """The trees in a file; none where it is not this user's file, was cut off, or is of other code."""
        try:
            with file.open("rb") as stream:
                data = stream.read() if ours(stream.fileno()) else b""
        except OSError:
            return {}
        code, digest, content = data[:DIGEST], data[DIGEST : 2 * DIGEST], data[2 * DIGEST :]
        if code != self.code or digest != sha256(content).digest():
            return {}
        trees: dict[str, bytes] = pickle.loads(content)
        return trees

    def save(self) -> None:
        """Write the file of the spec that was opened last, where there is something new."""
        if self.file is None or not self.changed:
            return
        few = len(self.own) < MOST
        content = pickle.dumps({key: tree for key, tree in self.own.items() if few or key in self.needed}, PROTOCOL)
        # a full disk does not hinder who only wants to know something
        with suppress(OSError):
            write_whole(self.file, self.code + sha256(content).digest() + content)
        self.changed = False

    def tree(self, rule: str, source: Source, start: int, text: str, make: Callable[[], T]) -> T:
        """What `make` parses by a rule from the text at a place, or has parsed before; raises what it raises."""
        key = sha256(f"{rule}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
        self.needed.add(key)
        known = self.own.get(key) or self.others.get(key)
        if key not in self.own:
            self.changed = True
        if known is not None:
            self.own[key] = known
            tree: T = Thawing(known, source, start).load()
            return tree
        tree = make()
        if len(self.own) < MOST:
            with suppress(RecursionError):
                self.own[key] = frozen(tree, start)
        return tree


def ours(file: int) -> bool:
    """Whether a file is this user's own: what is unpickled can run."""
    return not hasattr(os, "getuid") or os.fstat(file).st_uid == os.getuid()


def fingerprint() -> bytes:
    """The code that trees were made by."""
    code = sha256(sys.version.encode())
    for file in sorted(os.scandir(Path(__file__).parent), key=lambda entry: entry.name):
        status = file.stat()
        code.update(f"{file.name} {status.st_size} {status.st_mtime_ns}".encode())
    return code.digest()


class Freezing(pickle.Pickler):
    """Writes a tree without its source, its spans counted from a place."""

    def __init__(self, into: BytesIO, start: int) -> None:
        super().__init__(into, PROTOCOL)
        self.start = start

    def persistent_id(self, obj: Any) -> str | None:
        if obj is Span.part:
            return PLACE
        return SOURCE if type(obj) is Source else None

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is Span:
            return Span.part, (obj.start - self.start, obj.end - self.start)
        return NotImplemented


class Thawing(pickle.Unpickler):
    """Reads a tree at another place of another source."""

    def __init__(self, data: bytes, source: Source, start: int) -> None:
        super().__init__(BytesIO(data))
        self.source = source
        self.place = Span(source, start, start).part

    def persistent_load(self, pid: str) -> Any:
        return self.place if pid == PLACE else self.source


def frozen(tree: Any, start: int) -> bytes:
    into = BytesIO()
    Freezing(into, start).dump(tree)
    return into.getvalue()


current: Cache | None = None
"""That of this process, where it has begun one: a process that lives long remembers by itself."""


def begin() -> None:
    """Remember what is parsed from now on, where there is a folder to keep it in."""
    global current
    folder = cache_folder()
    current = Cache(folder) if folder is not None else None


def opened(source: Source) -> None:
    if current is not None:
        current.open(source)


def end() -> None:
    """Keep what is new for the next run."""
    global current
    if current is not None:
        current.save()
    current = None


def kept_in() -> object:
    """Where trees are kept now: each spec that a run opens has its own file."""
    return (current, current.file) if current is not None else None


def remembered(rule: str, source: Source, start: int, text: str, make: Callable[[], T]) -> T:
    """`Cache.tree` of this process' cache, if it has one and a spec was opened that the tree could be kept with."""
    if current is None or current.file is None:
        return make()
    return current.tree(rule, source, start, text, make)
