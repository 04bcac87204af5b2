"""What else counts a network: torchinfo and fvcore on torchvision's MobileNetV2.

Both need the model built, and run it once. One thread serves them best on a machine that does anything else.
"""

import importlib
import logging
from collections.abc import Callable
from typing import Any

IMAGE = (1, 3, 224, 224)


def torchvision_model(name: str = "mobilenet_v2", **arguments: Any) -> Any:
    """The model with fresh weights, for a torchvision whose compiled operators need not load."""
    from archspec_torch.vision import operators_missing

    with operators_missing():
        models = importlib.import_module("torchvision.models")
    return getattr(models, name)(weights=None, **arguments).eval()


def torchinfo_count(model: Any) -> Any:
    """torchinfo's report: `str()` is its table."""
    return importlib.import_module("torchinfo").summary(model, input_size=IMAGE, verbose=0)


def fvcore_count(model: Any) -> Any:
    """fvcore's total, which it calls flops and counts as multiply-accumulates."""
    import torch

    logging.getLogger("fvcore").setLevel(logging.ERROR)
    return importlib.import_module("fvcore.nn").FlopCountAnalysis(model, torch.zeros(IMAGE)).total()


def report(count: Callable[[Any], Any]) -> None:
    """All that a process does that counts one network."""
    print(count(torchvision_model()))
