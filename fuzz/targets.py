"""What is tried with a text, and what may come of it: a result with its laws, or a `SpecError`."""

from collections.abc import Callable, Iterator
from pathlib import Path

from archspec import driver, syntax
from archspec.diagnostics import Diagnostic, SpecError
from archspec.graph import Graph
from archspec.limits import Limits
from archspec.pasting import pasted, tables_in
from archspec.report import json_of, text_of
from archspec.source import Source
from archspec.syntax.printer import print_tree
from archspec.tables.dialects import rows_of

LIMITS = Limits(nodes=3000, size=1 << 16, nesting=40, source=1 << 16, tokens=6000)
CORPUS = Path(__file__).parent / "corpus"


def parse(text: str) -> None:
    """A text that parses is printed to one that has the same tree, and that is printed to itself."""
    source = Source("<fuzz>", text)
    with driver.deep(LIMITS, source):
        tree = syntax.parse(source, LIMITS)
        printed = print_tree(tree)
        again = syntax.parse(Source("<fuzz>", printed), LIMITS)
        assert again == tree, "the printed text has another tree"
        assert print_tree(again) == printed, "printing twice gives another text"


def tables(text: str) -> None:
    """The cells of a table stand in it, as long as what they say."""
    source = Source("<fuzz>", text)
    for found in tables_in(source):
        for number, row in enumerate(found.rows):
            for cell in row.cells:
                assert 0 <= cell.span.start <= cell.span.end <= len(text), "a cell outside of the text"
                # headers of several lines are one
                assert not cell.text or not number or len(cell.text) == len(cell.span.text), "a cell of another length"
        assert rows_of(found.span.text, found.span), "a table that is found and cannot be read"


def elaborate(text: str) -> None:
    """A network that is elaborated is a Graph, also when it is read from JSON; every diagnostic can be shown."""
    spec = driver.parse(text, "<fuzz>", limits=LIMITS)
    spec.make.advise = len(text) % 4 == 0
    told(spec.check_all())
    for member in map(spec.member, spec.members):
        try:
            graph = member.elaborate()
        except SpecError as error:
            told(error.diagnostics)
            continue
        assert Graph.model_validate_json(graph.model_dump_json()) == graph, "a Graph that is not what its JSON says"
        assert graph.stats("row").params == graph.stats("layer").params, "rows and layers count otherwise"


def import_(text: str) -> None:
    """A table that is imported is a spec without errors."""
    found = [table for table in tables_in(Source("<fuzz>", text)) if len(table.rows) <= 12][:1]
    if found:
        made = pasted(found)
        assert not [d for d in driver.parse(made.text).check_all() if d.severity.value == "error"], made.text


def told(found: object) -> None:
    """Every diagnostic has a text and a form for tools."""
    for one in found if isinstance(found, (list, tuple)) else ():
        assert isinstance(one, Diagnostic)
        assert text_of(one)
        assert json_of(one)["code"] == one.code


TARGETS: dict[str, Callable[[str], None]] = {
    "parse": parse, "tables": tables, "elaborate": elaborate, "import": import_,
}  # fmt: skip


def tried(name: str, data: bytes) -> None:
    """Try a target with some bytes; what may be wrong with a text is no finding."""
    try:
        TARGETS[name](data.decode("utf-8", "replace"))
    except SpecError as error:
        told(error.diagnostics)


def seeds(name: str) -> Iterator[Path]:
    """The corpus of a target."""
    yield from sorted((CORPUS / name).iterdir())
