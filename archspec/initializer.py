"""The distributions that weights begin with; stated in the spec (`init conv = kaiming_normal(fan_out)`).

Biases and shifts begin at 0, scales at 1. Fans are counted on the canonical layouts as PyTorch counts them: of a
weight (out, in, kh, kw), fan_in = in·kh·kw and fan_out = out·kh·kw, also where the convolution is grouped.
"""

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from archspec.ops.base import Real, Says

Spread = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True), Says("a number from 0")]


class Initializer(BaseModel):
    """A distribution."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    positional: ClassVar[tuple[str, ...]] = ()

    kind: str


class Normal(Initializer):
    """Normal around 0."""

    positional: ClassVar[tuple[str, ...]] = ("std",)

    kind: Literal["normal"] = "normal"
    std: Spread
    """standard deviation"""


class TruncatedNormal(Initializer):
    """Normal around 0, drawn again outside of two standard deviations."""

    positional: ClassVar[tuple[str, ...]] = ("std",)

    kind: Literal["truncated_normal"] = "truncated_normal"
    std: Spread
    """standard deviation, before the cut"""


class Uniform(Initializer):
    """Uniform from -bound to bound."""

    positional: ClassVar[tuple[str, ...]] = ("bound",)

    kind: Literal["uniform"] = "uniform"
    bound: Spread
    """largest magnitude"""


class KaimingNormal(Initializer):
    """Normal with variance gain² / fan (He et al., arXiv:1502.01852, eq. 10 and 14)."""

    positional: ClassVar[tuple[str, ...]] = ("mode", "gain")

    kind: Literal["kaiming_normal"] = "kaiming_normal"
    mode: Literal["fan_in", "fan_out"] = "fan_in"
    """which fan"""
    gain: Real = 2**0.5
    """√2 suits ReLU"""


class KaimingUniform(Initializer):
    """Uniform with variance gain² / fan."""

    positional: ClassVar[tuple[str, ...]] = ("mode", "gain")

    kind: Literal["kaiming_uniform"] = "kaiming_uniform"
    mode: Literal["fan_in", "fan_out"] = "fan_in"
    """which fan"""
    gain: Real = 2**0.5
    """√2 suits ReLU"""


class XavierNormal(Initializer):
    """Normal with variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010)."""

    kind: Literal["xavier_normal"] = "xavier_normal"


class XavierUniform(Initializer):
    """Uniform with variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010)."""

    kind: Literal["xavier_uniform"] = "xavier_uniform"


AnyInitializer = Annotated[
    Normal | TruncatedNormal | Uniform | KaimingNormal | KaimingUniform | XavierNormal | XavierUniform,
    Field(discriminator="kind"),
]

INITIALIZERS: dict[str, type[AnyInitializer]] = {
    cls.model_fields["kind"].default: cls for cls in get_args(get_args(AnyInitializer)[0])
}

DEFAULT_INIT: dict[str, AnyInitializer] = {
    "conv": KaimingNormal(mode="fan_out"),
    "dwconv": KaimingNormal(mode="fan_out"),
    "linear": Normal(std=0.01),
}
"""Where a spec says nothing: He's rule for ReLU networks, a small normal for the classifier."""
