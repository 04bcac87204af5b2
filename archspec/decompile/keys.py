"""The `weights` clause of a spec: what the source calls the tensors, where that is short enough to read."""

import re
from collections.abc import Iterator, Mapping

from archspec.decompile.model import Tensor
from archspec.graph import Graph, tensor_names

ORIGIN = "original"
"""The program that a decompiled spec has keys of."""
MOST = 20
"""A clause has no more rules than this."""
COUNTED = re.compile(r"([a-z]+)_([0-9]+)")
PLAIN = re.compile(r"[A-Za-z0-9_.:/ -]+")
"""What a key is made of that can be written in a rule."""


def clause(graph: Graph, tensors: Mapping[str, Tensor]) -> str:
    """The clause; empty where it would have too many rules, or a key cannot be written."""
    if not all(tensor.direct and PLAIN.fullmatch(tensor.key) for tensor in tensors.values()):
        return ""
    found = list(numbered(dict(pairs(graph, tensors))))
    return "\n".join([f"weights {ORIGIN}", *found]) if 0 < len(found) <= MOST else ""


def pairs(graph: Graph, tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, str]]:
    """What each operator is called, or each of its tensors where their keys have not its own names."""
    for node in graph.nodes:
        names = list(tensor_names(node, graph.input_shapes(node)))
        modules = {tensors[name].key.removesuffix(f".{name.rpartition('.')[2]}") for name in names}
        whole = all(tensors[name].key.endswith(f".{name.rpartition('.')[2]}") for name in names)
        if whole and len(modules) == 1:
            yield node.path, modules.pop()
        else:
            yield from ((name, tensors[name].key) for name in names)


def numbered(keys: Mapping[str, str]) -> Iterator[str]:
    """The rules; one for all of a scope that differ in a word and a number alone: `conv_1` is `conv1`."""
    scopes: dict[tuple[str, str], list[str]] = {}
    for path, key in keys.items():
        (scope, _, name), (module, _, tail) = path.rpartition("/"), key.rpartition(".")
        match = COUNTED.fullmatch(name)
        if scope and module and match and tail == match[1] + match[2]:
            scopes.setdefault((scope, module), []).append(path)
    shared = {path: place for place, paths in scopes.items() if len(paths) > 2 for path in paths}
    said: set[tuple[str, str]] = set()
    for path, key in keys.items():
        place = shared.get(path)
        if place is None:
            yield f'"{path}" = "{key}"'
        elif place not in said:
            said.add(place)
            yield f'"{place[0]}/{{l}}_{{i}}" = "{place[1]}.{{l}}{{i}}"'
