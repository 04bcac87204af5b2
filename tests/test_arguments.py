"""Arguments that ask for too much are answered at once, by a sentence."""

import subprocess
import sys

import pytest

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
