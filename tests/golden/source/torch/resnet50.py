"""Deep Residual Learning for Image Recognition

arXiv:1512.03385v1, Table 1

| layer name | output size | 18-layer                         | 34-layer                         | 50-layer                            | 101-layer                            | 152-layer                            |
|------------|-------------|----------------------------------|----------------------------------|-------------------------------------|--------------------------------------|--------------------------------------|
| conv1      | 112×112     | 7×7, 64, stride 2                | 7×7, 64, stride 2                | 7×7, 64, stride 2                   | 7×7, 64, stride 2                    | 7×7, 64, stride 2                    |
| conv2_x    | 56×56       | 3×3 max pool, stride 2           | 3×3 max pool, stride 2           | 3×3 max pool, stride 2              | 3×3 max pool, stride 2               | 3×3 max pool, stride 2               |
| conv2_x    | 56×56       | [3×3, 64; 3×3, 64] × 2           | [3×3, 64; 3×3, 64] × 3           | [1×1, 64; 3×3, 64; 1×1, 256] × 3    | [1×1, 64; 3×3, 64; 1×1, 256] × 3     | [1×1, 64; 3×3, 64; 1×1, 256] × 3     |
| conv3_x    | 28×28       | [3×3, 128; 3×3, 128] × 2         | [3×3, 128; 3×3, 128] × 4         | [1×1, 128; 3×3, 128; 1×1, 512] × 4  | [1×1, 128; 3×3, 128; 1×1, 512] × 4   | [1×1, 128; 3×3, 128; 1×1, 512] × 8   |
| conv4_x    | 14×14       | [3×3, 256; 3×3, 256] × 2         | [3×3, 256; 3×3, 256] × 6         | [1×1, 256; 3×3, 256; 1×1, 1024] × 6 | [1×1, 256; 3×3, 256; 1×1, 1024] × 23 | [1×1, 256; 3×3, 256; 1×1, 1024] × 36 |
| conv5_x    | 7×7         | [3×3, 512; 3×3, 512] × 2         | [3×3, 512; 3×3, 512] × 3         | [1×1, 512; 3×3, 512; 1×1, 2048] × 3 | [1×1, 512; 3×3, 512; 1×1, 2048] × 3  | [1×1, 512; 3×3, 512; 1×1, 2048] × 3  |
|            | 1×1         | average pool, 1000-d fc, softmax | average pool, 1000-d fc, softmax | average pool, 1000-d fc, softmax    | average pool, 1000-d fc, softmax     | average pool, 1000-d fc, softmax     |

resnet50(depth = 50, strided = 3, groups = 1, width = 64, bias = false, eps = 1e-05, momentum = 0.1, probabilities =
false, k = 1000) on 224×224×3: 25,557,032 parameters, 4,089,184,256 multiply-accumulates.

First weights in the spec: conv = kaiming_normal(mode = fan_out), linear = kaiming_uniform(gain = 0.5773502691896257);
here they are the framework's own.
"""  # noqa: E501

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional as F


def chain(**layers: nn.Module) -> nn.Sequential:
    """Layers one after the other, by name."""
    return nn.Sequential(OrderedDict(layers))


def stack(name: str, *blocks: nn.Module) -> nn.Sequential:
    """Blocks one after the other, called `name_1`, `name_2` and so on."""
    return nn.Sequential(OrderedDict((f"{name}_{i}", block) for i, block in enumerate(blocks, 1)))


class ConvBn(nn.Sequential):
    """The block `conv_bn`."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride=stride, padding=kernel_size // 2, bias=False
        )
        self.bn = nn.BatchNorm2d(out_channels)


class Shortcut(nn.Sequential):
    """The block `shortcut`."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv_bn = ConvBn(in_channels, out_channels, 1, stride=stride)


class Bottleneck(nn.Module):
    """The block `bottleneck`."""

    def __init__(self, in_channels: int, hidden_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv_bn_1 = ConvBn(in_channels, hidden_channels, 1)
        self.conv_bn_2 = ConvBn(hidden_channels, hidden_channels, 3, stride=stride)
        self.conv_bn_3 = ConvBn(hidden_channels, out_channels, 1)
        self.shortcut = (
            Shortcut(in_channels, out_channels, stride=stride)
            if stride != 1 or in_channels != out_channels
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.conv_bn_1(x))
        y = F.relu(self.conv_bn_2(y))
        return F.relu(self.conv_bn_3(y) + self.shortcut(x))


class ResNet50(nn.Sequential):
    def __init__(self) -> None:
        super().__init__()
        # row 1: 7×7, 64, stride 2
        self.row_1 = chain(conv_bn=ConvBn(3, 64, 7, stride=2), relu=nn.ReLU())
        # row 2: 3×3 max pool, stride 2
        self.row_2 = nn.MaxPool2d(3, stride=2, padding=1)
        # row 3: [1×1, 64; 3×3, 64; 1×1, 256] × 3
        self.row_3 = stack("bottleneck", Bottleneck(64, 64, 256), *(Bottleneck(256, 64, 256) for _ in range(2)))
        # row 4: [1×1, 128; 3×3, 128; 1×1, 512] × 4
        self.row_4 = stack(
            "bottleneck", Bottleneck(256, 128, 512, stride=2), *(Bottleneck(512, 128, 512) for _ in range(3))
        )
        # row 5: [1×1, 256; 3×3, 256; 1×1, 1024] × 6
        self.row_5 = stack(
            "bottleneck", Bottleneck(512, 256, 1024, stride=2), *(Bottleneck(1024, 256, 1024) for _ in range(5))
        )
        # row 6: [1×1, 512; 3×3, 512; 1×1, 2048] × 3
        self.row_6 = stack(
            "bottleneck", Bottleneck(1024, 512, 2048, stride=2), *(Bottleneck(2048, 512, 2048) for _ in range(2))
        )
        # row 7: average pool, 1000-d fc, softmax
        self.row_7 = chain(global_avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), linear=nn.Linear(2048, 1000))
