"""A slip in one cell of MobileNetV2's table is reported, and where a reader would look for it.

What no rule can see is left out: an Input cell without a claim, `1` for `-` in column n, and cells that say the same.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import archspec
from archspec.diagnostics import Diagnostic
from archspec.source import Span

SPEC = (Path(__file__).parent.parent / "specs" / "mobilenet_v2.arch").read_text(encoding="utf-8")
LINES = SPEC.splitlines()
FIRST = next(number for number, line in enumerate(LINES) if "224²×3" in line)
COLUMNS = ("Input", "Operator", "t", "c", "n", "s")
SLIPS: dict[str, dict[int, tuple[str, ...]]] = {
    "Input": {
        1: ("224²×1", "225²×3"),
        2: ("112²×23", "56²×32", "112x113x32"),
        3: ("112²×24", "12²×16"),
        4: ("56²×42", "28²×24"),
        5: ("28²×23", "14²×32"),
        6: ("14²×46", "28²×64"),
        7: ("14²×69", "7²×96"),
        8: ("7²×16", "14²×160"),
        9: ("7²×32", "1×1×320"),
        10: ("7²×128", "1×1×1280"),
        11: ("1×1×128", "7²×1280"),
    },
    "Operator": {
        1: ("bottleneck", "conv2d 1x1", "conv"),
        2: ("conv2d", "bottlneck"),
        3: ("conv2d 1x1",),
        4: ("conv2d",),
        5: ("avgpool 7x7",),
        6: ("conv2d",),
        7: ("conv2d 1x1",),
        8: ("conv2d",),
        9: ("bottleneck", "conv2d"),
        10: ("avgpool 5x5", "avgpool 7x5", "maxpool 7x7", ""),
        11: ("bottleneck", "avgpool 7x7"),
    },
    "t": {2: ("6", "-"), 3: ("1", "-"), 4: ("5",), 5: ("1",), 6: ("9",), 7: ("66",), 8: ("1",)},
    "c": {
        1: ("23", "64"),
        2: ("61", "24"),
        3: ("42", "-"),
        4: ("64",),
        5: ("46", "32"),
        6: ("69", "160"),
        7: ("610", "96"),
        8: ("230", "-"),
        9: ("128", "1028"),
        10: ("1280",),
        11: ("100", "-"),
    },
    "n": {
        1: ("2",),
        2: ("0", "2"),
        3: ("1", "-"),
        4: ("2", "4"),
        5: ("3",),
        6: ("4",),
        7: ("1",),
        8: ("2",),
        9: ("2",),
    },
    "s": {
        1: ("1", "3"),
        2: ("2", "-"),
        3: ("1",),
        4: ("1", "3"),
        5: ("1",),
        6: ("2",),
        7: ("1",),
        8: ("2",),
        9: ("2",),
    },
}
SWAPPED = (("64   | 4 | 2", "64   | 4 | 1"), ("96   | 3 | 1", "96   | 3 | 2"))


def slips() -> Iterator[tuple[int, str, str]]:
    for column, rows in SLIPS.items():
        for row, texts in rows.items():
            for text in texts:
                yield row, column, text


def with_cell(row: int, column: str, text: str) -> str:
    line = LINES[FIRST + row - 1]
    start, end = cell_place(line, column)
    return "\n".join([*LINES[: FIRST + row - 1], f"{line[:start]} {text} {line[end:]}", *LINES[FIRST + row :], ""])


def cell_place(line: str, column: str) -> tuple[int, int]:
    """Where the text of a cell stands in its line, bars excluded."""
    bars = [bar.start() for bar in re.finditer(r"\|", line)]
    number = COLUMNS.index(column)
    return bars[number] + 1, bars[number + 1]


def found_in(text: str) -> list[Diagnostic]:
    try:
        return archspec.parse(text, "mobilenet_v2.arch", member="MobileNetV2").check()
    except archspec.SpecError as error:
        return list(error.diagnostics)


def places(diagnostic: Diagnostic) -> set[tuple[int, str] | str]:
    """The cells, as row and column, that a diagnostic shows; `check` for a check of the network."""
    shown: set[tuple[int, str] | str] = set()
    for span in (diagnostic.primary, *(label.span for label in diagnostic.labels)):
        line = span.source.line(span.source.position(span.start)[0]).strip()
        if line.startswith("check "):
            shown.add("check")
        elif line.startswith("|"):
            shown.add(cell_of(span))
    return shown


def cell_of(span: Span) -> tuple[int, str]:
    """The row and column in which a span begins."""
    number, column = span.source.position(span.start)
    return number - FIRST, COLUMNS[span.source.line(number)[: column - 1].count("|") - 1]


@pytest.mark.parametrize(("row", "column", "text"), [*slips()])
def test_a_slip_is_reported_in_its_row_at_the_next_input_or_at_a_check(row: int, column: str, text: str) -> None:
    shown = set().union(*map(places, found_in(with_cell(row, column, text))))
    allowed = {(row, name) for name in COLUMNS} | {(row + 1, "Input"), "check"}
    assert shown & allowed


def test_the_table_as_printed_has_no_slip() -> None:
    assert found_in(SPEC) == []


def test_the_first_version_of_the_paper_is_told_to_exchange_two_strides() -> None:
    text = SPEC
    for right, printed in SWAPPED:
        assert right in text
        text = text.replace(right, printed)
    [diagnostic] = found_in(text)
    assert diagnostic.code == "shape-claim"
    assert cell_of(diagnostic.primary) in {(5, "s"), (6, "s")}
    assert {cell_of(edit.span): edit.text for edit in diagnostic.edits} == {(5, "s"): "2", (6, "s"): "1"}
    assert diagnostic.suggestions[0].text == "exchange `s` of rows 5 and 6: then every shape holds"
