"""Modules that a user may write, and what is said of them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from decompile.equality import assert_equal, from_torch
from torch import nn
from zoo.equality import randomize

from archspec.decompile import CannotSay, Decompiled


class Of(nn.Module):
    """A function with the modules that it calls."""

    def __init__(self, function: Callable[..., Any], **modules: Any) -> None:
        super().__init__()
        for name, module in modules.items():
            setattr(self, name, module)
        self.function = function

    def forward(self, x: torch.Tensor) -> Any:
        return self.function(self, x)


def found(model: nn.Module, *shape: int) -> Decompiled:
    """The spec of a module with random weights, proved to be equal."""
    randomize(model.double())
    result = from_torch(model, *(shape or (9, 11, 4)))
    assert_equal(model, result, shape or (9, 11, 4))
    return result


def kinds(model: nn.Module, *shape: int) -> list[str]:
    return [node.op.kind for node in found(model, *shape).graph.nodes[1:]]


def only(model: nn.Module, *shape: int) -> Any:
    (node,) = found(model, *shape).graph.nodes[1:]
    return node.op


def refused(model: nn.Module, *shape: int) -> str:
    with pytest.raises(CannotSay) as error:
        from_torch(model, *(shape or (9, 11, 4)))
    return str(error.value)
