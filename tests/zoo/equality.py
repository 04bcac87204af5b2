"""Proof that a spec is the same network as a reference that we did not write: counts, and outputs with its weights."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from archspec_torch.runtime import build
from torch import nn

import archspec
from archspec.cli.commands import run
from archspec.graph import Graph

Layer = nn.Conv2d | nn.Linear | nn.BatchNorm2d


def randomize(model: nn.Module, seed: int = 7) -> None:
    """Every weight and statistic anew, of a size at which signals neither die nor explode over a hundred layers."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                noise = torch.rand(tensor.shape, generator=generator, dtype=tensor.dtype)
                if tensor.dim() > 1:
                    tensor.copy_((noise - 0.5) * 4 / tensor[0].numel() ** 0.5)
                else:
                    tensor.copy_(0.5 + noise if name.endswith(("weight", "running_var")) else noise - 0.5)


def macs(model: nn.Module, shape: tuple[int, ...]) -> int:
    """Multiply-accumulates of convolutions and linear layers, counted by hooks on a forward pass, for one image."""
    total = 0

    def count(layer: nn.Module, _: Any, out: torch.Tensor) -> None:
        nonlocal total
        weight = layer.weight
        assert isinstance(weight, torch.Tensor)
        # a convolution gives N×C×H×W, a linear layer N×…×C
        total += out[0].numel() * (weight[0].numel() if isinstance(layer, nn.Conv2d) else weight.shape[1])

    handles = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        model(torch.empty(2, *shape, device=next(model.parameters()).device))
    for handle in handles:
        handle.remove()
    return total


def builders(torchvision: ModuleType) -> list[str]:
    """The names of torchvision's convolutional classifiers."""
    attention = ("vit", "swin", "maxvit")
    return sorted(n for n in torchvision.list_models(module=torchvision) if not n.startswith(attention))


def reference(torchvision: ModuleType, name: str, **options: Any) -> nn.Module:
    """torchvision's model, its own initial weights left out where drawing them takes long."""
    if name in {"googlenet", "inception_v3"}:
        options.setdefault("init_weights", False)
    model = getattr(torchvision, name)(weights=None, **options)
    assert isinstance(model, nn.Module)
    return model


def on_meta(torchvision: ModuleType, name: str) -> nn.Module:
    """The reference without memory; only RegNet's widths are computed in tensors that have some."""
    params = torchvision.regnet.BlockParams
    compute = params.from_init_params

    def with_memory(**options: float) -> object:
        with torch.device("cpu"):
            return compute(**options)

    with torch.device("meta"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(params, "from_init_params", with_memory)
        return reference(torchvision, name)


def carried(theirs: nn.Module, name: str, folder: Path, origin: str = "torchvision", **values: Any) -> nn.Module:
    """Our model in float64 with the weights of the reference, through the files that users have."""
    checkpoint, canonical = folder / f"{name}.pth", folder / f"{name}.safetensors"
    torch.save(theirs.state_dict(), checkpoint)
    parameters = [word for key, value in values.items() for word in ("-p", f"{key}={value}")]
    arguments = ["weights", "import", "--from", origin, str(checkpoint), name, "-o", str(canonical)]
    assert run([*arguments, *parameters]) == 0
    checkpoint.unlink()
    model = archspec.build(name, weights=canonical, options={"dtype": torch.float64}, **values)
    canonical.unlink()
    assert isinstance(model, nn.Module)
    return model


def own_tensors(model: nn.Module) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
    """The modules that hold tensors, in the order of their registration."""
    for name, module in model.named_modules():
        tensors = {**dict(module.named_parameters(recurse=False)), **dict(module.named_buffers(recurse=False))}
        if tensors:
            yield name, tensors


def carry_over(theirs: nn.Module, ours: nn.Module) -> None:
    """Copy the reference's tensors into ours, module by module in order; every name and shape must fit."""
    with torch.no_grad():
        for (their_name, source), (our_name, target) in zip(own_tensors(theirs), own_tensors(ours), strict=True):
            assert source.keys() == target.keys(), (their_name, our_name)
            for key, tensor in source.items():
                assert tensor.shape == target[key].shape, (their_name, our_name, key)
                target[key].copy_(tensor)


def assert_equal_outputs(theirs: nn.Module, graph: Graph, side: int, train: bool = False) -> None:
    """In float64 the outputs agree to 1e-9 of their size, with the reference's weights and statistics randomised."""
    theirs = theirs.double()
    randomize(theirs)
    ours = build(graph, dtype=torch.float64)
    carry_over(theirs, ours)
    assert_same_outputs(theirs, ours, side, train)


def assert_same_outputs(theirs: nn.Module, ours: nn.Module, side: int, train: bool) -> None:
    """The outputs agree to 1e-9 of their size; in both, auxiliary ones are given in training alone."""
    theirs.train(train)
    ours.train(train)
    for module in (*theirs.modules(), *ours.modules()):
        if isinstance(module, (nn.Dropout, nn.Dropout3d)) or type(module).__name__ == "StochasticDepth":
            module.eval()
    x = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    with torch.no_grad():
        expected, found = theirs(x), ours(x)
    expected = tuple(expected) if isinstance(expected, tuple) else (expected,)
    found = found if isinstance(found, tuple) else (found,)
    given = [tensor for tensor in expected if tensor is not None]
    for a, b in zip(given, found, strict=True):
        assert float(a.std()) > 1e-6
        assert float((a - b).abs().max()) <= 1e-9 * float(a.abs().max())
