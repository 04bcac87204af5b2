"""What torch has no layer for, as a written file has it: `source` copies from here what a file calls.

A module that is built holds none of these: what their `forward` does is a part of its graph.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that everybody knows it by

from archspec_torch.maximum import larger as max  # noqa: A004 - a written file has Python's own


def chain(**layers: nn.Module) -> nn.Sequential:
    """Layers one after the other, by name."""
    return nn.Sequential(OrderedDict(layers))


def stack(name: str, *blocks: nn.Module) -> nn.Sequential:
    """Blocks one after the other, called `name_1`, `name_2` and so on."""
    return nn.Sequential(OrderedDict((f"{name}_{i}", block) for i, block in enumerate(blocks, 1)))


def without(norm: nn.Module, *weights: str) -> nn.Module:
    """A normalisation that has no such weights."""
    for name in weights:
        norm.register_parameter(name, None)
    return norm


class PixelLinear(nn.Linear):
    """A linear layer on the channels of every pixel."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class PixelFlatten(nn.Flatten):
    """A map as one vector, counted by rows, columns, channels."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1))


class Channels(nn.Module):
    """The channels from `start` up to, and without, `stop`."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.start : self.stop]


class PixelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of every pixel."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class LayerScale(nn.Module):
    """A trained factor for each channel of a map."""

    def __init__(self, channels: int, init: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), init))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight.reshape(-1, 1, 1)


class VectorScale(nn.Module):
    """A trained factor for each channel of a vector."""

    def __init__(self, channels: int, init: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), init))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


class StochasticDepth(nn.Dropout3d):
    """While training, leaves whole images out with probability `p`, and scales the others up by 1 / (1 - p)."""

    def forward(self, x: Tensor) -> Tensor:
        # an image as the only channel of its map, which is dropped or kept as one
        return super().forward(x.unsqueeze(1)).squeeze(1)


class VectorStochasticDepth(nn.Dropout1d):
    """While training, leaves whole vectors out with probability `p`, and scales the others up by 1 / (1 - p)."""

    def forward(self, x: Tensor) -> Tensor:
        # a vector as the only channel of its sequence, which is dropped or kept as one
        return super().forward(x.unsqueeze(1)).squeeze(1)


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """Height and width."""
    return (size, size) if isinstance(size, int) else size


def same_padding(x: Tensor, window: int | tuple[int, int], stride: int | tuple[int, int]) -> list[int]:
    """What keeps ceil(size / stride), the odd pixel at the right and at the bottom (TensorFlow's SAME)."""
    (height, width), (down, across) = pair(window), pair(stride)
    vertical = max(height - 1 - (x.size(2) - 1) % down, 0)
    horizontal = max(width - 1 - (x.size(3) - 1) % across, 0)
    return [horizontal // 2, horizontal - horizontal // 2, vertical // 2, vertical - vertical // 2]


def same_pad(x: Tensor, window: int | tuple[int, int], stride: int | tuple[int, int], value: float = 0.0) -> Tensor:
    """A map of whatever size, padded for a window that keeps ceil(size / stride)."""
    return F.pad(x, same_padding(x, window, stride), value=value)


class SamePad(nn.Module):
    """Pads a map of whatever size for a window that keeps ceil(size / stride)."""

    def __init__(self, window: int | tuple[int, int], stride: int | tuple[int, int], value: float = 0.0) -> None:
        super().__init__()
        self.window, self.stride, self.value = window, stride, value

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, same_padding(x, self.window, self.stride), value=self.value)


class SameAvgPool(nn.Module):
    """A mean of windows that keeps ceil(size / stride), with or without the padding's zeros."""

    def __init__(self, window: int | tuple[int, int], stride: int | tuple[int, int], count_pad: bool) -> None:
        super().__init__()
        self.window, self.stride, self.count_pad = window, stride, count_pad

    def forward(self, x: Tensor) -> Tensor:
        padding = same_padding(x, self.window, self.stride)
        counted = F.pad(torch.ones_like(x[:, :1]), padding, value=float(self.count_pad))
        total = F.avg_pool2d(F.pad(x, padding), self.window, self.stride, divisor_override=1)
        return total / F.avg_pool2d(counted, self.window, self.stride, divisor_override=1)


class CountedAvgPool(nn.Module):
    """A mean of windows that may count the zeros of `padding`, and never those `beyond` it.

    Both are given as left, right, top, bottom.
    """

    def __init__(
        self,
        window: int | tuple[int, int],
        stride: int | tuple[int, int],
        padding: tuple[int, ...],
        beyond: tuple[int, ...],
        count_pad: bool,
    ) -> None:
        super().__init__()
        self.window, self.stride, self.count_pad = window, stride, count_pad
        self.padding, self.beyond = padding, beyond

    def forward(self, x: Tensor) -> Tensor:
        counted = F.pad(torch.ones_like(x[:, :1]), self.padding, value=float(self.count_pad))
        whole = F.pad(F.pad(x, self.padding), self.beyond)
        total = F.avg_pool2d(whole, self.window, self.stride, divisor_override=1)
        return total / F.avg_pool2d(F.pad(counted, self.beyond), self.window, self.stride, divisor_override=1)
