"""The command line as a user meets it: what it prints, where, and its exit codes."""

import csv
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import psutil
import pytest

from archspec import library
from archspec.cli.commands import run
from archspec.elaborate.catalogue import catalogue, head
from archspec.syntax.tree import Block, Reading

SPEC = Path(__file__).parent.parent / "specs" / "mobilenet_v2.arch"
SWAPPED = (
    SPEC.read_text(encoding="utf-8")
    .replace("6 | 64   | 4 | 2", "6 | 64   | 4 | 1")
    .replace("6 | 96   | 3 | 1", "6 | 96   | 3 | 2")
)


def test_stats_prints_the_counts_of_mobilenet_v2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", str(SPEC)]) == 0
    assert "3,504,872 params; 300,774,272 MACs" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["table", "markdown", "latex", "csv", "json"])
@pytest.mark.parametrize("by", ["row", "block", "layer"])
def test_every_form_of_stats_holds_the_total_of_every_line(
    form: str, by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["stats", "mobilenet_v2", "--by", by, "--format", form]) == 0
    out = capsys.readouterr().out
    if form == "json":
        counted = json.loads(out)
        assert sum(line["params"] for line in counted["lines"]) == counted["params"] == 3_504_872
        assert sum(line["macs"] for line in counted["lines"]) == counted["macs"] == 300_774_272
    else:
        assert "1,281,000" in out or "1281000" in out or "1280000" in out


def test_a_parameter_changes_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", "mobilenet_v2", "-p", "alpha=0.5"]) == 0
    assert "1,968,680 params" in capsys.readouterr().out


@pytest.mark.parametrize(("by", "part"), [([], "stages"), (["--by", "row"], "lines"), (["--by", "stage"], "stages")])
def test_json_is_one_document_however_many_specs_there_are(
    by: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["stats", "vgg16", "mobilenet_v2", "--format", "json", *by]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [network["name"] for network in found] == ["vgg16", "MobileNetV2"]
    assert [sum(line["params"] for line in network[part]) for network in found] == [138_357_544, 3_504_872]
    assert run(["stats", "vgg16", "--format", "json", *by]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "vgg16"


def test_a_member_that_there_is_not_is_answered_by_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", "resnet:nosuch"]) == 1
    assert "it declares `ResNet`, `resnet18`, `resnet34`, " in capsys.readouterr().err


def test_several_specs_stand_side_by_side_by_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", "mobilenet_v2", "inception_v3", "vgg16", "--format", "csv"]) == 0
    head, *lines = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (head["stage"], head["vgg16 maps"], head["MobileNetV2 params"]) == ("1", "224²", "")
    assert [line["stage"] for line in lines] == ["1/2", "1/4", "1/8", "1/16", "1/32", "1/64", "head"]
    assert lines[0]["InceptionV3 maps"] == "149² 147²"
    for name, macs in (("MobileNetV2", 300_774_272), ("InceptionV3", 5_718_899_296), ("vgg16", 15_470_264_320)):
        assert sum(int(line[f"{name} MACs"] or 0) for line in [head, *lines]) == macs


def test_several_specs_can_be_printed_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", "mobilenet_v2", f"{SPEC}:mobilenet_v2_1_4", "--by", "row"]) == 0
    out = capsys.readouterr().out
    assert out.index("3,504,872 params") < out.index("6,108,776 params")


def test_standard_input_is_a_spec(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = io.TextIOWrapper(io.BytesIO(SPEC.read_bytes()), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", text)
    assert run(["stats", "-"]) == 0
    assert "3,504,872 params" in capsys.readouterr().out


def test_check_passes_over_the_folder_of_specs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(SPEC.parent)]) == 0
    assert "mobilenet_v2.arch: no errors" in capsys.readouterr().out


def test_the_exchanged_strides_are_shown_at_their_cell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "swapped.arch").write_text(SWAPPED, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run(["check", "swapped.arch"]) == 1
    error = capsys.readouterr().err
    assert "swapped.arch:20:47" in error
    assert "`s` should be 2" in error
    assert "exchange `s` of rows 5 and 6" in error


def test_check_as_json_gives_a_tool_the_place_and_the_edits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "swapped.arch"
    path.write_text(SWAPPED, encoding="utf-8")
    assert run(["check", str(path), "--format", "json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    (found,) = printed["diagnostics"]
    assert printed["errata"] == []
    assert (found["code"], found["line"], found["column"]) == ("shape-claim", 20, 47)
    assert [edit["text"] for edit in found["edits"]] == ["2", "1"]


def test_verify_compares_the_installed_backends(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "squeezenet1_1", "--input", "64x64"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("SqueezeNet1_1")]
    assert [" ".join(line.split()[1:5]) for line in lines] == [
        "keras, torch 1,235,496 21,584,576",
        "keras, onnx 1,235,496 21,584,576",
    ]
    assert run(["verify", "squeezenet1_1", "--backend", "torch"]) == 3
    assert "there are no two backends to compare" in capsys.readouterr().err


def test_verify_takes_all_networks_of_a_folder_and_goes_on_after_one_that_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.arch").write_text("arch 1\nnetwork Wrong { input 8 x 8 x 3 body maxpool(9, pad = valid) }\n")
    two = "arch 1\nnetwork N(c = 4) { input 8 x 8 x 3 body conv(3, c) }\nvariant wide = N(c = 6)\n"
    (tmp_path / "b.arch").write_text(two)
    assert run(["verify", str(tmp_path), "--backend", "torch", "--backend", "onnx"]) == 1
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines() if "equal" in line] == ["N", "wide"]
    assert "error[shape-mismatch]" in err


def test_check_lists_the_errata_with_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "mobilenet_v1"]) == 0
    assert capsys.readouterr().out == (
        "mobilenet_v1: no errors (55 claims, 1 erratum)\n"
        "  row 26, stride: s2, read as s1: it is given 7×7, and so is row 27; with s2 that would be 4×4\n"
    )
    assert run(["check", "mobilenet_v1", "--format", "json"]) == 0
    (erratum,) = json.loads(capsys.readouterr().out)["errata"]
    assert (erratum["place"], erratum["printed"], erratum["correction"]) == ("row 26, stride", "s2", "s1")


def test_the_graph_as_json_follows_its_published_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["graph", "mobilenet_v2", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert run(["graph", "mobilenet_v2", "--json"]) == 0
    graph = json.loads(capsys.readouterr().out)
    jsonschema.validate(graph, schema)
    assert len(graph["nodes"]) == 154


@pytest.mark.parametrize("what", ["specs", "operators", "blocks", "readings", "backends", "codes"])
def test_list_shows_what_there_is(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {
        "specs": "mobilenet_v2_1_4", "operators": "dwconv", "backends": "torch", "codes": "shape-claim",
        "blocks": "squeeze_excite", "readings": "mobilenet_v2",
    }  # fmt: skip
    assert run(["list", what]) == 0
    assert wanted[what] in capsys.readouterr().out


def test_every_code_can_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list", "codes"]) == 0
    codes = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:] if line.strip()]
    assert len(codes) > 30
    for code in codes:
        assert run(["explain", code]) == 0
        assert code in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["stats", "mobilenet_v2"], 0),
        (["check", "wrong.arch"], 1),
        (["stats", "mobilenet_v2", "-p", "alfa=1"], 2),
        (["stats", "mobilenet_v2", "-p", "alpha"], 2),
        (["stats", "mobilenet_v2", "-p", "alpha=wide"], 2),
        (["stats"], 2),
        (["nonsense"], 2),
        (["explain", "nonsense"], 2),
        (["build", "mobilenet_v2", "--backend", "tensorflw"], 2),
        (["build", "mobilenet_v2", "-o", "model.xyz"], 2),
        (["stats", "missing.arch"], 3),
        (["build", "mobilenet_v2", "-o", "missing/model.pth"], 3),
        (["stats", "mobilenet_v2", "--max-nodes", "10"], 4),
        (["stats", "mobilenet_v2", "--max-size", "100"], 4),
    ],
)
def test_exit_codes_tell_what_kind_of_mistake_it_was(
    arguments: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wrong.arch").write_text("arch 1 network", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == code
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.arch"]


def test_an_interrupt_exits_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("archspec.driver.load", interrupt)
    assert run(["stats", "mobilenet_v2"]) == 130


def test_build_says_what_it_built_and_saves_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    path = tmp_path / "small.pth"
    assert run(["build", str(SPEC), "-p", "alpha=0.35", "-p", "k=10", "--backend", "torch", "-o", str(path)]) == 0
    out = capsys.readouterr().out
    assert "row_11" in out
    assert "1×1×1280" in out
    assert f"saved to {path}" in out
    state = torch.load(path, weights_only=True)
    assert state["row_11.linear.weight"].shape == (10, 1280)
    assert os.listdir(tmp_path) == ["small.pth"]


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    import torch

    states = []
    for name, seed in (("a.pth", "1"), ("b.pth", "1"), ("c.pth", "2")):
        assert run(["build", "mobilenet_v2_0_35", "--seed", seed, "-o", str(tmp_path / name)]) == 0
        states.append(torch.load(tmp_path / name, weights_only=True)["row_1.cbr_1.conv.weight"])
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_text_of_a_spec_cannot_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "evil.arch"
    path.write_text('arch 1 network N { title "\x1b[31m\u200fevil" input 8 x 8 x 3 body conv(3, 8) }', encoding="utf-8")
    assert run(["stats", str(path)]) == 0
    out = capsys.readouterr().out
    assert "<1B>[31m<200F>evil" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    "command", ["stats mobilenet_v2 --by layer", "sweep mobilenet_v2 -p input=32:6000:1"], ids=["short", "long"]
)
def test_a_closed_pipe_is_no_error(command: str) -> None:
    command = f"{sys.executable} -m archspec {command} | head -1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("command", ["check bad.arch", "check --format json bad.arch", "fmt --check bad.arch"])
def test_what_is_judged_is_judged_whoever_reads_it(command: str, tmp_path: Path) -> None:
    (tmp_path / "bad.arch").write_text("arch   1\nnetwork N { input 8 x 8 x 4 body nope }\n")
    there = f"{sys.executable} -m archspec {command} 2>&1"
    for reader in ("true", "head -1"):
        done = subprocess.run(
            ["bash", "-c", f"{there} | {reader} > /dev/null; exit ${{PIPESTATUS[0]}}"], cwd=tmp_path, check=False
        )
        assert done.returncode == 1


def test_another_pipe_that_breaks_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("archspec.driver.load", broken)
    assert run(["stats", "mobilenet_v2"]) == 1
    assert "has ended" in capfd.readouterr().err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_command_that_is_ended_leaves_nothing(jobs: str, tmp_path: Path) -> None:
    arguments = ["sweep", "mobilenet_v2", "-p", "input=32:999999:1", "-j", jobs, "-o", "out.csv"]
    process = subprocess.Popen([sys.executable, "-m", "archspec", *arguments], cwd=tmp_path, stderr=subprocess.PIPE)
    while not list(tmp_path.iterdir()):
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(1)
    started = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    _, said = process.communicate(timeout=300)
    assert (process.returncode, said.decode(), list(tmp_path.iterdir())) == (143, "", [])
    assert not psutil.wait_procs(started, timeout=120)[1]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete_commands_and_specs(shell: str) -> None:
    environment = {**os.environ, "_ARCHSPEC_COMPLETE": f"{shell}_complete", "COMP_WORDS": "archspec stats mobile"}
    environment["COMP_CWORD"] = "mobile" if shell == "fish" else "2"
    script = "from archspec.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert "mobilenet_v2_0_35" in done.stdout


INFERRED = """arch 1
network N {
  input 32 x 32 x 3
  infer s
  table {
    | Operator | Output | c |
    | conv     | 16×16  | 8 |
    | conv     | 16×16  | 8 |
  }
  read "conv" = conv(3, c, s)
}
"""


def test_what_was_inferred_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "n.arch").write_text(INFERRED, encoding="utf-8")
    assert run(["check", str(tmp_path / "n.arch")]) == 0
    assert capsys.readouterr().out.endswith("no errors (2 claims)\n  inferred in N: row 1: s = 2, row 2: s = 1\n")
    assert run(["check", str(tmp_path / "n.arch"), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["inferred"] == [
        {"network": "N", "row": row, "variable": "s", "value": value} for row, value in ((1, 2), (2, 1))
    ]
    assert run(["stats", str(tmp_path / "n.arch")]) == 0
    assert capsys.readouterr().err == "inferred in N: row 1: s = 2, row 2: s = 1\n"


def test_a_check_that_compares_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "n.arch").write_text("arch 1 network N { input 8 x 8 x 3 body relu }", encoding="utf-8")
    assert (run(["check", str(tmp_path / "n.arch")]), run(["check", "--strict", str(tmp_path / "n.arch")])) == (0, 1)
    assert "warning[no-claims]" in capsys.readouterr().err


@pytest.mark.parametrize("given", [["-p", "alpha=1", "-p", "alpha=2"], ["--max-nesting", "1000000000"]])
def test_what_cannot_be_meant_is_refused_by_the_command_line(given: list[str]) -> None:
    assert run(["stats", "mobilenet_v2", *given]) == 2


KINDS = {
    "a.keras": "export the model to ONNX", "a.h5": "export the model to ONNX", "a.pth": "torch:PACKAGE.MODULE:FUNCTION",
    "a.pt": "torch:PACKAGE.MODULE:FUNCTION", "a.yaml": "YAML",
    "a.prototxt": "a description for another program", "a.json": "JSON",
    "a.py": "`archspec import torch:MODULE:FUNCTION", "a.pdf": "copy the table out of it", "a.png": "a picture",
    "a.safetensors": "a file of weights without", "a.zip": "unpack it", "a.tflite": "export the model to ONNX",
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("data", [b"prose", b"PK\xff\x00\x01"])
@pytest.mark.parametrize("command", ["import", "stats"])
def test_a_file_of_another_kind_is_said_to_be_that(
    name: str, data: bytes, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(data)
    assert run([command, str(tmp_path / name)]) == 1
    assert KINDS[name] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "said"), [("t.md", "`archspec import FILE -o net.arch`"), ("a.onnx", "a model in ONNX")]
)
@pytest.mark.parametrize("there", [True, False])
def test_what_import_takes_is_sent_to_it(
    name: str, said: str, there: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if there:
        (tmp_path / name).write_bytes(b"| Operator |" if name == "t.md" else b"\x08\xff")
    assert run(["stats", str(tmp_path / name)]) == (1 if there else 3)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["import", "torchvision.models:resnet18"], 3, "`archspec import torch:torchvision.models:resnet18 -o"),
        (["stats", "torchvision.models:resnet18"], 3, "`archspec import torch:torchvision.models:resnet18 -o"),
        (["build", "torch:torchvision.models:resnet18"], 3, "`archspec import torch:torchvision.models:resnet18 -o"),
        (["import", "https://example.org/t.html"], 3, "archspec fetches nothing"),
        (["stats", "https://example.org/net.arch"], 3, "archspec fetches nothing"),
        (["import", str(SPEC)], 2, "is a spec already"), (["import", "vgg16"], 2, "is a bundled spec already"),
        (["import", str(SPEC.parent)], 2, "is a folder; name the file in it"),
        (["stats", str(SPEC.parent)], 3, "it is a folder; name a spec in it"),
        (["import", "nosuch.md"], 3, "nosuch.md: no such file"),
        (["stats", "mobilnet_v2"], 3, "did you mean `mobilenet_v2`?"),
        (["lab", "relu", "-o", "x.png"], 2, "a folder of several files, and 'x.png' has the suffix of a file"),
        (["compare", "-o", "x.svg"], 2, "a folder of several files, and 'x.svg' has the suffix of a file"),
        (["train", "vgg16", "--data", "digits", "-o", "x.pth"], 2, "'x.pth' has the suffix of a file"),
    ],
)  # fmt: skip
def test_what_is_not_taken_here_is_told_where_it_is(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == code
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_model_of_another_version_is_not_a_spelling(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", "mobilenet_v9"]) == 3
    assert "did you mean" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("blocks", ["cbr", "f, c, s = 1", "A convolution, its normalisation and ReLU6", 'use "blocks/inverted']),
        ("blocks", ["mbconv", "t, f, c, s, rate, se = 0.25", "MBConv of EfficientNet", 'use "blocks/mbconv"']),
        ("blocks", ["squeeze_excite", "m, act = relu, gate = sigmoid", "Squeeze-and-excitation", 'use "blocks/sq']),
        ("readings", ["shufflenet_v2", "scale = 1, k = 1000", "Table 5 of ShuffleNet V2", 'use "readings/shuff']),
    ],
)  # fmt: skip
def test_a_block_is_listed_with_its_parameters_its_meaning_and_its_file(
    what: str, line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["list", what]) == 0
    (found,) = (text for text in capsys.readouterr().out.splitlines() if text.split()[:1] == line[:1])
    places = [found.find(part) for part in line]
    assert places == sorted(places)
    assert -1 not in places


def test_everything_that_a_spec_can_use_says_what_it_is() -> None:
    listed = [*catalogue("blocks", Block), *catalogue("readings", Reading)]
    assert {one.use for one in listed} >= set(library.shared_names()) - {"blocks/keras", "blocks/letters"}
    for one in listed:
        assert 10 < len(one.summary) < 125, one.name
        assert "\n" not in one.summary
        assert one.summary[-1] not in ".,:;"


def test_the_head_of_a_block_ends_where_its_network_begins() -> None:
    found = {head(one.named) for one in catalogue("blocks", Block)}
    assert "block cbr(f, c, s = 1)" in found
    assert "block squeeze_excite(m, act = relu, gate = sigmoid) : h x w x k -> h x w x k" in found
    assert "reading shufflenet_v2(scale = 1, k = 1000)" in {head(one.named) for one in catalogue("readings", Reading)}
