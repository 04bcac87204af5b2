"""`--emit source` for torch: the file that is written makes the model that is built, and reads like one by hand."""

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from inspect import signature
from pathlib import Path
from typing import Any

import processor
import pytest
import torch
from archspec_torch import legal, names
from archspec_torch.lower import pieces
from archspec_torch.runtime import build
from archspec_torch.source import source, unformatted
from backends.cases import CASES
from backends.sources import HOSTILE, ROWS, of, ruff, shape_of, with_texts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_networks import networks
from torch import fx, nn

import archspec
from archspec import driver
from archspec.cli.commands import run
from archspec.emit import Printed
from archspec.emit.calls import REQUIRED, Call
from archspec.graph import Graph
from archspec.optional import MissingFramework

QUICK = (
    "mobilenet_v2", "resnet18", "googlenet", "shufflenet_v2_x0_5", "mobilenet_v3_small", "squeezenet1_0",
    "regnet_y_400mf", "efficientnet_b0", "mobilenet_keras", "mnasnet0_5",
)  # fmt: skip
MORE = (
    "resnet50", "inception_v3", "densenet121", "xception", "convnext_tiny", "efficientnet_v2_s", "alexnet_2012",
    "vgg11_bn", "mobilenet_v2_keras", "resnext50_32x4d", "mobilenet_v3_large_keras", "resnet50_keras",
)  # fmt: skip
GOLDEN = ("mobilenet_v2", "resnet50", "googlenet")
ALL = [name for name, *_ in driver.bundled_networks()]


def made(text: str) -> nn.Module:
    """The network of a file, which imports nothing of ours."""
    tree = ast.parse(text)
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= {"collections", "torch", "torch.nn"}
    space: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(text, "emitted.py", "exec"), space)
    network: nn.Module = space[[node.name for node in tree.body if isinstance(node, ast.ClassDef)][-1]]()
    return network


def randomized(model: nn.Module) -> nn.Module:
    """Every weight and statistic drawn anew, variances positive, activations neither vanishing nor exploding."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                values = torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
                scale = tensor[0].numel() ** -0.5 if tensor.dim() > 1 else 0.2
                tensor.copy_(
                    values.abs() + 0.5 if name.endswith("running_var") else scale * values + (tensor.dim() == 1)
                )
    return model


def outputs(model: nn.Module, x: torch.Tensor, training: bool) -> tuple[torch.Tensor, ...] | str:
    """What a model gives, or that it cannot take the image; what is drawn while training is drawn alike."""
    torch.manual_seed(5)
    try:
        found = model.train(training)(x)
    except (RuntimeError, ValueError) as error:
        return type(error).__name__
    return found if isinstance(found, tuple) else (found,)


def assert_same(text: str, graph: Graph, *sizes: tuple[int, int]) -> list[tuple[torch.Tensor, ...] | str]:
    """The file's network and the built one: the same keys in the same order, and the same bits."""
    ours, theirs = randomized(build(graph, dtype="float64")), made(text).double()
    assert list(theirs.state_dict()) == list(ours.state_dict())
    theirs.load_state_dict(ours.state_dict(), strict=True)
    *own, channels = graph.input.shape
    seen = []
    for size in sizes or (own,):
        x = torch.randn(2, channels, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        for training in (False, True):
            expected, got = outputs(ours, x, training), outputs(theirs, x, training)
            assert isinstance(expected, str) == isinstance(got, str), (expected, got)
            for one, other in zip(expected, got, strict=True) if not isinstance(expected, str) else ():
                torch.testing.assert_close(other, one, rtol=0, atol=0, equal_nan=True)
            seen.append(expected)
    # while training, both have learnt the same statistics
    for (name, one), other in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        torch.testing.assert_close(other, one, rtol=0, atol=0, equal_nan=True, msg=name)
    return seen


# ---- the same model ----


@pytest.mark.parametrize("part", range(4))
def test_every_operator_is_the_one_that_is_built(part: int) -> None:
    for label, graph in CASES[part::4]:
        sizes = [graph.input.shape[:2], (9, 11)] if len(graph.input.shape) == 3 else [()]
        try:
            seen = assert_same(unformatted(graph, Printed()), graph, *sizes)  # type: ignore[arg-type]
        except AssertionError as error:
            raise AssertionError(label) from error
        assert not isinstance(seen[0], str), label


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(networks())
def test_random_networks_are_the_ones_that_are_built(drawn: Any) -> None:
    graph = archspec.parse(drawn.text).elaborate()
    assert_same(unformatted(graph, Printed()), graph)


def same_outputs(name: str) -> None:
    graph, printed = of(name)
    sizes = ((300, 300), (299, 331)) if name == "inception_v3" else ((96, 96), (97, 129))
    seen = assert_same(unformatted(graph, printed), graph, *(() if name == "alexnet_2012" else sizes))
    values = [value for found in seen if not isinstance(found, str) for value in found]
    assert values
    assert all(value.isfinite().all() and value.std() > 0 for value in values)


@pytest.mark.parametrize("name", QUICK)
def test_networks_give_the_same_bits_at_even_and_odd_sizes(name: str) -> None:
    same_outputs(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", MORE)
def test_more_networks_give_the_same_bits(name: str) -> None:
    same_outputs(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_network_has_the_keys_and_shapes_that_are_built(name: str) -> None:
    graph, printed = of(name)
    with torch.device("meta"):
        theirs = made(source(graph, printed))
    ours = build(graph, device="meta")
    shapes = [(key, tensor.shape) for key, tensor in ours.state_dict().items()]
    assert [(key, tensor.shape) for key, tensor in theirs.state_dict().items()] == shapes


# ---- a file that people read ----


@pytest.mark.parametrize("name", GOLDEN)
def test_the_file_is_the_one_that_was_read(name: str, golden: Any) -> None:
    golden(f"source/torch/{name}.py", source(*of(name)))


@pytest.mark.parametrize(
    ("name", "reference"), [("mobilenet_v2", "mobilenetv2"), ("resnet50", "resnet"), ("googlenet", "googlenet")]
)
def test_the_file_is_shorter_than_the_reference(name: str, reference: str) -> None:
    found = importlib.util.find_spec("torchvision")
    assert found is not None
    assert found.origin is not None
    theirs = Path(found.origin).parent.joinpath("models", f"{reference}.py").read_text(encoding="utf-8")
    assert 2 * len(source(*of(name)).splitlines()) < len(theirs.splitlines())


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "convnext_tiny", "mobilenet_keras", "xception"])
def test_ruff_has_nothing_to_say(name: str) -> None:
    text = source(*of(name))
    ruff(text, "check", "--select=E,F,I,UP,B")
    ruff(text, "format", "--check")


def test_rows_of_the_table_stand_beside_what_they_are() -> None:
    lines = source(*of("mobilenet_v2")).splitlines()
    row = lines.index("        # | 28²×32   | bottleneck  | 6 | 64   | 4 | 2 |")
    assert lines[row + 1].strip().startswith("self.row_5 = ")
    assert "| 28²×32   | bottleneck  | 6 | 64   | 4 | 2 |" in lines[:row]


def test_names_that_python_or_torch_would_trip_over() -> None:
    text = """arch 1
    block nn(c) = conv(3, c) -> relu
    block F(c) = (nn(c) | id) -> add -> prelu
    block __secret(c) = conv(1, c) as __x -> (bn as torch | id) -> add
    block Tensor(c) = nn(c) as float -> F(c) as range -> __secret(c) as __y -> relu as add_module -> __secret(c)
    network N { input 6 x 6 x 4 body Tensor(4) -> Tensor(4) as super -> (Tensor(4) as y | F(4) as z) -> add }
    """
    graph = archspec.parse(text).elaborate()
    assert_same(source(graph), graph)


def test_a_large_network_is_written_in_no_time() -> None:
    for name in ("resnet152", "densenet201", "regnet_y_128gf"):
        graph, printed = of(name)
        start = processor.seconds()
        source(graph, printed)
        assert processor.seconds() - start < 3


def test_time_is_linear_in_the_number_of_blocks() -> None:
    def seconds(count: int) -> float:
        block = "block b(c) = (conv(3, c) -> bn -> relu | id) -> add"
        graph = archspec.parse(f"arch 1 {block} network N {{ input 8 x 8 x 4 body b(4) * {count} }}").elaborate()
        start = processor.seconds()
        unformatted(graph, Printed())
        return processor.seconds() - start

    seconds(10)
    assert seconds(4000) < 40 * seconds(400)


# ---- texts of a spec are data ----


@settings(max_examples=150, deadline=None)
@given(st.lists(HOSTILE, min_size=50, max_size=50))
def test_a_text_changes_nothing_but_constants(texts: list[str]) -> None:
    benign = unformatted(*with_texts(ROWS, iter(["fine"] * 50)))
    hostile = unformatted(*with_texts(ROWS, iter(texts)))
    hostile.encode()
    assert shape_of(hostile) == shape_of(benign)


def test_hostile_texts_are_formatted_and_linted_like_others() -> None:
    texts = [
        '"""',
        "\\",
        "# type: int",
        "# -*- coding: latin-1 -*-",
        'a " b',
        "\u2028",
        "x" * 300,
        '"""\nimport os\n"""',
    ]
    text = source(*with_texts(ROWS, iter(texts * 10)))
    ruff(text, "check", "--select=E,F,I,UP,B")
    ruff(text, "format", "--check")
    assert shape_of(text) == shape_of(unformatted(*with_texts(ROWS, iter(["fine"] * 50))))


def test_a_title_of_a_spec_stays_a_text() -> None:
    text = 'arch 1 network N { title \'""" + exit() + """\\\' input 4 x 4 x 2 body relu }'
    graph = archspec.parse(text).elaborate()
    assert ast.get_docstring(ast.parse(source(graph))).startswith('""" + exit() + """\\')  # type: ignore[union-attr]


# ---- torch and ruff ----


def test_torch_is_not_needed() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; import archspec; from archspec_torch import Backend;"
        "print(Backend().source(archspec.load('resnet18').elaborate()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env={"PYTHONPATH": "backends:."}, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert b"class Resnet18(nn.Sequential):" in done.stdout


def test_without_ruff_nothing_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any) -> None:
    monkeypatch.setattr("archspec.emit.ruff.find_spec", lambda name: None)
    with pytest.raises(MissingFramework):
        source(ROWS)
    assert run(["build", "resnet18", "--emit", "source", "-o", str(tmp_path / "net.py")]) == 3
    assert "pip install 'archspec-compiler[torch]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_is_left_out_is_what_torch_takes() -> None:
    left = {
        (call.function if isinstance(call.function, str) else call.function.text, argument.name, argument.default)
        for _, graph in CASES
        for node in graph.nodes[1:]
        for piece in pieces(node, graph.input_shapes(node))
        for call in calls(piece.call)
        for argument in call.arguments
        if argument.default is not REQUIRED and not (argument.name == "stride" and "Pool" in str(call.function))
    }
    assert len(left) > 20
    for function, name, default in left:
        if function.startswith("nn."):
            assert signature(getattr(nn, function[3:])).parameters[name].default == default, (function, name)
    for pool in (nn.MaxPool2d(3), nn.AvgPool2d(3)):
        assert pool.stride == 3


def calls(call: Call | None) -> Iterator[Call]:
    if call is not None:
        yield call
        for argument in call.arguments:
            yield from calls(argument.value if isinstance(argument.value, Call) else None)


def test_the_names_that_are_taken_are_those_of_this_torch() -> None:
    here = {*dir(nn.Sequential()), *dir(fx.GraphModule(nn.Module(), fx.Graph()))}
    assert {name for name in here if not (name.startswith("__") and name.endswith("__"))} <= legal.TAKEN
    assert names.legal("train", set()) == legal.legal("train", set()) == "train_"


# ---- the command ----


def test_the_command_prints_the_file(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["build", "resnet18", "--emit", "source"]) == 0
    assert capfdbinary.readouterr().out == source(*of("resnet18")).encode()


def test_the_command_writes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    assert run(["build", "mobilenet_v2", "-p", "k=10", "--input", "96x96", "--emit", "source", "-o", str(path)]) == 0
    text = path.read_bytes().decode()
    assert "nn.Linear(1280, 10)" in text
    assert "k = 10) on 96×96×3:" in text
    assert made(text)(torch.zeros(2, 3, 96, 96)).shape == (2, 10)


def test_a_backend_without_source_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build", "resnet18", "--emit", "source", "--backend", "onnx"]) == 1
    assert "the onnx backend writes no source" in capsys.readouterr().err


def test_source_takes_no_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build", "resnet18", "--emit", "source", "--weights", "x.safetensors"]) == 2
    assert "writes no weights" in capsys.readouterr().err
