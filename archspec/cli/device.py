"""`archspec stats --device`: what a network needs of a device, as tables and as JSON; the list of devices."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem
from msgspec import to_builtins

from archspec.cli import tables
from archspec.cli.options import Decorated
from archspec.cli.output import say, show_json
from archspec.graph import Graph
from archspec.printable import printable
from archspec.sheet import Cell, Sheet
from archspec.stats import By
from archspec.tensor import BYTES, NumberType, shape_text

if TYPE_CHECKING:
    from archspec.devices import Activations, Estimate


class DeviceName(click.ParamType[str]):
    """The name of a device, or a file."""

    name = "name|file.toml"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from archspec.devices import bundled

        found = [CompletionItem(name) for name in bundled() if name.startswith(incomplete)]
        return [*found, CompletionItem(incomplete, type="file")]


def with_device(command: Decorated) -> Decorated:
    """`--device` and `--dtype`."""
    command = click.option(
        "--dtype", type=click.Choice(list(BYTES)), help="Numbers on the device.  [default: fp32]"
    )(command)  # fmt: skip
    return click.option(
        "--device", type=DeviceName(), help="What it needs of a device; `archspec list devices` shows them."
    )(command)


def say_estimates(graphs: Iterable[Graph], device: str, dtype: NumberType | None, by: By, form: str) -> None:
    """Print what networks need of a device, in one of the forms of tables, or as JSON."""
    from archspec.devices import estimate, load

    chosen, numbers = load(device), dtype or "fp32"
    chosen.rate(numbers)  # what it cannot do is said before anything else
    if form == "json":
        show_json(tables.json_of([estimate_data(estimate(graph, chosen, numbers, by)) for graph in graphs]))
        return
    for position, graph in enumerate(graphs):
        found = estimate(graph, chosen, numbers, by)
        # a file of CSV is one table, that of the lines
        sheets = [lines_sheet(found)] if form == "csv" else [lines_sheet(found), needs_sheet(found)]
        for number, sheet in enumerate(sheets):
            if position or number:
                say("")
            tables.print_sheet(sheet, form)


def lines_sheet(found: "Estimate") -> Sheet:
    """A line for each row, block or layer."""
    rows = tuple(
        (
            layer.counts.path, layer.counts.label, shape_text(layer.counts.output), layer.counts.macs, layer.moved,
            layer.intensity, layer.alive, layer.alive_in_place, layer.seconds * 1e6, layer.bound,
        )
        for layer in found.layers
    )  # fmt: skip
    nodes = sum(layer.counts.nodes for layer in found.layers)
    alive, in_place = (
        max((getattr(layer, what) for layer in found.layers), default=0) for what in ("alive", "alive_in_place")
    )
    intensity = found.macs / found.moved if found.moved else 0.0
    total = (
        "total",
        f"{nodes} nodes",
        "",
        found.macs,
        found.moved,
        intensity,
        alive,
        in_place,
        found.seconds * 1e6,
        "",
    )
    headers = (
        "path", "operator", "output", "MACs", "bytes moved", "MACs/byte", "bytes alive", "in place", "µs", "bound by",
    )  # fmt: skip
    return Sheet(f"{found.network} on {found.device.title}, {found.numbers}", headers, rows, total)


def needs_sheet(found: "Estimate") -> Sheet:
    """What must fit, and the time."""
    from archspec.devices.estimate import CONVENTION

    device, numbers = found.device, found.numbers
    rows: list[tuple[Cell, ...]] = [
        (peak_name(peak), peak.bytes, "bytes", share(peak.bytes, device.ram, "RAM"), said(peak.fits), remark(peak))
        for peak in found.activations
    ]
    for weights in found.weights:
        size = weights.params + weights.buffers
        of = share(size, device.flash, "flash") if device.flash else share(size, device.ram, "RAM")
        statistics = f"and {weights.buffers:,} of running statistics" if weights.buffers else ""
        rows.append((f"weights, {weights.numbers}", weights.params, "bytes", of, said(weights.fits), statistics))
    rows.append(("time", found.seconds * 1e3, "ms", "", "", "one operator after the other, at the device's peaks"))
    for part in found.shares:
        of = share(part.seconds, found.seconds, "it")
        operators = "1 operator" if part.operators == 1 else f"{part.operators} operators"
        rows.append((f"time bound by {part.bound}", part.seconds * 1e3, "ms", of, "", operators))
    beside = "" if device.flash else f" Weights lie in RAM, beside the activations, those of {numbers} where it fits."
    rates = f"{device.rate(numbers):,.0f} MACs/s of {numbers}, {device.bandwidth:,.0f} bytes/s"
    note = f"{printable(device.title)}: {rates}.{beside}\n{CONVENTION}"
    return Sheet("", ("what", "amount", "unit", "share", "fits", "remark"), tuple(rows), None, note)


def peak_name(peak: "Activations") -> str:
    order = ", best order" if peak.order == "best" else ""
    return f"activations{order}{', in place' if peak.in_place else ''}"


def remark(peak: "Activations") -> str:
    """Where the peak is, and whether a best order is proven to be."""
    place = f"at {peak.at}"
    if peak.order == "own":
        return place
    proven = peak.bytes == peak.at_least
    return f"{place}; " + ("no order needs less" if proven else f"every order needs {peak.at_least:,} or more")


def share(part: float, whole: float | None, of: str) -> str:
    return f"{part / whole:.1%} of {of}" if whole else ""


def said(fits: bool | None) -> str:
    return "" if fits is None else "yes" if fits else "no"


def estimate_data(found: "Estimate") -> dict[str, Any]:
    """All that was found, as JSON has it: bytes and seconds."""
    from archspec.devices.estimate import CONVENTION

    layers = []
    for layer in found.layers:
        line = to_builtins(layer)
        layers.append({**line.pop("counts"), **line, "intensity": layer.intensity})
    return {
        "name": found.network,
        "device": found.device.model_dump(mode="json", exclude_none=True),
        "dtype": found.numbers,
        "macs": found.macs,
        "moved": found.moved,
        "seconds": found.seconds,
        "time": [to_builtins(part) for part in found.shares],
        "activations": [to_builtins(peak) for peak in found.activations],
        "weights": [to_builtins(weights) for weights in found.weights],
        "lines": layers,
        "convention": CONVENTION,
    }


def devices_sheet() -> Sheet:
    """The devices that come with archspec."""
    from archspec.devices import bundled, load

    rows = []
    for name in bundled():
        device = load(name)
        rates = tuple(device.macs.get(numbers, "") for numbers in BYTES)
        rows.append((name, device.title, *rates, device.bandwidth, device.ram, device.flash or ""))
    headers = ("device", "what", *(f"{numbers} MACs/s" for numbers in BYTES), "bytes/s", "RAM", "flash")
    return Sheet("", headers, tuple(rows), None, "Peaks by what their makers publish; docs/devices.md has the sources.")
