"""What torch has no layer for, as text for the written file; each stands there only where it is called."""

import ast

TEXTS = {
    "chain": '''
def chain(**layers: nn.Module) -> nn.Sequential:
    """Layers one after the other, by name."""
    return nn.Sequential(OrderedDict(layers))
''',
    "stack": '''
def stack(name: str, *blocks: nn.Module) -> nn.Sequential:
    """Blocks one after the other, called `name_1`, `name_2` and so on."""
    return nn.Sequential(OrderedDict((f"{name}_{i}", block) for i, block in enumerate(blocks, 1)))
''',
    "without": '''
def without(norm: nn.Module, *weights: str) -> nn.Module:
    """A normalisation that has no such weights."""
    for name in weights:
        norm.register_parameter(name, None)
    return norm
''',
    "PixelLinear": '''
class PixelLinear(nn.Linear):
    """A linear layer on the channels of every pixel."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
''',
    "PixelFlatten": '''
class PixelFlatten(nn.Flatten):
    """A map as one vector, counted by rows, columns, channels."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1))
''',
    "Channels": '''
class Channels(nn.Module):
    """The channels from `start` up to, and without, `stop`."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.start : self.stop]
''',
    "PixelNorm": '''
class PixelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of every pixel."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
''',
    "LayerScale": '''
class LayerScale(nn.Module):
    """A trained factor for each channel of a map."""

    def __init__(self, channels: int, init: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), init))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight.reshape(-1, 1, 1)
''',
    "VectorScale": '''
class VectorScale(nn.Module):
    """A trained factor for each channel of a vector."""

    def __init__(self, channels: int, init: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), init))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight
''',
    "StochasticDepth": '''
class StochasticDepth(nn.Dropout3d):
    """While training, leaves whole images out with probability `p`, and scales the others up by 1 / (1 - p)."""

    def forward(self, x: Tensor) -> Tensor:
        # an image as the only channel of its map, which is dropped or kept as one
        return super().forward(x.unsqueeze(1)).squeeze(1)
''',
    "VectorStochasticDepth": '''
class VectorStochasticDepth(nn.Dropout1d):
    """While training, leaves whole vectors out with probability `p`, and scales the others up by 1 / (1 - p)."""

    def forward(self, x: Tensor) -> Tensor:
        # a vector as the only channel of its sequence, which is dropped or kept as one
        return super().forward(x.unsqueeze(1)).squeeze(1)
''',
    "pair": '''
def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """Height and width."""
    return (size, size) if isinstance(size, int) else size
''',
    "same_padding": '''
def same_padding(x: Tensor, window: int | tuple[int, int], stride: int | tuple[int, int]) -> list[int]:
    """What keeps ceil(size / stride), the odd pixel at the right and at the bottom (TensorFlow's SAME)."""
    (height, width), (down, across) = pair(window), pair(stride)
    vertical = max(height - 1 - (x.size(2) - 1) % down, 0)
    horizontal = max(width - 1 - (x.size(3) - 1) % across, 0)
    return [horizontal // 2, horizontal - horizontal // 2, vertical // 2, vertical - vertical // 2]
''',
    "same_pad": '''
def same_pad(
    x: Tensor, window: int | tuple[int, int], stride: int | tuple[int, int], value: float = 0.0
) -> Tensor:
    """A map of whatever size, padded for a window that keeps ceil(size / stride)."""
    return F.pad(x, same_padding(x, window, stride), value=value)
''',
    "SamePad": '''
class SamePad(nn.Module):
    """Pads a map of whatever size for a window that keeps ceil(size / stride)."""

    def __init__(self, window: int | tuple[int, int], stride: int | tuple[int, int], value: float = 0.0) -> None:
        super().__init__()
        self.window, self.stride, self.value = window, stride, value

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, same_padding(x, self.window, self.stride), value=self.value)
''',
    "SameAvgPool": '''
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
''',
    "CountedAvgPool": '''
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
''',
}
"""Name to text, those that others call before them."""

IMPORTS = {
    "torch": "import torch",
    "nn": "from torch import Tensor, nn",
    "F": "from torch.nn import functional as F",
}
"""A name of torch's to the line that brings it."""


def names(code: str) -> set[str]:
    """The names that a text uses; its strings and comments, which may come from a spec, do not count."""
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


def helpers(code: str) -> list[str]:
    """The helpers that a text calls, and those that they call, in order."""
    used = names(code)
    chosen: list[str] = []
    for name, text in reversed(TEXTS.items()):
        if name in used:
            chosen.insert(0, text.strip())
            used |= names(text)
    return chosen


def imports(code: str) -> str:
    """The import lines of a text."""
    used = names(code)
    torch = [line for name, line in IMPORTS.items() if name in used]
    return "\n".join([*(["from collections import OrderedDict", ""] if "OrderedDict" in used else []), *torch])
