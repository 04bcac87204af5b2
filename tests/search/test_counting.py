"""Counting by traces gives what elaborating gives, and refuses what elaborating refuses."""

import re
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import Part, networks

import archspec
from archspec import Spec, SpecError, library
from archspec.elaborate import parameters
from archspec.elaborate.evaluate import Environment, Value, evaluate
from archspec.memory import peak
from archspec.search.counting import Counter, Refused
from archspec.stats import totals

MEASURES = [lambda g: totals(g, g.nodes)[0], lambda g: totals(g, g.nodes)[1], lambda g: totals(g, g.nodes)[2],
            lambda g: len(g.nodes) - 1]  # fmt: skip
NAMES = ("a", "b", "c")


def elaborated(spec: Spec, names: Sequence[str], values: Sequence[Any]) -> tuple[int, ...] | str:
    """The counts of the Graph, or the code of the first mistake."""
    given = dict(zip(names, values, strict=True))
    image = given.pop("input", None)
    try:
        stats = spec.elaborate(None if image is None else (image,), **given).stats()
    except SpecError as error:
        return error.diagnostics[0].code
    return stats.params, stats.buffers, stats.macs, stats.nodes


def counted(counter: Counter, values: Sequence[Any]) -> tuple[int, ...] | str:
    found = counter(values)
    return found.code if isinstance(found, Refused) else found


def assert_equal(spec: Spec, names: Sequence[str], candidates: Sequence[Sequence[Any]]) -> Counter:
    counter = Counter(spec, names, {}, MEASURES)
    for values in candidates:
        suited = [counter.suited(name, value) for name, value in zip(names, values, strict=True)]
        assert counted(counter, suited) == elaborated(spec, names, values), dict(zip(names, values, strict=True))
    return counter


@st.composite
def families(draw: Any) -> tuple[str, list[list[int]]]:
    """A random network, some of its numbers parameters, and values for these."""
    part: Part = draw(networks())
    head, body = part.text.split("network N(k = 10)")
    numbers = list(re.finditer(r"(?<=[(, *])[0-9]+(?=[),\n ])", body))
    chosen = draw(st.lists(st.sampled_from(numbers), unique=True, max_size=6)) if numbers else []
    names = {match.start(): draw(st.sampled_from(NAMES)) for match in chosen}
    defaults = {names[match.start()]: match[0] for match in chosen}
    for match in sorted(chosen, key=lambda match: -match.start()):
        body = f"{body[: match.start()]}{names[match.start()]}{body[match.end() :]}"
    given = "".join(f", {name} = {defaults.get(name, 1)}" for name in NAMES)
    values = st.lists(st.integers(0, 9), min_size=4, max_size=4)
    return f"{head}network N(k = 10{given}){body}", draw(st.lists(values, min_size=3, max_size=8))


def assert_family_equal(family: tuple[str, list[list[int]]]) -> None:
    text, candidates = family
    assert_equal(archspec.parse(text), [*NAMES, "input"], [[*some, side + 1] for *some, side in candidates])


@settings(max_examples=6, deadline=None)
@given(families())
def test_every_candidate_has_the_counts_of_its_graph(family: tuple[str, list[list[int]]]) -> None:
    assert_family_equal(family)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(families())
def test_every_candidate_of_many_has_the_counts_of_its_graph(family: tuple[str, list[list[int]]]) -> None:
    assert_family_equal(family)


TRAPS = {
    "a kernel": ("a = 3", "conv(a, 8)", [1, 2, 3, 5, 9, 40]),
    "channels": ("a = 3", "conv(3, a) -> bn", [0, 1, 7, 2**31, 2**31 + 1, 2**40, 2**63, 2**70]),
    "a stride": ("a = 3", "conv(3, 8, a) -> conv(3, 4)", [0, 1, 2, 3, 64]),
    "a number of repeats": ("a = 3", "conv(3, 8) * a -> conv(1, 2)", [0, 1, 2, 5, 200_000]),
    "groups": ("a = 3", "conv(1, 12) -> conv(3, 24, groups = a)", range(14)),
    "parts of a split": ("a = 2", "conv(1, 12) -> split(a) -> (id | conv(1, 6)) -> concat", [1, 2, 3, 12]),
    "a slice": ("a = 2", "conv(1, 12) -> slice(a, 8)", [0, 3, 7, 8, 12]),
    "a condition": ("a = 2", "conv(1, 4) if a > 3 else conv(3, 8)", range(1, 6)),
    "a rate": ("a = 0.5", "conv(1, 4) -> dropout(a)", [0.0, 0.3, 1.0, 1.5, -0.1, 1e300, float("inf"), float("nan")]),
    "an extent": ("a = 3", "conv(1x3, 8, pad = a)", [0, 1, 3, 100]),
    "whole numbers of floats": ("a = 0.5", "conv(1, ceil(a * 8)) -> conv(1, floor(a * 8)) -> conv(1, round(a * 5))",
                                [0.1, 0.5, 1.0, 1.25, 1.5, 0.05]),
    "channels that are whole by chance": ("a = 0.5", "conv(1, a * 8)", [0.125, 0.5, 0.3, 1.0]),
    "the smaller of two": ("a = 0.5", "conv(1, min(4, a)) -> conv(1, max(2, a))", [1.0, 3.0, 5.0, 2.5]),
    "powers": ("a = 2", "conv(1, a ** 3) -> conv(1, 2 ** a)", [0, 1, 2, 5, 70, -1]),
    "a power of a float": ("a = 2.0", "conv(1, round(a ** 0.5 * 8))", [0.0, 2.0, 9.0, -1.0]),
    "divisions": ("a = 2", "conv(1, 24 // a) -> conv(1, 24 / a) -> conv(1, 25 % a)", [0, 1, 2, 5, 7]),
    "a sign": ("a = 2", "conv(1, -a)", [-3, 2]),
    "flattened": ("a = 2", "conv(3, a) -> flatten -> linear(a)", [1, 3]),
    "another size of the map": ("a = 2", "adaptive_avgpool(a) -> flatten -> linear(4)", [0, 1, 2, 7]),
    "a step that leads nowhere": ("a = 2", "conv(1, 4) as early -> conv(3, 4) -> (@early if a == 2)", [1, 2, 3]),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_a_parameter_may_be(trap: str) -> None:
    parameter, body, values = TRAPS[trap]
    spec = archspec.parse(f"arch 1 network N({parameter}) {{ input 12 x 12 x 3 body {body} }}")
    candidates = [[value, side] for value in values for side in (12, 3, 13)]
    assert_equal(spec, ["a", "input"], candidates)
    assert_equal(spec, ["a", "input"], candidates[::-1])


def values_of(spec: Spec, random: Random) -> dict[str, list[Value]]:
    """Values of every parameter of a network, its defaults among them."""
    network, arguments = spec.choice
    bound = parameters.bound(spec.module, network, arguments, spec.make.budget)
    env = Environment(spec.module, bound, spec.make.budget)
    found: dict[str, list[Value]] = {"input": [224, 32, random.randint(1, 300)]}
    for parameter in network.parameters:
        name, value = parameter.name.id, bound[parameter.name.id].value
        found[name] = [value]
        if parameter.choices:
            found[name] += [evaluate(choice, env) for choice in parameter.choices]
        elif type(value) is int:
            found[name] += [value + 1, random.randint(0, max(2, 2 * value))]
        elif type(value) is float:
            found[name] += [round(value * random.random() * 2, 3), 1.0]
        elif type(value) is bool:
            found[name] += [not value]
    return found


def assert_zoo_equal(file: str, members: int, candidates: int) -> None:
    random = Random(file)
    loaded = archspec.load(file)
    for name in random.sample(loaded.members, min(members, len(loaded.members))):
        spec = loaded.member(name)
        values = values_of(spec, random)
        names = random.sample(sorted(values), min(3, len(values)))
        assert_equal(spec, names, [[random.choice(values[name]) for name in names] for _ in range(candidates)])


def test_mobilenet_v2_is_counted_as_it_is_elaborated() -> None:
    spec, random = archspec.load("mobilenet_v2"), Random(0)
    candidates = [[random.randint(10, 200) / 100, random.randint(1, 300), random.randint(1, 99)] for _ in range(25)]
    counter = assert_equal(spec, ["alpha", "input", "k"], candidates)
    assert sum(map(len, counter.ways.values())) < 15


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_large", "mobilenet_v1"])
def test_a_few_traces_answer_for_all_widths_and_sizes(name: str) -> None:
    counter = Counter(archspec.load(name), ("alpha", "input"), {}, MEASURES)
    for alpha in range(10, 201, 2):
        for side in range(96, 321, 32):
            counter((alpha / 100, side))
    assert counter.made < 12
    assert not counter.keyed


@pytest.mark.slow
@pytest.mark.parametrize("file", library.specs())
def test_the_zoo_is_counted_as_it_is_elaborated(file: str) -> None:
    assert_zoo_equal(file, members=3, candidates=12)


def test_a_trace_is_for_whatever_takes_the_same_way() -> None:
    spec = archspec.parse("arch 1 network N(c = 8) { input 32 x 32 x 3 body conv(3, c) -> bn }")
    counter = assert_equal(spec, ["c", "input"], [[c, side] for c in range(9, 40) for side in range(1, 40)])
    assert sum(map(len, counter.ways.values())) == 1


def test_what_decides_the_way_has_traces_of_its_own() -> None:
    spec = archspec.parse("arch 1 network N(n = 1, c = 8) { input 32 x 32 x 3 body conv(3, c) * n }")
    counter = assert_equal(spec, ["n", "c"], [[n, c] for n in range(1, 4) for c in range(9, 20)])
    assert counter.keyed == {"n"}


def test_traces_are_forgotten_when_they_get_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archspec.search.counting.STEPS", 100)
    spec = archspec.parse("arch 1 network N(n = 1, c = 8) { input 32 x 32 x 3 body conv(3, c) * n }")
    counter = assert_equal(spec, ["n", "c"], [[n, c] for n in range(1, 20) for c in (9, 11)])
    assert counter.steps <= 100


def test_a_network_too_large_to_trace_is_counted_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archspec.search.traced.MOST", 10)
    counter = assert_equal(archspec.load("mobilenet_v2"), ["alpha"], [[0.5], [0.75]])
    assert not counter.traceable


def test_traces_that_do_not_pay_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archspec.search.counting.PATIENCE", 5)
    text = "arch 1 network N(n = 1, c = 8) { input 32 x 32 x 3 body conv(3, c) -> (conv(1, 4) * (c % 200)) }"
    counter = assert_equal(archspec.parse(text), ["c", "n"], [[c, c] for c in range(9, 20)])
    assert not counter.traceable


def test_a_spec_that_contradicts_its_claims_is_refused_at_all_values() -> None:
    spec = archspec.parse("arch 1 network N(c = 8) { input 8 x 8 x 3 body conv(3, c) check params = 1 }")
    assert_equal(spec, ["c"], [[8], [9]])


def test_count_gives_what_elaborate_gives() -> None:
    spec = archspec.load("mobilenet_v2")
    graph = spec.elaborate((160, 160), alpha=0.35)
    stats = graph.stats()
    assert spec.count((160, 160), alpha=0.35) == {
        "params": stats.params,
        "macs": stats.macs,
        "memory": 4 * peak(graph).numbers,
        "file_size": 4 * (stats.params + stats.buffers),
    }


def test_count_raises_what_elaborate_raises() -> None:
    with pytest.raises(SpecError) as wrong:
        archspec.load("alexnet").count((1, 1))
    assert wrong.value.diagnostics[0].code == "shape-mismatch"
