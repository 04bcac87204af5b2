"""The operators, the diagnostics and the library -> docs/operators.md, errors.md, blocks.md: `python docs/generate.py`.

The grammar of the editors is written with them. All text comes from docstrings and comments; what is written here are
the headings and the examples. The other pages get the files that they show (`file=specs/…`) and the parts of files
(`excerpt=…`) as they stand.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from difflib import SequenceMatcher
from itertools import groupby
from pathlib import Path
from runpy import run_path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import archspec
import archspec.cli.commands
from archspec.diagnostics import Diagnostic, codes
from archspec.elaborate.calls import attributes
from archspec.elaborate.catalogue import Listed, catalogue, head, opening
from archspec.graph import Graph
from archspec.initializer import DEFAULT_INIT, INITIALIZERS
from archspec.library import shared
from archspec.ops import OPERATORS, Join, Op, allowed
from archspec.syntax import tree as t
from archspec.tensor import shape_text

DOCS = Path(__file__).parent
ROOT = DOCS.parent
README = ROOT / "README.md"
SHOWN = re.compile(
    r"^(```\w+ (?:file=(?P<file>specs/\w+\.arch)|excerpt=(?P<excerpt>\S+))\n)(?P<text>.*?)(?=^```$)",
    re.MULTILINE | re.DOTALL,
)
ALIKE = 0.5
"""Less of an excerpt than this share, and nobody can say which part of its file it was."""
NOTE = "<!-- Written by `python docs/generate.py`; change the docstrings, not this file. -->"

FAMILIES = {
    "convolution": "Convolutions and the linear layer",
    "normalization": "Normalisations",
    "activation": "Activations and what acts on every value by itself",
    "pooling": "Poolings",
    "reshape": "Moving values",
    "merge": "Joins",
}
"""Module of `archspec.ops` to its heading; a module that is not here has its own name."""

INPUT = "14 x 14 x 32"
EXAMPLES = {
    "conv": "conv(3, 64, 2)",
    "dwconv": "dwconv(3, 2)",
    "linear": "linear(10)",
    "groupnorm": "groupnorm(8)",
    "maxpool": "maxpool(3, 2)",
    "avgpool": "avgpool(2)",
    "adaptive_avgpool": "adaptive_avgpool(7)",
    "pad": "pad(0x1x0x1)",
    "slice": "slice(0, 16)",
    "upsample": "upsample(2)",
    "stochastic_depth": "stochastic_depth(0.1)",
}
"""Operators whose example needs arguments; for others every required one is 2."""

OPERATORS_HEAD = """# Operators

The operators that a spec can name. `archspec list operators` prints the same list, shorter.

The attributes that may be given by place come first, in their order; every attribute may be given by name. Shapes are
height × width × channels, without the batch. A *size* such as `kernel` is one number for both directions or
`height x width`: `conv(1x7, 64)`.

`params` are trained numbers, `buffers` running statistics. MACs are multiply-accumulates for one image, without bias:

- `conv`: output height · output width · `channels` · (input channels / `groups`) · kernel height · kernel width;
- `dwconv`: the same with one input channel for every output channel;
- `linear`: input size · `channels`, for every pixel where the input is a map;
- all others: none, unless their example says so.

How `pad` makes the output's size is in [the language reference](language.md#padding).

`id` is not an operator: it gives what it is given and makes no node.
"""

INIT_HEAD = """## Distributions

What `init` can name: the distribution that the weights of {kinds} begin with. Biases and shifts begin at 0, scales
at 1. Where a spec says nothing: {defaults}.
"""

ERRORS_HEAD = """# Diagnostics

Every mistake that archspec finds in a spec has a code. `archspec explain CODE` prints what is here. An error makes
the exit code 1 (a limit: 4); a warning never changes the exit code, except under `archspec check --strict`.

## As JSON

`archspec check --format json` prints what [check.schema.json](check.schema.json) describes, a JSON Schema. Every place
has a `file` and

- `line` and `column`, from 1. A line ends at LF, CRLF or CR. A column counts characters, which are code points of
  Unicode: `é` and `漢` are one, a tab is one, and a byte-order mark at the beginning of the file is not counted. The
  text that `archspec` prints for people has the same lines and columns.
- `byte`, from 0: how many bytes of the file are before the place. The file is taken as it is stored, in UTF-8, with its
  line ends and its byte-order mark.
- `end_line`, `end_column` and `end_byte`: the same of the end, which is exclusive. A place may be empty.

The language server counts lines from 0, and columns from 0 in the unit that it agrees on with the editor: UTF-16,
unless the editor prefers another one.

## Codes

| code | severity | meaning |
|---|---|---|
{rows}
"""


BLOCKS_NOTE = "<!-- Written by `python docs/generate.py`; change the comments in archspec/blocks, not this file. -->"
BLOCKS_HEAD = """# Blocks and readings

What comes with archspec and is written in its language: blocks that a network is built of, and readings of the tables
of papers. `archspec list blocks` and `archspec list readings` print the names, shorter. A file is seen after
[`use`](language.md#files):

```arch
arch 1
use "blocks/inverted_residual"
use "blocks/squeeze_excite"
network N { input 32 x 32 x 3 body cbr(3, 16, 2) -> bottleneck(6, 24, 1) -> squeeze_excite(6) }
```

The side before `->` names what the block is given, and the other side is what it gives. A parameter with a default may
be left out.
"""

READINGS_HEAD = """## Readings

A reading knows the conventions of a table: `read as NAME` in a network takes them, as in
[the language reference](language.md#readings), and `archspec import` finds the one that suits a pasted table.
"""


def blocks() -> str:
    """The text of docs/blocks.md."""
    parts = [BLOCKS_NOTE, "", BLOCKS_HEAD]
    for use, listed in groupby(catalogue("blocks", t.Block | t.Definition), key=lambda one: one.use):
        source = shared(use)
        assert source is not None
        parts.append(f'## `use "{use}"`\n\n{prose(opening(source))}\n')
        parts += [declaration(one, prose(opening(source))) for one in listed]
    parts.append(READINGS_HEAD)
    for one in catalogue("readings", t.Reading):
        parts.append(f"### `{one.name}`\n\n{prose(one.about)}\n")
        parts.append(f'`use "{one.use}"`, then `read as {head(one.named).removeprefix("reading ")}`\n')
    return "\n".join(parts).rstrip() + "\n"


def declaration(one: Listed, above: str) -> str:
    """The heading, the comment and the text of a block or function."""
    about = prose(one.about)
    said = f"{about}\n\n" if about != above else ""
    return f"### `{one.name}`\n\n{said}```arch excerpt=archspec/{one.use}.arch\n{one.named.span.text}\n```\n"


def prose(comment: str) -> str:
    """A comment as a paragraph."""
    return " ".join(comment.split())


def operators() -> str:
    """The text of docs/operators.md."""
    parts = [NOTE, "", OPERATORS_HEAD]
    for module, members in groupby(OPERATORS.items(), key=lambda item: item[1].__module__):
        family = module.rpartition(".")[2]
        parts.append(f"## {FAMILIES.get(family, family.capitalize())}\n")
        for name, op in members:
            parts += [*entry(name, op), example(name, op), ""]
    kinds, defaults = listed(f"`{kind}`" for kind in DEFAULT_INIT), "; ".join(map(default_init, DEFAULT_INIT))
    parts.append(INIT_HEAD.format(kinds=kinds, defaults=defaults))
    for name, distribution in INITIALIZERS.items():
        parts += entry(name, distribution)
    return "\n".join(parts).rstrip() + "\n"


def entry(name: str, model: type[BaseModel]) -> Iterator[str]:
    """The heading, the docstring and the attributes of an operator or a distribution."""
    yield f"### `{name}`\n"
    yield f"{docstring(model)}\n"
    names = ordered(model)
    if names:
        yield f"`{signature(name, model)}`\n"
        yield from ("| attribute | default | values | meaning |", "|---|---|---|---|")
        meanings = attribute_docstrings(model)
        for attribute in names:
            field = model.model_fields[attribute]
            values = allowed(field.annotation, field.metadata)
            default = f"`{text}`" if (text := default_text(field)) else "required"
            yield f"| `{attribute}` | {default} | {escaped(values)} | {escaped(meanings.get(attribute, ''))} |"
        yield ""


def ordered(model: type[BaseModel]) -> list[str]:
    """What a spec may give, those by place first."""
    places: tuple[str, ...] = model.positional  # type: ignore[attr-defined]
    return [*places, *(name for name in attributes(model) if name not in places)]


def signature(name: str, model: type[BaseModel]) -> str:
    texts = ((attribute, default_text(model.model_fields[attribute])) for attribute in ordered(model))
    return f"{name}({', '.join(f'{attribute} = {text}' if text else attribute for attribute, text in texts)})"


def default_text(field: FieldInfo) -> str | None:
    """A default as the language writes it; a pooling's stride is its kernel."""
    if field.is_required():
        return None
    value = field.default
    if value is None:
        return "kernel"
    return str(value).lower() if isinstance(value, bool) else f"{value:.6g}" if isinstance(value, float) else str(value)


def default_init(kind: str) -> str:
    how = DEFAULT_INIT[kind]
    given = how.model_dump(exclude={"kind"}, exclude_defaults=True)
    return f"`{kind} = {how.kind}({', '.join(map(str, given.values()))})`"


def attribute_docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The text under each attribute of a class, and of those that it inherits from."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if not issubclass(cls, BaseModel) or cls is BaseModel:
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        assert isinstance(body, ast.ClassDef)
        for statement, below in zip(body.body, body.body[1:], strict=False):
            match statement, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = " ".join(text.split())
    return found


def example(name: str, op: type[Op]) -> str:
    """What one use of the operator gives and costs."""
    required = [key for key in ordered(op) if op.model_fields[key].is_required()]
    use = EXAMPLES.get(name) or (f"{name}({', '.join('2' for _ in required)})" if required else name)
    net = f"(id | id) -> {use}" if issubclass(op, Join) else f"{use} -> concat" if name == "split" else use
    graph: Graph = archspec.parse(f"arch 1\nnetwork Example {{ input {INPUT} body {net} }}").elaborate()
    node = next(node for node in graph.nodes if node.op.kind == name)
    shapes = graph.input_shapes(node)
    shown = f"`{net if issubclass(op, Join) else use}`"
    parts = [f"Example: {shown} on {shape_text(graph.input.shape)} gives {shape_text(node.shape)}"]
    weights, buffers = node.op.weights(*shapes), node.op.buffers(*shapes)
    if weights:
        tensors = listed(f"`{key}` {shape_text(shape)}" for key, shape in weights.items())
        parts.append(f"{node.op.params(*shapes):,} params ({tensors})")
    if buffers:
        parts.append("buffers " + listed(f"`{key}` {shape_text(shape)}" for key, shape in buffers.items()))
    if node.op.macs(*shapes):
        parts.append(f"{node.op.macs(*shapes):,} MACs")
    return "; ".join(parts) + "."


def errors() -> str:
    """The text of docs/errors.md."""
    known = sorted(diagnostics(), key=lambda cls: cls.code)
    rows = "\n".join(
        f"| [`{cls.code}`](#{cls.code}) | {cls.severity.value} | {escaped(docstring(cls).splitlines()[0])} |"
        for cls in known
    )
    parts = [NOTE, "", ERRORS_HEAD.format(rows=rows)]
    parts += [f"## `{cls.code}`\n\n{docstring(cls)}\n" for cls in known]
    return "\n".join(parts).rstrip() + "\n"


def diagnostics() -> Iterator[type[Diagnostic]]:
    """The classes of all of archspec, whoever imported which module."""
    for module in pkgutil.walk_packages(archspec.__path__, "archspec."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    yield from (cls for cls in codes() if cls.__module__.startswith("archspec."))


def docstring(cls: type) -> str:
    return inspect.getdoc(cls) or ""


def escaped(text: str) -> str:
    """A text within a cell of a table."""
    return text.replace("|", "\\|")


def listed(texts: Iterable[str]) -> str:
    """`a, b and c`."""
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last


def renewed(text: str) -> str:
    """The text of a page, with the files and excerpts that it shows as they stand."""

    def stands(match: re.Match[str]) -> str:
        whole = (ROOT / (match["file"] or match["excerpt"])).read_text(encoding="utf-8")
        return match[1] + (whole if match["file"] else part(match["text"], whole, match["excerpt"]))

    return SHOWN.sub(stands, text)


def part(shown: str, whole: str, name: str) -> str:
    """The lines of a file that an older excerpt of it has become.

    They reach from what its first unchanged line has become to what its last one has, and as far beyond as before.
    """
    if shown in whole:
        return shown
    old, lines = shown.splitlines(keepends=True), whole.splitlines(keepends=True)
    alike = [block for block in SequenceMatcher(None, old, lines, autojunk=False).get_matching_blocks() if block.size]
    if sum(block.size for block in alike) < ALIKE * len(old):
        raise SystemExit(f"{name} has no part like the excerpt that begins with {old[0].strip()!r}")
    start = alike[0].b - alike[0].a
    end = alike[-1].b + len(old) - alike[-1].a
    return "".join(lines[max(start, 0) : end])


FILES: dict[Path, Callable[[], str]] = {
    DOCS / "operators.md": operators, DOCS / "errors.md": errors, DOCS / "blocks.md": blocks,
}  # fmt: skip
FILES |= {
    page: lambda page=page: renewed(page.read_text(encoding="utf-8"))  # type: ignore[misc]
    for page in (README, *sorted(DOCS.glob("*.md")))
    if page not in FILES and SHOWN.search(page.read_text(encoding="utf-8"))
}


editors = run_path(str(ROOT / "editors" / "generate.py"))
FILES[editors["FILE"]] = editors["written"]


def main() -> None:
    for path, text in FILES.items():
        path.write_text(text(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
