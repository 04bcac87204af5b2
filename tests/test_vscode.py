"""The extension for VS Code: its grammar is the generated one, tokenises as VS Code does, and packages."""

import importlib.util
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "editors" / "vscode"
START = Path(__file__).parent / "vscode" / "start.js"
SAMPLE = """arch 1
# a comment
network N(k = 10) {
  title "T"
  table {
    | Input | c |
    |-------|---|
    | 8²×3  | 4 |
  }
  read "conv {f}" = conv(f, c, pad = same) -> bn if true
  body @t
}
"""
TOKENISE = """
const fs = require("fs"), path = require("path");
const vsctm = require("vscode-textmate"), oniguruma = require("vscode-oniguruma");
const wasm = fs.readFileSync(path.join(path.dirname(require.resolve("vscode-oniguruma")), "onig.wasm")).buffer;
const onigLib = oniguruma.loadWASM(wasm).then(() => ({
  createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
  createOnigString: (text) => new oniguruma.OnigString(text),
}));
const [grammarFile, textFile] = process.argv.slice(2);
const loadGrammar = async () => vsctm.parseRawGrammar(fs.readFileSync(grammarFile, "utf8"), grammarFile);
new vsctm.Registry({ onigLib, loadGrammar }).loadGrammar("source.arch").then((grammar) => {
  let stack = vsctm.INITIAL;
  const found = [];
  for (const line of fs.readFileSync(textFile, "utf8").split("\\n")) {
    const result = grammar.tokenizeLine(line, stack);
    for (const t of result.tokens) found.push([line.slice(t.startIndex, t.endIndex), t.scopes[t.scopes.length - 1]]);
    stack = result.ruleStack;
  }
  console.log(JSON.stringify(found));
});
"""


def run(*command: str, cwd: Path) -> str:
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=600).stdout


def npm(folder: Path, *packages: str) -> None:
    """Install packages; where there is no npm, or nowhere to get them from, the test is skipped."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm")
    try:
        run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages, cwd=folder)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"npm cannot install: {error}")


def test_the_grammar_is_the_generated_one() -> None:
    spec = importlib.util.spec_from_file_location("generate", FOLDER.parent / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.FILE.read_text(encoding="utf-8") == generate.written()


def test_what_the_manifest_names_is_there() -> None:
    manifest = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    contributed = manifest["contributes"]
    named = [manifest["main"], contributed["grammars"][0]["path"], contributed["languages"][0]["configuration"]]
    assert all((FOLDER / path).is_file() for path in named)
    for path in FOLDER.rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_grammar_colours_as_vs_code_does(tmp_path: Path) -> None:
    npm(tmp_path, "vscode-textmate@9.3.2", "vscode-oniguruma@2.0.1")
    (tmp_path / "tokenise.js").write_text(TOKENISE, encoding="utf-8")
    (tmp_path / "sample.arch").write_text(SAMPLE, encoding="utf-8")
    grammar = str(FOLDER / "syntaxes" / "arch.tmLanguage.json")
    found = [tuple(pair) for pair in json.loads(run("node", "tokenise.js", grammar, "sample.arch", cwd=tmp_path))]
    for word, scope in [
        ("# a comment", "comment.line.number-sign"), ("network", "storage.type"), ("N", "entity.name.type"),
        ("title", "keyword.other"), ("Input", "entity.name.tag"), ("²", "keyword.operator"),
        ("|-------|---|", "punctuation.separator.table"), ("read", "keyword.other"),
        ("{f}", "constant.other.placeholder"), ("conv", "support.function"), ("same", "support.constant"),
        ("->", "keyword.operator"), ("true", "constant.language"), ("t", "variable.other.label"),
    ]:  # fmt: skip
        assert (word, f"{scope}.arch") in found


@pytest.mark.slow
def test_the_extension_packages_and_starts_the_server(tmp_path: Path) -> None:
    folder = tmp_path / "vscode"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("node_modules"))
    npm(folder)
    npm(tmp_path, "@vscode/vsce@3.9.2")
    vsce = str(tmp_path / "node_modules" / ".bin" / "vsce")
    run(vsce, "package", "--allow-missing-repository", "-o", str(tmp_path / "a.vsix"), cwd=folder)
    with zipfile.ZipFile(tmp_path / "a.vsix") as package:
        package.extractall(tmp_path / "packaged")
    extension = tmp_path / "packaged" / "extension"
    for name in ("client.js", "syntaxes/arch.tmLanguage.json", "node_modules/vscode-languageclient/node.js"):
        assert (extension / name).is_file()
    server = Path(sys.executable).parent / "archspec"
    out = run("node", str(START), str(extension), str(server), cwd=tmp_path)
    assert json.loads(out) == {"messages": [], "registered": ["archspec.restart"]}
    out = run("node", str(START), str(extension), str(tmp_path / "nothing"), cwd=tmp_path)
    assert any('pip install "archspec-compiler[lsp]"' in message for message in json.loads(out)["messages"])
