"""What `archspec table` prints is the network: `archspec import` reads it back, whatever its form."""

import csv
import io
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from random_networks import Part, networks

from archspec import driver
from archspec.cli.commands import cli, run
from archspec.decompile.proof import proved
from archspec.diagnostics import SpecError
from archspec.graph import Graph
from archspec.pasting import pasted, tables_in
from archspec.sheet import FORMATS, Sheet, plain
from archspec.source import Source
from archspec.tabling import Unprintable, tables_of
from archspec.tabling.steps import steps_of

WRITERS = {**FORMATS, "table": plain}
NAMES = [name for name, _, _ in driver.bundled_networks()]
QUICK = (
    "mobilenet_v2", "resnet50", "GoogLeNet", "inception_v3", "vgg16_bn", "squeezenet1_1", "shufflenet_v2_x0_5",
    "convnext_tiny", "lesson_residual",
)  # fmt: skip
PRINTED = ("mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "resnet", "densenet", "GoogLeNet", "squeezenet",
           "shufflenet_v2", "efficientnet", "mnasnet")  # fmt: skip
"""Networks whose own table is all that is to be said of them, so that it is printed as the paper has it."""


def graph_of(text: str) -> Graph:
    """What `archspec import` makes of a text with tables."""
    return driver.parse(pasted(tables_in(Source("table.txt", text))).text).elaborate()


def shape_of(graph: Graph) -> list[object]:
    """A Graph without its names: every node with the places of what it takes."""
    place = {node.path: number for number, node in enumerate(graph.nodes)}
    return [(node.op, tuple(place[path] for path in node.inputs), node.shape) for node in graph.nodes] + [
        sorted((name, place[path], name in graph.training) for name, path in graph.outputs.items())
    ]


def check(name: str) -> None:
    spec = driver.load(name)
    graph = spec.elaborate()
    for form, write in WRITERS.items():
        made = tables_of(spec, graph, write)
        assert made.whole, form
        text = "\n\n".join(map(write, made.sheets))
        again = graph_of(text)
        assert again.stats().macs == graph.stats().macs
        assert again.stats().params == graph.stats().params
        if made.style == "printed":
            assert shape_of(again) == shape_of(graph), form
        else:
            steps = steps_of(graph)
            proved(pasted(tables_in(Source("table.txt", text))).text, steps.graph, steps.order)


@pytest.mark.parametrize("name", QUICK)
def test_the_table_of_a_network_reads_back_to_it_in_every_form(name: str) -> None:
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(NAMES) - set(QUICK)))
def test_the_table_of_any_network_of_the_zoo_reads_back_to_it(name: str) -> None:
    check(name)


@pytest.mark.parametrize("name", PRINTED)
def test_a_network_that_is_its_papers_table_prints_it(name: str) -> None:
    spec = driver.load(name)
    for form, write in WRITERS.items():
        assert tables_of(spec, spec.elaborate(), write).style == "printed", form


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_the_table_of_a_random_graph_reads_back_to_it(part: Part) -> None:
    graph = driver.parse(part.text).elaborate()
    for form, write in WRITERS.items():
        assert tables_of(None, graph, write).whole, form


def test_outputs_of_training_are_printed_as_such() -> None:
    text = """arch 1 network Heads {
  input 16 x 16 x 3
  body conv(3, 8, 2) as early -> bn -> relu -> conv(3, 8) -> relu -> global_avgpool -> flatten -> linear(5)
  output plain = @early -> relu -> global_avgpool
  output aux = @early -> tanh -> global_avgpool -> flatten -> linear(5) in training
}"""
    graph = driver.parse(text).elaborate()
    for form, write in WRITERS.items():
        made = tables_of(None, graph, write)
        assert made.whole, form
        again = graph_of("\n\n".join(map(write, made.sheets)))
        assert again.training == ("aux",), form
        assert again.outputs.keys() == graph.outputs.keys()


def out(*arguments: str, text: str = "") -> str:
    result = CliRunner().invoke(cli, list(arguments), input=text, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_mobilenet_v2_is_printed_as_table_2() -> None:
    rows = list(csv.reader(io.StringIO(out("table", "mobilenet_v2", "--format", "csv"))))
    assert rows[0] == ["Input", "Operator", "t", "c", "n", "s"]
    assert rows[3] == ["112²×16", "bottleneck", "6", "24", "2", "2"]
    assert len(rows) == 12


def test_a_misprint_is_corrected() -> None:
    rows = list(csv.reader(io.StringIO(out("table", "mobilenet_v1", "--format", "csv"))))
    assert rows[26][1] == "s1"


def test_other_parameters_are_printed_step_by_step_with_what_comes_out() -> None:
    text = out("table", "mobilenet_v2", "-p", "alpha=0.5", "--format", "csv", "--columns", "+output,params,macs")
    blocks, rows = (list(csv.reader(io.StringIO(part))) for part in text.split("\n\n"))
    assert blocks[0] == ["Block", "Definition"]
    assert rows[0] == ["Input", "Operator", "f", "c", "n", "s", "Output", "Params", "MACs"]
    graph = driver.load("mobilenet_v2").elaborate(alpha=0.5)
    assert sum(int(row[7]) for row in rows[1:]) == graph.stats().params
    assert sum(int(row[8]) for row in rows[1:]) == graph.stats().macs
    assert [row[4] for row in rows[1:]] == ["1", "1", "2", "3", "4", "3", "3", "1", "1", "1", "1"]
    assert shape_of(graph_of(text)) == shape_of(graph)


def test_columns_are_chosen_by_header_role_or_variable() -> None:
    text = out("table", "resnet", "--format", "csv", "--style", "printed", "--columns", "operator,Output Size,macs")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["50-layer", "output size", "MACs"]
    assert rows[1][2] == "118013952"


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(Unprintable, match="no column 'ouput'") as caught:
        tables_of(None, driver.load("alexnet").elaborate(), plain, None, ["ouput"])
    assert "did you mean `output`?" in str(caught.value.__dict__.values())


def test_a_table_that_does_not_say_the_network_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["table", "vgg16", "--columns", "operator"]) == 0
    assert "does not say the whole network" in capfd.readouterr().err


def test_there_is_no_printed_table_where_its_claims_do_not_hold(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["table", "mobilenet_v2", "-p", "alpha=0.5", "--style", "printed"]) == 1
    assert "no table of its own" in capfd.readouterr().err


def test_only_the_column_of_the_network_is_printed() -> None:
    header = out("table", "resnet50", "--style", "printed", "--format", "csv").splitlines()[0]
    assert header == "layer name,output size,50-layer"


def test_a_table_of_a_decompiled_network(tmp_path: Path) -> None:
    text = out("table", "shufflenet_v2_x1_0", "--style", "steps", "--format", "html")
    spec = out("import", "-", text=text)
    (tmp_path / "again.arch").write_text(spec)
    latex = out("table", str(tmp_path / "again.arch"), "--format", "latex")
    assert shape_of(graph_of(latex)) == shape_of(driver.load("shufflenet_v2_x1_0").elaborate())


def test_the_file_is_what_stdout_is(tmp_path: Path) -> None:
    file = tmp_path / "table.tex"
    out("table", "alexnet", "--format", "latex", "-o", str(file))
    assert file.read_text() == out("table", "alexnet", "--format", "latex")


def test_a_definition_that_cannot_be_read_is_an_error() -> None:
    text = out("table", "resnet50", "--style", "steps", "--format", "markdown").replace(
        "conv_bn(1, c)", "conv_bm(1, c)"
    )
    with pytest.raises(SpecError, match="conv_bm"):
        graph_of(text)


HOSTILE = Sheet("<b>&\\input{x}%", ("a|b", "<script>"), (("$x^2$_{}#~", 'x"y,z\n'), ("-", 12345)))


def test_text_is_data_in_every_form() -> None:
    class Tags(HTMLParser):
        found: set[str]

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.found.add(tag)

    tags = Tags()
    tags.found = set()
    tags.feed(FORMATS["html"](HOSTILE))
    assert tags.found == {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    tex = FORMATS["latex"](HOSTILE)
    assert r"\textbackslash{}input\{x\}\%" in tex
    assert r"\$x\textasciicircum{}2\$\_\{\}\#\textasciitilde{}" in tex
    assert FORMATS["markdown"](HOSTILE).splitlines()[0] == r"| a\|b | <script> |"
    assert list(csv.reader(io.StringIO(FORMATS["csv"](HOSTILE))))[2] == ["-", "12345"]
