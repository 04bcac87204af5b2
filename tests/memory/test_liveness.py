"""What is alive while a node computes: the conventions, one by one, and their laws on random networks."""

from graphs import graph
from hypothesis import given, settings
from random_graphs import small_graphs
from random_networks import Part, networks

import archspec
from archspec.graph import Graph
from archspec.memory import best_order, liveness, peak, storages
from archspec.ops import Add, BatchNorm, Concat, Conv, Dropout, Flatten, Mul, Relu, Slice, Softmax


def counts(net: Graph, in_place: bool = False) -> list[int]:
    return liveness(storages(net), in_place)


def test_the_image_is_alive_until_its_last_user_has_computed() -> None:
    net = graph((4, 4, 1), ("conv", Conv(kernel=1, channels=2)), ("conv_2", Conv(kernel=1, channels=1)))
    assert counts(net) == [16, 16 + 32, 32 + 16]


def test_a_shortcut_is_alive_beside_the_branch() -> None:
    net = graph(
        (4, 4, 1),
        ("conv", Conv(kernel=1, channels=3)),
        ("conv_2", Conv(kernel=1, channels=1)),
        ("add", Add(), ("conv_2", "input")),
    )
    assert counts(net) == [16, 16 + 48, 16 + 48 + 16, 16 + 16 + 16]


def test_an_activation_is_written_over_its_input_in_place() -> None:
    net = graph((4, 4, 1), ("bn", BatchNorm()), ("relu", Relu()))
    assert (counts(net), counts(net, in_place=True)) == ([16, 32, 32], [16, 16, 16])


def test_an_input_that_is_still_needed_is_not_written_over() -> None:
    net = graph((4, 4, 1), ("relu", Relu()), ("add", Add(), ("relu", "input")))
    assert counts(net, in_place=True) == [16, 32, 32]


def test_an_output_of_the_network_is_not_written_over() -> None:
    net = graph((4, 4, 1), ("bn", BatchNorm()), ("relu", Relu()), outputs={"aux": "bn", "output": "relu"})
    assert counts(net, in_place=True) == [16, 16, 32]


def test_dropout_flatten_and_slices_are_views_in_both_figures() -> None:
    net = graph((4, 4, 2), ("drop", Dropout()), ("flat", Flatten()), ("half", Slice(start=0, stop=16)))
    assert counts(net) == counts(net, in_place=True) == [32, 32, 32, 32]


def test_a_slice_keeps_alive_what_it_was_cut_from() -> None:
    net = graph((4, 4, 8), ("slice", Slice(start=0, stop=1)), ("conv", Conv(kernel=1, channels=1)))
    assert counts(net) == [128, 128, 128 + 16]


def test_flattening_by_pixels_moves_the_numbers_of_a_map() -> None:
    assert counts(graph((4, 4, 2), ("flat", Flatten(order="hwc")))) == [32, 64]


def test_a_softmax_is_not_done_in_place() -> None:
    assert counts(graph((16,), ("softmax", Softmax())), in_place=True) == [16, 32]


def test_a_product_is_not_written_over_what_is_spread_over_it_too() -> None:
    net = graph((4, 4, 8), ("slice", Slice(start=0, stop=1)), ("mul", Mul(), ("input", "slice")))
    assert counts(net, in_place=True) == [128, 128, 256]


def test_the_peak_names_the_first_node_where_it_is() -> None:
    net = graph(
        (4, 4, 1), ("conv", Conv(kernel=1, channels=3)), ("cat", Concat(), ("conv", "input")), ("bn", BatchNorm())
    )
    assert (peak(net).numbers, peak(net).node) == (128, "cat")


@settings(max_examples=200, deadline=None)
@given(net=small_graphs(most=12))
def test_in_place_needs_no_more_at_any_node(net: Graph) -> None:
    assert all(a <= b for a, b in zip(counts(net, in_place=True), counts(net), strict=True))


@settings(max_examples=50, deadline=None)
@given(part=networks())
def test_the_best_order_of_a_network_of_the_language_needs_no_more_than_its_own(part: Part) -> None:
    net = archspec.parse(part.text).elaborate()
    plain, in_place = best_order(net), best_order(net, in_place=True)
    assert plain.peak.numbers <= peak(net).numbers
    assert in_place.peak.numbers <= min(plain.peak.numbers, peak(net, in_place=True).numbers)
