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
from archspec.elaborate.layout import default_meaning
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


def test_a_power_of_many_digits_covers_nothing_and_ends_with_its_cell() -> None:
    page = "<table><tr><th>a</th><th>b</th></tr><tr><td>123456<sup>1234567890</sup></td><td>1<sup>2</td></tr>"
    assert read(page)[1] == ["123456^1234567890", "1²"]
    assert read(f"{page}<tr><td>34</td><td>3 2</td></tr>")[2] == ["34", "3 2"]


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


RULES = [
    r"\toprule[1.5pt]", r"\midrule[1pt]", r"\bottomrule[.8pt]", r"\hline", r"\hline\hline", r"\hdashline",
    r"\hdashline[1pt/2pt]", r"\cdashline{2-3}", r"\cdashline{2-3}[1pt/1pt]", r"\cmidrule(lr){2-3}",
    r"\cmidrule[1pt](l{2pt}r){2-3}", r"\cline{2-3}", r"\specialrule{.1em}{1pt}{1pt}", r"\shline", r"\thickhline",
    r"\Xhline{2\arrayrulewidth}", r"\Xhline{1pt}", r"\addlinespace[2pt]", r"\addlinespace", r"\arrayrulecolor{red}",
    r"\arrayrulecolor[HTML]{EE0000}\hline", r"\rowcolor{gray!10}", r"\rowcolor[HTML]{EFEFEF}", r"\hhline{|=|=|}",
    r"\noalign{\smallskip}", r"\morecmidrules", r"\hline\noalign{\hrule height 1pt}", r"\tabucline[1pt]{2-3}",
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_nothing(rule: str) -> None:
    text = rf"\begin{{tabular}}{{cc}} {rule} h & i \\ {rule} 1 & 2 \\ {rule} [3×3] & (4a) \\ {rule} \end{{tabular}}"
    for written in (text, text.replace(r"\begin{tabular}{cc}", "").replace(r"\end{tabular}", "")):
        assert read(written) == [["h", "i"], ["1", "2"], ["[3×3]", "(4a)"]]


def test_parentheses_and_brackets_behind_a_command_are_kept() -> None:
    """They were taken for arguments of the command: a cell lost what it says."""
    assert read(r"h & i \\ conv\footnotemark(3×3) & \cite{x} [2] \\")[1] == ["conv (3×3)", "[2]"]


def test_a_command_that_may_mean_anything_is_still_an_error() -> None:
    with pytest.raises(SpecError) as raised:
        read(r"h & i \\ \mycell{conv} & 1 \\")
    assert [d.primary.text for d in raised.value.diagnostics] == [r"\mycell"]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (r"$\epsilon_{ls}$", "epsilon_ls"), (r"$\varepsilon$", "epsilon"), ("ε", "epsilon"), ("ϵ", "epsilon"),
        ("α", "alpha"), (r"$\alpha$ (width)", "alpha_width"), ("Δt", "Delta_t"), ("C₁", "C1"), ("é", "e"),
        ("#3×3 reduce", "_3_3_reduce"), ("#", ""),
    ],
)  # fmt: skip
def test_a_header_gives_a_name_in_ascii(header: str, name: str) -> None:
    rows = rows_of(f"a | {header}\n--|--\n1|2", Span(Source("t", f"a | {header}\n--|--\n1|2"), 0, 1))
    assert default_meaning(rows[0].cells[1]).text == name


def test_headers_that_differ_outside_of_ascii_alone_have_names_of_their_own() -> None:
    text = """arch 1
    network N { input 8 x 8 x 3
      table {
        | Operator | α | β | C₁ | C₂ |
        |----------|---|---|----|----|
        | conv     | 4 | 5 | 6  | 7  |
      }
      read "conv" = conv(3, alpha) -> conv(3, beta) -> conv(3, C1) -> conv(3, C2)
    }"""
    assert [node.shape[-1] for node in archspec.parse(text).elaborate().nodes] == [3, 4, 5, 6, 7]


# ---- rows that are not whole ----


def test_a_line_that_ends_with_its_last_mark_has_an_empty_cell_behind_it() -> None:
    assert read("| a | b | c\n|---|---|---\n| 1 | 2 | \n| 3 | 4 | 5\n| 6 | 7 |")[1:] == [
        ["1", "2", ""], ["3", "4", "5"], ["6", "7", ""],
    ]  # fmt: skip


def test_aligned_columns_may_end_with_empty_cells() -> None:
    assert read("Operator  c   s\nconv      8   2\npool          2\nsoftmax") == [
        ["Operator", "c", "s"], ["conv", "8", "2"], ["pool", "", "2"], ["softmax", "", ""],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 |\n", "| 3 |"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 | 5 |\n", "| 3 | 4 | 5 |"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\nsoftmax\n", "softmax"),
        ("a\tb\n1\t2\n3\n", "3"),
        ("a\tb\tc\n1\t2\t3\n4\t5\n", "4\t5"),
        ("aa  bb\n11  22\n3333333  4  5\n66  77", "3333333  4  5"),
    ],
)
def test_a_row_of_another_length_is_named_in_a_spec(text: str, line: str) -> None:
    spec = f'arch 1\nnetwork N {{ input 8 x 8 x 3\ntable {{\n{text}\n}}\nread "1" = relu\n}}'
    with pytest.raises(SpecError) as raised:
        archspec.parse(spec).elaborate()
    assert [(d.code, d.primary.text) for d in raised.value.diagnostics] == [("ragged-row", line)]


@pytest.mark.parametrize("quote", ["> ", ">", "  > ", "> > "])
def test_a_table_may_be_quoted(quote: str) -> None:
    text = "| a | b |\n|---|---|\n| 1 | x > y |"
    assert read("\n".join(quote + line for line in text.splitlines())) == read(text) == [["a", "b"], ["1", "x > y"]]


def test_a_table_may_have_one_column() -> None:
    assert read("| z |\n|---|\n| dense |\n| deconv |") == [["z"], ["dense"], ["deconv"]]


# ---- headers over several columns ----


def test_columns_under_one_header_are_numbered_and_a_title_is_none() -> None:
    tex = r"""\begin{tabular}{lll} \toprule \multicolumn{3}{c}{Ours} \\ \midrule
    Stage & \multicolumn{2}{c}{Layer} \\ \midrule 1 & Dense & conv \\ \end{tabular}"""
    assert read(tex) == [["Stage", "Layer 1", "Layer 2"], ["1", "Dense", "conv"]]


@pytest.mark.parametrize(("second", "wrong"), [("16 x 16 x 8", []), ("8 x 8 x 8", ["shape-claim"])])
def test_a_size_over_several_rows_is_what_the_last_of_them_gives(second: str, wrong: list[str]) -> None:
    """As PeleeNet's table has it: the size that a stage gives stands beside all its rows."""
    text = rf"""arch 1
    network N {{ input 64 x 64 x 3
      table {{
        Operator & Output \\ \hline
        conv & \multirow{{2}}{{*}}{{{second}}} \\
        pool & \\
      }}
      read "conv" = conv(3, 8, 2) "pool" = maxpool(2)
    }}"""
    assert [d.code for d in archspec.parse(text).check()] == wrong


# ---- what is shown of a cell ----


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (r"$3\times 3$ conv", "3×3 conv"), (r"conv, $7\times7$, $64$", "conv, 7×7, 64"), (r"conv2\_x", "conv2_x"),
        (r"$\mathrm{max}$ pool", "max pool"), ("conv  3 × 3", "conv 3×3"), ("conv 3 × 3", "conv 3 × 3"),
    ],
)  # fmt: skip
def test_a_cell_is_shown_without_the_blanks_that_stood_for_markup(written: str, shown: str) -> None:
    text = rf"h & i \\ {written} & 1 \\"
    assert rows_of(text, Span(Source("t", text), 0, len(text)))[1].cells[0].shown == shown


def test_a_line_below_all_rows_of_latex_says_nothing_of_headers() -> None:
    text = "\n\\hline\nOperator & c \\\\\nconv & 4 \\\\\n\\hline\n"
    rows = rows_of(text, Span(Source("a", text), 0, len(text)))
    assert [[cell.text for cell in row.cells] for row in rows] == [["Operator", "c"], ["conv", "4"]]
