"""`python -m training.curves BACKEND FOLDER NAME…`: train networks in float64 by one framework, and write their curves.

Frameworks are compared in processes of their own, since two in one disturb each other.
"""

import json
import sys
from pathlib import Path

import numpy as np

import archspec
from archspec import backend
from archspec.graph import Graph
from archspec.train import readers
from archspec.train.data import prepare
from archspec.train.protocol import Recipe
from archspec.train.scale import Scale, scaled
from archspec.train.task import Task, Trains, Watch

DIGITS = "digits.npz"
RECIPE = Recipe(steps=50, interval=1, batch=16, warmup=5, augment="crop-flip", dtype="float64")
MIXED = """arch 1
block narrow(t, c, s) : h x w x k -> ceil(h/s) x ceil(w/s) x c =
  ( conv(1, t*k) -> bn -> relu6 -> dwconv(3, s) -> bn -> relu6 -> conv(1, c) -> bn | id if s == 1 and c == k ) -> add
network Mixed(k = 10) {
  input 16 x 16 x 3
  body conv(3, 8, 2) -> bn(eps = 0.001, momentum = 0.01) -> relu -> narrow(2, 8, 1) -> maxpool(3, 2)
    -> narrow(3, 16, 1) as trunk
    -> (conv(1, 8, bias = true) -> prelu | conv(3, 16, groups = 4) -> groupnorm(4) -> silu) -> concat -> shuffle(3)
    -> global_avgpool -> flatten -> layernorm -> linear(k)
  output aux = @trunk -> avgpool(2) -> conv(1, 8) -> bn -> gelu -> flatten -> linear(k) in training
}
"""


def graph(name: str) -> Graph:
    """A network of 16×16 pixels, without dropout."""
    if name == "mixed":
        return archspec.parse(MIXED).elaborate()
    return certain(scaled(archspec.load(name).elaborate(k=10), Scale(image=(16, 16, 3), stride=8, width=0.125)))


def certain(chancy: Graph) -> Graph:
    """A Graph whose dropout and stochastic depth drop nothing: frameworks draw numbers of their own."""
    nodes = [
        node.model_copy(update={"op": node.op.model_copy(update={"rate": 0.0})}) if hasattr(node.op, "rate") else node
        for node in chancy.nodes
    ]
    return chancy.model_copy(update={"nodes": tuple(nodes)})


def few(folder: Path) -> None:
    """Digits, of which few are evaluated, since that is done after every step."""
    images, labels = readers.digits()
    parts = {"train": slice(400), "val": slice(400, 416), "test": slice(416, 432)}
    arrays = {f"x_{name}": images[part] for name, part in parts.items()}
    arrays |= {f"y_{name}": labels[part] for name, part in parts.items()}
    np.savez(folder / DIGITS, allow_pickle=False, **arrays)


def main(chosen: str, folder: Path, *names: str) -> None:
    data = prepare(f"npz:{folder / DIGITS}", (16, 16), folder / "data")
    found = {}
    for name in names:
        (folder / f"{chosen}-{name}").mkdir()
        watch = Watch(lambda weights: None)
        task = Task(graph(name), data, RECIPE, chosen, 0, 1.0, 0.01)
        backend.get(chosen, Trains).fit(task, watch, folder / f"{chosen}-{name}")
        found[name] = [point.model_dump() for point in watch.points]
    (folder / f"{chosen}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
