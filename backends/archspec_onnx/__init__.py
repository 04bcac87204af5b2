"""The ONNX backend: `Graph` -> an `onnx.ModelProto` for inference, without another framework in between.

onnx is imported when something is built, onnxruntime when something is run.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from archspec.backend import Measured
from archspec.graph import Graph
from archspec.optional import needing
from archspec.room import check_weights

if TYPE_CHECKING:
    import onnx

    from archspec.decompile import Model


class Backend:
    """Builds models of standard ONNX operators; images are NCHW, vectors NC.

    What only training has is not there: dropout and stochastic depth pass their input on, and batch normalisation uses
    its running statistics.
    """

    name = "onnx"
    framework = "onnx"
    extra = "onnx"
    formats: Mapping[str, str] = {
        ".onnx": "model for inference with its weights, for any batch size; beyond 2 GiB they are in .onnx.data"
    }
    reads = (".onnx",)
    precision: Literal["float32"] = "float32"

    def ready(self) -> None:
        """Raise `MissingFramework` where onnx or onnxruntime is not installed."""
        part("runtime").onnxruntime()

    def build(
        self,
        graph: Graph,
        *,
        seed: int = 0,
        weights: Mapping[str, Any] | None = None,
        dtype: Any = "float32",
        **options: Any,
    ) -> "onnx.ModelProto":
        """The model, its weights drawn with `seed` or given; see `runtime.build` for the options and what it gives."""
        check_weights(graph, dtype)
        made = part("runtime").build(graph, seed=seed, weights=weights, dtype=dtype, **options)
        return made  # type: ignore[no-any-return]

    def run(self, model: Any, graph: Graph, images: Any) -> dict[str, Any]:
        """What onnxruntime computes, for arrays N×h×w×c; of a float64 model, what onnx's reference does."""
        return part("runtime").run(model, graph, images)  # type: ignore[no-any-return]

    def measure(self, model: Any, graph: Graph) -> Measured:
        """The elements of its initializers, and the products in its nodes by the shapes that onnx infers."""
        return part("runtime").measure(model)  # type: ignore[no-any-return]

    def keys(self, graph: Graph) -> dict[str, str]:
        """Its initializers have the canonical names."""
        return {name: name for name in graph.tensors()}

    def read(self, path: Path, entry: str | None = None) -> dict[str, Any]:
        """The initializers of a model."""
        return part("runtime").read(path, entry)  # type: ignore[no-any-return]

    def save(self, model: Any, graph: Graph, path: Path) -> None:
        """Write the model with its weights."""
        part("runtime").save(model, path)

    def decompile(self, source: str, **options: Any) -> "Model":
        """The model in an ONNX file."""
        return part("decompile").decompile(source, **options)  # type: ignore[no-any-return]


def part(name: str) -> Any:
    """One of the modules that import onnx; raises `MissingFramework`."""
    with needing("the onnx backend", Backend.extra):
        return import_module(f"archspec_onnx.{name}")
