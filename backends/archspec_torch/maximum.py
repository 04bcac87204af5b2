"""Python's `max` as a step of a graph; Python's own asks which of two values is larger, which a graph cannot say."""

import operator
from typing import Any

import torch
from torch import fx


def larger(value: Any, least: int) -> Any:
    """The larger of the two.

    It is the value itself where a remainder is all that is taken from it and leaves enough: an exported program of any
    size proves what it can about sizes, and it can prove nothing about a maximum.
    """
    match value:
        case fx.Proxy(node=fx.Node(target=operator.sub, args=(int(most), fx.Node(target=operator.mod) as taken))):
            _, divisor = taken.args
            if isinstance(divisor, int) and most - (divisor - 1) >= least:
                return value
    return torch.sym_max(value, least)  # type: ignore[no-untyped-call]
