"""A small change of a shipped spec is answered: by `SpecError` or not at all, with places and words, and at once."""

import time

import pytest
from mutations import Mutation, mutations, text_of

import archspec
from archspec import report
from archspec.diagnostics import nearest

SEED, QUICK, MANY, TOGETHER = 18, 60, 1000, 10
LIMIT = 2.0
"""Seconds of the processor that `check` may take; the longest search for a repair takes about one."""


def tried(mutation: Mutation) -> float:
    """How long it took to check one, and to say what is wrong with it."""
    before = time.thread_time()
    found = mutation.found()
    for diagnostic in found:
        assert report.text_of(diagnostic)
        assert report.json_of(diagnostic)
    return time.thread_time() - before


def check(some: list[Mutation]) -> None:
    archspec.parse(text_of("mobilenet_v2")).check_all()  # what a process does once is not of any of them
    late = [f"{mutation} took {seconds:.1f} s" for mutation in some if (seconds := tried(mutation)) > LIMIT]
    assert not late, late


@pytest.mark.parametrize("first", range(0, QUICK, TOGETHER))
def test_a_mutation_of_a_shipped_spec_is_answered_at_once(first: int) -> None:
    check(list(mutations(SEED, QUICK))[first : first + TOGETHER])


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, MANY, 100))
def test_a_thousand_mutations_of_the_shipped_specs_are_answered_at_once(first: int) -> None:
    check(list(mutations(SEED + 1, MANY))[first : first + 100])


@pytest.mark.parametrize("printed", ["SH", "R6", "-"])
def test_an_activation_that_the_table_does_not_explain_is_refused(printed: str) -> None:
    text = text_of("mobilenet_v3")
    assert text.count("| 7²×160  | bneck, 5x5      | 960      | 160  | ✓  | HS |") == 2
    text = text.replace("960      | 160  | ✓  | HS |", f"960      | 160  | ✓  | {printed} |", 1)
    found = archspec.parse(text, member="MobileNetV3Large").check_itself()
    assert [(d.code, d.primary.text) for d in found] == [("rule-check", printed)]


TWO_COLUMNS = """
arch 1
network N(of in {3, 5} = 3) {
  input 8 x 8 x 3
  columns "{of}": operator
  check params = 256
  check (of = 5) params = 560
  table {
    | 3         | 5         | c |
    | conv 3 of | conv 5 of | 7 |
    | conv 1 of | conv 1 of | 5 |
  }
  read "conv {f} of" = conv(f, c)
}
"""


def test_a_repair_that_breaks_a_claim_of_another_column_is_not_offered() -> None:
    assert archspec.parse(TWO_COLUMNS).check()[0].suggestions == ()
    both = archspec.parse(TWO_COLUMNS.replace("560", "640")).check()  # which 8 channels mend
    assert [edit.text for edit in both[0].edits] == ["8"]


def test_a_search_that_takes_long_is_stopped_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    text = text_of("mobilenet_v2").replace("| 24   | 2 | 2", "| 42   | 2 | 2")
    assert all(not d.stopped for d in archspec.parse(text).check_all())
    monkeypatch.setattr("archspec.elaborate.suggest.PATIENCE", 50)
    found, *_ = archspec.parse(text).check_all()
    assert "help: the search for a repair was stopped" in report.text_of(found)


def test_the_nearest_of_thousands_of_names_is_found_at_once() -> None:
    known = [f"block_{number * 7919 % 100_000:05}_{number}" for number in range(3000)]
    before = time.thread_time()
    assert [nearest(name.replace("block", "blcok"), known) for name in known[:200]] == known[:200]
    assert time.thread_time() - before < 5
