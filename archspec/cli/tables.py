"""Counts and lists -> tables to print, and JSON; on a terminal with boxes and colours."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from archspec import report
from archspec.cli.many import Unread
from archspec.cli.output import boxes, on_terminal, show
from archspec.diagnostics import Diagnostic, codes
from archspec.elaborate.audit import Audited
from archspec.elaborate.calls import signature
from archspec.elaborate.catalogue import Listed, catalogue
from archspec.elaborate.inference import Inferred
from archspec.escape import json_text
from archspec.graph import Graph
from archspec.ops import OPERATORS
from archspec.sheet import FORMATS as WRITERS
from archspec.sheet import Sheet, plain
from archspec.stages import Stage, stage_label, stages
from archspec.stats import CONVENTION, Stats, op_text
from archspec.syntax import tree as t
from archspec.tensor import shape_text

if TYPE_CHECKING:
    from archspec.verify import Verdict

TABLE = "table"
FORMATS: dict[str, Callable[[Sheet], str]] = {TABLE: plain, **WRITERS}
"""What a file has or a pipe gets in each form."""


def stats_sheet(stats: Stats, title: str | None = None) -> Sheet:
    """The counts of a network, a line for each of its rows, blocks or layers."""
    rows = tuple(
        (line.path, line.label, " ".join(map(shape_text, line.input)), shape_text(line.output), line.params, line.macs)
        for line in stats.lines
    )
    total = ("total", f"{stats.nodes} nodes", "", "", stats.params, stats.macs)
    name = f"{stats.name}: {title}" if title and not title.startswith(stats.name) else title or stats.name
    headers = ("path", "operator", "input", "output", "params", "MACs")
    buffers = f"; {stats.buffers:,} buffers" if stats.buffers else ""
    note = f"{stats.params:,} params; {stats.macs:,} MACs{buffers}\n{CONVENTION}"
    return Sheet(name, headers, rows, total, note)


def stages_sheet(graphs: Sequence[Graph]) -> Sheet:
    """Networks side by side, a line for each stage; they add up to the networks' counts."""
    found = [{stage.number: stage for stage in stages(graph)} for graph in graphs]
    headers = ["stage", *(f"{graph.name} {what}" for graph in graphs for what in ("maps", "params", "MACs"))]
    rows = []
    for number in sorted(set().union(*found)):
        row: list[str | int] = [stage_label(number)]
        for by_number in found:
            stage = by_number.get(number)
            row += ["", "", ""] if stage is None else [heights(stage), stage.params, stage.macs]
        rows.append(tuple(row))
    total: list[str | int] = ["total"]
    for by_number in found:
        total += ["", *(sum(getattr(stage, what) for stage in by_number.values()) for what in ("params", "macs"))]
    note = f"stage: the share of the image's height that the maps have.\n{CONVENTION}"
    return Sheet("", tuple(headers), tuple(rows), tuple(total), note)


def heights(stage: Stage) -> str:
    return " ".join(f"{height}²" for height in stage.heights)


def stages_json(graphs: Sequence[Graph]) -> str:
    """The counts of a network by its stages, or a list of them."""
    found = [
        {
            "name": graph.name,
            "stages": [{**to_builtins(stage), "label": stage_label(stage.number)} for stage in stages(graph)],
        }
        for graph in graphs
    ]
    return json_of(found)


def json_of(found: Sequence[dict[str, Any]]) -> str:
    """What was found of one network, or a list of it, so that there is one document always."""
    return json_text(found[0] if len(found) == 1 else found)


def graph_sheet(graph: Graph) -> Sheet:
    """Every node of a graph."""
    rows = tuple((node.path, op_text(node), " ".join(node.inputs), shape_text(node.shape)) for node in graph.nodes)
    return Sheet(graph.name, ("path", "operator", "inputs", "shape"), rows)


def specs_sheet(networks: Iterable[tuple[str, str, str]]) -> Sheet:
    return Sheet("", ("spec", "file", "title"), tuple(networks))


def operators_sheet() -> Sheet:
    """Every operator with its attributes, those given by place first."""
    rows = tuple((name, signature(op), docstring(op).splitlines()[0]) for name, op in OPERATORS.items())
    return Sheet("", ("operator", "attributes", "meaning"), rows)


def blocks_sheet() -> Sheet:
    """Every block that comes with archspec, and the file to `use`."""
    return listed_sheet("block", catalogue("blocks", t.Block))


def readings_sheet() -> Sheet:
    """Every reading that comes with archspec, and the file to `use`."""
    return listed_sheet("reading", catalogue("readings", t.Reading))


def listed_sheet(what: str, listed: Iterable[Listed]) -> Sheet:
    rows = tuple((one.name, one.parameters, one.summary, f'use "{one.use}"') for one in listed)
    return Sheet("", (what, "parameters", "meaning", "file"), rows)


def backends_sheet() -> Sheet:
    """The backends by the entry points of what is installed; a distribution that is broken says so where it is used."""
    from archspec.backend import Backend, Builds, ReadsWeights, able, available, get
    from archspec.errors import Refusal

    rows = []
    for name in available():
        try:
            backend = get(name, Backend)
            saved = backend.formats if able(backend, Builds) else ()
            read = backend.reads if able(backend, ReadsWeights) else ()
            rows.append((name, " ".join(saved), " ".join(read)))
        except Refusal as error:
            rows.append((name, str(error), ""))
    return Sheet("", ("backend", "saves", "reads weights"), tuple(rows))


def codes_sheet() -> Sheet:
    rows = tuple(sorted((cls.code, cls.severity.value, docstring(cls).splitlines()[0]) for cls in codes()))
    return Sheet("", ("code", "severity", "meaning"), rows)


def docstring(cls: type) -> str:
    return inspect.getdoc(cls) or ""


def print_sheet(sheet: Sheet, form: str = TABLE) -> None:
    """Print a table in a form; as `table`, with boxes and colours on a terminal and aligned columns in a pipe."""
    if form == TABLE and on_terminal():
        boxes(sheet)
    else:
        show(FORMATS[form](sheet))


def stats_json(counted: Sequence[Stats]) -> str:
    """The counts of a network, or a list of them."""
    found = [{**to_builtins(stats), "convention": CONVENTION} for stats in counted]
    return json_of(found)


def checked_json(
    found: Sequence[Diagnostic],
    errata: Sequence[Audited],
    inferred: Sequence[Mapping[str, Sequence[Inferred]]],
    unread: Sequence[Unread],
) -> str:
    """What `check` found out, as a tool reads it."""
    solved = [
        {"network": name, "row": one.row, "variable": one.name, "value": one.value}
        for networks in inferred
        for name, every in networks.items()
        for one in every
    ]
    said = {"diagnostics": list(map(report.json_of, found)), "errata": list(map(erratum_json, errata))}
    said |= {"inferred": solved, "unread": [{"file": one.file, "reason": one.why} for one in unread]}
    return json_text(said, indent=2)


def erratum_json(erratum: Audited) -> dict[str, Any]:
    """An erratum as a tool reads it."""
    clause = erratum.clause
    return {
        "place": clause.place.value,
        "printed": erratum.printed,
        "correction": clause.correction.value,
        "because": clause.reason.value,
        **report.place_of(erratum.span),
    }


def verdicts_sheet(verdicts: "Iterable[Verdict]") -> Sheet:
    """What `verify` found: a line for each pair of backends."""
    rows = tuple(
        (
            verdict.name,
            f"{comparison.against}, {comparison.backend}",
            verdict.params,
            verdict.macs,
            f"{comparison.error:.1e}",
            f"{comparison.bound:.0e}",
            "equal" if comparison.holds and not verdict.miscounts else "DIFFERENT",
        )
        for verdict in verdicts
        for comparison in verdict.comparisons
    )
    headers = ("network", "backends", "params", "MACs", "error", "bound", "")
    note = "error: the largest difference of an output, as a part of its largest value."
    return Sheet("", headers, rows, None, note)
