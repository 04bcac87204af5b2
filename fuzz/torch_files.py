"""Targets of files that torch writes: exported programs and checkpoints."""

import argparse
import io
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import torch
from archspec_torch import checkpoint
from archspec_torch.decompile import decompile
from torch import nn

from archspec.decompile import decompiled
from fuzz.files import at_a_path
from fuzz.mutate_data import of_bytes, of_zip
from fuzz.targets import Target

LONGEST = 65_536
IMAGE = (16, 12, 3)


def program(path: Path) -> None:
    """A program that is read is a spec with as many numbers in its weights as it counts."""
    found = decompiled(decompile(str(path), name=None, image=IMAGE, arguments={}))
    counted = found.graph.stats().params
    trained = {name for name in found.tensors if not name.endswith(("running_mean", "running_var"))}
    assert sum(found.tensors[name].array().size for name in trained) == counted, "other weights than it counts"


def weights(path: Path) -> None:
    """Tensors that are read are written and read again, the same to the last bit."""
    found = checkpoint.read(path)
    again = path.with_name("again.pth")
    try:
        checkpoint.write(found, again)
        same = checkpoint.read(again)
    finally:
        again.unlink(missing_ok=True)
    assert list(found) == list(same) or checkpoint.unprefixed(dict(found))[1], "other keys"
    for one, other in zip(found.values(), same.values(), strict=True):
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes()), "other numbers"


# ---- what is tried first ----


class Branches(nn.Module):
    """Two branches, parts of a tensor, sizes that are computed."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(3, 4, 3, padding=1, groups=1)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(self.one(x)).relu()
        left, right = torch.chunk(y, 2, dim=1)
        y = torch.cat([right, left], dim=1) + y
        made: torch.Tensor = self.head(y.mean((2, 3)).flatten(1))
        return made


@cache
def programs() -> tuple[bytes, ...]:
    """Programs that torch exports, of one size and of any."""
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2)).eval()
    dynamic = ({0: torch.export.Dim("n", min=1, max=64), 2: torch.export.Dim("h", min=8, max=64)},)
    made = [(plain, None), (plain, dynamic), (Branches().eval(), None)]
    found = []
    for module, shapes in made:
        into = io.BytesIO()
        torch.export.save(torch.export.export(module, (torch.zeros(2, 3, 16, 12),), dynamic_shapes=shapes), into)
        found.append(into.getvalue())
    return tuple(found)


@cache
def checkpoints() -> tuple[bytes, ...]:
    """Checkpoints as scripts save them."""
    state = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.zeros(2, dtype=torch.bfloat16)}
    wrapped = {f"module.{key}": tensor for key, tensor in state.items()}
    made = [state, {"state_dict": wrapped, "epoch": 3, "args": argparse.Namespace(lr=0.1)}, {"t": state["a.weight"].T}]
    return (*map(saved, made), saved(state, zipped=False))


def saved(content: object, zipped: bool = True) -> bytes:
    into = io.BytesIO()
    torch.save(content, into, _use_new_zipfile_serialization=zipped)
    return into.getvalue()


def of_checkpoint(data: bytes, rng: random.Random) -> bytes:
    return (of_zip if rng.randrange(4) else of_bytes)(data, rng)


def first(of: Callable[[], tuple[bytes, ...]]) -> Callable[[], Iterator[bytes]]:
    return lambda: iter(of())


TARGETS = {
    "pt2": Target(at_a_path(".pt2", program), of_zip, first(programs), LONGEST),
    "checkpoint": Target(at_a_path(".pth", weights), of_checkpoint, first(checkpoints), LONGEST),
}
