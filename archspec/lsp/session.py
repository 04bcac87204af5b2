"""Open documents, and what is known of each: read at every change, checked whole when there is time."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import unquote, urlparse

from msgspec import Struct
from pydantic import BaseModel

from archspec import driver
from archspec.diagnostics import Diagnostic, SpecError, is_error
from archspec.elaborate import parameters
from archspec.elaborate.bodies import Body
from archspec.elaborate.instantiate import Instantiator, Result
from archspec.elaborate.modules import Loader, Module
from archspec.elaborate.plan import Flow
from archspec.elaborate.resolve import Resolved, resolve
from archspec.elaborate.unused import unused
from archspec.limits import DEFAULT_LIMITS, Limits
from archspec.lsp.instances import Network, laid_out
from archspec.lsp.text import readable
from archspec.lsp.worker import ASKED, LATER, TYPED, Interrupted, Worker
from archspec.source import Source
from archspec.spec import Spec
from archspec.syntax import tree as t
from archspec.tensor import Shape

T = TypeVar("T")
MOST_PLANS = 20_000
"""Plans of blocks that are kept from one text to the next."""
PAUSE = 0.4
"""Seconds without a keystroke after which a text is checked whole."""


class Snapshot(Struct, frozen=True):
    """A document at one moment."""

    uri: str
    version: int | None
    source: Source
    """named by the file's path, or by the URI of what is not a file"""
    base: Path
    """the folder that `use "./x"` is looked up in"""


def snapshot(uri: str, version: int | None, text: str) -> Snapshot:
    file = path_of(uri)
    return Snapshot(uri, version, Source(str(file or uri), readable(text)), file.parent if file else Path())


def path_of(uri: str) -> Path | None:
    """The file of a URI, without links; None for a document that is not a file."""
    parts = urlparse(uri)
    if parts.scheme != "file":
        return None
    try:
        return Path(unquote(parts.path)).resolve()
    except (OSError, RuntimeError, ValueError):
        return None


@dataclass(slots=True)
class Analysis:
    """What one text of a document is."""

    snapshot: Snapshot
    module: Module | None = None
    """None where the text does not parse"""
    modules: dict[str, Module] = field(default_factory=dict)
    """the file and all that it uses"""
    problems: list[Diagnostic] = field(default_factory=list)
    spec: Spec | None = None
    """None where it is not a spec: syntax, files, names"""

    laid_out: list[Network] | None = None
    found: Resolved | None = None

    @property
    def source(self) -> Source:
        return self.snapshot.source

    @property
    def names(self) -> Resolved | None:
        """What every name stands for; None where the text does not parse."""
        if self.found is None and self.module is not None:
            self.found = self.spec.resolved if self.spec is not None else resolve(self.module)
        return self.found

    @property
    def networks(self) -> list[Network]:
        """The networks at their defaults, as far as they can be built; to be asked for on the thread that thinks."""
        if self.laid_out is None:
            spec = self.spec
            names = [network.name.id for network in spec.networks] if spec is not None else []
            self.laid_out = [n for name in names if spec and (n := laid_out(spec, name)) is not None]
        return self.laid_out


class OpenLoader(Loader):
    """Reads what is open in the editor before the file of its name, and what comes with archspec once."""

    def __init__(self, limits: Limits, opened: Mapping[str, Source], shelf: dict[str, Module]) -> None:
        super().__init__(limits)
        self.opened = opened
        self.shelf = shelf

    def bundled(self, use: t.Use, path: str) -> Module:
        if path not in self.shelf:
            self.shelf[path] = super().bundled(use, path)
        return self.modules.setdefault(f"<archspec>/{path}", self.shelf[path])

    def beside(self, use: t.Use, file: Path) -> Module:
        key = str(file.resolve())
        if key in self.opened and key not in self.modules:
            return self.read(self.opened[key], file.parent, key)
        return super().beside(use, file)


class Patient(Instantiator):
    """An instantiator that gives way to what is more urgent."""

    def __init__(self, limits: Limits, urgent: Callable[[], bool]) -> None:
        super().__init__(limits)
        self.urgent = urgent

    def anew(self) -> "Patient":
        return Patient(self.limits, self.urgent)

    def reference(self, net: t.Reference, body: Body, flow: Flow) -> Result:
        if self.urgent():
            raise Interrupted
        return super().reference(net, body, flow)


PlanKey = tuple[int, tuple[tuple[type, object, int | None], ...], str, Shape, object]
"""What the plan of a block depends on: the block, its arguments, its input, the network's defaults."""


@dataclass(slots=True)
class Plans:
    """What one text of a document has in common with the next: the operators, and the plans of bundled blocks."""

    models: dict[object, BaseModel] = field(default_factory=dict)
    blocks: dict[object, Result] = field(default_factory=dict)

    def lend(self, make: Instantiator) -> None:
        make.models.made, make.blocks = self.models, dict(self.blocks)

    def keep(self, make: Instantiator, shelf: Mapping[str, Module]) -> None:
        """Take the plans that are about nothing of the document's own: neither the block nor what it was given."""
        if len(self.blocks) > MOST_PLANS:
            self.blocks.clear()
            self.models.clear()
        bundled = {id(named) for module in shelf.values() for named in module.own.values()}
        homes = {None, *(id(module) for module in shelf.values())}
        for key, plan in make.blocks.items():
            block, arguments = cast(PlanKey, key)[:2]
            if block in bundled and homes.issuperset(home for _, _, home in arguments):
                self.blocks[key] = plan


Publish = Callable[[Snapshot, list[Diagnostic]], None]


class Session:
    """The documents of one editor."""

    def __init__(self, publish: Publish) -> None:
        self.publish = publish
        self.worker = Worker()
        self.texts: dict[str, Snapshot] = {}
        """by URI; written by the protocol's thread, read by the other"""
        self.analyses: dict[str, Analysis] = {}
        self.shelf: dict[str, Module] = {}
        """the files that come with archspec, by what `use` calls them"""
        self.plans = Plans()
        self.understood: dict[str, Analysis] = {}
        """of each document, the newest text that had no mistake of syntax"""

    # ---- what the editor says ----

    def changed(self, uri: str, version: int | None, text: str) -> None:
        self.texts[uri] = snapshot(uri, version, text)
        self.worker.submit(TYPED, lambda: self.look(uri))

    def closed(self, uri: str) -> None:
        self.texts.pop(uri, None)
        self.worker.submit(TYPED, lambda: self.forget(uri))

    def ask(self, uri: str, answer: Callable[[Analysis], T]) -> Future[T | None]:
        """The answer for the newest text of a document; None where it is not open."""
        return self.worker.submit(ASKED, lambda: self.answered(uri, answer))

    def close(self) -> None:
        self.worker.close()

    # ---- what the worker does ----

    def answered(self, uri: str, answer: Callable[[Analysis], T]) -> T | None:
        found = self.current(uri)
        return None if found is None else answer(found)

    def current(self, uri: str) -> Analysis | None:
        """The analysis of the newest text."""
        text, known = self.texts.get(uri), self.analyses.get(uri)
        if text is None:
            return None
        if known is None or known.snapshot is not text:
            known = self.analyses[uri] = self.analysed(text)
            if known.module is not None:
                self.understood[uri] = known
        return known

    def look(self, uri: str) -> None:
        """Say what is wrong at first sight; then with the documents that use this one."""
        found = self.current(uri)
        if found is None:
            return
        self.publish(found.snapshot, found.problems or self.first_look(found))
        if found.spec is not None:
            self.plans.keep(found.spec.make, self.shelf)
        self.worker.submit(LATER, lambda: self.check(uri, found), PAUSE)
        for other in self.users(found):
            self.analyses.pop(other, None)
            self.worker.submit(LATER, lambda other=other: self.look(other))  # type: ignore[misc]

    def users(self, changed: Analysis) -> Iterator[str]:
        """The open documents that use another."""
        for uri, other in list(self.analyses.items()):
            if uri != changed.snapshot.uri and changed.source.name in other.modules:
                yield uri

    def forget(self, uri: str) -> None:
        for known in (self.analyses, self.understood):
            known.pop(uri, None)

    def check(self, uri: str, found: Analysis) -> None:
        """Say all that is wrong with a text, if it is still the newest."""
        spec = found.spec
        if spec is None or self.analyses.get(uri) is not found or self.texts.get(uri) is not found.snapshot:
            return
        if not spec.make.advise:
            spec.make.refused.clear()
            spec.make.advise = True
        everything = spec.check_all()
        everything += [] if any(map(is_error, everything)) else spec.unused()
        if self.texts.get(uri) is found.snapshot:
            self.publish(found.snapshot, everything)

    def analysed(self, text: Snapshot) -> Analysis:
        """What a text is; never raises `SpecError`."""
        opened = {other.source.name: other.source for other in list(self.texts.values())}
        loader = OpenLoader(DEFAULT_LIMITS, opened, self.shelf)
        found = Analysis(text)
        try:
            found.spec = driver.read(text.source, text.base, None, DEFAULT_LIMITS, loader)
            found.spec.make = Patient(DEFAULT_LIMITS, self.worker.urgent)
            found.spec.make.advise = False
            self.plans.lend(found.spec.make)
        except SpecError as error:
            found.problems = list(error.diagnostics)
        found.modules = loader.modules
        found.module = next((m for m in loader.modules.values() if m.file.source == text.source), None)
        return found

    def first_look(self, found: Analysis) -> list[Diagnostic]:
        """What is wrong with the networks at their defaults; what nobody uses, if nothing else is wrong."""
        wrong: list[Diagnostic] = []
        spec = found.spec
        for network in spec.networks if spec is not None else ():
            if spec is None or parameters.required(network):
                continue
            member = spec.member(network.name.id)
            try:
                member.plan()
                wrong += member.warnings
            except SpecError as error:
                wrong += error.diagnostics
        return wrong if spec is None or any(map(is_error, wrong)) else [*wrong, *unused(spec.resolved)]
