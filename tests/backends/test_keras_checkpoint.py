"""Files that Keras wrote, and files that only say so."""

import functools
import io
import os
import random
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import h5py
import keras
import numpy
import pytest
from archspec_keras.checkpoint import read
from archspec_keras.hdf5 import lengths
from keras import layers
from safetensors.numpy import load_file

import archspec
from archspec.cli.commands import run
from archspec.weights import WeightsError

pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")

Array = numpy.ndarray[Any, Any]


def model() -> keras.Model:
    """One layer of each class whose variables are known, some without names, some in a model of their own."""
    image = keras.Input((9, 9, 3))
    stem = [layers.Conv2D(4, 3, name="conv"), layers.BatchNormalization(name="shift", scale=False)]
    x = keras.Sequential(stem, name="stem")(image)
    x = layers.Conv2D(4, 3, use_bias=False)(layers.Dropout(0.1)(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, name="deep")(x)
    x = layers.SeparableConv2D(8, 1, depth_multiplier=2, name="parts")(x)
    x = layers.Conv2D(8, 1)(layers.PReLU(shared_axes=[1, 2], name="slope")(x))
    x = layers.BatchNormalization(name="norm")(layers.Normalization()(x))
    x = layers.GroupNormalization(4, name="groups")(layers.LayerNormalization(name="layer")(x))
    x = layers.EinsumDense("bhwc,c->bhwc", (3, 3, 8), name="scale")(x)
    made = keras.Model(image, layers.Dense(8, name="head")(layers.GlobalAveragePooling2D()(x)))
    generator = numpy.random.default_rng(1)
    made.set_weights([generator.random(array.shape).astype(array.dtype) for array in made.get_weights()])
    return made


def expected(made: keras.Model) -> dict[str, Array]:
    """What a file of the model holds, by hand."""
    found = {}
    unnamed = [layer for layer in made.layers if type(layer) is layers.Conv2D]
    called = {id(layer): f"conv2d_{place}" for place, layer in enumerate(unnamed)}
    for layer in [*made.get_layer("stem").layers, *made.layers]:
        name = "normalization_0" if isinstance(layer, layers.Normalization) else called.get(id(layer), layer.name)
        for variable in [] if isinstance(layer, keras.Model) else layer.weights:
            array = numpy.array(variable.value)
            if (type(layer) is layers.Conv2D and array.ndim == 4) or variable.name == "pointwise_kernel":
                array = array.transpose(3, 2, 0, 1)
            elif array.ndim == 4:
                height, width, channels, multiplier = array.shape
                array = array.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
            elif isinstance(layer, layers.Dense) and array.ndim == 2:
                array = array.T
            found[f"{name}/{variable.name}"] = array.reshape(-1) if variable.name == "alpha" else array
    return found


@pytest.fixture(scope="module")
def ours() -> keras.Model:
    layers.Conv2D(1, 1)  # so that the numbers in names do not begin at 0
    return model()


def assert_same(found: dict[str, Array], wanted: dict[str, Array]) -> None:
    assert found.keys() == wanted.keys()
    assert all(numpy.array_equal(found[key], array) for key, array in wanted.items())


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_tensors_have_the_names_and_layouts_that_the_file_tells(tmp_path: Path, ours: keras.Model, suffix: str) -> None:
    ours.save(tmp_path / f"file{suffix}")
    assert_same(read(tmp_path / f"file{suffix}"), expected(ours))


def test_weights_alone_do_not_tell_scale_from_shift(tmp_path: Path, ours: keras.Model) -> None:
    ours.save_weights(tmp_path / "file.weights.h5")
    wanted = expected(ours)
    wanted["shift/0"] = wanted.pop("shift/beta")
    assert_same(read(tmp_path / "file.weights.h5"), wanted)


def test_names_that_keras_made_do_not_depend_on_what_was_built_before(tmp_path: Path) -> None:
    files = [tmp_path / "first.weights.h5", tmp_path / "second.weights.h5"]
    made = [model(), model()]
    made[1].set_weights(made[0].get_weights())
    for one, file in zip(made, files, strict=True):
        one.save_weights(file)
    assert [layer.name for layer in made[0].layers] != [layer.name for layer in made[1].layers]
    assert_same(read(files[0]), read(files[1]))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_model_within_the_model_can_be_taken_alone(tmp_path: Path, ours: keras.Model, suffix: str) -> None:
    file = tmp_path / f"file{suffix}"
    ours.save(file)
    assert set(read(file, "stem")) == {
        "conv/kernel", "conv/bias", "shift/beta", "shift/moving_mean", "shift/moving_variance",
    }  # fmt: skip
    with pytest.raises(WeightsError, match="no model `other` within it; there is stem"):
        read(file, "other")


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
def test_what_training_adds_is_left_out(tmp_path: Path, suffix: str) -> None:
    made = keras.Sequential([keras.Input((4,)), layers.Dropout(0.5), layers.Dense(2, name="head")])
    made.compile("adam", "mse", metrics=["mae"])
    made.fit(numpy.zeros((2, 4)), numpy.zeros((2, 2)), verbose=0)
    (made.save_weights if suffix == ".weights.h5" else made.save)(tmp_path / f"file{suffix}")
    assert set(read(tmp_path / f"file{suffix}")) == {"head/kernel", "head/bias"}


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
@pytest.mark.parametrize(("dtype", "given"), [("bfloat16", "float32"), ("float16", "float16"), ("float64", "float64")])
def test_numbers_keep_their_values(tmp_path: Path, suffix: str, dtype: str, given: str) -> None:
    made = keras.Sequential([keras.Input((3,), dtype=dtype), layers.Dense(3, name="head", dtype=dtype)])
    values = numpy.array([[1.5, -2.0, 0.0], [3.0e-3, 40000.0, -0.25], [1.0, 2.0, 3.0]])
    made.layers[0].kernel.assign(values)
    (made.save if suffix == ".keras" else made.save_weights)(tmp_path / f"file{suffix}")
    found = read(tmp_path / f"file{suffix}")["head/kernel"]
    assert found.dtype == given
    assert numpy.array_equal(found, keras.ops.convert_to_numpy(keras.ops.cast(made.layers[0].kernel, given)).T)


# ---- what a file does not tell ----


def unnamed(file: Path) -> None:
    """Take out the names, which the first versions of Keras 3 did not write."""
    with h5py.File(file, "r+") as root:
        root.visititems(lambda _, found: found.attrs.pop("name", None) and None)


def test_layers_without_names_are_called_by_their_place(tmp_path: Path, ours: keras.Model) -> None:
    file = tmp_path / "file.weights.h5"
    ours.save_weights(file)
    unnamed(file)
    found = read(file)
    assert {"layers/conv2d/kernel", "layers/conv2d_1/kernel", "layers/sequential/layers/conv2d/bias"} <= set(found)
    head = expected(ours)["head/kernel"]
    assert numpy.array_equal(found["layers/dense/kernel"], head)


def test_a_description_tells_the_names_that_the_weights_do_not(tmp_path: Path, ours: keras.Model) -> None:
    ours.save(tmp_path / "file.keras")
    with zipfile.ZipFile(tmp_path / "file.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    (tmp_path / "weights.h5").write_bytes(parts["model.weights.h5"])
    unnamed(tmp_path / "weights.h5")
    parts["model.weights.h5"] = (tmp_path / "weights.h5").read_bytes()
    with zipfile.ZipFile(tmp_path / "file.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert_same(read(tmp_path / "file.keras"), expected(ours))


class Dense(layers.Layer):
    """Somebody's own class, called like one of Keras."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.matrix = self.add_weight(shape=(2, 3))

    def call(self, x: Any) -> Any:
        return x


def test_variables_of_other_classes_are_numbered_and_lie_as_they_are(tmp_path: Path) -> None:
    attention = layers.MultiHeadAttention(2, 3, name="attention")
    image = keras.Input((4, 2))
    turned = layers.Conv1DTranspose(2, 3, name="turned")(image)
    made = keras.Model(image, Dense(name="own")(attention(turned, turned)))
    made.save(tmp_path / "file.keras")
    found = read(tmp_path / "file.keras")
    assert found["own/0"].shape == (2, 3)
    assert numpy.array_equal(found["turned/0"], made.get_layer("turned").kernel)
    assert {"query/0", "query/1", "attention_output/0"} <= set(found)


def test_equal_names_in_two_models_are_told_apart(tmp_path: Path) -> None:
    image = keras.Input((3,))
    twins = [keras.Sequential([layers.Dense(2, name="head")], name=name)(image) for name in ("left", "right")]
    made = keras.Model(image, [*twins, layers.Dense(2, name="alone")(image)])
    made.save_weights(tmp_path / "file.weights.h5")
    assert {key.rpartition("/")[0] for key in read(tmp_path / "file.weights.h5")} == {
        "left/head", "right/head", "alone",
    }  # fmt: skip
    assert set(read(tmp_path / "file.weights.h5", "left")) == {"head/kernel", "head/bias"}


# ---- Keras 1 and 2 ----


def old(path: Path, weights: dict[str, dict[str, Array]], split: int = 0, **attributes: str) -> Path:
    """A file of weights as Keras 2 wrote it: groups of layers, and lists of names as attributes."""
    with h5py.File(path, "w") as file:
        names = [name.encode() for name in weights]
        for part, begin in enumerate(range(0, len(names), split or len(names))):
            file.attrs[f"layer_names{part}" if split else "layer_names"] = names[begin : begin + (split or len(names))]
        for name, value in attributes.items():
            file.attrs[name] = value.encode()
        for layer, tensors in weights.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in tensors]
            for name, array in tensors.items():
                group[name] = array
    return path


def ramp(*shape: int) -> Array:
    return numpy.arange(numpy.prod(shape), dtype="float32").reshape(shape)


CASES: list[tuple[str, dict[str, dict[str, Array]], dict[str, Array]]] = [
    (
        "Keras 1",
        {
            "block1_conv1": {"block1_conv1_W_1:0": ramp(3, 3, 4, 4), "block1_conv1_b_1:0": ramp(4)},
            "block1_pool": {},
            "fc1": {"fc1_W:0": ramp(2, 2), "fc1_b:0": ramp(2)},
            "bn_1": {"bn_1_gamma:0": ramp(2), "bn_1_running_mean:0": ramp(2) + 1, "bn_1_running_std:0": ramp(2) + 2},
            "batchnormalization_3": {"batchnormalization_3_beta:0": ramp(3)},
            "convolution2d_7": {"convolution2d_7_W:0": ramp(1, 1, 2, 2)},
            "convolution2d_4": {"convolution2d_4_W:0": ramp(1, 1, 3, 3)},
        },
        {
            "block1_conv1/kernel": ramp(3, 3, 4, 4).transpose(3, 2, 0, 1),
            "block1_conv1/bias": ramp(4),
            "fc1/kernel": ramp(2, 2).T,
            "fc1/bias": ramp(2),
            "bn_1/gamma": ramp(2),
            "bn_1/moving_mean": ramp(2) + 1,
            "bn_1/moving_variance": ramp(2) + 2,
            "batch_normalization_0/beta": ramp(3),
            "conv2d_1/kernel": ramp(1, 1, 2, 2).transpose(3, 2, 0, 1),
            "conv2d_0/kernel": ramp(1, 1, 3, 3).transpose(3, 2, 0, 1),
        },
    ),
    (
        "Keras 2",
        {
            "conv_dw_1": {"conv_dw_1/depthwise_kernel:0": ramp(2, 2, 2, 2), "conv_dw_1/bias:0": ramp(4)},
            "sepconv": {"sepconv/depthwise_kernel:0": ramp(3, 3, 2, 1), "sepconv/pointwise_kernel:0": ramp(1, 1, 2, 2)},
            "expanded_conv/expand": {"expanded_conv/expand/kernel:0": ramp(1, 1, 2, 2)},
            "expanded_conv/expand/BatchNorm": {"expanded_conv/expand/BatchNorm/gamma:0": ramp(2)},
            "conv0": {"conv0_33/kernel:0": ramp(1, 1, 2, 2), "conv0_33/bias:0": ramp(2)},
            "scope": {"net/scope/kernel:0": ramp(2, 3)},
            "stem": {"stem_conv/kernel:0": ramp(1, 1, 2, 2), "stem_1/gamma:0": ramp(2), "stem/inner/beta:0": ramp(2)},
            "layer_scale": {"Variable:0": ramp(5)},
            "other_scale": {"other_scale/Variable_7:0": ramp(6)},
        },
        {
            "conv_dw_1/kernel": ramp(2, 2, 2, 2).transpose(2, 3, 0, 1).reshape(4, 1, 2, 2),
            "conv_dw_1/bias": ramp(4),
            "sepconv/depthwise_kernel": ramp(3, 3, 2, 1).transpose(2, 3, 0, 1),
            "sepconv/pointwise_kernel": ramp(1, 1, 2, 2).transpose(3, 2, 0, 1),
            "expanded_conv/expand/kernel": ramp(1, 1, 2, 2).transpose(3, 2, 0, 1),
            "expanded_conv/expand/BatchNorm/gamma": ramp(2),
            "conv0/kernel": ramp(1, 1, 2, 2).transpose(3, 2, 0, 1),
            "conv0/bias": ramp(2),
            "scope/kernel": ramp(2, 3).T,
            "stem_conv/kernel": ramp(1, 1, 2, 2).transpose(3, 2, 0, 1),
            "stem/gamma": ramp(2),
            "inner/beta": ramp(2),
            "layer_scale/0": ramp(5),
            "other_scale/0": ramp(6),
        },
    ),
]


@pytest.mark.parametrize("split", [0, 2])
@pytest.mark.parametrize(("weights", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_names_of_older_versions_mean_the_same(
    tmp_path: Path, weights: dict[str, dict[str, Array]], wanted: dict[str, Array], split: int
) -> None:
    assert_same(read(old(tmp_path / "file.h5", weights, split)), wanted)


def test_convolutions_of_theano_are_turned_around(tmp_path: Path) -> None:
    file = old(tmp_path / "file.h5", {"a": {"a_W:0": ramp(3, 3, 1, 1)}}, backend="theano")
    with pytest.raises(WeightsError, match="written with Theano"):
        read(file)


# What repositories cite of the files that keras.applications published.
PUBLISHED = {
    "vgg16_keras": ["block1_conv1_W_1:0", "block5_conv3_b_1:0", "fc1_W_1:0", "predictions_b_1:0"],
    "mobilenet_keras": ["conv1/kernel:0", "conv_dw_1/depthwise_kernel:0", "conv_pw_13_bn/beta:0", "conv_preds/bias:0"],
    "mobilenet_v2_keras": [
        "Conv1/kernel:0", "bn_Conv1/gamma:0", "mobl0_conv_0_depthwise/depthwise_kernel:0",
        "bn0_conv_0_bn_project/beta:0", "mobl3_conv_3_expand/kernel:0", "bn16_conv_16_bn_depthwise/gamma:0",
        "Conv_1_bn/beta:0", "Logits/kernel:0",
    ],
    "mobilenet_v3_small_keras": [
        "Conv/kernel:0", "Conv/BatchNorm/gamma:0", "expanded_conv/depthwise/depthwise_kernel:0",
        "expanded_conv/squeeze_excite/Conv_1/bias:0", "expanded_conv_10/project/BatchNorm/moving_variance:0",
        "Conv_1/BatchNorm/beta:0", "Conv_2/bias:0", "Logits/kernel:0",
    ],
    "resnet50_keras": ["conv1_conv/bias:0", "conv5_block3_3_bn/gamma:0", "conv2_block1_0_conv/bias:0", "probs/bias:0"],
    "densenet121_keras": ["conv1/conv/kernel:0", "conv1/bn/gamma:0", "conv5_block16_2_conv/kernel:0", "fc1000/bias:0"],
    "convnext_tiny_keras": ["convnext_tiny_stage_3_block_2_layer_scale/Variable:0"],
}  # fmt: skip


@pytest.mark.parametrize(("variant", "names"), PUBLISHED.items())
def test_published_names_are_known(tmp_path: Path, variant: str, names: list[str]) -> None:
    weights: dict[str, dict[str, Array]] = {}
    for name in names:
        layer = name.rpartition("/")[0] or re.sub(r"_[Wb]_1:0$", "", name)
        weights.setdefault(layer, {})[name] = ramp(*([1] * 4 if "kernel" in name or "_W_" in name else [1]))
    spec = archspec.load(variant)
    known = spec.weight_keys("keras_applications", spec.elaborate())
    found = read(old(tmp_path / "file.h5", weights))
    assert len(found) == len(names)
    assert set(found) <= {key for keys in known.values() for key in keys}


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_weights_are_imported_from_keras_applications(tmp_path: Path, suffix: str) -> None:
    theirs = keras.applications.MobileNetV2(weights=None, alpha=0.35, input_shape=(32, 32, 3), classes=7)
    theirs.save(tmp_path / f"file{suffix}")
    arguments = [
        "weights",
        "import",
        "--from",
        "keras_applications",
        str(tmp_path / f"file{suffix}"),
        "mobilenet_v2_keras",
    ]
    assert run([*arguments, "-p", "alpha=0.35", "-p", "k=7", "-o", str(tmp_path / "out.safetensors")]) == 0
    found = load_file(tmp_path / "out.safetensors")
    kernel = numpy.array(theirs.get_layer("block_3_depthwise").kernel.value)
    assert numpy.array_equal(found["row_4/bottleneck_1/dwconv.weight"], kernel.transpose(2, 3, 0, 1))


# ---- files that are not to be trusted ----


def test_nothing_is_executed_and_keras_is_not_imported(tmp_path: Path) -> None:
    made = keras.Sequential([keras.Input((2,)), layers.Lambda(lambda x: x + 1), layers.Dense(2, name="head")])
    made.save(tmp_path / "file.keras")
    script = (
        "import sys; from pathlib import Path; from archspec_keras.checkpoint import read;"
        f"print(*read(Path({str(tmp_path / 'file.keras')!r})));"
        "print({'keras', 'tensorflow', 'torch', 'jax', 'marshal_loads'} & set(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert (done.stdout, done.stderr) == ("head/kernel head/bias\nset()\n", "")


def harmless(file: h5py.File) -> h5py.Group:
    """A layer as Keras 3 saves it, to be spoiled."""
    group = file.create_group("layers/dense/vars")
    group.attrs["name"] = "head"
    group["0"] = ramp(3, 3)
    return group


def external_link(group: h5py.Group) -> None:
    group["1"] = h5py.ExternalLink("other.h5", "/secret")


def soft_link(group: h5py.Group) -> None:
    group["1"] = h5py.SoftLink("/layers/dense/vars/0")


def external_storage(group: h5py.Group) -> None:
    group.create_dataset("1", (4,), "float32", external=[("secret.bin", 0, 16)])


def virtual(group: h5py.Group) -> None:
    layout = h5py.VirtualLayout((4,), "float32")
    layout[:] = h5py.VirtualSource("other.h5", "secret", (4,))
    group.create_virtual_dataset("1", layout)


def objects(group: h5py.Group) -> None:
    group.create_dataset("1", data=["a", "b"], dtype=h5py.string_dtype())


def references(group: h5py.Group) -> None:
    group.create_dataset("1", data=[group["0"].ref], dtype=h5py.ref_dtype)


def records(group: h5py.Group) -> None:
    group["1"] = numpy.zeros(2, [("a", "f4"), ("b", "f4")])


def unwritten(group: h5py.Group) -> None:
    group.create_dataset("1", (1 << 40,), "float64")


def unwritten_chunks(group: h5py.Group) -> None:
    group.create_dataset("1", (1 << 40,), "float64", chunks=(1 << 20,))


def compressed(group: h5py.Group) -> None:
    group.create_dataset("1", data=numpy.zeros(1 << 20), compression="gzip")


def two_names(group: h5py.Group) -> None:
    group["1"] = group["0"]


def endless(group: h5py.Group) -> None:
    group.file["layers/dense/inner"] = group.file["layers"]


def empty(group: h5py.Group) -> None:
    group["1"] = h5py.Empty("float32")


def without_space(group: h5py.Group) -> None:
    group["1"] = numpy.zeros(2, "complex64")


SPOILED: list[tuple[Callable[[h5py.Group], None], str]] = [
    (external_link, "`layers/dense/vars/1` is a link to somewhere else"),
    (soft_link, "is a link to somewhere else"),
    (external_storage, "is not stored in this file"),
    (virtual, "is not stored in this file"),
    (objects, "is not an array of numbers"),
    (references, "is not an array of numbers"),
    (records, "is not an array of numbers"),
    (without_space, "is not an array of numbers"),
    (unwritten, "is larger than what the file holds of it"),
    (unwritten_chunks, "is larger than what the file holds of it"),
    (compressed, "is compressed"),
    (two_names, "stands in the file by two names"),
    (endless, "stands in the file by two names"),
    (empty, "is not stored in this file"),
]


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras", ".h5"])
@pytest.mark.parametrize(("spoil", "says"), SPOILED, ids=[spoil.__name__ for spoil, _ in SPOILED])
def test_a_file_holds_its_own_numbers_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[h5py.Group], None], says: str, suffix: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with h5py.File("other.h5", "w") as other:
        other["secret"] = ramp(4)
    Path("secret.bin").write_bytes(bytes(16))
    with h5py.File("file.weights.h5", "w") as file:
        group = harmless(file)
        spoil(group)
        if suffix == ".h5":
            file.attrs["layer_names"] = ["layers"]
            last = "dense/inner/dense/vars/0" if spoil is endless else "dense/vars/1"
            file["layers"].attrs["weight_names"] = ["dense/vars/0", last]
    if suffix == ".keras":
        with zipfile.ZipFile("file.keras", "w") as archive:
            archive.write("file.weights.h5", "model.weights.h5")
            archive.writestr("config.json", "{}")
    with pytest.raises(WeightsError, match=says):
        read(Path("file.keras" if suffix == ".keras" else "file.weights.h5"))


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("many", [False, True], ids=["few", "many"])
def test_a_text_is_no_longer_than_the_file(tmp_path: Path, libver: str, many: bool) -> None:
    """The library of HDF5 would take 4 GB before it looks where the text is."""
    path = tmp_path / "file.weights.h5"
    with h5py.File(path, "w", libver=libver) as file:
        group = harmless(file)
        for number in range(20 if many else 0):
            group.attrs[f"other{number}"] = "x"
    assert list(read(path)) == ["head/kernel"]
    content = path.read_bytes()
    told = [(4).to_bytes(4, "little") + found.start().to_bytes(8, "little") for found in re.finditer(b"GCOL", content)]
    lying = functools.reduce(lambda made, one: made.replace(one, b"\5\x12\xa7\xf8" + one[4:]), told, content)
    assert (max(lengths(content, "name")), max(lengths(lying, "name"))) == (4, 0xF8A71205)
    path.write_bytes(lying)
    # the newer form has sums of its bytes, which are wrong now
    with pytest.raises(WeightsError, match="than a text" if libver == "earliest" else "damaged"):
        read(path)


def test_a_type_that_stands_elsewhere_is_not_that_of_a_name(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "file.weights.h5", "w") as file:
        group = harmless(file)
        file["kind"] = h5py.string_dtype()
        group.attrs.create("name", "head", dtype=file["kind"])
    with pytest.raises(WeightsError, match="is called by something else than a text"):
        read(tmp_path / "file.weights.h5")


def test_names_are_not_compressed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "file.weights.h5", "w", libver="latest") as file:
        group = harmless(file)
        for number in range(20):
            group.attrs[f"other{number}"] = "x"
    content = (tmp_path / "file.weights.h5").read_bytes()
    place = content.index(b"FRHP") + 7
    (tmp_path / "file.weights.h5").write_bytes(content[:place] + b"\x10" + content[place + 1 :])
    with pytest.raises(WeightsError, match="the names in this file are damaged"):
        read(tmp_path / "file.weights.h5")


def test_layers_of_one_name_are_an_error(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "file.weights.h5", "w") as file:
        for name in ("dense", "dense_1"):
            group = file.create_group(f"layers/{name}/vars")
            group.attrs["name"] = "head"
            group["0"] = ramp(2, 2)
    with pytest.raises(WeightsError, match="two layers are called `head`"):
        read(tmp_path / "file.weights.h5")


@pytest.mark.parametrize("bomb", ["config.json", "model.weights.h5"])
def test_an_archive_that_fills_the_memory_is_not_unpacked(tmp_path: Path, bomb: str) -> None:
    with zipfile.ZipFile(tmp_path / "file.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}" if bomb != "config.json" else " " * (1 << 24))
        archive.writestr("model.weights.h5", bytes(1 << 24))
    with pytest.raises(WeightsError, match=rf"`{bomb}` in it is 16,777,216 bytes, packed into"):
        read(tmp_path / "file.keras")


@pytest.mark.parametrize("part", ["config.json", "model.weights.h5"])
def test_an_archive_without_a_part_is_an_error(tmp_path: Path, part: str) -> None:
    with zipfile.ZipFile(tmp_path / "file.keras", "w") as archive:
        archive.writestr(part, "{}")
    with pytest.raises(WeightsError, match=r"there is no `.*` in this archive"):
        read(tmp_path / "file.keras")


CONFIGS = [
    "{", "[" * 100_000, "null", "[]", '{"config": 3}', '{"config": {"layers": 3}}', '{"config": {"layers": [3]}}',
    '{"config": {"layers": [{"class_name": 3, "config": {}}]}}', '{"config": {"layers": [{"class_name": "Dense"}]}}',
    '{"config": {"layers": [{"class_name": "Dense", "module": [], "config": {"name": {}, "use_bias": "no"}}]}}',
]  # fmt: skip


@pytest.mark.parametrize("config", CONFIGS, ids=range(len(CONFIGS)))
def test_a_description_is_data_whatever_it_says(tmp_path: Path, config: str) -> None:
    """What is no description tells nothing, or is an error."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        harmless(file)
    with zipfile.ZipFile(tmp_path / "file.keras", "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", buffer.getvalue())
    try:
        found = set(read(tmp_path / "file.keras"))
    except WeightsError:
        return
    assert found == {"head/kernel"}


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
def test_damaged_files_are_errors(tmp_path: Path, ours: keras.Model, suffix: str) -> None:
    """Cut off anywhere, or with other bytes in it: what is read are arrays, what is raised says why."""
    file = tmp_path / f"file{suffix}"
    (ours.save_weights if suffix == ".weights.h5" else ours.save)(file)
    whole = file.read_bytes()
    randomly = random.Random(4)
    for round_ in range(150):
        spoiled = bytearray(whole)
        if round_ % 3 == 0:
            del spoiled[randomly.randrange(len(whole)) :]
        for _ in range(round_ % 3 * 8):
            spoiled[randomly.randrange(min(len(whole), 1 << randomly.randrange(8, 20)))] = randomly.randrange(256)
        file.write_bytes(bytes(spoiled))
        try:
            found = read(file)
        except WeightsError:
            continue
        assert all(array.dtype.kind in "fiu" for array in found.values())


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04 no archive", b"\x89HDF\r\n\x1a\n", b"\xff" * 64])
@pytest.mark.parametrize("name", ["junk.keras", "junk.h5"])
def test_what_keras_did_not_write_is_an_error(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match="these are not weights that Keras wrote, or they are damaged"):
        read(tmp_path / name)


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "no.keras")


def test_a_file_of_something_else_has_no_weights(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "file.h5", "w") as file:
        file["data"] = ramp(3)
    with pytest.raises(WeightsError, match="it has no weights that Keras wrote"):
        read(tmp_path / "file.h5")
