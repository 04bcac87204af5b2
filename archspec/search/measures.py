"""What is measured of a network, by name; and how amounts of it are written: `100M`, `10MB`."""

import re
from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from archspec.graph import Graph
from archspec.memory import peak
from archspec.search.space import WrongRange
from archspec.stats import totals
from archspec.tensor import BYTES


class Measure(Struct, frozen=True):
    """A number of a network that one may want small."""

    of: Callable[[Graph], int]
    flag: str
    """as an option of the command line"""
    help: str
    bytes: bool = False


def params(graph: Graph) -> int:
    return totals(graph, graph.nodes)[0]


def macs(graph: Graph) -> int:
    return totals(graph, graph.nodes)[2]


def file_size(graph: Graph) -> int:
    """Bytes of all weights and running statistics in float32, without a file's header."""
    return BYTES["fp32"] * sum(totals(graph, graph.nodes)[:2])


def memory(graph: Graph) -> int:
    """Bytes of the activations that are alive at once, at their peak, in float32 and for one image."""
    return BYTES["fp32"] * peak(graph).numbers


MEASURES = {
    "params": Measure(params, "params", "trained parameters"),
    "macs": Measure(macs, "macs", "multiply-accumulates of one image"),
    "memory": Measure(memory, "memory", "bytes of activations at their peak, in float32", bytes=True),
    "file_size": Measure(file_size, "file-size", "bytes of all weights and statistics in float32", bytes=True),
}
"""A further one is a line here: sweep, fit and their options follow."""
ALWAYS = ("params", "macs")
"""What a sweep measures whether asked to or not."""

AMOUNT = re.compile(r"([0-9]{1,18}(?:[._][0-9]{1,18})*(?:e[0-9]{1,2})?)\s*([KMGT]?)(i?)(B?)", re.IGNORECASE)
POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def amount(text: str) -> int:
    """The largest whole number up to `100M`, `3.4M`, `1e8`, `10MB`, `512KiB`, `3_000_000`; raises `WrongRange`."""
    match = AMOUNT.fullmatch(text.strip())
    number = match[1].replace("_", "") if match else ""
    if match is None or number.count(".") > 1 or (match[3] and not match[2]):
        raise WrongRange(
            f"`{text[:40]!r}` is not an amount".replace("'", ""),
            "write 100M, 3.4M, 150K or 10MB (KiB, MiB: powers of 1024)",
        )
    return int(Decimal(number) * (1024 if match[3] else 1000) ** POWERS[match[2].upper()])
