"""The Keras backend beside torch's: every operator and whole networks; what is in a model, and in its files.

Keras computes with TensorFlow unless KERAS_BACKEND says otherwise; with jax or torch, float32 alone is compared.
"""

import importlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends.cases import CASES
from graphs import graph

import archspec
from archspec import ops
from archspec.backend import BackendError, Measured, Unsupported
from archspec.graph import Graph
from archspec.optional import MissingFramework
from archspec.verify import BOUNDS, random_images, random_tensors
from archspec.weights import draw, load, take
from archspec.weights.memory import LARGE

torch_runtime = pytest.importorskip("archspec_torch.runtime")
runtime = pytest.importorskip("archspec_keras.runtime")

import keras  # noqa: E402 - skipped above where it is not installed
from archspec_keras import Backend  # noqa: E402
from archspec_keras.layouts import transposed  # noqa: E402
from archspec_keras.lower import lower  # noqa: E402
from archspec_keras.site import Site  # noqa: E402

# numpy 2 says so of every variable of TensorFlow that Keras takes the numbers of

BACKEND = Backend()
BEST = BACKEND.precision
TENSORFLOW = keras.backend.backend() == "tensorflow"
with_tensorflow = pytest.mark.skipif(not TENSORFLOW, reason="Keras computes with another framework")
with_seeds = pytest.mark.skipif(keras.backend.backend() == "torch", reason="Keras on torch drops by torch's own state")


def expected(made: Graph, weights: Mapping[str, Any], images: Any) -> dict[str, Any]:
    """What torch computes in float64."""
    found: dict[str, Any] = torch_runtime.run(torch_runtime.build(made, weights=weights, dtype="float64"), made, images)
    return found


def off(wanted: Any, found: Any) -> float:
    """The largest difference, as a part of the largest value; what is infinite must be so in both."""
    assert wanted.shape == found.shape
    finite = np.isfinite(wanted)
    assert np.array_equal(finite, np.isfinite(found))
    assert np.array_equal(wanted[~finite], found[~finite])
    largest = np.abs(wanted[finite]).max(initial=0.0)
    return float(np.abs(wanted[finite] - found[finite]).max(initial=0.0) / (largest or 1.0))


def agree(made: Graph, dtype: str) -> None:
    """The model's outputs are torch's, its counts the Graph's, and nothing in it is ours or a function of Python."""
    made = made.with_all_outputs()
    # four times as large as usual, so that some values are cut off at 6
    weights, images = dict(random_tensors(made, 1)), 4 * random_images(made, 1)
    wanted, stats = expected(made, weights, images), made.stats()
    model = BACKEND.build(made, weights=weights, dtype=dtype)
    found = BACKEND.run(model, made, images.astype(dtype))
    assert list(found) == list(made.outputs)
    for name, values in found.items():
        assert values.dtype == dtype
        assert off(wanted[name], values) <= BOUNDS[dtype], (name, made.by_path[made.outputs[name]].op)
    assert BACKEND.measure(model, made) == Measured(stats.params, stats.macs)
    assert {type(one).__module__.partition(".")[0] for one in (model, *model.operations)} == {"keras"}
    assert not any(isinstance(one, keras.layers.Lambda) for one in model.operations)


def huge_ones(label: str) -> bool:
    """Cases at further sizes and paddings, which are left to the huge tests."""
    other = any(f"pad={pad}" in label for pad in ("valid", "1", "(1, 0)", "(2, 2, 0, 3)"))
    return other or (label.endswith(("(8, 7)", "(3, 2)")) and "pad=(0, 1, 2, 1)" not in label)


@pytest.mark.parametrize(
    "made",
    [pytest.param(made, marks=pytest.mark.huge if huge_ones(label) else (), id=label) for label, made in CASES],
)
def test_operators_compute_what_they_do_in_torch(made: Graph) -> None:
    agree(made, BEST)


@pytest.mark.huge
@pytest.mark.parametrize("made", [case for _, case in CASES], ids=[label for label, _ in CASES])
def test_operators_compute_what_they_do_in_torch_in_float32(made: Graph) -> None:
    agree(made, "float32")


@pytest.mark.huge
@pytest.mark.parametrize("made", [case for _, case in CASES], ids=[label for label, _ in CASES])
def test_every_operator_is_the_same_when_it_is_loaded(made: Graph, tmp_path: Path) -> None:
    images = random_images(made, 0).astype(BEST)
    model = BACKEND.build(made, weights=dict(random_tensors(made, 0)), dtype=BEST)
    BACKEND.save(model, made, tmp_path / "a.keras")
    loaded = keras.saving.load_model(tmp_path / "a.keras", safe_mode=True)
    found, again = (BACKEND.run(one, made, images) for one in (model, loaded))
    for name, values in found.items():
        np.testing.assert_array_equal(again[name], values)


def test_windows_of_every_kind_that_torch_has_and_keras_has_not() -> None:
    made = [
        ops.DwConv(kernel=3, dilation=(1, 2)),
        ops.DwConv(kernel=3, stride=(2, 3), dilation=(3, 2), multiplier=2, bias=True),
        ops.Conv(kernel=(3, 2), channels=4, stride=(2, 1), dilation=(1, 3), groups=2),
        ops.Conv(kernel=(1, 3), channels=4, stride=2, dilation=(5, 2), pad=(0, 3)),
        ops.MaxPool(kernel=(1, 3), stride=(2, 1), dilation=(4, 3), pad=(0, 2)),
        ops.AdaptiveAvgPool(size=(13, 4)),
    ]
    items = [(f"a{place}", op, ("input",)) for place, op in enumerate(made)]
    agree(graph((9, 10, 4), *items, outputs={"output": "a0", **{path: path for path, *_ in items}}), BEST)


# (name, parameters, an even and an odd size): the smallest that the network takes
NETWORKS: list[tuple[str, dict[str, Any], tuple[int, int]]] = [
    ("mobilenet_v2", {}, (64, 45)),
    ("resnet18", {}, (32, 45)),
    ("shufflenet_v2_x0_5", {}, (32, 45)),
    ("mobilenet_v3_small", {}, (32, 45)),
    ("squeezenet1_0", {}, (32, 45)),
]
LARGER: list[tuple[str, dict[str, Any], tuple[int, int]]] = [
    ("densenet121", {}, (32, 45)),
    ("efficientnet_b0", {}, (32, 45)),
    ("regnet_y_400mf", {}, (32, 45)),
    ("mobilenet_v1", {}, (32, 45)),
    ("googlenet", {}, (64, 75)),
    ("inception_v3", {"aux": False}, (80, 97)),
    ("convnext_tiny", {}, (32, 45)),
    ("alexnet_2012", {}, (96, 127)),
    ("vgg11", {}, (32, 45)),
    ("xception", {}, (72, 75)),
]


@pytest.mark.parametrize(
    ("name", "values", "sides"),
    [*NETWORKS, *(pytest.param(*network, marks=pytest.mark.slow) for network in LARGER)],
)
def test_networks_compute_what_they_do_in_torch(name: str, values: dict[str, Any], sides: tuple[int, int]) -> None:
    spec = archspec.load(name)
    for side in sides:
        agree(spec.elaborate((side, side), **values), BEST)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, *_ in (*NETWORKS, *LARGER)])
def test_networks_compute_what_they_do_in_torch_at_their_own_size(name: str) -> None:
    agree(archspec.load(name).elaborate(), "float32")


@pytest.fixture
def small() -> Graph:
    text = """arch 1
    network Small(k = 3) {
      input 8 x 8 x 4
      body conv(3, 6, 2, bias = true) -> bn -> relu6 -> prelu -> layer_scale -> lrn -> maxpool(3, 2, pad = 1) -> dropout
           -> linear(4) -> layernorm -> dwconv(3, multiplier = 2) -> groupnorm(2) -> flatten -> linear(k) as head
    }"""
    return archspec.parse(text).elaborate()


@pytest.fixture
def other_settings() -> Iterator[None]:
    """Keras with everything set otherwise that can be."""
    before = keras.config.image_data_format(), keras.config.floatx(), keras.config.epsilon()
    policy = keras.config.dtype_policy()
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float16")
    keras.config.set_dtype_policy("mixed_float16")
    keras.config.set_epsilon(0.3)
    try:
        yield
    finally:
        keras.config.set_image_data_format(before[0])
        keras.config.set_floatx(before[1])
        keras.config.set_dtype_policy(policy)
        keras.config.set_epsilon(before[2])


@pytest.mark.usefixtures("other_settings")
def test_settings_of_keras_change_nothing(small: Graph) -> None:
    agree(small, BEST)
    pools = [("a", ops.AvgPool(kernel=3, pad=1, include_pad=False)), ("b", ops.Upsample(mode="bilinear"))]
    agree(graph((5, 6, 3), *pools, ("c", ops.AdaptiveAvgPool(size=4)), ("d", ops.GlobalAvgPool())), BEST)


# ---- training ----


def training(model: Any, images: Any) -> Any:
    return keras.ops.convert_to_numpy(model(images, training=True))


def test_batch_normalisation_trains_as_in_torch_but_for_the_biased_variance() -> None:
    made = graph((5, 6, 3), ("conv", ops.Conv(kernel=3, channels=4)), ("bn", ops.BatchNorm(momentum=0.3, eps=0.01)))
    weights, images = dict(random_tensors(made, 1)), random_images(made, 1)
    model = BACKEND.build(made, weights=weights, dtype=BEST)
    module = torch_runtime.build(made, weights=weights, dtype="float64").train()
    wanted = module(torch_runtime.torch.from_numpy(images).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).detach().numpy()
    assert off(wanted, training(model, images.astype(BEST))) <= BOUNDS[BEST]
    state = {name: variable.numpy() for name, variable in module.state_dict().items()}
    mean, variance = (keras.ops.convert_to_numpy(v) for v in model.get_layer("bn").non_trainable_variables)
    assert off(state["bn.running_mean"], mean) <= BOUNDS[BEST]
    new = (state["bn.running_var"] - 0.7 * weights["bn.running_var"]) / 0.3
    count = len(images) * 5 * 6
    biased = 0.7 * weights["bn.running_var"] + 0.3 * new * (count - 1) / count
    assert off(biased, variance) <= BOUNDS[BEST]


@with_tensorflow
@pytest.mark.parametrize(
    "items",
    [
        [ops.Conv(kernel=3, channels=4, dilation=2), ops.BatchNorm(), ops.PRelu(), ops.GroupNorm(groups=2)],
        [ops.Conv(kernel=3, channels=4, groups=2, stride=2, dilation=2), ops.LayerScale(init=0.5), ops.Gelu()],
        [ops.DwConv(kernel=3, multiplier=2, stride=(2, 1), bias=True), ops.LocalResponseNorm(), ops.LayerNorm()],
        [ops.MaxPool(kernel=3, stride=2, ceil=True, pad=1), ops.DwConv(kernel=3, dilation=2), ops.LeakyRelu(slope=0.3)],
    ],
)
def test_gradients_are_those_of_torch(items: list[Any]) -> None:
    import tensorflow

    nodes = [(f"a{place}", op) for place, op in enumerate(items)]
    made = graph((9, 8, 4), *nodes, ("flat", ops.Flatten()), ("fc", ops.Linear(channels=3)))
    weights, images = dict(random_tensors(made, 1)), random_images(made, 1)
    model = BACKEND.build(made, weights=weights, dtype="float64")
    places = {name: place for name, place in runtime.variables(model, made).items() if place[2].trainable}
    with tensorflow.GradientTape() as tape:
        total = tensorflow.reduce_sum(model(images, training=False) ** 2)
    found = tape.gradient(total, [variable.value for *_, variable in places.values()])
    module = torch_runtime.build(made, weights=weights, dtype="float64").eval()
    (module(torch_runtime.torch.from_numpy(images).permute(0, 3, 1, 2)) ** 2).sum().backward()
    wanted = {name: parameter.grad.numpy() for name, parameter in module.named_parameters()}
    assert wanted.keys() == {name.replace("/", ".") for name in places}
    for (name, (kind, called, _)), gradient in zip(places.items(), found, strict=True):
        values = runtime.canonical(kind, called, gradient.numpy())
        assert off(wanted[name], values) <= BOUNDS["float64"], name


def test_dropout_zeroes_values_and_stochastic_depth_images() -> None:
    images = np.ones((64, 4, 4, 3), "float32")
    dropped, deep = (
        training(BACKEND.build(graph((4, 4, 3), ("a", op))), images)
        for op in (ops.Dropout(rate=0.25), ops.StochasticDepth(rate=0.25))
    )
    for values in (dropped, deep):
        assert np.isclose(np.unique(values), [0, 1 / 0.75]).all()
        assert 0.1 < (values == 0).mean() < 0.4
    assert all(np.unique(image).size == 1 for image in deep)
    assert any(np.unique(image).size == 2 for image in dropped)


@with_seeds
def test_what_is_dropped_depends_on_the_seed_and_the_node_alone() -> None:
    made = graph((64,), ("a", ops.Dropout()), ("b", ops.Dropout(), ("input",)), outputs={"output": "a", "b": "b"})
    ones = np.ones((2, 64), "float32")
    first, again, other = (
        [keras.ops.convert_to_numpy(v) for v in BACKEND.build(made, seed=seed)(ones, training=True)]
        for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], other[0])


# ---- what is in a model ----


def test_layers_are_named_by_the_paths_of_nodes(small: Graph) -> None:
    names = [operation.name for operation in BACKEND.build(small).operations]
    assert [name for name in names if "--" not in name] == [node.path.replace("/", "-") for node in small.nodes]
    assert {name.partition("--")[0] for name in names} == {node.path.replace("/", "-") for node in small.nodes}


def test_names_are_those_of_the_graph_whatever_was_built_before() -> None:
    made = graph((4, 4, 3), ("pad", ops.Pad(amount=1, value=1.0)), ("gelu", ops.Gelu()), ("power", ops.Relu()))
    for _ in range(2):
        assert [one.name for one in BACKEND.build(made).operations] == ["input", "pad", "gelu", "power"]


def test_names_that_frameworks_refuse_are_changed() -> None:
    made = graph((4, 4, 3), ("_a/_b", ops.Conv(kernel=1, channels=2)), ("_a_b", ops.Relu()), first="_in")
    model = BACKEND.build(made.model_copy(update={"name": "_a/b c"}))
    assert [layer.name for layer in model.layers] == ["0_in", "0_a-_b", "0_a_b"]
    assert model.name == "0_a_b_c"
    assert BACKEND.build(made, name="mine").name == "mine"


def test_keys_are_names_of_layers_and_variables(small: Graph) -> None:
    assert BACKEND.keys(small) == {
        "conv.weight": "conv/kernel",
        "conv.bias": "conv/bias",
        "bn.weight": "bn/gamma",
        "bn.bias": "bn/beta",
        "bn.running_mean": "bn/moving_mean",
        "bn.running_var": "bn/moving_variance",
        "prelu.weight": "prelu/alpha",
        "layer_scale.weight": "layer_scale/kernel",
        "linear.weight": "linear/kernel",
        "linear.bias": "linear/bias",
        "layernorm.weight": "layernorm/gamma",
        "layernorm.bias": "layernorm/beta",
        "dwconv.weight": "dwconv/kernel",
        "groupnorm.weight": "groupnorm/gamma",
        "groupnorm.bias": "groupnorm/beta",
        "head.weight": "head/kernel",
        "head.bias": "head/bias",
    }
    model = BACKEND.build(small)
    assert set(BACKEND.keys(small).values()) == {
        f"{layer.name}/{variable.name}"
        for layer in model.layers
        for variable in layer.weights
        if not isinstance(layer, keras.layers.Dropout)
    }


def test_first_weights_are_those_of_every_backend(small: Graph) -> None:
    found = runtime.variables(BACKEND.build(small, seed=5), small)
    for name, values in draw(small, 5):
        kind, called, variable = found[name]
        lying = runtime.canonical(kind, called, keras.ops.convert_to_numpy(variable))
        np.testing.assert_array_equal(lying, values.astype("float32"))


def test_outputs_come_in_the_order_of_the_graph_the_first_first() -> None:
    made = graph((4, 6, 3), ("a", ops.Relu()), ("b", ops.Flatten()), outputs={"aux": "a", "output": "b"})
    model = BACKEND.build(made)
    assert [tuple(value.shape) for value in model.outputs] == [(None, 72), (None, 4, 6, 3)]
    assert model.output_names == ["b", "a"]
    found = BACKEND.run(model, made, np.ones((1, 4, 6, 3), "float32"))
    assert {name: values.shape for name, values in found.items()} == {"aux": (1, 4, 6, 3), "output": (1, 72)}


def test_running_leaves_statistics_as_they_are(small: Graph) -> None:
    model = BACKEND.build(small)
    before = model.get_weights()
    BACKEND.run(model, small, random_images(small, 0).astype("float32"))
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


# ---- files ----


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".safetensors"])
@pytest.mark.parametrize("dtype", sorted({"float32", BEST}))
def test_weights_are_read_back_exactly(small: Graph, suffix: str, dtype: str, tmp_path: Path) -> None:
    weights = {name: values.astype(dtype) for name, values in random_tensors(small, 2)}
    path = tmp_path / f"small{suffix}"
    BACKEND.save(BACKEND.build(small, weights=weights, dtype=dtype), small, path)
    if suffix == ".safetensors":
        found = load(path, small)
    else:
        found = take(BACKEND.read(path), {name: (key,) for name, key in BACKEND.keys(small).items()}, small)
    assert list(found) == list(weights)
    for name, values in weights.items():
        assert found[name].dtype == dtype
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".safetensors"])
def test_equal_models_are_equal_files(
    small: Graph, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"]
    for day, path in enumerate(paths):
        monkeypatch.setattr("time.time", lambda day=day: 1e9 + 1e5 * day)
        BACKEND.save(BACKEND.build(small, seed=1), small, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_an_archive_is_what_keras_writes_but_for_the_date(small: Graph, tmp_path: Path) -> None:
    model = BACKEND.build(small)
    BACKEND.save(model, small, tmp_path / "ours.keras")
    model.save(tmp_path / "its.keras")
    with zipfile.ZipFile(tmp_path / "ours.keras") as ours, zipfile.ZipFile(tmp_path / "its.keras") as its:
        assert ours.namelist() == its.namelist()
        for name in its.namelist():
            one, other = ours.read(name), its.read(name)
            if name == "metadata.json":
                assert json.loads(one).keys() == json.loads(other).keys()
                assert json.loads(one) == {"keras_version": keras.__version__, "date_saved": "1980-01-01@00:00:00"}
            else:
                assert one == other


def test_another_suffix_is_refused_and_nothing_is_written(small: Graph, tmp_path: Path) -> None:
    model = BACKEND.build(small)
    with pytest.raises(BackendError, match="does not save as"):
        BACKEND.save(model, small, tmp_path / "small.pb")
    with pytest.raises(BackendError, match="from no other"):
        BACKEND.save(model, small, tmp_path / "small.h5")
    assert not list(tmp_path.iterdir())


def elsewhere(code: str, *arguments: object) -> list[float]:
    """The numbers that a program prints in a process that has Keras but no archspec."""
    blocked = "import sys, warnings; sys.modules['archspec'] = sys.modules['archspec_keras'] = None\n"
    quiet = "warnings.simplefilter('ignore')\n"
    done = subprocess.run(
        [sys.executable, "-c", blocked + quiet + code, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return [float(line) for line in done.stdout.split()]


RELOAD = """
import numpy, keras
given = numpy.load(sys.argv[2])
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
found = keras.ops.convert_to_numpy(model(given["images"], training=False))
print(abs(found - given["output"]).max() / abs(given["output"]).max())
"""
EXPORT = """
import tensorflow
model.export(sys.argv[3], format="tf_saved_model", verbose=False)
served = tensorflow.saved_model.load(sys.argv[3])
print(abs(served.serve(given["images"]).numpy() - given["output"]).max() / abs(given["output"]).max())
"""
LITE = """
import numpy, tensorflow
given = numpy.load(sys.argv[2])
lite = tensorflow.lite.Interpreter(sys.argv[1])
first = lite.get_input_details()[0]["index"]
lite.resize_tensor_input(first, given["images"].shape)
lite.allocate_tensors()
lite.set_tensor(first, given["images"])
lite.invoke()
found = lite.get_tensor(lite.get_output_details()[0]["index"])
print(abs(found - given["output"]).max() / abs(given["output"]).max())
"""


@pytest.mark.huge
@pytest.mark.parametrize("name", ["resnet18", "shufflenet_v2_x0_5", "regnet_y_400mf", "convnext_tiny", "alexnet_2012"])
def test_files_compute_the_same_without_archspec(name: str, tmp_path: Path) -> None:
    side = 127 if name == "alexnet_2012" else 45
    made = archspec.load(name).elaborate((side, side))
    images = random_images(made, 1).astype("float32")
    model = BACKEND.build(made, weights=dict(random_tensors(made, 1)))
    np.savez(tmp_path / "given.npz", images=images, **BACKEND.run(model, made, images))
    BACKEND.save(model, made, tmp_path / "a.keras")
    rest = EXPORT if TENSORFLOW else ""
    errors = elsewhere(RELOAD + rest, tmp_path / "a.keras", tmp_path / "given.npz", tmp_path / "exported")
    if TENSORFLOW:
        BACKEND.save(model, made, tmp_path / "a.tflite")
        errors += elsewhere(LITE, tmp_path / "a.tflite", tmp_path / "given.npz")
    assert len(errors) == (3 if TENSORFLOW else 1)
    assert max(errors) <= BOUNDS["float32"]


@pytest.mark.slow
@with_tensorflow
def test_names_with_underscores_are_exported(tmp_path: Path) -> None:
    made = graph((4, 4, 3), ("_a/_b", ops.Conv(kernel=1, channels=2)), ("_a_b", ops.Relu()), first="_in")
    model = BACKEND.build(made)
    model.export(tmp_path / "exported", format="tf_saved_model", verbose=False)
    BACKEND.save(model, made, tmp_path / "a.tflite")


@pytest.mark.slow
@with_tensorflow
def test_what_tensorflow_lite_cannot_compute_is_not_written(tmp_path: Path) -> None:
    made = graph((4, 4, 3), ("a", ops.Conv(kernel=1, channels=2)))
    with pytest.raises(BackendError, match="cannot compute this model in float64: it has no Conv2D"):
        BACKEND.save(BACKEND.build(made, dtype="float64"), made, tmp_path / "a.tflite")
    assert not list(tmp_path.iterdir())


# ---- what is refused ----


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int64", "none", 1])
def test_other_types_of_numbers_are_refused(small: Graph, dtype: Any) -> None:
    with pytest.raises(BackendError, match="no type of numbers"):
        BACKEND.build(small, dtype=dtype)


def test_float64_is_refused_where_keras_does_not_keep_to_it(small: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert BACKEND.precision == "float32"
    with pytest.raises(BackendError, match="on jax computes normalisations in float32"):
        BACKEND.build(small, dtype="float64")


def test_weights_on_which_no_output_depends_are_refused() -> None:
    made = graph((4,), ("a", ops.Linear(channels=2)), ("b", ops.Relu(), ("input",)))
    with pytest.raises(BackendError, match=r"cannot hold `a\.weight`, on which no output depends"):
        BACKEND.build(made)


def test_an_operator_that_is_unknown_is_unsupported() -> None:
    class Odd(ops.Op):
        kind: str = "odd"

    node = graph((3,), ("row_1/it", ops.Relu())).nodes[1]
    with pytest.raises(Unsupported, match=r"keras backend cannot build `odd` \(at row_1/it\)"):
        lower(Odd(), Site(node, "float32", 0), ((3,),), keras.Input((3,)))


# ---- frameworks that are not there ----


def test_a_framework_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    monkeypatch.delitem(sys.modules, "archspec_keras.runtime", raising=False)
    with pytest.raises(MissingFramework, match="`keras`, which is not installed"):
        BACKEND.ready()


def test_the_plug_in_imports_no_framework() -> None:
    code = "import sys, archspec_keras; print({'keras', 'tensorflow', 'numpy', 'h5py'} & sys.modules.keys())"
    folder = Path(importlib.import_module("archspec_keras").__file__ or "").parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.slow
def test_a_residual_network_may_be_deeper_than_python_recurses(tmp_path: Path) -> None:
    graph = archspec.parse("arch 1 network N { input 4 x 4 x 1 body ((relu -> relu | id) -> add) * 400 }").elaborate()
    model = Backend().build(graph)
    model.save(tmp_path / "deep.keras")
    assert len(keras.saving.load_model(tmp_path / "deep.keras").layers) == len(graph.nodes) > sys.getrecursionlimit()


@pytest.mark.parametrize("channels", [1, 255, 256, 257, 600])
def test_a_transposed_array_is_numpys(channels: int) -> None:
    array = np.arange(channels * 6, dtype="float32").reshape(channels, 1, 2, 3)
    made = transposed(array, (2, 3, 1, 0))
    assert made.flags.c_contiguous
    assert (made == array.transpose(2, 3, 1, 0)).all()


def test_weights_that_are_given_are_copied() -> None:
    graph = archspec.parse(
        "arch 1 network N { input 16 x 16 x 3 body conv(3, 512) -> bn -> dwconv(3) -> flatten -> linear(4) }"
    ).elaborate()
    given = {name: np.random.default_rng(0).random(shape, "float32") for name, shape in graph.tensors().items()}
    assert max(values.nbytes for values in given.values()) > LARGE
    model = runtime.build(graph, weights=given)
    before = [variable.numpy().copy() for variable in model.variables]
    for values in given.values():
        values[...] = np.nan
    assert all(np.array_equal(a, variable.numpy()) for a, variable in zip(before, model.variables, strict=True))


def test_layers_begin_by_plain_zeros_in_files() -> None:
    model = runtime.build(archspec.load("squeezenet1_1").elaborate())
    for layer in model.layers:
        if hasattr(layer, "kernel_initializer"):
            assert type(layer.kernel_initializer) is keras.initializers.Zeros
