"""Text of a spec, or of a pasted table -> what the page shows of it, as JSON has it. Nothing here knows of the web."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pygments.token import Token

from archspec import driver, report
from archspec.diagnostics import Diagnostic, SpecError, is_error
from archspec.drawing import picture
from archspec.drawing.page import networks
from archspec.elaborate.evaluate import Value
from archspec.elaborate.modules import Loader
from archspec.elaborate.parameters import value_of
from archspec.elaborate.unused import unused
from archspec.graph import Graph
from archspec.highlight import ArchLexer
from archspec.limits import DEFAULT_LIMITS
from archspec.pasting import pasted, tables_in
from archspec.source import Source
from archspec.spec import Spec

Data = dict[str, Any]
SPEC = re.compile(r"^\s*(arch\s+\d|network\b|block\b|variant\b|reading\b|def\b|use\b)", re.MULTILINE)
"""What a text has that is a spec and not only a table."""
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\s*=\s*([^\s,;]+)")
CLASSES: tuple[tuple[Any, str], ...] = (
    (Token.Comment, "comment"), (Token.Keyword, "keyword"), (Token.Literal.String, "string"),
    (Token.Literal.Number, "number"), (Token.Name.Builtin, "operator"), (Token.Name.Function, "name"),
    (Token.Name.Class, "name"), (Token.Name.Attribute, "attribute"), (Token.Generic.Heading, "header"),
)  # fmt: skip
SECONDS = 60
"""After which writing a source is given up, where nobody else watches over it."""


def answer(text: str, name: str, folder: Path, member: str | None = None, parameters: str = "") -> Data:
    """What is wrong with a text, and its networks; a table alone is read as one, and the spec of it is answered."""
    found: Data = {"tokens": tokens(text), "diagnostics": [], "members": [], "network": None}
    if text.strip() and not SPEC.search(text):
        made = imported(text, name)
        if made is not None:
            return made
    try:
        spec = loaded(text, name, folder, member)
        found["members"] = list(spec.members)
        graph = spec.elaborate(**assigned(parameters))
        diagnostics = [*spec.warnings, *spec.check()]
        diagnostics += [] if any(map(is_error, diagnostics)) else unused(spec.resolved)
    except SpecError as error:
        found["diagnostics"] = [said(diagnostic, name) for diagnostic in error.diagnostics]
        return found
    found["member"] = spec.name
    found["diagnostics"] = [said(diagnostic, name) for diagnostic in unlike(diagnostics)]
    found["network"] = networks([graph])
    return found


def encoded(text: str, name: str, folder: Path, member: str | None, parameters: str) -> bytes:
    """What `answer` gives, as JSON."""
    return json.dumps(answer(text, name, folder, member, parameters), allow_nan=False, separators=(",", ":")).encode()


def given_up(why: str) -> bytes:
    """The answer about a text that is not looked at any longer, as JSON."""
    advice = "archspec on the command line has no such limit"
    said = {
        "line": 0, "column": 1, "end_line": 0, "end_column": 1, "code": "limit", "severity": "error",
        "message": why, "help": advice, "text": f"error[limit]: {why}\n = help: {advice}", "edits": [],
    }  # fmt: skip
    return json.dumps({"tokens": [], "members": [], "network": None, "diagnostics": [said]}).encode()


def source(text: str, name: str, folder: Path, member: str | None, backend: str, parameters: str) -> str:
    """The source of a model, or comments that say why it cannot be written."""
    return refusal(text, name, folder, member) or written(text, backend, folder, member, parameters)


def imported(text: str, name: str) -> Data | None:
    """The spec of a pasted table; None if the text has no table."""
    source = Source(name, text)
    tables = tables_in(source)
    if not tables:
        return None
    try:
        made = pasted(tables)
    except SpecError as error:
        # what would mend the spec of a reading need not be a change of the text that was pasted
        return {
            "tokens": [], "members": [], "network": None,
            "diagnostics": [{**said(diagnostic, name), "edits": []} for diagnostic in error.diagnostics],
        }  # fmt: skip
    notes = [f"Read as {made.reading}.", *made.notes]
    return {"imported": made.text, "notes": notes}


def loaded(text: str, name: str, folder: Path, member: str | None) -> Spec:
    """The Spec of a text whose files are looked up in the folder and nowhere else; raises `SpecError`."""
    source = Source(name, text)
    loader = Loader(DEFAULT_LIMITS, folder)
    spec = driver.read(source, folder, None, DEFAULT_LIMITS, loader)
    members = spec.members
    chosen = member if member in members else members[0] if len(members) > 1 else None
    return spec.member(chosen) if chosen is not None else spec


def assigned(parameters: str) -> dict[str, Value]:
    """`alpha=0.5 k=10`."""
    return {name: value_of(value) for name, value in ASSIGNMENT.findall(parameters)}


def graph_of(text: str, name: str, folder: Path, member: str | None, parameters: str) -> Graph:
    """The Graph of a text; raises `SpecError`."""
    return loaded(text, name, folder, member).elaborate(**assigned(parameters))


def drawn(text: str, form: str, name: str, folder: Path, member: str | None, parameters: str) -> bytes:
    """The picture of a text; raises `SpecError` and `Refusal`."""
    return picture(graph_of(text, name, folder, member, parameters), form)


def written(text: str, backend: str, folder: Path, member: str | None, parameters: str) -> str:
    """The source of a model, by `archspec build` in a process of its own: no backend is imported here.

    What it prints on stderr where it refuses. It reads whatever file a text uses: `refusal` is asked first.
    """
    spec = f"-:{member}" if member else "-"
    given = [f"-p{key}={value}" for key, value in ASSIGNMENT.findall(parameters)]
    # -P: what is called `archspec.py` in the folder is not the module
    python = sys.executable, "-P", "-m", "archspec"
    command = [*python, "build", "--emit", "source", "--backend", backend, *given, "--", spec]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, cwd=folder, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"# writing the source took more than {SECONDS} seconds"
    if done.returncode:
        return commented(done.stderr.decode(errors="replace"))
    return done.stdout.decode()


def refusal(text: str, name: str, folder: Path, member: str | None) -> str:
    """Why no network can be read from a text and the folder alone, as comments; empty where it can."""
    try:
        loaded(text, name, folder, member)
    except SpecError as error:
        return commented("\n".join(report.text_of(diagnostic) for diagnostic in error.diagnostics))
    return ""


def commented(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.splitlines())


def unlike(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Diagnostics, each once."""
    return list(dict.fromkeys(diagnostics))


def said(diagnostic: Diagnostic, name: str) -> Data:
    """A diagnostic with its place in the text, and as a person reads it; line 0 where it is in another file."""
    made = report.json_of(diagnostic)
    own = next((place for place in (made, *made["stack"]) if place["file"] == name), None)
    place: Mapping[str, Any] = own or {"line": 0, "column": 1, "end_line": 0, "end_column": 1}
    kept = {key: place[key] for key in ("line", "column", "end_line", "end_column")}
    return {
        **kept, "code": made["code"], "severity": made["severity"], "message": made["message"], "help": made["help"],
        "text": report.text_of(diagnostic), "edits": made["edits"] if own else [],
    }  # fmt: skip


def tokens(text: str) -> list[tuple[int, int, str]]:
    """What is coloured: from, to, how."""
    found = []
    for start, kind, value in ArchLexer().get_tokens_unprocessed(text):
        name = next((name for token, name in CLASSES if kind in token), None)
        if name is not None and value.strip():
            found.append((start, start + len(value), name))
    return found
