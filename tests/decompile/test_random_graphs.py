"""Random Graphs, with modules around random parts of them: what no sequence and fork can say is named."""

from typing import Any

import pytest
from decompile.equality import alike
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from archspec import ops
from archspec.decompile import Builder, Module, Tensor, decompiled
from archspec.decompile.normal import normal_graph

SETTINGS = {"deadline": None, "suppress_health_check": list(HealthCheck)}
CLASSES = ("", "Unit", "BasicBlock", "relu", "H")
NAMES = ("a", "b", "0", "x", "and", "conv")


class Designer:
    """Draws operators on values that were made before."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.builder = Builder("net", "a test", (6, 6, 4))
        self.values = [self.builder.input]

    def number(self, least: int, most: int) -> int:
        value: int = self.draw(st.integers(least, most))
        return value

    def value(self) -> str:
        """A value, more often a late one."""
        return self.values[max(0, len(self.values) - 1 - self.number(0, 5))]

    def modules(self) -> list[Module]:
        depth = self.number(0, 3)
        return [Module(NAMES[self.number(0, len(NAMES) - 1)], CLASSES[self.number(0, 4)]) for _ in range(depth)]

    def add(self, op: Any, *inputs: str, modules: list[Module]) -> None:
        shapes = tuple(self.builder.shapes[path] for path in inputs)
        names = {**op.weights(*shapes), **op.buffers(*shapes)}
        count = len(self.builder.nodes)
        tensors = {name: Tensor(f"{count}.{name}", lambda: None) for name in names}
        self.values.append(self.builder.add(op, inputs, op.kind, modules, tensors))

    def step(self, modules: list[Module]) -> None:
        x = self.value()
        channels = self.builder.shapes[x][-1]
        match self.number(0, 9):
            case 0 | 1:
                kernel = (1, 3)[self.number(0, 1)]
                self.add(ops.Conv(kernel=kernel, channels=self.number(1, 6)), x, modules=modules)
            case 2:
                self.add((ops.Relu(), ops.Silu(), ops.BatchNorm())[self.number(0, 2)], x, modules=modules)
            case 3 | 4:
                alike = [v for v in self.values if self.builder.shapes[v] == self.builder.shapes[x]]
                other = alike[self.number(0, len(alike) - 1)]
                self.add((ops.Add(), ops.Mul())[self.number(0, 1)], x, other, modules=modules)
            case 5 | 6:
                taken = [x, *(self.value() for _ in range(self.number(0, 3)))]
                if sum(self.builder.shapes[v][-1] for v in taken) < 40:
                    self.add(ops.Concat(), *taken, modules=modules)
            case 7 if channels > 1:
                start = self.number(0, channels - 1)
                self.add(ops.Slice(start=start, stop=self.number(start + 1, channels)), x, modules=modules)
            case 8 if channels % 2 == 0:
                for index in range(2):
                    self.add(ops.Split(parts=2, index=index), x, modules=modules)
            case _:
                self.add(ops.Relu6(), x, modules=modules)

    def row(self) -> None:
        """The same steps several times, as loops over layers make them."""
        modules = self.modules()
        for count in range(self.number(1, 3)):
            again = [*modules, Module(f"layer{count}", CLASSES[self.number(1, 3)])]
            x = self.values[-1]
            channels = self.builder.shapes[x][-1]
            self.add(ops.Conv(kernel=3, channels=channels), x, modules=again)
            self.add(ops.BatchNorm(), self.values[-1], modules=again)
            self.add(ops.Add(), x, self.values[-1], modules=again)


@st.composite
def models(draw: Any) -> Any:
    designer = Designer(draw)
    for _ in range(designer.number(1, 14)):
        if designer.number(0, 4):
            designer.step(designer.modules())
        else:
            designer.row()
    outputs = {"output": designer.values[-1]}
    for name in ("aux", "a b", "body")[: designer.number(0, 3)]:
        outputs[name] = designer.value()
    return designer.builder.finish(outputs)


def check(model: Any) -> None:
    flat = normal_graph(model.graph)
    assume(len(flat.nodes) > 1)  # a join of one value computes nothing, and is refused
    found = decompiled(model)
    assert alike(model.graph, found.graph)
    assert set(found.tensors) == set(found.graph.tensors())
    assert sorted(t.key for t in found.tensors.values()) == sorted(model.tensors[name].key for name in flat.tensors())


@settings(max_examples=150, **SETTINGS)
@given(models())
def test_a_graph_is_decompiled_to_itself(model: Any) -> None:
    check(model)


@pytest.mark.huge
@settings(max_examples=4000, **SETTINGS)
@given(models())
def test_many_graphs_are_decompiled_to_themselves(model: Any) -> None:
    check(model)
