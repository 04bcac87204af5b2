"""`--emit source` for Keras: the file that is written makes the model that is built, and its weights load into it."""

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends.cases import CASES
from backends.sources import HOSTILE, ROWS, of, ruff, shape_of, with_texts
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec.backend import Unsupported
from archspec.cli.commands import run
from archspec.emit import Printed
from archspec.graph import Graph
from archspec.verify import random_images, random_tensors

pytest.importorskip("keras", reason="the keras backend is not installed")

from archspec_keras import Backend

BACKEND = Backend()
BACKEND.ready()

import keras  # noqa: E402
from archspec_keras.source import source, unformatted  # noqa: E402

QUICK = (("mobilenet_v2", 64), ("resnet18", 33), ("squeezenet1_1", 64), ("mobilenet_v3_small", 65))
MORE = (
    ("googlenet", 96), ("resnet50_keras", 64), ("inception_v3_no_aux", 107), ("densenet121", 64), ("xception", 75),
    ("efficientnet_b0_keras", 65), ("shufflenet_v2_x0_5", 64), ("regnet_y_400mf", 64), ("convnext_tiny", 64),
    ("alexnet_2012", 227), ("vgg11_bn", 64), ("mnasnet0_5", 65), ("mobilenet_keras", 65), ("efficientnet_v2_l", 32),
)  # fmt: skip


def made(text: str) -> keras.Model:
    """The model of a file, which imports nothing of ours."""
    tree = ast.parse(text)
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= {"keras", "math"}
    space: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(text, "emitted.py", "exec"), space)
    return space[[node.name for node in tree.body if isinstance(node, ast.FunctionDef)][-1]]()


def layers(model: keras.Model) -> list[tuple[str, str, list[tuple[int, ...]]]]:
    return sorted((layer.name, type(layer).__name__, [w.shape for w in layer.weights]) for layer in model.layers)


def assert_same(text: str, graph: Graph) -> None:
    """The file's model and the built one: the same layers, and with the same weights the same bits."""
    ours, theirs = BACKEND.build(graph, weights=dict(random_tensors(graph, 1))), made(text)
    assert [name for name, *_ in layers(theirs)] == [name for name, *_ in layers(ours)]
    values = {f"{layer.name}/{w.name}": w for layer in ours.layers for w in layer.weights}
    for layer in theirs.layers:
        for variable in layer.weights:
            variable.assign(values.pop(f"{layer.name}/{variable.name}"))
    assert not [name for name in values if "seed_generator" not in name]
    images = random_images(graph, 1).astype("float32")
    for name, wanted in BACKEND.run(ours, graph, images).items():
        np.testing.assert_array_equal(BACKEND.run(theirs, graph, images)[name], wanted)


def test_operators_are_those_that_are_built() -> None:
    same_cases(CASES[::30])


@pytest.mark.huge
@pytest.mark.parametrize("part", range(6))
def test_every_operator_is_the_one_that_is_built(part: int) -> None:
    same_cases(CASES[part::6])


def same_cases(cases: list[tuple[str, Graph]]) -> None:
    for label, graph in cases:
        try:
            text = unformatted(graph, Printed())
        except Unsupported:
            with pytest.raises(Unsupported):
                BACKEND.build(graph)
            continue
        try:
            assert_same(text, graph)
        except AssertionError as error:
            raise AssertionError(label) from error


def same_at(name: str, side: int) -> None:
    spec = archspec.load(name)
    graph = spec.elaborate((side, side))
    assert_same(unformatted(graph, spec.printed(graph)), graph)


@pytest.mark.parametrize(("name", "side"), QUICK)
def test_networks_give_the_same_bits(name: str, side: int) -> None:
    same_at(name, side)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "side"), MORE)
def test_more_networks_give_the_same_bits(name: str, side: int) -> None:
    same_at(name, side)


def test_weights_of_one_load_into_the_other(tmp_path: Path) -> None:
    graph, printed = of("squeezenet1_1")
    ours, theirs = BACKEND.build(graph, seed=3), made(unformatted(graph, printed))
    ours.save_weights(tmp_path / "net.weights.h5")
    theirs.load_weights(tmp_path / "net.weights.h5")
    images = random_images(graph, 1).astype("float32")
    np.testing.assert_array_equal(*(BACKEND.run(model, graph, images)["output"] for model in (theirs, ours)))


def test_the_file_is_the_one_that_was_read(golden: Any) -> None:
    golden("source/keras/mobilenet_v2.py", source(*of("mobilenet_v2")))


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "convnext_tiny", "shufflenet_v2_x0_5"])
def test_ruff_has_nothing_to_say(name: str) -> None:
    text = source(*of(name))
    ruff(text, "check", "--select=E,F,I,UP,B")
    ruff(text, "format", "--check")


@settings(max_examples=60, deadline=None)
@given(st.lists(HOSTILE, min_size=50, max_size=50))
def test_a_text_changes_nothing_but_constants(texts: list[str]) -> None:
    benign = unformatted(*with_texts(ROWS, iter(["fine"] * 50)))
    hostile = unformatted(*with_texts(ROWS, iter(texts)))
    hostile.encode()
    assert shape_of(hostile) == shape_of(benign)


def test_names_that_python_or_keras_would_trip_over() -> None:
    text = """arch 1
    block layers(c) = conv(3, c) -> relu
    block y(c) = (layers(c) | id) -> add -> prelu
    block keras(c) = conv(1, c) as inputs -> (bn as name | id) -> add
    block KerasTensor(c) = layers(c) as float -> y(c) as range -> keras(c) as w -> relu as math -> keras(c)
    network print { input 6 x 6 x 4 body KerasTensor(4) -> KerasTensor(4) as super -> (y(4) as z | y(4) as f) -> add }
    """
    graph = archspec.parse(text).elaborate()
    assert_same(source(graph), graph)


def test_the_command_writes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    arguments = ["build", "mobilenet_v2", "-p", "k=10", "--input", "96x96", "--backend", "keras", "--emit", "source"]
    assert run([*arguments, "-o", str(path)]) == 0
    model = made(path.read_text(encoding="utf-8"))
    assert model.output_shape == (None, 10)
    assert model.input_shape == (None, 96, 96, 3)
