"""specs/ -> docs/zoo.md and docs/lessons.md: `python docs/generate_zoo.py`.

Numbers are counted, claims and errata are those of the specs; that a network is proven equal is what the tests say.
torchvision must be installed, to count the lines of its files.
"""

import importlib.util
import itertools
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import archspec
from archspec import library
from archspec.cli import tables
from archspec.sheet import Sheet, plain
from archspec.spec import Spec
from archspec.syntax import tree as t

DOCS = Path(__file__).parent
ROOT = DOCS.parent
CORE = ROOT / "archspec"
TESTS = ROOT / "tests" / "zoo"
NOTE = "<!-- Written by `python docs/generate_zoo.py`; change the specs, not this file. -->"
USED = re.compile(r'^use "((?:blocks|readings)/\w+)"', re.MULTILINE)
NAMES = re.compile(r"^NAMES = (?:\[.*?^\]|\{.*?^\})", re.MULTILINE | re.DOTALL)

# The file of torchvision/models that has the family, where it has one.
THEIRS = {
    "alexnet": "alexnet.py", "convnext": "convnext.py", "densenet": "densenet.py", "efficientnet": "efficientnet.py",
    "efficientnet_v2": "efficientnet.py", "googlenet": "googlenet.py", "inception_v3": "inception.py",
    "mnasnet": "mnasnet.py", "mobilenet_v2": "mobilenetv2.py", "mobilenet_v3": "mobilenetv3.py",
    "regnet": "regnet.py", "resnet": "resnet.py", "shufflenet_v2": "shufflenetv2.py", "squeezenet": "squeezenet.py",
    "squeezenet1_1": "squeezenet.py", "vgg": "vgg.py",
}  # fmt: skip
# What is proven equal to something else than torchvision's model of that name: by tests/zoo/test_specs.py and
# tests/zoo/test_by_hand.py.
OTHERS = {
    "googlenet_no_aux": "torchvision's `googlenet(aux_logits=False)`",
    "inception_v3_no_aux": "torchvision's `inception_v3(aux_logits=False)`",
    "resnet50_v1": "torchvision's `resnet50`, the strides of its bottlenecks exchanged",
    "mobilenet_v1": "a model written by hand, also at 0.25, 0.5 and 0.75 of its width",
    "xception": "a model written by hand",
    **{
        f"mobilenet_v2_{alpha.replace('.', '_')}": f"torchvision's `mobilenet_v2(width_mult={alpha})`"
        for alpha in ("0.35", "0.5", "0.75", "1.4")
    },
}

ZOO_HEAD = """# The zoo

{count} networks in {files} files. Each name is one for `archspec stats NAME`, `archspec build NAME` and
`archspec.load("NAME")`.

*Equal to* says which implementation, not made from the spec, a network is proven equal to: the same parameters, the
same MACs counted by hooks, and with its weights and running statistics, all random, the same outputs in float64 to
1e-9, in evaluation at an even and an odd size and in training. For torchvision's models
tests/zoo/test_torchvision.py does that, and carries the weights over by [`archspec weights import`](weights.md).
tests/zoo/test_keras_applications.py does it for those of keras.applications, in evaluation, with the weights from the
file that Keras saves; there the MACs are counted by the shapes of its layers.
tests/zoo/test_widths.py does it for the parameters of a family: some 50 widths of MobileNet, MobileNetV2, MobileNetV3,
MnasNet and EfficientNet, depths of EfficientNet, widths and groups of ResNet, growths of DenseNet, each against the
implementation that the spec names, by the names and shapes of all tensors. Implementations disagree about widths that
nobody released, and so do variants here: `mobilenet_v3_large` follows torchvision, `mobilenet_v3_large_keras`
keras.applications.
*Claims* are the cells and numbers that `archspec check` compares; all hold, once the errata are applied.
"""

LINES_HEAD = """## Lines

What a family takes here, its spec and the readings and blocks that it uses, and in torchvision, all lines counted.

| family | spec | used | together | torchvision | |
|---|---:|---:|---:|---:|---:|
"""


def zoo() -> str:
    """The text of docs/zoo.md."""
    files = [name for name in library.specs() if not name.startswith("lesson_")]
    proven = {name: f"torchvision's `{name}`" for name in names_in("test_torchvision.py")}
    keras = names_in("test_keras_applications.py")
    proven |= {name: f"keras.applications' `{keras[name]}`" for name in keras} | OTHERS
    parts = [family(name, proven) for name in files]
    count = sum(part.count("\n| `") for part in parts)
    head = ZOO_HEAD.format(count=count, files=len(files))
    lines = LINES_HEAD + "\n".join(filter(None, map(line_count, files)))
    return "\n".join([NOTE, "", head, *parts, lines]).rstrip() + "\n"


def names_in(test: str) -> Any:
    """What a file of tests/zoo proves: its list of names, or the builders by our names."""
    namespace: dict[str, Any] = {}
    found = NAMES.search((TESTS / test).read_text(encoding="utf-8"))
    assert found is not None
    exec(found[0], namespace)
    return namespace["NAMES"]


def family(name: str, proven: Mapping[str, str]) -> str:
    """The section of one file."""
    spec = archspec.load(f"{library.specs()[name]}")
    source = "; ".join(f'"{title}", {cite}' if title else cite for title, cite in sources(spec))
    file = f"[specs/{name}.arch](../specs/{name}.arch)"
    lines = [f"## {name}", "", f"{source}.", f"{file}, {spec.claims()} claims.", ""]
    lines += ["| name | parameters | MACs | equal to |", "|---|---:|---:|---|"]
    for member in members(name, spec):
        counted = archspec.load(member).elaborate().stats()
        lines.append(f"| `{member}` | {counted.params:,} | {counted.macs:,} | {proven.get(member, '')} |")
    errata = spec.errata()
    if errata:
        lines += ["", "Errata:", "", *(f"- {erratum}" for erratum in errata)]
    return "\n".join([*lines, ""])


def sources(spec: Spec) -> Iterator[tuple[str, str]]:
    for network in spec.networks:
        titles = [clause.text.value for clause in network.clauses if isinstance(clause, t.Title)]
        cites = [clause.text.value for clause in network.clauses if isinstance(clause, t.Cite)]
        yield (titles[0] if titles else ""), "; ".join(cites)


def members(name: str, spec: Spec) -> list[str]:
    """The names that load the file's networks: its variants, and the file's own where it has one network."""
    networks = {network.name.id for network in spec.networks}
    variants = [member for member in spec.members if member not in networks]
    own = [*networks] if name in variants else [name] if len(networks) == 1 else []
    values = [archspec.load(member).elaborate().parameters for member in [*own, *variants]]
    same = bool(own) and values[0] in values[1:]
    return variants if same else [*own, *variants]


def line_count(name: str) -> str | None:
    """A row of the table of lines."""
    if name not in THEIRS:
        return None
    spec = library.specs()[name].read_text(encoding="utf-8")
    blocks = sum(count(path) for path in used(spec, set()))
    ours, theirs = spec.count("\n") + blocks, count(torchvisions_models() / THEIRS[name])
    return f"| {name} | {spec.count(chr(10))} | {blocks} | {ours} | {theirs} ({THEIRS[name]}) | {ours / theirs:.0%} |"


def used(text: str, seen: set[Path]) -> set[Path]:
    """The block files that a text uses, by whatever way."""
    for path in (CORE / f"{name}.arch" for name in USED.findall(text)):
        if path not in seen:
            seen.add(path)
            used(path.read_text(encoding="utf-8"), seen)
    return seen


def count(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def torchvisions_models() -> Path:
    found = importlib.util.find_spec("torchvision")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "models"


# ---- lessons ----

LESSONS_HEAD = """# Lessons

The explanations of a talk on MobileNetV2, as specs that compile: what `archspec stats` counts is what the talk derives.
All are on a map of 56 × 56 × 64. Each is a bundled spec, so try your own numbers:

```sh
archspec stats lesson_grouped_conv -p groups=4 --by layer
archspec stats lesson_depthwise_separable -p k=5 -p N=256
```
"""
LESSONS = [
    (
        "A convolution in groups",
        "Each filter of a convolution in two groups is half as deep as one of the standard convolution: exactly half\n"
        "the parameters, half the multiply-accumulates. AlexNet was laid out so on two GPUs.",
        ("lesson_standard_conv", "lesson_grouped_conv"),
    ),
    (
        "A convolution in two steps",
        "A depthwise convolution filters every channel by itself, a pointwise one (1 × 1) mixes the channels.\n"
        "Together they cost 1/N + 1/k² of the standard convolution, with N = 128 filters and k = 3 about an eighth.",
        ("lesson_standard_conv", "lesson_depthwise_separable"),
    ),
    (
        "A residual and an inverted one",
        "ResNet's bottleneck goes from wide to narrow to wide, and its shortcut joins the wide ends. MobileNetV2's\n"
        "goes from narrow to wide to narrow, which a depthwise convolution in the middle makes affordable, and is\n"
        "linear at its end.",
        ("lesson_residual", "lesson_inverted_residual"),
    ),
]


def lessons() -> str:
    """The text of docs/lessons.md."""
    parts = [NOTE, "", LESSONS_HEAD]
    for title, text, pair in LESSONS:
        parts += [f"## {title}\n", f"{text}\n"]
        parts += [
            f"```arch excerpt=specs/{name}.arch\n{excerpt(library.specs()[name].read_text('utf-8'))}```\n"
            for name in pair
        ]
        parts += [f"![{name}](gallery/{name}.svg)\n" for name in pair if (DOCS / "gallery" / f"{name}.svg").exists()]
        parts += ["```text", *beside(*(printed(name) for name in pair)), "```\n", f"{ratio(*pair)}\n"]
    return "\n".join(parts).rstrip() + "\n"


def excerpt(text: str) -> str:
    """A spec without its head comments, from its network on."""
    return text[text.index("\nnetwork ") + 1 :]


def printed(name: str) -> list[str]:
    """What `archspec stats NAME --by layer` prints, its columns of operators and inputs left out."""
    whole = tables.stats_sheet(archspec.load(name).elaborate().stats("layer"), name)
    kept = [whole.headers.index(header) for header in ("path", "output", "params", "MACs")]
    cut = [tuple(row[i] for i in kept) for row in (whole.headers, *whole.rows, whole.total or ())]
    sheet = Sheet(name, tuple(map(str, cut[0])), tuple(cut[1:-1]), cut[-1])
    return plain(sheet).strip().splitlines()


def beside(left: list[str], right: list[str]) -> Iterator[str]:
    """Two texts next to each other."""
    width = max(map(len, left))
    for a, b in itertools.zip_longest(left, right, fillvalue=""):
        yield f"{a.ljust(width)}   │ {b}".rstrip()


def ratio(first: str, second: str) -> str:
    a, b = (archspec.load(name).elaborate().stats() for name in (first, second))
    return (
        f"`{second}` has {b.params / a.params:.4f} times the parameters and {b.macs / a.macs:.4f} times the MACs of\n"
        f"`{first}`."
    )


FILES = {DOCS / "zoo.md": zoo, DOCS / "lessons.md": lessons}


def main() -> None:
    for path, text in FILES.items():
        path.write_text(text(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
