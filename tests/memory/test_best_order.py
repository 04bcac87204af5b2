"""The best order is the best of all: tried out on small networks, one order after the other."""

import pytest
from graphs import graph
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import alive, orders, small_graphs

import archspec
from archspec.driver import bundled_networks
from archspec.graph import Graph
from archspec.memory import best_order, liveness, peak, storages
from archspec.memory.best_order import LONGEST
from archspec.ops import Add, Conv, Relu, Slice

IN_PLACE = pytest.mark.parametrize("in_place", [False, True])
TRIED = settings(max_examples=60, deadline=None)


def lowest(net: Graph, in_place: bool) -> int:
    return min(max(alive(net, order, in_place)) for order in orders(net))


@IN_PLACE
@TRIED
@given(net=small_graphs(most=6))
def test_no_order_of_a_small_network_needs_less_than_the_best(net: Graph, in_place: bool) -> None:
    best = best_order(net, in_place)
    assert (best.peak.numbers, best.exact) == (lowest(net, in_place), True)


@pytest.mark.slow
@IN_PLACE
@settings(max_examples=1000, deadline=None)
@given(net=small_graphs(most=8))
def test_no_order_of_many_networks_needs_less_than_the_best(net: Graph, in_place: bool) -> None:
    best = best_order(net, in_place)
    assert (best.peak.numbers, best.exact) == (lowest(net, in_place), True)


@IN_PLACE
@TRIED
@given(net=small_graphs(most=6), states=st.integers(0, 4))
def test_where_the_search_is_cut_short_the_best_lies_between_the_bounds(
    net: Graph, states: int, in_place: bool
) -> None:
    best = best_order(net, in_place, states)
    assert best.at_least <= lowest(net, in_place) <= best.peak.numbers <= peak(net, in_place).numbers


@IN_PLACE
@TRIED
@given(net=small_graphs(most=6), states=st.sampled_from([0, 2, 1000]))
def test_the_order_that_is_named_has_the_peak_that_is_named(net: Graph, states: int, in_place: bool) -> None:
    best = best_order(net, in_place, states)
    order = [net.by_path[path] for path in best.order]
    counts = alive(net, order, in_place)
    assert tuple(order) in set(orders(net))
    assert (max(counts), order[counts.index(max(counts))].path) == (best.peak.numbers, best.peak.node)


@IN_PLACE
@settings(max_examples=100, deadline=None)
@given(net=small_graphs(most=12))
def test_what_is_alive_is_what_still_matters(net: Graph, in_place: bool) -> None:
    assert liveness(storages(net), in_place) == alive(net, net.nodes, in_place)


@pytest.mark.slow
@IN_PLACE
def test_the_best_order_of_every_network_of_the_zoo_is_proven(in_place: bool) -> None:
    names = [name for name, _, _ in bundled_networks()]
    assert len(names) > 100
    assert [name for name in names if not best_order(archspec.load(name).elaborate(), in_place).exact] == []


def test_a_node_that_needs_more_than_was_needed_is_no_move_without_a_choice() -> None:
    # `last` leaves no more alive than before, but beside `unused` it needs 12; the rest can run in 8
    net = graph(
        (2, 2, 1),
        ("kept", Relu(), ("input",)),
        ("unused", Relu(), ("input",)),
        ("view", Slice(start=0, stop=1), ("unused",)),
        ("last", Relu(), ("kept",)),
        outputs={"aux": "kept", "output": "last"},
    )
    assert (peak(net).numbers, best_order(net).peak.numbers) == (12, 8)


def test_a_part_too_long_to_be_searched_gets_a_bound_and_an_order_that_is_one() -> None:
    width = LONGEST // 4
    wide = [(f"wide_{i}", Conv(kernel=1, channels=5), ("input",)) for i in range(width)]
    narrow = [(f"narrow_{i}", Conv(kernel=1, channels=1), (f"wide_{i}",)) for i in range(width)]
    pairs = [(f"pair_{i}", Add(), (f"narrow_{i}", f"narrow_{i + 1}")) for i in range(0, width, 2)]
    ends = [(f"end_{i}", Conv(kernel=1, channels=1), (f"pair_{i}",)) for i in range(0, width, 2)]
    sums = [(f"sum_{i}", Relu(), (f"end_{i}",)) for i in range(0, width, 2)]
    net = graph((2, 2, 1), *wide, *narrow, *pairs, *ends, *sums, ("add", Add(), tuple(path for path, *_ in sums)))
    best = best_order(net)
    place = {path: position for position, path in enumerate(best.order)}
    assert all(place[source] < place[node.path] for node in net.nodes for source in node.inputs)
    assert best.at_least <= best.peak.numbers < peak(net).numbers


def test_a_branch_that_shrinks_runs_before_one_that_grows() -> None:
    # 64 in; wide: 64 -> 640 -> 64, kept beside the input, and narrow: 64 -> 1
    net = graph(
        (8, 8, 1),
        ("wide", Conv(kernel=1, channels=10), ("input",)),
        ("kept", Conv(kernel=1, channels=10), ("input",)),
        ("narrow", Conv(kernel=1, channels=1), ("wide",)),
        ("kept_narrow", Conv(kernel=1, channels=1), ("kept",)),
        ("add", Add(), ("narrow", "kept_narrow")),
    )
    best = best_order(net)
    assert (peak(net).numbers, best.peak.numbers) == (64 + 640 + 640 + 0, 64 + 64 + 640)
    assert best.order == ("input", "wide", "narrow", "kept", "kept_narrow", "add")
