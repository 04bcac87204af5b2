"""Normalisations of torch -> those of the language."""

from typing import Any

from archspec import ops
from archspec.decompile import Tensor
from archspec.decompile.layouts import No, only
from archspec_torch.decompile.handlers.arguments import trained
from archspec_torch.decompile.handlers.registry import Arguments, reads
from archspec_torch.decompile.walk import TorchPlace
from archspec_torch.program import Constant


@reads("batch_norm", "_native_batch_norm_legit_no_training")
def batch_norm(site: TorchPlace, a: Arguments) -> Any:
    only(not a.get("training"), "it normalises by the batch, not by running statistics")
    mean, variance = a["running_mean"], a["running_var"]
    if not (isinstance(mean, Constant) and isinstance(variance, Constant)):
        raise No("it has no running statistics")
    x, affine = site.first(a["input"]), scaled(a)
    # torch writes 0 for `momentum=None`, which means a cumulative average
    only(bool(a["momentum"]), "its momentum is 0 or None: its statistics never change, or average all batches")
    made = ops.BatchNorm(eps=a["eps"], momentum=a["momentum"], **affine)
    statistics = {"running_mean": site.tensor(mean), "running_var": site.tensor(variance)}
    found = site.add(made, [x], None, **weights(site, a), **statistics)
    return found if "training" in a else [found]


def scaled(a: Arguments) -> dict[str, bool]:
    """Whether a normalisation has a trained factor and constant."""
    return {"scale": a["weight"] is not None, "shift": a["bias"] is not None}


def weights(site: TorchPlace, a: Arguments) -> dict[str, Tensor | None]:
    return {name: trained(site, a[name]) for name in ("weight", "bias")}


@reads("layer_norm", "native_layer_norm")
def layer_norm(site: TorchPlace, a: Arguments) -> Any:
    x = site.last(a["input"])
    only(list(a["normalized_shape"]) == [site.channels(x)], "it normalises over more than the channels")
    found = site.add(ops.LayerNorm(eps=a["eps"], **scaled(a)), [x], None, **weights(site, a))
    return found if "cudnn_enable" in a else [found]


@reads("group_norm", "native_group_norm", "instance_norm")
def group_norm(site: TorchPlace, a: Arguments) -> Any:
    x = site.first(a["input"])
    if "use_input_stats" in a:
        only(a["use_input_stats"] and a["running_mean"] is None, "it normalises by running statistics")
    groups = a.get("num_groups", a.get("group", site.channels(x)))
    found = site.add(ops.GroupNorm(groups=groups, eps=a["eps"], **scaled(a)), [x], None, **weights(site, a))
    return [found] if "group" in a else found
