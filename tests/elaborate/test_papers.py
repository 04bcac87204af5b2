"""Networks written in the language from their papers, against torchvision's: parameters, and multiply-accumulates.

Their side is counted by hooks on a forward pass on the meta device, ours by archspec's own rules.
"""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from zoo.equality import macs

import archspec

PAPERS = Path(__file__).with_name("papers")
FILES = sorted(PAPERS.glob("*.arch"))
# torchvision's name, its arguments; our file, member, parameters
SAME: list[tuple[str, dict[str, Any], str, str, dict[str, Any]]] = [
    ("alexnet", {}, "alexnet", "AlexNet", {}),
    ("vgg11", {}, "vgg", "vgg11", {}),
    ("vgg13", {}, "vgg", "vgg13", {}),
    ("vgg16", {}, "vgg", "vgg16", {}),
    *((f"resnet{depth}", {}, "resnet", f"resnet{depth}", {}) for depth in (18, 34, 50, 101, 152)),
    ("resnet50", {}, "resnet_by_star", "resnet50", {}),
    ("googlenet", {"aux_logits": False, "init_weights": False}, "googlenet", "GoogLeNet", {"torchvision": True}),
    ("densenet121", {}, "densenet", "densenet121", {}),
    ("densenet169", {}, "densenet", "densenet169", {}),
    ("squeezenet1_0", {}, "squeezenet", "SqueezeNet", {"r": 224}),
    ("shufflenet_v2_x0_5", {}, "shufflenet_v2", "x0_5", {}),
    ("shufflenet_v2_x1_0", {}, "shufflenet_v2", "x1_0", {}),
    ("shufflenet_v2_x2_0", {}, "shufflenet_v2", "x2_0", {}),
]


def paper(name: str, member: str) -> archspec.Spec:
    return archspec.load(f"{PAPERS / name}.arch:{member}")


@pytest.mark.parametrize(("name", "options", "file", "member", "values"), SAME, ids=lambda case: str(case))
def test_a_paper_has_the_parameters_and_macs_of_torchvisions_model(
    torchvision: ModuleType, name: str, options: dict[str, Any], file: str, member: str, values: dict[str, Any]
) -> None:
    with torch.device("meta"):
        theirs = getattr(torchvision, name)(weights=None, **options).eval()
    ours = paper(file, member).elaborate(**values).stats()
    assert (ours.params, ours.macs) == (sum(p.numel() for p in theirs.parameters()), macs(theirs, (3, 224, 224)))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_claim_of_a_papers_table_holds(file: Path) -> None:
    assert archspec.load(file).check_all() == []


@pytest.mark.parametrize("place", ["row 1, ops", "row inception (4a), ops", "row inception (5a), ops"])
def test_googlenets_table_needs_each_of_its_errata(place: str) -> None:
    lines = (PAPERS / "googlenet.arch").read_text(encoding="utf-8").splitlines()
    left = "\n".join(line for line in lines if place not in line)
    assert [d.code for d in archspec.parse(left).check()] == ["number-claim"]


def test_resnets_strides_follow_from_its_output_column() -> None:
    graph = paper("resnet", "resnet50").elaborate()
    strides = {n.path.partition("/")[0]: n.op.stride for n in graph.nodes if n.path.endswith("bottleneck_1/conv_2")}
    assert strides == {"row_3": 1, "row_4": 2, "row_5": 2, "row_6": 2}


def test_a_repeat_by_a_hole_gives_the_network_that_a_repeat_in_the_rule_gives() -> None:
    shapes = [
        [node.shape for node in paper(file, "resnet34").elaborate().nodes] for file in ("resnet", "resnet_by_star")
    ]
    assert shapes[0] == shapes[1]


def test_googlenet_as_printed_has_its_ops_and_no_batch_normalisation() -> None:
    graph = paper("googlenet", "GoogLeNet").elaborate()
    assert {node.op.kind for node in graph.nodes}.isdisjoint({"bn"})
    assert graph.stats().params == 6_998_552
