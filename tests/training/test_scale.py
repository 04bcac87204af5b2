"""Networks made small: strides left out, widths multiplied, and still the same network."""

import numpy as np
import pytest

import archspec
from archspec import backend, library
from archspec.graph import Graph
from archspec.ops.base import Window
from archspec.train.scale import Scale, WrongScale, scaled, total_stride

NAMES = [
    "mobilenet_v2", "vgg16_bn", "resnet50", "densenet121", "shufflenet_v2_x1_0", "efficientnet_b0", "convnext_tiny",
    "googlenet_no_aux", "inception_v3_no_aux", "mnasnet1_0", "regnet_x_400mf", "squeezenet1_1",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_stride_in_all_is_what_was_asked_for(name: str) -> None:
    whole = archspec.load(name).elaborate()
    for total in (16, 8):
        if total_stride(whole) % total == 0:
            assert total_stride(scaled(whole, Scale(image=(64, 64, 3), stride=total))) == total


@pytest.mark.parametrize("name", NAMES)
def test_weights_keep_their_shapes_without_strides(name: str) -> None:
    whole = archspec.load(name).elaborate()
    small = scaled(whole, Scale(stride=total_stride(whole) // 2))
    own = {key: shape for key, shape in whole.tensors().items() if len(shape) == 4}
    assert own == {key: shape for key, shape in small.tensors().items() if len(shape) == 4}


@pytest.mark.parametrize("name", NAMES)
def test_a_width_leaves_the_outputs_alone(name: str) -> None:
    whole = archspec.load(name).elaborate()
    small = scaled(whole, Scale(width=0.5))
    assert small.output.shape == whole.output.shape
    assert small.stats().macs < 0.6 * whole.stats().macs


@pytest.mark.parametrize("name", ["mobilenet_v2", "regnet_x_400mf", "efficientnet_b0", "shufflenet_v2_x1_0"])
def test_a_scaled_network_is_built_and_runs(name: str) -> None:
    small = scaled(archspec.load(name).elaborate(), Scale(image=(40, 32, 3), stride=8, width=0.5))
    torch = backend.get("torch", backend.Builds)
    found = torch.run(torch.build(small), small, np.zeros((2, 40, 32, 3), np.float32))
    assert found["output"].shape == (2, *small.output.shape)


def test_a_scaled_graph_is_a_graph() -> None:
    small = scaled(archspec.load("resnet18").elaborate(), Scale(image=(32, 32, 3), stride=8, width=0.25))
    assert Graph.model_validate_json(small.model_dump_json()) == small


def test_the_first_strides_are_left_out() -> None:
    whole = archspec.load("mobilenet_v2").elaborate()
    small = scaled(whole, Scale(image=(32, 32, 3), stride=8))
    strided = [max(node.op.strides) for node in small.nodes if isinstance(node.op, Window)]
    before = [max(node.op.strides) for node in whole.nodes if isinstance(node.op, Window)]
    places = [i for i, stride in enumerate(before) if stride > 1]
    assert [strided[i] for i in places] == [1, 1, 2, 2, 2]


def test_nothing_changes_where_nothing_is_said() -> None:
    whole = archspec.load("resnet18").elaborate()
    assert scaled(whole, Scale()) is whole
    assert scaled(whole, Scale(stride=32, image=(224, 224, 3))) == whole


def test_a_pooling_over_the_whole_map_stays_one() -> None:
    text = "arch 1\nnetwork N { input 28 x 28 x 3 body conv(3, 8, 4) -> relu -> avgpool(7) -> flatten -> linear(5) }"
    small = scaled(archspec.parse(text).elaborate(), Scale(image=(16, 16, 3)))
    assert small.by_path[small.nodes[3].path].shape == (1, 1, 8)


@pytest.mark.parametrize("total", [3, 64, 5])
def test_a_stride_that_cannot_be_is_told(total: int) -> None:
    with pytest.raises(WrongScale, match=f"cannot become {total}"):
        scaled(archspec.load("resnet18").elaborate(), Scale(stride=total))


def test_a_map_that_is_too_small_is_told() -> None:
    with pytest.raises(WrongScale, match=r"does not fit .*mixed_7a"):
        scaled(archspec.load("inception_v3_no_aux").elaborate(), Scale(image=(32, 32, 3), stride=16))


@pytest.mark.parametrize("name", [name for name in library.members() if name.endswith(("18", "_0_5", "b1", "tiny"))])
def test_halving_the_stride_takes_about_four_times_the_work(name: str) -> None:
    whole = archspec.load(name).elaborate()
    half = scaled(whole, Scale(stride=total_stride(whole) // 2))
    assert 2 < half.stats().macs / whole.stats().macs < 4.5
