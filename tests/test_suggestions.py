"""A slip in a stride or a number of channels is found, and the right repair is offered: among the first two.

The three tables are those of MobileNetV2, ResNet (five columns) and GoogLeNet (whose claims are outputs, params and
ops). Suggestions are tried out, so that what is offered makes the claims hold.
"""

from pathlib import Path

import pytest
from corruptions import KINDS, Kind, Slip, applied, slips, text_of

import archspec
from archspec.diagnostics import Diagnostic, Severity

ENOUGH = 0.9
"""Of the slips, so many have the right repair among their first two suggestions."""
QUICK = {"mobilenet_v2": 20, "resnet": 210, "googlenet": 170}
"""Every so manieth slip is tried by the quick test."""


def check(kind: Kind, some: list[Slip]) -> None:
    violated = {slip: errors(slip.found()) for slip in some}
    violated = {slip: found for slip, found in violated.items() if found}
    assert len(violated) == len(some), [str(slip) for slip in some if slip not in violated]
    lost = [str(slip) for slip, found in violated.items() if not slip.located(found)]
    assert len(lost) <= 0.01 * len(violated), lost
    repaired = [slip for slip, found in violated.items() if slip.repaired(found)]
    assert len(repaired) >= ENOUGH * len(violated), [str(slip) for slip in violated if slip not in repaired]


def errors(found: list[Diagnostic]) -> list[Diagnostic]:
    return [diagnostic for diagnostic in found if diagnostic.severity is Severity.ERROR]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.spec)
def test_a_slip_is_located_and_its_repair_offered(kind: Kind) -> None:
    check(kind, list(slips(kind))[:: QUICK[kind.spec]])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.spec)
def test_many_slips_are_located_and_their_repairs_offered(kind: Kind) -> None:
    check(kind, list(slips(kind))[1::8])


@pytest.mark.huge
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.spec)
def test_every_slip_is_located_and_its_repair_offered(kind: Kind) -> None:
    check(kind, list(slips(kind)))


def found_in(text: str) -> list[Diagnostic]:
    try:
        return archspec.parse(text, "slip.arch").check_all()
    except archspec.SpecError as error:
        return list(error.diagnostics)


def changed(spec: str, *changes: tuple[str, str]) -> str:
    text = text_of(spec)
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def test_two_slips_are_mended_by_two_suggestions() -> None:
    text = changed("mobilenet_v2", ("| 24   | 2 | 2", "| 42   | 2 | 2"), ("| 160  | 3 | 2", "| 160  | 3 | 1"))
    found = found_in(text)
    assert [d.code for d in found] == ["shape-claim", "shape-claim"]
    for diagnostic in reversed(found):
        text = applied(text, diagnostic.edits)
    assert text == text_of("mobilenet_v2")


def test_rows_exchanged_are_told_to_be_exchanged() -> None:
    lines = text_of("mobilenet_v2").split("\n")
    first = next(i for i, line in enumerate(lines) if "28²×32" in line)
    one, two = lines[first], lines[first + 1]
    start = one.index("bottleneck")
    lines[first], lines[first + 1] = one[:start] + two[start:], two[:start] + one[start:]
    [diagnostic] = found_in("\n".join(lines))
    assert applied("\n".join(lines), diagnostic.edits).split("\n")[first].split() == one.split()
    assert "rows 5 and 6" in diagnostic.suggestions[0].text


def test_a_slip_of_another_column_is_mended_there() -> None:
    text = changed("resnet", ("[1×1, 256; 3×3, 256; 1×1, 1024] × 36", "[1×1, 256; 3×3, 256; 1×1, 1042] × 36"))
    [diagnostic] = found_in(text)
    assert applied(text, diagnostic.edits) == text_of("resnet")


def test_every_suggestion_makes_its_claims_hold() -> None:
    golden = Path(__file__).parent / "golden" / "errors" / "shape-claim" / "output_column.arch"
    text = golden.read_text(encoding="utf-8")
    [diagnostic] = found_in(text)
    assert len(diagnostic.suggestions) == 2
    for suggestion in diagnostic.suggestions:
        assert found_in(applied(text, suggestion.edits)) == []


def test_what_nothing_explains_has_no_suggestion() -> None:
    text = changed("mobilenet_v2", ("params = 3_504_872", "params = 3_504_871"))
    assert [d.suggestions for d in found_in(text) if d.code == "number-claim"] == [()]


def test_a_number_that_many_others_would_explain_has_no_suggestion() -> None:
    text = Path(__file__).parent / "golden" / "errors" / "number-claim" / "params_cell.arch"
    assert [d.suggestions for d in found_in(text.read_text(encoding="utf-8"))] == [()]


def test_suggestions_are_left_out_where_time_is_short() -> None:
    spec = archspec.parse(changed("mobilenet_v2", ("| 24   | 2 | 2", "| 42   | 2 | 2")), member="MobileNetV2")
    spec.make.advise = False
    assert [d.suggestions for d in spec.check_itself()] == [()] * len(spec.check_itself())


ALEXNET = """arch 1
network N {
  table {
    | Input     | Operator | c   | k  | s |
    |-----------|----------|-----|----|---|
    | 224×224×3 | conv     | 96  | 11 | 4 |
    | 55×55×96  | pool     | -   | 3  | 2 |
    | 27×27×96  | conv     | 256 | 5  | 1 |
  }
  read "conv" = conv(k, c, s, pad = valid) -> relu
       "pool" = maxpool(k, s, pad = valid)
}
"""


def test_another_size_of_the_image_is_offered() -> None:
    """AlexNet's image is printed as 224×224, and its sizes are those of 227×227."""
    (found,) = found_in(ALEXNET)
    assert found.suggestions[0].text == "227×227×3 here instead of 224×224×3 makes every shape hold"
    assert found_in(applied(ALEXNET, found.edits)) == []


def test_a_mark_that_repeats_a_dash_is_written_out_and_no_row_is_moved() -> None:
    text = """arch 1 network N { input 8 x 8 x 3 table {
    | Operator | c | s |
    |----------|---|---|
    | conv     | 8 | 1 |
    | pool     | - | - |
    | conv     | " | 1 |
    } read "conv" = conv(3, c, s) "pool" = maxpool(2, 2) }"""
    (found,) = found_in(text)
    assert found.site.text == '"'
    assert [suggestion.text for suggestion in found.suggestions] == ['8 here instead of " makes it hold']
    assert found_in(applied(text, found.edits)) == []
    (found,) = found_in(text.replace('| conv     | " ', "| conv     | ditto "))
    assert [edit.span.text for edit in found.edits] == ["ditto"]


def test_a_claim_is_shown_as_it_is_printed() -> None:
    found = found_in(ALEXNET.replace("55×55×96 ", "3025×96  "))
    assert found[0].message == "row 1 gives 54×54×96, and row 2 says that its input is 3025×96"
