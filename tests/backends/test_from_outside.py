"""A backend of somebody else: the one that docs/backends.md shows, installed and used by the command line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "backends.md").read_text(encoding="utf-8")
FILE = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's files, and with its distribution in `site`."""
    folder = tmp_path_factory.mktemp("outside")
    for name, text in FILE.findall(PAGE):
        (folder / name).write_text(text, encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    options = ["--no-deps", "--no-build-isolation", "--target", "site", "."]
    subprocess.run([*pip, *options], cwd=folder, check=True, capture_output=True)
    return folder


def archspec(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = [str(folder / "site"), str(ROOT / "backends")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-m", "archspec", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_it_is_listed(installed: Path) -> None:
    assert re.search(r"^numpy +.*\.npz", archspec(installed, "list", "backends").stdout, re.MULTILINE)


def test_it_gives_what_torch_gives(installed: Path) -> None:
    done = archspec(installed, "verify", "small.arch", "--backend", "numpy", "--backend", "torch")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^Small +numpy, torch +14,218 +735,296 +\S+ +1e-09 +equal$", done.stdout, re.MULTILINE)


def test_it_saves_and_reads_weights(installed: Path) -> None:
    assert archspec(installed, "build", "small.arch", "--backend", "numpy", "-o", "small.npz").returncode == 0
    done = archspec(installed, "weights", "import", "--from", "numpy", "small.npz", "small.arch", "-o", "a.safetensors")
    assert (done.returncode, done.stderr) == (0, "")
    done = archspec(installed, "build", "small.arch", "--weights", "a.safetensors", "-o", "small.pth")
    assert done.returncode == 0


def test_an_operator_that_it_lacks_is_named(installed: Path) -> None:
    done = archspec(installed, "build", "alexnet", "--backend", "numpy", "-o", "alexnet.npz")
    assert done.returncode == 1
    assert "maxpool" in done.stderr
    assert not (installed / "alexnet.npz").exists()
