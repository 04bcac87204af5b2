"""A file of another kind that is given as a spec: what it looks like, and which command takes it."""

import gzip
import io
import json
import pickle
import zipfile
from pathlib import Path

import pytest

import archspec
from archspec import library
from archspec.cli.commands import run
from archspec.cli.serve import start
from archspec.foreign import meaning

SPEC = "arch 1\n\nnetwork N {\n  input 8 x 8 x 4\n  body relu\n}\n"


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return made.getvalue()


HEADER = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
KINDS: dict[str, tuple[str, bytes | str]] = {
    "JSON": ("json", '{\n  "layers": [{"type": "conv"}]\n}\n'),
    "a list in JSON": ("json", '[{"type": "conv"}, {"type": "relu"}]'),
    "a notebook": ("ipynb", '{"cells": [{"source": ["network N {\\n"]}], "nbformat": 4}'),
    "YAML": ("yaml", "# a config\nbackbone:\n  - [-1, 1, Conv, [64, 3, 2]]\nhead: none\n"),
    "YAML with its marks": ("yaml", "---\nmodel: resnet\n"),
    "TOML": ("toml", '# a config\n[model]\nname = "resnet"\ndepth = 50\n'),
    "ONNX": ("onnx", b'\x08\x08\x12\x07pytorch\x1a\x052.0.0:\x10\n\x03net"\x04main'),
    "a program": ("elf", b"\x7fELF\x02\x01\x01\x00" + bytes(8)),
    "PDF": ("pdf", b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"),
    "PDF of text alone": ("pdf", "%PDF-1.4\n1 0 obj\n"),
    "a zip": ("zip", archive("net.arch")),
    "a file of torch.save": ("pth", archive("net/data.pkl", "net/data/0")),
    "a file of torch.export": ("pt2", archive("net/archive_format", "net/models/model.json")),
    "a model of Keras": ("keras", archive("metadata.json", "config.json", "model.weights.h5")),
    "arrays of NumPy": ("npz", archive("a.npy", "b.npy")),
    "HDF5": ("h5", b"\x89HDF\r\n\x1a\n" + bytes(8)),
    "safetensors": ("safetensors", len(HEADER).to_bytes(8, "little") + HEADER + bytes(4)),
    "PNG": ("png", b"\x89PNG\r\n\x1a\n" + bytes(8)),
    "JPEG": ("jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
    "GIF": ("gif", b"GIF89a\x01\x00\x01\x00"),
    "SVG": ("svg", '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>\n'),
    "gzip": ("gz", gzip.compress(SPEC.encode())),
    "a pickle": ("pkl", pickle.dumps({"a": 1})),
    "an old pickle": ("pkl", pickle.dumps({"a": [1]}, protocol=0)),
    "Python": ("py", '"""A network."""\n\nimport torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    pass\n'),
    "Python that holds a spec": ("py", f'import archspec\n\nSPEC = """\n{SPEC}"""\n'),
    "LaTeX": ("tex", "% Table 1\n\\begin{tabular}{lc}\nOperator & c \\\\\nconv & 16 \\\\\n\\end{tabular}\n"),
    "Markdown": ("md", "# Our network\n\nIt has two rows and is trained on small images.\n"),
    "a table of Markdown": ("md", "| Operator | c |\n|---|---|\n| conv | 16 |\n"),
    "Markdown that holds a spec": ("md", f"# The language\n\n```arch\n{SPEC}```\n"),
    "HTML": ("html", "<!DOCTYPE html>\n<html><body><table><tr><td>conv</td></tr></table></body></html>\n"),
    "a table of HTML": ("html", "<table>\n<tr><th>Operator</th></tr>\n</table>\n"),
    "CSV": ("csv", "Operator,c,n\nconv,16,1\nrelu,-,2\n"),
    "tabs": ("csv", "Operator\tc\tn\nconv\t16\t1\n"),
    "prose": ("txt", "Dear reviewers,\n\nwe thank you for your comments on our network and its table.\n"),
}


def found_in(path: Path) -> tuple[archspec.diagnostics.Diagnostic, ...]:
    with pytest.raises(archspec.SpecError) as raised:
        archspec.load(path)
    assert raised.value.exit_code == 1
    return raised.value.diagnostics


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_kind_is_called_what_it_is(tmp_path: Path, kind: str) -> None:
    suffix, content = KINDS[kind]
    path = tmp_path / "net.arch"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    known = meaning("file", suffix)
    assert known is not None
    (one,) = found_in(path)
    assert (one.code, one.message, one.help) == ("another-kind", f"this looks like {known.what}", known.absent)


def test_a_suffix_says_what_a_text_is_that_says_nothing_itself(tmp_path: Path) -> None:
    path = tmp_path / "net.cfg"
    path.write_text("convolutional\n", encoding="utf-8")
    assert [one.message for one in found_in(path)] == ["this looks like a description for another program"]


@pytest.mark.parametrize("suffix", ["txt", "json", "py", "md", "pth", "onnx", ""])
def test_a_spec_is_one_whatever_its_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"net.{suffix}"
    path.write_text(SPEC, encoding="utf-8")
    assert archspec.load(path).elaborate().name == "N"
    path.write_text(SPEC.replace("arch 1", "acrh 1"), encoding="utf-8")
    assert [one.code for one in found_in(path)] == ["unknown-edition"]


@pytest.mark.parametrize(
    "first",
    ["", "acrh 1", "Arch 1", "arch1", "# arch 1", "a", '"arch 1"', "spec 1", "edition: 1", "[arch 1]", "1", "{"],
)
def test_no_bundled_file_with_a_mistake_in_its_first_line_is_taken_for_another_kind(first: str) -> None:
    texts = [library.spec(name).text for name in library.specs()]
    texts += [source.text for name in library.shared_names() if (source := library.shared(name))]
    for text in texts:
        with pytest.raises(archspec.SpecError) as raised:
            archspec.parse(text.replace("arch 1", first, 1), "net.txt")
        assert {one.code for one in raised.value.diagnostics} <= {"unknown-edition", "unexpected-text"}


@pytest.mark.parametrize("command", ["check", "stats", "graph", "fmt", "build", "table"])
def test_every_command_that_takes_a_spec_says_it(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("JSON", "PDF", "Markdown"):
        suffix, content = KINDS[name]
        path = tmp_path / f"net.{suffix}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        assert run([command, str(path)]) == 1
        assert "this looks like" in capsys.readouterr().err


def test_the_page_to_write_in_does_not_open_a_file_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_text('{"a": 1}', encoding="utf-8")
    with pytest.raises(archspec.SpecError):
        start(str(path))


def test_an_import_of_a_file_without_a_table_says_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "paper.txt"
    path.write_bytes(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    assert run(["import", str(path)]) == 1
    assert "this looks like a document" in capsys.readouterr().err


@pytest.mark.parametrize("edition", ["2", "99", "1.5", "1.0001", "9" * 5000])
def test_a_later_edition_needs_a_newer_archspec(edition: str) -> None:
    with pytest.raises(archspec.SpecError) as raised:
        archspec.parse(f"# later\narch {edition}\nlayers N {{ of a later language }}")
    (one,) = raised.value.diagnostics
    assert (one.code, one.help) == ("later-edition", "a newer archspec is needed to read it")


MERGES = {
    "in a body": "arch 1\nnetwork N { input 4\n☞<<<<<<< a\nbody relu\n☞=======\nbody tanh\n☞>>>>>>> b\n}\n",
    "with what both began with": "arch 1\n☞<<<<<<< a\n☞||||||| c\n☞=======\n☞>>>>>>> b\n",
    "in the first line": "☞<<<<<<< a\narch 1\n☞=======\narch 1\n☞>>>>>>> b\nnetwork N { input 4 body relu }\n",
    "half mended": "arch 1\nnetwork N { input 4\nbody relu\n☞>>>>>>> b\n}\n",
    "with other line ends": "arch 1\r\n☞<<<<<<< a\r\n☞=======\r\n☞>>>>>>> b\r\nnetwork N { input 4 body relu }\r\n",
    "in a table": "arch 1\nnetwork N { input 4\ntable {\n| Operator |\n"
    '☞<<<<<<< a\n| relu |\n☞=======\n| tanh |\n☞>>>>>>> b\n}\nread "relu" = relu\n}\n',
}  # fmt: skip


@pytest.mark.parametrize("where", MERGES)
def test_an_unfinished_merge_is_all_that_is_said(where: str) -> None:
    parts = MERGES[where].split("☞")
    places = [sum(map(len, parts[: i + 1])) for i in range(len(parts) - 1)]
    with pytest.raises(archspec.SpecError) as raised:
        archspec.parse("".join(parts))
    (one,) = raised.value.diagnostics
    assert (one.code, [label.span.start for label in one.labels]) == ("unfinished-merge", places)


def test_marks_that_a_table_may_have_are_no_merge() -> None:
    table = "Operator  c\n=======  ==\nrelu      4\n"
    text = f'arch 1\nnetwork N {{ input 4\ntable {{\n{table}}}\nread "relu" = relu # <<<<<<< not a mark\n}}\n'
    assert "unfinished-merge" not in {one.code for one in archspec.parse(text).check()}
