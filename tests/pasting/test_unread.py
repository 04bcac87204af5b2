"""What is printed in or beside a table and no rule reads: it is compared, refused, or said and kept; never lost."""

import contextlib
import re

import pytest
from pasting.printed import V2, markdown, table_of

import archspec
from archspec import library
from archspec.diagnostics import SpecError
from archspec.elaborate.evaluate import Value
from archspec.pasting import FOLDER, pasted, tables_in
from archspec.source import Source


def refused(text: str, reading: str) -> list[tuple[str, str]]:
    """The codes of what is wrong, and the cells that they are about."""
    with pytest.raises(SpecError) as raised:
        pasted(tables_in(Source("table", text)), reading)
    return [(diagnostic.code, diagnostic.primary.text) for diagnostic in raised.value.diagnostics]


# ---- what is not read is compared, refused, or said ----


def remarked(text: str, row: int = 3) -> str:
    """A small MobileNetV2 with a remark beside one bottleneck."""
    rows = [[*cells, ""] for cells in V2]
    rows[0][-1], rows[row][-1] = "Remarks", text
    return markdown(rows)


@pytest.mark.parametrize(
    "text",
    [
        "without expansion", "no expansion", "without identity", "no act", "act=none", "transposed",
        "full conv instead of dw", "repeat thrice", "shared weights", "no padding", "valid", "blurpool", "weight norm",
        "SN", "DropConnect", "pre-activation", "leaky", "involution", "ghost", "removed", "kernel size 5",
        "GhostModule", "InstanceNorm2d", "CondConv2d", "residual omitted",
    ],
)  # fmt: skip
def test_a_remark_that_changes_the_network_is_refused(text: str) -> None:
    assert ("not-as-printed", text) in refused(remarked(text), "mobilenet_v2")


@pytest.mark.parametrize("text", ["act = relu6", "with shortcut", "kernel size 3", "repeat twice", "chosen by hand"])
def test_a_remark_that_is_so_is_said_and_kept(text: str) -> None:
    made = pasted(tables_in(Source("table", remarked(text))), "mobilenet_v2")
    assert f'The column "Remarks" is not read: {text}' in made.notes
    assert f'# The column "Remarks" is not read: {text}' in made.text


@pytest.mark.parametrize("between", ["", "\n", "\nSome words of the paper.\n\n"])
@pytest.mark.parametrize(("cell", "mark"), [("24*", "*"), ("24†", "†")])
def test_a_footnote_is_compared_with_the_rows_of_its_mark(cell: str, mark: str, between: str) -> None:
    table = markdown(V2).replace("| 24 |", f"| {cell} |") + "\n" + between
    wrong = refused(f"{table}{mark} without residual connection, kernel 5x5\n", "mobilenet_v2")
    assert len(wrong) == 2
    assert all(code == "not-as-printed" and text.endswith("kernel 5x5") for code, text in wrong)
    made = pasted(tables_in(Source("table", f"{table}{mark} chosen by hand\n")), "mobilenet_v2")
    assert any("chosen by hand" in note for note in made.notes)
    assert "chosen by hand" in made.text


@pytest.mark.parametrize("before", ["\\item[*] ", "<p>* ", "<p><sup>*</sup> ", "> * ", "\\* ", "$^*$ ", "*: "])
def test_a_footnote_begins_with_its_mark_in_any_form(before: str) -> None:
    table = markdown(V2).replace("| 24 |", "| 24* |")
    assert refused(f"{table}\n\n{before}without residual\n", "mobilenet_v2")[0][0] == "not-as-printed"


def page(caption: str, table: list[list[str]] = V2) -> str:
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in table)
    return f"<table><caption>{caption}</caption>{rows}</table>".replace("²", "<sup>2</sup>")


WRONG = "Every bottleneck uses h-swish and SE."


@pytest.mark.parametrize(
    "text",
    [
        page(WRONG),
        f"{markdown(V2)}\n{WRONG}\n", f"{WRONG}\n{markdown(V2)}\n", f"{markdown(V2)}\n\nTable 2: {WRONG}\n",
        page("All networks are without BN."), page("All layers have 5×5 kernels."), page("The growth rate is k = 24."),
    ],
)  # fmt: skip
def test_a_caption_that_names_what_the_network_does_not_have_is_refused(text: str) -> None:
    assert {code for code, _ in refused(text, "mobilenet_v2")} == {"not-as-printed"}


CAPTIONS = {
    "mobilenet_v2": (
        "MobileNetV2: Each line describes a sequence of 1 or more identical (modulo stride) layers, repeated "
        "n times. All layers in the same sequence have the same number c of output channels. The first layer "
        "of each sequence has a stride s and all others use stride 1. All spatial convolutions use 3 × 3 "
        "kernels. The expansion factor t is always applied to the input size as described in Table 1."
    ),
    "mobilenet_v3": (
        "Specification for MobileNetV3-Large. SE denotes whether there is a Squeeze-And-Excite in that block."
        " NL denotes the type of nonlinearity used. Here, HS denotes h-swish and RE denotes ReLU. NBN denotes"
        " no batch normalization. s denotes stride."
    ),
    "resnet": (
        "Architectures for ImageNet. Building blocks are shown in brackets (see also Fig. 5), with the "
        "numbers of blocks stacked. Downsampling is performed by conv3_1, conv4_1, and conv5_1 with a stride "
        "of 2."
    ),
    "vgg": (
        "ConvNet configurations (shown in columns). The depth of the configurations increases from the left "
        "(A) to the right (E), as more layers are added (the added layers are shown in bold). The "
        "convolutional layer parameters are denoted as “conv⟨receptive field size⟩-⟨number of channels⟩”. The"
        " ReLU activation function is not shown for brevity."
    ),
    "densenet": (
        "DenseNet architectures for ImageNet. The growth rate for all the networks is k = 32. Note that each "
        "“conv” layer shown in the table corresponds the sequence BN-ReLU-Conv."
    ),
    "efficientnet": (
        "EfficientNet-B0 baseline network – Each row describes a stage i with L̂i layers, with input "
        "resolution ⟨Ĥi, Ŵi⟩ and output channels Ĉi. Notations are adopted from equation 1."
    ),
    "shufflenet_v2": ("Overall architecture of ShuffleNet v2, for four different levels of complexities."),
}
"""The captions of the papers' tables."""


@pytest.mark.parametrize("name", CAPTIONS)
def test_the_captions_of_the_papers_are_said_and_kept(name: str) -> None:
    made = pasted(tables_in(Source("table", page(CAPTIONS[name], cells_of(name)))), name)
    assert "The caption is not read; it is the title." in made.notes
    assert f'title "{CAPTIONS[name][:30]}' in made.text


def cells_of(name: str) -> list[list[str]]:
    """The cells of the bare table of a spec, without its misprints."""
    lines = [line for line in table_of(name).splitlines() if not re.fullmatch("[ |:-]+", line)]
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    for row in rows:
        if row[0] == "maxpool8":
            row[1] = "13x13x512"
        if row[2:3] == ["3×3×1024 dw"]:
            row[1] = "s1"
        if row[0] == "input image":
            row[1] = "227x227x3"
    # the params and operations of GoogLeNet's table do not follow from the others
    return [row[:-2] for row in rows] if name == "googlenet" else rows


def test_every_column_that_is_not_read_is_named() -> None:
    rows = cells_of("vgg")
    rows[0][0] = "A (input 32×32)"
    notes = " ".join(pasted(tables_in(Source("table", markdown(rows)))).notes)
    assert 'The column "A (input 32×32)" is not read: conv3-64, ' in notes
    assert 'The column "A-LRN" is not read: conv3-64, LRN, ' in notes


def test_a_table_without_claims_is_not_said_to_hold() -> None:
    notes = " ".join(pasted(tables_in(Source("table", table_of("vgg")))).notes)
    assert "every claim holds" not in notes
    assert "The table claims nothing" in notes
    notes = " ".join(pasted(tables_in(Source("table", table_of("shufflenet_v2")))).notes)
    assert "every claim holds" in notes


# ---- tables whose cells are steps ----


def in_steps(header: str, cell: str) -> str:
    return f"| Input | Operator | c | {header} |\n|---|---|---|---|\n| 8²×3 | conv(3, c) → relu | 8 | {cell} |\n"


@pytest.mark.parametrize(
    ("header", "cell"),
    [("Remarks", "no act"), ("Kernel", "5"), ("Output size", "9×9"), ("SE", "✓"), ("Foo", "3"), ("Filters", "9")],
)
def test_a_column_beside_steps_is_compared_or_refused(header: str, cell: str) -> None:
    with pytest.raises(SpecError):
        pasted(tables_in(Source("table", in_steps(header, cell))))


def test_a_column_beside_steps_that_is_not_read_is_named() -> None:
    made = pasted(tables_in(Source("table", in_steps("Remarks", "fast"))))
    assert made.notes == ('The column "Remarks" is not read: fast',)
    assert '# The column "Remarks" is not read: fast' in made.text


@pytest.mark.parametrize(("channels", "holds"), [("8", True), ("9", False)])
def test_channels_beside_steps_are_compared(channels: str, holds: bool) -> None:
    text = f"| Input | Operator | Filters |\n|---|---|---|\n| 8²×3 | conv(3, 8) | {channels} |\n"
    with contextlib.nullcontext() if holds else pytest.raises(SpecError, match=f"this row prints {channels} channels"):
        pasted(tables_in(Source("table", text)))


# ---- no number of any table is dropped ----

NAMES = {
    "squeezenet": {"layer name/type"},
    "googlenet": {"type"},
    "shufflenet_v2": {"Layer"},
    "efficientnet": {"Stage"},
}
"""The columns whose numbers are a row's own name: `fire2` is the fire module of any row. Of EfficientNet's stages the
number says the stride and what multiplies the depth, which some of them have in common."""
CHOICES: dict[str, list[dict[str, Value]]] = {
    "resnet": [{"depth": depth} for depth in (18, 34, 50, 101, 152)],
    "vgg": [{"cfg": letter} for letter in "ABCDE"],
    "densenet": [{"depth": depth} for depth in (121, 169, 201, 161, 264)],
    "shufflenet_v2": [{"scale": scale} for scale in (0.5, 1, 1.5, 2)],
}
READINGS = sorted(name.removeprefix(FOLDER) for name in library.shared_names() if name.startswith(FOLDER))
PRINTED = [
    ("shufflenet_v2", "Stage3", "KSize", "5×5"), ("shufflenet_v2", "Stage3", "KSize", "k5"),
    ("squeezenet", "fire2", "filter size / stride (if not a fire layer)", "5x5/1"),
    ("squeezenet", "fire2", "depth", "3"),
    ("googlenet", "inception (3a)", "depth", "3"), ("googlenet", "inception (3a)", "patch size/stride", "5×5/1"),
    ("squeezenet", "avgpool10", "filter size / stride (if not a fire layer)", "13x13/1 (x1000)"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "row", "column", "text"), PRINTED)
def test_a_number_that_the_rule_of_its_row_does_not_use_is_refused(name: str, row: str, column: str, text: str) -> None:
    rows = cells_of(name)
    pasted(tables_in(Source("table", markdown(rows))), name)
    next(cells for cells in rows if cells[0] == row)[rows[0].index(column)] = text
    assert refused(markdown(rows), name)[0] in {("unread-cell", text), ("not-as-printed", text)}


def test_a_pattern_column_under_another_header_is_read_alike() -> None:
    rows = cells_of("shufflenet_v2")
    rows[0][2] = "Kernel"
    rows[6][2] = "5×5"
    assert refused(markdown(rows), "shufflenet_v2") == [("unread-cell", "5×5")]


@pytest.mark.slow
@pytest.mark.parametrize("name", READINGS)
def test_a_number_that_is_another_is_refused_or_makes_another_network_or_its_column_is_said_to_be_unread(
    name: str,
) -> None:
    """Each number of each cell of the papers' tables, one more; cells of one column that say the same once."""
    rows = cells_of(name)
    base, notes = imported(rows, name)
    allowed = {header for header in rows[0] if f'The column "{header}" is not read' in notes} | NAMES.get(name, set())
    dropped: set[str] = set()
    seen: set[tuple[int, str]] = set()
    for row in rows[1:]:
        for column, cell in enumerate(row):
            for match in re.finditer("[0-9]+", cell) if (column, cell) not in seen else ():
                row[column] = f"{cell[: match.start()]}{int(match[0]) + 1}{cell[match.end() :]}"
                with contextlib.suppress(SpecError):
                    dropped |= {rows[0][column]} if imported(rows, name)[0] == base else set()
            row[column] = cell
            seen.add((column, cell))
    assert dropped <= allowed


def imported(rows: list[list[str]], name: str) -> tuple[list[object], str]:
    """The networks of a table, and what is said of it."""
    made = pasted(tables_in(Source("table", markdown(rows))), name)
    spec = archspec.parse(made.text)
    nodes = [node for values in CHOICES.get(name, [{}]) for node in spec.elaborate(**values).nodes]
    return [(node.path, node.op, node.inputs, node.shape) for node in nodes], " ".join(made.notes)
