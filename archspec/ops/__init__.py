"""The operators: `AnyOp` is the closed union of all, told apart by `kind`. The list of operators is this page."""

from typing import Annotated, get_args

from pydantic import Field

from archspec.ops.activation import (
    Dropout,
    Gelu,
    HardSigmoid,
    HardSwish,
    LayerScale,
    LeakyRelu,
    PRelu,
    Relu,
    Relu6,
    Sigmoid,
    Silu,
    Softmax,
    StochasticDepth,
    Tanh,
)
from archspec.ops.base import Misfit, Op, Window, allowed, words
from archspec.ops.convolution import Conv, DwConv, Linear
from archspec.ops.merge import Add, Concat, Join, Mul
from archspec.ops.normalization import BatchNorm, GroupNorm, LayerNorm, LocalResponseNorm
from archspec.ops.pooling import AdaptiveAvgPool, AvgPool, GlobalAvgPool, MaxPool
from archspec.ops.reshape import Flatten, Input, Pad, Shuffle, Slice, Split, Upsample

AnyOp = Annotated[
    Conv | DwConv | Linear
    | BatchNorm | LayerNorm | GroupNorm | LocalResponseNorm
    | Relu | Relu6 | Silu | Gelu | Sigmoid | HardSwish | HardSigmoid | Softmax | Tanh | PRelu | LeakyRelu
    | MaxPool | AvgPool | GlobalAvgPool | AdaptiveAvgPool
    | Dropout | StochasticDepth | LayerScale
    | Flatten | Pad | Split | Slice | Shuffle | Upsample
    | Add | Mul | Concat
    | Input,
    Field(discriminator="kind"),
]  # fmt: skip

OPERATORS: dict[str, type[AnyOp]] = {
    op.model_fields["kind"].default: op for op in get_args(get_args(AnyOp)[0]) if op is not Input
}
"""Every operator that a spec can name. `id` is not an operator: it stands for the absence of one."""

__all__ = [
    "OPERATORS",
    "WORDS",
    "AdaptiveAvgPool",
    "Add",
    "AnyOp",
    "AvgPool",
    "BatchNorm",
    "Concat",
    "Conv",
    "Dropout",
    "DwConv",
    "Flatten",
    "Gelu",
    "GlobalAvgPool",
    "GroupNorm",
    "HardSigmoid",
    "HardSwish",
    "Input",
    "Join",
    "LayerNorm",
    "LayerScale",
    "LeakyRelu",
    "Linear",
    "LocalResponseNorm",
    "MaxPool",
    "Misfit",
    "Mul",
    "Op",
    "PRelu",
    "Pad",
    "Relu",
    "Relu6",
    "Shuffle",
    "Sigmoid",
    "Silu",
    "Slice",
    "Softmax",
    "Split",
    "StochasticDepth",
    "Tanh",
    "Upsample",
    "Window",
    "allowed",
]  # fmt: skip

WORDS = frozenset[str]().union(
    *(words(field.annotation) for op in OPERATORS.values() for name, field in op.model_fields.items() if name != "kind")
)
"""Every word that is an attribute's value."""
