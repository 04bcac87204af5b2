"""Attributes of torch's layers whose `None`, 0 or default means something of its own: each is exact or refused."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from archspec_torch.decompile.reader import TorchReader
from archspec_torch.program import program_of
from decompile.equality import assert_equal, from_torch
from decompile.modules import Of, found, kinds, only, refused
from torch import nn
from torch.nn import functional as F  # noqa: N812

from archspec import ops
from archspec.decompile import CannotSay

LAST = {"before": (0, 2, 3, 1), "after": (0, 3, 1, 2)}


def conv(channels: int = 4) -> nn.Module:
    return nn.Conv2d(4, channels, 1)


def on_pixels(norm: nn.Module) -> nn.Module:
    """A layer that works on the last dimension, on the pixels of a map."""
    return Of(lambda m, x: m.norm(x.permute(LAST["before"])).permute(LAST["after"]), norm=norm)


@pytest.mark.parametrize(
    ("layer", "op"),
    [
        (nn.Conv2d(4, 4, 3, padding="same", dilation=2), ops.Conv(channels=4, kernel=3, dilation=2, bias=True)),
        (nn.Conv2d(4, 4, 3, padding=0), ops.Conv(channels=4, kernel=3, pad="valid", bias=True)),
        (nn.GroupNorm(2, 4, affine=False), ops.GroupNorm(groups=2, scale=False, shift=False)),
        (on_pixels(nn.LayerNorm(4, elementwise_affine=False)), ops.LayerNorm(scale=False, shift=False)),
        (on_pixels(nn.LayerNorm(4, bias=False)), ops.LayerNorm(shift=False)),
        (nn.Dropout(0.0), ops.Dropout(rate=0)),
        (nn.Dropout(1.0), ops.Dropout(rate=1)),
        (nn.Dropout(0.25, inplace=True), ops.Dropout(rate=0.25)),
        (nn.Upsample(scale_factor=2, mode="nearest-exact"), ops.Upsample()),
        (nn.Upsample(size=(18, 33), mode="bilinear"), ops.Upsample(scale=(2, 3), mode="bilinear")),
        (nn.Upsample(scale_factor=2, mode="bilinear", recompute_scale_factor=True), ops.Upsample(mode="bilinear")),
        (nn.LeakyReLU(0.0), ops.LeakyRelu(slope=0)),
        pytest.param(
            nn.Softmax(dim=None), ops.Softmax(), marks=pytest.mark.filterwarnings("ignore:Implicit dimension choice")
        ),
        (nn.Softmax2d(), ops.Softmax()),
        (nn.AdaptiveAvgPool2d((None, 7)), ops.AdaptiveAvgPool(size=(9, 7))),
        (nn.AdaptiveAvgPool2d(13), ops.AdaptiveAvgPool(size=13)),
        (nn.Flatten(-3), ops.Flatten()),
        (nn.AvgPool2d((2, 3), stride=None), ops.AvgPool(kernel=(2, 3), pad="valid")),
        (nn.AvgPool2d(3, 2, 1, ceil_mode=True), ops.AvgPool(kernel=3, stride=2, ceil=True)),
        (
            nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
            ops.AvgPool(kernel=3, stride=2, ceil=True, include_pad=False),
        ),
        (nn.MaxPool2d(3, 2, 1, 2, ceil_mode=True), ops.MaxPool(kernel=3, stride=2, pad=1, dilation=2, ceil=True)),
        (Of(lambda m, x: F.max_pool2d(x, 2, return_indices=True)[0]), ops.MaxPool(kernel=2)),
        (Of(lambda m, x: x.narrow(1, -2, 2)), ops.Slice(start=2, stop=4)),
        (Of(lambda m, x: x.narrow(1, -3, 2)), ops.Slice(start=1, stop=3)),
        (Of(lambda m, x: x[:, -3:-1]), ops.Slice(start=1, stop=3)),
        (Of(lambda m, x: x[:, -10:3]), ops.Slice(start=0, stop=3)),
        (Of(lambda m, x: x[:, 1:99]), ops.Slice(start=1, stop=4)),
        (Of(lambda m, x: F.pad(x, (1, 1))), ops.Pad(amount=(0, 1))),
    ],
    ids=str,
)
def test_an_attribute_is_said_exactly(layer: nn.Module, op: Any) -> None:
    assert only(layer) == op


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda m, x: 0 + m.conv(x), ["conv"]),
        (lambda m, x: m.conv(x) + 0.0, ["conv"]),
        (lambda m, x: m.conv(x) - 0, ["conv"]),
        (lambda m, x: m.conv(x) * 1, ["conv"]),
        (lambda m, x: 1.0 * m.conv(x), ["conv"]),
        (lambda m, x: m.conv(x) / 1, ["conv"]),
        (lambda m, x: sum([m.conv(x), x]), ["conv", "add"]),
        (lambda m, x: (y := m.conv(x)).as_strided((len(y), 396), (396, 1)), ["conv", "flatten"]),
        (lambda m, x: torch.cat(m.five(x).chunk(3, 1)[::-1], 1), ["conv", "slice", "slice", "slice", "concat"]),
        (lambda m, x: torch.cat(x.split(3, -3)[::-1], 1), ["slice", "slice", "concat"]),
        (lambda m, x: m.linear(x.flatten(1)), ["flatten", "linear"]),
        (lambda m, x: m.same(m.conv(x)), ["conv"]),
    ],
)
def test_what_changes_nothing_is_nothing(function: Callable[..., Any], expected: list[str]) -> None:
    model = Of(function, conv=conv(), five=conv(5), linear=nn.Linear(396, 3, bias=False), same=nn.Identity())
    assert kinds(model) == expected


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (nn.BatchNorm2d(4, momentum=None), "its momentum is 0 or None"),
        (nn.BatchNorm2d(4, momentum=0.0), "its momentum is 0 or None"),
        (nn.BatchNorm2d(4, track_running_stats=False), "by the batch"),
        (nn.InstanceNorm2d(4, track_running_stats=True), "by running statistics"),
        (nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"), "it pads by `circular`"),
        (nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), "it pads by `reflect`"),
        (nn.Conv2d(4, 4, 3, padding=1, padding_mode="replicate"), "it pads by `replicate`"),
        (Of(lambda m, x: F.dropout(x, 0.5, True)), "it drops values in evaluation too"),
        (Of(lambda m, x: F.dropout2d(x, 0.5, True)), "it drops values in evaluation too"),
        (nn.Dropout2d(), "it drops whole channels"),
        (nn.AlphaDropout(), "alpha_dropout"),
        (Of(lambda m, x: F.max_pool2d(x, 2, return_indices=True)), "places of maxima"),
        (Of(lambda m, x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2)), "max_unpool2d"),
        (Of(lambda m, x: F.interpolate(x, scale_factor=2.05)), "its factors are others"),
        (Of(lambda m, x: F.interpolate(x, scale_factor=2, mode="bilinear", antialias=True)), "_upsample_bilinear2d_aa"),
        (nn.Upsample(scale_factor=2, mode="bicubic"), "upsample_bicubic2d"),
        (nn.Hardtanh(), "it cuts at -1.0 and 1.0"),
        (Of(lambda m, x: x.clamp(max=6)), "it cuts at None and 6"),
        (Of(lambda m, x: x.clamp(min=x)), "its bounds are computed"),
        (Of(lambda m, x: m.conv(x).softmax(1, dtype=torch.float64), conv=conv()), "it changes the type of numbers"),
        (Of(lambda m, x: m.conv(x).mean((2, 3), dtype=torch.float64), conv=conv()), "it changes the type of numbers"),
        (Of(lambda m, x: x.mean()), "not a mean over the whole map"),
        (nn.Flatten(2), "not a tensor of the language"),
        (nn.LocalResponseNorm(4), "no channel is in the middle"),
        (nn.PixelShuffle(2), "pixel_shuffle"),
        (nn.AvgPool2d(2, divisor_override=3), "divides by another number"),
        (Of(lambda m, x: F.pad(x, (0, 0, -1, 0))), "cuts off"),
        (Of(lambda m, x: torch.add(x, x, alpha=2)), "its factor is not 1"),
        (Of(lambda m, x: x - m.conv(x), conv=conv()), "it subtracts"),
        (Of(lambda m, x: x / m.conv(x), conv=conv()), "it divides"),
        (Of(lambda m, x: x * m.one, one=nn.Parameter(torch.ones(1))), "one value for all channels"),
        (Of(lambda m, x: x / m.one, one=nn.Parameter(torch.ones(1, 4, 1, 1))), "divides by a trained tensor"),
        (Of(lambda m, x: x + m.one, one=nn.Parameter(torch.ones(1, 4, 1, 1))), "else than the result of a layer"),
        (Of(lambda m, x: m.conv(x) + m.one, conv=conv(), one=nn.Parameter(torch.ones(4, 1, 1))), "without a bias"),
        (Of(lambda m, x: x * m.plane, plane=nn.Buffer(torch.ones(9, 11))), "does not have one number per channel"),
        (Of(lambda m, x: x / 0), "numbers that are not finite"),
        (Of(lambda m, x: x.flatten(1) + 1), "constants to the channels of a vector"),
        (Of(lambda m, x: torch.div(x, 2, rounding_mode="floor")), "it rounds"),
        (Of(lambda m, x: x.flip(1).as_strided((len(x), 396), (396, 1))), "flip"),
        (Of(lambda m, x: x[:, 1:].as_strided((len(x), 396), (396, 1))), "by their places in memory"),
        (Of(lambda m, x: m.conv(x).as_strided((len(x), 36, 11), (396, 1, 36)), conv=conv()), "places in memory"),
    ],
    ids=str,
)
def test_an_attribute_is_refused(layer: nn.Module, why: str) -> None:
    assert why in refused(layer)


class Normalised(nn.Module):
    """As networks are given images of bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225])[None, :, None, None])
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv((x / 255.0 - self.mean) / self.std)  # type: ignore[no-any-return]


class Transformed(nn.Module):
    """As torchvision's googlenet and inception_v3 change the scale of what `transform_input` is for."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        one = torch.unsqueeze(x[:, 0], 1) * (0.229 / 0.5) + (0.485 - 0.5) / 0.5
        two = torch.unsqueeze(x[:, 1], 1) * (0.224 / 0.5) + (0.456 - 0.5) / 0.5
        three = torch.unsqueeze(x[:, 2], 1) * (0.225 / 0.5) + (0.406 - 0.5) / 0.5
        return self.conv(torch.cat((one, two, three), 1))  # type: ignore[no-any-return]


@pytest.mark.parametrize("model", [Normalised(), Transformed()], ids=["buffers", "numbers"])
def test_a_constant_affine_of_each_channel_is_one_depthwise_convolution(model: nn.Module) -> None:
    model.double()
    read = from_torch(model, 8, 8, 3)
    assert "body dwconv(1, bias = true) -> conv(3, 4, pad = valid, bias = true)" in read.text
    assert "here they are weights, which only a file of weights has." in read.text
    assert_equal(model, read, (8, 8, 3))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda m, x: x * 2, ["layer_scale"]),
        (lambda m, x: -x, ["layer_scale"]),
        (lambda m, x: 1 - x, ["dwconv"]),
        (lambda m, x: (x / 127.5 - 1) * 3, ["dwconv"]),
        (lambda m, x: (y := x * 2) + 1 + y, ["layer_scale", "dwconv", "add"]),
        (lambda m, x: m.plain(x) + m.bias, ["conv"]),
        (lambda m, x: torch.cat([x[:, :2] * 2, x[:, 2:]], 1), ["layer_scale"]),
        (lambda m, x: torch.cat([x[:, 2:] * 2, x[:, :2]], 1), ["slice", "layer_scale", "slice", "concat"]),
        (lambda m, x: (x.permute(0, 2, 3, 1) + m.last).permute(0, 3, 1, 2), ["dwconv"]),
    ],
)
def test_arithmetic_with_constants_is_operators(function: Callable[..., Any], expected: list[str]) -> None:
    model = Of(function, plain=nn.Conv2d(4, 4, 3, bias=False), bias=nn.Parameter(torch.ones(1, 4, 1, 1)))
    model.register_buffer("last", torch.arange(4.0))
    assert sorted(kinds(model)) == sorted(expected)


def test_the_type_of_numbers_that_a_model_has_may_be_stated() -> None:
    model = Of(lambda m, x: m.conv(x).softmax(1, dtype=torch.float64), conv=conv()).double()
    assert [node.op.kind for node in found(model).graph.nodes[1:]] == ["conv", "softmax"]


def test_an_operator_of_another_library_is_not_what_its_name_says() -> None:
    with torch.library._scoped_library("mine", "FRAGMENT") as library:
        library.define("relu(Tensor x) -> Tensor")
        library.impl("relu", lambda x: x.clone(), "CompositeExplicitAutograd")
        assert "`mine.relu.default`" in refused(Of(lambda m, x: torch.ops.mine.relu(x)))


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # torch's own, when it changes a program
def test_a_tensor_that_the_model_changes_is_refused() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = conv()
            self.register_buffer("count", torch.zeros(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.count.add_(1)
            return self.conv(x)  # type: ignore[no-any-return]

    assert "`aten.add_.Tensor`" in refused(Counting())
    program = torch.export.export(Counting().eval(), (torch.zeros(2, 4, 5, 5),)).run_decompositions()
    with pytest.raises(CannotSay, match="the tensor `count` at the end: the model changes it"):
        TorchReader(program_of(program, "a test"), "net", "a test").read()


def test_all_places_are_named_those_after_what_is_not_known_too() -> None:
    model = Of(
        lambda m, x: m.end((m.up(m.one(x)).clamp(0, 4).exp()).flatten(1)).softmax(0),
        one=nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), up=nn.ConvTranspose2d(4, 4, 2, 2),
        end=nn.Linear(1584, 3),
    )  # fmt: skip
    message = refused(model)
    assert message.startswith("a test cannot be converted exactly: 5 operators are unsupported\n")
    for part in ("pads by `reflect`", "conv_transpose2d", "cuts at 0 and 4", "aten.exp", "not along the channels"):
        assert part in message


# ---- on the way to a local response normalisation ----


def near_channels(x: torch.Tensor, size: int = 3, value: float = 0.0) -> torch.Tensor:
    """The mean of squares of channels that are near, as torch's own layer computes it."""
    squares = (x * x).view(x.shape[0], 1, x.shape[1], x.shape[2], -1)
    padded = F.pad(squares, (0, 0, 0, 0, size // 2, (size - 1) // 2), value=value)
    return F.avg_pool3d(padded, (size, 1, 1), stride=1).squeeze(1).view(x.shape)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x / near_channels(x).add(1.0).mul(0.5).pow(0.75),
        lambda x: x / near_channels(x).mul(0.5).pow(0.75),
        lambda x: x / near_channels(x).mul(0.5).add(1.0),
        lambda x: x / near_channels(x).mul(0.5).add(1.0).pow(0.75).mul(2.0),
        lambda x: x / near_channels(x, value=1.0).mul(0.5).add(1.0).pow(0.75),
        lambda x: (x + x) / near_channels(x).mul(0.5).add(1.0).pow(0.75),
        lambda x: near_channels(x),
        lambda x: F.max_pool2d(near_channels(x), 2),
    ],
)
def test_what_is_nearly_a_local_response_normalisation_is_refused(function: Callable[[Any], Any]) -> None:
    refused(Of(lambda m, x: function(x)))


def test_a_local_response_normalisation_is_known_by_its_steps() -> None:
    layer = Of(lambda m, x: x / near_channels(x).mul(0.5).add(1.0).pow(0.75))
    assert kinds(layer) == ["lrn"]
