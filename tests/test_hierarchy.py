"""The tree of scopes that a Graph's paths make."""

from collections.abc import Mapping

import pytest

from archspec.graph import Graph, Location, Node, Scope
from archspec.hierarchy import Entangled, Level, levels
from archspec.ops import Add, AnyOp, Input, Relu, Tanh
from archspec.tensor import Shape

SPAN = Location(file="test.arch", line=1, column=1, end_line=1, end_column=2)
MAP = (4, 4, 2)
Item = tuple[str, AnyOp] | tuple[str, AnyOp, tuple[str, ...]]


def graph(
    shape: Shape,
    *items: Item,
    outputs: Mapping[str, str] | None = None,
    scopes: Mapping[str, str] | None = None,
    first: str = "input",
) -> Graph:
    """Nodes in a row; one that does not take the node before it says what it takes. `scopes`: path to name."""
    nodes = [Node(path=first, op=Input(shape=shape), inputs=(), shape=shape, span=SPAN)]
    shapes = {first: shape}
    for path, op, *taken in items:
        inputs = taken[0] if taken else (nodes[-1].path,)
        shapes[path] = op.infer(*(shapes[source] for source in inputs))
        nodes.append(Node(path=path, op=op, inputs=inputs, shape=shapes[path], span=SPAN))
    named = tuple(Scope(path=p, kind="block", label=n, name=n, span=SPAN) for p, n in (scopes or {}).items())
    given = dict(outputs or {"output": nodes[-1].path})
    return Graph(name="Net", nodes=tuple(nodes), scopes=named, outputs=given)


def child(level: Level, name: str) -> Level:
    found = next(c for c in level.children if isinstance(c, Level) and c.name == name)
    assert isinstance(found, Level)
    return found


def test_scopes_and_nodes_stand_in_the_order_of_the_graph() -> None:
    root = levels(graph(MAP, ("a", Relu()), ("b/c/d", Relu()), ("b/e", Relu()), ("f", Relu())))
    assert [c.path for c in root.children] == ["a", "b", "f"]
    assert [c.path for c in child(root, "b").children] == ["b/c", "b/e"]


def test_a_scope_takes_what_comes_from_outside_and_gives_what_is_used_outside() -> None:
    net = graph(MAP, ("a", Relu()), ("b/c", Relu()), ("b/d", Add(), ("b/c", "input")), ("e", Add(), ("b/c", "b/d")))
    scope = child(levels(net), "b")
    assert (scope.inputs, scope.outputs) == (["a", "input"], ["b/c", "b/d"])


def test_a_value_used_twice_is_taken_once() -> None:
    scope = child(levels(graph(MAP, ("a/b", Relu()), ("a/c", Add(), ("input", "a/b", "input")))), "a")
    assert scope.inputs == ["input"]


def test_an_inner_scope_takes_through_those_around_it() -> None:
    outer = child(levels(graph(MAP, ("a/b/c", Relu()))), "a")
    assert (outer.inputs, child(outer, "b").inputs) == (["input"], ["input"])
    assert (outer.outputs, child(outer, "b").outputs) == (["a/b/c"], ["a/b/c"])


def test_the_networks_outputs_begin_with_its_own_and_are_one_for_each_name() -> None:
    net = graph(MAP, ("a", Relu()), ("b", Relu()), outputs={"aux": "a", "output": "b", "again": "b"})
    assert levels(net).outputs == ["b", "a", "b"]


def test_an_auxiliary_output_leaves_the_scopes_around_it() -> None:
    net = graph(MAP, ("a/b", Relu()), ("a/c", Relu()), outputs={"output": "a/c", "aux": "a/b"})
    assert sorted(child(levels(net), "a").outputs) == ["a/b", "a/c"]


def test_a_scope_whose_values_nobody_uses_gives_nothing() -> None:
    net = graph(MAP, ("a", Relu()), ("dead/b", Relu()), outputs={"output": "a"})
    assert child(levels(net), "dead").outputs == []


def test_the_input_is_outside_of_every_scope_whatever_its_path() -> None:
    scope = child(levels(graph(MAP, ("a/b", Relu()), first="a/image")), "a")
    assert (scope.inputs, [c.path for c in scope.children]) == (["a/image"], ["a/b"])


def test_a_level_is_named_for_what_it_is_an_instance_of() -> None:
    net = graph(MAP, ("row_1/b", Relu()), ("other/c", Relu()), scopes={"row_1": "bottleneck"})
    assert [c.label for c in levels(net).children if isinstance(c, Level)] == ["bottleneck", "other"]


def test_a_scope_comes_after_a_later_one_whose_value_it_takes() -> None:
    net = graph(MAP, ("z", Tanh()), ("a/p", Relu()), ("b/q", Relu(), ("z",)), ("a/r", Add(), ("a/p", "b/q")))
    assert [c.path for c in levels(net).children] == ["z", "b", "a"]


def test_scopes_that_take_each_others_values_are_refused() -> None:
    with pytest.raises(Entangled, match=r"`[ab]` and `[ab]` take each other's values"):
        levels(graph(MAP, ("a/p", Relu()), ("b/q", Relu()), ("a/r", Relu())))


def test_a_node_and_a_scope_may_have_one_path() -> None:
    root = levels(graph(MAP, ("a", Relu()), ("a/b", Relu()), ("c", Relu())))
    assert [(type(c).__name__, c.path) for c in root.children] == [("Node", "a"), ("Level", "a"), ("Node", "c")]
