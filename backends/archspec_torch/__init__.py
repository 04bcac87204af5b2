"""The PyTorch backend: `Graph` -> a plain `torch.nn.Module`. torch is imported when something is built."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archspec.backend import MissingFramework
from archspec.graph import Graph

if TYPE_CHECKING:
    import torch


class Backend:
    """Builds modules of torch's own layers; images are NCHW, vectors NC."""

    name = "torch"
    framework = "torch"
    extra = "torch"
    formats: Mapping[str, str] = {
        ".pth": "state_dict, by torch.save",
        ".safetensors": "state_dict, by safetensors",
        ".pt": "the whole module, by torch.save",
        ".pt2": "exported program, by torch.export, for any batch size",
    }

    def build(self, graph: Graph, *, seed: int = 0, **options: Any) -> "torch.nn.Module":
        """The module, its weights drawn with `seed`; see `runtime.build` for the options and what it gives."""
        return framework().build(graph, seed=seed, **options)  # type: ignore[no-any-return]

    def save(self, model: Any, graph: Graph, path: Path) -> None:
        """Write the model in the form that the suffix says."""
        framework().save(model, graph, path)


def framework() -> Any:
    """The part that imports torch; raises `MissingFramework`."""
    try:
        from archspec_torch import runtime
    except ModuleNotFoundError as error:
        if error.name != Backend.framework:
            raise
        raise MissingFramework(Backend.name, Backend.framework, Backend.extra) from None
    return runtime
