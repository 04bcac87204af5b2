"""Two threads may elaborate, count and build at once; a library call changes nothing that belongs to the process."""

import gc
import os
import signal
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch

import archspec
from archspec.backend import Builds, get

TEXT = """arch 1
use "blocks/inverted_residual"
network Small(width = 1, k = 10) {
  input 32 x 32 x 3
  table {
    | Input  | Operator   | t | c  | n | s |
    |--------|------------|---|----|---|---|
    | 32²×3  | conv2d 3×3 | - | 8  | 1 | 2 |
    | 16²×8  | bottleneck | 4 | 16 | 2 | 2 |
    | 8²×16  | head       | - | k  | 1 | - |
  }
  repeat n then s = 1
  read
    "conv2d {m}×{m}" = conv(m, c * width, s) -> bn -> relu6
    "bottleneck"     = bottleneck(t, c * width, s)
    "head"           = global_avgpool -> flatten -> linear(c)
}
"""
TIMES = 100


def state() -> dict[str, Any]:
    """What belongs to the process, and a library leaves alone."""
    return {
        "recursion": sys.getrecursionlimit(),
        "collector": (gc.isenabled(), gc.get_threshold()),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "path": list(sys.path),
        "warnings": list(warnings.filters),
        "switch": sys.getswitchinterval(),
        "stack": threading.stack_size(),
        "torch": (torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled(), torch.initial_seed()),
    }


def made(spec: archspec.Spec, width: int) -> tuple[Any, ...]:
    """What comes of a network of that width, as values that can be compared."""
    graph = spec.elaborate(width=width)
    model: Any = get("torch", Builds).build(graph, seed=width)
    weights = tuple(float(tensor.double().sum()) for tensor in model.state_dict().values())
    return graph.model_dump_json(), graph.stats().params, graph.stats().macs, spec.count(width=width), weights


def test_two_threads_get_what_one_gets() -> None:
    widths = [1 + turn % 5 for turn in range(TIMES)]
    expected = {width: made(archspec.parse(TEXT), width) for width in set(widths)}
    shared, before, interval = archspec.parse(TEXT), state(), sys.getswitchinterval()

    def work(turn: int) -> bool:
        spec = shared if turn % 2 else archspec.parse(TEXT)
        return made(spec, widths[turn]) == expected[widths[turn]]

    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(2) as pool:
            right = list(pool.map(work, range(TIMES)))
    finally:
        sys.setswitchinterval(interval)
    assert all(right)
    assert state() == before
