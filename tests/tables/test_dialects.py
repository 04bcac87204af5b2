"""One table in every form in which tables come: the same cells, each pointing at its own characters; the same Graph."""

import contextlib
import csv
import html
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec.diagnostics import SpecError
from archspec.graph import Graph
from archspec.source import Source, Span
from archspec.tables.align import cells as piped
from archspec.tables.dialects import rows_of

ROOT = Path(__file__).parent.parent.parent
Rows = list[list[str]]
TABLE = re.compile(r"\{\n(( *\|.*\n)+) *\}")


def read(text: str) -> Rows:
    """The cells of a text, blanks within them made one; each is as long as what it points at."""
    rows = rows_of(text, Span(Source("table", text), 0, len(text)))
    for row in rows[1:]:
        for cell in row.cells:
            assert not cell.text or len(cell.text) == len(cell.span.text)
    return [[plain(cell.text) for cell in row.cells] for row in rows]


def plain(text: str) -> str:
    """A cell's text without the blanks that say nothing."""
    return re.sub(r" ?([×²³^/;,_\[\]]) ?", r"\1", " ".join(text.split()))


# ---- writers ----


def pipes(rows: Rows) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def bare_pipes(rows: Rows) -> str:
    return re.sub(r"^\| | \|$", "", pipes(rows), flags=re.MULTILINE)


def in_latex(text: str) -> str:
    text = re.sub(r"([&%$#_{}])", r"\\\1", text).replace("~", r"\textasciitilde{}").replace("^", r"\^{}")
    brackets = re.fullmatch(r"\[(.*)\] × (\d+)", text)
    if brackets:
        inner = r"\\[-.1em] ".join(part.strip() for part in brackets[1].split(";"))
        text = rf"$\left[\begin{{array}}{{c}}\text{{{inner}}}\end{{array}}\right]$$\times${brackets[2]}"
    return text.replace("×", r"$\times$").replace("²", "$^2$").replace("³", "$^{3}$")


def latex(rows: Rows) -> str:
    lines = [" & ".join(map(in_latex, row)) + r" \\" for row in rows]
    head = ["\\begin{table}[t] % as printed", "\\begin{tabular}{@{}l|c|" + "c" * len(rows[0]) + "}", "\\toprule"]
    return "\n".join([*head, lines[0], "\\midrule", *lines[1:], "\\bottomrule", "\\end{tabular}", "\\end{table}"])


def bare_latex(rows: Rows) -> str:
    return "\n".join(rf"{' & '.join(map(in_latex, row))} \\ \hline" for row in rows)


def in_html(text: str) -> str:
    text = html.escape(text).replace("²", "<sup>2</sup>").replace("³", "<sup>3</sup>")
    return text.replace("×", "&times;")


def as_html(rows: Rows) -> str:
    def row(cells: list[str], tag: str) -> str:
        return "<tr>" + "".join(f'<{tag} class="x">{in_html(cell)}</{tag}>' for cell in cells) + "</tr>"

    body = "\n".join(row(cells, "td") for cells in rows[1:])
    return f"<p>Table 2</p><table>\n<thead>{row(rows[0], 'th')}</thead>\n<tbody>{body}</tbody></table>"


def as_arxiv(rows: Rows) -> str:
    """As LaTeXML writes formulas: as MathML, as a note to it, and as the text that stands for it."""

    def formula(match: re.Match[str]) -> str:
        tex = match[0].replace("×", r"\times ").replace("²", "^{2}")
        mathml = f"<mn>{match[0]}</mn><annotation encoding='application/x-tex'>{tex}</annotation>"
        return f'<math alttext="{tex}" display="inline"><semantics>{mathml}</semantics></math>'

    made = as_html(rows).replace("&times;", "×").replace("<sup>2</sup>", "²")
    return re.sub(r"[0-9]+²?(×[0-9]+)+", formula, made)


def tabs(rows: Rows) -> str:
    return "\n".join("\t".join(row) for row in rows)


def as_csv(rows: Rows) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def columns(rows: Rows) -> str:
    widths = [max(len(row[i]) for row in rows) + 2 for i in range(len(rows[0]))]
    return "\n".join("".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def boxed(rows: Rows) -> str:
    rule = "+" + "------+" * len(rows[0])
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def drawn(rows: Rows) -> str:
    count = len(rows[0])
    lines = ["│ " + " │ ".join(row) + " │" for row in rows]
    return "\n".join(["┌" + "──┬" * count, lines[0], "├" + "──┼" * count, *lines[1:], "└" + "──┴" * count])


WRITERS: list[Callable[[Rows], str]] = [
    pipes, bare_pipes, latex, bare_latex, as_html, as_arxiv, tabs, as_csv, columns, boxed, drawn,
]  # fmt: skip


# ---- the papers' tables ----


def nodes(graph: Graph) -> list[object]:
    return [(node.path, node.op, node.inputs, node.shape) for node in graph.nodes]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v2", "resnet", "googlenet",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("vgg", "densenet", "mobilenet_v3")),
    ],
)  # fmt: skip
def test_a_paper_s_table_gives_one_graph_in_every_form(name: str, write: Callable[[Rows], str]) -> None:
    text = (ROOT / "specs" / f"{name}.arch").read_text(encoding="utf-8")

    def rewritten(match: re.Match[str]) -> str:
        rows = [piped(line) for line in match[1].splitlines() if not re.fullmatch(r"[ |:-]+", line)]
        # an empty cell at an end is nothing in a form without marks at its ends
        return "{\n" + write([[cell or "-" for cell in row] for row in rows]) + "\n}"

    wanted, made = archspec.parse(text), archspec.parse(TABLE.sub(rewritten, text))
    for member in wanted.members[:2]:
        assert nodes(made.member(member).elaborate()) == nodes(wanted.member(member).elaborate())


def test_the_table_of_the_talk_is_read_as_it_stands() -> None:
    """Tabs, and formulas as LaTeX has them."""
    text = "\n".join([
        "Input\tOperator\tt\tc\tn\ts", "$224^2 \\times 3$\tconv2d\t-\t32\t1\t2",
        "$1 \\times 1 \\times 1280$\tconv2d 1x1\t-\tk\t-\t-",
    ])  # fmt: skip
    assert read(text)[1:] == [["224²×3", "conv2d", "-", "32", "1", "2"], ["1×1×1280", "conv2d 1x1", "-", "k", "-", "-"]]


# ---- cells of any kind ----

CELL = st.text(alphabet="abcXY012×²-/.()%#&_ ", min_size=1, max_size=8).map(lambda t: " ".join(t.split()))
CELL = CELL.filter(lambda t: bool(t) and not re.fullmatch(r"[-=+ ]+", t))
TABLES = st.integers(2, 5).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=2, max_size=6))


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
@settings(max_examples=40)
@given(rows=TABLES)
def test_any_table_comes_back(write: Callable[[Rows], str], rows: Rows) -> None:
    found = [["".join(cell.split()) for cell in row] for row in read(write(rows))]
    assert found == [["".join(cell.split()) for cell in row] for row in rows]


@given(st.text(max_size=300) | st.text(alphabet='|&\\{}<>t/dr\t\n,; -"$^2ab', max_size=300))
def test_no_text_makes_a_reader_raise(text: str) -> None:
    with contextlib.suppress(SpecError):
        read(text)


# ---- what each form can say ----


def test_cells_over_several_rows_and_columns() -> None:
    tex = r"""
    \begin{tabular}{c|c|c}
      \multirow{2}{*}{layer} & \multicolumn{2}{c}{size} \\ \cline{2-3}
       & in & out \\ \hline
      \multirow{2}{*}{\textbf{conv2\_x}} & 56$\times$56 & 64 \\
       & 28 & 128 \\ \hline
      \multicolumn{3}{c}{average pool} \\
    \end{tabular}"""
    rows = [["layer", "size in", "size out"], ["conv2_x", "56×56", "64"], ["conv2_x", "28", "128"]]
    assert read(tex) == [*rows, ["average pool"] * 3]
    page = """<table><tr><th rowspan=2>layer</th><th colspan=2>size</th></tr><tr><th>in</th><th>out</th></tr>
    <tr><td rowspan=2><b>conv2 _x</b></td><td>56&times;56</td><td>64</td></tr><tr><td>28</td><td>128</td></tr>
    <tr><td colspan=3>average pool</td></tr></table>"""
    assert read(page) == [*rows, ["average pool"] * 3]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"$\begin{bmatrix} 1\times1, 64 \\ 3\times3, 64 \end{bmatrix}\times 3$", "[1×1,64;3×3,64]×3"),
        (r"\makecell{a \\ b}", "a;b"),
        (r"\textbf{conv2d}~1$\times$1\footnote{as in \cite{x}}", "conv2d 1×1"),
        (r"7\,$\times$\,7$^{\dagger}$", "7×7"),
        (r"1{,}280", "1___280"),
        (r"\checkmark", "✓"),
        (r"50\% % fifty", "50 %"),
        (r"$\frac{7}{2}$", "7/2"),
        (r"\rowcolor{gray} {\bf 3.4M}", "3.4M"),
        (r"$10^{6}$", "10^6"),
        (r"\textcolor{red}{\emph{x}}", "x"),
        ("--", "-"),
    ],
)
def test_what_latex_writes(written: str, meant: str) -> None:
    assert read(rf"h & i \\ {written} & 1 \\")[1][0] == meant if "%" not in written else True
    assert read(f"h & i \\\\\n 1 & {written}\n\\\\")[1][1] == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("`conv` **1x1**", "conv 1x1"),
        ("224<sup>2</sup>&times;3", "224²×3"),
        (r"a \| b", "a | b"),
        ("$112^2 \\times 32$", "112²×32"),
        ("x<br>y", "x y"),
        ("3<sup>a</sup>", "3"),
    ],
)
def test_what_markdown_writes(written: str, meant: str) -> None:
    assert read(f"| h | i |\n|:--|--:|\n| {written} | 1 |")[1][0] == meant


def test_a_script_in_a_page_is_not_read() -> None:
    page = "<table><tr><th>a</th><th>b</th></tr><tr><td><script>alert(1)</script>1</td><td><style>x</style>2</td></tr>"
    assert read(page)[1] == ["1", "2"]


def test_a_mistake_points_into_the_cell_of_its_form() -> None:
    body = r"""
      \begin{tabular}{lll}
        Input & Operator & c \\ \midrule
        $16^2 \times 3$ & conv & $8$ \\
        \multirow{2}{*}{$16^2 \times 9$} & conv & 9 \\
      \end{tabular}
    """
    text = f'arch 1\nnetwork N {{\n  table {{{body}}}\n  read "conv" = conv(3, c)\n}}\n'
    (found,) = archspec.parse(text).check()
    assert found.code == "shape-claim"
    shown = {label.span.text for label in found.labels} | {found.primary.text}
    assert shown & {r"16^2 \times 9", "8"}
