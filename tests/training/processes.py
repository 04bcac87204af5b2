"""A comparison in a process of its own, to be disturbed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
from training.small import SPEC

SAID = ["--batch", "16", "--input", "16x16", "--seeds", "2", "--lr", "0.003,0.01"]
SHORT = [*SAID, "--steps", "8", "--interval", "2", "--fractions", "1,0.2"]
LONG = [*SAID, "--steps", "90", "--interval", "3", "--fractions", "1"]
MEMBERS = ["thin=net.arch@c=4", "wide=net.arch@width=2,stride=2"]
Process = subprocess.Popen[bytes]


def command(*others: str, module: str = "archspec") -> list[str]:
    return [sys.executable, "-m", module, "compare", *MEMBERS, "-o", "c", *others]


def started(place: Path, *others: str, module: str = "archspec") -> Process:
    """A comparison in a folder; its group of processes is its own, and Ctrl-C reaches it even from a background job."""
    (place / "net.arch").write_text(SPEC)
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    return subprocess.Popen(command(*others, module=module), cwd=place, start_new_session=True,
                            env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # fmt: skip


def finished(process: Process, place: Path, seconds: float = 600) -> bytes:
    """The result file of a comparison that must end well."""
    _, said = process.communicate(timeout=seconds)
    assert process.returncode == 0, said.decode()
    return (place / "c" / "results.json").read_bytes()


def ended(place: Path) -> int:
    """Runs that have ended."""
    return len(list(place.glob("c/runs/*/result.json")))


def wait_for(place: Path, runs: int, process: Process) -> None:
    """Until so many runs have ended, or the comparison has."""
    for _ in range(4800):
        if ended(place) >= runs or process.poll() is not None:
            return
        time.sleep(0.05)
    raise AssertionError(f"{ended(place)} runs in four minutes")


def evaluations(place: Path) -> int:
    """The time of the last evaluation of a run, in nanoseconds."""
    return max((path.stat().st_mtime_ns for path in place.glob("c/runs/*/progress.json")), default=0)


def workers(pid: int, called: str = "loky") -> list[psutil.Process]:
    """The processes that a process has started for its runs."""
    try:
        return [child for child in psutil.Process(pid).children(recursive=True)
                if called in " ".join([child.name(), *child.cmdline()])]  # fmt: skip
    except psutil.NoSuchProcess:
        return []
