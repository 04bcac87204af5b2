"""Receptive fields: known figures, by windows, where paths meet, and against what a network really sees."""

import archspec_torch
import pytest
import torch
from graphs import graph

import archspec
from archspec.ops import OPERATORS
from archspec.receptive import receptive_fields

CONV, DWCONV, MAXPOOL, ADD, RELU = (OPERATORS[kind] for kind in ("conv", "dwconv", "maxpool", "add", "relu"))


# Araujo et al., Computing Receptive Fields of Convolutional Neural Networks (Distill 2019), table of the appendix
@pytest.mark.parametrize(
    ("name", "size"), [("alexnet", 195), ("vgg16", 212), ("resnet50", 483), ("resnet101", 1027), ("mobilenet_v1", 315)]
)
def test_the_published_figures(name: str, size: int) -> None:
    made = archspec.load(name).elaborate()
    known = [field for field in receptive_fields(made).values() if field is not None]
    # the paper counts ResNets whose 3×3 convolution strides, as torchvision's do not: 427 and 971
    expected = {"resnet50": 427, "resnet101": 971}.get(name, size)
    assert known[-1] == (expected, expected)


def test_a_window_widens_by_the_strides_before_it() -> None:
    made = graph(
        (32, 32, 3), ("a", CONV(kernel=3, channels=4, stride=2)), ("b", CONV(kernel=(1, 5), channels=4, dilation=2)),
        ("c", MAXPOOL(kernel=2)),
    )  # fmt: skip
    assert receptive_fields(made) == {"input": (1, 1), "a": (3, 3), "b": (3, 19), "c": (5, 21)}


def test_the_widest_of_paths_that_meet_counts() -> None:
    made = graph((16, 16, 4), ("a", CONV(kernel=3, channels=4)), ("b", ADD(), ("input", "a")), ("c", RELU()))
    assert receptive_fields(made)["c"] == (3, 3)


@pytest.mark.parametrize("name", ["mobilenet_v2", "squeezenet1_1", "shufflenet_v2_x0_5"])
def test_no_pixel_outside_of_it_is_seen_and_its_border_is(name: str) -> None:
    made = archspec.load(name).elaborate((160, 160))
    fields = receptive_fields(made)
    wanted = [n for n in made.nodes if fields[n.path] and n.op.kind == "conv" and max(fields[n.path] or (0,)) < 100][-1]
    model = archspec_torch.Backend().build(made).eval().double()
    image = torch.rand(1, 3, 160, 160, dtype=torch.float64, requires_grad=True)
    seen: list[torch.Tensor] = []
    for module, path in ((m, p.replace(".", "/")) for p, m in model.named_modules()):
        if path == wanted.path:
            module.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    model(image)
    middle = wanted.shape[0] // 2
    seen[0][0, :, middle, middle].sum().backward()
    assert image.grad is not None
    touched = image.grad[0].abs().sum(0).nonzero()
    spans = touched.max(0).values - touched.min(0).values + 1
    assert tuple(spans.tolist()) == fields[wanted.path]
