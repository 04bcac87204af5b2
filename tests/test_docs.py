"""Every example of README.md and docs/ runs and gives what is written under it.

A fence says what its block is: `arch` checks clean (`error=CODE` or `warning=CODE`: exactly that is found, `file=NAME`:
later examples of the page use it, `excerpt=PATH`: it stands in that file); `python` prints what the comments after its
`print`s say, or is an excerpt; `console` prints what follows each `$ archspec`, a line `...` being any number of lines;
the `archspec` lines of `sh` exit with 0. The `toml` of backends.md is that of tests/backends/test_from_outside.py.
"""

import contextlib
import importlib.util
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

import archspec
from archspec.cli.commands import run
from archspec.diagnostics import Diagnostic

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^( *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:)(?P<path>[^)#]*)(?:#(?P<anchor>[^)]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    options: tuple[tuple[str, str], ...]
    text: str

    def option(self, name: str) -> str | None:
        return dict(self.options).get(name)

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        language, *options = match["info"].split() or [""]
        pairs = tuple((name, value) for name, _, value in (option.partition("=") for option in options))
        found.append(Block(page, text.count("\n", 0, match.start()) + 1, language, pairs, match["text"]))
    return tuple(found)


def of(*languages: str) -> list[Block]:
    return [block for page in PAGES for block in blocks(page) if block.language in languages]


@pytest.fixture(scope="session")
def checkpoints(torchvision: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What users have of torchvision's: a whole checkpoint, and one of a network of ten classes that is damaged."""
    made = tmp_path_factory.mktemp("checkpoints")
    torch.save(torchvision.squeezenet1_1(weights=None).state_dict(), made / "squeezenet1_1.pth")
    state = torchvision.squeezenet1_1(weights=None, num_classes=10).state_dict()
    state["optimizer"] = state.pop("features.3.squeeze.bias")
    torch.save(state, made / "mine.pth")
    return made


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the specs and the files that the page of the block writes."""
    page = request.getfixturevalue("block").page
    shutil.copytree(ROOT / "specs", tmp_path / "specs", ignore=shutil.ignore_patterns("__pycache__"))
    spec = (ROOT / "specs" / "mobilenet_v2.arch").read_text(encoding="utf-8")
    swapped = spec.replace("64   | 4 | 2", "64   | 4 | 1").replace("96   | 3 | 1", "96   | 3 | 2")
    (tmp_path / "first_version.arch").write_text(swapped, encoding="utf-8")
    for block in blocks(page):
        name = block.option("file")
        if name is not None and not name.startswith("specs/"):
            assert not (tmp_path / name).exists(), f"{block}: {name} is written twice"
            (tmp_path / name).write_text(block.text, encoding="utf-8")
    if "weights import" in request.getfixturevalue("block").text:
        shutil.copytree(request.getfixturevalue("checkpoints"), tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def diagnostics(text: str) -> list[Diagnostic]:
    try:
        spec = archspec.parse(text)
        return spec.check_all() or list(spec.unused())
    except archspec.SpecError as error:
        return list(error.diagnostics)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("block", of("arch"), ids=str)
def test_a_spec_checks_as_its_fence_says(block: Block) -> None:
    excerpt, file = block.option("excerpt"), block.option("file")
    if excerpt is not None:
        assert block.text in (ROOT / excerpt).read_text(encoding="utf-8")
        return
    if file is not None and file.startswith("specs/"):
        assert block.text == (ROOT / file).read_text(encoding="utf-8")
    found = {(diagnostic.severity.value, diagnostic.code) for diagnostic in diagnostics(block.text)}
    assert found == {(kind, code) for kind, code in block.options if kind in {"error", "warning"}}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("block", of("python"), ids=str)
def test_a_program_prints_what_its_comments_say(block: Block) -> None:
    excerpt = block.option("excerpt")
    if excerpt is not None:
        assert block.text in (ROOT / excerpt).read_text(encoding="utf-8")
        return
    wanted = re.findall(r"^ *print\(.*\) +# (.*)$", block.text, re.MULTILINE)
    assert len(wanted) == len(re.findall(r"^ *print\(", block.text, re.MULTILINE)), "a print without a comment"
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(block.text, str(block), "exec"), {"__name__": "__main__"})
    assert [line.rstrip() for line in out.getvalue().splitlines()] == wanted


def output(command: str) -> tuple[int, str]:
    """The exit code of an `archspec` command and what it printed, stdout and stderr together."""
    name, *arguments = shlex.split(command, comments=True)
    assert name == "archspec"
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
        code = run(arguments)
    return code, "\n".join(line.rstrip() for line in out.getvalue().splitlines())


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("block", of("console"), ids=str)
def test_a_command_prints_what_stands_under_it(block: Block) -> None:
    code = 0
    assert block.text.startswith("$ ")
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, wanted = part.partition("\n")
        code, found = (code, str(code)) if command == "echo $?" else output(command)
        lines = (".*?" if line == "..." else re.escape(line.rstrip()) for line in wanted.strip("\n").splitlines())
        assert re.fullmatch("\n".join(lines), found.strip("\n"), re.DOTALL), f"$ {command}\n{found}"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("block", of("sh"), ids=str)
def test_the_commands_of_a_list_run(block: Block) -> None:
    for line in block.text.splitlines():
        if line.startswith("archspec "):
            code, found = output(line)
            assert code == 0, f"{line}\n{found}"


def test_every_block_says_what_it_is() -> None:
    known = {"arch", "python", "console", "sh", "text", "json", "toml"}
    assert [str(block) for page in PAGES for block in blocks(page) if block.language not in known] == []
    assert all(page.read_text(encoding="utf-8").count("```") == 2 * len(blocks(page)) for page in PAGES)


def slug(heading: str) -> str:
    """The anchor that a heading gets on GitHub."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for match in LINK.finditer(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target = (page.parent / match["path"]).resolve() if match["path"] else page
        assert target.exists(), match[0]
        if match["anchor"]:
            headings = HEADING.findall(FENCE.sub("", target.read_text(encoding="utf-8")))
            assert match["anchor"] in map(slug, headings), match[0]


@pytest.mark.parametrize("script", ["generate", pytest.param("generate_zoo", marks=pytest.mark.slow)])
def test_the_generated_pages_are_up_to_date(script: str) -> None:
    for path, text in generator(script).FILES.items():
        assert path.read_text(encoding="utf-8") == text(), f"run `python docs/{script}.py` ({path.name})"


@cache
def generator(script: str) -> Any:
    """The program of this name that writes pages."""
    spec = importlib.util.spec_from_file_location(script, ROOT / "docs" / f"{script}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("whole", "part"),
    [
        ("a\nb\nc\nd\ne\nf\n", "b\nc\nd\ne\n"),
        ("0\na\nb\nc\nnew\nd\ne\nf\n", "b\nc\nnew\nd\ne\n"),
        ("a\nB\nc\nd\nE\nf\n", "B\nc\nd\nE\n"),
        ("a\nb\ne\nf\n", "b\ne\n"),
        ("B\nc\nd\n", "B\nc\nd\n"),
    ],
)
def test_an_excerpt_becomes_what_its_lines_have_become(whole: str, part: str) -> None:
    assert generator("generate").part("b\nc\nd\ne\n", whole, "a file") == part


def test_an_excerpt_that_is_gone_is_not_guessed() -> None:
    with pytest.raises(SystemExit, match="a file has no part like the excerpt that begins with 'b'"):
        generator("generate").part("b\nc\nd\n", "x\ny\nd\n", "a file")


def test_every_excerpt_of_a_page_is_renewed() -> None:
    renewed, shown = generator("generate").renewed, "arch excerpt=specs/mobilenet_v2.arch"
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert shown in page
    line = page.split(f"```{shown}\n")[1].splitlines()[2]
    assert renewed(page.replace(line, "# an older line")) == page


def test_every_spec_is_shorter_than_torchvisions_file_of_its_family() -> None:
    page = (ROOT / "docs" / "zoo.md").read_text(encoding="utf-8")
    shares = {name: int(share) for name, share in re.findall(r"^\| (\w+) \|.* ([0-9]+)% \|$", page, re.MULTILINE)}
    assert len(shares) == 16
    # MobileNetV3's spec has the rules of keras.applications for other widths besides, which torchvision's file has not
    assert shares.pop("mobilenet_v3") < 60
    assert all(share < 50 for share in shares.values())


# ---- the operator that CONTRIBUTING.md adds ----


def example() -> dict[str, str]:
    """The files that its example changes, as they are after that; fails where a line that it shows is not there."""
    (diff,) = re.findall(r"^```diff\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.M | re.S)
    _, *changes = re.split(r"^--- a/.*\n\+\+\+ b/", diff, flags=re.M)
    made = {}
    for path, *lines in (change.splitlines() for change in changes):
        text, at = (ROOT / path).read_text(encoding="utf-8").splitlines(), 0
        for line in lines:
            if line.startswith("+"):
                text.insert(at, line[1:])
            else:
                at = text.index(line[1:], at)
                if line.startswith("-"):
                    del text[at]
                    continue
            at += 1
        made[path] = "\n".join(text) + "\n"
    return made


def test_the_example_of_a_new_operator_is_a_change_of_the_files_as_they_stand() -> None:
    made = example()
    assert [path for path, text in made.items() if "Elu" not in text] == ["archspec/foreign.toml"]
    assert len(made) == 3 + len(list(ROOT.glob("backends/*")))


@pytest.mark.slow
def test_the_example_of_a_new_operator_is_all_that_it_needs(tmp_path: Path) -> None:
    for folder in ("archspec", "backends", "specs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for path, text in example().items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    steps = "conv(3, 8) -> elu -> bn -> elu(0.3) -> conv(3, 8) -> elu(-0.5) -> global_avgpool -> flatten -> linear(10)"
    (tmp_path / "net.arch").write_text(f"arch 1\n\nnetwork Net {{\n  input 9 x 8 x 3\n  body {steps}\n}}\n", "utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{tmp_path / 'backends'}"}

    def archspec(*arguments: str) -> str:
        command = [sys.executable, "-m", "archspec", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert archspec("verify", "net.arch").count("equal") == 2
    assert "nn.ELU(0.3)" in archspec("build", "net.arch", "--emit", "source")
    assert "layers.ELU(alpha=0.3" in archspec("build", "net.arch", "--emit", "source", "--backend", "keras")
    assert "elu(alpha=0.3)" in archspec("stats", "net.arch")
    assert "alpha = 1" in archspec("list", "operators")
    archspec("render", "net.arch", "-o", "net.dot")
    assert "elu" in (tmp_path / "net.dot").read_text(encoding="utf-8")
