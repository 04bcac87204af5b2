"""What is kept of a parse is what parsing gives, and nothing that is out of date."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import archspec
from archspec import library
from archspec.cli.commands import run
from archspec.source import Source
from archspec.syntax import cache, parse, parse_cell, parsed_cell

NET = "arch 1\nnetwork N(c = 8) {{ input 8 x 8 x 3  body conv(3, c) -> {} }}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The cache folder of the tests' own; no cache is left behind."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    yield tmp_path / "archspec"
    cache.end()


def again(source: Source) -> None:
    """As in a later run."""
    cache.end()
    cache.begin()
    cache.opened(source)


def never() -> None:
    raise AssertionError("this was to be remembered")


@pytest.mark.parametrize("name", library.specs())
def test_what_is_kept_is_what_was_parsed_with_its_places(name: str, folder: Path) -> None:
    source = library.spec(name)
    again(source)
    first = repr(parse(source))
    again(source)
    assert repr(cache.remembered("start", source, 0, source.text, never)) == first


def test_a_cell_is_remembered_at_any_place(folder: Path) -> None:
    source = Source("net.arch", "| 28²×32 |  | 28²×32 |")
    again(source)
    first, second = (parse_cell("shape_cell", source, start, "28²×32") for start in (2, 13))
    assert [side.span.start for side in first] == [2, 2, 6]
    assert [side.span.start for side in second] == [13, 13, 17]


def test_what_is_no_cell_is_remembered_too_and_raises_where_it_must(folder: Path) -> None:
    source = Source("net.arch", "conv 3x3,")
    for _ in range(2):
        again(source)
        assert parsed_cell("value_cell", source, 0, source.text) is None
        with pytest.raises(archspec.SpecError):
            parse_cell("value_cell", source, 0, source.text)


def test_a_later_run_prints_the_same_and_needs_no_lark(folder: Path) -> None:
    code = "import sys; from archspec.cli.commands import run; run(); print({'lark'} & set(sys.modules))"
    command = [sys.executable, "-c", code, "stats", "mobilenet_v2", "--by", "layer"]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert first.splitlines()[:-1] == second.splitlines()[:-1]
    assert (first.splitlines()[-1], second.splitlines()[-1]) == ("{'lark'}", "set()")


def test_another_text_under_the_same_name_is_parsed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "net.arch"
    printed = []
    for layer in ("relu", "bn", "nonsense", "relu"):
        file.write_text(NET.format(layer), "utf-8")
        code = run(["stats", str(file), "--format", "csv"])
        printed.append((code, capsys.readouterr()))
    assert [code for code, _ in printed] == [0, 0, 1, 0]
    assert printed[0] == printed[3]
    assert printed[0] != printed[1]
    assert "nonsense" in printed[2][1].err


def test_a_mistake_is_reported_each_time(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "net.arch"
    file.write_text("arch 1\nnetwork N { body conv(3, }\n", "utf-8")
    reports = []
    for _ in range(2):
        assert run(["check", str(file)]) == 1
        reports.append(capsys.readouterr().err)
    assert reports[0] == reports[1]
    assert "net.arch:2:" in reports[0]


@pytest.mark.parametrize("damage", [b"", b"x" * 10, b"x" * 5000, None])
def test_a_damaged_file_is_not_read(folder: Path, damage: bytes | None) -> None:
    source = library.spec("mobilenet_v2")
    again(source)
    first = parse(source)
    cache.end()
    (file,) = folder.glob("parsed-*")
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]) if damage is None else damage)
    cache.begin()
    cache.opened(source)
    with pytest.raises(AssertionError, match="remembered"):
        cache.remembered("start", source, 0, source.text, never)
    assert parse(source) == first


def test_other_code_reads_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = library.spec("mobilenet_v2")
    again(source)
    parse(source)
    cache.end()
    monkeypatch.setattr(cache, "fingerprint", lambda: b"\0" * cache.DIGEST)
    again(source)
    with pytest.raises(AssertionError, match="remembered"):
        cache.remembered("start", source, 0, source.text, never)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner here")
def test_the_file_of_somebody_else_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = library.spec("mobilenet_v2")
    again(source)
    parse(source)
    cache.end()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    again(source)
    with pytest.raises(AssertionError, match="remembered"):
        cache.remembered("start", source, 0, source.text, never)


def test_without_a_folder_to_write_to_all_is_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    assert run(["stats", "mobilenet_v2", "--format", "csv"]) == 0


def test_a_full_disk_hinders_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(cache, "write_whole", full)
    assert run(["stats", "mobilenet_v2", "--format", "csv"]) == 0
    assert not list(folder.glob("parsed-*"))


def test_a_file_keeps_what_the_last_run_needed_where_it_would_grow_too_large(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "MOST", 3)
    source = Source("net.arch", "")
    for run_ in range(3):
        again(source)
        for number in (1, 2, 10 + run_):
            parse_cell("number_cell", source, 0, str(number))
    cache.end()
    cache.begin()
    assert cache.current is not None
    cache.opened(source)
    assert len(cache.current.own) == 3


def test_deeper_nesting_than_usual_is_checked_each_time(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "net.arch"
    file.write_text(NET.format("(" * 30 + "relu" + ")" * 30), "utf-8")
    assert run(["stats", str(file), "--format", "csv"]) == 0
    assert run(["stats", str(file), "--format", "csv", "--max-nesting", "20"]) == 4


def test_two_specs_of_one_run_are_each_kept(folder: Path) -> None:
    for name in ("alexnet", "vgg"):
        again(library.spec(name))
        parse(library.spec(name))
    cache.end()
    assert len(list(folder.glob("parsed-*"))) == 2
