"""Sums, products and their kin -> joins, and arithmetic with constants."""

from typing import Any

from archspec import ops
from archspec.decompile.layouts import No, Value, only
from archspec_torch.decompile.affine import divided, scaled, shifted
from archspec_torch.decompile.handlers.arguments import scalar
from archspec_torch.decompile.handlers.registry import Arguments, reads
from archspec_torch.decompile.handlers.response import Response, normalized
from archspec_torch.decompile.handlers.views import Expanded
from archspec_torch.decompile.walk import TorchPlace
from archspec_torch.program import Constant


def unchanged(a: Arguments, neutral: int) -> Value | None:
    """The one value of a sum or product whose other side is a number that changes nothing."""
    for x, number in ((a["self"], a["other"]), (a["other"], a["self"])):
        if isinstance(x, Value) and scalar(number) and number == neutral:
            return x
    return None


@reads("add")
def add(site: TorchPlace, a: Arguments) -> Any:
    only(a.get("alpha", 1) == 1, "its factor is not 1")
    kept = unchanged(a, 0)
    if kept is not None:
        return kept
    if isinstance(a["self"], Response) and scalar(a["other"]):
        return a["self"].then(1, a["other"])
    for x, other in ((a["self"], a["other"]), (a["other"], a["self"])):
        if isinstance(other, Constant) or scalar(other):
            return shifted(site, site.any(x), other)
    return join(site, ops.Add(), a)


@reads("mul")
def mul(site: TorchPlace, a: Arguments) -> Any:
    one, other = a["self"], a["other"]
    kept = unchanged(a, 1)
    if kept is not None:
        return kept
    if isinstance(one, Response) and scalar(other):
        return one.then(0, other)
    for x, factor in ((one, other), (other, one)):
        if isinstance(factor, Constant) or scalar(factor):
            return scaled(site, site.any(x), factor)
    unspread = {key: given.base if isinstance(given, Expanded) else given for key, given in a.items()}
    return join(site, ops.Mul(), unspread)


def join(site: TorchPlace, made: ops.AnyOp, a: Arguments) -> Value:
    return site.add(made, site.alike([a["self"], a["other"]]))


@reads("sub")
def sub(site: TorchPlace, a: Arguments) -> Value:
    one, other = a["self"], a["other"]
    only(a.get("alpha", 1) == 1, "its factor is not 1")
    if isinstance(other, Constant) or scalar(other):
        return shifted(site, site.any(one), other, -1)
    only(isinstance(one, Constant) or scalar(one), "it subtracts one value from another")
    return shifted(site, scaled(site, site.any(other), -1), one)


@reads("rsub")
def rsub(site: TorchPlace, a: Arguments) -> Any:
    return sub(site, {**a, "self": a["other"], "other": a["self"]})


@reads("neg")
def neg(site: TorchPlace, a: Arguments) -> Value:
    return scaled(site, site.any(a["self"]), -1)


@reads("div")
def div(site: TorchPlace, a: Arguments) -> Value:
    x: Value = site.any(a["self"])
    base = a["other"]
    only(a.get("rounding_mode") is None, "it rounds the quotient")
    if isinstance(base, Constant) or scalar(base):
        return divided(site, x, base)
    if not isinstance(base, Response):
        raise No("it divides, and is not a local response normalisation")
    return normalized(site, x, base)
