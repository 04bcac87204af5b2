"""The layout of a written file: that of `ruff format`, with archspec's settings, whatever the user's are."""

import subprocess
import sys
from importlib.util import find_spec

from archspec.backend import BackendError
from archspec.emit.page import WIDTH
from archspec.optional import BrokenFramework, MissingFramework

SETTINGS = (
    "--isolated",
    "--line-length",
    str(WIDTH),
    "--target-version",
    "py311",
    "--stdin-filename",
    "written.py",
    "-",
)
REFUSED = 2
"""How ruff ends when it cannot read a source."""


def formatted(code: str, extra: str) -> str:
    """The text as ruff lays it out; raises `MissingFramework` where ruff is not installed or does not work."""
    if find_spec("ruff") is None:
        raise MissingFramework("`--emit source`", "ruff", extra)
    # -P: a `ruff.py` in the folder that we run in is not ruff
    command = (sys.executable, "-P", "-m", "ruff", "format", "--quiet", *SETTINGS)
    done = subprocess.run(command, input=code.encode(), capture_output=True, check=False)
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode == REFUSED:
        raise BackendError(f"ruff cannot format the source: {said}")
    if done.returncode:
        error = ImportError(said) if said else SystemExit(done.returncode)
        raise BrokenFramework("`--emit source`", "ruff", extra, error)
    return done.stdout.decode()
