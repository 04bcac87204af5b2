"""torchvision's models decompiled: compiled again they are the same, at other sizes too, and a person can read them."""

from collections.abc import Callable
from types import ModuleType

import pytest
from archspec_torch.decompile import read
from decompile.equality import assert_equal
from zoo.equality import macs, randomize, reference

import archspec
from archspec.decompile import decompiled

QUICK = {
    "squeezenet1_1": (20, 96, 71),
    "resnet18": (17, 96, 71),
    "mobilenet_v2": (18, 96, 71),
    "googlenet": (30, 96, 71),
}
"""Name to the lines that the text has at most, but for the keys of weights, and two sides of images."""
MORE = {
    "vgg16": (20, 96, 71),
    "densenet121": (20, 96, 75),
    "alexnet": (14, 224, 71),
    "shufflenet_v2_x1_0": (25, 96, 71),
    "mnasnet0_5": (30, 96, 71),
    "efficientnet_b0": (30, 96, 71),
    "mobilenet_v3_small": (40, 96, 71),
    "regnet_y_400mf": (30, 96, 71),
    "convnext_tiny": (35, 96, 71),
    "inception_v3": (60, 112, 95),
    "resnet50": (20, 96, 71),
}


def check(torchvision: ModuleType, name: str, lines: int, *sides: int) -> None:
    model = reference(torchvision, name).eval()
    counted = macs(model, (3, sides[0], sides[0]))
    randomize(model.double())
    found = decompiled(read(model, (sides[0], sides[0], 3), name, name))
    stats = found.graph.stats()
    used = {tensor.key for tensor in found.tensors.values()}
    assert stats.params == sum(p.numel() for key, p in model.named_parameters() if key in used)
    assert stats.macs == counted
    assert found.text == archspec.format(found.text)
    assert len(found.text.partition("\n\n  weights ")[0].splitlines()) <= lines
    assert_equal(model, found, *((side, side + 9, 3) for side in sides))


@pytest.mark.parametrize("name", QUICK)
def test_a_model_compiles_to_the_same(torchvision: ModuleType, name: str) -> None:
    check(torchvision, name, *QUICK[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", MORE)
def test_more_models_compile_to_the_same(torchvision: ModuleType, name: str) -> None:
    check(torchvision, name, *MORE[name])


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "googlenet"])
def test_the_text_reads_like_one_that_a_person_wrote(
    torchvision: ModuleType, name: str, golden: Callable[[str, str], None]
) -> None:
    model = reference(torchvision, name)
    golden(f"decompile/{name}.arch", decompiled(read(model, (224, 224, 3), name, f"torchvision.models.{name}()")).text)


def test_what_changes_the_scale_of_an_image_is_one_operator(torchvision: ModuleType) -> None:
    model = torchvision.googlenet(transform_input=True, init_weights=False, aux_logits=False)
    randomize(model.double())
    found = decompiled(read(model, (64, 64, 3), "net", "net"))
    assert "body dwconv(1, bias = true)\n    -> basic_conv2d(7, 64, 2)" in found.text
    assert_equal(model, found, (64, 64, 3), (71, 80, 3))
