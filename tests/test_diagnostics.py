"""Every mistake as a person reads it: `tests/golden/errors/CODE/CASE.arch` and, beside it, what `check` prints; for a
`CASE.txt`, what `import` does.

A file that begins with `_` is used by a case and is none itself. `# limits: nodes=10` in the first line lowers a limit.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import archspec
from archspec.cli.importing import imported
from archspec.diagnostics import Diagnostic, codes
from archspec.report import text_of

ERRORS = Path(__file__).with_name("golden") / "errors"
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
