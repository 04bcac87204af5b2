"""What a user names as a model -> its spec, by whichever backend reads it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archspec.backend import Backend, BackendError, available
from archspec.backend import load as load_backend
from archspec.decompile.model import Model, Unreadable
from archspec.decompile.spec import Decompiled, decompiled
from archspec.printable import printable
from archspec.tensor import Shape


class UnknownSource(BackendError):
    """No backend reads a model from there."""

    exit_code = 2


def load(
    source: str,
    *,
    name: str | None = None,
    image: Shape | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Decompiled:
    """The spec of a framework's model: `model.onnx`, `model.pt2` or `torch:package.module:factory`.

    `name` is what its network is called, `image` the shape of its input, h×w×c or c, and `arguments` are those of the
    factory. A factory is code of its package, and is run. Raises `BackendError` or `OSError`.
    """
    reader = reader_of(source)
    model: Model = reader.decompile(source, name=name, image=image, arguments=arguments)
    return decompiled(model)


def reader_of(source: str) -> Backend:
    """The backend that reads a source; raises `UnknownSource`, or `Unreadable` where it reads no models."""
    scheme, colon, _ = source.partition(":")
    if colon and scheme in available():
        chosen = load_backend(scheme)
    else:
        suffix = Path(source).suffix
        known = [backend for backend in map(load_backend, available()) if suffix in backend.formats]
        reading = [backend for backend in known if hasattr(backend, "decompile")]
        if not known:
            raise UnknownSource(
                f"`{printable(source)}` names no model", "model.onnx, model.pt2, or torch:package.module:factory"
            )
        chosen = (reading or known)[0]
    if not hasattr(chosen, "decompile"):
        raise Unreadable(f"{printable(source)}: the {chosen.name} backend reads no models")
    return chosen
