"""`archspec import TABLE`: the conventions are recognised, the claims checked, and the spec is the paper's network."""

import io
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pasting.printed import ROOT, table_of

import archspec
from archspec import library
from archspec.cli.commands import run
from archspec.cli.importing import imported
from archspec.diagnostics import SpecError
from archspec.graph import Graph
from archspec.pasting import FOLDER, pasted, tables_in
from archspec.source import Source

TALK = """Whole Structure

Input\tOperator\tt\tc\tn\ts
$224^2 \\times 3$\tconv2d\t-\t32\t1\t2
$112^2 \\times 32$\tbottleneck\t1\t16\t1\t1
$112^2 \\times 16$\tbottleneck\t6\t24\t2\t2
$56^2 \\times 24$\tbottleneck\t6\t32\t3\t2
$28^2 \\times 32$\tbottleneck\t6\t64\t4\t2
$14^2 \\times 64$\tbottleneck\t6\t96\t3\t1
$14^2 \\times 96$\tbottleneck\t6\t160\t3\t2
$7^2 \\times 160$\tbottleneck\t6\t320\t1\t1
$7^2 \\times 320$\tconv2d 1x1\t-\t1280\t1\t1
$7^2 \\times 1280$\tavgpool 7x7\t-\t-\t1\t-
$1 \\times 1 \\times 1280$\tconv2d 1x1\t-\tk\t-\t-

(Images comes from Sandler, M., Howard, A., Zhu, M., Zhmoginov, A., & Chen, L. C. (2018). MobileNetV2)
"""
"""The table of the talk, tabs and formulas as they stand, with what stands around it."""
READINGS = sorted(name.removeprefix(FOLDER) for name in library.shared_names() if name.startswith(FOLDER))
# The tables of the others have misprints, which the specs of the zoo have errata for.
PLAIN = {
    "mobilenet_v2": [{}],
    "resnet": [{"depth": depth, "strided": 1} for depth in (18, 50, 152)],
    "vgg": [{"cfg": cfg} for cfg in "ABDE"],
    "densenet": [{"depth": 121}, {"depth": 201}],
    "shufflenet_v2": [{"scale": 0.5}, {"scale": 2}],
    "efficientnet": [{}],
    "mnasnet": [{}],
}


def nodes(graph: Graph) -> list[object]:
    return [(node.path, node.op, node.inputs, node.shape) for node in graph.nodes]


@pytest.mark.parametrize("name", PLAIN)
def test_the_bare_table_of_a_paper_is_its_network(name: str) -> None:
    made = pasted(tables_in(Source("pasted", table_of(name))))
    assert made.reading == name
    assert made.text == archspec.format(made.text)
    spec, wanted = archspec.parse(made.text), archspec.load(f"specs/{name}.arch")
    wanted = wanted.member(wanted.networks[0].name.id)
    assert spec.check_all() == []
    for values in PLAIN[name]:
        assert nodes(spec.elaborate(**values)) == nodes(wanted.elaborate(**values))


@pytest.mark.parametrize("name", ["googlenet", "squeezenet", "mobilenet_v1"])
def test_a_misprint_is_told_and_nothing_is_written(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "table.md").write_text(table_of(name), encoding="utf-8")
    assert run(["import", str(tmp_path / "table.md"), "-o", str(tmp_path / "net.arch")]) == 1
    error = capsys.readouterr().err
    assert f"in the table, read as {name}" in error
    assert f"--> {tmp_path / 'table.md'}:" in error
    assert not (tmp_path / "net.arch").exists()


def test_the_table_of_the_talk_is_a_model_in_one_line(tmp_path: Path) -> None:
    archspec_ = Path(sys.executable).with_name("archspec")
    line = f"{archspec_} import - | {archspec_} build - --backend torch -o net.pth"
    done = subprocess.run(line, shell=True, input=TALK.encode(), capture_output=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert b"3,504,872 params" in done.stdout
    assert b"as mobilenet_v2" in done.stderr


def test_the_table_of_the_talk_alone_or_with_other_line_ends_is_the_same() -> None:
    alone = TALK[TALK.index("Input") : TALK.index("\n\n(")]
    made = [pasted(tables_in(Source("x", text))).text for text in (TALK, alone, TALK.replace("\n", "\r\n"))]
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize("reading", READINGS)
def test_a_reading_checks_by_itself(reading: str) -> None:
    text = f'arch 1 use "readings/{reading}" network N {{ input 8 x 8 x 3 body conv(3, 4) read as {reading} }}'
    assert archspec.parse(text).check() == []


def test_a_page_with_several_tables() -> None:
    """The one that a reading takes is taken, or the one that is asked for; its caption is the title."""
    rows = [line.split("\t") for line in TALK.splitlines() if "\t" in line]
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows[1:])
    head = "".join(f"<th>{cell}</th>" for cell in rows[0])
    page = f"""<html><table><caption>Table 1: accuracy</caption><tr><th>net</th><th>top-1</th></tr>
    <tr><td>ours</td><td>72.0</td></tr></table>
    <table><caption>Table 2: "MobileNetV2", <b>as</b> printed</caption><tr>{head}</tr>{body}</table></html>"""
    found = tables_in(Source("page", page))
    assert [one.caption for one in found] == ["Table 1: accuracy", "Table 2: 'MobileNetV2', as printed"]
    made = pasted(found)
    assert (made.reading, made.found) == ("mobilenet_v2", found[1])
    assert archspec.parse(made.text).elaborate().title == "Table 2: 'MobileNetV2', as printed"
    with pytest.raises(SpecError):
        pasted(found[:1])


def test_other_widths_and_classes() -> None:
    """A table that is not in the zoo: a smaller sister, for 10 classes at 32 pixels."""
    text = """
    \\begin{table}\\caption{Ours}\\begin{tabular}{c|c|c|c|c|c}
    Input & Operator & $t$ & $c$ & $n$ & $s$ \\\\ \\hline
    $32^2\\times3$ & conv2d & - & 16 & 1 & 1 \\\\
    $32^2\\times16$ & bottleneck & 1 & 8 & 1 & 1 \\\\
    $32^2\\times8$ & bottleneck & 6 & 16 & 2 & 2 \\\\
    $16^2\\times16$ & bottleneck & 6 & 32 & 3 & 2 \\\\
    $8^2\\times32$ & conv2d 1x1 & - & 1280 & 1 & 1 \\\\
    $8^2\\times1280$ & avgpool 8x8 & - & - & 1 & - \\\\
    $1\\times1\\times1280$ & conv2d 1x1 & - & 10 & - & \\\\
    \\end{tabular}\\end{table}"""
    made = pasted(tables_in(Source("x.tex", text)), name="Small")
    graph = archspec.parse(made.text).elaborate()
    assert (made.reading, graph.name, graph.title) == ("mobilenet_v2", "Small", "Ours")
    assert graph.nodes[-1].shape == (10,)


def test_a_resnet_of_another_depth() -> None:
    text = (
        "layer name | output size | 26-layer\n---|---|---\nconv1 | 112×112 | 7×7, 64, stride 2\n"
        "conv2_x | 56×56 | 3×3 max pool, stride 2\nconv2_x | 56×56 | [1×1, 64; 3×3, 64; 1×1, 256] × 2\n"
        "conv3_x | 28×28 | [1×1, 128; 3×3, 128; 1×1, 512] × 2\nconv4_x | 14×14 | [1×1, 256; 3×3, 256; 1×1, 1024] × 2\n"
        "conv5_x | 7×7 | [1×1, 512; 3×3, 512; 1×1, 2048] × 2\n | 1×1 | average pool, 1000-d fc, softmax\n"
    )
    made = pasted(tables_in(Source("x.md", text)))
    assert made.reading == "resnet"
    assert "depth in {26} = 26" in made.text
    assert archspec.parse(made.text).elaborate().stats().params == 15_995_176


def test_what_is_missing_is_asked_for_with_the_beginning_of_a_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", str(ROOT / "tests/golden/errors/no-reading/ghosts.txt")]) == 1
    assert 'read "ghost {a}x{a}" = …' in capsys.readouterr().err


def test_texts_are_data(tmp_path: Path) -> None:
    hostile = TALK[TALK.index("Input") : TALK.index("\n\n(")].replace("bottleneck\t1\t16", 'bottleneck\t1\t16"}\\u202e')
    (tmp_path / "x.txt").write_text(hostile, encoding="utf-8")
    assert run(["import", str(tmp_path / "x.txt"), "--title", 'a"} network Evil { \u202e']) == 1
    good = TALK[TALK.index("Input") : TALK.index("\n\n(")]
    made = pasted(tables_in(Source("x", good)), title='a"} network Evil { \u202e')
    assert archspec.parse(made.text).members == ("Pasted",)


def test_rows_of_other_lengths_and_odd_blanks_are_mistakes_like_others() -> None:
    """Both were found by mutating the tables of the zoo."""
    page = "<table><tr><th>Input</th><th>Operator</th></tr><tr><td>8²×3</td></tr></table>"
    with pytest.raises(SpecError) as raised:
        pasted(tables_in(Source("x", page)))
    assert {diagnostic.code for diagnostic in raised.value.diagnostics} == {"ragged-row"}
    for blank in "\x0b\x1c\x85\u2028\u3000":
        with pytest.raises(SpecError):
            pasted(tables_in(Source("x", f"| Input | Oper{blank}ator |\n|---|---|\n| 8²×3 | con{blank}v |\n")))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--reading", "mobilenet"], "there is no reading 'mobilenet'"),
        (["--name", "a b"], "is not a name of a network"),
        (["--table", "7"], "there are 1 tables in"),
        (["--input", "8x8x3"], "are for models"),
    ],
)
def test_wrong_command_lines(
    arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TALK.encode())))
    assert run(["import", "-", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_exponents_that_a_copy_has_lost_are_put_back() -> None:
    text = table_of("mobilenet_v2").replace("²×", "2 × ")
    made = pasted(tables_in(Source("pdf.txt", text)))
    assert nodes(archspec.parse(made.text).elaborate()) == nodes(archspec.load("mobilenet_v2").elaborate())
    assert made.notes == ("The copy lost its squares: 1122×32 is read as 112²×32.",)


def test_exponents_are_not_made_up() -> None:
    text = table_of("mobilenet_v2").replace("²×", "2 × ").replace("| 24   | 2 | 2", "| 42   | 2 | 2")
    with pytest.raises(SpecError):
        pasted(tables_in(Source("pdf.txt", text)))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<table>" + "<tr><td>conv</td><td>8</td></tr>" * 3000 + "</table>", "too-much"),
        ("| Operator | c |\n|---|---|\n" + "| conv | 8 |\n" * 30_000, "too-much"),
        ("<table><tr><th>Operator</th></tr><tr><td>" + "&amp;" * 50_000 + "</td></tr></table>", "too-much"),
        ("<table><tr><td colspan=1000 rowspan=1000>a</td></tr>" + "<tr><td>b</td></tr>" * 999, "unreadable-table"),
        ("\\begin{tabular}{l}" + ("\\multicolumn{1000}{c}{a} & " * 500 + "b \\\\\n") * 3, "unreadable-table"),
        ("\\begin{tabular}{l}\\multicolumn{1000}{c}{a} & b \\\\\n" + "a & b \\\\\n" * 100, "unreadable-table"),
        ("<caption>" * 100_000, "no-table"),
        ("<table>" * 20_000, "no-table"),
        ("<table>" + "<!--" * 200_000, "unreadable-table"),
        ("<table>" + "<td" * 200_000, "unreadable-table"),
        ("<table><td>" + "<![CDATA[" * 20_000 + ">", "no-table"),
    ],
    ids=range(11),
)  # fmt: skip
def test_a_text_that_would_grow_is_answered_at_once(text: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(text, encoding="utf-8")
    began = time.thread_time()
    with pytest.raises(archspec.SpecError) as raised:
        imported(str(tmp_path / "t.txt"))
    assert [d.code for d in raised.value.diagnostics][:1] == [code]
    assert time.thread_time() - began < 20  # ten times what it takes; with the square of the size it would be minutes
