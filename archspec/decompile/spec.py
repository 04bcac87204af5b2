"""A model, read -> the text of a spec that is proved to mean exactly it."""

from collections.abc import Mapping

from msgspec import Struct

from archspec import driver
from archspec.decompile.keys import ORIGIN, clause
from archspec.decompile.model import CannotSay, Model, Tensor, cannot_say
from archspec.decompile.normal import normal
from archspec.decompile.proof import proved
from archspec.decompile.write import written
from archspec.diagnostics import SpecError
from archspec.graph import Graph
from archspec.printable import printable


class Decompiled(Struct, frozen=True):
    """A model as a spec."""

    text: str
    graph: Graph
    """what the text elaborates to"""
    tensors: Mapping[str, Tensor]
    """the source's tensors by the canonical names of `graph`"""


def decompiled(model: Model) -> Decompiled:
    """The spec of a model, proved to be equal; raises `CannotSay`."""
    plain = normal(model)
    if len(plain.graph.nodes) == 1:
        raise CannotSay(f"{printable(model.origin)} computes nothing: its output is its input")
    check_weights(plain)
    text, flat, order = written(plain)
    graph, names = proved(text, flat, order)
    tensors = {name: plain.tensors[flat_name] for name, flat_name in names.items()}
    keyed = with_keys(text, graph, tensors)
    if keyed != text:
        text = keyed
        graph, _ = proved(text, flat, order)
    return Decompiled(text, graph, tensors)


def with_keys(text: str, graph: Graph, tensors: Mapping[str, Tensor]) -> str:
    """The text with what the source calls the tensors, where that can be said in few words."""
    keys = clause(graph, tensors)
    if not keys:
        return text
    whole = driver.format_text(f"{text.rstrip().removesuffix('}')}\n{keys}\n}}\n")
    try:
        known = driver.parse(whole).weight_keys(ORIGIN, graph)
    except SpecError:
        return text
    return whole if known == {name: (tensor.key,) for name, tensor in tensors.items()} else text


def check_weights(model: Model) -> None:
    """Raise `CannotSay` where operators have a tensor in common: a Graph has none."""
    places: dict[object, list[str]] = {}
    for name, tensor in model.tensors.items():
        places.setdefault(tensor.key if tensor.memory is None else tensor.memory, []).append(name)
    troubles = {
        (
            f"the tensor `{model.tensors[names[0]].key}`",
            "it is used several times, and a Graph has no weights in common",
        ): names
        for names in places.values()
        if len(names) > 1
    }
    if troubles:
        raise cannot_say(model.origin, troubles)
