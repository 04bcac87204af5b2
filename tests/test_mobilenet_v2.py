"""MobileNetV2 from its printed table, against torchvision's own."""

from types import ModuleType
from typing import TYPE_CHECKING

import pytest

import archspec

if TYPE_CHECKING:
    import torch

COUNTS = {0.35: 1_677_128, 0.5: 1_968_680, 0.75: 2_636_424, 1.0: 3_504_872, 1.4: 6_108_776}


@pytest.mark.parametrize(("alpha", "params"), COUNTS.items())
def test_the_members_have_the_published_parameters(alpha: float, params: int) -> None:
    assert archspec.load("mobilenet_v2").elaborate(alpha=alpha).stats().params == params


def test_the_macs_are_those_of_the_paper() -> None:
    assert archspec.load("mobilenet_v2").elaborate().stats().macs == 300_774_272


@pytest.mark.parametrize("alpha", COUNTS)
def test_variants_are_the_members(alpha: float) -> None:
    name = f"mobilenet_v2_{str(alpha).replace('.', '_')}"
    assert archspec.load(name).elaborate().stats().params == COUNTS[alpha]


def test_every_check_of_the_spec_holds() -> None:
    assert archspec.load("mobilenet_v2").check_all() == []


def randomize(model: "torch.nn.Module", generator: "torch.Generator") -> None:
    """Every weight and statistic anew, of a size at which signals neither die nor explode over fifty layers."""
    import torch

    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                noise = torch.rand(tensor.shape, generator=generator, dtype=tensor.dtype)
                if tensor.dim() > 1:
                    tensor.copy_((noise - 0.5) * 4 / tensor[0].numel() ** 0.5)
                else:
                    tensor.copy_(0.5 + noise if name.endswith(("weight", "running_var")) else noise - 0.5)


@pytest.mark.parametrize("alpha", [0.35, 0.5, 0.75, 1.0, 1.4])
@pytest.mark.parametrize("side", [96, 65])
def test_outputs_equal_torchvisions_with_its_weights_and_statistics(
    torchvision: ModuleType, alpha: float, side: int
) -> None:
    import torch
    from archspec_torch.runtime import build

    generator = torch.Generator().manual_seed(7)
    theirs = torchvision.mobilenet_v2(weights=None, width_mult=alpha).double().eval()
    ours = build(archspec.load("mobilenet_v2").elaborate(alpha=alpha), dtype=torch.float64, seed=1).eval()
    randomize(theirs, generator)
    with torch.no_grad():
        values = list(theirs.state_dict().values())
        # the table's last row is a 1×1 convolution where torchvision has the same weights in a linear layer
        values[-2] = values[-2][:, :, None, None]
        assert [v.shape for v in values] == [v.shape for v in ours.state_dict().values()]
        ours.load_state_dict(dict(zip(ours.state_dict(), values, strict=True)))
        x = torch.randn(2, 3, side, side, generator=generator, dtype=torch.float64)
        expected, found = theirs(x), ours(x)
    assert float(expected.std()) > 1e-3
    assert float((expected - found).abs().max()) <= 1e-9 * float(expected.abs().max())
