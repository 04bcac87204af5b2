"""What arguments of torch's operators say."""

from typing import Any

from archspec.decompile import Tensor
from archspec.decompile.layouts import No
from archspec_torch.decompile.walk import TorchPlace


def pair(values: Any) -> tuple[int, int]:
    """One or two numbers as two."""
    sides = [values] if isinstance(values, int) else list(values)
    if not all(type(side) is int for side in sides):
        raise No("its attributes are not plain numbers")
    return (sides[0], sides[0]) if len(sides) == 1 else (sides[0], sides[1])


def trained(site: TorchPlace, x: Any) -> Tensor | None:
    """A trained tensor, if there is one; raises `No`."""
    return None if x is None else site.tensor(site.trained(x))


def scalar(x: Any) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, bool)
