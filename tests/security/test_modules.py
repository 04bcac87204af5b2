"""A folder with modules of somebody else's is no danger to who works in it."""

import subprocess
import sys
from pathlib import Path

import pytest

NAMES = ("archspec", "click", "joblib", "multiprocessing", "ruff", "re", "runpy", "torch")
"""What archspec, or a process that it starts, imports."""
COMMAND = "import sys; sys.path.pop(0); from archspec.__main__ import main; main()"
"""What the installed program does: the folder that it is called in is not among those of modules."""
SERVER = """
import sys; sys.path.pop(0)
from contextlib import suppress
from archspec.__main__ import main
from archspec.serve.thinking import Budget, Job, Thinkers
if __name__ == "__main__":
    with suppress(SystemExit):
        main()
    thinkers = Thinkers(Budget())
    assert thinkers.do(Job(len, "abc")) == 3
    thinkers.close()
"""
"""The same, and then a process that `archspec serve` works in."""


@pytest.mark.parametrize(
    ("code", "command"),
    [(COMMAND, ["build", "mobilenet_v2", "--emit", "source"]), (SERVER, ["--version"])],
    ids=["source", "server"],
)
def test_no_process_of_a_command_imports_a_module_of_the_folder(code: str, command: list[str], tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text("open('marker', 'w')\n")
    done = subprocess.run([sys.executable, "-c", code, *command], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "marker").exists()
