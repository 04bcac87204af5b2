"""The largest network within a budget."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec import SpecError
from archspec.cli.commands import run
from archspec.errors import Refusal
from archspec.search.fit import Fit, NothingFits, Unbounded, fit
from archspec.search.space import steps

WAVE = "arch 1 network N(c = 5, n = 1) { input 8 x 8 x 3 body conv(3, c % 10 + 1) -> conv(1, 2) * n }"


def params(name: str, budget: int, grid: str | None = None) -> Fit:
    return fit(archspec.parse(WAVE), name, {"params": budget}, grid=None if grid is None else steps(grid))


def test_the_answer_is_within_the_budget_and_the_next_value_is_not() -> None:
    found = fit(archspec.load("mobilenet_v2"), "alpha", {"macs": 150_000_000})
    spec = archspec.load("mobilenet_v2")
    assert found.best.value == 0.57
    assert found.best.measures is not None
    assert spec.elaborate(alpha=0.57).stats().macs == found.best.measures["macs"] <= 150_000_000
    assert spec.elaborate(alpha=0.58).stats().macs > 150_000_000
    assert found.after is not None
    assert found.after.value == 0.58


@settings(max_examples=30, deadline=None)
@given(st.integers(20, 330), st.integers(1, 60))
def test_the_largest_of_counts_that_fall_and_rise_is_found(budget: int, last: int) -> None:
    spec = archspec.parse(WAVE)
    fitting = [c for c in range(1, last + 1) if spec.count(c=c)["params"] <= budget]
    if fitting:
        assert params("c", budget, f"1:{last}:1").best.value == fitting[-1]
    else:
        with pytest.raises(NothingFits):
            params("c", budget, f"1:{last}:1")


def test_a_grid_grows_until_its_upper_half_is_over_the_budget() -> None:
    found = params("n", 162 + 12 + 4 * 60)
    assert (found.best.value, len(found.grid)) == (61, 200)


def test_a_grid_that_falls_is_one_that_grows() -> None:
    from archspec.search.fit import numbers
    from archspec.search.space import axis

    assert list(numbers(axis("c=9:1:-2"))) == [1, 3, 5, 7, 9]


def test_several_budgets_hold_together() -> None:
    spec = archspec.load("mobilenet_v2")
    found = fit(spec, "alpha", {"macs": 300_000_000, "file_size": 8_000_000}, {"input": 192})
    assert found.best.measures is not None
    assert found.best.measures["file_size"] <= 8_000_000
    assert found.best.measures["macs"] == spec.elaborate((192,), alpha=found.best.value).stats().macs


def test_steps_may_be_finer() -> None:
    found = fit(archspec.load("mobilenet_v2"), "alpha", {"macs": 150_000_000}, step=Decimal("0.001"))
    assert found.best.value == 0.574  # 0.575 gives 150.2M


@pytest.mark.parametrize(
    ("name", "budget", "said"),
    [
        ("eps", 301_000_000, "does not seem to depend"),
        ("alpha", 10**15, "meets a limit"),
        ("k", 10**12, "still within"),
    ],
)
def test_a_budget_that_nothing_reaches_has_no_answer(
    name: str, budget: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archspec.search.fit.PATIENCE", 30)
    with pytest.raises(Unbounded, match=said) as wrong:
        fit(archspec.load("mobilenet_v2"), name, {"macs" if name != "k" else "params": budget})
    assert wrong.value.exit_code == 4


def test_choices_are_the_grid_of_a_parameter_that_has_them() -> None:
    found = fit(archspec.load("resnet"), "depth", {"macs": 3_800_000_000})
    assert (found.best.value, list(found.grid)) == (34, [18, 34, 50, 101, 152])


def test_what_is_to_be_found_cannot_be_given() -> None:
    spec = archspec.load("mobilenet_v2")
    for name, fixed in (("alpha", "alpha"), ("input", "resolution")):
        with pytest.raises(Refusal, match="is given, and is to be found") as wrong:
            fit(spec, name, {"macs": 10**8}, {fixed: 96})
        assert wrong.value.exit_code == 2


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ("0.1:0.5:0.1", "5 values; the largest of them fits, and so does the next: give --vary a longer grid."),
        ("0.1:0.9:0.1", "9 values; none above the first line fits."),
        ("0.57", "1 value; the largest of them fits."),
    ],
)
def test_the_end_of_a_grid_is_no_end_of_the_budget(grid: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fit", "mobilenet_v2", "--macs", "155M", "--vary", f"alpha={grid}"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(said)


def test_a_parameter_that_is_no_number_cannot_grow() -> None:
    with pytest.raises(Refusal) as wrong:
        fit(archspec.load("mobilenet_v2"), "pad", {"macs": 1})
    assert wrong.value.exit_code == 2


def test_what_is_refused_at_every_value_says_why() -> None:
    with pytest.raises(SpecError):
        fit(archspec.load("alexnet"), "input", {"macs": 10**9}, grid=steps("1:3:1"))


def test_the_command_prints_what_the_next_value_would_cost(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fit", "mobilenet_v2", "--macs", "150M", "--vary", "alpha"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1] == ["0.57", "2,144,536", "147,439,552"]
    assert lines[2][:2] == ["next", "0.58"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--vary", "alpha"], 2),
        (["--vary", "alhpa", "--macs", "1M"], 2),
        (["--vary", "alpha=0.1:1:0.1", "--step", "0.1", "--macs", "1M"], 2),
        (["--vary", "alpha", "--step", "0", "--macs", "1M"], 2),
        (["--vary", "alpha", "--macs", "1K"], 1),
    ],
)
def test_what_is_wrong_with_a_command_decides_its_exit_code(arguments: list[str], code: int, tmp_path: Path) -> None:
    assert run(["fit", "mobilenet_v2", *arguments]) == code
