"""Whatever is killed, and whenever: the same command goes on, and ends in the same result file."""

import os
import signal
import time
from pathlib import Path
from random import Random

import psutil
import pytest
from training.processes import LONG, SHORT, evaluations, finished, started, wait_for, workers

KILLS = 20


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The result file of the longer comparison that nothing happened to."""
    place = tmp_path_factory.mktemp("undisturbed")
    return finished(started(place, *LONG, "-j1"), place)


@pytest.mark.slow
def test_twenty_kills_at_random_moments_give_the_same_file(tmp_path: Path, undisturbed: bytes) -> None:
    """Of a worker or of the whole; where a comparison ends before, another one begins."""
    random, killed, told = Random(7), {"worker": 0, "whole": 0}, []
    for place in (tmp_path / str(number) for number in range(KILLS)):
        place.mkdir()
        process = started(place, *LONG, "-j2", module="training.often")
        while process.poll() is None and sum(killed.values()) < KILLS:
            # while runs are being made, not while libraries are being imported
            before = evaluations(place)
            while process.poll() is None and evaluations(place) == before:
                time.sleep(0.02)
            time.sleep(random.uniform(0, 1))
            what, there = random.choice(["worker", "whole"]), workers(process.pid)
            if process.poll() is not None or not there:
                continue
            killed[what] += 1
            if what == "worker":
                random.choice(there).kill()
                continue
            process.kill()
            process.communicate()
            process = started(place, *LONG, "-j2", module="training.often")
        assert finished(process, place) == undisturbed
        told.append(dict(killed))
        if sum(killed.values()) == KILLS:
            break
    print(told)
    assert sum(killed.values()) == KILLS
    assert min(killed.values()) > 4


@pytest.mark.slow
def test_a_killed_comparison_leaves_no_worker(tmp_path: Path) -> None:
    process = started(tmp_path, *SHORT, "-j2")
    wait_for(tmp_path, 1, process)
    left = workers(process.pid)
    assert left
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(left, timeout=120)
    assert not alive


def test_ctrl_c_stops_within_a_second_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = started(tmp_path, *LONG, "-j2")
    wait_for(tmp_path, 1, process)
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=300)
    print(f"{time.monotonic() - begun:.2f} s")
    assert process.returncode == 130, said.decode()
    assert "the same command goes on from there" in said.decode()
    assert "Traceback" not in said.decode()
