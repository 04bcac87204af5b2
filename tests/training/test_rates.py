"""The choice of a learning rate: a best rate at an edge of the grid lets the grid grow, and what remains is told."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from training.small import SPEC, digits, small

from archspec.cli.commands import run
from archspec.limits import DEFAULT_LIMITS
from archspec.train.caveats import caveats, warning
from archspec.train.compare import Comparison, compare
from archspec.train.findings import findings
from archspec.train.members import Member, members
from archspec.train.protocol import ADDITIONS, GRID, Protocol, Recipe
from archspec.train.rates import NoRate, chosen, edge, further
from archspec.train.record import Point, Record
from archspec.train.report import conditions, write
from archspec.train.scale import Scale


def record(*accuracies: float | None) -> Record:
    """A run with these validation accuracies; it diverges at None."""
    points = [
        Point(step=10 * (i + 1), loss=None if found is None else 1.0, validation_loss=1.0, validation=found or 0.0)
        for i, found in enumerate(accuracies)
    ]
    return Record(points=tuple(points), test=0.9, train=0.95, images=10_000)


def tried(*accuracies: float | None) -> dict[float, Record]:
    """Runs at 0.001, 0.004, 0.016, …"""
    return {0.001 * 4**i: record(found, found, found) for i, found in enumerate(accuracies)}


def test_a_best_rate_within_the_grid_adds_none() -> None:
    assert further([tried(0.5, 0.9, 0.6), tried(0.7, 0.8, None)]) == []


def test_a_best_rate_at_an_edge_adds_the_next_of_the_grid() -> None:
    assert further([tried(0.5, 0.6, 0.9)]) == [0.064]
    assert further([tried(0.9, 0.6, 0.5), tried(0.5, 0.6, 0.9), tried(0.5, 0.9, 0.6)]) == [0.00025, 0.064]


def test_where_all_runs_diverge_a_smaller_rate_is_added() -> None:
    assert further([tried(None, None)]) == [0.00025]
    with pytest.raises(NoRate):
        chosen("a", tried(None, None))


def test_one_rate_has_no_edge() -> None:
    assert edge(0.001, [0.001]) is None
    assert [edge(rate, [0.004, 0.001, 0.016]) for rate in (0.001, 0.004, 0.016)] == ["smallest", None, "largest"]


def compared(folder: Path, protocol: Protocol) -> Comparison:
    (folder / "net.arch").write_text(SPEC)
    data = digits(folder)
    texts = [f"thin={folder}/net.arch@c=4", f"wide={folder}/net.arch"]
    return compare(members(texts, {}, Scale(), 10, data.side, DEFAULT_LIMITS), data, protocol, "torch", folder / "runs")


def test_the_grid_grows_for_every_member_alike_and_has_an_end(tmp_path: Path) -> None:
    recipe = Recipe(steps=8, interval=4, batch=16, warmup=1)
    found = compared(tmp_path, Protocol(recipe=recipe, rates=(1e-4, 1e-3), additions=2, seeds=1, fractions=(1.0,)))
    added = [rate for rate in found.tried("thin") if rate not in (1e-4, 1e-3)]
    assert found.tried("thin") == found.tried("wide")
    assert 1 <= len(added) <= 2
    assert set(added) <= {1e-6, 1e-5, 1e-2, 1e-1}
    assert f"; {', '.join(f'{rate:g}' for rate in added)} beyond the grid" in "\n".join(conditions(found))


def test_the_usual_grid_may_grow_and_rates_that_are_said_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.arch").write_text(SPEC)
    short = ["--input", "16x16", "--steps", "30", "--interval", "10", "--seeds", "1", "--fractions", "1", "-j1"]
    for output, *more in (["usual"], ["said", "--lr", ",".join(map(str, GRID))]):
        assert run(["compare", "net.arch", *short, *more, "-o", output]) == 0
    found = {name: json.loads(Path(name, "results.json").read_bytes()) for name in ("usual", "said")}
    assert {name: each["protocol"]["additions"] for name, each in found.items()} == {"usual": ADDITIONS, "said": 0}
    assert len(found["said"]["tuning"]["net"]) == len(GRID) < len(found["usual"]["tuning"]["net"])


GOOD = record(0.5, 0.9, 0.97, 0.97, 0.97, 0.97)
SLOW = record(0.5, 0.6, 0.7, 0.8, 0.9, 0.97)
WORSE = record(0.5, 0.6, 0.7, 0.7, 0.7, 0.7)


def of(folder: Path, runs: Sequence[Record]) -> Comparison:
    """A comparison of one network with these runs, and 0.004 as its rate of 0.001, 0.004 and 0.016."""
    member = Member("net", small(), "net.arch", {}, Scale(), (4, 4), 1, 1, (1, 1))
    protocol = Protocol(recipe=Recipe(steps=60, interval=10), seeds=len(runs), fractions=(1.0,))
    records = {("net", 1.0, seed): run for seed, run in enumerate(runs)}
    tuning = {"net": tried(0.5, 0.97, 0.5)}
    return Comparison([member], digits(folder), protocol, "torch", tuning, {"net": 0.004}, records, {})


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([GOOD] * 4 + [SLOW], []),
        ([GOOD] * 3 + [SLOW] * 2, ["net converged in 3 of 5 runs", "net reached 0.95 in 3 of 5 runs"]),
        ([GOOD] * 4 + [WORSE], []),
        ([GOOD] * 3 + [WORSE] * 2, ["net reached 0.95 in 3 of 5 runs"]),
        ([SLOW], ["net converged in 0 of 1 runs", "net reached 0.95 in 0 of 1 runs"]),
    ],
)
def test_four_of_five_runs_should_converge_and_reach_the_target(
    tmp_path: Path, runs: list[Record], said: list[str]
) -> None:
    found = of(tmp_path, runs)
    assert caveats(found, findings(found)) == said


def test_the_first_line_of_a_report_says_what_is_not_settled(tmp_path: Path) -> None:
    output = tmp_path / "c"
    recipe = Recipe(steps=6, interval=2, batch=16, warmup=1)
    found = compared(tmp_path, Protocol(recipe=recipe, rates=(0.01,), seeds=1, fractions=(1.0,)))
    shown = write(found, tmp_path / "runs", output)
    line = (
        "Not settled: thin converged in 0 of 1 runs; thin reached 0.95 in 0 of 1 runs; "
        "wide converged in 0 of 1 runs; wide reached 0.95 in 0 of 1 runs."
    )
    assert shown.splitlines()[0] == line
    assert (output / "report.md").read_text().splitlines()[0] == f"**{line}**"
    assert line in (output / "report.html").read_text().partition("<h1>")[0]


def test_a_report_of_what_is_settled_begins_with_its_title(tmp_path: Path) -> None:
    found = of(tmp_path, [GOOD] * 5)
    assert warning(found, findings(found)) == ""
