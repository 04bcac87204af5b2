"""Arguments that ask for too much are answered at once, by a sentence."""

import subprocess
import sys
from pathlib import Path

import pytest

import archspec
from archspec.cli.commands import run

CASES: dict[str, tuple[list[str], int, str]] = {
    "a grid of very many steps": (
        ["fit", "mobilenet_v2", "--macs", "300M", "--vary", "alpha=0:1e9:1e-9"], 4,
        "`0:1e9:1e-9` has 1,000,000,000,000,000,001 values, and the limit is 1,099,511,627,776",
    ),
    "a grid that Python has no length for": (
        ["fit", "mobilenet_v2", "--macs", "300M", "--vary", "alpha=0:999999999999e9:0.000000000001e-9"], 4, "values",
    ),
    "a grid that would take hours": (
        ["fit", "mobilenet_v2", "--macs", "300M", "--vary", "alpha=0:1000:0.001"], 4,
        "`alpha` has 1,000,001 values, and the limit is 100,000",
    ),
    "a number that is out of range": (
        ["stats", "mobilenet_v2", "-p", "alpha=1e308"], 2, "`alpha` cannot be a number out of range",
    ),
    "a whole number that is": (["stats", "mobilenet_v2", "-p", "k=" + "9" * 20], 2, "cannot be a number out of range"),
    "two parts of a grid": (
        ["fit", "mobilenet_v2", "--macs", "300M", "--vary", "alpha=0:60:0.001,0:60:0.001"], 4, "has 120,002 values",
    ),
    "a step that is not a number": (
        ["fit", "mobilenet_v2", "--macs", "1M", "--vary", "alpha", "--step", "nan"], 2, "'nan' is not a step from",
    ),
    "a signalling one": (
        ["fit", "mobilenet_v2", "--macs", "1M", "--vary", "alpha", "--step", "sNaN"], 2, "'sNaN' is not a step from",
    ),
    "a step without an end": (
        ["fit", "mobilenet_v2", "--macs", "1M", "--vary", "alpha", "--step", "inf"], 2, "'inf' is not a step from",
    ),
    "a sweep of very many steps": (["sweep", "mobilenet_v2", "-p", "alpha=0:1e9:1e-9"], 4, "values, and the limit"),
    "a top of 31 digits": (["sweep", "mobilenet_v2", "--top", "1" * 31], 2, "is not in the range"),
    "candidates of 31 digits": (["sweep", "mobilenet_v2", "--max-candidates", "1" * 31], 2, "is not in the range"),
    "a spec of 2^40 characters": (["check", "mobilenet_v2", "--max-source", str(2**40)], 2, "is not in the range"),
    "a spec that never ends": (["check", "/dev/zero", "--max-source", str(2**20)], 4, "more than 4194304 bytes"),
    "a table of 31 digits": (["import", "/dev/null", "--table", "1" * 31], 2, "is not in the range"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_too_much_is_refused_at_once(name: str) -> None:
    arguments, code, said = CASES[name]
    done = subprocess.run(
        [sys.executable, "-m", "archspec", *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert said in done.stderr
    assert done.returncode == code
    assert "Traceback" not in done.stderr


BLAMED = """arch 1
network N(k = 10, s = 1, size = 8) {
  input size x size x 3
  body conv(4, 4, s) -> global_avgpool -> linear(k)
}
"""


@pytest.mark.parametrize(
    ("given", "code", "place"),
    [
        (["--input", "2000000x1"], 4, "1 | input=2000000x1\n  | ^"),
        (["--input", "3x64x64"], 2, "1 | input=3x64x64\n  | ^"),
        (["--input", "1x1"], 1, "1 | input=1x1\n  | --------- the input is 1×1×3"),
        (["--input", "1x1"], 1, "= in N(input = 1x1)"),
        (["-p", "size=1"], 1, "= in N(size = 1)"),
        (["-p", "size=0"], 2, "1 | size=0\n  | ^"),
        (["-p", "s=0"], 2, "1 | s=0\n  | ^"),
        (["-p", "k=2000000"], 4, "= in N(k = 2000000)"),
    ],
)
@pytest.mark.parametrize("command", ["stats", "graph", "build", "render"])
def test_what_is_given_is_blamed_where_it_is_given(
    command: str, given: list[str], code: int, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "n.arch").write_text(BLAMED, encoding="utf-8")
    assert run([command, str(tmp_path / "n.arch"), *given]) == code
    assert place in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "compare"])
def test_images_are_not_brought_to_a_size_beyond_the_limit(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "n.arch").write_text(BLAMED, encoding="utf-8")
    arguments = [command, str(tmp_path / "n.arch"), "--input", "2000000x1", "-o", str(tmp_path / "out")]
    assert run(arguments) == 4
    assert "1 | input=2000000x1\n  | ^" in capsys.readouterr().err


def test_an_input_that_a_program_gives_is_blamed() -> None:
    with pytest.raises(archspec.SpecError, match="<parameters>:1:1: limit"):
        archspec.parse(BLAMED).elaborate((2_000_000, 1))
    with pytest.raises(archspec.SpecError, match="<parameters>:1:1: bad-arithmetic"):
        archspec.parse(BLAMED).elaborate(size=0)
