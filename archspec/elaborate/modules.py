"""Files and their names: a `Module` is one file with the declarations that it sees, its own and those it uses.

Scope is lexical: a block's body sees the names of the file that it was written in, whoever asks for it. A name
declared in the file itself goes before one of a file that it uses.
"""

from collections.abc import Set
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from archspec import library
from archspec.diagnostics import Diagnostic, SpecError
from archspec.elaborate.errors import (
    AmbiguousName,
    DuplicateName,
    ReservedName,
    UnknownFile,
    UnknownFunction,
    UnknownOperator,
)
from archspec.elaborate.functions import FUNCTIONS
from archspec.initializer import INITIALIZERS
from archspec.limits import Limits
from archspec.loading import read_source
from archspec.ops import OPERATORS, WORDS
from archspec.source import Source
from archspec.syntax import parse, parse_once
from archspec.syntax import tree as t

Named = t.Definition | t.Block | t.Variant | t.Network | t.Reading
IDENTITY = "id"
BUILT_IN = frozenset({*OPERATORS, *FUNCTIONS, IDENTITY})
ALL_WORDS = frozenset({*WORDS, *OPERATORS, *INITIALIZERS, IDENTITY, "fan_in", "fan_out"})


def parameters_of(named: Named) -> tuple[t.Parameter, ...]:
    return () if isinstance(named, t.Variant) else named.parameters


@dataclass(eq=False)
class Module:
    """One file; equal to itself alone."""

    file: t.SpecFile
    own: dict[str, Named] = field(default_factory=dict)
    used: dict[str, list[tuple["Module", Named]]] = field(default_factory=dict)
    uses: list[tuple[t.Use, "Module"]] = field(default_factory=list)
    """its `use` declarations, with the files that they name"""
    known: dict[type[Named], dict[str, None]] = field(default_factory=dict)
    """the names of each kind of declaration, once somebody has asked for them: by then all files are read"""

    def find(self, name: t.Name) -> tuple["Module", Named] | None:
        """The declaration that a name means here, with its file; raises `SpecError` where two files declare it."""
        if name.id in self.own:
            return self, self.own[name.id]
        found = self.used.get(name.id, [])
        if len(found) > 1:
            raise SpecError([AmbiguousName(name.span, name.id, tuple(named.name.span for _, named in found))])
        return found[0] if found else None

    def definition(self, name: t.Name) -> tuple["Module", t.Definition]:
        """The `def` of that name; raises `SpecError`."""
        found = self.find(name)
        if found is None or not isinstance(found[1], t.Definition):
            raise SpecError([UnknownFunction(name.span, name.id, (*FUNCTIONS, *self.names(t.Definition)))])
        return found[0], found[1]

    def block(self, name: t.Name) -> tuple["Module", t.Block]:
        """The block of that name; raises `SpecError`."""
        found = self.find(name)
        if found is None or not isinstance(found[1], t.Block):
            raise SpecError([UnknownOperator(name.span, name.id, (*OPERATORS, IDENTITY, *self.names(t.Block)))])
        return found[0], found[1]

    def seen(self, name: str, *kinds: type[Named]) -> tuple["Module", Named] | None:
        """The first declaration of that name that is of one of these kinds, with its file."""
        own = self.own.get(name)
        if isinstance(own, kinds):
            return self, own
        return next((found for found in self.used.get(name, ()) if isinstance(found[1], kinds)), None)

    def is_word(self, name: str) -> bool:
        """Whether a bare name stands for itself: an operator, a block, or a choice of some attribute."""
        return name in ALL_WORDS or name in self.names(t.Block)

    def names(self, kind: type[Named]) -> Set[str]:
        """The names of the declarations of a kind that are visible, in their order."""
        if kind not in self.known:
            own = [name for name, named in self.own.items() if isinstance(named, kind)]
            used = [name for name, found in self.used.items() if isinstance(found[0][1], kind)]
            self.known[kind] = dict.fromkeys([*own, *used])
        return self.known[kind].keys()

    def edited(self, text: str, limits: Limits) -> "Module":
        """The same file with another text, which uses the same files; raises `SpecError`."""
        source = self.file.source
        file = parse_once(Source(source.name, text, source.bundled), limits)
        own = {named.name.id: named for named in file.declarations if not isinstance(named, t.Use)}
        return Module(file, own, self.used)

    def members(self) -> list[str]:
        """Networks and variants of the file itself."""
        return [name for name, named in self.own.items() if isinstance(named, (t.Network, t.Variant))]


@cache
def parse_bundled(source: Source) -> t.SpecFile:
    """The files that come with archspec do not change while it runs."""
    return parse(source)


class Loader:
    """Reads a file and all that it uses, each once; files of the user's from within the folder `root` alone."""

    def __init__(self, limits: Limits, root: Path | None = None) -> None:
        self.limits = limits
        self.root = root.resolve() if root is not None else None
        self.modules: dict[str, Module] = {}
        self.diagnostics: list[Diagnostic] = []

    def load(self, source: Source, base: Path) -> Module:
        """The module of a file; `./x` is looked up in the folder `base`. Raises `SpecError`."""
        module = self.read(source, base, str((base / Path(source.name).name).resolve()))
        if self.diagnostics:
            raise SpecError(self.diagnostics)
        return module

    def read(self, source: Source, base: Path, key: str) -> Module:
        file = parse_bundled(source) if source.bundled else parse(source, self.limits)
        module = self.modules[key] = Module(file)
        for declaration in module.file.declarations:
            if not isinstance(declaration, t.Use):
                self.declare(module, declaration)
        for declaration in module.file.declarations:
            if isinstance(declaration, t.Use):
                self.use(module, declaration, base)
        return module

    def declare(self, module: Module, named: Named) -> None:
        name = named.name.id
        if name in BUILT_IN:
            self.diagnostics.append(ReservedName(named.name.span, name))
        elif name in module.own:
            self.diagnostics.append(DuplicateName(named.name.span, name, module.own[name].name.span))
        else:
            module.own[name] = named

    def use(self, module: Module, use: t.Use, base: Path) -> None:
        used = self.find(use, base)
        if used is None:
            return
        module.uses.append((use, used))
        if used is module:
            return
        for name, named in used.own.items():
            places = module.used.setdefault(name, [])
            if all(place is not used for place, _ in places):
                places.append((used, named))

    def find(self, use: t.Use, base: Path) -> Module | None:
        """The file that a `use` names, read at most once."""
        path = use.path.value
        try:
            if path.startswith(("./", "../")):
                return self.beside(use, base / (path if path.endswith(".arch") else f"{path}.arch"))
            return self.bundled(use, path)
        except SpecError as error:
            self.diagnostics.extend(error.diagnostics)
        except (OSError, ValueError, RuntimeError) as error:  # a loop of links is a RuntimeError
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self.diagnostics.append(UnknownFile(use.path.span, path, reason, ()))
        return None

    def beside(self, use: t.Use, file: Path) -> Module:
        key = str(file.resolve())
        if self.root is not None and not Path(key).is_relative_to(self.root):
            raise OSError(0, "it is outside of the folder that files are read from")
        if key not in self.modules:
            if file.exists() and not file.is_file():
                raise OSError(0, "it is not a file")
            return self.read(read_source(str(file), self.limits), file.parent, key)
        return self.modules[key]

    def bundled(self, use: t.Use, path: str) -> Module:
        key = f"<archspec>/{path}"
        if key not in self.modules:
            source = library.shared(path)
            if source is None:
                names = tuple(library.shared_names())
                raise SpecError([UnknownFile(use.path.span, path, "archspec has no such file", names)])
            return self.read(source, Path(), key)
        return self.modules[key]
