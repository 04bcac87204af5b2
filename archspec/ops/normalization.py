"""Normalisations. `momentum` is the weight of the new batch's statistics (PyTorch's convention)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from archspec.ops.base import (
    Count,
    Family,
    Flag,
    Misfit,
    Op,
    Placement,
    Rate,
    Real,
    Says,
    Weights,
    feature_map,
    refuse_remainder,
)
from archspec.tensor import Shape

Epsilon = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True), Says("a number above 0")]


class Norm(Op):
    """What the trained normalisations share: γ and β, one of each for a channel."""

    family: ClassVar[Family] = "normalisation"

    eps: Epsilon = 1e-5
    """added to the variance under the root"""
    scale: Flag = True
    """a trained factor γ"""
    shift: Flag = True
    """a trained constant β"""

    def weights(self, *inputs: Shape) -> Weights:
        channels = inputs[0][-1:]
        return {name: channels for name, used in (("weight", self.scale), ("bias", self.shift)) if used}


class BatchNorm(Norm):
    """Batch normalisation of each channel (Ioffe & Szegedy, arXiv:1502.03167); keeps the shape."""

    kind: Literal["bn"] = "bn"
    momentum: Rate = 0.1
    """weight of the new batch in the running statistics, as in PyTorch; Keras', TensorFlow's and ONNX' is 1 minus it"""

    def buffers(self, *inputs: Shape) -> Weights:
        channels = inputs[0][-1:]
        return {"running_mean": channels, "running_var": channels}

    def placement(self, *inputs: Shape) -> Placement:
        return "over"


class LayerNorm(Norm):
    """Layer normalisation over the channels of every pixel (Ba et al., arXiv:1607.06450); keeps the shape."""

    kind: Literal["layernorm"] = "layernorm"


class GroupNorm(Norm):
    """Normalisation over groups of channels and all pixels (Wu & He, arXiv:1803.08494); keeps the shape."""

    positional: ClassVar[tuple[str, ...]] = ("groups",)

    kind: Literal["groupnorm"] = "groupnorm"
    groups: Count
    """how many groups the channels are parted into"""

    def infer(self, *inputs: Shape) -> Shape:
        refuse_remainder(inputs[0][-1], "input", self.groups, "groups")
        return inputs[0]


class LocalResponseNorm(Op):
    """x / (k + alpha · Σ x²)^beta, the sum over `size` neighbouring channels (Krizhevsky et al. 2012, §3.3).

    The paper's formula: alpha is not divided by `size` (PyTorch and Caffe divide it).
    """

    positional: ClassVar[tuple[str, ...]] = ("size", "alpha", "beta", "k")
    family: ClassVar[Family] = "normalisation"

    kind: Literal["lrn"] = "lrn"
    size: Count = 5
    """channels in the sum, the own one in their middle"""
    alpha: Real = 1e-4
    """factor of the sum"""
    beta: Real = 0.75
    """exponent"""
    k: Real = 2.0
    """added to the sum"""

    def infer(self, *inputs: Shape) -> Shape:
        feature_map(inputs[0])
        if self.size % 2 == 0:
            raise Misfit(f"its size of {self.size} has no channel in the middle; it must be odd")
        return inputs[0]
