"""MobileNetV2: Inverted Residuals and Linear Bottlenecks

arXiv:1801.04381v4, Table 2

| Input    | Operator    | t | c    | n | s |
|----------|-------------|---|------|---|---|
| 224²×3   | conv2d      | - | 32   | 1 | 2 |
| 112²×32  | bottleneck  | 1 | 16   | 1 | 1 |
| 112²×16  | bottleneck  | 6 | 24   | 2 | 2 |
| 56²×24   | bottleneck  | 6 | 32   | 3 | 2 |
| 28²×32   | bottleneck  | 6 | 64   | 4 | 2 |
| 14²×64   | bottleneck  | 6 | 96   | 3 | 1 |
| 14²×96   | bottleneck  | 6 | 160  | 3 | 2 |
| 7²×160   | bottleneck  | 6 | 320  | 1 | 1 |
| 7²×320   | conv2d 1x1  | - | 1280 | 1 | 1 |
| 7²×1280  | avgpool 7x7 | - | -    | 1 | - |
| 1×1×1280 | conv2d 1x1  | - | k    | - |   |

MobileNetV2(alpha = 1.0, pad = same, eps = 1e-05, momentum = 0.1, drop = 0.2, cut = false, k = 1000) on 224×224×3:
3,504,872 parameters, 300,774,272 multiply-accumulates.

First weights in the spec: conv = kaiming_normal(mode = fan_out), dwconv = kaiming_normal(mode = fan_out), linear =
normal(std = 0.01); here they are the framework's own.
"""

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional as F


def chain(**layers: nn.Module) -> nn.Sequential:
    """Layers one after the other, by name."""
    return nn.Sequential(OrderedDict(layers))


def stack(name: str, *blocks: nn.Module) -> nn.Sequential:
    """Blocks one after the other, called `name_1`, `name_2` and so on."""
    return nn.Sequential(OrderedDict((f"{name}_{i}", block) for i, block in enumerate(blocks, 1)))


class Cbr(nn.Sequential):
    """The block `cbr`."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride=stride, padding=kernel_size // 2, bias=False
        )
        self.bn = nn.BatchNorm2d(out_channels)
        self.relu6 = nn.ReLU6()


class Bottleneck(nn.Module):
    """The block `bottleneck`."""

    def __init__(self, in_channels: int, hidden_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.has_conv_1 = hidden_channels != in_channels
        self.skip = stride == 1 and in_channels == out_channels
        if self.has_conv_1:
            self.conv_1 = nn.Conv2d(in_channels, hidden_channels, 1, bias=False)
            self.bn_1 = nn.BatchNorm2d(hidden_channels)
        self.dwconv = nn.Conv2d(
            hidden_channels, hidden_channels, 3, stride=stride, padding=1, groups=hidden_channels, bias=False
        )
        self.bn_2 = nn.BatchNorm2d(hidden_channels)
        self.conv_2 = nn.Conv2d(hidden_channels, out_channels, 1, bias=False)
        self.bn_3 = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self.bn_1(self.conv_1(x))) if self.has_conv_1 else x
        y = F.relu6(self.bn_2(self.dwconv(y)))
        y = self.bn_3(self.conv_2(y))
        return x + y if self.skip else y


class MobileNetV2(nn.Sequential):
    def __init__(self) -> None:
        super().__init__()
        # | 224²×3   | conv2d      | - | 32   | 1 | 2 |
        self.row_1 = chain(cbr_1=Cbr(3, 32, 3, stride=2))
        # | 112²×32  | bottleneck  | 1 | 16   | 1 | 1 |
        self.row_2 = chain(bottleneck_1=Bottleneck(32, 32, 16))
        # | 112²×16  | bottleneck  | 6 | 24   | 2 | 2 |
        self.row_3 = stack("bottleneck", Bottleneck(16, 96, 24, stride=2), Bottleneck(24, 144, 24))
        # | 56²×24   | bottleneck  | 6 | 32   | 3 | 2 |
        self.row_4 = stack(
            "bottleneck", Bottleneck(24, 144, 32, stride=2), *(Bottleneck(32, 192, 32) for _ in range(2))
        )
        # | 28²×32   | bottleneck  | 6 | 64   | 4 | 2 |
        self.row_5 = stack(
            "bottleneck", Bottleneck(32, 192, 64, stride=2), *(Bottleneck(64, 384, 64) for _ in range(3))
        )
        # | 14²×64   | bottleneck  | 6 | 96   | 3 | 1 |
        self.row_6 = stack("bottleneck", Bottleneck(64, 384, 96), *(Bottleneck(96, 576, 96) for _ in range(2)))
        # | 14²×96   | bottleneck  | 6 | 160  | 3 | 2 |
        self.row_7 = stack(
            "bottleneck", Bottleneck(96, 576, 160, stride=2), *(Bottleneck(160, 960, 160) for _ in range(2))
        )
        # | 7²×160   | bottleneck  | 6 | 320  | 1 | 1 |
        self.row_8 = chain(bottleneck_1=Bottleneck(160, 960, 320))
        # | 7²×320   | conv2d 1x1  | - | 1280 | 1 | 1 |
        self.row_9 = chain(cbr_1=Cbr(320, 1280, 1))
        # | 7²×1280  | avgpool 7x7 | - | -    | 1 | - |
        self.row_10 = nn.AdaptiveAvgPool2d(1)
        # | 1×1×1280 | conv2d 1x1  | - | k    | - |   |
        self.row_11 = chain(dropout=nn.Dropout(0.2), flatten=nn.Flatten(), linear=nn.Linear(1280, 1000))
