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


def test_parameters_decide() -> None:
    text = (
        "arch 1\nnetwork N(wide = false) { input 8 x 8 x 3 body conv(3, 4) as first "
        'init conv = uniform(0.25) if wide else normal(0.5), "first" = normal(1.0) if not wide else normal(2.0) }'
    )
    spec = archspec.parse(text)
    assert [spec.elaborate(wide=wide).init["conv"] for wide in (True, False)] == [Uniform(bound=0.25), Normal(std=0.5)]
    assert [spec.elaborate(wide=wide).init["first"] for wide in (True, False)] == [Normal(std=2.0), Normal(std=1.0)]


@pytest.mark.parametrize(
    ("init", "found"),
    [
        ("conv = normal(0.1) if 3 else normal(0.2)", "3"),
        ("conv = normal(0.1) if wdie else normal(0.2)", "wdie"),
        ("conv = normal(0.1) if false else nromal(0.2)", "nromal"),
    ],
)
def test_what_decides_is_true_or_false(init: str, found: str) -> None:
    with pytest.raises(archspec.SpecError) as caught:
        initial(init)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.primary.text == found
