"""What else counts a network: torchinfo, fvcore and ptflops on torchvision's, the summary of keras.applications'.

All need the model built; the first three run it once, too. As a program it is one count from the beginning:
`python -m benchmarks.counters torchinfo mobilenet_v2 224`.
"""

import importlib
import io
import logging
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

KERAS = {
    "mobilenet_v2": "MobileNetV2", "resnet152": "ResNet152", "inception_v3": "InceptionV3",
    "efficientnet_b7": "EfficientNetB7", "densenet201": "DenseNet201",
}  # fmt: skip
"""What keras.applications calls them."""


def torchvision_model(name: str, **arguments: Any) -> Any:
    """The model with fresh weights, for a torchvision whose compiled operators need not load."""
    from archspec_torch.vision import operators_missing

    with operators_missing():
        models = importlib.import_module("torchvision.models")
    if name in {"inception_v3", "googlenet"}:
        arguments.setdefault("init_weights", False)  # which takes seconds more
    return getattr(models, name)(weights=None, **arguments).eval()


def torchinfo_count(model: Any, side: int) -> Any:
    """torchinfo's report: `str()` is its table."""
    return importlib.import_module("torchinfo").summary(model, input_size=(1, 3, side, side), verbose=0)


def fvcore_count(model: Any, side: int) -> Any:
    """fvcore's total, which it calls flops and counts as multiply-accumulates."""
    import torch

    logging.getLogger("fvcore").setLevel(logging.ERROR)
    return importlib.import_module("fvcore.nn").FlopCountAnalysis(model, torch.zeros(1, 3, side, side)).total()


def ptflops_count(model: Any, side: int) -> Any:
    """ptflops' multiply-accumulates, those of normalisation, activation and pooling among them, and parameters."""
    count = importlib.import_module("ptflops").get_model_complexity_info
    return count(model, (3, side, side), as_strings=False, print_per_layer_stat=False)


def keras_count(name: str, side: int) -> str:
    """The table of Keras' summary, which has parameters alone."""
    import keras

    said = io.StringIO()
    model = getattr(keras.applications, KERAS[name])(weights=None, input_shape=(side, side, 3))
    with redirect_stdout(said):
        model.summary()
    return said.getvalue()


TORCH: dict[str, Callable[[Any, int], Any]] = {
    "torchinfo": torchinfo_count, "fvcore": fvcore_count, "ptflops": ptflops_count,
}  # fmt: skip
PEERS = (*TORCH, "keras")


def main(peer: str, name: str, side: int) -> None:
    """All that a process does that counts one network."""
    print(keras_count(name, side) if peer == "keras" else TORCH[peer](torchvision_model(name), side))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
