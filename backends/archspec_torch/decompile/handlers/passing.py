"""What gives the tensor that it is given."""

from typing import Any

from archspec.decompile.layouts import No, only
from archspec_torch.decompile.handlers.registry import Arguments, reads
from archspec_torch.decompile.walk import TorchPlace
from archspec_torch.program import Told


@reads("contiguous", "alias", "detach", "clone")
def same(site: TorchPlace, a: Arguments) -> Any:
    return a["self"]


@reads("to", "_to_copy", "type_as", "lift_fresh_copy")
def to(site: TorchPlace, a: Arguments) -> Any:
    given, made = site.step.sources[0].told, site.step.told
    if not (isinstance(given, Told) and isinstance(made, Told)):
        raise No("what it gives is not known")
    only(given.dtype == made.dtype, f"it changes the type of numbers to {made.dtype}")
    return a["self"]
