"""The networks of a comparison: `LABEL=SPEC@NAME=VALUE,…` -> a Graph made fit for the data."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from archspec import driver
from archspec.diagnostics import did_you_mean
from archspec.elaborate.evaluate import Value
from archspec.elaborate.parameters import value_of
from archspec.errors import Refusal
from archspec.graph import Graph
from archspec.limits import Limits
from archspec.ops import Softmax
from archspec.printable import printable
from archspec.spec import Spec
from archspec.train.images import Side
from archspec.train.scale import Scale, scaled, total_stride

Number = TypeVar("Number", int, float)
OWN = ("width", "stride", "input")
"""What can be said of a member besides its spec's parameters."""


class WrongMember(Refusal):
    """A network cannot take part."""

    exit_code = 2


class Member(Struct, frozen=True):
    """A network that takes part."""

    label: str
    graph: Graph
    """as it is trained: with logits as its output"""
    spec: str
    said: Mapping[str, Value]
    """parameters of the spec that are not its own values"""
    scale: Scale
    strides: tuple[int, int]
    """in all: the paper's, and what it is trained with"""
    macs: int
    params: int
    paper: tuple[int, int]
    """MACs and params as the spec has it, without scaling"""

    @property
    def changes(self) -> str:
        """What is not as the spec has it, in words."""
        image = self.graph.input.shape
        said = [f"{name}={value}" for name, value in self.said.items()]
        if self.scale.width != 1:
            said.append(f"width×{self.scale.width:g}")
        before, now = self.strides
        return ", ".join(
            [*said, f"{image[0]}×{image[1]}", f"stride {now}" + (f" (of {before})" if now != before else "")]
        )


def parsed(text: str) -> tuple[str | None, str, dict[str, str]]:
    """The label, the spec and what is said of it; raises `WrongMember`."""
    head, at, tail = text.rpartition("@") if "@" in text else (text, "", "")
    label, equals, spec = head.partition("=")
    said: dict[str, str] = {}
    for part in tail.split(",") if at else ():
        name, is_, value = part.partition("=")
        if not is_ or not name.strip().isidentifier() or name.strip() in said:
            raise WrongMember(f"{text!r} is not LABEL=SPEC@NAME=VALUE,…", "small=mobilenet_v2@alpha=0.35,stride=8")
        said[name.strip()] = value.strip()
    return (printable(label) or None, spec, said) if equals else (None, head, said)


def members(
    texts: Sequence[str], common: Mapping[str, Value], scale: Scale, classes: int, side: Side, limits: Limits
) -> list[Member]:
    """The members that texts mean; raises `SpecError`, `OSError` or `Refusal`.

    `common` are parameters for all that have them, `scale` holds for all that say nothing else, `side` is the size of
    the data's images.
    """
    parts = [parsed(text) for text in texts]
    specs = [(label or called(spec), spec, driver.load(spec, limits), said) for label, spec, said in parts]
    unused = set(common) - {name for _, _, spec, _ in specs for name in names(spec)}
    if unused:
        known = {name for _, _, spec, _ in specs for name in names(spec)}
        raise WrongMember(f"no network has a parameter `{min(unused)}`", did_you_mean(min(unused), sorted(known)))
    found = [
        member(label, text, spec, said, {k: v for k, v in common.items() if k in names(spec)}, scale, classes, side)
        for label, text, spec, said in specs
    ]
    return distinct(found)


def names(spec: Spec) -> set[str]:
    return {parameter.name.id for parameter in spec.network.parameters}


def called(spec: str) -> str:
    """What a network is called that is given no label: its own name, or that of its file."""
    file, _, name = spec.rpartition(":")
    return name if file else Path(spec).stem


def member(
    label: str,
    text: str,
    spec: Spec,
    said: Mapping[str, str],
    common: Mapping[str, Value],
    scale: Scale,
    classes: int,
    side: Side,
) -> Member:
    """One of them."""
    own = {name: value for name, value in said.items() if name in OWN and name not in names(spec)}
    values = {**common, **{name: value_of(value) for name, value in said.items() if name not in own}}
    whole = spec.elaborate(**values)
    graph = with_classes(spec, values, whole, classes)
    changed = Scale(
        image=(*sides(label, own.get("input"), scale.image or side), graph.input.shape[-1]),
        stride=number(label, "stride", own["stride"], int) if "stride" in own else fitting(graph, scale.stride),
        width=number(label, "width", own["width"], float) if "width" in own else scale.width,
    )
    if graph.input.shape[-1] != 3 or len(graph.input.shape) != 3:
        raise WrongMember(f"{label} takes no images of 3 channels")
    trained = with_logits(scaled(graph, changed))
    stats, paper = trained.stats(), whole.stats()
    return Member(label, trained, text, values, changed, (total_stride(graph), total_stride(trained)),
                  stats.macs, stats.params, (paper.macs, paper.params))  # fmt: skip


def fitting(graph: Graph, stride: int | None) -> int | None:
    """The stride in all that is wanted; the network's own where it is smaller."""
    return None if stride is None else min(stride, total_stride(graph))


def with_classes(spec: Spec, values: Mapping[str, Value], graph: Graph, classes: int) -> Graph:
    """The Graph with as many outputs as there are classes: by the parameter whose value is the number it has now."""
    if outputs(graph) == classes:
        return graph
    given = {**graph.parameters}
    for name in sorted(set(given) - set(values)):
        if given[name] == outputs(graph) and not isinstance(given[name], bool):
            made = spec.elaborate(**{**values, name: classes})
            if outputs(made) == classes:
                return made
    raise WrongMember(
        f"{spec.name} gives {outputs(graph)} numbers, and there are {classes} classes",
        "give the number of classes a parameter of the network: `network Net(k = 10)`",
    )


def outputs(graph: Graph) -> int:
    return graph.output.shape[-1]


def with_logits(graph: Graph) -> Graph:
    """The Graph without the softmax that probabilities come from: training needs what it is made of."""
    ends = dict(graph.outputs)
    for name, path in ends.items():
        while isinstance(graph.by_path[path].op, Softmax):
            path = graph.by_path[path].inputs[0]
        ends[name] = path
    if ends == graph.outputs:
        return graph
    needed: set[str] = set(ends.values())
    for node in reversed(graph.nodes):
        if node.path in needed:
            needed |= set(node.inputs)
    nodes = tuple(node for node in graph.nodes if node.path in needed or node is graph.input)
    return Graph(**{n: getattr(graph, n) for n in Graph.model_fields} | {"nodes": nodes, "outputs": ends})


def sides(label: str, said: str | None, default: Sequence[int]) -> Side:
    if said is None:
        return default[0], default[1]
    height, _, width = said.partition("x")
    return number(label, "input", height, int), number(label, "input", width or height, int)


def number(label: str, what: str, text: str, kind: type[Number]) -> Number:
    try:
        value = kind(text)
    except ValueError:
        value = kind(0)
    if not 0 < value < 1e6:
        raise WrongMember(f"the {what} of {label} is not such a number: {text!r}")
    return value


def distinct(found: Sequence[Member]) -> list[Member]:
    """Members whose labels differ; raises `WrongMember`."""
    labels = [member.label for member in found]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise WrongMember(f"two networks are called {twice}", f"name one: other={twice}")
    return list(found)
