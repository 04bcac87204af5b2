"""Arithmetic with constants -> biases, factors for each channel, and depthwise convolutions of one pixel.

A trained number for each channel after a layer without a bias is its bias; a trained factor is `layer_scale`. What a
model multiplies by and adds without training it is written as the same operators, and a note says so. Several in a row
are one, also where the channels are scaled one by one and joined.
"""

from collections.abc import Sequence
from typing import Any

import torch

from archspec import ops
from archspec.decompile import Tensor
from archspec.decompile.affine import of_slices
from archspec.decompile.layouts import CHANNELS, Value, only
from archspec_torch.checkpoint import array
from archspec_torch.decompile.walk import TorchAffine, TorchPlace, where
from archspec_torch.program import Constant

BIASED = (ops.Conv, ops.DwConv, ops.Linear)


def scaled(site: TorchPlace, x: Value, factor: Any) -> Value:
    """A value times a number, or a number for each channel."""
    if isinstance(factor, Constant) and factor.trained:
        scale = Constant(factor.key, factor.tensor.reshape(-1), True)
        only(per_channel(site, x, factor).numel() == factor.tensor.numel(), "its factor has one value for all channels")
        return site.add(ops.LayerScale(init=first_value(scale.tensor, 1e-6)), [x], weight=site.tensor(scale))
    found = per_channel(site, x, factor)
    return affine(site, TorchAffine(x, found, torch.zeros_like(found), keys(factor)))


def divided(site: TorchPlace, x: Value, divisor: Any) -> Value:
    """A value by a number, or by a number for each channel, none of them trained."""
    only(not (isinstance(divisor, Constant) and divisor.trained), "it divides by a trained tensor")
    found = 1 / per_channel(site, x, divisor)
    return affine(site, TorchAffine(x, found, torch.zeros_like(found), keys(divisor)))


def shifted(site: TorchPlace, x: Value, shift: Any, sign: int = 1) -> Value:
    """A value plus a number, or plus a number for each channel; or minus, by the sign."""
    found = per_channel(site, x, shift)
    if isinstance(shift, Constant) and shift.trained:
        op = next(node.op for node in reversed(site.reading.builder.nodes) if node.path == x.path)
        free = isinstance(op, BIASED) and not op.bias and site.alone
        only(free and sign == 1, "it adds a trained tensor to something else than the result of a layer without a bias")
        only(found.numel() == shift.tensor.numel(), "it adds one number to all channels")
        return site.amended(x, "bias", "bias", Tensor(shift.key, lambda: array(shift.key, shift.tensor.reshape(-1))))
    return affine(site, TorchAffine(x, torch.ones_like(found), sign * found, keys(shift)))


def keys(x: Any) -> frozenset[str]:
    return frozenset({x.key}) if isinstance(x, Constant) else frozenset()


def per_channel(site: TorchPlace, x: Value, given: Any) -> torch.Tensor:
    """A constant as one number for each channel; raises `No`."""
    count = site.channels(x)
    if not isinstance(given, Constant):
        return torch.full((count,), float(given), dtype=torch.float64)
    held = given.tensor
    only(held.is_floating_point() and not held.is_meta, f"it computes with {held.dtype} numbers, or with none")
    if held.numel() == 1 and held.dim() <= len(site.laid(x)) + 1:
        return held.detach().to(torch.float64).reshape(()).expand(count)
    sides = [1] * (len(site.laid(x)) + 1)
    sides[CHANNELS[x.layout]] = count
    shape = list(held.shape)
    only([1] * (len(sides) - len(shape)) + shape == sides, "its constant does not have one number per channel")
    return held.detach().to(torch.float64).reshape(-1)


def affine(site: TorchPlace, made: TorchAffine) -> Value:
    """A value times factors plus constants; raises `No`."""
    before = site.reading.affine.get(made.x.path) if site.alone else None
    if before is not None:
        shift = before.shift * made.factor + made.shift
        made = TorchAffine(before.x, before.factor * made.factor, shift, before.keys | made.keys)
    return added(site, made)


def added(site: TorchPlace, made: TorchAffine) -> Value:
    """The operator that is exactly this; raises `No`."""
    numbers = torch.stack([made.factor, made.shift])
    only(bool(numbers.isfinite().all()), "it computes with numbers that are not finite")
    x, factor, shift = made.x, held(site, made, made.factor), held(site, made, made.shift)
    if bool((made.shift == 0).all()):
        if bool((made.factor == 1).all()):
            return x
        found = site.add(ops.LayerScale(init=first_value(made.factor, 1e-6)), [x], weight=factor)
    else:
        only(len(site.shape(x)) == 3, "it adds constants to the channels of a vector")
        kernel = held(site, made, made.factor.reshape(-1, 1, 1, 1))
        found = site.add(ops.DwConv(kernel=1, bias=True), [x], x.layout, weight=kernel, bias=shift)
    site.reading.affine[found.path] = made
    site.reading.fixed[found.path] = where(site.step)
    return found


def held(site: TorchPlace, made: TorchAffine, numbers: torch.Tensor) -> Tensor:
    """A tensor of these numbers, in the model's type if that has them all."""
    narrow = numbers.to(site.reading.program.images[0].told.dtype)
    exact = narrow if torch.equal(narrow.to(torch.float64), numbers) else numbers
    key = "+".join(sorted(made.keys)) or site.key
    return Tensor(key, lambda: array(key, exact.contiguous()), object())


def first_value(tensor: torch.Tensor, otherwise: float) -> float:
    """What a tensor began with, if it is still that: one number throughout."""
    if tensor.numel() and bool((tensor == tensor.flatten()[0]).all()):
        return float(str(tensor.flatten()[0].numpy()))
    return otherwise


# ---- channels that are scaled one by one ----


def together(site: TorchPlace, parts: Sequence[Value]) -> Value | None:
    """A join of all channels of a value, each scaled by itself, as that value scaled; None where it is not one."""
    sliced = of_slices(site.reading.builder, site.reading.affine, parts)
    if sliced is None or all(own is None for own, _ in sliced[1]):
        return None
    x, found = sliced
    factor = torch.cat([torch.ones(count, dtype=torch.float64) if own is None else own.factor for own, count in found])
    shift = torch.cat([torch.zeros(count, dtype=torch.float64) if own is None else own.shift for own, count in found])
    return added(site, TorchAffine(x, factor, shift, frozenset[str]().union(*(own.keys for own, _ in found if own))))
