"""Normalisations of ONNX -> those of the language."""

from decimal import Decimal
from typing import Any

import numpy as np

from archspec import ops
from archspec.decompile.layouts import Bands, NormalBands, Value, only
from archspec_onnx.constants import Computed, Constant
from archspec_onnx.decompile.handlers.registry import reads
from archspec_onnx.decompile.walk import Held, OnnxPlace


def unused(x: Any, value: float) -> bool:
    """Whether a factor or constant of a normalisation is there only because ONNX wants one."""
    return isinstance(x, Constant) and not x.key and x.real and bool((x.array == value).all())


def affine(place: OnnxPlace, scale: Any, shift: Any) -> tuple[dict[str, bool], dict[str, Held]]:
    """What a normalisation trains: its attributes and tensors."""
    has = {"scale": not unused(scale, 1), "shift": shift is not None and not unused(shift, 0)}
    tensors = {}
    for name, used, x in (("weight", has["scale"], scale), ("bias", has["shift"], shift)):
        if used:
            tensors[name] = place.tensor(x.reshaped((x.size,)) if isinstance(x, Constant) else x)
    return has, tensors


@reads("BatchNormalization")
def batch_norm(place: OnnxPlace, x: Any, scale: Any, shift: Any, mean: Any, variance: Any) -> list[Value]:
    # before opset 14 a node with more outputs than one was for training
    training = place.whole("training_mode", 0) or any(place.node.output[1:])
    only(not training, "it normalises by the batch, not by running statistics")
    only(place.whole("spatial", 1) == 1, "it normalises each value by itself")
    eps = place.real("epsilon", 1e-5)
    if isinstance(variance, Computed):
        more, variance = place.rounded_off(variance.node)
        eps += more
    has, tensors = affine(place, scale, shift)
    momentum = place.real("momentum", 0.9)
    only(0 <= momentum <= 1, f"its momentum is {momentum}")
    made = ops.BatchNorm(eps=eps, momentum=float(Decimal(1) - Decimal(str(np.float32(momentum)))), **has)
    statistics = {"running_mean": place.tensor(mean), "running_var": place.tensor(variance)}
    return [place.add(made, [place.first(x)], None, **tensors, **statistics)]


@reads("LayerNormalization")
def layer_norm(place: OnnxPlace, x: Any, scale: Any, shift: Any = None) -> list[Value]:
    given = place.last(x)
    rank = 1 + len(place.laid(given))
    axis = place.dimension(place.whole("axis", -1), rank)
    only(axis == rank - 1, "it normalises over more than the channels")
    has, tensors = affine(place, scale, shift)
    return [place.add(ops.LayerNorm(eps=place.real("epsilon", 1e-5), **has), [given], None, **tensors)]


@reads("GroupNormalization", "InstanceNormalization")
def group_norm(place: OnnxPlace, x: Any, scale: Any, shift: Any) -> Any:
    if isinstance(x, Bands) and not isinstance(x, NormalBands):
        only(unused(scale, 1) and unused(shift, 0), "it scales groups of channels")
        return NormalBands(x.base, x.count, place.real("epsilon", 1e-5))
    given = place.first(x)
    groups = place.whole("num_groups", place.channels(given))
    by_channel = isinstance(scale, Constant) and scale.size == place.channels(given)
    only(by_channel, "its factors are one for each group")
    has, tensors = affine(place, scale, shift)
    return place.add(ops.GroupNorm(groups=groups, eps=place.real("epsilon", 1e-5), **has), [given], None, **tensors)


@reads("LRN")
def lrn(place: OnnxPlace, x: Any) -> Value:
    size = place.whole("size", 0)
    only(size > 0, "its `size` is not a number of channels")
    # ONNX divides alpha by the size, the paper's formula does not
    made = ops.LocalResponseNorm(
        size=size, alpha=place.real("alpha", 1e-4) / size, beta=place.real("beta", 0.75), k=place.real("bias", 1)
    )
    return place.add(made, [place.map(x)])
