"""`init`: distributions by kind of operator and by path."""

import pytest

import archspec
from archspec.initializer import Normal, Uniform

BODY = "arch 1\nnetwork N { input 8 x 8 x 3 body (conv(3, 4) -> relu) * 2 -> conv(1, 4) as last -> relu init %s }"


def initial(init: str) -> dict[str, object]:
    graph = archspec.parse(BODY % init).elaborate()
    return {node.path: graph.initializer(node) for node in graph.nodes if node.op.kind == "conv"}


def test_a_path_goes_before_the_kind_and_the_closest_path_before_the_others() -> None:
    found = initial(
        'conv = normal(0.5), "repeat_{n}/conv" = uniform(0.25), "repeat_2/conv" = normal(0.1), "last" = normal(1.0)'
    )
    assert found == {
        "repeat_1/conv": Uniform(bound=0.25), "repeat_2/conv": Normal(std=0.1), "last": Normal(std=1.0),
    }  # fmt: skip


def test_the_order_of_the_patterns_means_nothing() -> None:
    assert initial('"repeat_2/conv" = normal(0.1), "{a}/{b}" = uniform(0.25)')["repeat_2/conv"] == Normal(std=0.1)


@pytest.mark.parametrize("path", ["repeat_1/relu", "repeat_3/conv", "conv", ""])
def test_a_path_that_no_node_with_drawn_weights_has_is_an_error(path: str) -> None:
    with pytest.raises(archspec.SpecError) as caught:
        initial(f'"{path}" = normal(0.1)')
    assert [d.message for d in caught.value.diagnostics] == ["no `conv` or `dwconv` or `linear` has this path"]
