"""Every mistake as a person reads it: `tests/golden/errors/CODE/CASE.arch` and, beside it, what `check` prints; for a
`CASE.txt`, what `import` does.

A file that begins with `_` is used by a case and is none itself. `# limits: nodes=10` in the first line lowers a limit.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import archspec
from archspec.cli.commands import run
from archspec.cli.importing import imported
from archspec.diagnostics import Diagnostic, codes
from archspec.printable import width
from archspec.report import text_of

ERRORS = Path(__file__).with_name("golden") / "errors"
SCHEMA = Path(__file__).parent.parent / "docs" / "check.schema.json"
CASES = sorted(path.relative_to(ERRORS) for path in ERRORS.glob("*/[!_]*") if path.suffix in {".arch", ".txt"})
LIMITS = re.compile(rb"# limits: (.*)")


def found_in(path: Path) -> list[Diagnostic]:
    """All that `archspec check` or `import` finds in a file of the current folder."""
    if path.suffix == ".txt":
        with pytest.raises(archspec.SpecError) as raised:
            imported(path.name)
        return list(raised.value.diagnostics)
    line = LIMITS.match(path.read_bytes())
    pairs = (item.split("=") for item in line[1].decode().split()) if line else ()
    try:
        spec = archspec.load(path.name, archspec.Limits(**{name: int(number) for name, number in pairs}))
        found = spec.check_all() if spec.members else spec.check()
        return found or [*spec.unused(), *spec.unclaimed()]
    except archspec.SpecError as error:
        return list(error.diagnostics)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_mistake_reads_as_its_golden_file_says(
    case: Path, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ERRORS / case.parent)
    found = found_in(ERRORS / case)
    assert case.parent.name in {diagnostic.code for diagnostic in found}
    golden(f"errors/{case.with_suffix('.err').as_posix()}", "\n\n".join(map(text_of, found)) + "\n")


def test_every_code_has_a_case() -> None:
    assert {case.parent.name for case in CASES} == {
        cls.code for cls in codes() if cls.__module__.startswith("archspec.")
    }


def test_every_golden_error_has_its_case() -> None:
    assert {path.relative_to(ERRORS) for path in ERRORS.glob("*/*.err")} == {c.with_suffix(".err") for c in CASES}


def checked(capsys: pytest.CaptureFixture[str], *files: str) -> Any:
    """What `check --format json` prints, which is as its schema says."""
    run(["check", "--format", "json", *files])
    made = json.loads(capsys.readouterr().out)
    jsonschema.validate(made, json.loads(SCHEMA.read_text(encoding="utf-8")))
    return made


def test_every_mistake_and_erratum_is_as_the_schema_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ERRORS)
    found = checked(capsys, *(case.as_posix() for case in CASES if case.suffix == ".arch"), "nowhere.arch")
    assert len({one["code"] for one in found["diagnostics"]}) > 40
    assert [one["file"] for one in found["unread"]] == ["nowhere.arch"]
    held = checked(capsys, "mobilenet_v1")
    assert held["errata"]
    assert not held["diagnostics"]


MANY_BYTES = """arch 1
# é 漢 😀 , which have two, three and four bytes
block b = 漢
network N {
  title "é漢😀" input 8 x 8 x 3	title "é"
  body relu
}
"""


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "with a byte-order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("before", ["", "# " + "漢é" * 5000 + "\n"], ids=["near", "far"])
def test_bytes_count_in_the_file_and_columns_in_characters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mark: str, end: str, before: str
) -> None:
    text = MANY_BYTES.replace("block b = 漢\n", before).replace("\n", end)
    data = (mark + text).encode()
    (tmp_path / "n.arch").write_bytes(data)
    (one,) = checked(capsys, str(tmp_path / "n.arch"))["diagnostics"]
    second = {key: one[key] for key in ("line", "column", "byte", "end_line", "end_column", "end_byte")}
    at = data.index('title "é"'.encode())
    line = 5 if before else 4
    assert second == {
        "line": line, "column": 31, "byte": at, "end_line": line, "end_column": 40, "end_byte": at + 10
    }  # fmt: skip
    shown = {data[label["byte"] : label["end_byte"]].decode() for label in one["labels"]}
    assert shown == {'title "é"', 'title "é漢😀"'}


def test_the_byte_that_is_not_utf8_is_where_it_is_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = "\ufeffarch 1\n# é".encode() + b"\xff"
    (tmp_path / "n.arch").write_bytes(data)
    (one,) = checked(capsys, str(tmp_path / "n.arch"))["diagnostics"]
    assert (one["code"], one["byte"], one["line"], one["column"]) == ("not-utf8", data.index(b"\xff"), 2, 4)


FAR = " -> relu" * 2000
LONG_LINES = {
    "one place": f"body relu{FAR} -> q{FAR}",
    "two places": f'title "a" body relu{FAR} title "b"',
    "wide letters": f'title "{"漢" * 5000}" title "{"漢" * 5000}" body relu',
    "what is spelled out": f'title "{chr(0x200F) * 5000}" title "{chr(0x200F) * 5000}" body relu',
    "a line between two places": f'title "a"\n# {"a" * 5000}\ntitle "b" body relu',
    "a long name": f"body {'q' * 5000}",
}


@pytest.mark.parametrize("what", LONG_LINES)
def test_a_line_is_shown_in_part_around_its_places(what: str) -> None:
    text = f"arch 1\nnetwork N {{ input 8 x 8 x 4 {LONG_LINES[what]} }}\n"
    with pytest.raises(archspec.SpecError) as raised:
        archspec.parse(text).elaborate()
    (one,) = raised.value.diagnostics
    gutter = [line for line in text_of(one).splitlines() if " | " in line]
    assert max(map(width, gutter)) <= 200
    assert sum("^" in line or "--" in line for line in gutter) == len(one.labels)
