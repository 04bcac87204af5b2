"""Activations and what acts on every value by itself; all keep the shape."""

from typing import ClassVar, Literal

from archspec.ops.base import Family, Flag, Op, Placement, Rate, Real, Weights
from archspec.tensor import Shape


class Activation(Op):
    """What bends values; a softmax counts among them."""

    family: ClassVar[Family] = "activation"

    def placement(self, *inputs: Shape) -> Placement:
        return "over"


class Relu(Activation):
    """max(0, x)."""

    kind: Literal["relu"] = "relu"


class Relu6(Activation):
    """min(max(0, x), 6)."""

    kind: Literal["relu6"] = "relu6"


class Silu(Activation):
    """x · sigmoid(x), also called swish."""

    kind: Literal["silu"] = "silu"


class Gelu(Activation):
    """x · Φ(x) (Hendrycks & Gimpel, arXiv:1606.08415)."""

    positional: ClassVar[tuple[str, ...]] = ("approximate",)

    kind: Literal["gelu"] = "gelu"
    approximate: Literal["none", "tanh"] = "none"
    """`none` is exact (erf); `tanh` the approximation of the paper"""


class Sigmoid(Activation):
    """1 / (1 + e^-x)."""

    kind: Literal["sigmoid"] = "sigmoid"


class HardSwish(Activation):
    """x · relu6(x + 3) / 6 (MobileNetV3, arXiv:1905.02244, §5.2)."""

    kind: Literal["hardswish"] = "hardswish"


class HardSigmoid(Activation):
    """relu6(x + 3) / 6."""

    kind: Literal["hardsigmoid"] = "hardsigmoid"


class Softmax(Activation):
    """e^x over its sum, along the channels of every pixel.

    A softmax over branches (SKNet, ResNeSt) is not in the language.
    """

    kind: Literal["softmax"] = "softmax"

    def placement(self, *inputs: Shape) -> Placement:
        return "own"


class Tanh(Activation):
    """Hyperbolic tangent."""

    kind: Literal["tanh"] = "tanh"


class PRelu(Activation):
    """max(0, x) + slope · min(0, x), the slope trained (He et al., arXiv:1502.01852)."""

    positional: ClassVar[tuple[str, ...]] = ("slope",)

    kind: Literal["prelu"] = "prelu"
    slope: Real = 0.25
    """the slope that training begins with"""
    shared: Flag = False
    """one slope for all channels instead of one for each"""

    def weights(self, *inputs: Shape) -> Weights:
        return {"weight": (1,) if self.shared else inputs[0][-1:]}


class LeakyRelu(Activation):
    """max(0, x) + slope · min(0, x)."""

    positional: ClassVar[tuple[str, ...]] = ("slope",)

    kind: Literal["leaky_relu"] = "leaky_relu"
    slope: Real = 0.01
    """factor of negative values"""


class LayerScale(Op):
    """A trained factor for each channel (Touvron et al., arXiv:2103.17239)."""

    positional: ClassVar[tuple[str, ...]] = ("init",)
    family: ClassVar[Family] = "regularisation"

    kind: Literal["layer_scale"] = "layer_scale"
    init: Real = 1e-6
    """the factor that training begins with"""

    def weights(self, *inputs: Shape) -> Weights:
        return {"weight": inputs[0][-1:]}

    def placement(self, *inputs: Shape) -> Placement:
        return "over"


class Dropout(Op):
    """While training, every value is zero with probability `rate`, and the others grow by 1 / (1 - rate)."""

    positional: ClassVar[tuple[str, ...]] = ("rate",)
    family: ClassVar[Family] = "regularisation"

    kind: Literal["dropout"] = "dropout"
    rate: Rate = 0.5
    """probability of a zero"""

    def placement(self, *inputs: Shape) -> Placement:
        return "view"


class StochasticDepth(Op):
    """While training, a whole image is zero with probability `rate`, and the others grow by 1 / (1 - rate).

    Huang et al., arXiv:1603.09382, on the residual branch, drawn for each image by itself.
    """

    positional: ClassVar[tuple[str, ...]] = ("rate",)
    family: ClassVar[Family] = "regularisation"

    kind: Literal["stochastic_depth"] = "stochastic_depth"
    rate: Rate
    """probability of a zero"""

    def placement(self, *inputs: Shape) -> Placement:
        return "view"
