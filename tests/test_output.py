"""Whatever texts, names of files and arguments hold, what comes out is text: in terminals, files and other programs."""

import ast
import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from archspec.cli.commands import cli, run
from archspec.drawing.page import asset
from archspec.escape import bare, csv_line, inert, json_text, latex_cell, latex_text
from archspec.printable import printable

ROOT = Path(__file__).parent.parent
FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e0fff]"
)
"""What may stand in no output: it steers a terminal or what is around it, or cannot be seen."""
NUMBER = re.compile(r"-+|[+-]?[0-9][0-9,.]*(e[+-]?[0-9]+)?%?", re.IGNORECASE)

STEERING = "\x1b[31m\x07\x9b\x7f\u200e\u200b\u00ad\u061c\ue000\U000e0041"
TURNING = "\u202e\u2066"
"""What no spec may have."""
TITLE = f"=1+1 \\N &amp; <b>x</b> \u2028 {STEERING} ×漢"
CELL = f"=1+1 \\N {STEERING} ×漢"
SPEC = f"""arch 1
network N(k = 10) {{
  title "{TITLE}"
  cite "{TITLE}"
  input 8 x 8 x 3
  table "{TITLE}" {{
  | Input | Operator | c  | {CELL}  |
  | 8²×3  | {CELL}   | 4  | {CELL}  |
  | 8²×4  | relu     | -  | @SUM(1) |
  | 8²×4  | conv     | 4  | -1.5    |
  }}
  read "{CELL}" = conv(3, c)
  read "conv" = conv(1, c)
  read "relu" = relu
}}
"""
WRONG = SPEC.replace('read "relu" = relu', 'read "relu" = q').replace("8²×4", f"8²×9 {STEERING}")
SOLIDS = f"""arch 1
network S {{
  title "{TITLE}"
  input 8 x 8 x 3
  body conv(3, 4) -> conv(1, 5)
}}
"""
TABLE = f"""<table><caption>{CELL}</caption><tr><th>Input<th>Operator<th>c<th>{CELL}</tr>
<tr><td>8²×3<td>conv(3, 4)<td>4<td>see: {CELL}{TURNING}</tr></table>"""
WRONG_FILE = "wrong.arch"
ARGUMENT = f"=x \\N {STEERING}{TURNING}\nerror: forged\r\t×漢\udcff"
"""A name of a file, or an argument."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where tests work: hostile texts under names that are hostile too."""
    monkeypatch.chdir(tmp_path)
    name = Path(f"{ARGUMENT}.arch")
    for path, text in ((name, SPEC), (Path("net.arch"), SPEC), (Path("wrong.arch"), WRONG), (Path("s.arch"), SOLIDS)):
        path.write_text(text, encoding="utf-8")
    Path(ARGUMENT).write_text(SPEC, encoding="utf-8")  # no folder can be made there
    Path("table.html").write_text(TABLE, encoding="utf-8")
    return tmp_path


def clean(data: bytes) -> str:
    """The text of an output, in which nothing is hidden and no line forged."""
    text = data.decode("utf-8")
    assert FORBIDDEN.findall(text) == []
    assert not re.search("^error: forged", text, re.MULTILINE)
    return text


def said(arguments: list[str], capture: pytest.CaptureFixture[bytes]) -> tuple[int, str]:
    """The exit code of a command, and what it printed on stdout."""
    code = run(arguments)
    out, err = capture.readouterr()
    clean(err)
    return code, clean(out)


# ---- one place ----

HOMES = {
    "print": {"cli/output.py"},
    "echo": {"cli/output.py"},
    "secho": set(),
    "stdout": {"cli/output.py", "cli/group.py", "cli/__init__.py"},
    "stderr": {"cli/output.py", "cli/__init__.py"},
    "model_dump_json": {"cli/commands.py", "train/trained.py"},
    "writer": set(),
    "ensure_ascii": {"escape.py"},
    "escape": {"escape.py", "drawing/labels.py", "drawing/__init__.py"},
}
"""What makes output, and the modules that may: `group` sees that nobody reads stdout any more, `cli` lets go of what
could not be written, the two that dump models hand them to `json_escaped`, those of drawing have what Graphviz and an
attribute need, and `output` tells what click's `echo` could not print.
"""


def made(tree: ast.AST) -> Iterator[str]:
    """What a module uses to make output."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name("print" as name)):
                yield name
            case ast.Attribute(value=ast.Name("sys"), attr="stdout" | "stderr" as name):
                yield name
            case ast.Attribute(value=ast.Name("click"), attr="echo" | "secho" as name):
                yield name
            case ast.Attribute(value=ast.Name("csv"), attr="writer" as name):
                yield name
            case ast.Attribute(value=ast.Name("html"), attr="escape" as name):
                yield name
            case ast.Call(func=ast.Attribute(attr="print" | "model_dump_json" as name)):
                yield name
            case ast.keyword("ensure_ascii" as name):
                yield name


def test_each_kind_of_output_is_made_in_one_place() -> None:
    package = ROOT / "archspec"
    found = [
        (str(path.relative_to(package)), name)
        for path in sorted(package.rglob("*.py"))
        for name in made(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert [(path, name) for path, name in found if path not in HOMES[name]] == []


# ---- every option of every command ----


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands, with the words that call them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        elif command is not None:
            yield (*path, name), command


WALKED = {" ".join(path): command for path, command in commands() if path != ("lsp",)}
USUAL: dict[str, list[str]] = {
    "lab relu": ["--draws", "1"],
    "explain": ["nope"],
    "list": ["nope"],
    "verify": ["nope.arch", "--backend", "nope"],
    "train": ["nope.arch", "--data", "nope"],
    "compare": ["nope.arch", "--data", "nope"],
    "fit": ["net.arch", "--vary", "k", "--macs", "1M"],
    "sweep": ["net.arch", "--max-candidates", "3"],
    "chart": ["net.arch=1", "-o", "x.svg"],
    "import": ["table.html"],
    **{
        f"weights {name}": ["w.safetensors", "net.arch", "-o", "w.pth", *options]
        for name, options in {
            "import": ["--from", "torch"],
            "export": ["--to", "torch"],
            "convert": ["--from", "torch", "--to", "torch"],
        }.items()
    },
    **{name: ["net.arch"] for name in ("stats", "graph", "check", "fmt", "render", "table")},
}
"""Arguments with which a command does little; those that train or serve are given a file that is not there."""


@pytest.mark.parametrize("name", WALKED)
def test_an_argument_of_any_command_is_text_in_what_it_says(
    name: str, folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    usual = USUAL.get(name, ["nope.arch"])
    options = usual[next((i for i, word in enumerate(usual) if word.startswith("-")), len(usual)) :]
    for parameter in WALKED[name].params:
        if isinstance(parameter, click.Option) and parameter.is_flag:
            continue
        pairs = () if isinstance(parameter.type, click.Path) else (f"k={ARGUMENT}", f"{ARGUMENT}=1")
        for value in (ARGUMENT, *pairs):
            given = (
                [*options, f"{value}?"] if isinstance(parameter, click.Argument) else [*usual, parameter.opts[0], value]
            )
            code, _ = said([*name.split(), *given], capsysbinary)
            assert code in {0, 1, 2, 3, 4}


# ---- every form ----

MORE: tuple[list[str], ...] = (
    [], ["--by", "stage"], ["--by", "layer"], ["--device", "jetson_nano"], ["--style", "printed"], [WRONG_FILE],
)  # fmt: skip
FORMS = [
    (name, option.opts[0], form, more)
    for name, command in WALKED.items()
    for option in command.params
    if option.name == "form" and isinstance(option.type, click.Choice) and name not in {"lab relu", "evaluate"}
    for form in option.type.choices
    for more in MORE
    if more in ([], [WRONG_FILE][name == "table" :]) or {*more} & {flag for p in command.params for flag in p.opts}
]
"""Every form of every command that has some, except of those that compute; with what else changes what is shown."""


@pytest.mark.parametrize(("name", "flag", "form", "more"), FORMS)
def test_every_form_shows_the_texts_of_a_spec(
    name: str, flag: str, form: str, more: list[str], folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out = said([name, f"{ARGUMENT}.arch", *more, flag, form], capsysbinary)
    assert code == (more == [WRONG_FILE])
    if form == "json" and out:
        json.loads(out)
    if form == "html":
        assert printable(TITLE) in visible(out) or more not in ([], ["--style", "printed"])
    if form == "csv":
        cells = [cell for row in csv.reader(io.StringIO(out)) for cell in row]
        assert [cell for cell in cells if computed(cell)] == []
    if form == "markdown":
        cells = [cell for line in out.splitlines() for cell in line.split("|")]
        assert [cell for cell in cells if computed(cell.strip()) and not re.fullmatch("-+:?", cell.strip())] == []


def computed(cell: str) -> bool:
    """Whether a spreadsheet takes a cell for a formula."""
    return cell[:1] in {"=", "+", "-", "@", "\t", "\r"} and NUMBER.fullmatch(cell) is None


class Visible(HTMLParser):
    """The text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def visible(page: str) -> str:
    parser = Visible()
    parser.feed(page)
    return "".join(parser.text)


OUTPUTS = {
    "dot": ["render", "net.arch", "--level", "layer"],
    "svg": ["render", "net.arch"],
    "html": ["render", "net.arch", "s.arch"],
    "solids.svg": ["render", "s.arch", "--level", "filters"],
    "solids.png": ["render", "s.arch", "--level", "filters"],
    "chart.svg": ["chart", "net.arch=1", "s.arch=2", "--label", ARGUMENT],
    "chart.png": ["chart", "net.arch=1", "s.arch=2", "--label", ARGUMENT],
    "csv": ["sweep", "net.arch", "s.arch"],
    "json": ["sweep", "net.arch", "s.arch"],
    "jsonl": ["sweep", "net.arch", "s.arch"],
    "tex": ["table", "net.arch", "--format", "latex", "--style", "printed"],
    "py": ["build", "net.arch", "--emit", "source"],
    "arch": ["import", "table.html"],
}


@pytest.mark.parametrize("suffix", OUTPUTS)
def test_every_file_holds_the_texts_of_a_spec(
    suffix: str, folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = f"{ARGUMENT}.{suffix}"
    assert said([*OUTPUTS[suffix], "-o", path], capsysbinary)[0] == 0
    data = Path(path).read_bytes()
    if suffix.endswith("png"):
        return
    text = clean(data.replace(asset("page.js").encode(), b""))
    match suffix.rpartition(".")[2]:
        case "svg":
            shown = "".join(ElementTree.fromstring(data).itertext())
            assert "=x \\N" in shown if "chart" in suffix else "=1+1 \\N &amp; <b>x</b>" in shown
        case "html":
            assert "\\\\N &amp; \\u003cb" in text
        case "csv":
            assert not any(computed(cell) for row in csv.reader(io.StringIO(text)) for cell in row)
        case "json":
            json.loads(text)
        case "py":
            assert "=1+1 \\N &amp; <b>x</b>" in (ast.get_docstring(ast.parse(text)) or "")


def test_a_page_shows_what_steers_as_its_code_point(folder: Path) -> None:
    assert run(["render", "net.arch", "-o", "net.html"]) == 0
    found = re.search('<script id="data" type="application/json">(.*?)</script>', Path("net.html").read_text("utf-8"))
    assert found
    assert json.loads(found[1])["networks"][0]["title"] == printable(TITLE)


def test_a_built_model_is_named_in_one_line(folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    code, out = said(["build", f"{ARGUMENT}.arch", "-o", f"{ARGUMENT}.safetensors"], capsysbinary)
    assert code == 0
    assert f"saved to {printable(ARGUMENT)}" in out


# ---- names of files ----


@pytest.mark.parametrize("name", [b"\xff", b"a\x1b[31m\x9b", b"a\nerror: forged", "\u202egnp".encode(), b"a\tb", b"-x"])
def test_a_folder_is_walked_whatever_its_files_are_called(
    name: bytes, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    os.mkdir(os.path.join(os.fsencode(tmp_path), name))
    inside = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
    (inside / Path(os.fsdecode(name + b".arch"))).write_text(SPEC, encoding="utf-8")
    (inside / Path(os.fsdecode(name + b"2.arch"))).write_text(WRONG, encoding="utf-8")
    assert said(["check", str(inside)], capsysbinary)[0] == 1
    code, out = said(["check", str(inside), "--format", "json"], capsysbinary)
    assert code == 1
    assert json.loads(out)["diagnostics"]
    for options in (["--check"], ["--diff"], []):
        assert said(["fmt", str(inside), *options], capsysbinary)[0] in {0, 1}
    assert said(["graph", str(inside / os.fsdecode(name + b".arch")), "--json"], capsysbinary)[0] == 0


def test_verify_walks_it_too(folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    Path("inner").mkdir()
    Path("inner", f"{ARGUMENT}.arch").write_text(SPEC, encoding="utf-8")
    assert said(["verify", "inner", "--backend", "torch", "--backend", "onnx"], capsysbinary)[0] == 0


# ---- other encodings ----


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252", "utf-16"])
def test_a_stream_of_another_encoding_gets_what_it_has(
    encoding: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def printed(*arguments: str) -> str:
        written = io.BytesIO()
        with monkeypatch.context() as streams:
            streams.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
            streams.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
            assert run(list(arguments)) in {0, 1}
            return written.getvalue().decode(encoding)

    assert ("8²" if encoding != "ascii" else "8<B2>") in printed("stats", "net.arch", "--by", "stage")
    assert ("漢" if encoding == "utf-16" else "<6F22>") in printed("stats", "net.arch")
    assert json.loads(printed("graph", "net.arch", "--json"))["title"] == TITLE
    printed("check", "wrong.arch")
    if encoding != "ascii":  # for which click writes UTF-8
        assert "--columns NAME," in printed("table", "--help")


def test_a_source_is_utf_8_whatever_the_encoding_of_stdout(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "archspec", "fmt", "-"],
        input=SPEC.encode(), capture_output=True, check=False,
        env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert CELL in done.stdout.decode("utf-8")
    assert done.stderr == b""


# ---- each kind of output ----


@pytest.mark.parametrize("text", ["=1", "+a", "-a", "@a", "\t=1", " =1", "-1+1", "＝1", "+1 2", "=", "--a"])
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(text: str) -> None:
    assert csv_line([text]).lstrip('"').startswith("'")


@pytest.mark.parametrize("text", ["-", "--", "-1", "-1.5", "+3", "1e-5", "-1e-5", "-2%", "1,000", "a=1", "'=1", "conv"])
def test_a_number_and_a_dash_stay_as_they_are(text: str) -> None:
    assert inert(text) == text


@pytest.mark.parametrize("text", ["@head → relu", "=1", "-a", "-", "a", "'a", ""])
def test_a_table_is_read_without_the_apostrophe(text: str) -> None:
    assert bare(inert(text)) == text


def test_a_cell_of_csv_is_one_cell_whatever_parts_cells() -> None:
    texts = ["a,b", 'a"b', "a;=1", "a\tb", " a ", "", "a\nb"]
    assert next(csv.reader([csv_line(texts)])) == ["a,b", 'a"b', "a;=1", "a    b", " a ", "", "a<0A>b"]
    assert next(csv.reader([csv_line(["a;=1", "b"])], delimiter=";"))[0] != "a"


def test_numbers_and_nothing_are_written_as_csv_has_them() -> None:
    assert csv_line([1, -2.5, None, True]) == "1,-2.5,,True"


def test_json_is_the_same_data_without_what_steers() -> None:
    data = {"a": TITLE, "b": [1, "\U000e0041漢"]}
    assert json.loads(json_text(data)) == data
    assert not FORBIDDEN.search(json_text(data))
    assert json_text("\udcff") == '"<DCFF>"'


def test_latex_takes_no_cell_for_an_option() -> None:
    assert latex_cell("[1]") == "{[}1]"
    assert latex_cell("*") == "{*}"


def test_latex_joins_formulas_and_keeps_dollars() -> None:
    assert latex_text("$<>") == r"\$$<>$"
