"""An ONNX model -> a flat model of our operators."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archspec.decompile import Model, Unreadable
from archspec.tensor import Shape
from archspec_onnx.decompile.reader import OnnxReader
from archspec_onnx.file import opened


def decompile(
    source: str, *, image: Shape | None = None, arguments: Mapping[str, Any] | None = None, name: str | None = None
) -> Model:
    """The model in an ONNX file; raises `BackendError` or `OSError`.

    `image` is the shape of the input, h×w×c or c, where the file leaves it open.
    """
    path = Path(source)
    if arguments:
        raise Unreadable(f"{source}: a file takes no arguments")
    return OnnxReader(opened(path), name or path.stem, image).read()
