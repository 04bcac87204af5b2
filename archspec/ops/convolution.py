"""Convolutions and the linear layer: all that carries a matrix of weights.

Canonical layouts: convolution (out, in / groups, kh, kw), linear (out, in). MACs are without bias.
"""

from math import prod
from typing import ClassVar, Literal

from archspec.ops.base import Count, Extent, Family, Flag, Op, Weights, Window, feature_map, pair, refuse_remainder
from archspec.tensor import Shape


class Filter(Window):
    """A window with weights; its stride is 1 unless given."""

    family: ClassVar[Family] = "convolution"

    stride: Extent = 1
    """step of the window"""

    @property
    def strides(self) -> tuple[int, int]:
        return pair(self.stride)


class Conv(Filter):
    """2-D convolution: h×w×c to h'×w'×channels."""

    positional: ClassVar[tuple[str, ...]] = ("kernel", "channels", "stride")

    kind: Literal["conv"] = "conv"
    channels: Count
    """output channels (filters)"""
    groups: Count = 1
    """filter groups; the channels of input and output must be multiples"""
    bias: Flag = False
    """add a trained constant to every output channel"""

    def infer(self, *inputs: Shape) -> Shape:
        channels = feature_map(inputs[0])[2]
        for what, number in (("input", channels), ("output", self.channels)):
            refuse_remainder(number, what, self.groups, "groups")
        return (*self.slide(inputs[0]), self.channels)

    def weights(self, *inputs: Shape) -> Weights:
        kernel = (self.channels, inputs[0][2] // self.groups, *pair(self.kernel))
        return {"weight": kernel, "bias": (self.channels,)} if self.bias else {"weight": kernel}

    def macs(self, *inputs: Shape) -> int:
        return prod(self.infer(*inputs)) * (inputs[0][2] // self.groups) * prod(pair(self.kernel))


class DwConv(Filter):
    """Depthwise convolution: every channel filtered by itself; h×w×c to h'×w'×(multiplier·c).

    Output channel `i·multiplier + j` is the j-th filter of input channel i.
    """

    positional: ClassVar[tuple[str, ...]] = ("kernel", "stride")
    family: ClassVar[Family] = "depthwise"

    kind: Literal["dwconv"] = "dwconv"
    multiplier: Count = 1
    """filters for each input channel"""
    bias: Flag = False
    """add a trained constant to every output channel"""

    def infer(self, *inputs: Shape) -> Shape:
        return (*self.slide(inputs[0]), inputs[0][2] * self.multiplier)

    def weights(self, *inputs: Shape) -> Weights:
        channels = inputs[0][2] * self.multiplier
        kernel = (channels, 1, *pair(self.kernel))
        return {"weight": kernel, "bias": (channels,)} if self.bias else {"weight": kernel}

    def macs(self, *inputs: Shape) -> int:
        return prod(self.infer(*inputs)) * prod(pair(self.kernel))


class Linear(Op):
    """Linear layer over the channels: a vector c to `channels`, or every pixel of a map h×w×c by itself."""

    positional: ClassVar[tuple[str, ...]] = ("channels",)
    family: ClassVar[Family] = "linear"

    kind: Literal["linear"] = "linear"
    channels: Count
    """output channels"""
    bias: Flag = True
    """add a trained constant to every output channel"""

    def infer(self, *inputs: Shape) -> Shape:
        return (*inputs[0][:-1], self.channels)

    def weights(self, *inputs: Shape) -> Weights:
        matrix = (self.channels, inputs[0][-1])
        return {"weight": matrix, "bias": (self.channels,)} if self.bias else {"weight": matrix}

    def macs(self, *inputs: Shape) -> int:
        return prod(inputs[0]) * self.channels
