"""Every name of a spec stands for one thing, whoever asks: the editor, the search for what nobody uses, a rename."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from growing import KINDS

import archspec
from archspec import driver, library
from archspec.diagnostics import SpecError, is_error
from archspec.elaborate.modules import Loader, Module
from archspec.elaborate.resolve import Resolved, resolve
from archspec.elaborate.uses import Kind, Target
from archspec.limits import DEFAULT_LIMITS, Limits
from archspec.lsp.fixes import fixes
from archspec.lsp.hover import described, name_at
from archspec.lsp.session import Analysis, snapshot
from archspec.source import Source
from archspec.syntax import tree as t

GOLDEN = Path(__file__).parents[1] / "golden"
FILES = [*sorted(GOLDEN.rglob("*.arch")), *sorted((Path(__file__).parents[2] / "specs").glob("*.arch"))]
RENAMED: set[Kind] = {"parameter", "definition", "reading", "hole", "variable", "key", "side", "tensor"}
"""A block's name, a column's and a network's stand in paths, in errata and on the command line, too."""
QUICK = {"convnext", "googlenet", "lesson_inverted_residual", "mobilenet_v2"}
ROW = "table {\n| Operator | act | c |\n|---|---|---|\n| conv k | b | f(8) |\n}"
NAMES = f"""arch 1
use "blocks/letters"
def f(a, b = 1) = a * b
block b(c = 1) : h x w x n -> h x w x n = ( id | relu as r ) -> add -> dropout(c / 9)
block two(act) = act -> act
reading q {{ read "pool" = maxpool(p, s) if h > 1 }}
network N(k = 3) {{
  input 8 x 8 x 8
  body conv(1, 8) as stem -> two(act = b) -> two(act = "b")
  {ROW}
  columns "act": a
  read "conv {{size}}" = conv(size, c) -> a(c = k)
}}
variant V = N(k = 1)
"""


def read(file: Path, text: str) -> Resolved | None:
    """A file with its names; None where it cannot be read, or something is wrong with a name."""
    try:
        found = resolve(Loader(DEFAULT_LIMITS).load(Source(str(file), text), file.parent))
    except SpecError:
        return None
    return None if found.diagnostics else found


def written(node: object) -> Iterator[t.Name]:
    """Every name of a tree, from all fields of its nodes."""
    if isinstance(node, tuple):
        for one in node:
            yield from written(one)
    elif isinstance(node, t.Name):
        yield node
    elif isinstance(node, t.Tree):
        for field in node.__struct_fields__:
            yield from written(getattr(node, field))


def of_file(path: Path) -> Resolved | None:
    try:
        return read(path, path.read_text("utf-8"))
    except UnicodeDecodeError:
        return None


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-3:]))
def test_every_name_that_is_written_has_one_use(path: Path) -> None:
    found = of_file(path)
    if found is None:
        return
    times = Counter((use.span.start, use.span.end) for use in found.uses)
    places = {(name.span.start, name.span.end): name.id for name in written(found.module.file.declarations)}
    assert {place: name for place, name in places.items() if times[place] > 1} == {}
    missing = {place: name for place, name in places.items() if not times[place]}
    assert missing == {} or is_wrong(path)


def is_wrong(path: Path) -> bool:
    """Whether elaboration finds something wrong, such as a column that no table has."""
    try:
        return any(map(is_error, driver.load(path).check_all()))
    except SpecError:
        return True


def test_all_kinds_of_names_stand_for_what_they_were_declared_as() -> None:
    found = read(Path("a.arch"), NAMES)
    assert found is not None
    kinds = {(use.span.text, use.target.kind, use.gives) for use in found.uses}
    assert kinds >= {
        ("f", "definition", True), ("f", "definition", False), ("a", "variable", True), ("a", "variable", False),
        ("b", "block", True), ("b", "block", False), ("k", "parameter", True), ("k", "parameter", False),
        ("r", "tensor", True), ("size", "hole", True), ("size", "hole", False), ("h", "side", False),
        ("h", "side", False), ("q", "reading", True), ("N", "network", False), ("p", "column", False),
        ("c", "column", True), ("c", "column", False), ("c", "parameter", True), ("maxpool", "operator", False),
    }  # fmt: skip
    [block] = {use.target for use in found.uses if (use.target.kind, use.target.name) == ("block", "b")}
    places = [use.span for use in found.uses if use.target is block]
    lines = sorted(NAMES.count("\n", 0, span.start) + 1 for span in places)
    assert lines == [4, 9, 9, 13]  # its declaration, a word, a text and a cell


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-3:]))
def test_hover_finds_what_the_names_are(path: Path) -> None:
    found = of_file(path)
    if found is None:
        return
    analysis = Analysis(snapshot(path.as_uri(), 1, found.module.file.source.text), found.module)
    analysis.found = found
    for use in found.uses[::7]:
        assert name_at(analysis, use.span.start) is use
        assert described(use.target)


def renamed(found: Resolved) -> str:
    """The text with all names called otherwise that may be."""
    source = found.module.file.source
    places: dict[Target, set[tuple[int, int]]] = {}
    spoken: set[Target] = set()
    for use in found.uses:
        places.setdefault(use.target, set()).add((use.span.start, use.span.end))
        spoken |= {use.target} if use.span.text != use.target.name else set()
    here = [target for target in places if target.span is not None and target.span.source is source]
    kinds = RENAMED - ({"tensor"} if "weights " in source.text else set())  # a path may have a part of a name
    chosen = [target for target in here if target.kind in kinds and target not in spoken]
    text = source.text
    for start, _ in sorted((place for target in chosen for place in places[target]), reverse=True):
        text = f"{text[:start]}zz_{text[start:]}"
    return text


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in library.specs()]
)
def test_a_spec_whose_names_are_all_changed_is_the_same_network(name: str) -> None:
    source = library.spec(name)
    before = driver.read(source, Path(), None, DEFAULT_LIMITS)
    text = renamed(before.resolved)
    assert text.count("zz_") > 1
    after = driver.read(Source(source.name, text), Path(), None, DEFAULT_LIMITS)
    assert after.members == before.members
    assert after.check_all() == []
    assert after.unused() == []
    for member in (before.members[0], before.members[-1]):
        graphs = [spec.member(member).elaborate() for spec in (before, after)]
        assert graphs[0].stats().params == graphs[1].stats().params
        assert [node.op for node in graphs[0].nodes] == [node.op for node in graphs[1].nodes]


def test_a_cell_that_is_unclear_hinders_nobody() -> None:
    text = NAMES.replace("f(8)", "3x3/2")
    found = read(Path("a.arch"), text)
    assert found is not None
    assert [use.span.text for use in found.uses if use.target.kind == "parameter" and use.target.name == "k"]


def test_a_header_that_columns_names_is_no_variable_of_its_own() -> None:
    table = "table {\n| Operator | k |\n|---|---|\n| conv | 8 |\n}"
    text = (
        f'arch 1\nnetwork N(k = 1) {{ input 8 x 8 x 3 {table}\ncolumns "k": c\nread "conv" = conv(1, c) if k > 0 }}\n'
    )
    found = read(Path("a.arch"), text)
    assert found is not None
    used = [use.target.kind for use in found.uses if use.span.start == text.index("k > 0")]
    assert used == ["parameter"]
    assert archspec.parse(text).unused() == []


def test_what_is_given_by_name_is_renamed_with_its_parameter() -> None:
    text = (
        "arch 1\nblock b(k = 1, c = 8) = conv(1, c)\nnetwork N { input 8 x 8 x 8 body b(k = 2) -> b(c = 4, k = 3) }\n"
    )
    [unused] = archspec.parse(text).unused()
    [fix] = [fix for fix in fixes(unused) if fix.title.startswith("Call it")]
    assert len(fix.edits) == 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["blocks", "patterns of columns", "readings", "rules", "tables", "variants"])
def test_twice_the_spec_has_its_names_in_about_twice_the_time(kind: str) -> None:
    size, text = KINDS[kind]
    taken = []
    for number in (2 * size, 4 * size):
        module = Loader(Limits(tokens=10**6)).load(Source("a.arch", text(number)), Path())
        taken.append(min(seconds(module) for _ in range(3)))
    assert taken[1] < 0.1 or taken[1] < 3 * taken[0]


def seconds(module: Module) -> float:
    begun = time.process_time()
    assert resolve(module).uses
    return time.process_time() - begun
