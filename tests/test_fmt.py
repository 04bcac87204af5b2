"""`archspec fmt`: in place, whole or not at all, and what it only tells."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import archspec
from archspec.cli.commands import run
from archspec.printable import width
from archspec.tables.align import aligned, cells

LOOSE = "arch 1 network  N { input 8 x 8 x 3\n  # kept\n  body conv(3,4) }"
TIDY = "arch 1\nnetwork N {\n  input 8 x 8 x 3\n  # kept\n  body conv(3, 4)\n}\n"
ROOT = Path(__file__).parent.parent


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    path = tmp_path / "net.arch"
    path.write_text(LOOSE, encoding="utf-8")
    return path


def test_a_file_is_rewritten_once(loose: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fmt", str(loose)]) == 0
    assert loose.read_text(encoding="utf-8") == TIDY
    assert capsys.readouterr().err == f"reformatted {loose}\n"
    assert run(["fmt", str(loose)]) == 0
    assert capsys.readouterr().err == ""


def test_line_ends_become_those_of_unix(loose: Path) -> None:
    loose.write_bytes(TIDY.replace("\n", "\r\n").encode())
    assert run(["fmt", str(loose)]) == 0
    assert loose.read_bytes() == TIDY.encode()


@pytest.mark.parametrize("option", ["--check", "--diff"])
def test_what_only_tells_changes_nothing(loose: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fmt", option, str(loose)]) == 1
    assert loose.read_text(encoding="utf-8") == LOOSE
    told = capsys.readouterr()
    assert ("would reformat" in told.err) == (option == "--check")
    assert ("+  body conv(3, 4)" in told.out) == (option == "--diff")
    loose.write_text(TIDY, encoding="utf-8")
    assert run(["fmt", option, str(loose)]) == 0


def test_standard_input_goes_to_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LOOSE.encode())))
    assert run(["fmt", "-"]) == 0
    assert capsys.readouterr().out == TIDY


def test_a_file_that_does_not_parse_is_left_and_the_others_go_on(loose: Path) -> None:
    other = loose.with_name("bad.arch")
    other.write_text("arch 1 network {", encoding="utf-8")
    assert run(["fmt", str(loose.parent)]) == 1
    assert other.read_text(encoding="utf-8") == "arch 1 network {"
    assert loose.read_text(encoding="utf-8") == TIDY


def test_the_shipped_specs_are_canonical_and_aligned() -> None:
    assert run(["fmt", "--check", "--align", str(ROOT / "specs")]) == 0
    assert run(["fmt", "--check", str(ROOT / "archspec" / "blocks")]) == 0


def test_a_table_is_aligned_on_request() -> None:
    table = "    |Input|Operator|c|\n    |:-|--:|-|\n    | 8²×3|conv \\| ×| 1200 |\n"
    text = f"arch 1\nnetwork N {{\n  table {{\n{table}  }}\n}}\n"
    assert "|Input|Operator|c|" in archspec.format(text)
    made = archspec.format(text, align=True)
    assert (
        "    | Input | Operator  | c    |\n    |:------|----------:|------|\n    | 8²×3  | conv \\| × | 1200 |\n"
        in made
    )
    assert archspec.format(made, align=True) == made


CELL = st.text(alphabet="ab²×宽 é1-", max_size=6).map(str.strip)


@given(st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=6)))
def test_aligning_keeps_every_cell(rows: list[list[str]]) -> None:
    body = "{\n" + "".join(f"  |{'|'.join(row)}|\r\n" for row in rows) + "}"
    made = aligned(body)
    lines = made.splitlines()[1:-1]
    assert [cells(line) for line in lines if set(line) - set(" |-:")] == [
        [text.strip() for text in row] for row in rows if set("".join(row)) - {"-"}
    ]
    assert len({width(line) for line in lines if set(line) - set(" |-:")}) <= 1
    assert aligned(made) == made


def test_the_hooks_of_pre_commit_run(loose: Path) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    for hook in hooks:
        name, *arguments = hook["entry"].split()
        done = subprocess.run(
            [Path(sys.executable).with_name(name), *arguments, loose], capture_output=True, check=False
        )
        assert done.returncode == 0
    assert loose.read_text(encoding="utf-8") == TIDY


def test_other_names_of_a_file_go_on_naming_it(loose: Path) -> None:
    other, link = loose.with_name("other.arch"), loose.with_name("link.arch")
    other.hardlink_to(loose)
    link.symlink_to(loose)
    loose.chmod(0o640)
    assert run(["fmt", str(link)]) == 0
    assert [path.read_text(encoding="utf-8") for path in (loose, other, link)] == [TIDY] * 3
    assert link.is_symlink()
    assert other.samefile(loose)
    assert loose.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in loose.parent.iterdir()) == ["link.arch", "net.arch", "other.arch"]


def test_a_file_that_nobody_may_write_is_left_alone(loose: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loose.chmod(0o444)
    assert run(["fmt", str(loose)]) == 3
    assert "it is read-only" in capsys.readouterr().err
    assert loose.read_text(encoding="utf-8") == LOOSE


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_owner_stays_theirs(loose: Path) -> None:
    os.chown(loose, 12345, 12345)
    loose.chmod(0o604)
    assert run(["fmt", str(loose)]) == 0
    held = loose.stat()
    assert (held.st_uid, held.st_gid, held.st_mode & 0o777) == (12345, 12345, 0o604)
    assert loose.read_text(encoding="utf-8") == TIDY
