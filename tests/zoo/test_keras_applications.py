"""Every model of keras.applications whose architecture the zoo has: our `_keras` variant is the same network.

Same counts, same normalisations and rates, and with its weights, all random, taken from the file that Keras saves, the
same outputs in float64. Heads give logits. Sizes are stated: where they are left open, MobileNetV3 pads otherwise.
"""

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from math import prod
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy
import pytest
import torch
from archspec_keras.checkpoint import read
from archspec_torch.runtime import build
from keras import applications, layers

import archspec
from archspec.ops import BatchNorm, Dropout, LayerNorm, StochasticDepth
from archspec.weights import take

Array = numpy.ndarray[Any, Any]
NAMES = {
    "vgg16_keras": "VGG16",
    "vgg19_keras": "VGG19",
    "mobilenet_keras": "MobileNet",
    "mobilenet_v2_keras": "MobileNetV2",
    "mobilenet_v3_small_keras": "MobileNetV3Small",
    "mobilenet_v3_large_keras": "MobileNetV3Large",
    **{f"resnet{depth}_keras": f"ResNet{depth}" for depth in (50, 101, 152)},
    **{f"densenet{depth}_keras": f"DenseNet{depth}" for depth in (121, 169, 201)},
    "inception_v3_keras": "InceptionV3",
    "xception_keras": "Xception",
    **{f"efficientnet_b{number}_keras": f"EfficientNetB{number}" for number in range(8)},
    **{f"efficientnet_v2_{size}_keras": f"EfficientNetV2{size.upper()}" for size in "sml"},
    **{f"convnext_{size}_keras": f"ConvNeXt{size.title()}" for size in ("tiny", "small", "base", "large")},
    "convnext_xlarge_keras": "ConvNeXtXLarge",
}
SIDES = {"VGG": (224, 225), "Inc": (96, 75), "Xce": (96, 75)}
"""Even and odd, by the beginning of a name, where it is not 64 and 75: a flattened map has one size."""
OTHERS = ("NASNet", "InceptionResNet", "EfficientNetV2B")
"""Beginnings of names that the zoo does not have; besides, it has no second version of ResNet."""
QUICK = {"mobilenet_v2_keras", "mobilenet_v3_small_keras"}
HUGE = {
    *(f"convnext_{size}_keras" for size in ("small", "base", "large", "xlarge")),
    *(f"efficientnet_b{number}_keras" for number in range(1, 8)),
    *(f"efficientnet_v2_{size}_keras" for size in "ml"),
    *("densenet169_keras", "densenet201_keras", "resnet101_keras", "resnet152_keras", "vgg16_keras", "vgg19_keras"),
}
LARGE = {"convnext_base_keras", "convnext_large_keras", "convnext_xlarge_keras"}
CASES = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.huge if name in HUGE else pytest.mark.slow)
    for name in NAMES
]
WITHOUT_PREPROCESSING = ("MobileNetV3", "EfficientNetV2", "ConvNeXt")
"""Beginnings of the names that can be built without it; EfficientNet always has it."""


@contextmanager
def double() -> Iterator[None]:
    """Keras computes in float64."""
    floats, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(floats)
        keras.config.set_dtype_policy(policy)


def made(name: str, side: int) -> keras.Model:
    """Keras' model that a variant is to equal, for images of that size."""
    builder = NAMES[name]
    options = {"include_preprocessing": False} if builder.startswith(WITHOUT_PREPROCESSING) else {}
    shape = (side, side, 3)
    model = getattr(applications, builder)(weights=None, input_shape=shape, classifier_activation=None, **options)
    for layer in model.layers:
        if isinstance(layer, layers.Activation) and layer.activation is keras.activations.gelu:
            layer.activation = gelu
    return model


def gelu(x: Any) -> Any:
    """What Keras' own computes; in float64 TensorFlow takes the root of two that it needs as a float32."""
    return x * (1 + keras.ops.erf(x * 0.5**0.5)) / 2


def layers_of(model: keras.Model) -> list[layers.Layer]:
    """Those within models as well, and no models."""
    found = []
    for layer in model.layers:
        found += layers_of(layer) if isinstance(layer, keras.Model) else [layer]
    return found


def randomize(model: keras.Model, seed: int = 7) -> None:
    """Every weight and statistic anew, of a size at which signals neither die nor explode over a hundred layers."""
    generator = numpy.random.default_rng(seed)
    # with more, the deepest networks are chaotic: they enlarge what two orders of summation differ by to everything
    spread = 2 if model.name.startswith("efficientnetv2") else 4
    for layer in layers_of(model):
        for variable in layer.weights:
            if not variable.dtype.startswith("float"):
                continue
            noise = generator.random(variable.shape)
            if len(variable.shape) > 1:
                depthwise = isinstance(layer, layers.DepthwiseConv2D) or variable.name == "depthwise_kernel"
                taken = prod(variable.shape[:2] if depthwise else variable.shape[:-1])
                variable.assign((noise - 0.5) * spread / taken**0.5)
            elif variable.name in {"gamma", "moving_variance", "variance"} or "layer_scale" in layer.name:
                variable.assign(noise + 0.5)
            else:
                variable.assign(noise - 0.5)


def macs(model: keras.Model) -> int:
    """Multiply-accumulates by the shapes of Keras' layers, for one image."""
    total = 0
    for layer in layers_of(model):
        sides = prod(layer.output.shape[1:-1])
        if isinstance(layer, layers.SeparableConv2D):
            total += sides * (prod(layer.depthwise_kernel.shape) + prod(layer.pointwise_kernel.shape))
        elif isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)):
            total += sides * prod(layer.kernel.shape)
    return total


def assert_same_network(theirs: keras.Model, name: str, side: int) -> None:
    """What counts and attributes say; the momentum of a normalisation, which no output in evaluation shows, is one."""
    graph = archspec.load(name).elaborate((side, side))
    ops = [node.op for node in graph.nodes]
    assert graph.stats().params == sum(prod(variable.shape) for variable in theirs.trainable_variables)
    assert graph.stats().macs == macs(theirs)
    own = layers_of(theirs)
    batch_norms = [layer for layer in own if isinstance(layer, layers.BatchNormalization)]
    expected = Counter((layer.epsilon, round(1 - layer.momentum, 12)) for layer in batch_norms)
    assert Counter((op.eps, op.momentum) for op in ops if isinstance(op, BatchNorm)) == expected
    layer_norms = Counter(layer.epsilon for layer in own if isinstance(layer, layers.LayerNormalization))
    assert Counter(op.eps for op in ops if isinstance(op, LayerNorm)) == layer_norms
    dropouts = [layer for layer in own if isinstance(layer, layers.Dropout) and layer.rate]
    rates = sorted(layer.rate for layer in dropouts if layer.noise_shape is None)
    assert sorted(op.rate for op in ops if isinstance(op, Dropout) and op.rate) == pytest.approx(rates)
    depths = sorted(layer.rate for layer in dropouts if layer.noise_shape is not None)
    assert sorted(op.rate for op in ops if isinstance(op, StochasticDepth) and op.rate) == pytest.approx(depths)


def taken(name: str, file: Path) -> dict[str, Any]:
    """The weights of a variant from a file that Keras saved; what prepares images is no part of it."""
    given = read(file)
    spec = archspec.load(name)
    graph = spec.elaborate()
    kept = {key: array for key, array in given.items() if not key.startswith("normalization_")}
    assert len(given) - len(kept) == (3 if name.startswith("efficientnet_b") else 0)
    return take(kept, spec.weight_keys("keras_applications", graph), graph)


def answer(name: str, side: int, file: Path) -> tuple[Array, Array]:
    """Images, as they are once Keras has prepared them, and what its model gives for them in float64.

    Its weights are those of the file, or random ones that are saved there.
    """
    with double():
        theirs = made(name, side)
        assert {variable.dtype for variable in theirs.trainable_variables} == {"float64"}
        if file.exists():
            theirs.load_weights(file)
        else:
            randomize(theirs)
            (theirs.save if file.suffix == ".keras" else theirs.save_weights)(file)
        assert_same_network(theirs, name, side)
        images = numpy.random.default_rng(3).standard_normal((2, *theirs.input.shape[1:]))
        expected = numpy.asarray(theirs(images, training=False))
        if any(isinstance(layer, layers.Normalization) for layer in theirs.layers):
            images = numpy.asarray(keras.Model(theirs.input, theirs.get_layer("stem_conv_pad").input)(images))
    assert expected.dtype == images.dtype == "float64"
    return images, expected


def alone(name: str, side: int, file: Path) -> tuple[Array, Array]:
    """The same in a process of its own: TensorFlow keeps the memory of a model."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(answer, name, side, file).result()


def test_these_are_all() -> None:
    """All but what the zoo does not have."""
    builders = [name for name in dir(applications) if name[0].isupper()]
    ours = [name for name in builders if not name.startswith(OTHERS) and not name.endswith(("50V2", "101V2", "152V2"))]
    assert sorted(NAMES.values()) == sorted(ours)


@pytest.mark.parametrize("name", CASES)
def test_outputs(tmp_path: Path, name: str) -> None:
    """At an even and an odd size."""
    file = tmp_path / ("file.keras" if name in QUICK else "file.weights.h5")
    ask = alone if name in LARGE else answer
    answers = [ask(name, side, file) for side in SIDES.get(NAMES[name][:3], (64, 75))]
    ours = build(archspec.load(name).elaborate(), weights=taken(name, file), dtype="float64").eval()
    file.unlink()
    for images, expected in answers:
        with torch.no_grad():
            found = ours(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()
        assert expected.std() > 1e-6
        assert abs(found - expected).max() <= 1e-9 * abs(expected).max()


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_keras",
        *(pytest.param(f"{name}_keras", marks=pytest.mark.slow) for name in ("inception_v3", "resnet50")),
    ],
)
def test_first_weights(name: str) -> None:
    """Those that Keras begins by Glorot's rule are drawn with the same spread."""
    theirs, ours = (spreads(model) for model in (made(name, 96), archspec.build(name, backend="keras")))
    assert len(ours) > 5
    assert ours == pytest.approx(theirs, rel=0.03)


def spreads(model: Any) -> dict[tuple[int, ...], float]:
    """The shapes of large weights with how far they are spread."""
    found: dict[tuple[int, ...], list[Any]] = {}
    for variable in model.trainable_variables:
        if len(variable.shape) > 1 and prod(variable.shape) > 10_000:
            # a classifier may be a convolution over one pixel
            shape = tuple(side for side in variable.shape if side > 1)
            found.setdefault(shape, []).append(numpy.array(variable).std())
    return {shape: float(numpy.mean(each)) for shape, each in found.items()}
