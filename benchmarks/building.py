"""`archspec.build`, from a name to a model with first weights, against the constructors of libraries' models."""

from collections.abc import Iterator
from functools import partial
from importlib import import_module

import archspec
from benchmarks.contests import Contest, judged, main, results, results_table
from benchmarks.markdown import prose

OURS = "archspec"
TORCHVISION = ("mobilenet_v2", "resnet50", "inception_v3", "densenet201", "efficientnet_b0")
APPLICATIONS = {"mobilenet_v2_keras": "MobileNetV2", "resnet50_keras": "ResNet50", "vgg16_keras": "VGG16"}
META = " on meta"


def torch_contests() -> Iterator[Contest]:
    import torch

    from benchmarks.counters import torchvision_model

    def on_meta(name: str) -> None:
        with torch.device("meta"):
            torchvision_model(name)

    # what its default does, after a warning
    options = {"inception_v3": {"init_weights": True}}
    for name in TORCHVISION:
        theirs = partial(torchvision_model, name, **options.get(name, {}))
        yield Contest(name, {"torchvision": theirs, OURS: partial(archspec.build, name)}, rounds=5)
    for name in TORCHVISION:
        ours = partial(archspec.build, name, options={"device": "meta"})
        yield Contest(f"{name}{META}", {"torchvision": partial(on_meta, name), OURS: ours}, rounds=5)


def keras_contests() -> Iterator[Contest]:
    from archspec_keras.quiet import quiet

    with quiet():
        import keras
    for name, theirs in APPLICATIONS.items():
        constructor = partial(getattr(import_module("keras.applications"), theirs), weights=None)
        keras.backend.clear_session()
        ours = partial(archspec.build, name, backend="keras")
        yield Contest(name, {"keras.applications": constructor, OURS: ours}, rounds=3)


def measure(quick: bool) -> str:
    """The section of building."""
    torch, keras = (results("building", framework, quick) for framework in ("torch", "keras"))
    verdict = judged([*torch, *keras], OURS, lambda result: result.not_slower(OURS))
    remarks = (
        f"Target: no slower than the library's own constructor: {verdict}. Both draw first weights, but on `meta`. "
        "archspec reads and elaborates its spec each time, as in a first call, and draws normal distributions where "
        "Keras' models draw uniform ones. Its weights are drawn on all cores, with numbers that depend on nothing but "
        "the seed; the libraries draw theirs on one."
    )
    tables = [results_table("torch", torch), results_table("Keras", keras)]
    return "\n\n".join([*tables, prose(remarks)])


if __name__ == "__main__":
    main({"torch": torch_contests, "keras": keras_contests})
