"""Every text of the fuzzer's corpus passes its target; what was found once is among them."""

import random

import pytest

from fuzz.mutate import mutated, texts
from fuzz.targets import CORPUS, TARGETS, seeds, tried


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_passes(target: str) -> None:
    found = list(seeds(target))
    assert found
    for file in found if target in {"parse", "tables"} else found[::6]:
        tried(target, file.read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("target", ["elaborate", "import"])
def test_the_whole_corpus_passes(target: str) -> None:
    for file in seeds(target):
        tried(target, file.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_mutations_pass(target: str) -> None:
    """A little of what the fuzzer does, without what it needs."""
    rng = random.Random(7)
    found = [file for file in seeds(target) if file.stat().st_size < 2000]
    for number in range(8 if target == "import" else 40):
        tried(target, mutated(rng.choice(found).read_bytes(), 4000, number))


def test_the_corpus_is_small() -> None:
    files = [file for file in CORPUS.rglob("*") if file.is_file()]
    assert len(files) == len(texts()) < 1500
    assert sum(file.stat().st_size for file in files) < 1_500_000


def test_a_mutation_is_as_long_as_it_may_be_and_the_same_each_time() -> None:
    data = next(seeds("elaborate")).read_bytes()
    for seed in range(200):
        assert len(mutated(data, 500, seed)) <= 500
        assert mutated(data, 500, seed) == mutated(data, 500, seed)
