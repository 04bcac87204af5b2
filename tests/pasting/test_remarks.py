"""Cells that no rule reads: what they name is compared with the network of their row, and never dropped."""

import re

import pytest
from pasting.printed import V2, markdown, table_of

import archspec
from archspec.diagnostics import SpecError
from archspec.pasting import pasted, tables_in
from archspec.source import Source


def v1() -> str:
    """Table 1 of MobileNet without its misprint."""
    return re.sub(r"s2(     \| 3×3×1024)", r"s1\1", table_of("mobilenet_v1"))


def v2(header: str, text: str) -> str:
    """A small MobileNetV2 with one more column."""
    rows = [[*row, cell] for row, cell in zip(V2, [header, *[text] * (len(V2) - 1)], strict=True)]
    return markdown(rows)


def refused(text: str, reading: str) -> list[tuple[str, str]]:
    """The codes of what is wrong, and the cells that they are about."""
    with pytest.raises(SpecError) as raised:
        pasted(tables_in(Source("table", text)), reading)
    return [(diagnostic.code, diagnostic.primary.text) for diagnostic in raised.value.diagnostics]


def test_a_table_whose_types_are_so_is_its_network() -> None:
    made = pasted(tables_in(Source("table", v1())), "mobilenet_v1")
    assert archspec.parse(made.text).elaborate().stats().params == 4_231_976


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Conv dw  | s1     | 3×3×512", "5× Conv dw | s1 | 3×3×512"),
        ("Conv dw  | s1     | 3×3×512", "Conv dw (×5) | s1 | 3×3×512"),
        ("Conv dw  | s1     | 3×3×512", "Conv dw, five times | s1 | 3×3×512"),
        ("Conv     | s1     | 1×1×512×512", "Conv ×5 | s1 | 1×1×512×512"),
        ("Avg Pool", "Max Pool"),
        ("Conv dw ", "Conv dw + SE"),
        ("Conv dw ", "Conv dw, 5x5"),
        ("Conv dw ", "Conv dw / s2"),
        ("Conv dw ", "Conv dw (ReLU6)"),
        ("Conv dw ", "Conv, groups = 2"),
        ("Conv   ", "Conv, no BN"),
        ("Conv   ", "Conv + bias"),
        ("| FC ", "| Conv "),
        ("| Conv   ", "| FC   "),
    ],
)
def test_a_type_that_is_not_so_is_refused_at_its_cell(old: str, new: str) -> None:
    cell = new.split("|")[1 if new.startswith("|") else 0].strip()
    assert refused(v1().replace(old, new, 1), "mobilenet_v1")[0] == ("not-as-printed", cell)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("Notes", "5x5 kernels"), ("Notes", "swish"), ("Details", "with SE"), ("Details", "hard-swish"),
        ("Module", "depthwise 5×5"), ("Block", "SE"), ("Remarks", "k = 24"), ("Remarks", "twice"),
        ("Comment", "no bn"), ("Comment", "without residual"), ("Description", "attention"), ("Description", "k5"),
    ],
)  # fmt: skip
def test_a_note_that_is_not_so_is_refused(header: str, text: str) -> None:
    assert ("not-as-printed", text) in refused(v2(header, text), "mobilenet_v2")


@pytest.mark.parametrize(
    ("header", "text"), [("Group", "4"), ("Growth", "24"), ("Growth", "k = 24"), ("Flavour", "2x")]
)
def test_numbers_that_nothing_reads_are_refused(header: str, text: str) -> None:
    assert refused(v2(header, text), "mobilenet_v2") == [("no-reading", header)]


@pytest.mark.parametrize("text", ["no attention", "3 ms", "see section 3", "conv1", "fast", "w/o SE"])
def test_a_note_that_is_so_is_left_alone(text: str) -> None:
    assert pasted(tables_in(Source("table", v2("Notes", text))), "mobilenet_v2").reading == "mobilenet_v2"


def test_a_growth_rate_beside_the_blocks_is_not_dropped() -> None:
    text = table_of("densenet").replace("Dense Block (1)", "Dense Block (1), k = 24")
    assert refused(text, "densenet") == [("not-as-printed", "Dense Block (1), k = 24")]


@pytest.mark.parametrize("word", ["FC", "Linear"])
def test_a_linear_layer_in_other_words_keeps_the_conditions_of_its_rule(word: str) -> None:
    """Both of the last layers of MobileNetV3 are linear; one has an activation, the other a dropout."""
    table = table_of("mobilenet_v3")
    said = [pasted(tables_in(Source("t", text))).text for text in (table, table.replace("conv2d 1x1, NBN", word))]
    kinds = [[node.op for node in archspec.parse(text).elaborate().nodes] for text in said]
    assert kinds[0] == kinds[1]


def test_an_activation_that_no_rule_reads_is_compared() -> None:
    table = table_of("mobilenet_v3").replace("| -  | -  | 1 |\n", "| -  | RE | 1 |\n", 1)
    assert ("not-as-printed", "RE") in refused(table, "mobilenet_v3")


def test_a_linear_layer_without_its_units_is_refused() -> None:
    cells = ["A", "---", "conv3-64", "maxpool", "conv3-128", "maxpool", "FC", "FC", "FC"]
    assert refused("\n".join(f"| {cell} |" for cell in cells), "vgg") == [("no-reading", "FC")]


# ---- what is said of a table that is refused ----


def said(text: str) -> str:
    """The message about a table, of whatever reading."""
    with pytest.raises(SpecError) as raised:
        pasted(tables_in(Source("table", text)))
    return raised.value.diagnostics[0].message


@pytest.mark.parametrize("place", range(2, 6))
def test_a_column_that_is_missing_is_named(place: int) -> None:
    text = markdown([[*row[:place], *row[place + 1 :]] for row in V2])
    assert f"`mobilenet_v2` comes nearest: it needs a column `{V2[0][place]}`" in said(text)


def typed_with_stride() -> str:
    """Table 1 of MobileNet as the paper prints it: one column `Type / Stride`."""
    text = re.sub(r"\| (\S.*?) +\| (s\d) +\|", r"| \1 / \2 |", v1()).replace("Type     | Stride", "Type / Stride")
    return re.sub(r"\|-+\|-+\|", "|---|", text, count=1)


def test_a_column_that_two_headers_share_is_read_as_both() -> None:
    made = pasted(tables_in(Source("table", typed_with_stride())))
    assert archspec.parse(made.text).elaborate().stats().params == 4_231_976
    assert '"Type / Stride": "Conv / s{s}" or "Conv dw / s{s}"' in made.text


def test_a_type_beside_its_stride_is_compared() -> None:
    text = typed_with_stride().replace("Conv dw / s1", "Conv / s1", 1).replace("| Avg Pool /", "| Max Pool /")
    assert refused(text, "mobilenet_v1") == [("not-as-printed", "Max Pool / s1")]


def test_a_count_of_rows_that_belong_together_is_answered_with_what_to_write() -> None:
    with pytest.raises(SpecError) as raised:
        pasted(tables_in(Source("table", v1().replace("Conv dw  | s1     | 3×3×512", "5× Conv dw | s1 | 3×3×512"))))
    assert "rows of its own" in str(raised.value.diagnostics[0].help)


def test_no_reading_is_named_where_none_comes_near() -> None:
    assert "none comes near" in said("| A | B |\n|---|---|\n| hello there | 3 |\n| world | 4 |\n")


def test_the_rule_that_is_advised_is_of_a_cell_that_says_something() -> None:
    with pytest.raises(SpecError) as raised:
        pasted(tables_in(Source("table", "| Stage | Layer |\n|---|---|\n| One | - |\n| Two | Stem Block |\n")))
    assert '`read "Stem Block" = …`' in (raised.value.diagnostics[0].help or "")


@pytest.mark.parametrize("letters", ["re", "R6", "ReLU6"])
def test_letters_of_no_activation_are_answered_with_those_that_are_known(letters: str) -> None:
    text = table_of("mobilenet_v3").replace("| RE", f"| {letters}")
    assert f"`{letters}` stands where `HS` and `RE` are expected" in said(text)


def test_the_channels_of_another_shufflenet_are_refused() -> None:
    """Table 1 of ShuffleNet (arXiv:1707.01083) prints 240, 480 and 960 channels for three groups."""
    text = table_of("shufflenet_v2")
    others = {"116 ": "240 ", "232 ": "480 ", "464 ": "960 "}
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.strip().splitlines()]
    one = "\n".join("| " + " | ".join([*row[:5], row[6]]) + " |" for row in rows)
    assert pasted(tables_in(Source("table", one))).reading == "shufflenet_v2"
    for old, new in others.items():
        one = one.replace(old, new)
    assert "`shufflenet_v2` comes nearest" in said(one)
