"""The Keras backend: `Graph` -> a functional `keras.Model` of Keras' own layers. Keras is imported to build one."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from archspec.backend import Measured
from archspec.graph import Graph
from archspec.optional import needing
from archspec.room import check_weights

if TYPE_CHECKING:
    import keras

    from archspec.emit import Printed
    from archspec.train.task import Task, Watch


class Backend:
    """Builds models of Keras' own layers; images are N×h×w×c, vectors N×c."""

    name = "keras"
    framework = "keras"
    extra = "keras"
    formats: Mapping[str, str] = {
        ".keras": "the whole model, by Keras, which loads without archspec",
        ".h5": "weights, by Keras' save_weights",
        ".safetensors": "weights in the canonical form, by safetensors",
        ".tflite": "model for inference, by TensorFlow's converter",
    }
    reads = (".keras", ".h5")
    trains_with = ("keras", "tensorflow-cpu")

    @property
    def precision(self) -> Literal["float64", "float32"]:
        """float64 with TensorFlow below; with jax or torch, Keras takes some of its layers to float32."""
        return part("runtime").precision()  # type: ignore[no-any-return]

    def ready(self) -> None:
        """Raise `MissingFramework` where Keras, or what it computes with, is not installed."""
        part("runtime")

    def build(
        self,
        graph: Graph,
        *,
        seed: int = 0,
        weights: Mapping[str, Any] | None = None,
        dtype: Any = "float32",
        **options: Any,
    ) -> "keras.Model":
        """The model, its weights drawn with `seed` or given; see `runtime.build` for the options and what it gives."""
        check_weights(graph, dtype)
        made = part("runtime").build(graph, seed=seed, weights=weights, dtype=dtype, **options)
        return made

    def run(self, model: Any, graph: Graph, images: Any) -> dict[str, Any]:
        """What a model gives in evaluation, for arrays N×h×w×c."""
        return part("runtime").run(model, graph, images)  # type: ignore[no-any-return]

    def measure(self, model: Any, graph: Graph) -> Measured:
        """The elements of its trained variables, and the products by the shapes of its layers."""
        return part("runtime").measure(model)  # type: ignore[no-any-return]

    def keys(self, graph: Graph) -> dict[str, str]:
        """The names of layers and their variables: `row_1-conv/kernel`."""
        return part("names").keys(graph)  # type: ignore[no-any-return]

    def save(self, model: Any, graph: Graph, path: Path) -> None:
        """Write the model in the form that the suffix says."""
        part("runtime").save(model, graph, path)

    def read(self, path: Path, entry: str | None = None) -> dict[str, Any]:
        """The tensors of a file that Keras wrote, in canonical layouts."""
        return part("checkpoint").read(path, entry)  # type: ignore[no-any-return]

    def fit(self, task: "Task", watch: "Watch", folder: Path) -> None:
        """Train by Keras' own `fit`."""
        part("training").fit(task, watch, folder)

    def source(self, graph: Graph, printed: "Printed | None" = None) -> str:
        """A file of functions whose model has the same layers; ruff is needed to write it, and Keras."""
        return part("source").source(graph, printed)  # type: ignore[no-any-return]


def part(name: str) -> Any:
    """One of the modules that import Keras; raises `MissingFramework`."""
    from archspec_keras.quiet import quiet

    with needing("the keras backend", Backend.extra), quiet():
        return import_module(f"archspec_keras.{name}")
