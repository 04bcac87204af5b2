"""The PyTorch backend: `Graph` -> a plain `torch.nn.Module`. torch is imported when something is built."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from archspec.backend import Measured
from archspec.graph import Graph
from archspec.optional import needing
from archspec.room import check_weights

if TYPE_CHECKING:
    import torch

    from archspec.decompile import Model
    from archspec.emit import Printed
    from archspec.train.task import Task, Watch


class Backend:
    """Builds modules of torch's own layers; images are NCHW, vectors NC."""

    name = "torch"
    framework = "torch"
    extra = "torch"
    formats: Mapping[str, str] = {
        ".pth": "state_dict, by torch.save",
        ".safetensors": "weights in the canonical form, by safetensors",
        ".pt": "the whole module, by torch.save",
        ".pt2": "exported program, by torch.export, for any batch size",
    }

    reads = (".pth", ".pt", ".bin", ".ckpt", ".tar")

    writes = (".pth",)
    precision: Literal["float64"] = "float64"
    trains_with = ("lightning", "torch")

    def ready(self) -> None:
        """Raise `MissingFramework` where torch is not installed."""
        part("runtime")

    def build(
        self,
        graph: Graph,
        *,
        seed: int = 0,
        weights: Mapping[str, Any] | None = None,
        dtype: "str | torch.dtype" = "float32",
        **options: Any,
    ) -> "torch.nn.Module":
        """The module, its weights drawn with `seed` or given; see `runtime.build` for the options and what it gives."""
        if str(options.get("device")) != "meta":
            check_weights(graph, dtype)
        made = part("runtime").build(graph, seed=seed, weights=weights, dtype=dtype, **options)
        return made  # type: ignore[no-any-return]

    def run(self, model: Any, graph: Graph, images: Any) -> dict[str, Any]:
        """What a module gives in evaluation, for arrays N×h×w×c."""
        return part("runtime").run(model, graph, images)  # type: ignore[no-any-return]

    def measure(self, model: Any, graph: Graph) -> Measured:
        """The elements of its parameters, and half of what `torch.utils.flop_counter` counts."""
        return part("runtime").measure(model, graph)  # type: ignore[no-any-return]

    def keys(self, graph: Graph) -> dict[str, str]:
        """The keys of its `state_dict`."""
        return part("runtime").keys(graph)  # type: ignore[no-any-return]

    def save(self, model: Any, graph: Graph, path: Path) -> None:
        """Write the model in the form that the suffix says."""
        part("runtime").save(model, graph, path)

    def write(self, tensors: Mapping[str, Any], path: Path) -> None:
        """A dictionary of tensors, by `torch.save`."""
        part("checkpoint").write(tensors, path)

    def read(self, path: Path, entry: str | None = None) -> dict[str, Any]:
        """The tensors of a checkpoint, by `torch.load(…, weights_only=True)`."""
        return part("checkpoint").read(path, entry)  # type: ignore[no-any-return]

    def source(self, graph: Graph, printed: "Printed | None" = None) -> str:
        """A file of classes with the same keys; torch is not needed to write it, ruff is."""
        from archspec_torch.source import source

        return source(graph, printed)

    def fit(self, task: "Task", watch: "Watch", folder: Path) -> None:
        """Train by Lightning."""
        part("training").fit(task, watch, folder)

    def decompile(self, source: str, **options: Any) -> "Model":
        """The model of `torch:package.module:factory`, or of an exported program."""
        return part("decompile").decompile(source, **options)  # type: ignore[no-any-return]


def part(name: str) -> Any:
    """One of the modules that import torch; raises `MissingFramework`."""
    with needing("training with torch" if name == "training" else "the torch backend", Backend.extra):
        return import_module(f"archspec_torch.{name}")
