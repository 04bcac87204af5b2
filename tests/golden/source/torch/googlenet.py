"""Going Deeper with Convolutions

arXiv:1409.4842v1, Table 1

| type           | patch size/stride | output size | depth | #1×1 | #3×3 reduce | #3×3 | #5×5 reduce | #5×5 | pool proj | params | ops  |
|----------------|-------------------|-------------|-------|------|-------------|------|-------------|------|-----------|--------|------|
| convolution    | 7×7/2             | 112×112×64  | 1     |      |             |      |             |      |           | 2.7K   | 34M  |
| max pool       | 3×3/2             | 56×56×64    | 0     |      |             |      |             |      |           |        |      |
| convolution    | 3×3/1             | 56×56×192   | 2     |      | 64          | 192  |             |      |           | 112K   | 360M |
| max pool       | 3×3/2             | 28×28×192   | 0     |      |             |      |             |      |           |        |      |
| inception (3a) |                   | 28×28×256   | 2     | 64   | 96          | 128  | 16          | 32   | 32        | 159K   | 128M |
| inception (3b) |                   | 28×28×480   | 2     | 128  | 128         | 192  | 32          | 96   | 64        | 380K   | 304M |
| max pool       | 3×3/2             | 14×14×480   | 0     |      |             |      |             |      |           |        |      |
| inception (4a) |                   | 14×14×512   | 2     | 192  | 96          | 208  | 16          | 48   | 64        | 364K   | 73M  |
| inception (4b) |                   | 14×14×512   | 2     | 160  | 112         | 224  | 24          | 64   | 64        | 437K   | 88M  |
| inception (4c) |                   | 14×14×512   | 2     | 128  | 128         | 256  | 24          | 64   | 64        | 463K   | 100M |
| inception (4d) |                   | 14×14×528   | 2     | 112  | 144         | 288  | 32          | 64   | 64        | 580K   | 119M |
| inception (4e) |                   | 14×14×832   | 2     | 256  | 160         | 320  | 32          | 128  | 128       | 840K   | 170M |
| max pool       | 3×3/2             | 7×7×832     | 0     |      |             |      |             |      |           |        |      |
| inception (5a) |                   | 7×7×832     | 2     | 256  | 160         | 320  | 32          | 128  | 128       | 1072K  | 54M  |
| inception (5b) |                   | 7×7×1024    | 2     | 384  | 192         | 384  | 48          | 128  | 128       | 1388K  | 71M  |
| avg pool       | 7×7/1             | 1×1×1024    | 0     |      |             |      |             |      |           |        |      |
| dropout (40%)  |                   | 1×1×1024    | 0     |      |             |      |             |      |           |        |      |
| linear         |                   | 1×1×1000    | 1     |      |             |      |             |      |           | 1000K  | 1M   |
| softmax        |                   | 1×1×1000    | 0     |      |             |      |             |      |           |        |      |

googlenet(torchvision = true, aux = true, probabilities = false, k = 1000) on 224×224×3: 13,004,888 parameters,
1,506,748,416 multiply-accumulates.

First weights in the spec: conv = normal(std = 0.01), linear = normal(std = 0.01); here they are the framework's own.
"""  # noqa: E501

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def chain(**layers: nn.Module) -> nn.Sequential:
    """Layers one after the other, by name."""
    return nn.Sequential(OrderedDict(layers))


def stack(name: str, *blocks: nn.Module) -> nn.Sequential:
    """Blocks one after the other, called `name_1`, `name_2` and so on."""
    return nn.Sequential(OrderedDict((f"{name}_{i}", block) for i, block in enumerate(blocks, 1)))


class Unit(nn.Sequential):
    """The block `unit`."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride=stride, padding=kernel_size // 2, bias=False
        )
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)
        self.relu = nn.ReLU()


class Inception(nn.Module):
    """The block `inception`."""

    def __init__(
        self,
        in_channels: int,
        branch1_channels: int,
        branch2_0_channels: int,
        branch2_1_channels: int,
        branch3_0_channels: int,
        branch3_1_channels: int,
        branch4_1_channels: int,
    ) -> None:
        super().__init__()
        self.branch1 = Unit(in_channels, branch1_channels, 1)
        self.branch2_0 = Unit(in_channels, branch2_0_channels, 1)
        self.branch2_1 = Unit(branch2_0_channels, branch2_1_channels, 3)
        self.branch3_0 = Unit(in_channels, branch3_0_channels, 1)
        self.branch3_1 = Unit(branch3_0_channels, branch3_1_channels, 3)
        self.branch4_1 = Unit(in_channels, branch4_1_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(
            [
                self.branch1(x),
                self.branch2_1(self.branch2_0(x)),
                self.branch3_1(self.branch3_0(x)),
                self.branch4_1(F.max_pool2d(x, 3, stride=1, padding=1)),
            ],
            dim=1,
        )


class InceptionAux(nn.Sequential):
    """The block `inception_aux`."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.adaptive_avgpool = nn.AdaptiveAvgPool2d(4)
        self.unit = Unit(in_channels, 128, 1)
        self.flatten = nn.Flatten()
        self.linear_1 = nn.Linear(2048, 1024)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.7)
        self.linear_2 = nn.Linear(1024, 1000)


class GoogLeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        # | convolution | 7×7/2 | 112×112×64 | 1 | | | | | | | 2.7K | 34M |
        self.row_1 = chain(unit=Unit(3, 64, 7, stride=2))
        # | max pool | 3×3/2 | 56×56×64 | 0 | | | | | | | | |
        self.row_2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        # | convolution | 3×3/1 | 56×56×192 | 2 | | 64 | 192 | | | | 112K | 360M |
        self.row_3 = stack("unit", Unit(64, 64, 1), Unit(64, 192, 3))
        # | max pool | 3×3/2 | 28×28×192 | 0 | | | | | | | | |
        self.row_4 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        # | inception (3a) | | 28×28×256 | 2 | 64 | 96 | 128 | 16 | 32 | 32 | 159K | 128M |
        self.row_5 = chain(inception=Inception(192, 64, 96, 128, 16, 32, 32))
        # | inception (3b) | | 28×28×480 | 2 | 128 | 128 | 192 | 32 | 96 | 64 | 380K | 304M |
        self.row_6 = chain(inception=Inception(256, 128, 128, 192, 32, 96, 64))
        # | max pool | 3×3/2 | 14×14×480 | 0 | | | | | | | | |
        self.row_7 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        # | inception (4a) | | 14×14×512 | 2 | 192 | 96 | 208 | 16 | 48 | 64 | 364K | 73M |
        self.row_8 = chain(head_1=Inception(480, 192, 96, 208, 16, 48, 64))
        # | inception (4b) | | 14×14×512 | 2 | 160 | 112 | 224 | 24 | 64 | 64 | 437K | 88M |
        self.row_9 = chain(inception=Inception(512, 160, 112, 224, 24, 64, 64))
        # | inception (4c) | | 14×14×512 | 2 | 128 | 128 | 256 | 24 | 64 | 64 | 463K | 100M |
        self.row_10 = chain(inception=Inception(512, 128, 128, 256, 24, 64, 64))
        # | inception (4d) | | 14×14×528 | 2 | 112 | 144 | 288 | 32 | 64 | 64 | 580K | 119M |
        self.row_11 = chain(head_2=Inception(512, 112, 144, 288, 32, 64, 64))
        # | inception (4e) | | 14×14×832 | 2 | 256 | 160 | 320 | 32 | 128 | 128 | 840K | 170M |
        self.row_12 = chain(inception=Inception(528, 256, 160, 320, 32, 128, 128))
        # | max pool | 3×3/2 | 7×7×832 | 0 | | | | | | | | |
        self.row_13 = nn.MaxPool2d(2, ceil_mode=True)
        # | inception (5a) | | 7×7×832 | 2 | 256 | 160 | 320 | 32 | 128 | 128 | 1072K | 54M |
        self.row_14 = chain(inception=Inception(832, 256, 160, 320, 32, 128, 128))
        # | inception (5b) | | 7×7×1024 | 2 | 384 | 192 | 384 | 48 | 128 | 128 | 1388K | 71M |
        self.row_15 = chain(inception=Inception(832, 384, 192, 384, 48, 128, 128))
        # | avg pool | 7×7/1 | 1×1×1024 | 0 | | | | | | | | |
        self.row_16 = nn.AdaptiveAvgPool2d(1)
        # | dropout (40%) | | 1×1×1024 | 0 | | | | | | | | |
        self.row_17 = chain(flatten=nn.Flatten(), dropout=nn.Dropout(0.2))
        # | linear | | 1×1×1000 | 1 | | | | | | | 1000K | 1M |
        self.row_18 = chain(linear=nn.Linear(1024, 1000))
        self.aux2 = chain(inception_aux=InceptionAux(528))
        self.aux1 = chain(inception_aux=InceptionAux(512))

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        x = self.row_1(x)
        x = self.row_2(x)
        x = self.row_3(x)
        x = self.row_4(x)
        x = self.row_5(x)
        x = self.row_6(x)
        x = self.row_7(x)
        x = self.row_8(x)
        y = self.row_9(x)
        y = self.row_10(y)
        y = self.row_11(y)
        z = self.row_12(y)
        z = self.row_13(z)
        z = self.row_14(z)
        z = self.row_15(z)
        z = self.row_16(z)
        z = self.row_17(z)
        z = self.row_18(z)
        if not self.training:
            return z
        return z, self.aux2(y), self.aux1(x)
