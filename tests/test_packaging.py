"""The wheel: what is in it, and that it works in an empty environment, from an empty folder."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_every_package_on_disk_is_in_the_wheels_list() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(config["tool"]["setuptools"]["packages"])
    folders = {path.parent for path in ROOT.glob("archspec/**/*.py")} | {
        path.parent for path in ROOT.glob("archspec/**/*.arch")
    }
    found = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    backends = ROOT / "backends"
    found |= {".".join(path.parent.relative_to(backends).parts) for path in backends.glob("**/__init__.py")}
    found.add("archspec.specs")
    assert found == listed


@pytest.mark.slow
def test_the_wheel_counts_without_torch_and_says_what_to_install_for_it(tmp_path: Path) -> None:
    done = run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"archspec/syntax/grammar.lark", "archspec/py.typed", "archspec/specs/mobilenet_v2.arch"} <= set(names)
    assert "archspec/blocks/inverted_residual.arch" in names
    assert not [name for name in names if name.startswith(("tests", "benchmarks"))]

    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    done = run(python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    archspec = tmp_path / "venv" / "bin" / "archspec"
    done = run(archspec, "stats", "mobilenet_v2", cwd=empty)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3,504,872 params; 300,774,272 MACs" in done.stdout
    done = run(archspec, "build", "mobilenet_v2", "--backend", "torch", "-o", "net.pth", cwd=empty)
    assert done.returncode == 3
    assert "archspec-compiler[torch]" in done.stderr
    for extra, *command in (("draw", "render", "mobilenet_v2", "-o", "net.svg"), ("serve", "serve", "--no-open")):
        done = run(archspec, *command, cwd=empty)
        assert done.returncode == 3
        assert f"archspec-compiler[{extra}]" in done.stderr
    assert list(empty.iterdir()) == []
    done = run(archspec, "render", "mobilenet_v2", "-o", "net.html", cwd=empty)
    assert (done.returncode, done.stderr) == (0, "")
    assert "dagre" in (empty / "net.html").read_text(encoding="utf-8")
