"""What `archspec import` says where no reading takes a table: the true cell, in the file of whoever pasted it."""

from pathlib import Path

import pytest
from pasting.printed import ROOT, table_of

import archspec
from archspec.cli.commands import run
from archspec.diagnostics import Diagnostic, SpecError
from archspec.pasting import pasted, tables_in
from archspec.pasting.recognise import pattern_of
from archspec.report import text_of
from archspec.source import Source

STEPS = """| Input | Operator | c | n | s |
|---|---|---|---|---|
| 32²×3 | conv(3, c, s) -> bn -> relu |64|1|1|
| 32²×64 | conv(3, c, s) -> bn -> relu |64|1|2|
| 16²×64 | global_avgpool -> flatten -> linear(10) |-|1|-|
"""
GHOSTS = (ROOT / "tests/golden/errors/no-reading/ghosts.txt").read_text(encoding="utf-8")


def wrong(text: str) -> tuple[Diagnostic, ...]:
    """What is wrong with a pasted text; every place that is shown is in it."""
    source = Source("pasted.md", text)
    with pytest.raises(SpecError) as raised:
        pasted(tables_in(source))
    for found in raised.value.diagnostics:
        assert found.site.source == source
        assert "<pasted" not in text_of(found)
    return raised.value.diagnostics


@pytest.mark.parametrize(
    "cell",
    [
        "28,28,32", "28×28×32×1", "28²×32 (pad)", "28px×32", "~28²×32", "28 x 28 @32", "28x28,32", "any", "?",
        "28²×32.", "28^2 32", "56²×24→28²×32", "(h/8)²×32", "32@28×28", "0.5",
    ],
)  # fmt: skip
def test_one_odd_cell_is_said_at_that_cell(cell: str) -> None:
    found = wrong(table_of("mobilenet_v2").replace("28²×32 ", f"{cell} "))
    assert len(found) == 1
    assert found[0].code in {"bad-cell", "bad-arithmetic", "unknown-name"}
    assert found[0].site.text in cell
    assert "in the table, read as mobilenet_v2" in text_of(found[0])


def test_a_comma_between_thousands_is_read_in_every_column() -> None:
    text = table_of("mobilenet_v2")
    made = pasted(tables_in(Source("x", text.replace("7²×1280", "7 × 7 × 1,280"))))
    assert made.reading == "mobilenet_v2"
    assert archspec.parse(made.text).elaborate().stats().params == 3_504_872
    assert wrong(text.replace("7²×1280", "7 × 7 × 1,281"))[0].code == "shape-claim"


@pytest.mark.parametrize(
    ("old", "new", "place", "says"),
    [
        ("| t |", "| c |", "c", "two columns are called `c`"),
        ("| n |", "| s |", "s", "two columns are called `s`"),
        ("Operator", "Оperator", "Оperator", "U+041E CYRILLIC CAPITAL LETTER O"),
        ("| c  ", "| с  ", "с", "U+0441 CYRILLIC SMALL LETTER ES"),
    ],
    ids=["c twice", "s twice", "a Cyrillic O", "a Cyrillic c"],
)
def test_a_wrong_header_is_said_at_that_header(old: str, new: str, place: str, says: str) -> None:
    (found,) = wrong(table_of("mobilenet_v2").replace(old, new, 1))
    assert found.site.text == place
    assert found.site.source.position(found.site.start)[0] == 1
    assert says in text_of(found)


@pytest.mark.parametrize(
    ("name", "old", "new", "header"),
    [
        ("googlenet", "#3×3 reduce", "3×3 reduce", "#3×3 reduce"),
        ("squeezenet", " (if not a fire layer)", "", "filter size / stride (if not a fire layer)"),
    ],
)
def test_a_column_that_is_missing_is_said_at_the_header_that_is_most_like_it(
    name: str, old: str, new: str, header: str
) -> None:
    (found,) = wrong(table_of(name).replace(old, new))
    assert found.site.text == (new or header.removesuffix(old))
    assert f"`{name}` comes nearest: it needs a column `{header}`" in found.message
    assert found.help == f"if this is that column, call it `{header}`"


def test_headers_that_stand_in_a_table_once_more() -> None:
    text = table_of("mobilenet_v2")
    (found,) = wrong(text + text)
    assert found.message == "cannot read this table: its headers stand here once more"
    assert found.site.source.position(found.site.start)[0] == text.count("\n") + 1
    assert pasted(tables_in(Source("x", text + "\n" + text))).reading == "mobilenet_v2"


@pytest.mark.parametrize(
    ("head", "row", "foot"),
    [
        ("| Operator | c |\n|---|---|\n", "| conv | 8 |\n", ""),
        ("Table 1\n| Operator | c |\n|---|---|\n", "| conv | 8 |\n", ""),
        ("Operator,c\n", "conv,8\n", ""),
        ("Operator\tc\n", "conv\t8\n", ""),
        ("<table><tr><td>Operator<td>c", "<tr><td>conv<td>8\n", "</table>"),
        ("\\begin{tabular}{cc}\nOperator & c \\\\\n", "conv & 8 \\\\\n", "\\end{tabular}"),
    ],
    ids=["pipes", "a title and pipes", "commas", "tabs", "HTML", "LaTeX"],
)
def test_a_table_that_is_too_large_is_not_even_read(head: str, row: str, foot: str) -> None:
    (found,) = tables_in(Source("x", head + 20_000 * row + foot))
    assert found.rows == ()
    assert [one.code for one in found.wrong] == ["too-much"]


def test_a_name_of_the_language_is_not_a_name_of_a_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", str(ROOT / "tests/golden/errors/no-reading/ghosts.txt"), "--name", "conv"]) == 2
    assert "'conv' is a name of the language itself" in capsys.readouterr().err


def test_a_row_that_nothing_reads_is_blamed_and_not_the_image() -> None:
    """The table states no input; at other sizes than 224 its first claim fails."""
    (found,) = wrong(table_of("resnet").replace("2048]", "2048, C=32]"))
    assert found.site.text == "[1×1, 512; 3×3, 512; 1×1, 2048, C=32] × 3"
    assert "`resnet` comes nearest" in found.message


def test_another_image_is_offered_where_it_mends_the_first_claim() -> None:
    """SqueezeNet's Table 1 prints 224×224×3 for an image of 227×227×3, and 13x12x512 for 13×13×512."""
    first, second = wrong(table_of("squeezenet"))
    assert [edit.text for edit in first.edits] == ["227×227×3"]
    assert first.edits[0].span.text == "224x224x3"
    assert [edit.text for edit in second.edits] == ["13×13×512"]


def test_the_arrow_of_the_language_joins_steps_as_the_printed_one_does() -> None:
    made = [pasted(tables_in(Source("x", text))) for text in (STEPS, STEPS.replace("->", "→"))]
    assert made[0].reading == made[1].reading == "steps of the language"
    assert archspec.parse(made[0].text).elaborate().nodes == archspec.parse(made[1].text).elaborate().nodes
    text = (
        'arch 1 network N { input 8 x 8 x 3 table {\n|Operator|\n|---|\n|conv -> bn|\n} read "conv → bn" = conv(3, 8) }'
    )
    assert archspec.parse(text).check() == []


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("bn ", "bn(64) ", "unknown-argument", "64"),
        ("relu ", "rellu ", "unknown-operator", "rellu"),
        ("|64|1|2|", "|32|1|2|", "shape-claim", "32"),
    ],
)
def test_what_is_wrong_in_a_table_of_steps_is_said_at_its_cell(old: str, new: str, code: str, place: str) -> None:
    found = wrong(STEPS.replace(old, new))[0]
    assert (found.code, found.site.text) == (code, place)


@pytest.mark.parametrize(
    ("cell", "others", "pattern"),
    [
        ("Conv2d(3, 64, 3)", (), "Conv2d({a}, {b}, {c})"),
        ("conv(3, 64, 3)", ("conv(5, 128, 5)",), "conv({a}, {b}, {a})"),
        ("conv(3, 64, 3)", ("conv(5, 128, 3)",), "conv({a}, {b}, {c})"),
        ("ghost 3x3", (), "ghost {a}x{a}"),
        ("ghost 3x3", ("ghost 1x7",), "ghost {a}x{b}"),
        ("conv3-64", (), "conv{a}-{b}"),
        ("2d conv, 3 × 3", (), "2d conv, {a} × {a}"),
    ],
)
def test_a_pattern_generalises_what_other_rows_confirm(cell: str, others: tuple[str, ...], pattern: str) -> None:
    assert pattern_of(cell, others) == pattern


def test_a_draft_has_a_line_for_each_kind_of_row_and_is_not_a_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in {"near": GHOSTS, "far": GHOSTS.replace("conv2d", "spook 7").replace("| t |", "| q |")}.items():
        table, spec = tmp_path / f"{name}.txt", tmp_path / f"{name}.arch"
        table.write_text(text, encoding="utf-8")
        assert run(["import", str(table), "-o", str(spec)]) == 1
        assert "`archspec import --draft` writes a spec" in capsys.readouterr().err
        assert not spec.exists()
        assert run(["import", str(table), "-o", str(spec), "--draft"]) == 0
        capsys.readouterr()
        made = spec.read_text(encoding="utf-8")
        assert archspec.format(made) == made
        assert '"ghost {a}x{a}" = fill_in' in made
        assert run(["check", str(spec)]) == 1
        assert "there is no operator or block `fill_in`" in capsys.readouterr().err
        filled = made.replace("= fill_in", "= conv(3, c, s)")
        assert archspec.parse(filled).elaborate().nodes[-1].shape[-1] == 24


def test_a_draft_is_not_made_where_every_row_is_read(tmp_path: Path) -> None:
    table, spec = tmp_path / "t.txt", tmp_path / "n.arch"
    table.write_text(table_of("mobilenet_v2").replace("28²×32 ", "28²×33 "), encoding="utf-8")
    assert run(["import", str(table), "-o", str(spec), "--draft"]) == 1
    assert not spec.exists()
