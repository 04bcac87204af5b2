"""What an operator says of inputs that do not suit it: who made them, the arithmetic, and advice that was tried."""

from pathlib import Path

import pytest

import archspec
from archspec import report
from archspec.diagnostics import Diagnostic, Edit
from archspec.ops import Add, AvgPool, Concat, Conv, DwConv, GroupNorm, MaxPool, Misfit, Mul, Op, Shuffle, Slice, Split
from archspec.tensor import Shape

GOLDEN = Path(__file__).parent.parent / "golden" / "errors" / "shape-mismatch"


MAP = (7, 7, 4)


@pytest.mark.parametrize(
    ("op", "side", "places"),
    [
        (Conv(kernel=9, channels=8, stride=2, pad="valid"), "height", "(map 7 + padding 2·0 − window 9) / stride 2"),
        (Conv(kernel=(1, 9), channels=8, pad=(0, 0, 0, 1)), "width", "(map 7 + padding 0 + 1 − window 9) / stride 1"),
        (MaxPool(kernel=3, dilation=4, pad=0), "height", "(map 7 + padding 2·0 − window (4·2 + 1)) / stride 3"),
        (AvgPool(kernel=(3, 8), pad="valid"), "width", "(map 7 + padding 2·0 − window 8) / stride 8"),
        (DwConv(kernel=2), "height", "(map 1 + padding 2·0 − window 2) / stride 1"),
    ],
)  # fmt: skip
def test_a_window_that_does_not_fit_says_how_many_places_it_would_have(op: Op, side: str, places: str) -> None:
    with pytest.raises(Misfit) as misfit:
        op.infer((1, 1, 4) if op.kind == "dwconv" else MAP)
    assert misfit.value.arithmetic == f"{side}: {places} + 1 < 1"


@pytest.mark.parametrize(
    ("op", "inputs", "arithmetic"),
    [
        (MaxPool(kernel=2, pad=(0, 2)), [(7, 7, 4)], "width: padding 2 < window 2 does not hold"),
        (Conv(kernel=1, channels=15, groups=3), [(7, 7, 16)], "16 = 3·5 + 1"),
        (Conv(kernel=1, channels=16, groups=3), [(7, 7, 15)], "16 = 3·5 + 1"),
        (GroupNorm(groups=32), [(7, 7, 80)], "80 = 32·2 + 16"),
        (Shuffle(groups=3), [(7, 7, 4)], "4 = 3·1 + 1"),
        (Split(parts=8), [(7, 7, 4)], "4 = 8·0 + 4"),
        (Slice(start=2, stop=5), [(7, 7, 4)], "2 < 5 ≤ 4 does not hold"),
        (Add(), [(14, 14, 96), (14, 14, 64)], "channels 96 ≠ 64"),
        (Add(), [(14, 14, 96), (1, 1, 96)], "height 14 ≠ 1, width 14 ≠ 1"),
        (Add(), [(10,), (20,)], "length 10 ≠ 20"),
        (Add(), [(1, 1, 10), (10,)], "one is a map, the other a vector"),
        (Mul(), [(14, 14, 96), (1, 1, 24)], "channels 96 ≠ 24"),
        (Concat(), [(14, 14, 96), (7, 14, 24)], "height 14 ≠ 7"),
    ],
)  # fmt: skip
def test_a_misfit_says_the_sum_that_does_not_come_out(op: Op, inputs: list[Shape], arithmetic: str) -> None:
    with pytest.raises(Misfit) as misfit:
        op.infer(*inputs)
    assert misfit.value.arithmetic == arithmetic


def test_a_misfit_of_many_branches_names_the_two_that_do_not_suit_each_other() -> None:
    with pytest.raises(Misfit) as of_sum:
        Add().infer((4, 4, 8), (4, 4, 8), (4, 4, 16))
    assert of_sum.value.about == (0, 2)
    with pytest.raises(Misfit) as of_product:
        Mul().infer((1, 1, 8), (4, 4, 1), (2, 2, 8))
    assert (str(of_product.value), of_product.value.about) == ("cannot multiply 4×4×1 and 2×2×8", (1, 2))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.arch")), ids=lambda path: path.stem)
def test_with_what_is_advised_the_mistake_is_gone_and_no_other_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    before = archspec.parse(text, name=path.name).check_all()
    for diagnostic in before:
        for suggestion in diagnostic.suggestions:
            after = archspec.parse(edited(text, suggestion.edits), name=path.name).check_all()
            assert len(after) == len(before) - 1


def edited(text: str, edits: tuple[Edit, ...]) -> str:
    for edit in sorted(edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def only(text: str) -> Diagnostic:
    (found,) = archspec.parse(text).check()
    return found


def test_a_change_of_a_block_is_not_advised_where_another_network_needs_it_as_it_is() -> None:
    block = "block grouped = conv(1, 48, groups = 3) -> relu\n"
    one = "network One { input 8 x 8 x 16 body grouped }\n"
    found = only(f"arch 1\n{block}{one}")
    assert [suggestion.text.split(" fits")[0] for suggestion in found.suggestions] == [
        "`groups` 2 instead of 3", "`groups` 4 instead of 3",
    ]  # fmt: skip
    other = "network Other { input 8 x 8 x 9 body grouped }\n"
    assert archspec.parse(f"arch 1\n{block}{one}{other}").member("One").check()[0].suggestions == ()


def test_a_change_that_breaks_a_claim_is_not_advised() -> None:
    body = "body conv(1, 16, groups = 3, bias = true)"
    assert only(f"arch 1\nnetwork N {{ input 8 x 8 x 16 {body} }}\n").suggestions
    assert not only(f"arch 1\nnetwork N {{ input 8 x 8 x 16 {body} check params = 999 }}\n").suggestions


def test_who_made_the_shape_is_the_last_step_that_made_another_one() -> None:
    found = only("arch 1\nnetwork N { input 8 x 8 x 4 body conv(3, 6) -> bn -> relu -> shuffle(4) }\n")
    assert [(label.span.text, label.text) for label in found.labels] == [
        ("shuffle(4)", "6 = 4·1 + 2"), ("conv(3, 6)", "makes 8×8×6"),
    ]  # fmt: skip


def test_a_block_that_keeps_the_shape_of_one_input_is_not_said_to_make_another() -> None:
    """Its plan is kept for the second place, and who made the input is another one there."""
    block = "block keeps = bn -> relu\n"
    body = "body keeps -> conv(3, 4) -> keeps -> conv(1, 6) -> conv(1, 4) -> keeps -> shuffle(3)"
    found = only(f"arch 1\n{block}network N {{ input 8 x 8 x 4 {body} }}\n")
    assert [label.span.text for label in found.labels] == ["shuffle(3)", "conv(1, 4)"]


def test_the_row_that_asked_and_the_row_that_made_the_shape_are_in_json() -> None:
    text = (GOLDEN / "groups_of_a_row.arch").read_text(encoding="utf-8")
    (found,) = archspec.parse(text).check()
    told = report.json_of(found)
    assert {(label["line"], label["text"]) for label in told["labels"]} == {
        (3, "64 = 6·10 + 4"), (3, "makes 28×28×64"), (9, "asked for here"),
    }  # fmt: skip
    assert [suggestion["edits"][0]["text"] for suggestion in told["suggestions"]] == ["4", "8"]


def test_a_parameter_that_makes_a_channel_count_0_is_named_with_the_layer() -> None:
    with pytest.raises(archspec.SpecError) as wrong:
        archspec.load("alexnet").elaborate(k=0)
    (found,) = wrong.value.diagnostics
    said = report.text_of(found)
    assert "`channels` of `linear` cannot be 0" in said
    assert "= in AlexNet(k = 0) → row 12" in said
    assert found.site.text == "k=0"
