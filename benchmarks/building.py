"""`archspec.build`, from a name to a model with first weights, against the constructors of libraries' models."""

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Any

import archspec
from archspec import driver
from benchmarks.contests import Contest, Task, compared, main, results, results_table
from benchmarks.markdown import prose

OURS, FIRST = "archspec", "archspec, the first time"
TORCHVISION = ("mobilenet_v2", "resnet50", "inception_v3", "densenet201", "efficientnet_b0")
APPLICATIONS = {"mobilenet_v2_keras": "MobileNetV2", "resnet50_keras": "ResNet50", "vgg16_keras": "VGG16"}
META = " on meta"


def ours(name: str, **options: Any) -> dict[str, Task]:
    """A network that was built before, and one that was not: its spec is parsed, and elaborated anew."""

    def first() -> object:
        driver.bundled_graph.cache_clear()
        return archspec.build(name, **options)

    return {OURS: partial(archspec.build, name, **options), FIRST: first}


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
        yield Contest(name, {"torchvision": theirs, **ours(name)}, rounds=9)
    for name in TORCHVISION:
        meta = ours(name, options={"device": "meta"})
        yield Contest(f"{name}{META}", {"torchvision": partial(on_meta, name), **meta}, rounds=9)


def keras_contests() -> Iterator[Contest]:
    from archspec_keras.quiet import quiet

    with quiet():
        import keras
    for name, theirs in APPLICATIONS.items():
        constructor = partial(getattr(import_module("keras.applications"), theirs), weights=None)
        keras.backend.clear_session()
        yield Contest(name, {"keras.applications": constructor, **ours(name, backend="keras")}, rounds=5)


def measure(quick: bool) -> str:
    """The section of building."""
    torch, keras = (results("building", framework, quick) for framework in ("torch", "keras"))
    alone = results("building", "torch", quick, cores=1)
    remarks = (
        f"Target: no slower than the library's own constructor: {compared([*torch, *keras], OURS)}. "
        f"On one core: {compared(alone, OURS)}. Ratios are of "
        "medians, quartiles in parentheses; where they overlap, the two are not to be told apart. "
        "Both draw first weights, but on `meta`. archspec elaborates a network that comes with it once in a process; "
        "what a first call takes is in a column of its own. Its weights are drawn on all cores, with numbers that "
        "depend on nothing but the seed and are the same in every framework; the libraries draw theirs on one. By "
        "profiles, what is slower goes into torch.fx, which writes and compiles the code of every block with a "
        "shortcut."
    )
    tables = [results_table(*one) for one in (("torch", torch), ("torch, one core", alone), ("Keras", keras))]
    return "\n\n".join([*tables, prose(remarks)])


if __name__ == "__main__":
    main({"torch": torch_contests, "keras": keras_contests})
