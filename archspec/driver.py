"""The passes in their order: text -> `Spec` -> `Graph`. What the command line and programs call."""

import errno
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from archspec import library, syntax
from archspec.diagnostics import SpecError, nearest
from archspec.elaborate.evaluate import Value
from archspec.elaborate.modules import Loader
from archspec.elaborate.recursion import recursion
from archspec.elaborate.resolve import resolve
from archspec.foreign import kind_of_file
from archspec.graph import Graph
from archspec.limits import DEFAULT_LIMITS, Limits
from archspec.loading import STDIN, read_source
from archspec.printable import printable
from archspec.source import Source
from archspec.spec import Spec
from archspec.syntax import cache
from archspec.syntax import tree as t
from archspec.syntax.depth import deep

FACTORY = re.compile(r"(?:torch:)?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+:[A-Za-z_]\w*)")
"""A function of a Python module, with or without `torch:` before it."""


def parse(text: str, name: str = "<text>", member: str | None = None, limits: Limits = DEFAULT_LIMITS) -> Spec:
    """The Spec of a text; files that it uses are looked up in the current folder. Raises `SpecError`."""
    return read(Source(name, text), Path(), member, limits)


def format_text(text: str, name: str = "<text>", *, align: bool = False, limits: Limits = DEFAULT_LIMITS) -> str:
    """The text in the canonical layout, its comments kept, its tables byte for byte unless `align` pads their cells.

    Raises `SpecError`.
    """
    from archspec.syntax.printer import print_tree

    source = Source(name, text)
    with deep(limits, source):
        tree = syntax.parse(source)
        if align:
            tree = syntax.parse(Source(name, with_tables_aligned(tree)))
        return print_tree(tree)


def with_tables_aligned(tree: t.SpecFile) -> str:
    """The text of a file, the columns of its tables below each other."""
    from archspec.tables.align import aligned

    clauses = [c for d in tree.declarations if isinstance(d, t.Network) for c in d.clauses]
    parts, end = [], 0
    for body in (clause.body_span for clause in clauses if isinstance(clause, t.TableClause)):
        parts += [tree.source.text[end : body.start], aligned(tree.source.text[body.start : body.end])]
        end = body.end
    return "".join([*parts, tree.source.text[end:]])


def load(spec: str | Path, limits: Limits = DEFAULT_LIMITS) -> Spec:
    """A Spec by its path, `path:Variant`, bundled name, or `-` for standard input.

    Raises `SpecError` where it is wrong and `OSError` where it cannot be read.
    """
    source, base, member = located(str(spec), limits)
    cache.opened(source)
    return read(source, base, member, limits)


def located(name: str, limits: Limits) -> tuple[Source, Path, str | None]:
    """The text that a SPEC means, the folder that it is in, and the network or variant of it that is meant."""
    if name == STDIN or exists(name):
        if name != STDIN and Path(name).is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder; name a spec in it", printable(name))
        return read_source(name, limits), folder(name), None
    path, colon, member = name.rpartition(":")
    if colon and (path == STDIN or exists(path)):
        return read_source(path, limits), folder(path), member
    found = bundled(name)
    if found is None:
        advice = meant(name) or kind_of_file(name)
        said = f"no such file, and no bundled spec of that name{f'; {advice}' if advice else ''}"
        raise FileNotFoundError(errno.ENOENT, said, printable(name))
    return found[0], Path(), found[1]


def meant(name: str) -> str | None:
    """Advice about a name that no file has."""
    if "://" in name:
        return "archspec fetches nothing: save what is there, and name the file"
    factory = FACTORY.fullmatch(name)
    if factory:
        return f"`archspec import torch:{factory[1]} -o net.arch` makes a spec of a PyTorch model"
    near = nearest(name, [*library.specs(), *library.members()])
    return f"did you mean `{near}`?" if near else None


def exists(name: str) -> bool:
    return "\0" not in name and Path(name).exists()


def names_member(spec: str) -> bool:
    """Whether a SPEC names one network or variant, and not a whole file."""
    if spec == STDIN or exists(spec):
        return False
    return ":" in spec or spec not in library.specs() or spec in library.declared(spec)


def networks(spec: str, limits: Limits = DEFAULT_LIMITS) -> Iterator[tuple[str, Spec]]:
    """The networks that a SPEC means, with their names: the one that it names, or all that its file declares.

    Raises `SpecError` where it is wrong and `OSError` where it cannot be read.
    """
    loaded = load(spec, limits)
    if names_member(spec):
        yield spec.rpartition(":")[2], loaded
        return
    for name in loaded.members:
        yield name, loaded.member(name)


def bundled_networks() -> Iterator[tuple[str, str, str]]:
    """Every bundled network and variant: the name that loads it, its file, its title."""
    for file in library.specs():
        spec = load(file)
        networks = {spec.member(name).network.name.id for name in spec.members}
        for name in spec.members:
            titles = [c.text.value for c in spec.member(name).network.clauses if isinstance(c, t.Title)]
            alone = networks == {name} and file not in spec.members
            yield file if alone else name, file, titles[0] if titles else ""


def folder(name: str) -> Path:
    return Path() if name == STDIN else Path(name).parent


def bundled(name: str) -> tuple[Source, str | None] | None:
    """The bundled network or variant of that name, or the spec whose file has it."""
    file, _, member = name.partition(":")
    if file in library.specs():
        return library.spec(file), member or (file if file in library.declared(file) else None)
    declared = library.members()
    return (library.spec(declared[name]), name) if name in declared else None


def read(source: Source, base: Path, member: str | None, limits: Limits, loader: Loader | None = None) -> Spec:
    """Parse a source and all that it uses, and resolve their names."""
    with deep(limits, source):
        loader = loader or Loader(limits)
        module = loader.load(source, base)
        found = [resolve(used) for used in loader.modules.values() if not used.file.source.bundled]
        wrong = [diagnostic for one in found for diagnostic in one.diagnostics]
        wrong = wrong or recursion(loader.modules.values(), limits)
        if wrong:
            raise SpecError(wrong)
        return Spec(module, member, limits, next((one for one in found if one.module is module), None))


def build(
    spec: str | Path | Spec,
    backend: str = "torch",
    *,
    weights: str | Path | None = None,
    optimize: bool = False,
    options: Mapping[str, Any] | None = None,
    **values: Value,
) -> object:
    """A model of a spec, or of its file or name: a `torch.nn.Module`, a `keras.Model`.

    Raises `SpecError`, `OSError` or `Refusal`.

    `values` are the network's parameters, `options` the backend's own (seed, device, dtype). Every backend has the
    option `aux`: if true, outputs of training alone are given in evaluation too. `weights` is a file in the canonical
    form, of exactly this network; without it they are drawn. With `optimize` the model gives the same in evaluation,
    faster, and is for inference alone (`archspec.optimize`).
    """
    from archspec.backend import Builds, get

    given = dict(options or {})
    graph = elaborated(spec, values)
    tensors = stored(weights, graph)
    graph = graph.with_all_outputs() if given.pop("aux", False) else graph
    if optimize:
        from archspec.weights import optimized

        graph, tensors = optimized(graph, tensors, given.get("seed", 0))
    return get(backend, Builds).build(graph, weights=tensors, **given)


def elaborated(spec: str | Path | Spec, values: Mapping[str, Value]) -> Graph:
    """The Graph of a spec; raises `SpecError` and `OSError`."""
    if isinstance(spec, Spec):
        return spec.elaborate(**values)
    spec = str(spec)
    plain = all(isinstance(value, bool | int | float | str) for value in values.values())
    known = plain and not exists(spec) and bundled(spec) is not None
    return bundled_graph(spec, **values) if known else load(spec).elaborate(**values)


@lru_cache(maxsize=16, typed=True)
def bundled_graph(spec: str, /, **values: Value) -> Graph:
    """That of a spec that comes with archspec, which does not change while a program runs: elaborated once."""
    return load(spec).elaborate(**values)


def stored(weights: str | Path | None, graph: Graph, *, finite: bool = True) -> dict[str, Any] | None:
    """The weights in a canonical file; raises `OSError` or `Refusal`."""
    if weights is None:
        return None
    from archspec.weights import load as load_weights

    return load_weights(Path(weights), graph, finite=finite)


def source(spec: str | Path, backend: str = "torch", *, optimize: bool = False, **values: Value) -> str:
    """A file of Python that makes the model of a spec, or the optimised one, without archspec.

    Raises `SpecError`, `OSError` or `Refusal`.
    """
    loaded = load(spec)
    return written(loaded, loaded.elaborate(**values), backend, optimize)


def written(spec: Spec, graph: Graph, backend: str, optimize: bool = False) -> str:
    """The source of a Graph of a spec, or of the optimised one, with what the spec prints; raises `Refusal`."""
    from archspec import optimize as optimizer
    from archspec.backend import get
    from archspec.emit import WritesSource

    chosen = get(backend, WritesSource)
    return chosen.source(optimizer.optimize(graph).graph if optimize else graph, spec.printed(graph))
