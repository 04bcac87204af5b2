"""What the zoo has beyond torchvision's own: the papers' versions, each against a model not made from its spec."""

import math
import re
from pathlib import Path
from types import ModuleType

import pytest
from archspec_torch.runtime import build
from torch import nn
from zoo.equality import assert_same_outputs, carried, randomize, reference

import archspec
from archspec import library
from archspec.ops import Conv, LayerScale


@pytest.mark.slow  # tests/test_cli.py checks the folder as a whole
@pytest.mark.parametrize("spec", sorted(library.specs()))
def test_every_claim_and_check_holds(spec: str) -> None:
    assert archspec.load(str(library.specs()[spec])).check_all() == []


@pytest.mark.parametrize("spec", sorted(library.specs()))
def test_every_erratum_names_a_page_or_shows_the_arithmetic(spec: str) -> None:
    for erratum in archspec.load(str(library.specs()[spec])).errata():
        assert re.search(r"https://|[0-9] ?[-·+/=×] ?[0-9]", erratum.clause.reason.value), str(erratum)


# The widths that the authors released; torchvision's names have only the whole ones.
WIDTHS = [("mobilenet_v2", alpha) for alpha in (0.35, 0.5, 0.75, 1.4)]
WIDTHS += [(f"mobilenet_v3_{size}", alpha) for size in ("large", "small") for alpha in (0.5, 0.75, 1.25)]
FEW = {("mobilenet_v2", 0.35), ("mobilenet_v3_small", 0.75)}


@pytest.mark.parametrize(
    ("name", "alpha"), [w if w in FEW else pytest.param(*w, marks=pytest.mark.slow) for w in WIDTHS]
)
def test_outputs_of_narrow_and_wide_mobilenets(
    torchvision: ModuleType, tmp_path: Path, name: str, alpha: float
) -> None:
    theirs = reference(torchvision, name, width_mult=alpha)
    randomize(theirs)
    ours = carried(theirs, name, tmp_path, alpha=alpha)
    theirs = theirs.double()
    for side, train in (96, False), (65, False), (65, True):
        assert_same_outputs(theirs, ours, side, train)


def test_alexnet_of_2012_has_the_kernels_of_the_paper() -> None:
    model = build(archspec.load("alexnet_2012").elaborate())
    kernels = [tuple(layer.weight.shape) for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    assert kernels == [(96, 3, 11, 11), (256, 48, 5, 5), (384, 256, 3, 3), (384, 192, 3, 3), (256, 192, 3, 3)]


def test_googlenet_by_its_paper_and_by_its_name() -> None:
    """A path is the paper's network, the name is torchvision's."""
    assert archspec.load(str(library.specs()["googlenet"])).elaborate().stats().params == 6_998_552
    assert archspec.load("googlenet").elaborate().stats().params == 13_004_888
    assert archspec.load("GoogLeNet").elaborate().stats().params == 6_998_552


@pytest.mark.parametrize("name", ["googlenet_no_aux", "inception_v3_no_aux"])
def test_outputs_without_auxiliary_heads(torchvision: ModuleType, tmp_path: Path, name: str) -> None:
    theirs = reference(torchvision, name.removesuffix("_no_aux"), aux_logits=False)
    found = archspec.load(name).elaborate().stats()
    assert found.params == sum(p.numel() for p in theirs.parameters())
    randomize(theirs)
    ours = carried(theirs, name, tmp_path)
    theirs = theirs.double()
    # At 97 and 130 poolings with ceil hang over the edge; 75 is the least that Inception v3 takes.
    for side, train in (130, False), (97, False), (111, True):
        assert_same_outputs(theirs, ours, side, train)


@pytest.mark.parametrize(("side", "train"), [(64, False), (75, True)])
def test_the_papers_resnet_strides_on_the_first_convolution(
    torchvision: ModuleType, tmp_path: Path, side: int, train: bool
) -> None:
    theirs = reference(torchvision, "resnet50")
    for module in theirs.modules():
        if type(module).__name__ == "Bottleneck":
            first, second = module.conv1, module.conv2
            assert isinstance(first, nn.Conv2d)
            assert isinstance(second, nn.Conv2d)
            first.stride, second.stride = second.stride, first.stride
    randomize(theirs)
    ours = carried(theirs, "resnet50_v1", tmp_path)
    assert_same_outputs(theirs.double(), ours, side, train)


# Table 2 of the EfficientNet paper does not print them, its authors' code does; V2's are those of its evaluation.
RESOLUTIONS = {
    **{f"efficientnet_b{i}": side for i, side in enumerate((224, 240, 260, 300, 380, 456, 528, 600))},
    **{"efficientnet_v2_s": 384, "efficientnet_v2_m": 480, "efficientnet_v2_l": 480},
}


@pytest.mark.parametrize(("name", "side"), RESOLUTIONS.items())
def test_efficientnets_have_the_resolution_of_their_member(name: str, side: int) -> None:
    assert archspec.load(name).elaborate().input.shape == (side, side, 3)


# DEPTH, W0, WA, WM and GROUP_W in configs/dds_baselines of https://github.com/facebookresearch/pycls; the last one is
# torchvision's.
AUTHORS = {
    "RegNetX-200MF": (13, 24, 36.44, 2.49, 8),
    "RegNetX-400MF": (22, 24, 24.48, 2.54, 16),
    "RegNetX-600MF": (16, 48, 36.97, 2.24, 24),
    "RegNetX-800MF": (16, 56, 35.73, 2.28, 16),
    "RegNetX-1.6GF": (18, 80, 34.01, 2.25, 24),
    "RegNetX-3.2GF": (25, 88, 26.31, 2.25, 48),
    "RegNetX-4.0GF": (23, 96, 38.65, 2.43, 40),
    "RegNetX-6.4GF": (17, 184, 60.83, 2.07, 56),
    "RegNetX-8.0GF": (23, 80, 49.56, 2.88, 120),
    "RegNetX-12GF": (19, 168, 73.36, 2.37, 112),
    "RegNetX-16GF": (22, 216, 55.59, 2.1, 128),
    "RegNetX-32GF": (23, 320, 69.86, 2.0, 168),
    "RegNetY-200MF": (13, 24, 36.44, 2.49, 8),
    "RegNetY-400MF": (16, 48, 27.89, 2.09, 8),
    "RegNetY-600MF": (15, 48, 32.54, 2.32, 16),
    "RegNetY-800MF": (14, 56, 38.84, 2.4, 16),
    "RegNetY-1.6GF": (27, 48, 20.71, 2.65, 24),
    "RegNetY-3.2GF": (21, 80, 42.63, 2.66, 24),
    "RegNetY-4.0GF": (22, 96, 31.41, 2.24, 64),
    "RegNetY-6.4GF": (25, 112, 33.22, 2.27, 72),
    "RegNetY-8.0GF": (17, 192, 76.82, 2.19, 56),
    "RegNetY-12GF": (19, 168, 73.36, 2.37, 112),
    "RegNetY-16GF": (18, 200, 106.23, 2.48, 112),
    "RegNetY-32GF": (20, 232, 115.89, 2.53, 232),
    "RegNetY-128GF": (27, 456, 160.83, 2.52, 264),
}


def stages(depth: int, w_0: int, w_a: float, w_m: float, group: int) -> list[tuple[int, int]]:
    """Width and number of groups of every block, by equations 2 to 4 of the paper and the authors' code."""
    blocks = []
    for j in range(depth):
        power = round(math.log((w_0 + w_a * j) / w_0) / math.log(w_m))
        width = round(w_0 * w_m**power / 8) * 8
        own = min(group, width)
        blocks.append((round(width / own) * own, round(width / own)))
    return blocks


@pytest.mark.parametrize("name", AUTHORS)
def test_the_legends_follow_from_the_authors_parameters(name: str) -> None:
    graph = archspec.load("regnet").elaborate(model=name)
    grouped = [node.op for node in graph.nodes if node.path.endswith("grouped/conv")]
    assert [(op.channels, op.groups) for op in grouped if isinstance(op, Conv)] == stages(*AUTHORS[name])


@pytest.mark.parametrize("size", ["tiny", "small", "base", "large"])
def test_layer_scales_of_convnext_begin_as_the_papers(size: str) -> None:
    ops = [node.op for node in archspec.load(f"convnext_{size}").elaborate().nodes]
    assert {op.init for op in ops if isinstance(op, LayerScale)} == {1e-6}
