"""Searching: candidates of MobileNetV2 that are counted in a second, and what others take for one."""

import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

import archspec
from archspec.search.space import axis, space
from archspec.search.sweep import Sweep
from benchmarks.cold import ARCHSPEC
from benchmarks.counters import torchvision_model
from benchmarks.markdown import SPREAD, prose, ratio, table, verdict
from benchmarks.samples import Spread, alternate, settle

AXES = ("alpha=0.1:2.0:0.01", "input=96:320:32")
"""The sweep of the issue: 1,528 candidates."""
OTHERS = {
    "mobilenet_v3_large": AXES,
    "resnet50": ("input=32:1024:1",),
    "densenet": ("growth=8:64:1", "depth=121,161,169,201,264"),
    "efficientnet": ("width=1:2:0.025", "depth=1:2:0.025"),
}
LARGE = ("alpha=0.1:2.0:0.00002", "input=96:416:32")
"""A million and more."""
TARGET = 2000
"""Candidates a second, on one core."""
BOUND = 256
"""MiB that a process may take for a million candidates."""
# From a small process: a child begins as large as its parent. The peak is that of the largest process below it.
PROBE = """
import resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""
OURS, WARM, EACH = "archspec sweep, from a spec just read", "the same, again", "archspec: elaborate, stats"


def of(name: str, axes: Sequence[str]) -> Sweep:
    return Sweep((archspec.load(name),), space([*map(axis, axes)]), {}, ("params", "macs"), {}, {})


def swept(sweep: Sweep) -> tuple[float, int]:
    """Candidates a second of this process' time, and how many were kept."""
    settle()
    started = time.process_time()
    kept = sum(len(rows) for rows, _ in sweep.run())
    return sweep.size / (time.process_time() - started), kept


def fresh() -> float:
    return swept(of("mobilenet_v2", AXES))[0]


def each(candidates: list[tuple[Any, ...]], count: Any) -> float:
    """Candidates a second of something that counts one after the other."""
    settle()
    started = time.process_time()
    for values in candidates:
        count(*values)
    return len(candidates) / (time.process_time() - started)


def elaborated(spec: archspec.Spec, alpha: float, side: int) -> int:
    return spec.elaborate((side,), alpha=alpha).stats().macs


def meta_model(alpha: float) -> Any:
    """torchvision's model without memory for its weights."""
    with torch.device("meta"):
        return torchvision_model("mobilenet_v2", width_mult=alpha)


def torchinfo_one(alpha: float, side: int) -> int:
    import torchinfo

    shape = (1, 3, side, side)
    return int(torchinfo.summary(meta_model(alpha), input_size=shape, device="meta", verbose=0).total_params)


def fvcore_one(alpha: float, side: int) -> int:
    import logging

    from fvcore.nn import FlopCountAnalysis

    logging.getLogger("fvcore").setLevel(logging.ERROR)
    # it traces the model, which torch cannot do on `meta`
    model = torchvision_model("mobilenet_v2", width_mult=alpha)
    return int(FlopCountAnalysis(model, torch.zeros((1, 3, side, side))).total())


def measure(quick: bool) -> str:
    """The section of searching."""
    torch.set_num_threads(1)
    spec = archspec.load("mobilenet_v2")
    sweep = of("mobilenet_v2", AXES)
    assert spec.count((96,), alpha=0.5)["params"] == torchinfo_one(0.5, 96)
    some = [*sweep.space.candidates(0, sweep.size)][:: sweep.size // (4 if quick else 12)]
    contestants = {
        OURS: fresh,
        WARM: lambda: swept(sweep)[0],
        EACH: partial(each, some, partial(elaborated, spec)),
        "torchvision on meta, torchinfo": partial(each, some, torchinfo_one),
        "torchvision, fvcore": partial(each, some, fvcore_one),
    }
    taken = alternate(contestants, dict.fromkeys(contestants, 3 if quick else 5), warmups=1)
    spreads = {name: Spread.of(values) for name, values in taken.items()}
    ours = spreads[OURS].median
    rows = []
    for name, found in spreads.items():
        quartiles = f"{rate(found.lower)} – {rate(found.upper)}"
        rows.append((name, rate(max(taken[name])), rate(found.median), quartiles, ratio(found.median, ours)))
    remarks = (
        f"Target: {TARGET:,} candidates a second on one core: {rate(ours)}, {verdict(ours >= TARGET)}. Rates are of a "
        f"process' own time. The sweep is that of {sweep.size:,} widths and image sizes; the first line counts it with "
        "a spec just read, so that it makes its traces, too. The others count some of the candidates one by one; "
        "fvcore traces a model, which it cannot on `meta`."
    )
    header = ("candidates a second", *SPREAD, "of the first")
    return "\n\n".join([table(header, rows), prose(remarks), others(quick), processes(quick)])


def others(quick: bool) -> str:
    """Other families, each from a spec just read."""
    rows = []
    for name, axes in OTHERS.items():
        rates = Spread.of([swept(of(name, axes))[0] for _ in range(1 if quick else 3)])
        sweep, spec = of(name, axes), archspec.load(name)
        some = [*sweep.space.candidates(0, sweep.size)][:: max(1, sweep.size // 8)]
        names = [axis.name for axis in sweep.space.axes]
        single = each([(dict(zip(names, values, strict=True)),) for values in some], partial(elaborated_with, spec))
        said = ", ".join(f"`{text}`" for text in axes)
        rows.append((f"{name}: {said}", f"{sweep.size:,}", rate(rates.median), rate(single)))
    remarks = (
        "The same for other families, by candidates a second, beside elaborating some of them one by one. Where widths "
        "and sizes vary, a few functions answer for all; each depth needs one of its own, which takes as long as some "
        "elaborations. ResNet-50 has no width: its sizes are all that varies."
    )
    return f"{table(('family', 'candidates', 'sweep', 'one by one'), rows)}\n\n{prose(remarks)}"


def elaborated_with(spec: archspec.Spec, given: dict[str, Any]) -> int:
    image = given.get("input")
    values = {name: value for name, value in given.items() if name != "input"}
    return spec.elaborate(image, **values).stats().macs


def rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def processes(quick: bool) -> str:
    """Whole processes: on one core and on all, with the memory that they take."""
    axes = ("alpha=0.1:2.0:0.0002", "input=96:320:32") if quick else LARGE
    size = space([*map(axis, axes)]).size
    rows: list[tuple[str, ...]] = []
    peaks: list[float] = []
    with TemporaryDirectory() as folder:
        for jobs in ("1", "2"):
            out = str(Path(folder, f"{jobs}.csv"))
            command = [ARCHSPEC, "sweep", "mobilenet_v2", "-p", axes[0], "-p", axes[1], "-j", jobs, "-o", out]
            done = subprocess.run([sys.executable, "-c", PROBE, *command], check=True, capture_output=True, text=True)
            seconds, peak = map(float, done.stdout.split())
            peaks.append(peak)
            rows.append((f"`archspec sweep … -j {jobs}`", f"{seconds:.1f} s", rate(size / seconds), f"{peak:.0f} MiB"))
        same = Path(folder, "1.csv").read_bytes() == Path(folder, "2.csv").read_bytes()
    remarks = (
        f"{size:,} candidates, each written to a file, by whole processes and the clock; the peak is that of the "
        f"largest process. At most {BOUND} MiB: {max(peaks):.0f} MiB, {verdict(max(peaks) <= BOUND)}. "
        f"The same rows from both: {verdict(same)}."
    )
    return f"{table(('process', 'time', 'a second', 'peak memory'), rows)}\n\n{prose(remarks)}"


if __name__ == "__main__":
    print(measure("--quick" in sys.argv))
