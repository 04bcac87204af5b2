"""`python -m fuzz [TARGET…] --seconds 60`: exit code 1 and a file in build/fuzz for what is found."""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fuzz.targets import MODULES, seeds, target, tried

FOUND = Path("build") / "fuzz"
MEMORY, PATIENCE = 300, 20
"""MiB over what a started process takes; seconds of one execution, slower while coverage is counted."""
STATUS = re.compile(r"#([0-9]+)\s.*?cov: ([0-9]+) ft: ([0-9]+) corp: ([0-9]+).*?rss: ([0-9]+)Mb")


def main() -> int:
    """Fuzz each target for its share of the time."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=main.__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all unless some are named")
    parser.add_argument("--seconds", type=int, default=60, help="in all (60)")
    parser.add_argument("--replay", type=Path, help="try one file with the targets, without fuzzing")
    arguments = parser.parse_args()
    targets = arguments.targets or list(MODULES)
    if arguments.replay:
        for name in targets:
            tried(name, arguments.replay.read_bytes())
        return 0
    codes = [fuzzed(name, arguments.seconds // len(targets)) for name in targets]
    return max(codes)


def fuzzed(name: str, seconds: int) -> int:
    """Fuzz one target; 1 where something was found."""
    FOUND.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as first:
        for number, data in enumerate(seeds(name)):
            Path(first, str(number)).write_bytes(data)
        command = [
            sys.executable, "-m", "fuzz.worker", name, str(MEMORY), scratch, first, f"-max_total_time={seconds}",
            f"-timeout={PATIENCE}", f"-max_len={target(name).longest}", f"-artifact_prefix={FOUND}/{name}-",
            "-print_final_stats=1",
        ]  # fmt: skip
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    statuses = STATUS.findall(done.stdout)
    last = statuses[-1] if statuses else ("0", "0", "0", "0", "0")
    print(f"{name}: {int(last[0]):,} executions, coverage {last[1]}, features {last[2]}, {last[4]} MB", flush=True)
    if done.returncode:
        print("\n".join(done.stdout.splitlines()[-60:]))
        files = sorted(FOUND.glob(f"{name}-*"), key=lambda file: file.stat().st_mtime)
        if files:
            print(f"found: python -m fuzz {name} --replay {files[-1]}")
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
