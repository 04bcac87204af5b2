"""Tables of one network in other words: headers, operators, shapes, footers. What comes out is the same network."""

import re
from collections.abc import Callable

import pytest

import archspec
from archspec.diagnostics import SpecError
from archspec.pasting import pasted, tables_in
from archspec.pasting.vocabulary import groups_of, phrases, saying, vocabulary
from archspec.source import Source

BASE = [
    ["Input", "Operator", "t", "c", "n", "s"],
    ["224²×3", "conv2d", "-", "32", "1", "2"],
    ["112²×32", "bottleneck", "1", "16", "1", "1"],
    ["112²×16", "bottleneck", "6", "24", "2", "2"],
    ["56²×24", "bottleneck", "6", "32", "3", "2"],
    ["28²×32", "bottleneck", "6", "64", "4", "2"],
    ["14²×64", "bottleneck", "6", "96", "3", "1"],
    ["14²×96", "bottleneck", "6", "160", "3", "2"],
    ["7²×160", "bottleneck", "6", "320", "1", "1"],
    ["7²×320", "conv2d 1x1", "-", "1280", "1", "1"],
    ["7²×1280", "avgpool 7x7", "-", "-", "1", "-"],
    ["1×1×1280", "conv2d 1x1", "-", "k", "-", "-"],
]
OUTPUTS = ["112²×32", "112²×16", "56²×24", "28²×32", "14²×64", "14²×96", "7²×160", "7²×320", "7²×1280", "1×1×1280", "k"]
COUNTS = (3_504_872, 300_774_272)
Rows = list[list[str]]


def markdown(rows: Rows) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]) + "\n"


def each(change: Callable[[str], str], column: int | None = None) -> str:
    """The table with a change of all its cells, or of those of a column."""
    rows = [[change(c) if column in {None, j} else c for j, c in enumerate(row)] for row in BASE[1:]]
    return markdown([BASE[0], *rows])


def headed(*headers: str) -> str:
    return markdown([list(headers), *BASE[1:]])


def with_column(header: str, cells: list[str], place: int = 6) -> str:
    rows = zip(BASE, [header, *cells], strict=True)
    return markdown([[*row[:place], cell, *row[place:]] for row, cell in rows])


def cell(row: int, column: int, text: str) -> str:
    rows = [list(cells) for cells in BASE]
    rows[row][column] = text
    return markdown(rows)


def spelled(text: str) -> str:
    return re.sub(r"(\d+)²×(\d+)", r"\1 x \1 x \2", text)


def channels_first(text: str) -> str:
    return re.sub(r"(\d+)×(\d+)×(\d+)", r"\3×\1×\2", re.sub(r"(\d+)²×", r"\1×\1×", text))


def in_tuple(text: str) -> str:
    return f"({re.sub('[x×]', ', ', spelled(text))})"


def called(old: str, new: str) -> str:
    return each(lambda text: re.sub(f"^{old}", new, text), 1)


def with_footer(*cells: str) -> str:
    return markdown([*BASE, list(cells)])


PLAIN = markdown(BASE)
SAME = {
    "as printed": PLAIN,
    # headers
    "Op": headed("Input", "Op", "t", "c", "n", "s"),
    "Layer": headed("Input", "Layer", "t", "c", "n", "s"),
    "long": headed("Input size", "Layer type", "Expansion factor", "Output channels", "Repeat", "Stride"),
    "long and letters": headed("Input", "Operator", "expansion t", "channels c", "repeat n", "stride s"),
    "in parentheses": headed("Input", "Operator", "Expansion (t)", "#Channels (c)", "Repeats (n)", "Stride (s)"),
    "code": headed("input_shape", "module", "expand_ratio", "out_channels", "num_blocks", "stride"),
    "capitals": headed("INPUT", "OPERATOR", "T", "C", "N", "S"),
    "formulas": headed("Input", "Operator", "$t$", "$c_{out}$", "$n$", "$s$"),
    "out": headed("In", "Block", "exp", "out", "#layers", "strides"),
    "resolution": headed("Input Resolution", "Operation", "t", "#Channels", "#Layers", "Stride"),
    "numbered": with_column("#", [str(i) for i in range(1, 12)], 0),
    "numbered by name": with_column("No.", [str(i) for i in range(1, 12)], 0),
    "notes": with_column("Notes", ["some words, here"] * 11),
    "arithmetic in notes": with_column("Remarks", ["time/2"] * 11),
    "times": with_column("Comment", ["3 ms"] * 11),
    "outputs": with_column("Output", OUTPUTS),
    "outputs alone": markdown([[*row[1:], out] for row, out in zip(BASE, ["Output Size", *OUTPUTS], strict=True)]),
    "no sizes": markdown([row[1:] for row in BASE]),
    "kernels": with_column("Kernel size", ["3", "3", "3", "3", "3", "3", "3", "3", "1", "-", "1"]),
    "kernels twice": with_column("k", ["3×3"] * 8 + ["1×1", "7×7", "1×1"][:0] + ["1×1", "-", "1×1"]),
    "kernels with the pooling's": with_column("Kernel", ["3"] * 8 + ["1", "7", "1"]),
    "activations": with_column("Activation", ["ReLU6"] * 9 + ["-", "none"]),
    "groups": with_column("Groups", ["1"] * 11),
    "biases": with_column("Bias", ["no"] * 10 + ["yes"]),
    "residuals": with_column("Residual", list("✗✗✓✓✓✓✓✗✗✗✗")),
    "residuals or nothing": with_column("Residual", ["", "-", *"✓✓✓✓✓", "-", "-", "", ""]),
    "batch normalisation": with_column("BN", ["✓"] * 9 + ["✗"] * 2),
    "given": with_column("Input channels", ["3", "32", "16", "24", "32", "64", "96", "160", "320", "1280", "1280"]),
    # operators
    "Bottleneck": called("bottleneck", "Bottleneck"),
    "Inverted residual": called("bottleneck", "Inverted residual block"),
    "Conv2d": called("conv2d", "Conv2d"),
    "Conv": called("conv2d", "Conv"),
    "Convolution": called("conv2d", "Convolution"),
    "the size first": each(lambda text: text.replace("conv2d 1x1", "1×1 Conv"), 1),
    "the size with it": each(lambda text: text.replace("conv2d 1x1", "Conv1x1"), 1),
    "the size in parentheses": each(lambda text: text.replace("conv2d 1x1", "Conv2D (1, 1)"), 1),
    "the first size, too": cell(1, 1, "Conv 3×3"),
    "avgpool": cell(10, 1, "avgpool"),
    "Avg Pool": cell(10, 1, "Avg Pool 7×7"),
    "global": cell(10, 1, "Global average pooling"),
    "GAP": cell(10, 1, "GAP"),
    "FC": cell(11, 1, "FC").replace("| k |", "| 1000 |"),
    "Linear": cell(11, 1, "Linear"),
    "Fully connected": cell(11, 1, "Fully-connected layer"),
    "the last layer once": PLAIN.replace("| k | - | - |", "| k | 1 | 1 |"),
    "the last layer once, in other words": cell(11, 1, "1×1 Conv").replace("| k | - | - |", "| 1000 | 1 | 1 |"),
    "a linear layer once": cell(11, 1, "FC").replace("| k | - | - |", "| 1000 | 1 | - |"),
    # cells
    "bold": each(lambda text: f"**{text}**", 1),
    "code cells": each(lambda text: f"`{text}`", 0),
    "spelled": each(spelled, 0),
    "tuples": each(in_tuple, 0),
    "tuples of a program": each(lambda text: in_tuple(text).replace("(", "(None, "), 0),
    "lists": each(lambda text: in_tuple(text).replace("(", "[").replace(")", "]"), 0),
    "channels first": each(channels_first, 0),
    "tuples, channels first": each(lambda text: in_tuple(channels_first(text)), 0),
    "footnote": cell(7, 3, "160*"),
    "daggers": each(lambda text: f"{text}†" if text == "6" else text, 2),
    "break": each(lambda text: text.replace("conv2d 1x1", "conv2d<br>1x1"), 1),
    "classes": PLAIN.replace("| k |", "| num_classes |"),
    "italics": each(lambda text: f"${text}$", 2),
    "repeats with a sign": each(lambda text: f"×{text}" if text.isdigit() else text, 4),
    "one repeat with a sign": cell(3, 4, "x2"),
    "one repeat with a sign behind": cell(3, 4, "2×"),
    "classes in capitals": PLAIN.replace("| k |", "| C |"),
    "strides with a sign": each(lambda text: f"/{text}" if text.isdigit() else text, 5),
    # rows
    "total": with_footer("Total", "", "", "", "", ""),
    "total of params": with_footer("Params", "3.5M", "", "", "", ""),
    "total of both": with_footer("Total params", "3.50M", "", "", "", "") + "| FLOPs | 300.8M |  |  |  |  |\n",
    "doubled flops": with_footer("FLOPs", "0.6 G", "", "", "", ""),
    "without closing pipes": re.sub(r" \|$", "", PLAIN, flags=re.MULTILINE),
    "blank last cells": re.sub(r"\| - \|$", "|  |", PLAIN, flags=re.MULTILINE),
    "blank last cells without closing pipes": re.sub(r" (- )?\|$", " ", PLAIN, flags=re.MULTILINE),
    "short rows": PLAIN.replace("| k | - | - |", "| k |"),
    "quoted": re.sub("^", "> ", PLAIN.strip(), flags=re.MULTILINE),
    "indented": re.sub("^", "    ", PLAIN.strip(), flags=re.MULTILINE),
    "with a sentence below": PLAIN + "Table 2: MobileNetV2, where each line describes a sequence of layers.\n",
    "with a sentence above": "Table 2: MobileNetV2, where each line describes layers:\n" + PLAIN,
    "csv": "\n".join(",".join(row) for row in BASE),
    "html": "<table>"
    + "".join("<tr>" + "".join(f"<td>{c.replace('²', '<sup>2</sup>')}</td>" for c in row) + "</tr>" for row in BASE)
    + "</table>",
}


@pytest.mark.parametrize("name", SAME)
def test_a_table_in_other_words_is_the_same_network(name: str) -> None:
    made = pasted(tables_in(Source("table", SAME[name])))
    spec = archspec.parse(made.text)
    stats = spec.elaborate().stats()
    assert (stats.params, stats.macs) == COUNTS
    assert [d.code for d in spec.check_all()] == []
    assert made.text == archspec.format(made.text)


# ---- what is said ----


def test_what_was_read_as_what_is_said_plainly_and_the_table_stands_as_it_was_printed() -> None:
    text = called("bottleneck", "Inverted residual").replace("Operator", "Op").replace("160 |", "160* |")
    made = pasted(tables_in(Source("table", text))).text
    assert 'columns "Op": operator' in made
    assert 'read "Inverted residual" check c == width(c, alpha) = bottleneck(t, width(c, alpha, cut), s)' in made
    assert 'erratum "row 7, c" = "160" because' in made
    assert "| Inverted residual | 6 | 160* | 3 | 2 |" in made


def test_a_total_is_a_claim_about_the_whole() -> None:
    made = pasted(tables_in(Source("table", SAME["total of params"])))
    assert "check params = 3.5M" in made.text
    with pytest.raises(SpecError) as raised:
        pasted(tables_in(Source("table", with_footer("Params", "3.4M", "", "", "", ""))))
    assert [(d.code, d.primary.text) for d in raised.value.diagnostics] == [("number-claim", "3.4M")]


def test_operations_that_hold_in_another_way_are_told() -> None:
    made = pasted(tables_in(Source("table", SAME["doubled flops"])))
    assert any("counts two for each" in note for note in made.notes)
    assert "check macs" not in made.text


def test_what_a_short_row_and_a_line_below_are_read_as_is_told() -> None:
    assert "Line 13 is short" in " ".join(pasted(tables_in(Source("t", SAME["short rows"]))).notes)
    assert "Line 14, below" in " ".join(pasted(tables_in(Source("t", SAME["with a sentence below"]))).notes)


# ---- what is refused ----

LONG = "| 160 | 3 | 2 | 9 |"
REFUSED = {
    "a letter for a repeat": (cell(3, 4, "N"), "N"),
    "the name of the classes for a repeat": (cell(3, 4, "k"), "k"),
    "a word for a repeat": (cell(3, 4, "two"), "two"),
    "an l for a one": (cell(3, 4, "l"), "l"),
    "an expansion with a sign": (cell(3, 2, "x6"), "x6"),
    "an l in a number": (cell(6, 3, "l60"), "l60"),
    "a letter for channels": (markdown([row[1:] for row in BASE]).replace("96", "d"), "d"),
    "the classes' name for channels": (markdown([row[1:] for row in BASE]).replace("96", "k"), "k"),
    "a parameter's name for a repeat": (cell(3, 4, "alpha"), "alpha"),
    "a word for the classes": (PLAIN.replace("| k |", "| many |"), "many"),
    "a kernel that the network has not": (cell(1, 1, "conv2d 5x5"), "conv2d 5x5"),
    "a column of kernels": (with_column("kernel", ["3", "3", "5"] + ["3"] * 5 + ["1", "-", "1"]), "5"),
    "channels that no row is given": (
        with_column("Cin", ["3", "32", "16", "24", "32", "64", "96", "168", "320", "1280", "1280"]), "168",
    ),
    "numbers that nothing reads": (with_column("groups", ["1", "1", "2"] + ["1"] * 8), "2"),
    "an activation of a pooling": (with_column("Activation", ["ReLU6"] * 11), "ReLU6"),
    "another activation": (with_column("Activation", ["ReLU6", "swish"] + ["ReLU6"] * 7 + ["-"] * 2), "swish"),
    "a header and a cell": (with_column("Pool", ["-", "max"] + ["-"] * 9), "max"),
    "yes and no": (with_column("BN", ["yes"] * 10 + ["no"]), "yes"),
    "ticks": (with_column("Residual", ["✓"] * 11), "✓"),
    "squeeze and excitation": (with_column("SE", ["-", "✓"] + ["-"] * 9), "✓"),
    "a blank where others are ticked": (with_column("Residual", ["-", "-", "—", *"✓✓✓✓", "-", "-", "-", "-"]), "—"),
    "ticks of no part": (with_column("Trained", ["✓"] * 11), "Trained"),
    "a kernel of the pooling": (with_column("Kernel", ["3"] * 8 + ["1", "5", "1"]), "5"),
    "another block": (called("bottleneck", "MBConv"), "MBConv"),
    "a block with a mark": (cell(3, 1, "bottleneck*"), "bottleneck*"),
    "some pooling": (cell(10, 1, "Pooling"), "Pooling"),
    "max pooling": (cell(10, 1, "Max pool 7×7"), "Max pool 7×7"),
    "a window of another size": (cell(10, 1, "Avg Pool 5×5"), "5"),
    "a wrong output": (with_column("Output size", ["112²×32", "56²×16", *OUTPUTS[2:]]), "56²×16"),
    "a row of one cell": ("\n".join(["\t".join(row) for row in BASE] + ["softmax"]), "softmax"),
    "the last layer twice": (PLAIN.replace("| k | - | - |", "| k | 2 | 1 |"), "2"),
    "a long row": (PLAIN.replace("| 160 | 3 | 2 |", LONG), f"| 14²×96 | bottleneck | 6 {LONG}"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_so_is_refused_at_its_cell(name: str) -> None:
    text, place = REFUSED[name]
    source = Source("table", text)
    with pytest.raises(SpecError) as raised:
        pasted(tables_in(source))
    labels = [label.span for d in raised.value.diagnostics for label in d.labels]
    assert place in {span.text for span in labels if span.source == source}


@pytest.mark.parametrize(("yes", "no"), [("yes", "no"), ("True", "False"), ("✅", "❌"), ("✓", "✗")])
def test_a_column_of_yes_and_no_is_read_in_any_spelling(yes: str, no: str) -> None:
    found = pasted(tables_in(Source("table", squeezed(yes, no))))
    assert (found.reading, archspec.parse(found.text).elaborate().stats().params) == ("mobilenet_v3", 5_483_032)


@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("Y", "N"), ("SE", "-"), ("x", "")])
def test_a_column_of_yes_and_no_in_another_spelling_is_refused_at_its_cells(yes: str, no: str) -> None:
    source = Source("table", squeezed(yes, no))
    with pytest.raises(SpecError, match="a condition is needed") as raised:
        pasted(tables_in(source))
    assert {d.primary.text for d in raised.value.diagnostics if d.code == "bad-arithmetic"} <= {yes, no}
    assert "`✓`" in str(raised.value.diagnostics[0].help)


def squeezed(yes: str, no: str) -> str:
    """Table 1 of MobileNetV3 with other signs in its column of squeeze-and-excitation."""
    (table, *_) = re.findall(r"(?:^    \|.*\|\n)+", archspec.load("mobilenet_v3").source.text, re.MULTILINE)
    rows = [[cell.strip() for cell in line.strip(" |").split("|")] for line in table.splitlines()]
    signs = {"✓": yes, "-": no}
    return markdown([rows[0], *([*row[:4], signs[row[4]], *row[5:]] for row in rows[2:])])


@pytest.mark.parametrize("word", ['stride " } network Evil { " s', "stride ' } network Evil { \" s", 'n" = "1'])
def test_headers_are_data(word: str) -> None:
    rows = [[*BASE[0][:5], word], *([*row[:5], f"{row[5]}*"] for row in BASE[1:])]
    try:
        made = pasted(tables_in(Source("table", markdown(rows))))
    except SpecError:
        return
    assert archspec.parse(made.text).members == ("Pasted",)


# ---- the vocabulary ----


def test_no_phrase_means_two_operators() -> None:
    texts = [text for names in vocabulary()["operators"].values() for text in names]
    assert len(texts) == len(set(texts))
    assert set(phrases().values()) == set(vocabulary()["operators"])


@pytest.mark.parametrize(
    ("header", "group"),
    [
        ("#Channels", "c"), ("c_out", "c"), ("Output channels", "c"), ("Stride (s)", "s"), ("Params (M)", "params"),
        ("Input Shape", "input"), ("No. of layers", "n"), ("exp size", "e"), ("KSize", "kernel"), ("#", "note"),
    ],
)  # fmt: skip
def test_a_header_belongs_to_a_group(header: str, group: str) -> None:
    assert group in groups_of(header)
    assert groups_of("flavour") == {}


@pytest.mark.parametrize(
    "text", ["Conv2d 3×3", "conv3x3", "3x3 conv", "Convolution, 3 x 3", "Conv (3, 3)", "conv k3x3"]
)
def test_a_convolution_says_the_same_in_any_words(text: str) -> None:
    said = saying("operator_cell", text)
    assert [word.text for word in said.words] == ["conv"]
    assert [side.text for side in said.size] == ["3", "3"]
