"""The same comparison on other workers, of which one is killed on the way: the same result file."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from training.processes import SHORT, Process, ended, finished, started, wait_for, workers

pytestmark = pytest.mark.slow
WORKERS = {"loky": "loky", "dask": "spawn_main", "ray": "ray::"}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    place = tmp_path_factory.mktemp("undisturbed")
    return finished(started(place, *SHORT, "-j1"), place)


def kill_one(process: Process, called: str, place: Path) -> None:
    """Kill a worker once two runs have ended."""
    wait_for(place, 2, process)
    for _ in range(100):
        found = [one for one in workers(process.pid, called) if busy(one)]
        if found or process.poll() is not None:
            break
        time.sleep(0.05)
    assert found, "no worker is busy"
    found[0].kill()


def busy(process: psutil.Process) -> bool:
    try:
        return "IDLE" not in process.name() and process.cpu_percent(0.05) > 0
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("kind", WORKERS)
def test_a_killed_worker_of_any_kind_changes_nothing(tmp_path: Path, undisturbed: bytes, kind: str) -> None:
    process = started(tmp_path, *SHORT, *(["-j2"] if kind == "loky" else ["--cluster", f"{kind}://"]))
    kill_one(process, WORKERS[kind], tmp_path)
    assert ended(tmp_path) < 12
    assert finished(process, tmp_path) == undisturbed


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """The address of a Dask scheduler with two workers, all processes of their own."""
    dask, environment = [sys.executable, "-m", "dask"], {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with (tmp_path / "scheduler.log").open("wb") as log:
        begun = [subprocess.Popen([*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
                                  stderr=log, stdout=log, env=environment)]  # fmt: skip
        try:
            for _ in range(600):
                found = re.search(r"tcp://(127\.0\.0\.1:\d+)", (tmp_path / "scheduler.log").read_text())
                if found:
                    break
                time.sleep(0.1)
            assert found, (tmp_path / "scheduler.log").read_text()
            begun += [
                subprocess.Popen([*dask, "worker", f"tcp://{found[1]}", "--nthreads", "1", "--no-dashboard",
                                  "--local-directory", tmp_path / f"worker{number}"],
                                 stderr=log, stdout=log, env=environment, cwd="/")
                for number in range(2)
            ]  # fmt: skip
            yield found[1]
        finally:
            for process in begun[::-1]:
                process.terminate()
            for process in begun:
                process.wait(timeout=60)


def test_a_scheduler_that_was_started_before_gives_the_same_file(
    tmp_path: Path, undisturbed: bytes, scheduler: str
) -> None:
    assert finished(started(tmp_path, *SHORT, "--cluster", f"dask://{scheduler}"), tmp_path) == undisturbed
    # its workers are somewhere else, and the runs in the folder of the comparison
    assert ended(tmp_path) == 12


def test_a_cluster_that_does_not_answer_is_told(tmp_path: Path) -> None:
    process = started(tmp_path, *SHORT, "--cluster", "dask://127.0.0.1:9")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "no Dask scheduler answers at 127.0.0.1:9" in said.decode()
    assert "Traceback" not in said.decode()
