"""Every text of the fuzzer's corpus passes its target; what was found once is among them."""

import random

import pytest

from fuzz.mutate import texts
from fuzz.targets import CORPUS, MODULES, corpus, mutated, seeds, target, tried

SLOW = {"elaborate", "import"}
"""Of their corpora one text in six is tried, unless there is time."""
FEW = {"import": 8, "foreign": 15, "lsp": 15, "serve": 15}
"""Mutations that are tried of what takes long."""


@pytest.mark.parametrize("name", MODULES)
def test_the_corpus_passes(name: str) -> None:
    found = list(seeds(name))
    assert found
    for data in found[::6] if name in SLOW else found:
        tried(name, data)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SLOW))
def test_the_whole_corpus_passes(name: str) -> None:
    for data in seeds(name):
        tried(name, data)


@pytest.mark.parametrize("name", MODULES)
def test_mutations_pass(name: str) -> None:
    """A little of what the fuzzer does, without what it needs."""
    rng = random.Random(7)
    found = [data for data in seeds(name) if len(data) < max(2000, target(name).longest // 2)]
    for number in range(FEW.get(name, 40)):
        tried(name, mutated(name, rng.choice(found), target(name).longest, number))


@pytest.mark.parametrize("name", ["pt2", "checkpoint", "onnx", "safetensors", "h5", "keras", "foreign"])
def test_what_is_not_a_text_is_made_by_a_script_and_some_of_it_is_read(name: str) -> None:
    made = list(target(name).made())
    for data in made:
        tried(name, data)
    assert all(file.read_bytes().isascii() or file.read_bytes().decode() for file in corpus(name))
    assert made


def test_the_corpus_is_small() -> None:
    files = [file for file in CORPUS.rglob("*") if file.is_file()]
    assert len(files) == len(texts()) < 1500
    assert sum(file.stat().st_size for file in files) < 1_500_000


@pytest.mark.parametrize("name", MODULES)
def test_a_mutation_is_as_long_as_it_may_be_and_the_same_each_time(name: str) -> None:
    data = next(iter(seeds(name)))
    for seed in range(100):
        made = mutated(name, data, 500, seed)
        assert len(made) <= 500
        assert made == mutated(name, data, 500, seed)
