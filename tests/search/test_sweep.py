"""Values of parameters, and sweeps over them."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from socket import socket

import pytest

import archspec
from archspec import SpecError
from archspec.cli.commands import run
from archspec.errors import Refusal
from archspec.search import space as s
from archspec.search.measures import amount
from archspec.search.select import Front, Selection, Wish
from archspec.search.sweep import Sweep

TEXT = """arch 1
network Small(c = 4, d = 1.0, kind = relu) { input 16 x 16 x 3 body conv(3, c) -> kind -> conv(3, round(c * d)) }
network Other(c = 4, d = 1.0) { input 16 x 16 x 3 body conv(5, c) }
"""


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.arch"
    path.write_text(TEXT, encoding="utf-8")
    return path


def values(text: str) -> list[object]:
    axis = s.axis(text)
    return [axis[place] for place in range(len(axis))]


# ---- values ----


def test_a_range_has_both_ends_and_the_nearest_floats() -> None:
    assert values("a=0.1:0.5:0.1") == [0.1, 0.2, 0.3, 0.4, 0.5]


def test_a_range_ends_before_what_it_does_not_reach() -> None:
    assert values("a=96:200:32") == [96, 128, 160, 192]


def test_a_range_of_whole_numbers_has_ints() -> None:
    assert {type(value) for value in values("a=1:9:2")} == {int}


def test_a_range_may_fall() -> None:
    assert values("a=1:0:-0.25") == [1.0, 0.75, 0.5, 0.25, 0.0]


def test_choices_and_ranges_may_be_joined() -> None:
    assert values("a=0.35,1:2:0.5,relu") == [0.35, 1.0, 1.5, 2.0, "relu"]


@pytest.mark.parametrize(
    "text", ["a", "a=", "=1", "a=1,,2", "a=1:2", "a=1:2:0", "a=1:2:-1", "a=2:1:1", "a=1:2:x", "a b=1", "a=1:2:3:4"]
)
def test_what_is_no_range_says_how_one_is_written(text: str) -> None:
    with pytest.raises(s.WrongRange):
        s.axis(text)


def test_the_last_parameter_changes_fastest() -> None:
    made = s.space([s.axis("a=1,2"), s.axis("b=5:7:1")])
    assert list(made.candidates(1, 5)) == [(1, 6), (1, 7), (2, 5), (2, 6)]


def test_more_candidates_than_the_limit_are_refused_before_any_is_counted() -> None:
    with pytest.raises(s.TooMany) as met:
        s.space([s.axis("a=1:1000000:1"), s.axis("b=1:1000000:1")])
    assert met.value.exit_code == 4


def test_a_parameter_cannot_be_given_twice() -> None:
    with pytest.raises(s.WrongRange):
        s.space([s.axis("a=1"), s.axis("a=2")])


@pytest.mark.parametrize(
    ("text", "number"),
    [("100M", 10**8), ("3.4M", 3_400_000), ("150K", 150_000), ("10MB", 10**7), ("512KiB", 2**19), ("3_000", 3000),
     ("1.0005K", 1000), ("2g", 2 * 10**9), ("1e9", 10**9), ("1.5e3", 1500)],
)  # fmt: skip
def test_an_amount_has_a_unit(text: str, number: int) -> None:
    assert amount(text) == number


@pytest.mark.parametrize("text", ["", "M", "1.2.3", "-5", "5Q", "1e", "e9", "1e999", "5i", "٣M", "5 M B"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(s.WrongRange):
        amount(text)


# ---- sweeps ----


def rows(network: str = "Small", **bounds: dict[str, int]) -> list[dict[str, object]]:
    spec = archspec.parse(TEXT, member=network)
    with pytest.warns(
        UserWarning, match="^6 of 16 candidates are refused, the first at c=0, d=0.5, input=8: `channels`"
    ):
        return list(spec.sweep({"c": "0:3:1", "d": (0.5, 1.0), "input": "8,16"}, **bounds))  # type: ignore[arg-type]


def test_a_row_has_the_values_and_the_counts_of_a_graph() -> None:
    stats = archspec.parse(TEXT, member="Small").elaborate((8,), c=2, d=0.5).stats()
    wanted = {"c": 2, "d": 0.5, "input": 8, "params": stats.params, "macs": stats.macs}
    assert [row for row in rows() if (row["c"], row["d"], row["input"]) == (2, 0.5, 8)] == [wanted]


def test_what_the_spec_refuses_is_left_out() -> None:
    assert len(rows()) == 3 * 2 * 2 - 2  # neither 0 channels nor round(0.5) are any
    with pytest.raises(SpecError):
        list(archspec.parse(TEXT, member="Small").sweep({"c": [0, -1]}))


def test_values_may_be_numbers_of_numpy() -> None:
    import numpy as np

    spec = archspec.parse(TEXT, member="Small")
    made = spec.sweep({"c": np.arange(2, 4), "d": np.array([0.5, 1], "float32"), "input": np.array([8])})
    assert list(made) == [row for row in rows() if row["c"] != 1 and row["input"] == 8]
    assert spec.elaborate(np.int64(8), c=np.int64(2)) == spec.elaborate((8,), c=2)
    assert spec.count(8, c=np.int64(2), d=np.float32(0.5)) == spec.count((8,), c=2, d=0.5)


def test_bounds_may_be_texts_and_are_of_what_is_measured() -> None:
    spec = archspec.load("mobilenet_v2")
    assert [row["alpha"] for row in spec.sweep({"alpha": "0.5,1"}, most={"macs": "100M"})] == [0.5]
    with pytest.raises(Refusal) as wrong:
        spec.sweep({"alpha": "1"}, most={"mac": 1})
    assert wrong.value.help == "did you mean `macs`?"


def test_bounds_are_inclusive() -> None:
    every = [row["params"] for row in rows()]
    bound = sorted(every)[4]  # type: ignore[type-var]
    assert [row["params"] for row in rows(most={"params": bound})] == [n for n in every if n <= bound]  # type: ignore[dict-item, operator]
    assert [row["params"] for row in rows(least={"params": bound})] == [n for n in every if n >= bound]  # type: ignore[dict-item, operator]


def sweep(*axes: str) -> Sweep:
    spec = archspec.parse(TEXT, member="Small")
    return Sweep((spec, archspec.parse(TEXT, member="Other")), s.space(list(map(s.axis, axes))), {},
                 ("params", "macs", "file_size"), {}, {})  # fmt: skip


@pytest.mark.parametrize("cuts", [[0, 1000], [0, 1, 7, 150, 151, 152, 1000], list(range(0, 1001, 10))])
def test_chunks_have_together_what_the_whole_has(cuts: Sequence[int]) -> None:
    made = sweep("c=0:24:1", "d=0.05:1.0:0.05")
    assert made.size == 1000
    (whole, told), parts = made.count(0, 1000), [made.count(a, b) for a, b in pairwise(cuts)]
    assert [row for rows, _ in parts for row in rows] == whole
    assert sum((tallied.refused for _, tallied in parts), told.refused - told.refused) == told.refused


@pytest.mark.slow
@pytest.mark.parametrize("where", [{"jobs": 2}, {"cluster": "ray://"}, {"cluster": "dask://"}], ids=str)
def test_a_sweep_gives_the_same_rows_wherever_it_runs(
    where: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archspec.search.sweep.CHUNK", 100)
    made = sweep("c=0:24:1", "d=0.05:1.0:0.05")
    here = [row for rows, _ in made.run() for row in rows]
    assert [row for rows, _ in made.run(**where) for row in rows] == here  # type: ignore[arg-type]


@contextmanager
def ray_cluster(environment: dict[str, str]) -> Iterator[str]:
    """The address of a cluster of its own."""
    with socket() as one, socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        own, clients = one.getsockname()[1], other.getsockname()[1]
    ports = [
        f"--port={own}",
        f"--ray-client-server-port={clients}",
        "--min-worker-port=10002",
        "--max-worker-port=10200",
    ]
    head = subprocess.Popen(
        ["ray", "start", "--head", "--block", *ports, "--num-cpus=2", "--include-dashboard=false"],
        env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert head.stdout is not None
    try:
        assert any("Ray runtime started" in line for line in head.stdout)
        yield f"127.0.0.1:{clients}"
    finally:
        os.killpg(head.pid, signal.SIGTERM)
        head.communicate(timeout=60)


@pytest.mark.slow
def test_a_sweep_gives_the_same_rows_on_a_ray_cluster_that_it_joins(net: Path) -> None:
    environment = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4, "RAY_USAGE_STATS_ENABLED": "0",
    }  # fmt: skip
    command = [sys.executable, "-m", "archspec", "sweep", "net.arch:Small", "-p", "c=1:40:1", "-p", "d=0.05:1.0:0.05"]
    with ray_cluster(environment) as address:
        told = subprocess.run([*command, "-o", "there.csv", "--ray", address], env=environment, capture_output=True)
    assert told.returncode == 0, told.stderr.decode()
    subprocess.run([*command, "-o", "here.csv"], check=True, capture_output=True)
    assert (net.parent / "there.csv").read_bytes() == (net.parent / "here.csv").read_bytes()


def test_a_sweep_travels_to_another_process() -> None:
    import pickle

    made = sweep("c=1:9:1")
    assert pickle.loads(pickle.dumps(made)).count(0, made.size)[0] == made.count(0, made.size)[0]


def test_an_unknown_parameter_is_told_before_anything_is_counted() -> None:
    with pytest.raises(SpecError) as wrong:
        archspec.load("mobilenet_v2").sweep({"alhpa": "1,2"})
    assert wrong.value.diagnostics[0].help == "did you mean `alpha`?"


# ---- what is selected ----

LINES = [(1, 5, "x"), (2, 3, "y"), (3, 4, "z"), (4, 3, "w"), (1, 5, "v")]
COLUMNS = ("a", "b", "name")


@pytest.mark.parametrize("top", [None, 3])
def test_lines_are_sorted_and_keep_their_order_where_they_are_equal(top: int | None) -> None:
    found = Selection(Wish.of("-b", COLUMNS), top).of(LINES, COLUMNS)
    assert [line[2] for line in found] == ["x", "v", "z", "y", "w"][:top]


def test_the_front_has_what_no_other_is_better_than() -> None:
    found = Selection(front=(Wish.of("a", COLUMNS), Wish.of("b", COLUMNS))).of(LINES, COLUMNS)
    assert [line[2] for line in found] == ["x", "y"]


def test_a_front_is_made_of_numbers() -> None:
    with pytest.raises(Refusal):
        Front([(2, True)]).add(LINES[0])


# ---- the command ----


def test_a_file_has_the_rows_in_every_form(net: Path) -> None:
    import pyarrow.parquet as pq

    for name in ("out.csv", "out.json", "out.jsonl", "out.parquet"):
        assert run(["sweep", f"{net}:Small", "-p", "c=1:5:1", "-p", "d=0.5,1", "-p", "kind=relu,silu", "-o", name]) == 0
    read = json.loads(Path("out.json").read_text())
    assert len(read) == 18
    assert [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()] == read
    assert pq.read_table("out.parquet").to_pylist() == read
    with Path("out.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{key: str(value) for key, value in row.items()} for row in read]


def test_several_networks_are_told_apart_by_a_column(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sweep", f"{net}:Small", f"{net}:Other", "-p", "c=1,2"]) == 0
    assert capsys.readouterr().out.splitlines()[0::2] == [
        "network,c,params,macs",
        "Small,2,90,23040",
        "Other,2,150,38400",
    ]


def test_the_summary_says_what_was_refused_and_why(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sweep", f"{net}:Small", "-p", "c=0:2:1", "-p", "d=0.1,1"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("6 candidates counted, 2 kept, 4 refused; ")
    assert said[1].startswith("  4 bad-argument, the first at c=0, d=0.1: ")


def test_a_sweep_of_refused_networks_alone_is_an_error(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sweep", f"{net}:Small", "-p", "c=0,-1"]) == 2
    assert "error[bad-argument]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["-p", "c=1:2"], 2),
        (["-p", "cc=1"], 2),
        (["-p", "c=1:2:1", "--sort", "mac"], 2),
        (["-p", "c=1:2:1", "-o", "out.xls"], 2),
        (["-p", "c=1:2:1", "--max-macs", "many"], 2),
        (["-p", "c=1:2:1", "--max-macs", "100MB"], 2),
        (["-p", "c=1:2:1", "--max-macs", "1K", "--min-macs", "1M"], 2),
        (["-p", "c=1:2:1", "--cluster", "slurm://x"], 2),
        (["-p", "c=1:2:1", "--ray", "local", "--cluster", "dask://"], 2),
        (["-p", "c=1:2:1", "--plot", "out.gif"], 2),
        (["-p", "c=1:9:1", "--max-candidates", "8"], 4),
    ],
)
def test_what_is_wrong_with_a_command_decides_its_exit_code(net: Path, arguments: list[str], code: int) -> None:
    assert run(["sweep", f"{net}:Small", *arguments]) == code
    assert list(net.parent.iterdir()) == [net]


@pytest.mark.parametrize("option", ["--sort=-memory", "--front=memory,params"])
def test_what_is_asked_for_is_measured(option: str, net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sweep", f"{net}:Small", "-p", "c=1:5:1", option]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "c,params,macs,memory"


def test_a_chart_that_has_no_folder_is_told_before_anything_is_counted(
    net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sweep", f"{net}:Small", "-p", "c=1:5:1", "--plot", "none/x.svg"]) == 3
    assert capsys.readouterr().out == ""


def test_the_front_is_charted(net: Path) -> None:
    assert (
        run(["sweep", f"{net}:Small", "-p", "c=1:9:1", "-p", "input=8:64:8", "--top", "2", "--plot", "front.svg"]) == 0
    )
    assert "c=9, input=64" in Path("front.svg").read_text(encoding="utf-8")


def test_a_chart_of_nothing_is_empty(net: Path) -> None:
    assert run(["sweep", f"{net}:Small", "-p", "c=1:9:1", "--max-macs", "1", "--plot", "front.svg"]) == 0
    assert Path("front.svg").stat().st_size > 1000
