"""Modules that a user may write: what is exactly ours is said, whatever torch calls it; all else is an error."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from decompile.equality import from_torch
from decompile.modules import Of, found, kinds, only, refused
from torch import nn
from torch.nn import functional as F  # noqa: N812

import archspec
from archspec import ops

# ---- operators ----


@pytest.mark.parametrize(
    ("layer", "op"),
    [
        (nn.Conv2d(4, 6, 3, 2, 1), ops.Conv(channels=6, kernel=3, stride=2, bias=True)),
        (nn.Conv2d(4, 6, (1, 7), padding="same"), ops.Conv(channels=6, kernel=(1, 7), bias=True)),
        (nn.Conv2d(4, 6, 4, padding="same"), ops.Conv(channels=6, kernel=4, pad=(1, 2, 1, 2), bias=True)),
        (nn.Conv2d(4, 6, 3, padding="valid"), ops.Conv(channels=6, kernel=3, pad="valid", bias=True)),
        (nn.Conv2d(4, 8, 3, groups=2, bias=False), ops.Conv(channels=8, kernel=3, groups=2, pad="valid")),
        (nn.Conv2d(4, 8, 3, groups=4, bias=False), ops.DwConv(kernel=3, multiplier=2, pad="valid")),
        (
            nn.Conv2d(4, 6, 3, dilation=(2, 1), padding=(2, 1)),
            ops.Conv(channels=6, kernel=3, dilation=(2, 1), bias=True),
        ),
        (nn.BatchNorm2d(4, 1e-3, 0.01), ops.BatchNorm(eps=1e-3, momentum=0.01)),
        (nn.BatchNorm2d(4, affine=False), ops.BatchNorm(scale=False, shift=False)),
        (nn.GroupNorm(2, 4), ops.GroupNorm(groups=2)),
        (nn.InstanceNorm2d(4, affine=True), ops.GroupNorm(groups=4)),
        (nn.LocalResponseNorm(5, 1e-3, 0.5, 2.0), ops.LocalResponseNorm(size=5, alpha=1e-3 / 5, beta=0.5, k=2.0)),
        (nn.PReLU(4, 0.1), ops.PRelu()),
        (nn.PReLU(), ops.PRelu(shared=True)),
        (nn.LeakyReLU(0.2), ops.LeakyRelu(slope=0.2)),
        (nn.GELU(), ops.Gelu()),
        (nn.GELU("tanh"), ops.Gelu(approximate="tanh")),
        (nn.ReLU6(), ops.Relu6()),
        (nn.Hardtanh(0, 6), ops.Relu6()),
        (nn.SiLU(), ops.Silu()),
        (nn.Hardswish(), ops.HardSwish()),
        (nn.Hardsigmoid(), ops.HardSigmoid()),
        (nn.Tanh(), ops.Tanh()),
        (nn.Softmax(1), ops.Softmax()),
        (nn.Dropout(0.3), ops.Dropout(rate=0.3)),
        (nn.MaxPool2d(3, 2, 1, ceil_mode=True), ops.MaxPool(kernel=3, stride=2, ceil=True)),
        (nn.MaxPool2d(2), ops.MaxPool(kernel=2)),
        (nn.MaxPool2d(2, dilation=3), ops.MaxPool(kernel=2, dilation=3, pad="valid")),
        (nn.AvgPool2d(3, 1, 1, count_include_pad=False), ops.AvgPool(kernel=3, stride=1, include_pad=False)),
        (nn.AdaptiveAvgPool2d(1), ops.GlobalAvgPool()),
        (nn.AdaptiveAvgPool2d((3, None)), ops.AdaptiveAvgPool(size=(3, 11))),
        (nn.ZeroPad2d((1, 2, 3, 0)), ops.Pad(amount=(3, 0, 1, 2))),
        (nn.ConstantPad2d(2, -1.5), ops.Pad(amount=2, value=-1.5)),
        (nn.Upsample(scale_factor=2), ops.Upsample()),
        (nn.Upsample(scale_factor=(2, 3), mode="bilinear"), ops.Upsample(scale=(2, 3), mode="bilinear")),
        (nn.ChannelShuffle(2), ops.Shuffle()),
        (nn.Flatten(), ops.Flatten()),
    ],
    ids=str,
)
def test_a_layer_of_torch_is_an_operator(layer: nn.Module, op: Any) -> None:
    made = only(layer)
    if isinstance(op, ops.PRelu):  # what training began with, nobody knows of random weights
        made = made.model_copy(update={"slope": op.slope})
    elif isinstance(op, ops.LocalResponseNorm):
        assert made.alpha == pytest.approx(op.alpha, rel=1e-15)
        made = made.model_copy(update={"alpha": op.alpha})
    assert made == op


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda m, x: F.relu(x), ["relu"]),
        (lambda m, x: x.clamp(min=0), ["relu"]),
        (lambda m, x: x.clamp(0, 6), ["relu6"]),
        (lambda m, x: torch.sigmoid(x) * x, ["sigmoid", "mul"]),
        (lambda m, x: x.mean([2, 3]), ["global_avgpool", "flatten"]),
        (lambda m, x: x.mean((-1, -2), keepdim=True), ["global_avgpool"]),
        (lambda m, x: F.adaptive_avg_pool2d(x, (1, 1)).flatten(1), ["global_avgpool", "flatten"]),
        (lambda m, x: F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1), ["global_avgpool", "flatten"]),
        (lambda m, x: F.adaptive_avg_pool2d(x, 1)[:, :, 0, 0], ["global_avgpool", "flatten"]),
        (lambda m, x: torch.flatten(x, 1), ["flatten"]),
        (lambda m, x: x.view(x.size(0), -1), ["flatten"]),
        (lambda m, x: x.reshape(len(x), -1), ["flatten"]),
        (lambda m, x: x.permute(0, 2, 3, 1).flatten(1), ["flatten"]),
        (lambda m, x: x.permute(0, 2, 3, 1).relu().permute(0, 3, 1, 2), ["relu"]),
        (lambda m, x: torch.cat([x, x.relu()], 1), ["relu", "concat"]),
        (lambda m, x: torch.cat([x], 1).relu(), ["relu"]),
        (lambda m, x: torch.cat(x.chunk(2, 1), 1), ["split", "split", "concat"]),
        (lambda m, x: torch.cat(x.chunk(2, 1)[::-1], 1), ["slice", "slice", "concat"]),
        (lambda m, x: x[:, 1:3] * x[:, :2], ["slice", "slice", "mul"]),
        (lambda m, x: torch.add(*torch.split(x, 2, 1)), ["split", "split", "add"]),
        (lambda m, x: x.narrow(1, 1, 2), ["slice"]),
        (lambda m, x: x + x, ["add"]),
        (lambda m, x: x.contiguous().clone().detach().relu(), ["relu"]),
        (lambda m, x: F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-math.inf), 3, 2), ["maxpool"]),
        (lambda m, x: F.interpolate(x, size=(18, 22)), ["upsample"]),
        (lambda m, x: F.dropout(x, 0.2, m.training), ["dropout"]),
        (
            lambda m, x: x.view(x.size(0), 2, 2, 9, 11).transpose(1, 2).contiguous().view(x.size(0), -1, 9, 11),
            ["shuffle"],
        ),
    ],
)
def test_a_function_of_torch_is_operators(function: Callable[..., Any], expected: list[str]) -> None:
    assert kinds(Of(function)) == expected


def test_linear_layers_work_on_the_pixels_of_a_map_whose_channels_come_last() -> None:
    model = Of(
        lambda m, x: m.two(m.norm(m.one(x).permute(0, 2, 3, 1))).permute(0, 3, 1, 2),
        one=nn.Conv2d(4, 6, 1), norm=nn.LayerNorm(6, 1e-6), two=nn.Linear(6, 3, bias=False),
    )  # fmt: skip
    assert kinds(model) == ["conv", "layernorm", "linear"]


def test_a_vector_that_becomes_a_map_of_one_pixel_again_was_never_flattened() -> None:
    """As squeeze-and-excitation is often written: with linear layers, and `view` there and back."""

    def excite(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = F.adaptive_avg_pool2d(x, 1).view(x.size(0), x.size(1))
        y = m.two(F.relu(m.one(y))).sigmoid().view(x.size(0), x.size(1), 1, 1)
        return m.end((x * y.expand_as(x)).mean((2, 3)))

    model = Of(excite, one=nn.Linear(4, 2), two=nn.Linear(2, 4), end=nn.Linear(4, 3))
    ends = ["mul", "global_avgpool", "flatten", "linear"]
    assert kinds(model) == ["global_avgpool", "linear", "relu", "linear", "sigmoid", *ends]


def test_a_trained_factor_for_each_channel_is_layer_scale() -> None:
    model = Of(
        lambda m, x: x + m.gamma * m.conv(x), conv=nn.Conv2d(4, 4, 1), gamma=nn.Parameter(torch.full((4, 1, 1), 0.1))
    )
    scaled = from_torch(model, 5, 5, 4)
    assert "layer_scale(0.1)" in scaled.text
    assert [tensor.key for name, tensor in scaled.tensors.items() if "layer_scale" in name] == ["gamma"]


def test_several_outputs_are_heads_named_by_their_keys() -> None:
    def heads(m: Any, x: torch.Tensor) -> dict[str, torch.Tensor]:
        x = m.stem(x)
        return {"out": m.one(x), "aux 1": m.two(x).relu(), "stem": x}

    model = Of(heads, stem=nn.Conv2d(4, 6, 3), one=nn.Conv2d(6, 2, 1), two=nn.Conv2d(6, 3, 1))
    assert list(found(model).graph.outputs) == ["output", "aux_1", "stem"]


def test_a_vector_is_an_input_too() -> None:
    model = nn.Sequential(
        nn.Linear(12, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 3), nn.Softmax(1)
    )
    assert kinds(model, 12) == ["linear", "bn", "relu", "dropout", "linear", "softmax"]
    assert "input 12" in from_torch(model, 12).text


# ---- in place ----


def test_a_change_in_place_is_seen_by_all_that_hold_the_tensor() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.conv(x)
        z = F.relu_(y)
        return y + m.other(z)  # y was changed too

    model = Of(forward, conv=nn.Conv2d(4, 4, 1), other=nn.Conv2d(4, 4, 1))
    assert kinds(model) == ["conv", "relu", "conv", "add"] or kinds(model) == ["conv", "relu", "add", "conv"]
    assert "conv(1, 4, bias = true) -> relu -> (id | conv(1, 4, bias = true)) -> add" in found(model).text


def test_a_change_in_place_that_a_view_sees_is_refused() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.conv(x)
        part = y[:, :2]
        y.relu_()
        return part

    assert "changes a tensor in place" in refused(Of(forward, conv=nn.Conv2d(4, 4, 1)))


# ---- what cannot be said ----


def test_all_unknown_operators_are_named_with_their_places() -> None:
    model = Of(
        lambda m, x: m.later(m.deep(x).erf()),
        deep=nn.Sequential(nn.Conv2d(4, 4, 1), nn.Mish(), nn.ELU()), later=nn.Softplus(),
    )  # fmt: skip
    message = refused(model)
    assert message.startswith("a test cannot be converted exactly: 4 operators are unsupported\n")
    for line in ("`aten.mish.default` at deep.1", "`aten.elu.default` at deep.2", "`aten.softplus.default` at later"):
        assert f"\n  {line}" in message
    assert "`aten.erf.default`" in message


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda m, x: x.clamp(0, 4), "it cuts at 0 and 4"),
        (lambda m, x: x.mean(1, keepdim=True), "not a mean over the whole map"),
        (lambda m, x: torch.cat([x, x], 2), "not along the channels"),
        (lambda m, x: x[:, ::2], "takes every other"),
        (lambda m, x: x[:, :, 1:], "not along the channels"),
        (lambda m, x: F.pad(x, (1, 1, 1, 1), mode="reflect"), "it pads by `reflect`"),
        (lambda m, x: F.pad(x, (-1, 0, 0, 0)), "cuts off"),
        (lambda m, x: F.interpolate(x, scale_factor=1.5), "not whole numbers"),
        (lambda m, x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True), "aligns the corners"),
        (lambda m, x: F.avg_pool2d(x, 2, divisor_override=3), "divides by another number"),
        (lambda m, x: x.softmax(2), "not along the channels"),
        (lambda m, x: F.dropout2d(x, 0.5, m.training), "drops whole channels"),
        (lambda m, x: x.sum(0), "sum"),
        (lambda m, x: x.permute(0, 3, 1, 2), "turns the dimensions"),
        (lambda m, x: F.batch_norm(x, None, None, training=True), "by the batch"),
        (lambda m, x: x.half(), "changes the type of numbers"),
        (lambda m, x: m.up(x), "conv_transpose2d"),
        (lambda m, x: F.conv2d(x, m.fixed), "is not trained"),
        (lambda m, x: F.conv2d(x, m.weight / m.weight.norm()), "linalg_vector_norm"),
        (lambda m, x: m.norm(x), "works on the last dimension"),
        (lambda m, x: m.flat(x.flatten(1)).view(x.size(0), 4, 3, 3), "it makes 4×3×3 of 36"),
    ],
)
def test_what_is_not_exactly_ours_is_refused(function: Callable[..., Any], why: str) -> None:
    model = Of(
        function, up=nn.ConvTranspose2d(4, 4, 2, 2), weight=nn.Parameter(torch.ones(4, 4, 1, 1)),
        norm=nn.LayerNorm([4, 9, 11]), flat=nn.Linear(396, 36),
    )  # fmt: skip
    model.register_buffer("fixed", torch.ones(4, 4, 1, 1))
    assert why in refused(model)


def test_weights_in_common_are_refused_whatever_they_are_called() -> None:
    conv = nn.Conv2d(4, 4, 3, padding=1)
    twin = nn.Conv2d(4, 4, 3, padding=1)
    twin.weight = conv.weight
    for model in (nn.Sequential(conv, nn.ReLU(), conv), nn.Sequential(conv, nn.ReLU(), twin)):
        assert "used several times, and a Graph has no weights in common" in refused(model)


def test_a_module_without_weights_may_be_called_twice() -> None:
    relu = nn.ReLU()
    assert kinds(nn.Sequential(nn.Conv2d(4, 4, 1), relu, nn.Conv2d(4, 4, 1), relu)) == ["conv", "relu"] * 2


def test_the_model_is_left_in_its_mode() -> None:
    model = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Dropout()).train()
    from_torch(model, 5, 5, 4)
    assert all(module.training for module in model.modules())


# ---- blocks ----


class Gate(nn.Module):
    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Conv2d(channels, channels // ratio, 1), nn.ReLU(), nn.Conv2d(channels // ratio, channels, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.fc(F.adaptive_avg_pool2d(x, 1)).sigmoid()


class MyBlock(nn.Module):
    def __init__(self, before: int, channels: int, stride: int, gate: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, channels, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.gate = Gate(channels, 2) if gate else nn.Identity()
        self.short = nn.Identity() if stride == 1 and before == channels else nn.Conv2d(before, channels, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.gate(self.norm(self.conv(x))) + self.short(x))


class Mine(nn.Sequential):
    def __init__(self, classes: int = 5) -> None:
        blocks = [MyBlock(4, 8, 2, False), MyBlock(8, 8, 1, True), MyBlock(8, 8, 1, True), MyBlock(8, 16, 2, True)]
        super().__init__(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, classes))


def test_classes_become_blocks_with_what_differs_as_parameters() -> None:
    text = found(Mine(), 16, 16, 4).text
    assert "block gate : h x w x k -> h x w x k =" in text
    assert "conv(1, k//2, bias = true) -> relu -> conv(1, k, bias = true)" in text
    assert "block my_block(c, s = 1, with_gate = true) : h x w x k -> ceil(h/s) x ceil(w/s) x c =" in text
    assert "id if s == 1 and c == k else conv(1, c, s, bias = true)" in text
    assert "my_block(8, 2, with_gate = false) -> my_block(8) * 2\n" in text


def test_what_all_operators_of_a_kind_are_given_is_said_once() -> None:
    layers = [m for _ in range(3) for m in (nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4, eps=1e-3), nn.ReLU())]
    text = found(nn.Sequential(*layers)).text
    assert "default conv(bias = true), bn(eps = 0.001)" in text
    assert "body (conv(3, 4) -> bn -> relu) * 3" in text


def test_the_keys_of_the_weights_are_said_where_they_are_few() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    read = from_torch(model, 8, 8, 3)
    spec = archspec.parse(read.text)
    keys = spec.weight_keys("original", spec.elaborate())
    named = {"conv": "0", "linear": "3"}
    assert keys == {f"{ours}.{t}": (f"{theirs}.{t}",) for ours, theirs in named.items() for t in ("weight", "bias")}
