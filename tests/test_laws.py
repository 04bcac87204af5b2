"""Laws: what holds of every text and of every network."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import Part, networks
from random_specs import NAMES, specs

import archspec
from archspec.diagnostics import Diagnostic
from archspec.graph import Graph
from archspec.limits import Limits
from archspec.report import text_of
from archspec.source import Source, Span
from archspec.stats import By, Stats
from archspec.syntax import parse
from archspec.syntax import tree as t
from archspec.syntax.comments import comments

LANGUAGE = (Path(__file__).parent.parent / "docs" / "language.md").read_text(encoding="utf-8")
SEEDS = re.findall(r"^```arch[^\n]*\n(.*?)^```", LANGUAGE, re.DOTALL | re.MULTILINE)
SMALL = Limits(nodes=500, size=4096, nesting=30, source=20_000)
JUNK = (
    *NAMES, "(", ")", "{", "}", "|", "->", "=", ",", ":", "@", "*", "**", "//", "%", "-", "×", "±", "x", "if", "else",
    "not", "as", "true", "none", "0", "-1", "7x7", "9" * 30, "1e400", "1e-400", "0.0", '"', "'", "#", "\n", "\r", "\t",
    "\0", "\f", "\u2028", "\x85", "\ufeff", "\ud800", "²", "^2", "$", "\\times", "☃", "(" * 40, "-" * 50, "+a" * 50,
    "{k}", "ditto", "n/a", "3.4M", "± 1%", "| a | b |", "min(", "make_divisible(1, 0)", " * 100", " * 1000000",
)  # fmt: skip
EDITS = st.tuples(st.integers(0, 2000), st.integers(0, 12), st.sampled_from(JUNK) | st.text(max_size=4))


def source(text: str) -> Source:
    return Source("<text>", text)


def comments_of(text: str) -> Counter[str]:
    file = parse(source(text))
    clauses = [clause for network in file.declarations if isinstance(network, t.Network) for clause in network.clauses]
    tables = [clause.body_span for clause in clauses if isinstance(clause, t.TableClause)]
    return Counter(comment.text for comment in comments(file.source, tables))


# ---- the formatter ----


@settings(max_examples=250, deadline=None)
@given(specs())
def test_the_formatter_changes_no_meaning_and_repeats_itself_and_loses_no_comment(spec: tuple[str, list[str]]) -> None:
    text, written = spec
    printed = archspec.format(text)
    assert parse(source(printed)) == parse(source(text))
    assert archspec.format(printed) == printed
    assert comments_of(printed) == Counter(comment.rstrip(" \t\f") for comment in written)
    assert all(printed.count(comment.partition(":")[0] + ":") == 1 for comment in written)


@settings(max_examples=120, deadline=None)
@given(specs())
def test_what_is_printed_is_tidy(spec: tuple[str, list[str]]) -> None:
    text, _ = spec
    file = parse(source(text))
    printed = archspec.format(text)
    for network in file.declarations:
        for clause in network.clauses if isinstance(network, t.Network) else ():
            if isinstance(clause, t.TableClause):
                assert clause.body in printed
                printed = printed.replace(clause.body, "{}", 1)
    printed = re.sub(r"\"[^\"\n]*\"|'[^'\n]*'|#[^\n]*", "_", printed)
    assert "\r" not in printed
    assert printed.endswith("\n")
    assert not re.search(r"[ \t\f]\n|\n\n\n|\A\n|\n\n\Z|[\t\f]|\n\n *\}", printed)


@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
def test_a_formatted_example_means_the_same(seed: str) -> None:
    assert archspec.format(archspec.format(seed)) == archspec.format(seed)
    assert numbers(archspec.format(seed)) == numbers(seed)


def numbers(text: str) -> list[Stats | tuple[str, ...]]:
    """The counts of every network of a text, or the mistakes in it."""
    found: list[Stats | tuple[str, ...]] = []
    try:
        spec = archspec.parse(text, limits=SMALL)
        for name in spec.members:
            found.append(spec.member(name).elaborate().stats())
    except archspec.SpecError as error:
        found.append(tuple(diagnostic.code for diagnostic in error.diagnostics))
    return found


# ---- any text ----


@st.composite
def garbled(draw: st.DrawFn) -> str:
    """A text that somebody slipped in."""
    text = draw(st.sampled_from(SEEDS))
    for at, length, junk in draw(st.lists(EDITS, min_size=1, max_size=4)):
        start = at % (len(text) + 1)
        text = text[:start] + junk + text[start + length :]
    return text


@settings(max_examples=250, deadline=None)
@given(garbled())
def test_no_slip_makes_the_compiler_raise_anything_but_diagnostics(text: str) -> None:
    for diagnostic in mistakes(text):
        point_into_their_source(diagnostic)


@settings(max_examples=120, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(JUNK), max_size=20).map(" ".join), st.booleans())
def test_no_text_makes_the_compiler_raise_anything_but_diagnostics(text: str, begins: bool) -> None:
    for diagnostic in mistakes("arch 1 " + text if begins else text):
        point_into_their_source(diagnostic)


@settings(max_examples=120, deadline=None)
@given(garbled())
def test_the_formatter_raises_diagnostics_or_keeps_its_laws(text: str) -> None:
    try:
        printed = archspec.format(text)
    except archspec.SpecError:
        return
    assert parse(source(printed)) == parse(source(text))
    assert archspec.format(printed) == printed
    assert comments_of(printed) == comments_of(text)


def mistakes(text: str) -> list[Diagnostic]:
    """What is wrong with a text, and with its networks at their defaults."""
    try:
        return archspec.parse(text, limits=SMALL).check_all()
    except archspec.SpecError as error:
        str(error)  # which raises nothing
        return list(error.diagnostics)


def point_into_their_source(diagnostic: Diagnostic) -> None:
    assert text_of(diagnostic)
    for span in spans(diagnostic):
        assert 0 <= span.start <= span.end <= len(span.source.text), span


def spans(diagnostic: Diagnostic) -> Iterator[Span]:
    yield diagnostic.primary
    for parts in (diagnostic.labels, diagnostic.edits, diagnostic.stack):
        yield from (part.span for part in parts)


# ---- networks ----


@cache
def graph(text: str) -> Graph:
    return archspec.parse(text).elaborate()


@settings(max_examples=120, deadline=None)
@given(networks())
def test_a_graph_comes_back_from_json(spec: Part) -> None:
    made = graph(spec.text)
    assert Graph.model_validate_json(made.model_dump_json()) == made


@settings(max_examples=120, deadline=None)
@given(networks())
def test_rows_blocks_and_layers_add_up_to_the_same(spec: Part) -> None:
    made = graph(spec.text)
    every: list[By] = ["row", "block", "layer"]
    totals = {totals_of(made.stats(by)) for by in every}
    assert len(totals) == 1
    for by in every:
        lines = made.stats(by).lines
        added = tuple(sum(getattr(line, what) for line in lines) for what in ("params", "buffers", "macs", "nodes"))
        assert {added} == totals


def totals_of(stats: Stats) -> tuple[int, int, int, int]:
    return stats.params, stats.buffers, stats.macs, stats.nodes


@settings(max_examples=120, deadline=None)
@given(networks())
def test_writing_blocks_and_repeats_out_by_hand_changes_no_number(spec: Part) -> None:
    short, long = graph(spec.text), graph(spec.by_hand)
    assert [(node.op, node.shape) for node in short.nodes] == [(node.op, node.shape) for node in long.nodes]
    assert edges(short) == edges(long)
    assert totals_of(short.stats()) == totals_of(long.stats())


def edges(made: Graph) -> list[tuple[int, ...]]:
    """The inputs of each node, as places in the order of the nodes."""
    place = {node.path: number for number, node in enumerate(made.nodes)}
    return [tuple(place[path] for path in node.inputs) for node in made.nodes]


@settings(max_examples=120, deadline=None)
@given(networks())
def test_paths_are_unique_and_scopes_are_where_they_say(spec: Part) -> None:
    made = graph(spec.text)
    assert len({node.path for node in made.nodes}) == len(made.nodes)
    assert len({scope.path for scope in made.scopes}) == len(made.scopes)
    assert not {node.path for node in made.nodes} & {scope.path for scope in made.scopes}
    assert {node.scope for node in made.nodes} - {""} <= {scope.path for scope in made.scopes}


@settings(max_examples=60, deadline=None)
@given(networks())
def test_formatting_a_network_changes_no_number(spec: Part) -> None:
    formatted, made = graph(archspec.format(spec.text)), graph(spec.text)
    assert [(node.path, node.op, node.shape) for node in formatted.nodes] == [
        (node.path, node.op, node.shape) for node in made.nodes
    ]
