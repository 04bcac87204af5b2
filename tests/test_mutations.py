"""A small change of a shipped spec is answered: by `SpecError` or not at all, with places and words, and at once."""

import time

import pytest
from mutations import Mutation, mutations, text_of

import archspec
from archspec import report

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
